import { all, Badge, client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useFilters, useFormat, useRead, useSite, useText, type Column, type ProductMargin } from '@kit'
import { goodsText, GoodsTabs } from './shared'

type Row = { key: string; name: string; unit: boolean; qty: string; of: string; sales_fen: number; net_fen: number; cost_fen: number; margin_fen: number; id: string; agree: boolean }

/** Products, each followed by the ways in which it was sold. */
const rowsOf = (products: readonly ProductMargin[]): Row[] => products.flatMap((p) => [
  { ...p, key: p.product_id, id: p.product_id, unit: false, of: p.base_unit },
  ...p.units.map((u) => ({ ...u, key: `${p.product_id}/${u.unit}`, id: p.product_id, name: u.unit, unit: true, of: u.unit, agree: p.agree })),
])

export default function Margins() {
  const t = useText(goodsText)
  const f = useFormat()
  const place = useSite()
  const site = place.site?.id
  const [{ from, to }] = useFilters()
  const read = useRead(['sales', 'margins', site, from, to], (signal) =>
    must(client.GET('/api/sales/margins', { params: { query: { site_id: site ?? '', ...(from ? { from } : {}), ...(to ? { to } : {}) } }, signal })), { skip: !site })
  const m = read.data
  const columns: Column<Row>[] = [
    { key: 'name', head: t('name'), cell: (r) => (r.unit ? <span style={{ paddingLeft: 20 }} className="zg-note">{f.unit(r.name)}</span> : <b>{r.name}</b>) },
    { key: 'qty', head: t('sold_qty'), right: true, cell: (r) => f.qty({ qty: r.qty, unit: r.of }) },
    { key: 'sales', head: t('sales'), unit: '¥', right: true, cell: (r) => f.money(r.sales_fen), wide: true },
    { key: 'net', head: t('net'), unit: '¥', right: true, cell: (r) => f.money(r.net_fen) },
    { key: 'cost', head: t('cost'), unit: '¥', right: true, cell: (r) => f.money(r.cost_fen) },
    { key: 'margin', head: t('margin'), unit: '¥', right: true, cell: (r) => (r.unit ? f.money(r.margin_fen) : <b>{f.money(r.margin_fen)}</b>) },
    { key: 'share', head: t('margin_share'), unit: '%', right: true, cell: (r) => (r.net_fen ? ((r.margin_fen * 100) / r.net_fen).toFixed(1) : '–') },
  ]
  return (
    <>
      <PageHead title={t('margins')} {...(m ? { note: <Badge tone={m.agree ? 'green' : 'red'}>{m.agree ? t('margins_agree') : t('margins_differ')}</Badge> } : {})}><SitePick {...place} /></PageHead>
      <GoodsTabs />
      <p className="zg-note">{t('margins_note')}</p>
      <FilterBar filters={[{ kind: 'date', name: 'from', label: t('from_day') }, { kind: 'date', name: 'to', label: t('to_day') }]} />
      <DataTable label={t('margins')} rows={all(m && rowsOf(m.products), read)} columns={columns} rowKey={(r) => r.key} to={(r) => `/goods/${r.id}`} count={false}
        foot={m && m.products.length > 0 && <tr><td>{t('all_units')}</td><td /><td className="zg-num zg-col-wide">{f.money(m.total.sales_fen)}</td><td className="zg-num">{f.money(m.total.net_fen)}</td><td className="zg-num">{f.money(m.total.cost_fen)}</td><td className="zg-num"><b>{f.money(m.total.margin_fen)}</b></td><td /></tr>}
        empty={<Empty title={t('margins_empty')} />} />
    </>
  )
}
