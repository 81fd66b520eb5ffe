import { expect, describe, test } from 'vitest'
import type { Category, PriceEntry } from '@kit'
import { isOrderPart, isStockCode } from './find'
import { phaseOf } from './goods/Prices'
import { categoryPaths, parseRatio, ratioOf } from './goods/shared'
import { gain } from './plan/shared'
import { isSlipNo, stateOf } from './sales/shared'
import { lifeOf } from './stock/shared'
import { flowOf } from './stock/words'

describe('which price holds', () => {
  const entry = (over: Partial<PriceEntry>): PriceEntry => ({ id: '1', product_id: '1', unit: 'piece', document_id: '', document_no: '', valid_at: null, withdrawn: false, site_id: '', staff_id: '1', price_fen: 100, valid_from: '2026-03-01', created_at: '2026-02-20T00:00:00Z', ...over })
  const phases = (all: PriceEntry[]) => all.map((e) => phaseOf(e, all, '2026-03-05'))
  test('the newest that has begun; later ones are to come', () => {
    expect(phases([entry({ valid_from: '2026-03-01' }), entry({ valid_from: '2026-03-05' }), entry({ valid_from: '2026-03-06' })])).toEqual(['past', 'now', 'coming'])
  })
  test('of two from the same day the one set later', () => {
    expect(phases([entry({ created_at: '2026-02-20T08:00:00Z' }), entry({ created_at: '2026-02-20T09:00:00Z' })])).toEqual(['past', 'now'])
  })
  test('each unit and each site for itself', () => {
    expect(phases([entry({}), entry({ unit: 'box', valid_from: '2026-03-04' }), entry({ site_id: '7', valid_from: '2026-03-04' })])).toEqual(['now', 'now', 'now'])
  })
})

describe('how a sales unit converts', () => {
  test.each([['24', { num: 24, den: 1 }], [' 1 / 3 ', { num: 1, den: 3 }]])('%s', (typed, ratio) => expect(parseRatio(typed)).toEqual(ratio))
  test.each(['', '0', '1/0', '1.5', '-2', 'x', '1/2/3'])('"%s" is refused', (typed) => expect(parseRatio(typed)).toBeUndefined())
  test('is written as it was typed', () => {
    expect(ratioOf({ num: 24, den: 1 })).toBe('24')
    expect(ratioOf({ num: 1, den: 3 })).toBe('1/3')
  })
})

test('categories are shown as their path, in the order of the tree', () => {
  const c = (id: string, name: string, parent_id: string, sort: number): Category => ({ id, name, parent_id, sort })
  expect(categoryPaths([c('2', 'Bread', '1', 2), c('1', 'Bakery', '', 1), c('3', 'Cake', '1', 1), c('4', 'Drinks', '', 0)]).map((p) => p.label)).toEqual(['Drinks', 'Bakery', 'Bakery › Cake', 'Bakery › Bread'])
})

test('a sale that was given back in part or whole says so', () => {
  expect(stateOf({ state: 'paid', total_fen: 500, refunded_fen: 0 })).toBe('paid')
  expect(stateOf({ state: 'paid', total_fen: 500, refunded_fen: 200 })).toBe('part_refunded')
  expect(stateOf({ state: 'paid', total_fen: 500, refunded_fen: 500 })).toBe('refunded')
  expect(stateOf({ state: 'voided', total_fen: 500, refunded_fen: 0 })).toBe('voided')
})

test('only a whole slip number is asked of the server', () => {
  expect(isSlipNo(' S001-1-261123-0003 ')).toBe(true)
  for (const part of ['', '0003', 'S001-1', 'S001-1-261123-', '261123-0003']) expect(isSlipNo(part), part).toBe(false)
})

test('an account is told by what it is for, whatever its reason or rate', () => {
  expect(['waste_cost_expired', 'waste_damaged', 'revenue_13', 'gain_value', 'consumed', 'stock:77', 'sold'].map(flowOf)).toEqual(['waste', 'waste', 'revenue', 'gain', 'consumed', 'stock', 'sold'])
})

test('the server is asked for an order or batch only by what can be one', () => {
  for (const part of ['PO-261128-0003', '0003', ' po-26 ']) expect(isOrderPart(part), part).toBe(true)
  for (const other of ['PO-', 'PO', '\u5305\u5b50', '26', 'x'.repeat(41)]) expect(isOrderPart(other), other).toBe(false)
  for (const code of ['B-0713', '385064281077325660', '\u6279\u53f71']) expect(isStockCode(code), code).toBe(true)
  for (const other of ['B', 'two words', '']) expect(isStockCode(other), other).toBe(false)
})

describe('how much life a batch has left', () => {
  const hour = 3_600_000
  const at = Date.parse('2026-03-05T12:00:00Z')
  const batch = (receivedAgo: number, left: number) => ({ received_at: new Date(at - receivedAgo * hour).toISOString(), expires_at: new Date(at + left * hour).toISOString() })
  test.each([
    ['a bun in its first half', 2, 6, 'fresh'], ['a bun in its second half', 5, 3, 'soon'], ['anything in its last two hours', 0, 1.9, 'soon'],
    ['a cake six hours before its end', 42, 6, 'soon'], ['a cake before its last quarter', 30, 18, 'fresh'], ['milk powder a month before its end', 8000, 720, 'fresh'], ['milk powder in its last week', 8000, 160, 'soon'],
    ['what is past its time', 10, 0, 'over'],
  ] as const)('%s', (_what, receivedAgo, left, phase) => expect(lifeOf(batch(receivedAgo, left), at).phase).toBe(phase))
  test('what never expires', () => expect(lifeOf({ received_at: '2026-03-05T12:00:00Z', expires_at: '' }, at).phase).toBe('ever'))
})

test('better or worse than copying last week; nothing to say without a reference', () => {
  expect(gain({ wape: 0.15, wape_snaive: 0.2 })).toBeCloseTo(0.25)
  expect(gain({ wape: 0.3, wape_snaive: 0.2 })).toBeCloseTo(-0.5)
  expect(gain({ wape: null, wape_snaive: 0.2 })).toBeUndefined()
  expect(gain({ wape: 0.1, wape_snaive: 0 })).toBeUndefined()
})
