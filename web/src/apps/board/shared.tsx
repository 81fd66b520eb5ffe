import { client, must, useRead, type Board, type BoardFigures } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { useLive } from '@kit/live'
import { ProblemBox, SkeletonLines } from '@kit/states'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { boardText } from './text'

export type Day = Board
export type Figures = BoardFigures
export type By = 'out' | 'loss' | 'sales'

/** Everything is read again every few seconds, and sooner when something happens. */
const every = 4_000
const gap = 1_500

export function useDay(site?: string) {
  const read = useRead(['report', 'board', site], (signal) => must(client.GET('/api/report/board', { params: { query: site ? { site_id: site } : {} }, signal })), { every })
  useNews(read.again)
  return read
}

export function useGoods(by: By, site?: string) {
  const read = useRead(['report', 'goods', by, site], (signal) => must(client.GET('/api/report/products', { params: { query: { order: by, limit: 100, ...(site ? { site_id: site } : {}) } }, signal })), { every })
  useNews(read.again)
  return read
}

/** Calls back when something happened, at most once in a while. */
export function useNews(again: () => void): void {
  const last = useRef(0)
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(waiting.current), [])
  useLive(['till.', 'stock.', 'produce.', 'plan.', 'attendance.'], () => {
    clearTimeout(waiting.current)
    waiting.current = setTimeout(() => {
      last.current = Date.now()
      again()
    }, Math.max(0, last.current + gap - Date.now()))
  })
}

/** How old what is shown is: counted from when it was read, by the reader's own clock. */
export function Age(props: { of: unknown; at?: string | undefined }) {
  const t = useText(boardText)
  const f = useFormat()
  const [since, setSince] = useState(() => Date.now())
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => { setSince(Date.now()); setNow(Date.now()) }, [props.of])
  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(tick)
  }, [])
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  return (
    <span className={seconds > 15 ? 'bd-age bd-red' : 'bd-age'} role="status">
      {seconds > 15 ? `\u25b2 ${t('old', { n: seconds })}` : t('age', { n: seconds })}
      {props.at && <small> {t('as_of', { at: f.clock(props.at) })}</small>}
    </span>
  )
}

/** Shows what was read; before that a skeleton, or why not. */
export function Loaded<D>(props: { read: { data: D | undefined; problem: Parameters<typeof ProblemBox>[0]['problem'] | undefined; again: () => void }; children: (data: D) => ReactNode }) {
  if (props.read.data !== undefined) return <>{props.children(props.read.data)}</>
  if (props.read.problem) return <ProblemBox problem={props.read.problem} again={props.read.again} />
  return <SkeletonLines lines={8} />
}

/** Whole yuan for a wall: 1,234. */
export function useYuan(): (fen: number) => string {
  const f = useFormat()
  return (fen) => f.number(fen / 100)
}
