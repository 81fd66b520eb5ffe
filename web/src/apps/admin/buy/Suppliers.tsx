import { Badge, client, DataTable, Empty, FilterBar, LinkButton, must, PageHead, useCan, useFilters, useFormat, useListing, useRead, useText, type Column } from '@kit'
import { useMemo } from 'react'
import { Link } from 'react-router-dom'
import { BuyTabs, type Supplier } from './shared'
import { buyText } from './text'

export default function Suppliers() {
  const t = useText(buyText)
  const f = useFormat()
  const can = useCan()
  const [{ q }] = useFilters()
  const rows = useListing(['suppliers', 'list', q], (after, signal) => must(client.GET('/api/suppliers', { params: { query: { limit: 50, ...(q ? { q } : {}), ...(after ? { after } : {}) } }, signal })))
  const kept = useRead(['suppliers', 'records'], () => must(client.GET('/api/suppliers/records', { params: { query: { limit: 200 } } })), { skip: !can('purchase.read') })
  const timely = useMemo(() => new Map((kept.data?.items ?? []).map((r) => [r.supplier_id, r.timely_lines / r.lines])), [kept.data])
  const columns: Column<Supplier>[] = [
    { key: 'name', head: t('name'), cell: (s) => <>{s.name} <span className="zg-note">{s.code}</span></>, by: (s) => s.name },
    { key: 'contact', head: t('contact'), cell: (s) => [s.contact, s.phone].filter(Boolean).join(' · '), by: (s) => s.contact },
    { key: 'products', head: t('products_n'), right: true, cell: (s) => f.number(s.products), by: (s) => s.products },
    { key: 'timely', head: t('record_timely'), right: true, cell: (s) => (timely.has(s.id) ? f.percent(timely.get(s.id) ?? 0) : '–'), by: (s) => timely.get(s.id) ?? -1 },
    { key: 'state', head: t('state'), cell: (s) => <Badge tone={s.state === 'active' ? 'green' : 'plain'}>{t(s.state)}</Badge>, by: (s) => s.state },
  ]
  return (
    <>
      <PageHead title={t('suppliers')}>{can('party.manage') && <LinkButton primary to="/buy/suppliers/new">{t('new_supplier')}</LinkButton>}</PageHead>
      <BuyTabs />
      <FilterBar filters={[{ kind: 'search', name: 'q', label: t('name') }]} />
      <DataTable label={t('suppliers')} rows={rows} columns={columns} rowKey={(s) => s.id} to={(s) => `/buy/suppliers/${s.id}`} empty={<Empty title={t('none_sup_title')} action={can('import.run') && <Link to="/imports?kind=suppliers">{t('suppliers')}</Link>}>{t('none_sup')}</Empty>} />
    </>
  )
}
