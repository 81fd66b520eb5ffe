import { client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useFilters, useFormat, useListing, useSite, useText, type Column, type StockDocument } from '@kit'
import { documentKinds, StockTabs, stockText, useMovementWords } from './shared'

export default function Documents() {
  const t = useText(stockText)
  const f = useFormat()
  const place = useSite()
  const words = useMovementWords()
  const [filter] = useFilters()
  const site = place.site?.id
  const kind = documentKinds.find((k) => k === filter['kind'])
  const { from, to, cause } = filter
  const documents = useListing(['stock', 'documents', site, kind, from, to, cause], (after, signal) =>
    must(client.GET('/api/stock/documents', { params: { query: { site_id: site ?? '', limit: 100, ...(kind ? { kind } : {}), ...(from ? { from } : {}), ...(to ? { to } : {}), ...(cause ? { cause_id: cause } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const columns: Column<StockDocument>[] = [
    { key: 'kind', head: t('movement'), cell: (d) => words.document(d.kind) },
    { key: 'at', head: t('at'), cell: (d) => <span title={f.exact(d.made_at)}>{f.at(d.made_at)}</span> },
    { key: 'date', head: t('business_date'), cell: (d) => f.day(d.business_date), wide: true },
    { key: 'staff', head: t('by_whom'), cell: (d) => d.staff || t('system') },
    { key: 'note', head: t('note'), cell: (d) => [d.reason && words.reason(d.reason), d.ref, d.note].filter(Boolean).join(' · '), wide: true },
    { key: 'lines', head: t('lines'), right: true, cell: (d) => f.number(d.lines) },
    { key: 'value', head: t('value'), unit: '¥', right: true, cell: (d) => f.money(d.value_fen) },
  ]
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} /></PageHead>
      <StockTabs />
      <FilterBar filters={[{ kind: 'choice', name: 'kind', label: t('movement'), options: documentKinds.map((k) => ({ value: k, label: words.document(k) })) }, { kind: 'date', name: 'from', label: t('from_day') }, { kind: 'date', name: 'to', label: t('to_day') }]} />
      <DataTable label={t('documents')} rows={documents} columns={columns} rowKey={(d) => d.id} to={(d) => `/stock/documents/${d.id}`} empty={<Empty title={t('documents_empty_title')}>{t('documents_empty')}</Empty>} />
    </>
  )
}
