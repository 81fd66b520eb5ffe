import type { Sale } from '@kit/api'
import { parseQty } from './quantity'

/** A bundle on a slip, as far as it can come back whole. Quantities are thousandths. */
export interface WholeBundle {
  no: number
  name: string
  unit: string
  first: number // index of its first line
  parts: { line: number; per: number }[] // what one bundle has of each line
}

/** The bundles of a slip. One whose parts can't be counted for a single one comes back by its parts only. */
export function bundlesOf(sale: Pick<Sale, 'lines' | 'bundles'>): WholeBundle[] {
  return sale.bundles.flatMap((b) => {
    const sold = parseQty(b.qty) ?? 0
    const first = sale.lines.findIndex((l) => l.line_no === b.first_line)
    const parts = sale.lines.slice(first, first + b.line_count).map((l, i) => ({ line: first + i, per: ((parseQty(l.qty) ?? 0) * 1000) / sold }))
    return first < 0 || sold < 1000 || parts.some((p) => !Number.isInteger(p.per) || p.per <= 0) ? [] : [{ no: b.bundle_no, name: b.name, unit: b.unit, first, parts }]
  })
}

/** How many whole bundles there are in these quantities of the lines. */
export const wholeIn = (b: WholeBundle, lines: readonly number[]): number => Math.max(0, Math.min(...b.parts.map((p) => Math.floor((lines[p.line] ?? 0) / p.per))))

/** The quantities of the lines with so many bundles whole; what is chosen of single parts besides stays, as far as it is there. */
export function withWhole(b: WholeBundle, count: number, chosen: readonly number[], left: readonly number[]): number[] {
  const n = Math.max(0, Math.min(count, wholeIn(b, left)))
  const now = wholeIn(b, chosen)
  const next = [...chosen]
  for (const p of b.parts) next[p.line] = Math.min(left[p.line] ?? 0, n * p.per + (chosen[p.line] ?? 0) - now * p.per)
  return next
}
