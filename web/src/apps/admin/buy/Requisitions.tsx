import { Badge, client, DataTable, Empty, FilterBar, must, PageHead, useFilters, useFormat, useListing, useSession, useText, type Column } from '@kit'
import { BuyTabs, type StoreRequisition } from './shared'
import { buyText } from './text'

export default function Requisitions() {
  const t = useText(buyText)
  const f = useFormat()
  const { me } = useSession()
  const [filter] = useFilters()
  const { site, source, due } = filter
  const state = (['confirmed', 'closed'] as const).find((s) => s === filter['state'])
  const sites = me.sites.map((s) => ({ value: s.id, label: s.name }))
  const rows = useListing(['plan', 'requisitions', filter], (after, signal) => must(client.GET('/api/requisitions', { params: { query: { limit: 50, ...(site ? { site_id: site } : {}), ...(source ? { source_id: source } : {}), ...(due ? { due } : {}), ...(state ? { state } : {}), ...(after ? { after } : {}) } }, signal })))
  const columns: Column<StoreRequisition>[] = [
    { key: 'no', head: t('no'), cell: (r) => r.no, by: (r) => r.no },
    { key: 'site', head: t('asks'), cell: (r) => r.site_name, by: (r) => r.site_name },
    { key: 'source', head: t('asked'), cell: (r) => r.source_name, by: (r) => r.source_name },
    { key: 'due', head: t('due'), cell: (r) => f.day(r.due), by: (r) => r.due },
    { key: 'lines', head: t('lines_n'), right: true, cell: (r) => r.line_count, by: (r) => r.line_count },
    { key: 'state', head: t('state'), cell: (r) => <Badge tone={r.state === 'confirmed' ? 'amber' : 'green'}>{r.state === 'confirmed' ? t('req_open') : t('closed')}</Badge>, by: (r) => r.state },
  ]
  return (
    <>
      <PageHead title={t('requisitions')} />
      <BuyTabs />
      <FilterBar filters={[{ kind: 'choice', name: 'state', label: t('state'), options: [{ value: 'confirmed', label: t('req_open') }, { value: 'closed', label: t('closed') }] }, { kind: 'choice', name: 'site', label: t('asks'), options: sites }, { kind: 'choice', name: 'source', label: t('asked'), options: sites }, { kind: 'date', name: 'due', label: t('due') }]} />
      <DataTable label={t('requisitions')} rows={rows} columns={columns} rowKey={(r) => r.id} to={(r) => `/buy/requisitions/${r.id}`} empty={<Empty title={t('none_req_title')}>{t('none_req')}</Empty>} />
    </>
  )
}
