import { CaretDownOutlined, CaretUpOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { Link, useNavigate } from 'react-router-dom'
import type { Listing } from './api'
import { useText } from './i18n'
import { ProblemBox } from './states'
import { kitText } from './words'

export interface Column<R> {
  key: string
  head: string
  /** shown once, in the head */
  unit?: string
  /** figures stand right */
  right?: boolean
  cell: (row: R) => ReactNode
  /** by what to sort, once all rows are here */
  by?: (row: R) => string | number
  /** left out on a phone */
  wide?: boolean
  width?: number
}

interface Props<R> {
  label: string
  rows: Pick<Listing<R>, 'rows' | 'loading' | 'stale' | 'problem' | 'more' | 'again' | 'fetching'>
  columns: readonly Column<R>[]
  rowKey: (row: R) => string
  /** where a row leads; its first cell is the link */
  to?: (row: R) => string
  onOpen?: (row: R) => void
  /** what to say, and to do first, when there is nothing */
  empty: ReactNode
  foot?: ReactNode
  /** false: the number of rows goes without saying */
  count?: boolean
}

const byKey = (a: string | number, b: string | number): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), document.documentElement.lang || 'zh-CN', { numeric: true })

/** A list of one kind of thing: 36 px rows, figures right, arrow keys between rows, Enter opens. On a phone each row is a card. */
export function DataTable<R>(props: Props<R>) {
  const t = useText(kitText)
  const go = useNavigate()
  const body = useRef<HTMLTableSectionElement>(null)
  const [sort, setSort] = useState<{ key: string; down: boolean }>()
  const [active, setActive] = useState(0)
  const { rows: list, columns } = props

  // Sorting what is only partly here would lie; it is offered when all rows are.
  const whole = !list.more
  const rows = useMemo(() => {
    const column = sort && whole ? columns.find((c) => c.key === sort.key) : undefined
    if (!column?.by || !sort) return list.rows
    const sorted = [...list.rows].sort((a, b) => byKey(column.by!(a), column.by!(b)))
    return sort.down ? sorted.reverse() : sorted
  }, [list.rows, sort, whole, columns])

  const opens = props.to !== undefined || props.onOpen !== undefined
  const open = (row: R) => {
    if (props.onOpen) props.onOpen(row)
    else if (props.to) void go(props.to(row))
  }
  const focusRow = (n: number) => {
    const at = Math.max(0, Math.min(rows.length - 1, n))
    setActive(at)
    body.current?.querySelectorAll<HTMLTableRowElement>('tr[data-row]')[at]?.focus()
  }
  const onKey = (e: KeyboardEvent, n: number, row: R) => {
    if (e.target !== e.currentTarget) return
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[e.key]
    if (step !== undefined) {
      e.preventDefault()
      focusRow(n + step)
    } else if (e.key === 'Enter' && opens) {
      e.preventDefault()
      open(row)
    }
  }

  if (list.problem && list.rows.length === 0) return <ProblemBox problem={list.problem} again={list.again} />
  if (!list.loading && list.rows.length === 0) return <div className="zg-sheet">{props.empty}</div>

  return (
    <div className="zg-table-box">
      {list.problem && <ProblemBox problem={list.problem} again={list.again} />}
      <div className={list.stale ? 'zg-table-scroll zg-stale' : 'zg-table-scroll'} tabIndex={-1}>
        <table className="zg-table" aria-label={props.label} aria-busy={list.loading || list.stale}>
          <thead>
            <tr>
              {columns.map((c) => {
                const sorted = sort?.key === c.key && whole
                return (
                  <th key={c.key} scope="col" className={cls(c)} style={c.width ? { width: c.width } : undefined} aria-sort={sorted ? (sort.down ? 'descending' : 'ascending') : undefined}>
                    {c.by && whole && !list.loading ? (
                      <button type="button" onClick={() => setSort(sorted && sort.down ? undefined : { key: c.key, down: sorted })}>
                        {head(c)}{sorted && (sort.down ? <CaretDownOutlined aria-hidden /> : <CaretUpOutlined aria-hidden />)}
                      </button>
                    ) : head(c)}
                  </th>
                )
              })}
            </tr>
          </thead>
          <tbody ref={body}>
            {list.loading
              ? Array.from({ length: 8 }, (_, i) => (
                  <tr key={i} className="zg-row-waiting">{columns.map((c, j) => <td key={c.key} className={cls(c)}><span style={{ width: `${40 + ((i * 7 + j * 13) % 45)}%` }} /></td>)}</tr>
                ))
              : rows.map((row, n) => (
                  <tr key={props.rowKey(row)} data-row tabIndex={n === active ? 0 : -1} className={opens ? 'zg-row-opens' : undefined}
                    onFocus={() => setActive(n)} onKeyDown={(e) => onKey(e, n, row)}
                    onClick={(e) => {
                      // text being selected, or a control inside the row, is not an opening
                      if (!opens || (e.target as HTMLElement).closest('a, button, input, label') || getSelection()?.toString()) return
                      open(row)
                    }}>
                    {columns.map((c, i) => (
                      <td key={c.key} className={cls(c)} data-head={c.unit ? `${c.head} ${c.unit}` : c.head}>
                        {i === 0 && props.to ? <Link to={props.to(row)} tabIndex={-1}>{c.cell(row)}</Link> : c.cell(row)}
                      </td>
                    ))}
                  </tr>
                ))}
          </tbody>
          {props.foot && !list.loading && <tfoot>{props.foot}</tfoot>}
        </table>
      </div>
      {!list.loading && ((props.count ?? true) || list.more) && (
        <div className="zg-table-foot">
          <span className="zg-note">{whole ? t('rows', { n: rows.length }) : t('rows_so_far', { n: rows.length })}</span>
          {list.more && <Button size="small" onClick={list.more} loading={list.fetching}>{t('load_more')}</Button>}
        </div>
      )}
    </div>
  )
}

function cls<R>(c: Column<R>): string {
  return [c.right ? 'zg-num' : '', c.wide ? 'zg-col-wide' : ''].filter(Boolean).join(' ')
}

function head<R>(c: Column<R>): ReactNode {
  return <>{c.head}{c.unit && <span className="zg-unit"> {c.unit}</span>}</>
}

/** Rows that are all here, for DataTable. */
export function all<R>(rows: readonly R[] | undefined, reading?: { loading: boolean; problem: Listing<R>['problem']; again: () => void; fetching: boolean }): Listing<R> {
  return {
    rows: [...(rows ?? [])], loading: reading?.loading ?? false, stale: false, fetching: reading?.fetching ?? false,
    problem: reading?.problem, more: undefined, again: reading?.again ?? (() => {}),
  }
}
