import { client, DataTable, Empty, FilterBar, must, PageHead, useCan, useFilters, useFormat, useListing, useSession, useText, type Column, LinkButton } from '@kit'
import { Link } from 'react-router-dom'
import { BuyTabs, OrderState, type Order } from './shared'
import { buyText } from './text'

const states = ['proposed', 'confirmed', 'sent', 'part_received', 'received', 'closed'] as const

export default function Orders() {
  const t = useText(buyText)
  const f = useFormat()
  const can = useCan()
  const { me } = useSession()
  const [filter] = useFilters()
  const { q, site, due, open } = filter
  const state = states.find((s) => s === filter['state'])
  const rows = useListing(['purchase', 'list', filter], (after, signal) => must(client.GET('/api/purchase/orders', { params: { query: { limit: 50, ...(q ? { q } : {}), ...(site ? { site_id: site } : {}), ...(due ? { due } : {}), ...(state ? { state } : {}), ...(open ? { open: true } : {}), ...(after ? { after } : {}) } }, signal })))
  const columns: Column<Order>[] = [
    { key: 'no', head: t('no'), cell: (o) => o.no, by: (o) => o.no },
    { key: 'supplier', head: t('supplier'), cell: (o) => o.supplier_name, by: (o) => o.supplier_name },
    { key: 'site', head: t('site'), cell: (o) => o.site_name, by: (o) => o.site_name },
    { key: 'by', head: t('order_by'), cell: (o) => <>{f.date(o.order_by.slice(0, 10))} {o.order_by.slice(11)}</>, by: (o) => o.order_by, wide: true },
    { key: 'due', head: t('due'), cell: (o) => f.day(o.due), by: (o) => o.due },
    { key: 'lines', head: t('lines_n'), right: true, cell: (o) => o.line_count, by: (o) => o.line_count, wide: true },
    { key: 'amount', head: t('amount'), unit: '¥', right: true, cell: (o) => f.money(o.amount_fen), by: (o) => o.amount_fen },
    { key: 'received', head: t('received_amount'), unit: '¥', right: true, cell: (o) => (o.received_fen > 0 ? f.money(o.received_fen) : ''), by: (o) => o.received_fen },
    { key: 'state', head: t('state'), cell: (o) => <OrderState order={o} />, by: (o) => o.state },
  ]
  const filtered = Object.keys(filter).length > 0
  return (
    <>
      <PageHead title={t('orders')}>{can('purchase.manage') && <LinkButton primary to="/buy/new">{t('new_order')}</LinkButton>}</PageHead>
      <BuyTabs />
      <FilterBar filters={[{ kind: 'search', name: 'q', label: t('search') }, { kind: 'flag', name: 'open', label: t('open') }, { kind: 'choice', name: 'state', label: t('state'), options: states.map((value) => ({ value, label: t(value) })) },
        { kind: 'choice', name: 'site', label: t('site'), options: me.sites.map((s) => ({ value: s.id, label: s.name })) }, { kind: 'date', name: 'due', label: t('due') }]} />
      <DataTable label={t('orders')} rows={rows} columns={columns} rowKey={(o) => o.id} to={(o) => `/buy/${o.id}`} empty={filtered ? <Empty title={t('none_filtered')} /> : <Empty title={t('none_title')} action={can('plan.read') && <Link to="/day">{t('plan')}</Link>}>{t('none')}</Empty>} />
    </>
  )
}
