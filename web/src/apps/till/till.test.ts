import { describe, expect, it } from 'vitest'
import { add, change, emptyCart, move, remove, revive, roughTotal, step, type Goods, lineIn } from './cart'
import { leftOf } from './GoodsPanel'
import { keyed, likelyCash, looksLikeCode, readEntry, wasScanned, type Pace, readMoneyEntry } from './entry'
import { parseQty, qtyText, roughAmount, roughBuys } from './quantity'

const bun: Goods = { product_id: '1', name: 'pork bun', unit: 'piece', price_fen: 350, weighed: false }
const apple: Goods = { product_id: '2', name: 'apple', unit: 'kg', price_fen: 1290, weighed: true }

describe('quantities', () => {
  it('are read to the thousandth', () => {
    expect(parseQty('3')).toBe(3000)
    expect(parseQty('0.25')).toBe(250)
    expect(parseQty('１２.５')).toBe(12500) // full width
    expect(parseQty('2。5')).toBe(2500) // the full stop of a Chinese keyboard
  })
  it('are refused otherwise', () => {
    for (const bad of ['', '0', '0.000', '-1', '1.2345', '1e3', 'abc', '1,5', '99999999']) expect(parseQty(bad), bad).toBeUndefined()
  })
  it('are written without idle zeros', () => {
    expect(qtyText(3000)).toBe('3')
    expect(qtyText(250)).toBe('0.25')
    expect(qtyText(1001)).toBe('1.001')
  })
  it('make amounts rounded half up', () => {
    expect(roughAmount(1290, 250)).toBe(323) // 322.5
    expect(roughAmount(999, 333)).toBe(333) // 332.667
    expect(roughAmount(999_999_999, 9_999_999_999)).toBe(9999999989000000)
  })
})

describe('the entry box', () => {
  it('reads a quantity before the star', () => {
    expect(readEntry('6901028075763')).toEqual({ rest: '6901028075763' })
    expect(readEntry('3*6901028075763')).toEqual({ times: 3000, rest: '6901028075763' })
    expect(readEntry('0.35＊apple')).toEqual({ times: 350, rest: 'apple' })
    expect(readEntry('12*')).toEqual({ times: 12000, rest: '' })
  })
  it('says when that is no quantity', () => {
    expect(readEntry('0*690').bad).toBe(true)
    expect(readEntry('x*690').bad).toBe(true)
  })
  it('knows a code from a word', () => {
    expect(looksLikeCode('6901028075763')).toBe(true)
    expect(looksLikeCode('SKU-0001')).toBe(true)
    expect(looksLikeCode('bun')).toBe(false)
    expect(looksLikeCode('12.50')).toBe(false)
    expect(looksLikeCode('100')).toBe(false)
  })
  it('tells a scanner from fingers', () => {
    const type = (gap: number, keys: number) => {
      let pace: Pace | undefined
      for (let i = 0; i < keys; i++) pace = keyed(pace, 1000 + i * gap)
      return wasScanned(pace)
    }
    expect(type(8, 13)).toBe(true)
    expect(type(120, 13)).toBe(false)
    expect(type(8, 3)).toBe(false)
  })
  it('offers notes that are enough', () => {
    expect(likelyCash(1735)).toEqual([1800, 2000, 5000, 10000])
    expect(likelyCash(2000)).toEqual([5000, 10000])
    for (const offer of likelyCash(10001)) expect(offer).toBeGreaterThan(10001)
  })
})

describe('what is left', () => {
  const item = { product_id: '1', code: 'A', name: 'x', category_id: '0', price_fen: 1, tax_pct: 9, barcodes: [], weighed: false, step: '1', tare: '0' }
  it('is shown in the unit that is sold', () => {
    expect(leftOf({ ...item, unit: 'kg', base_unit: 'g', num: 1000, den: 1, stock: '25350' })).toBe(25350)
    expect(leftOf({ ...item, unit: 'box', base_unit: 'piece', num: 12, den: 1, stock: '35' })).toBe(2000)
    expect(leftOf({ ...item, unit: 'bag', base_unit: 'g', num: 500, den: 1, stock: '1250.5' })).toBe(2000)
  })
  it('is nothing when it is gone', () => {
    for (const stock of ['0', '0.000', '-3', 'nonsense']) expect(leftOf({ ...item, unit: 'piece', base_unit: 'piece', num: 1, den: 1, stock })).toBe(0)
  })
})

describe('the cart', () => {
  it('puts the same goods on one line', () => {
    const cart = add(add(emptyCart, bun, 1000), bun, 2000)
    expect(cart.lines.map((l) => l.thousandths)).toEqual([3000])
    expect(roughTotal(cart)).toBe(1050)
  })
  it('gives each weighing its own line', () => {
    const cart = add(add(emptyCart, apple, 250), apple, 480)
    expect(cart.lines.map((l) => l.thousandths)).toEqual([250, 480])
  })
  it('keeps a line of a named batch apart', () => {
    const named = change(add(emptyCart, bun, 1000), 1, { batch_id: '7' })
    expect(add(named, bun, 1000).lines).toHaveLength(2)
  })
  it('does not put goods at an old price and a new one on one line', () => {
    expect(add(add(emptyCart, bun, 1000), { ...bun, price_fen: 400 }, 1000).lines).toHaveLength(2)
  })
  it('drops a line at zero and moves on to its neighbour', () => {
    let cart = add(add(emptyCart, bun, 1000), apple, 500)
    cart = move(cart, -1)
    expect(cart.chosen).toBe(1)
    cart = step(cart, 1, -1)
    expect(cart.lines.map((l) => l.name)).toEqual(['apple'])
    expect(cart.chosen).toBe(2)
    expect(remove(cart, 2)).toMatchObject({ lines: [] })
  })
  it('comes back after a reload, or empty when what was kept is damaged', () => {
    const cart = add(emptyCart, bun, 2000)
    expect(revive(JSON.stringify(cart)).lines).toEqual(cart.lines)
    for (const bad of [null, '', '{', '[]', '{"lines":[{"product_id":1}]}', '{"lines":[{"product_id":"1","thousandths":-1,"price_fen":1}]}']) {
      expect(revive(bad)).toEqual(emptyCart)
    }
  })
})

describe('by money and by label', () => {
  const tea = { product_id: '7', name: 'tea', unit: 'kg', price_fen: 38000, weighed: true, by_money: true }
  it('reads an amount of money as people type it', () => {
    expect(readMoneyEntry('¥10')).toBe('10')
    expect(readMoneyEntry('10元')).toBe('10')
    expect(readMoneyEntry('12.50¥')).toBe('12.50')
    expect(readMoneyEntry('10')).toBeUndefined()
    expect(readMoneyEntry('¥')).toBeUndefined()
    expect(readMoneyEntry('¥1.234')).toBeUndefined()
  })
  it('keeps the amount of a line, sends it instead of a quantity, and never merges it', () => {
    let cart = add(emptyCart, tea, roughBuys(1000, 38000), { amount_fen: 1000 })
    cart = add(cart, tea, roughBuys(1000, 38000), { amount_fen: 1000 })
    expect(cart.lines.length).toBe(2)
    expect(roughTotal(cart)).toBe(2000)
    expect(lineIn(cart.lines[0]!)).toEqual({ product_id: '7', unit: 'kg', amount_fen: 1000 })
    expect(step(cart, cart.lines[0]!.id, 1)).toBe(cart)
  })
  it('takes GS1 texts and addresses for codes', () => {
    for (const code of ['(01)06901234567892(17)270131', ']C10106901234567892', 'https://id.example.cn/01/6901234567892', '010690123456789210L1\x1d21SN7', '010690123456789210L1\u241d21SN7']) expect(looksLikeCode(code)).toBe(true)
    expect(looksLikeCode('(tea)')).toBe(false)
  })
})
