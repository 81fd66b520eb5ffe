import { act, client, must, type Sale } from '@kit/api'
import { sendable } from '@kit/gs1'

// What the till asks of the server beside selling (seller.ts) and pricing (quote.ts).

export const lookUp = (site: string, code: string) =>
  must(client.GET('/api/goods/lookup', { params: { query: { site_id: site, code: sendable(code) } } }))

export const saleById = (id: string): Promise<Sale> => must(client.GET('/api/till/sales/{id}', { params: { path: { id } } }))

export const askPayment = (id: string, turn: number): Promise<Sale> =>
  act(['ask', id, turn], (header) => client.POST('/api/till/sales/{id}/payments/ask', { params: { header, path: { id } } }))

/** What one of a unit costs now; a quote, for nobody else knows the price. */
export const priceOf = async (site: string, product: string, unit: string): Promise<number> => {
  const quote = await must(client.POST('/api/till/quotes', { body: { site_id: site, lines: [{ product_id: product, unit, qty: '1' }] } }))
  return quote.lines[0]?.price_fen ?? 0
}

/** Gives an open mobile payment up. What the customer still pays is given back by the server. */
export const cancelPayment = (id: string): Promise<Sale> =>
  act(['cancel', id], (header) => client.POST('/api/till/sales/{id}/payments/cancel', { params: { header, path: { id } } }))

export const voidSale = (id: string, reason: string): Promise<Sale> =>
  act(['void', id, reason], (header) => client.POST('/api/till/sales/{id}/void', { params: { header, path: { id } }, body: { reason } }))

export interface RefundIn {
  lines: { line_no: number; qty: string; back: 'stock' | 'discard' }[]
  reason: string
  tender: 'same' | 'cash'
  register: string // whose drawer gives the cash
}
/** `before`: what had been refunded, so that the same refund, wanted twice, is two acts. */
export const refundSale = (id: string, refund: RefundIn, before: number): Promise<Sale> =>
  act(['refund', id, refund, before], (header) => client.POST('/api/till/sales/{id}/refunds', { params: { header, path: { id } }, body: refund }))

/** Cash in place of what the payment company refused to give back. */
export const payOut = (id: string, register: string): Promise<Sale> =>
  act(['pay-out', id, register], (header) => client.POST('/api/till/sales/{id}/payments/pay-out', { params: { header, path: { id } }, body: { register } }))

/** What the payment company refused to give back and nobody has paid out yet. */
export const owedBack = (sale: Sale): number =>
  [...sale.tenders, ...sale.refunds.flatMap((r) => r.tenders)].reduce((sum, x: { state: string; amount_fen: number }) => sum + (x.state === 'refused' ? x.amount_fen : 0), 0)

/** What a slip is at, for words and colour. */
export type SaleState = 'paid' | 'awaiting_payment' | 'unknown' | 'failed' | 'voided' | 'refunded' | 'part_refunded'

export function stateOf(sale: Pick<Sale, 'state' | 'refunded_fen' | 'total_fen'> & { tenders?: Sale['tenders'] }): SaleState {
  // an open tender with a reason: the provider did not answer; without: it answered that the payer has yet to confirm
  if (sale.state === 'awaiting_payment') return sale.tenders?.some((tender) => tender.state === 'open' && tender.reason) ? 'unknown' : 'awaiting_payment'
  if (sale.state === 'paid' && sale.refunded_fen > 0) return sale.refunded_fen >= sale.total_fen ? 'refunded' : 'part_refunded'
  return sale.state
}

export const toneOf: Record<SaleState, 'green' | 'amber' | 'red' | 'plain'> = {
  paid: 'green', awaiting_payment: 'amber', unknown: 'red', failed: 'plain', voided: 'plain', refunded: 'plain', part_refunded: 'amber',
}
