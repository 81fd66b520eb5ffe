import { client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useFilters, useFormat, useListing, useSite, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { StockTabs, stockText } from './shared'

type Row = components['schemas']['StockLandedRow']

/** Freight, duty and other costs of bringing goods in, and where each went: to stock or to what had been sold. */
export default function LandedCosts() {
  const t = useText(stockText)
  const f = useFormat()
  const place = useSite()
  const [filter] = useFilters()
  const site = place.site?.id
  const { from, to } = filter
  const list = useListing(['stock', 'landed', site, from, to], (after, signal) => must(client.GET('/api/stock/landed-costs', { params: { query: { site_id: site ?? '', limit: 100, ...(from ? { from } : {}), ...(to ? { to } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const columns: Column<Row>[] = [
    { key: 'at', head: t('at'), cell: (r) => <span title={f.exact(r.made_at)}>{f.at(r.made_at)}</span> },
    { key: 'date', head: t('business_date'), cell: (r) => f.day(r.business_date), wide: true },
    { key: 'basis', head: t('landed_basis'), cell: (r) => t(`basis_${r.basis}`) },
    { key: 'ref', head: t('ref'), cell: (r) => [r.ref, r.note].filter(Boolean).join(' · ') },
    { key: 'charge', head: t('landed_charge'), unit: '¥', right: true, cell: (r) => <b>{f.money(r.charge_fen)}</b> },
    { key: 'stock', head: t('landed_stock'), unit: '¥', right: true, cell: (r) => f.money(r.stock_fen) },
    { key: 'sold', head: t('landed_sold'), unit: '¥', right: true, cell: (r) => f.money(r.sold_fen) },
    { key: 'staff', head: t('by_whom'), cell: (r) => r.staff, wide: true },
  ]
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} /></PageHead>
      <StockTabs />
      <FilterBar filters={[{ kind: 'date', name: 'from', label: t('from_day') }, { kind: 'date', name: 'to', label: t('to_day') }]} />
      <DataTable label={t('landed_costs')} rows={list} columns={columns} rowKey={(r) => r.id} to={(r) => `/stock/landed/${r.id}`} empty={<Empty title={t('landed_none_title')}>{t('landed_none')}</Empty>} />
    </>
  )
}
