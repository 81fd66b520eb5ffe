import { describe, expect, test } from 'vitest'
import { justOff, needOf, nextOf, onTray, toneOf } from './order'

const now = Date.parse('2026-03-05T12:00:00+08:00')
const min = 60_000
type Batch = Parameters<typeof needOf>[0] & { id: string }
const batch = (minutes: number, over: Partial<Batch> = {}): Batch => ({ id: 'b', phase: 'full_price', free_one: false, depth: 0, expires_at: new Date(now + minutes * min).toISOString(), left: '3', held: '0', write_off_id: '', ...over })

describe('what a batch needs of the person at the shelf', () => {
  test('over its time and still in the books it is taken off, also when the clock has not been there yet', () => {
    expect(needOf(batch(-1), now)).toBe('take_off')
    expect(needOf(batch(30, { phase: 'expired' }), now)).toBe('take_off')
    expect(needOf(batch(-1, { left: '0', held: '1' }), now)).toBe('take_off')
  })
  test('written off or sold out there is nothing left to do', () => {
    expect(needOf(batch(-1, { write_off_id: '7' }), now)).toBe('off')
    expect(needOf(batch(-1, { left: '0' }), now)).toBe('off')
  })
  test('else the price it has', () => {
    expect(needOf(batch(60, { free_one: true, depth: 20, phase: 'free_one' }), now)).toBe('free_one')
    expect(needOf(batch(60, { depth: 20, phase: 'markdown' }), now)).toBe('markdown')
    expect(needOf(batch(60), now)).toBe('watch')
  })
})

test('red is now, amber is soon or for less, green is in order', () => {
  expect([-5, 10, 119, 121].map((m) => toneOf(batch(m), now))).toEqual(['red', 'red', 'amber', 'green'])
  expect(toneOf(batch(300, { depth: 15, phase: 'markdown' }), now)).toBe('amber')
  expect(toneOf(batch(-5, { write_off_id: '7' }), now)).toBe('plain')
})

test('the tray holds what is there, the first to go on top; sold out and written off are not on it', () => {
  const all = [batch(90, { id: 'later' }), batch(-5, { id: 'over' }), batch(20, { id: 'sold', left: '0' }), batch(30, { id: 'soon' }), batch(-59, { id: 'gone', write_off_id: '9' })]
  expect(onTray(all, now).map((b) => b.id)).toEqual(['over', 'soon', 'later'])
  expect(justOff([...all, batch(-61, { id: 'long ago', write_off_id: '9' }), batch(-10, { id: 'latest', write_off_id: '9' })], now).map((b) => b.id)).toEqual(['latest', 'gone'])
})

test('what comes next: a look at the price, two for one, the end', () => {
  const at = (m: number) => new Date(now + m * min).toISOString()
  const times = { expires_at: at(180), free_at: at(60), first_at: at(-30), phase: 'markdown' as const, reason: 'first' as const }
  expect(nextOf({ ...times, next_at: at(15) })?.step).toBe('look')
  expect(nextOf({ ...times, next_at: at(60) })?.step).toBe('free')
  expect(nextOf({ ...times, next_at: at(180) })?.step).toBe('end')
  expect(nextOf({ ...times, first_at: at(15), next_at: at(15) })?.step).toBe('first')
  expect(nextOf({ ...times, free_at: '', next_at: at(180) })?.step).toBe('end')
  expect(nextOf({ ...times, next_at: at(60), reason: 'no_price' })).toEqual({ step: 'end', at: at(180) })
  expect(nextOf({ ...times, next_at: '' })).toBeUndefined()
})
