import { useEffect, useRef, useState } from 'react'
import { useFormat } from './format'
import { useText } from './i18n'
import { kitText } from './words'

/** Seconds left at the pace of the last samples; undefined until there is a pace to speak of. */
export function secondsLeft(samples: readonly { at: number; done: number }[], total: number): number | undefined {
  const first = samples[0]
  const last = samples[samples.length - 1]
  if (!first || !last || last.at - first.at < 1000 || last.done <= first.done) return undefined
  const pace = (last.done - first.done) / ((last.at - first.at) / 1000)
  return (total - last.done) / pace
}

/** A real bar: done of all, and the time left as measured (by the server where it says), never by a timer. */
export function Progress(props: { done: number; total: number; label: string; state?: 'running' | 'done' | 'failed'; note?: string; left?: number; plain?: boolean }) {
  const t = useText(kitText)
  const f = useFormat()
  const samples = useRef<{ at: number; done: number }[]>([])
  const [measured, setLeft] = useState<number>()
  const left = props.left ?? measured
  useEffect(() => {
    const list = samples.current
    if (list.length > 0 && props.done < list[list.length - 1]!.done) list.length = 0 // started anew
    list.push({ at: Date.now(), done: props.done })
    if (list.length > 20) list.shift()
    setLeft(secondsLeft(list, props.total))
  }, [props.done, props.total])
  const running = (props.state ?? 'running') === 'running'
  const known = props.total > 0
  const share = known ? Math.min(1, props.done / props.total) : 0
  return (
    <div className="zg-progress">
      <div className="zg-progress-words">
        <span>{props.label}</span>
        <span className="zg-num">
          {known && !props.plain ? t('done_of', { done: f.number(props.done), total: f.number(props.total) }) : props.done > 0 && !props.plain ? f.number(props.done) : ''}
          {running && left !== undefined && <span className="zg-note"> {t('time_left', { span: f.duration(left) })}</span>}
        </span>
      </div>
      <div className={`zg-progress-bar zg-progress-${props.state ?? 'running'}`} role="progressbar" aria-label={props.label} aria-valuemin={0} aria-valuemax={known ? props.total : undefined} aria-valuenow={known ? props.done : undefined}>
        <i style={{ width: `${share * 100}%` }} />
      </div>
      {props.note && <div className="zg-note">{props.note}</div>}
    </div>
  )
}
