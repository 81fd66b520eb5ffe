import { CheckOutlined, CloseOutlined } from '@ant-design/icons'
import type { ReactNode } from 'react'
import { useFormat } from './format'

/** The states of a document as a line; `at` is the one it is in, a refused end is marked. */
export function Steps(props: { label: string; steps: readonly { key: string; label: string; at?: string }[]; current: string; bad?: boolean }) {
  const f = useFormat()
  const here = props.steps.findIndex((s) => s.key === props.current)
  return (
    <ol className="zg-steps" aria-label={props.label}>
      {props.steps.map((s, i) => {
        const state = i < here ? 'past' : i === here ? (props.bad ? 'bad' : 'here') : 'next'
        return (
          <li key={s.key} className={`zg-step-${state}`} aria-current={i === here ? 'step' : undefined}>
            <i aria-hidden>{state === 'past' ? <CheckOutlined /> : state === 'bad' ? <CloseOutlined /> : null}</i>
            <span>{s.label}{s.at && <span className="zg-note" title={f.exact(s.at)}> {f.at(s.at)}</span>}</span>
          </li>
        )
      })}
    </ol>
  )
}

export interface TrailEntry {
  key: string
  at: string
  who: string
  what: ReactNode
}

/** Who did what, when; newest first. */
export function Trail(props: { label: string; entries: readonly TrailEntry[] }) {
  const f = useFormat()
  return (
    <ol className="zg-trail" aria-label={props.label}>
      {props.entries.map((e) => (
        <li key={e.key}>
          <time dateTime={e.at} title={f.exact(e.at)}>{f.at(e.at)}</time>
          <span><b>{e.who}</b> {e.what}</span>
        </li>
      ))}
    </ol>
  )
}

/** Names and values of a document. */
export function Facts(props: { facts: readonly (readonly [label: string, value: ReactNode] | false | undefined)[] }) {
  return (
    <dl className="zg-facts">
      {props.facts.map((f) => f && <div key={f[0]}><dt>{f[0]}</dt><dd>{f[1]}</dd></div>)}
    </dl>
  )
}

/** A sheet of paper with a heading. */
export function Sheet(props: { title?: ReactNode; note?: ReactNode; acts?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className={props.flush ? 'zg-sheet zg-sheet-flush' : 'zg-sheet'}>
      {(props.title !== undefined || props.acts !== undefined) && (
        <div className="zg-sheet-head">
          <div><h2>{props.title}</h2>{props.note && <p className="zg-note">{props.note}</p>}</div>
          {props.acts && <div className="zg-acts">{props.acts}</div>}
        </div>
      )}
      {props.children}
    </section>
  )
}
