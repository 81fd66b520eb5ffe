import { parseQty, plain } from './quantity'

// The till has one box that everything typed or scanned goes into: "6901028075763", "3*6901028075763", "3*", "bun".

export interface Entry {
  times?: number // thousandths
  rest: string
  bad?: boolean // something before the * that is no quantity
}

export function readEntry(input: string): Entry {
  const text = plain(input)
  const star = text.search(/[*×✕]/)
  if (star < 0) return { rest: text }
  const times = parseQty(text.slice(0, star))
  const rest = text.slice(star + 1).trim()
  return times === undefined ? { rest, bad: true } : { times, rest }
}

/** "10¥", "¥10", also with the character for yuan: an amount of money to sell for; undefined when it is none. */
export function readMoneyEntry(input: string): string | undefined {
  const match = /^(?:[=¥]\s*(\d{1,6}(?:\.\d{1,2})?)|(\d{1,6}(?:\.\d{1,2})?)\s*(?:[¥\u5143=]))$/.exec(plain(input))
  return match?.[1] ?? match?.[2]
}

/** A code as scanners send it: no blanks, at least four characters, with a digit, not a price or quantity; also GS1 texts and addresses. */
export function looksLikeCode(text: string): boolean {
  if (/^(\]|\(\d{2,4}\)|https?:\/\/|[\x1d\u241d])/i.test(text) || /^[\x1d\u241d\x20-\x7e]*[\x1d\u241d][\x1d\u241d\x20-\x7e]*$/.test(text)) return true
  return /^[0-9A-Za-z][0-9A-Za-z-]{3,47}$/.test(text) && /\d{3}/.test(text)
}

// A scanner types a whole code within a blink; nobody's fingers do.
const blink = 35 // ms between two keys

export interface Pace {
  began: number
  last: number
  keys: number
}

export function keyed(pace: Pace | undefined, now: number): Pace {
  if (!pace || now - pace.last > 300) return { began: now, last: now, keys: 1 }
  return { began: pace.began, last: now, keys: pace.keys + 1 }
}

export function wasScanned(pace: Pace | undefined): boolean {
  return pace !== undefined && pace.keys >= 6 && (pace.last - pace.began) / (pace.keys - 1) < blink
}

/** Amounts a customer is likely to hand over for this total, smallest first: the next 1, 5, 10, 20, 50, 100 yuan. */
export function likelyCash(totalFen: number): number[] {
  const offers = new Set<number>()
  for (const note of [100, 500, 1000, 2000, 5000, 10000]) {
    const offer = Math.ceil(totalFen / note) * note
    if (offer > totalFen) offers.add(offer)
  }
  return [...offers].sort((a, b) => a - b).slice(0, 5)
}
