import { useQueryClient } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { useText } from './i18n'
import { kitText } from './words'

// The server tells what has changed (server-sent events at /api/live); reads of that subject become
// stale and are asked again. Nothing on the screen comes from the event itself.

export interface LiveEvent {
  type: string // "till.sold.v1"
  subject: string
  site?: string
}
type Listener = (event: LiveEvent) => void

interface Live {
  state: 'on' | 'off'
  listen: (fn: Listener) => () => void
}

const LiveContext = createContext<Live>({ state: 'off', listen: () => () => {} })

/** Calls back for events whose type begins with one of the prefixes ("till."), and on "reset". */
export function useLive(prefixes: readonly string[], fn: Listener): void {
  const live = useContext(LiveContext)
  const latest = useRef(fn)
  latest.current = fn
  const wanted = prefixes.join(' ')
  useEffect(
    () => live.listen((event) => {
      if (event.type === 'reset' || wanted.split(' ').some((prefix) => event.type.startsWith(prefix))) latest.current(event)
    }),
    [live, wanted],
  )
}

// What a package publishes makes these reads old, beside the one of its own name.
const touches: Record<string, readonly string[]> = {
  till: ['sales', 'stock', 'today'],
  checkout: ['till', 'sales', 'stock', 'today'],
  refund: ['till', 'sales', 'stock', 'today'],
  catalog: ['goods'],
  price: ['prices', 'goods'],
  intake: ['imports', 'goods', 'stock', 'sales', 'today'],
  import: ['imports', 'goods', 'stock', 'sales', 'today'],
  forecast: ['forecasts', 'today'],
  plan: ['purchase'],
  purchase: ['plan'],
  produce: ['plan', 'stock'],
  stock: ['plan'],
  jobs: ['jobs', 'imports', 'checks', 'today'],
  job: ['jobs', 'imports', 'checks', 'today'],
  check: ['checks', 'today'],
}

export function LiveUpdates(props: { children: ReactNode }) {
  const queries = useQueryClient()
  const [state, setState] = useState<'on' | 'off'>('off')
  const listeners = useRef(new Set<Listener>())

  useEffect(() => {
    let source: EventSource | undefined
    let again: ReturnType<typeof setTimeout> | undefined
    let pending = new Set<string>()
    let flush: ReturnType<typeof setTimeout> | undefined
    let failures = 0

    // A busy till sends many events; reads are asked again at most once in 400 ms.
    const touch = (subjects: readonly string[]) => {
      subjects.forEach((s) => pending.add(s))
      flush ??= setTimeout(() => {
        const now = pending
        pending = new Set()
        flush = undefined
        now.forEach((subject) => void queries.invalidateQueries({ queryKey: [subject] }))
      }, 400)
    }
    const hear = (event: LiveEvent) => {
      if (event.type === 'reset') void queries.invalidateQueries()
      else {
        const owner = event.type.split('.')[0] ?? ''
        touch([owner, ...(touches[owner] ?? [])])
      }
      listeners.current.forEach((fn) => fn(event))
    }
    const parse = (data: string): LiveEvent | undefined => {
      try {
        return JSON.parse(data) as LiveEvent
      } catch {
        return undefined
      }
    }
    const open = () => {
      source = new EventSource('/api/live')
      source.onopen = () => {
        if (failures > 0) hear({ type: 'reset', subject: '' }) // what was missed is not known
        failures = 0
        setState('on')
      }
      source.onmessage = (m: MessageEvent<string>) => {
        const event = parse(m.data)
        if (event) hear(event)
      }
      source.addEventListener('reset', () => hear({ type: 'reset', subject: '' }))
      source.onerror = () => {
        setState('off')
        source?.close()
        failures++
        again = setTimeout(open, Math.min(30_000, 500 * 2 ** Math.min(failures, 6)))
      }
    }
    const shut = () => {
      source?.close()
      clearTimeout(again)
      setState('off')
    }
    // A hidden page listens to nothing: browsers allow few connections to one server.
    const onVisible = () => {
      shut()
      if (!document.hidden) {
        if (failures === 0) failures = 1
        open()
      }
    }
    if (!document.hidden) open()
    document.addEventListener('visibilitychange', onVisible)
    addEventListener('offline', shut)
    addEventListener('online', onVisible)
    return () => {
      document.removeEventListener('visibilitychange', onVisible)
      removeEventListener('offline', shut)
      removeEventListener('online', onVisible)
      clearTimeout(flush)
      shut()
    }
  }, [queries])

  const value = useMemo<Live>(
    () => ({
      state,
      listen: (fn) => {
        listeners.current.add(fn)
        return () => listeners.current.delete(fn)
      },
    }),
    [state],
  )
  return <LiveContext.Provider value={value}>{props.children}</LiveContext.Provider>
}

export function LiveDot() {
  const { state } = useContext(LiveContext)
  const t = useText(kitText)
  const word = state === 'on' ? t('live_on') : t('live_off')
  return <span className={`zg-live zg-live-${state}`} role="status" title={word}><i aria-hidden />{<span className="zg-wide">{word}</span>}</span>
}
