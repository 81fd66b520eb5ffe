import { Badge, client, defineText, must, useRead, useText, type SaleRow, type Tone } from '@kit'
import en from './en'
import zh from './zh'

export const salesText = defineText(zh, en)

/** A whole slip number ("S001-1-261123-0003"), as the server can find it. */
export const isSlipNo = (typed: string): boolean => /^\S+-\d{6}-\d+$/.test(typed.trim())

export type SaleState = 'paid' | 'awaiting_payment' | 'failed' | 'voided' | 'refunded' | 'part_refunded'

export function stateOf(sale: Pick<SaleRow, 'state' | 'refunded_fen' | 'total_fen'>): SaleState {
  if (sale.state === 'paid' && sale.refunded_fen > 0) return sale.refunded_fen >= sale.total_fen ? 'refunded' : 'part_refunded'
  return sale.state
}

const tones: Record<SaleState, Tone> = { paid: 'green', awaiting_payment: 'amber', failed: 'plain', voided: 'plain', refunded: 'plain', part_refunded: 'amber' }

export function SaleBadge(props: { sale: Pick<SaleRow, 'state' | 'refunded_fen' | 'total_fen'> }) {
  const t = useText(salesText)
  const state = stateOf(props.sale)
  return <Badge tone={tones[state]}>{t(`state_${state}`)}</Badge>
}

/** A site's business day from the ledger; without a date, today's. */
export const useDay = (site: string | undefined, date: string | undefined, options: { skip?: boolean } = {}) =>
  useRead(['sales', 'day', site, date], (signal) => must(client.GET('/api/sales/day', { params: { query: { site_id: site ?? '', ...(date ? { date } : {}) } }, signal })), { skip: !site || Boolean(options.skip) })
