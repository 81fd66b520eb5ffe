import type { Batch, Product } from '@kit/api'
import { thousandths } from '@kit/format'

/** So much of a product, of a batch by name or of whatever expires first. */
export interface Line {
  product: Product
  batch?: Batch
  qty: string
  unit: string
}

export const goodQty = (typed: string): boolean => {
  const n = thousandths(typed)
  return !Number.isNaN(n) && n > 0 && n < 1e12
}

/** Thousandths of the base unit; undefined when the unit does not come to whole ones. */
function base(l: Line): number | undefined {
  const u = l.unit === l.product.base_unit ? { num: 1, den: 1 } : l.product.units.find((x) => x.name === l.unit)
  const n = u && goodQty(l.qty) ? thousandths(l.qty) * u.num / u.den : NaN
  return Number.isSafeInteger(n) ? n : undefined
}

/**
 * What goes in and what comes out in thousandths, where all of it is weighed or measured in one unit: it must be equal, and
 * what is missing is lost. Undefined where pieces are among it, or a quantity is not said yet.
 */
export function balance(ins: readonly Line[], outs: readonly Line[]): { unit: string; in: number; out: number; gap: number } | undefined {
  const unit = ins[0]?.product.base_unit
  if (unit === undefined || unit === 'piece' || outs.length === 0 || [...ins, ...outs].some((l) => l.product.base_unit !== unit)) return undefined
  const [went, came] = [ins, outs].map((side) => side.reduce<number | undefined>((sum, l) => { const n = base(l); return sum === undefined || n === undefined ? undefined : sum + n }, 0))
  return went === undefined || came === undefined ? undefined : { unit, in: went, out: came, gap: went - came }
}
