import { Bars, dayOf, Mark, shopNow, timeOf, useSession, useText } from '@kit'
import { Fragment, type ReactNode } from 'react'
import { stockText } from './shared'

/** An instant as a paper says it: whole, in the time of its site. "Tomorrow 16:20" is wrong the day after. */
export const stamp = (iso: string): string => (iso ? iso.slice(0, 16).replace('T', ' ') : '')

export interface PaperColumn<R> {
  key: string
  head: string
  right?: boolean
  /** what is left empty is to be filled in by hand */
  cell: (row: R) => ReactNode
  /** below the column, in the last row */
  total?: ReactNode
  /** of the paper's width, where words would take too little or too much */
  width?: string
}

interface PaperTable {
  title?: string | undefined
  body: ReactNode
}

/** A table of a paper: numbered rows, totals below, and as many empty rows as hands may need. */
export function paperTable<R>(rows: readonly R[], columns: readonly PaperColumn<R>[], more: { title?: string; blank?: number } = {}): PaperTable {
  const totals = columns.some((c) => c.total !== undefined)
  return {
    title: more.title,
    body: (
      <table>
        <colgroup><col style={{ width: '8mm' }} />{columns.map((c) => <col key={c.key} style={c.width ? { width: c.width } : undefined} />)}</colgroup>
        <thead><tr><th>#</th>{columns.map((c) => <th key={c.key} className={c.right ? 'right' : undefined}>{c.head}</th>)}</tr></thead>
        <tbody>
          {rows.map((r, i) => <tr key={i}><td>{i + 1}</td>{columns.map((c) => <td key={c.key} className={c.right ? 'right' : undefined}>{c.cell(r)}</td>)}</tr>)}
          {Array.from({ length: more.blank ?? 0 }, (_, i) => <tr key={`blank${i}`} className="blank"><td>{rows.length + i + 1}</td>{columns.map((c) => <td key={c.key} />)}</tr>)}
          {totals && <tr className="total"><td />{columns.map((c) => <td key={c.key} className={c.right ? 'right' : undefined}>{c.total}</td>)}</tr>}
        </tbody>
      </table>
    ),
  }
}

export interface PaperProps {
  title: string
  no: string
  site: string
  state?: string | undefined
  facts: readonly (readonly [label: string, value: ReactNode] | false | undefined)[]
  tables: readonly PaperTable[]
  /** as it happened, oldest first */
  trail?: readonly { at: string; who: string; what: string }[]
  signatures: readonly ('made' | 'checked' | 'handed' | 'taken' | 'counted')[]
}

/**
 * A document of stock on paper. The screen is not printed: a paper has no buttons, says every time whole, repeats the head
 * of its table on each page, adds up, and ends with room for hands.
 */
export function Paper(props: PaperProps) {
  const t = useText(stockText)
  const { me } = useSession()
  const site = me.sites.find((s) => s.id === props.site)
  return (
    <article className="zg-paper" aria-hidden>
      <header>
        <Mark size={28} />
        <div><strong>{props.title}</strong><span>{site ? `${site.name} ${site.code}` : ''}</span></div>
        {props.state && <b className="zg-paper-state">{props.state}</b>}
        <Bars code={props.no} height={52} />
      </header>
      <dl>{props.facts.map((f) => f && <div key={f[0]}><dt>{f[0]}</dt><dd>{f[1]}</dd></div>)}</dl>
      {props.tables.map((x, i) => <Fragment key={i}>{x.title && <h2>{x.title}</h2>}{x.body}</Fragment>)}
      {props.trail && props.trail.length > 0 && (
        <section>
          <h2>{t('trail')}</h2>
          <ol>{props.trail.map((s, i) => <li key={i}><time>{stamp(s.at)}</time><span>{s.who || t('system')} {s.what}</span></li>)}</ol>
        </section>
      )}
      <footer>
        {props.signatures.map((s) => <span key={s}>{t(`sign_${s}`)}</span>)}
        <small>{t('printed', { at: printedAt(site?.time_zone), who: me.display_name || me.name })}</small>
      </footer>
    </article>
  )
}

/** The moment of printing, at the site: its paper is read beside its other papers. */
const printedAt = (zone: string | undefined): string => `${dayOf(shopNow(), zone)} ${timeOf(shopNow(), zone)}`
