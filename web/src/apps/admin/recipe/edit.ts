import { percentOf, shareOf } from '../../../planning/shares'
import { quantityOf } from './tree'

export { percentOf, shareOf }

/** A component as it is typed: the loss in percent; unit '' until a product is chosen. */
export interface Part {
  key: number
  product_id: string
  label: string
  qty: string
  unit: string
  loss: string
  rule: 'markup' | 'yield'
  share: string
  least: string
  most: string
  options: Sub[]
}

/** A material that may stand in for a component, as it is typed: so much of it for so much of that; shares in percent. */
export interface Sub {
  key: number
  product_id: string
  label: string
  qty: string
  unit: string
  for_qty: string
  share: string
  least: string
  most: string
}

export const newSub = (key: number): Sub => ({ key, product_id: '', label: '', qty: '1', unit: '', for_qty: '1', share: '0', least: '0', most: '100' })

export const newPart = (key: number): Part => ({ key, product_id: '', label: '', qty: '', unit: '', loss: '3', rule: 'markup', share: '100', least: '0', most: '100', options: [] })

/** Nobody has begun this row: it is not sent. */
export const untouched = (p: Part): boolean => p.product_id === '' && p.qty.trim() === ''

/** A loss as typed, in percent with up to four decimals and below a hundred, as the server reads it; else nothing. */
export function lossOf(typed: string): string | undefined {
  const plain = typed.trim().replace(/\s*%$/, '')
  return /^\d{1,2}(\.\d{1,4})?$/.test(plain) ? `${plain}%` : undefined
}

/** What is wrong with the rows before they are sent, by field; the field names count the rows on the screen. */
export function faultsOf(parts: readonly Part[], says: { required: string; qty: string; loss: string; twice: string; none: string; share: string; whole: string }): Record<string, string> {
  const wrong: Record<string, string> = {}
  parts.forEach((p, n) => {
    if (untouched(p)) return
    if (p.product_id === '') wrong[`components[${n}].product_id`] = says.required
    else if (parts.slice(0, n).some((o) => o.product_id === p.product_id)) wrong[`components[${n}].product_id`] = says.twice
    if (quantityOf(p.qty) === undefined) wrong[`components[${n}].qty`] = p.qty.trim() === '' ? says.required : says.qty
    if (lossOf(p.loss) === undefined) wrong[`components[${n}].loss`] = says.loss
    if (p.options.length === 0) return
    const shares = (row: { share: string; least: string; most: string }, at: string) => {
      for (const field of ['share', 'least', 'most'] as const) if (shareOf(row[field]) === undefined) wrong[`${at}.${field}`] = says.share
    }
    shares(p, `components[${n}]`)
    p.options.forEach((o, k) => {
      const at = `components[${n}].options[${k}]`
      if (o.product_id === '') wrong[`${at}.product_id`] = says.required
      if (quantityOf(o.qty) === undefined) wrong[`${at}.qty`] = o.qty.trim() === '' ? says.required : says.qty
      if (quantityOf(o.for_qty) === undefined) wrong[`${at}.for_qty`] = o.for_qty.trim() === '' ? says.required : says.qty
      shares(o, at)
    })
    const rows = [p, ...p.options]
    if (rows.every((r) => shareOf(r.share) !== undefined) && Math.abs(rows.reduce((a, r) => a + Number(r.share.replace('%', '')), 0) - 100) > 1e-9) wrong[`components[${n}].share`] = says.whole
  })
  if (parts.every(untouched)) wrong['components'] = says.none
  return wrong
}

/** The server counts the rows that were sent, the screen all of them. */
export function rowOnScreen(field: string, parts: readonly Part[]): string {
  const sent = parts.flatMap((p, n) => (untouched(p) ? [] : [n]))
  return field.replace(/^components\[(\d+)\]/, (all, n: string) => (sent[Number(n)] === undefined ? all : `components[${sent[Number(n)]}]`))
}
