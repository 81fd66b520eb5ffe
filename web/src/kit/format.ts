import { useMemo } from 'react'
import { shopNow, useShopClockSetting } from './shopClock'
import { useSiteZone, wallOf } from './zone'
import { defineText, translator, useLang, type Lang, type T } from './i18n'
import type { Quantity } from './api'
import zh from './words/format.zh'
import en from './words/format.en'

// Figures as people of the trade write them. Money arrives as integer fen, quantities as decimal
// strings, instants as RFC 3339 with the site's own offset: the digits of the string are the site's
// wall clock, so nothing is shifted to the reader's zone. An instant of no site, in Z, is told in the zone of the site looked at.

const text = defineText(zh, en)
const minus = '\u2212'
const thin = '\u202f'

function group(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** 123450 → "1,234.50"; the unit (¥) stands in the head or beside, see yuan. */
export function money(fen: number): string {
  const cents = Math.abs(Math.trunc(fen))
  const body = `${group(String(Math.floor(cents / 100)))}.${String(cents % 100).padStart(2, '0')}`
  return fen < 0 ? minus + body : body
}

export const yuan = (fen: number): string => (fen < 0 ? `${minus}¥${money(-fen)}` : `¥${money(fen)}`)

/** Unit cost in 10⁻⁴ fen → yuan with two to six decimals: 12345678 → "12.345678". */
export function cost(fen4: number): string {
  const abs = Math.abs(Math.trunc(fen4))
  const fraction = String(abs % 1_000_000).padStart(6, '0').replace(/0{1,4}$/, '')
  return (fen4 < 0 ? minus : '') + group(String(Math.floor(abs / 1_000_000))) + '.' + fraction
}

/** "12.5" or "1,200" as typed → integer fen, or undefined when it is no amount with at most two decimals. */
export function parseMoney(input: string): number | undefined {
  const plain = input.trim().replace(/[,，\s¥￥]/g, '').replace('。', '.')
  const match = /^([-\u2212]?)(\d{1,12})(?:\.(\d{0,2}))?$/.exec(plain)
  if (!match) return undefined
  const fen = Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0'))
  return match[1] ? -fen : fen
}

/** "1234.250" → "1,234.25": grouped, no idle zeros, nothing rounded. */
export function decimal(value: string): string {
  const match = /^([-\u2212]?)(\d+)(?:\.(\d+))?$/.exec(value.trim())
  if (!match) return value
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  return (match[1] ? minus : '') + group(match[2] ?? '0') + (fraction ? `.${fraction}` : '')
}

/** "-1.25" → -1250: whole thousandths add up exactly, floats do not. */
export function thousandths(value: string): number {
  const m = /^([-\u2212]?)(\d+)(?:\.(\d{1,3}))?$/.exec(value.trim())
  if (!m) return NaN
  const n = Number(m[2]) * 1000 + Number((m[3] ?? '').padEnd(3, '0'))
  return m[1] ? -n : n
}

export const ofThousandths = (n: number): string => (n / 1000).toFixed(3)

/** A computed figure with a fixed number of decimals. */
export function number(value: number, digits = 0): string {
  const body = Math.abs(value).toFixed(digits)
  const [whole = '0', fraction] = body.split('.')
  const grouped = group(whole) + (fraction ? `.${fraction}` : '')
  return value < 0 && Number(body) !== 0 ? minus + grouped : grouped
}

/** .1234 → "12.3 %" */
export const percent = (share: number, digits = 1): string => `${number(share * 100, digits)}${thin}%`

/** With its sign, but nothing is nothing: "+3.2 %", "+1 kg", "0 kg". */
export const signed = (body: string): string => (body.startsWith(minus) || /^[0.,]+(?![\d.,])/.test(body) ? body : `+${body}`)

interface Wall {
  y: number
  mo: number
  d: number
  h: number
  mi: number
  s: number
  offset: number // minutes
  ms: number
  site: boolean // the wall clock of a site; else an instant of no site
}

function wall(iso: string): Wall | undefined {
  const m = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(iso)
  if (!m) return undefined
  const zone = m[7] ?? 'Z'
  if (zone === 'Z') {
    // an instant of no site (a job, a check)
    const ms = Date.parse(iso.endsWith('Z') ? iso : `${iso}Z`)
    return { ...wallOf(ms), ms, site: false }
  }
  const offset = (zone[0] === '-' ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)))
  return { y: +m[1]!, mo: +m[2]!, d: +m[3]!, h: +m[4]!, mi: +m[5]!, s: +(m[6] ?? 0), offset, ms: Date.parse(iso), site: true }
}

const two = (n: number) => String(n).padStart(2, '0')
const dayNumber = (y: number, mo: number, d: number) => Math.floor(Date.UTC(y, mo - 1, d) / 86_400_000)

export function weekdayOf(date: string): number {
  const [y = 1970, m = 1, d = 1] = date.split('-').map(Number)
  return new Date(Date.UTC(y, m - 1, d)).getUTCDay()
}

export function addDays(date: string, days: number): string {
  const [y = 1970, m = 1, d = 1] = date.split('-').map(Number)
  return new Date(Date.UTC(y, m - 1, d + days)).toISOString().slice(0, 10)
}

export interface Format {
  money: typeof money
  yuan: typeof yuan
  cost: typeof cost
  decimal: typeof decimal
  number: typeof number
  percent: typeof percent
  signed: typeof signed
  /** "0.25 kg", unit named in the reader's language where it is one of ours */
  qty(q: Quantity): string
  unit(name: string): string
  /** '2026-03-05' → "3月5日" / "5 Mar"; the year only when it is not this one */
  date(date: string): string
  /** with the weekday: "3月5日 周四" / "Thu 5 Mar" */
  day(date: string): string
  weekday(date: string): string
  /** wall clock of the instant at its site: "16:20" */
  clock(iso: string): string
  /** "16:20" today, "昨天 16:20", "3月5日 16:20" */
  at(iso: string, now?: Date): string
  /** "40 分钟后,16:20" / "in 40 min, 16:20" */
  when(iso: string, now?: Date): string
  /** "2026-03-05 16:20:31 +08:00", for the hover */
  exact(iso: string): string
  /** "3 分 20 秒" */
  duration(seconds: number): string
}

export function formatter(lang: Lang): Format {
  const t: T<typeof zh> = translator(text, lang)
  const unit = (name: string): string => {
    const key = `unit_${name}`
    return key in zh ? (t as (k: string) => string)(key) : name
  }
  const monthDay = (y: number, mo: number, d: number, thisYear: number): string => {
    const fill = { y, m: mo, mm: t(`month_${mo}` as 'month_1'), d }
    return y === thisYear ? t('date', fill) : t('date_year', fill)
  }
  // what happens at a site has the shop's time, a job the machine's
  const nowFor = (w: Wall): number => (w.site ? shopNow() : Date.now())
  const date = (value: string): string => {
    const [y, m, d] = value.split('-').map(Number)
    if (!y || !m || !d) return value
    return monthDay(y, m, d, wallOf(shopNow()).y)
  }
  const weekday = (value: string) => t(`weekday_${weekdayOf(value)}` as 'weekday_0')
  const clock = (iso: string): string => {
    const w = wall(iso)
    return w ? `${two(w.h)}:${two(w.mi)}` : iso
  }
  const at = (iso: string, now?: Date): string => {
    const w = wall(iso)
    if (!w) return iso
    const there = new Date((now?.getTime() ?? nowFor(w)) + w.offset * 60_000)
    const days = dayNumber(w.y, w.mo, w.d) - Math.floor(there.getTime() / 86_400_000)
    const time = clock(iso)
    if (days === 0) return time
    if (days === -1) return t('yesterday', { time })
    if (days === 1) return t('tomorrow', { time })
    return t('date_time', { date: monthDay(w.y, w.mo, w.d, there.getUTCFullYear()), time })
  }
  const duration = (seconds: number): string => {
    if (seconds > 0 && seconds < 1) return t('under_second')
    const s = Math.max(0, Math.round(seconds))
    if (s < 60) return t('seconds', { n: s })
    if (s < 3600) return s % 60 && s < 600 ? t('minutes_seconds', { m: Math.floor(s / 60), s: s % 60 }) : t('minutes', { n: Math.round(s / 60) })
    if (s < 86_400 * 2) {
      const h = Math.floor(s / 3600)
      const m = Math.floor((s % 3600) / 60)
      return m ? t('hours_minutes', { h, m }) : t('hours', { n: h })
    }
    return t('days', { n: Math.floor(s / 86_400) })
  }
  const when = (iso: string, given?: Date): string => {
    const w = wall(iso)
    if (!w) return iso
    const now = given ?? new Date(nowFor(w))
    const seconds = (w.ms - now.getTime()) / 1000
    const abs = Math.abs(seconds)
    if (abs < 45) return t('now', { time: at(iso, now) })
    if (abs >= 86_400 * 2) return at(iso, now)
    const span = abs < 3600 ? t('minutes', { n: Math.max(1, Math.round(abs / 60)) }) : duration(Math.round(abs / 60) * 60)
    return t(seconds > 0 ? 'in' : 'ago', { span, at: at(iso, now) })
  }
  return {
    money, yuan, cost, decimal, number, percent, signed,
    qty: (q) => `${decimal(q.qty)}${thin}${unit(q.unit)}`,
    unit, date, weekday,
    day: (value) => t('day', { date: date(value), weekday: weekday(value) }),
    clock, at, when, duration,
    exact: (iso) => {
      const w = wall(iso)
      if (!w) return iso
      const o = Math.abs(w.offset)
      return `${w.y}-${two(w.mo)}-${two(w.d)} ${two(w.h)}:${two(w.mi)}:${two(w.s)} ${w.offset < 0 ? '-' : '+'}${two(Math.floor(o / 60))}:${two(o % 60)}`
    },
  }
}

export function useFormat(): Format {
  const { lang } = useLang()
  const clock = useShopClockSetting()
  const zone = useSiteZone()
  return useMemo(() => formatter(lang), [lang, clock, zone])
}
