import { useFilters, useFormat, useSession, useText } from '@kit'
import type { components } from '@kit/api/schema'
import { materialText } from './text'

type S = components['schemas']
export type Aligned = S['ReportAlignedMaterial']
export type Figure = S['ReportAlignment']

/** The claim of the trade, as a share. */
export const claim = 0.98

const lengths = ['28', '7', '56'] as const

/** Which sites and which days, as the address says: `site`, and `days` or `from` and `to`. */
export function usePeriod() {
  const [filter] = useFilters()
  const { me } = useSession()
  const site = me.sites.find((s) => s.id === filter['at'])
  const days = Number(lengths.find((d) => d === filter['days']) ?? lengths[0])
  const query = filter['from'] && filter['to'] ? { from: filter['from'], to: filter['to'] } : {}
  return { site, sites: me.sites.filter((s) => s.kind !== 'office'), days, lengths, query: { ...query, ...(site ? { site_id: site.id } : {}) }, named: 'from' in query }
}

/** A date so many days before another. */
export function daysBefore(date: string, n: number): string {
  const d = new Date(`${date}T00:00:00Z`)
  d.setUTCDate(d.getUTCDate() - n)
  return d.toISOString().slice(0, 10)
}

/** How much more, or less, was bought than sold, in words. */
export function Off(props: { of: Pick<Aligned, 'off' | 'unit'> }) {
  const t = useText(materialText)
  const f = useFormat()
  const { off, unit } = props.of
  if (/^0(\.0*)?$/.test(off)) return <span className="zg-note">{t('even')}</span>
  return off.startsWith('-') ? <span className="zg-bad">{t('lacking', { qty: f.qty({ qty: off.slice(1), unit }) })}</span> : <>{t('surplus', { qty: f.qty({ qty: off, unit }) })}</>
}

export function Price(props: { of: Pick<Aligned, 'price_fen' | 'unit'> }) {
  const t = useText(materialText)
  const f = useFormat()
  const { price_fen, unit } = props.of
  if (price_fen === 0) return <>–</>
  return <>{f.yuan(price_fen)} <span className="zg-note">{t(unit === 'g' ? 'per_kg' : unit === 'ml' ? 'per_l' : 'per_piece')}</span></>
}
