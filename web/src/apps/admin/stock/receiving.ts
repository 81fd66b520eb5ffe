import { instantOf, ofThousandths, thousandths } from '@kit'

/** What came: so much of a batch, as it is typed. */
export interface Came {
  qty: string
  unit: string
  code: string
  made: string
  /** as the field has it: in the site's time, without offset */
  expires: string
}

export const nothing: Came = { qty: '', unit: '', code: '', made: '', expires: '' }

/** Thousandths of a quantity above zero; undefined when it is none. */
export function quantity(typed: string): number | undefined {
  const n = thousandths(typed)
  return Number.isNaN(n) || n <= 0 || n > 1e15 ? undefined : n
}

/** The part of a line that both ways of receiving share. */
export const batchOf = (c: Came, zone?: string) => ({
  qty: ofThousandths(thousandths(c.qty)), ...(c.unit ? { unit: c.unit } : {}), ...(c.code.trim() ? { code: c.code.trim() } : {}), ...(c.made ? { made_on: c.made } : {}),
  ...(c.expires ? { expires_at: instantOf(c.expires, zone) ?? c.expires } : {}),
})

/** "12.3456" yuan → 12345600 ten-thousandths of a fen; undefined when it is no price of at most six decimals. */
export function priceFen4(typed: string): bigint | undefined {
  const m = /^(\d{1,9})(?:\.(\d{0,6}))?$/.exec(typed.trim().replace(/[,\uff0c¥\uffe5\s]/g, '').replace('\u3002', '.'))
  return m ? BigInt(m[1]!) * 1_000_000n + BigInt((m[2] ?? '').padEnd(6, '0')) : undefined
}

/** What a quantity costs at a price, in fen, rounded half up once. */
export function amountOf(qty: string, price: string): number | undefined {
  const [n, fen4] = [quantity(qty), priceFen4(price)]
  return n === undefined || fen4 === undefined ? undefined : Number((BigInt(n) * fen4 * 2n + 10_000_000n) / 20_000_000n)
}

/** A line of an order: so many packs, and what that is in its base unit. */
interface Expected {
  unit: string
  pack_unit: string
  pack_qty: string
  packs: number
  qty: string
  open: string
}

/** How much more than expected came of a line, in thousandths of its base unit, below 0 less; undefined while something typed is no quantity. */
export function differs(line: Expected, parts: readonly Pick<Came, 'qty' | 'unit'>[]): number | undefined {
  let came = 0n
  for (const p of parts) {
    if (p.qty.trim() === '' || Number(p.qty) === 0) continue
    const n = quantity(p.qty)
    if (n === undefined) return undefined
    came += p.unit === line.unit ? BigInt(n) : (BigInt(n) * BigInt(thousandths(line.qty))) / (BigInt(line.packs) * BigInt(thousandths(line.pack_qty)))
  }
  return Number(came) - thousandths(line.open)
}
