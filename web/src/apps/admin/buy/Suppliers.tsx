import { Badge, client, DataTable, Empty, FilterBar, must, PageHead, useCan, useFilters, useFormat, useListing, useText, type Column, LinkButton } from '@kit'
import { Link } from 'react-router-dom'
import { BuyTabs, type Supplier } from './shared'
import { buyText } from './text'

export default function Suppliers() {
  const t = useText(buyText)
  const f = useFormat()
  const can = useCan()
  const [{ q }] = useFilters()
  const rows = useListing(['suppliers', 'list', q], (after, signal) => must(client.GET('/api/suppliers', { params: { query: { limit: 50, ...(q ? { q } : {}), ...(after ? { after } : {}) } }, signal })))
  const columns: Column<Supplier>[] = [
    { key: 'name', head: t('name'), cell: (s) => <>{s.name} <span className="zg-note">{s.code}</span></>, by: (s) => s.name },
    { key: 'contact', head: t('contact'), cell: (s) => [s.contact, s.phone].filter(Boolean).join(' · '), by: (s) => s.contact },
    { key: 'products', head: t('products_n'), right: true, cell: (s) => f.number(s.products), by: (s) => s.products },
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
