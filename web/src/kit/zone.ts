import { useSyncExternalStore } from 'react'

// Times on a screen are those of the shop, wherever its reader's browser thinks it is. What the server says of a site carries the
// site's offset already; this is for what it can't say: the clock on the till, an instant of no site (a job, an import), and what
// is typed as a date and a time.

let zone = 'Asia/Shanghai'
const listeners = new Set<() => void>()

/** The time zone of the site that is looked at. */
export const siteZone = (): string => zone

/** Another site is looked at. A zone that this browser does not know changes nothing. */
export function setSiteZone(next: string | undefined): void {
  if (!next || next === zone || !partsIn(next)) return
  zone = next
  listeners.forEach((tell) => tell())
}

/** Changes with the zone, so that what is shown is said again. */
export function useSiteZone(): string {
  return useSyncExternalStore((tell) => {
    listeners.add(tell)
    return () => listeners.delete(tell)
  }, siteZone)
}

export interface WallClock {
  y: number
  mo: number
  d: number
  h: number
  mi: number
  s: number
  /** minutes before UTC */
  offset: number
}

const made = new Map<string, Intl.DateTimeFormat>()

function partsIn(name: string): Intl.DateTimeFormat | undefined {
  let f = made.get(name)
  if (!f) {
    try {
      f = new Intl.DateTimeFormat('en-US', { timeZone: name, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
    } catch {
      return undefined
    }
    made.set(name, f)
  }
  return f
}

/** What the clock on the wall of a site shows at an instant. */
export function wallOf(ms: number, name = zone): WallClock {
  const at: Record<string, number> = {}
  for (const p of partsIn(name)!.formatToParts(ms)) at[p.type] = Number(p.value)
  const [y = 1970, mo = 1, d = 1, h = 0, mi = 0, s = 0] = [at['year'], at['month'], at['day'], at['hour'], at['minute'], at['second']]
  return { y, mo, d, h, mi, s, offset: Math.round((Date.UTC(y, mo - 1, d, h, mi, s) - Math.floor(ms / 1000) * 1000) / 60_000) }
}

const two = (n: number) => String(n).padStart(2, '0')

/** The day at the site, "2026-03-05". */
export const dayOf = (ms: number, name = zone): string => {
  const w = wallOf(ms, name)
  return `${w.y}-${two(w.mo)}-${two(w.d)}`
}

/** The time at the site, "16:20". */
export const timeOf = (ms: number, name = zone): string => {
  const w = wallOf(ms, name)
  return `${two(w.h)}:${two(w.mi)}`
}

/**
 * The instant that people at the site mean by "2026-03-05T16:20", as RFC 3339 in UTC; undefined when it is no such time. An hour
 * that the clocks pass twice is taken the first time, one that they leap over is taken as if they had not yet.
 */
export function instantOf(local: string, name = zone): string | undefined {
  const m = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(local)
  if (!m) return undefined
  const [y, mo, d, h, mi, s] = m.slice(1).map((x) => Number(x ?? 0)) as [number, number, number, number, number, number]
  const naive = Date.UTC(y, mo - 1, d, h, mi, s)
  if (Number.isNaN(naive) || new Date(naive).getUTCDate() !== d) return undefined
  // The offset that holds a day before is that of "the first time", and of "not yet".
  const before = naive - wallOf(naive - 86_400_000, name).offset * 60_000
  const after = naive - wallOf(naive + 86_400_000, name).offset * 60_000
  const fits = (ms: number) => ms + wallOf(ms, name).offset * 60_000 === naive
  return new Date(fits(before) || !fits(after) ? before : after).toISOString()
}
