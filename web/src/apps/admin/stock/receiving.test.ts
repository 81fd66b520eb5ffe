import { describe, expect, test as it } from 'vitest'
import { amountOf, batchOf, differs, nothing, priceFen4, quantity } from './receiving'

describe('receiving by hand', () => {
  it('takes a price of up to six decimals', () => {
    expect(priceFen4('12.3456')).toBe(12_345_600n)
    expect(priceFen4('¥1,200')).toBe(1_200_000_000n)
    for (const bad of ['', '-1', '1.2345678', 'abc', '1e3', '9999999999']) expect(priceFen4(bad)).toBeUndefined()
  })
  it('costs quantity times price, rounded half up once', () => {
    expect(amountOf('3', '0.335')).toBe(101) // 100.5
    expect(amountOf('0.333', '10')).toBe(333)
    expect(amountOf('24', '0.1')).toBe(240)
    expect(amountOf('999999999', '999999999')).toBeGreaterThan(9e15) // the house says that this is too much
    expect(amountOf('0', '1')).toBeUndefined()
    expect(amountOf('1', '')).toBeUndefined()
  })
  it('sends only what was said', () => {
    expect(batchOf({ ...nothing, qty: '1.5' })).toEqual({ qty: '1.500' })
    expect(batchOf({ qty: '2', unit: '箱', code: ' A1 ', made: '2026-03-01', expires: '2026-03-05T12:00' })).toEqual({ qty: '2.000', unit: '箱', code: 'A1', made_on: '2026-03-01', expires_at: '2026-03-05T04:00:00.000Z' })
  })
  it('knows what is no quantity', () => {
    expect(quantity('1.234')).toBe(1234)
    for (const bad of ['', '0', '-1', '1,5', '1.2345', '二']) expect(quantity(bad)).toBeUndefined()
  })
  it('says how far it is from what is expected, also in packs', () => {
    const line = { unit: 'piece', pack_unit: '箱', pack_qty: '2', packs: 5, qty: '240', open: '100' } // ten boxes of 24, of which 140 pieces came before
    expect(differs(line, [{ qty: '100', unit: 'piece' }])).toBe(0)
    expect(differs(line, [{ qty: '90', unit: 'piece' }, { qty: '', unit: 'piece' }])).toBe(-10_000)
    expect(differs(line, [{ qty: '4', unit: '箱' }, { qty: '5.5', unit: 'piece' }])).toBe(1_500)
    expect(differs(line, [])).toBe(-100_000)
    expect(differs(line, [{ qty: 'x', unit: 'piece' }])).toBeUndefined()
  })
})
