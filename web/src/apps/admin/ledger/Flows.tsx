import { all, client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useFilters, useFormat, useRead, useSite, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { groupToday } from '../recipe/tree'
import { daysOf, LedgerTabs, useFlowName } from './shared'
import { ledgerText } from './text'

type Sum = components['schemas']['LedgerFlowSumView']

/** What went through revenue, tax, cost and loss of a site; each account opens into its days and documents. */
export default function Flows() {
  const t = useText(ledgerText)
  const f = useFormat()
  const place = useSite()
  const [filter] = useFilters()
  const named = useFlowName()
  const site = place.site?.id
  const { from, to } = daysOf(filter, groupToday())
  const sums = useRead(['ledger', 'flows', site, from, to], (signal) => must(client.GET('/api/ledger/flows', { params: { query: { site_id: site ?? '', from, to } }, signal })), { skip: !site })
  const columns: Column<Sum>[] = [
    { key: 'flow', head: t('flow'), cell: (s) => { const n = named(s.flow); return <><span className="zg-begins">{n.name}</span>{n.kind && <span className="zg-note"> {n.kind}</span>}</> }, by: (s) => named(s.flow).name },
    { key: 'in', head: t('went_in'), unit: '¥', right: true, cell: (s) => f.money(s.in_fen), by: (s) => s.in_fen },
    { key: 'out', head: t('went_out'), unit: '¥', right: true, cell: (s) => f.money(s.out_fen), by: (s) => s.out_fen },
    { key: 'net', head: t('net'), unit: '¥', right: true, cell: (s) => <b>{f.money(s.net_fen)}</b>, by: (s) => s.net_fen },
  ]
  return (
    <>
      <PageHead title={t('flows')} note={t('flows_note', { from: f.date(from), to: f.date(to) })}><SitePick {...place} /></PageHead>
      <LedgerTabs />
      <FilterBar filters={[{ kind: 'date', name: 'from', label: t('from') }, { kind: 'date', name: 'to', label: t('to') }]} />
      <DataTable label={t('flows')} rows={all(sums.data?.items, sums)} columns={columns} rowKey={(s) => s.flow} to={(s) => `/ledger/flows/${s.flow}?site=${site}&from=${from}&to=${to}`} empty={<Empty title={t('statement_empty_title')}>{t('statement_empty')}</Empty>} />
    </>
  )
}
