import { Badge, client, DataTable, Empty, FilterBar, must, PageHead, Sheet, SitePick, useCan, useFilters, useFormat, useListing, useSite, useText, type Column, type Receipt, LinkButton } from '@kit'
import { Link } from 'react-router-dom'
import { OrderState, type Order } from '../buy/shared'
import { StockTabs, stockText } from './shared'

export function ReceiptBadge(props: { state: Receipt['state'] }) {
  const t = useText(stockText)
  return <Badge tone={props.state === 'received' ? 'green' : props.state === 'returned' ? 'red' : 'amber'}>{t(`receipt_${props.state}`)}</Badge>
}

/** What is expected at a site, and what has come in. */
export default function Receipts() {
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const place = useSite()
  const [filter] = useFilters()
  const site = place.site?.id ?? ''
  const { from, to, q } = filter
  const against = filter['against'] === 'order' ? 'order' : filter['against'] === 'nothing' ? 'nothing' : undefined
  const receipts = useListing(['stock', 'receipts', site, from, to, q, against], async (after, signal) => {
    // What is rare among many may need several looks: a request goes through a part of them only.
    for (let looks = 0, at = after; ; looks++) {
      const page = await must(client.GET('/api/receipts', { params: { query: { site_id: site, limit: 100, ...(against ? { against } : {}), ...(q ? { q } : {}), ...(from ? { from } : {}), ...(to ? { to } : {}), ...(at ? { after: at } : {}) } }, signal }))
      if (page.items.length > 0 || !page.next || looks === 20) return page
      at = page.next
    }
  }, { skip: !site })
  const columns: Column<Receipt>[] = [
    { key: 'state', head: t('state'), cell: (r) => <ReceiptBadge state={r.state} /> },
    { key: 'at', head: t('at'), cell: (r) => <span title={f.exact(r.made_at)}>{f.at(r.made_at)}</span> },
    { key: 'supplier', head: t('supplier'), cell: (r) => r.supplier || t('receipt_free') },
    { key: 'order', head: t('purchase_order'), cell: (r) => r.order_no, wide: true },
    { key: 'ref', head: t('ref'), cell: (r) => r.ref, wide: true },
    { key: 'staff', head: t('by_whom'), cell: (r) => r.staff, wide: true },
    { key: 'lines', head: t('lines'), right: true, cell: (r) => f.number(r.lines) },
    { key: 'value', head: t('receipt_value'), unit: '¥', right: true, cell: (r) => f.money(r.value_fen) },
    { key: 'landed', head: t('landed_costs'), unit: '¥', right: true, cell: (r) => (r.landed_fen ? f.money(r.landed_fen) : ''), wide: true },
    { key: 'claim', head: t('receipt_claim'), unit: '¥', right: true, cell: (r) => (r.claim_fen ? f.money(r.claim_fen) : ''), wide: true },
  ]
  const filtered = Boolean(from ?? to ?? q ?? against)
  return (
    <>
      <PageHead title={t('title')}>
        {can('stock.manage') && <LinkButton primary to={`/stock/receipts/new?site=${site}`}>{t('receive_free')}</LinkButton>}
        <SitePick {...place} />
      </PageHead>
      <StockTabs />
      <div className="zg-stack">
        {can('purchase.read') && site && <Expected site={site} />}
        <FilterBar filters={[{ kind: 'search', name: 'q', label: t('receipt_search') }, { kind: 'choice', name: 'against', label: t('purchase_order'), options: [{ value: 'order', label: t('against_order') }, { value: 'nothing', label: t('receipt_free') }] }, { kind: 'date', name: 'from', label: t('from_day') }, { kind: 'date', name: 'to', label: t('to_day') }]} />
        <DataTable label={t('receipts')} rows={receipts} columns={columns} rowKey={(r) => r.id} to={(r) => `/stock/receipts/${r.id}`} empty={filtered ? <Empty title={t('none_title')}>{t('none')}</Empty> : <Empty title={t('receipts_empty_title')}>{t('receipts_empty')}</Empty>} />
      </div>
    </>
  )
}

/** The orders of which goods are still to come; one is received from here. */
function Expected(props: { site: string }) {
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const orders = useListing(['purchase', 'expected', props.site], (after, signal) =>
    must(client.GET('/api/purchase/orders', { params: { query: { site_id: props.site, open: true, limit: 50, ...(after ? { after } : {}) } }, signal })))
  if (!orders.loading && !orders.problem && orders.rows.length === 0) return <p className="zg-note">{t('expected_none')}</p>
  const columns: Column<Order>[] = [
    { key: 'no', head: t('purchase_order'), cell: (o) => o.no, by: (o) => o.no },
    { key: 'supplier', head: t('supplier'), cell: (o) => o.supplier_name, by: (o) => o.supplier_name },
    { key: 'due', head: t('arrives'), cell: (o) => f.day(o.due), by: (o) => o.due },
    { key: 'state', head: t('state'), cell: (o) => <OrderState order={o} />, by: (o) => o.state },
    { key: 'amount', head: t('value'), unit: '¥', right: true, cell: (o) => f.money(o.amount_fen), by: (o) => o.amount_fen },
    { key: 'came', head: t('came'), unit: '¥', right: true, cell: (o) => (o.received_fen ? f.money(o.received_fen) : ''), wide: true },
    ...(can('stock.manage') ? [{ key: 'act', head: '', right: true, cell: (o: Order) => <Link to={`/stock/receipts/new?site=${props.site}&order=${o.id}`} onClick={(e) => e.stopPropagation()}>{t('receive_it')}</Link> }] : []),
  ]
  return <Sheet title={t('expected')} note={t('expected_note')} flush><DataTable label={t('expected')} rows={orders} columns={columns} rowKey={(o) => o.id} to={(o) => `/buy/${o.id}`} empty={null} /></Sheet>
}
