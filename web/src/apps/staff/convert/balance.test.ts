import type { Product } from '@kit/api'
import { expect, test } from 'vitest'
import { balance, goodQty, type Line } from './balance'

const line = (base_unit: string, qty: string, unit = base_unit): Line => ({ product: { base_unit, units: [{ name: 'kg', num: 1000, den: 1 }, { name: '斤', num: 500, den: 1 }, { name: '三分之一', num: 1, den: 3 }] } as unknown as Product, qty, unit })

test('what is missing on the scales is lost, to the milligram', () => {
  expect(balance([line('g', '1.5', 'kg')], [line('g', '700'), line('g', '1', '斤')])).toEqual({ unit: 'g', in: 1_500_000, out: 1_200_000, gap: 300_000 })
  expect(balance([line('g', '0.1', 'kg'), line('g', '0.2', 'kg')], [line('g', '0.3', 'kg')])?.gap).toBe(0)
  expect(balance([line('g', '1')], [line('g', '1.001')])?.gap).toBe(-1)
})

test('pieces have no weight, and what is not said is not reckoned', () => {
  expect(balance([line('piece', '1')], [line('piece', '12')])).toBeUndefined()
  expect(balance([line('g', '250')], [line('piece', '1')])).toBeUndefined()
  expect(balance([line('g', '250')], [line('ml', '250')])).toBeUndefined()
  expect(balance([line('g', '')], [line('g', '1')])).toBeUndefined()
  expect(balance([line('g', '1')], [])).toBeUndefined()
  expect(balance([line('g', '1', '三分之一')], [line('g', '1')])).toBeUndefined() // no whole thousandth: the house says so
})

test('a quantity is above zero with three decimals at most', () => {
  expect(['1', '0.001', '250.5'].every(goodQty)).toBe(true)
  expect(['', '0', '-1', '1.2345', 'x', '1e3', '99999999999'].some(goodQty)).toBe(false)
})
