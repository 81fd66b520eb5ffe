import { qtyText, roughAmount } from './quantity'

export interface Goods {
  product_id: string
  name: string
  unit: string
  price_fen: number
  weighed: boolean
  by_money?: boolean // the server sells it by an amount of money too
}

export interface CartLine extends Goods {
  id: number // within this cart
  thousandths: number
  amount_fen?: number // sold by money, or by a label with a price: the line costs exactly this
  batch_id?: string
  batch_code?: string
}

export interface Cart {
  lines: CartLine[]
  chosen?: number // id of the line that +, − and Delete act on
  next: number
}

export const emptyCart: Cart = { lines: [], next: 1 }
export const mostLines = 200

/** The same goods in the same unit go onto their line, those of a named batch onto its; what was weighed has its own. */
export function add(cart: Cart, goods: Goods, thousandths: number, more: Pick<CartLine, 'amount_fen' | 'batch_id' | 'batch_code'> = {}): Cart {
  const same = goods.weighed || more.amount_fen !== undefined ? undefined : cart.lines.find((l) => l.product_id === goods.product_id && l.unit === goods.unit && l.price_fen === goods.price_fen && l.batch_id === more.batch_id && l.amount_fen === undefined)
  if (same) return change(cart, same.id, { thousandths: same.thousandths + thousandths })
  if (cart.lines.length >= mostLines) return cart
  return { lines: [...cart.lines, { ...goods, ...more, id: cart.next, thousandths }], chosen: cart.next, next: cart.next + 1 }
}

/** Changes a line; a line at zero or below goes away. */
export function change(cart: Cart, id: number, what: Partial<Omit<CartLine, 'id'>>): Cart {
  const lines = cart.lines.map((l) => (l.id === id ? { ...l, ...what } : l))
  const changed = lines.find((l) => l.id === id)
  if (changed && changed.thousandths <= 0) return remove(cart, id)
  return { ...cart, lines, chosen: id }
}

export function step(cart: Cart, id: number, by: 1 | -1): Cart {
  const line = cart.lines.find((l) => l.id === id)
  return line && line.amount_fen === undefined ? change(cart, id, { thousandths: line.thousandths + by * 1000 }) : cart
}

export function remove(cart: Cart, id: number): Cart {
  const at = cart.lines.findIndex((l) => l.id === id)
  if (at < 0) return cart
  const lines = cart.lines.filter((l) => l.id !== id)
  const chosen = lines[Math.min(at, lines.length - 1)]?.id
  return { lines, next: cart.next, ...(chosen === undefined ? {} : { chosen }) }
}

export function move(cart: Cart, by: 1 | -1): Cart {
  const at = cart.lines.findIndex((l) => l.id === cart.chosen)
  const chosen = cart.lines[Math.max(0, Math.min(cart.lines.length - 1, at + by))]?.id
  return chosen === undefined ? cart : { ...cart, chosen }
}

export const lineIn = (l: CartLine) => ({
  product_id: l.product_id,
  unit: l.unit,
  ...(l.amount_fen === undefined ? { qty: qtyText(l.thousandths) } : { amount_fen: l.amount_fen }),
  ...(l.batch_id ? { batch_id: l.batch_id } : {}),
})

export const roughTotal = (cart: Cart): number => cart.lines.reduce((sum, l) => sum + (l.amount_fen ?? roughAmount(l.price_fen, l.thousandths)), 0)

/** What was kept by an earlier page; anything unreadable is an empty cart. */
export function revive(kept: string | null): Cart {
  if (!kept) return emptyCart
  try {
    const cart = JSON.parse(kept) as Cart
    const good = Array.isArray(cart.lines) && cart.lines.every((l) => typeof l.product_id === 'string' && Number.isInteger(l.thousandths) && l.thousandths > 0 && Number.isInteger(l.price_fen))
    return good ? { ...cart, next: Math.max(0, ...cart.lines.map((l) => l.id)) + 1 } : emptyCart
  } catch {
    return emptyCart
  }
}
