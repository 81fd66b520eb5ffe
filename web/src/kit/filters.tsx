import { CloseOutlined, PlusOutlined, SearchOutlined } from '@ant-design/icons'
import { Input, Popover } from 'antd'
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { useSearchParams } from 'react-router-dom'
import { useText } from './i18n'
import { kitText } from './words'

// What a list is filtered by stands in the address, so that it can be sent, kept and gone back to.

export interface Choice {
  value: string
  label: string
}

export type Filter =
  | { kind: 'search'; name: string; label: string }
  | { kind: 'choice'; name: string; label: string; options: readonly Choice[]; always?: boolean }
  | { kind: 'date'; name: string; label: string; max?: string }
  | { kind: 'flag'; name: string; label: string }

export type FilterValues = Readonly<Record<string, string>>

/** The values of the address; `set(name, '')` takes one away. */
export function useFilters(): [FilterValues, (name: string, value: string) => void, (names: readonly string[]) => void] {
  const [params, setParams] = useSearchParams()
  const values = useMemo(() => Object.fromEntries(params), [params])
  const set = useCallback(
    (name: string, value: string) =>
      setParams((old) => {
        const next = new URLSearchParams(old)
        if (value === '') next.delete(name)
        else next.set(name, value)
        return next
      }, { replace: true }),
    [setParams],
  )
  const clear = useCallback(
    (names: readonly string[]) =>
      setParams((old) => {
        const next = new URLSearchParams(old)
        names.forEach((name) => next.delete(name))
        return next
      }, { replace: true }),
    [setParams],
  )
  return [values, set, clear]
}

function Search(props: { value: string; label: string; set: (value: string) => void }) {
  const [typed, setTyped] = useState(props.value)
  const set = useRef(props.set)
  set.current = props.set
  useEffect(() => setTyped(props.value), [props.value])
  useEffect(() => {
    if (typed === props.value) return
    const timer = setTimeout(() => set.current(typed.trim()), 250)
    return () => clearTimeout(timer)
  }, [typed, props.value])
  return (
    <Input className="zg-filter-search" allowClear prefix={<SearchOutlined aria-hidden />} aria-label={props.label} placeholder={props.label} maxLength={64} value={typed}
      onChange={(e) => setTyped(e.target.value)} onPressEnter={() => props.set(typed.trim())} />
  )
}

function Chip(props: { label: string; value?: string; onClear?: () => void; children: (close: () => void) => ReactNode }) {
  const t = useText(kitText)
  const [open, setOpen] = useState(false)
  return (
    <span className={props.value === undefined ? 'zg-chip' : 'zg-chip zg-chip-set'}>
      <Popover open={open} onOpenChange={setOpen} trigger="click" placement="bottomLeft" arrow={false} destroyOnHidden content={open ? props.children(() => setOpen(false)) : null}>
        <button type="button" aria-expanded={open}>
          {props.value === undefined && <PlusOutlined aria-hidden />}
          {props.value === undefined ? props.label : <><span className="zg-chip-name">{props.label}</span> {props.value}</>}
        </button>
      </Popover>
      {props.onClear && props.value !== undefined && (
        <button type="button" className="zg-chip-x" aria-label={t('filter_clear', { name: props.label })} onClick={props.onClear}><CloseOutlined aria-hidden /></button>
      )}
    </span>
  )
}

function Options(props: { options: readonly Choice[]; value: string; pick: (value: string) => void; label: string }) {
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => list.current?.querySelector<HTMLButtonElement>('[aria-current=true], button')?.focus(), [])
  const move = (step: number) => {
    const all = [...(list.current?.querySelectorAll('button') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLButtonElement)
    all[(at + step + all.length) % all.length]?.focus()
  }
  return (
    <ul ref={list} className="zg-options" aria-label={props.label}
      onKeyDown={(e) => {
        if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return
        e.preventDefault()
        move(e.key === 'ArrowDown' ? 1 : -1)
      }}>
      {props.options.map((o) => (
        <li key={o.value}><button type="button" aria-current={o.value === props.value} onClick={() => props.pick(o.value)}>{o.label}</button></li>
      ))}
    </ul>
  )
}

export function FilterBar(props: { filters: readonly Filter[]; children?: ReactNode }) {
  const t = useText(kitText)
  const [values, set, clear] = useFilters()
  const removable = props.filters.filter((f) => !(f.kind === 'choice' && f.always) && values[f.name])
  return (
    <div className="zg-filters" role="search">
      {props.filters.map((f) => {
        const value = values[f.name] ?? ''
        if (f.kind === 'search') return <Search key={f.name} value={value} label={f.label} set={(v) => set(f.name, v)} />
        if (f.kind === 'flag') {
          return (
            <span key={f.name} className={value ? 'zg-chip zg-chip-set' : 'zg-chip'}>
              <button type="button" aria-pressed={value === '1'} onClick={() => set(f.name, value ? '' : '1')}>{!value && <PlusOutlined aria-hidden />}{f.label}</button>
            </span>
          )
        }
        if (f.kind === 'date') {
          return (
            <Chip key={f.name} label={f.label} {...(value ? { value } : {})} onClear={() => set(f.name, '')}>
              {(close) => (
                <input type="date" className="zg-date" autoFocus aria-label={f.label} value={value} max={f.max}
                  onChange={(e) => set(f.name, e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter') close() }} />
              )}
            </Chip>
          )
        }
        const chosen = f.options.find((o) => o.value === value) ?? (f.always ? f.options[0] : undefined)
        return (
          <Chip key={f.name} label={f.label} {...(chosen ? { value: chosen.label } : {})} {...(f.always ? {} : { onClear: () => set(f.name, '') })}>
            {(close) => <Options label={f.label} options={f.options} value={chosen?.value ?? ''} pick={(v) => { set(f.name, v); close() }} />}
          </Chip>
        )
      })}
      {removable.length > 1 && <button type="button" className="zg-link" onClick={() => clear(removable.map((f) => f.name))}>{t('filter_clear_all')}</button>}
      {props.children}
    </div>
  )
}
