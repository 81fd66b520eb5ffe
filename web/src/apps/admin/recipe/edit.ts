import { quantityOf } from './tree'

/** A component as it is typed: the loss in percent; unit '' until a product is chosen. */
export interface Part {
  key: number
  product_id: string
  label: string
  qty: string
  unit: string
  loss: string
  rule: 'markup' | 'yield'
}

export const newPart = (key: number): Part => ({ key, product_id: '', label: '', qty: '', unit: '', loss: '3', rule: 'markup' })

/** Nobody has begun this row: it is not sent. */
export const untouched = (p: Part): boolean => p.product_id === '' && p.qty.trim() === ''

/** "0.035" → "3.5", exactly. */
export function percentOf(share: string): string {
  const [whole = '', frac = ''] = share.split('.')
  const digits = frac.padEnd(2, '0')
  const tail = digits.slice(2).replace(/0+$/, '')
  return `${(whole + digits.slice(0, 2)).replace(/^0+(?=\d)/, '')}${tail ? `.${tail}` : ''}`
}

/** A loss as typed, in percent with up to four decimals and below a hundred, as the server reads it; else nothing. */
export function lossOf(typed: string): string | undefined {
  const plain = typed.trim().replace(/\s*%$/, '')
  return /^\d{1,2}(\.\d{1,4})?$/.test(plain) ? `${plain}%` : undefined
}

/** What is wrong with the rows before they are sent, by field; the field names count the rows on the screen. */
export function faultsOf(parts: readonly Part[], says: { required: string; qty: string; loss: string; twice: string; none: string }): Record<string, string> {
  const wrong: Record<string, string> = {}
  parts.forEach((p, n) => {
    if (untouched(p)) return
    if (p.product_id === '') wrong[`components[${n}].product_id`] = says.required
    else if (parts.slice(0, n).some((o) => o.product_id === p.product_id)) wrong[`components[${n}].product_id`] = says.twice
    if (quantityOf(p.qty) === undefined) wrong[`components[${n}].qty`] = p.qty.trim() === '' ? says.required : says.qty
    if (lossOf(p.loss) === undefined) wrong[`components[${n}].loss`] = says.loss
  })
  if (parts.every(untouched)) wrong['components'] = says.none
  return wrong
}

/** The server counts the rows that were sent, the screen all of them. */
export function rowOnScreen(field: string, parts: readonly Part[]): string {
  const sent = parts.flatMap((p, n) => (untouched(p) ? [] : [n]))
  return field.replace(/^components\[(\d+)\]/, (all, n: string) => (sent[Number(n)] === undefined ? all : `components[${sent[Number(n)]}]`))
}
