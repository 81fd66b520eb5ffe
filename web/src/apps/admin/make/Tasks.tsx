import { Badge, client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useFilters, useFormat, useListing, useSite, useText, type Column } from '@kit'
import { MakeTabs, type MakingTask } from './shared'
import { makeText } from './text'

export default function Tasks() {
  const t = useText(makeText)
  const f = useFormat()
  const place = useSite()
  const site = place.site?.id
  const [{ date, state }] = useFilters()
  const rows = useListing(['produce', 'tasks', site, date, state], (after, signal) => must(client.GET('/api/making/tasks', { params: { query: { site_id: site ?? '', limit: 50, ...(date ? { date } : {}), ...(state === 'open' || state === 'done' ? { state } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const columns: Column<MakingTask>[] = [
    { key: 'product', head: t('product'), cell: (m) => m.product, by: (m) => m.product },
    { key: 'at', head: t('taken_at'), cell: (m) => <span title={f.exact(m.made_at)}>{f.at(m.made_at)}</span>, by: (m) => m.made_at },
    { key: 'planned', head: t('planned'), right: true, cell: (m) => f.qty({ qty: m.planned, unit: m.unit }), by: (m) => Number(m.planned) },
    { key: 'made', head: t('made'), right: true, cell: (m) => (m.output ? <b>{f.qty({ qty: m.output.qty, unit: m.unit })}</b> : ''), by: (m) => Number(m.output?.qty ?? 0) },
    { key: 'cost', head: t('material_cost'), unit: '¥', right: true, cell: (m) => f.money(m.cost_fen), by: (m) => m.cost_fen },
    { key: 'unit_cost', head: t('unit_cost'), unit: '¥', right: true, cell: (m) => (m.output && Number(m.output.qty) > 0 ? f.cost(Math.round((m.output.cost_fen * 10_000) / Number(m.output.qty))) : ''), by: (m) => (m.output && Number(m.output.qty) > 0 ? m.output.cost_fen / Number(m.output.qty) : 0), wide: true },
    { key: 'lost', head: t('lost'), unit: '¥', right: true, cell: (m) => (m.output && m.output.lost_fen > 0 ? <span className="zg-bad">{f.money(m.output.lost_fen)}</span> : ''), by: (m) => m.output?.lost_fen ?? 0 },
    { key: 'state', head: t('state'), cell: (m) => <Badge tone={m.state === 'done' ? 'green' : 'amber'}>{t(m.state)}</Badge>, by: (m) => m.state },
  ]
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} /></PageHead>
      <MakeTabs />
      <FilterBar filters={[{ kind: 'date', name: 'date', label: t('date') }, { kind: 'choice', name: 'state', label: t('state'), options: (['open', 'done'] as const).map((value) => ({ value, label: t(value) })) }]} />
      <DataTable label={t('tasks')} rows={rows} columns={columns} rowKey={(m) => m.id} to={(m) => `/make/${m.id}`} empty={<Empty title={t('none_title')}>{t('none')}</Empty>} />
    </>
  )
}
