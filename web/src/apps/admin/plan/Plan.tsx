import { act, client, DataTable, Empty, FilterBar, must, PageHead, ProblemBox, Sheet, SitePick, Spark, Strip, useAct, useCan, useFilters, useFormat, useListing, useRead, useSite, useText, type Column, type ForecastLine } from '@kit'
import { Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { isOver, JobProgress } from '../jobs/job'
import { gain, planText, PlanTabs } from './shared'

const daysBetween = (a: string, b: string) => Math.round((Date.parse(b) - Date.parse(a)) / 86_400_000)

/** Made long ago, or blind to recent sales: said before anybody orders by it. */
export function Freshness(props: { madeAt: string; dataUntil: string }) {
  const t = useText(planText)
  const f = useFormat()
  const age = (Date.now() - Date.parse(props.madeAt)) / 1000
  const blind = daysBetween(props.dataUntil, props.madeAt.slice(0, 10))
  if (age > 36 * 3600) return <Strip tone="amber">{t('stale', { span: f.duration(age) })}</Strip>
  if (blind > 2) return <Strip tone="amber">{t('data_old', { date: f.date(props.dataUntil) })}</Strip>
  return null
}

export default function Plan() {
  const t = useText(planText)
  const f = useFormat()
  const can = useCan()
  const place = useSite(['store'])
  const site = place.site?.id
  const [filter] = useFilters()
  const { q } = filter
  const [job, setJob] = useState<string>()
  const head = useRead(['forecasts', 'head', site, q], (signal) => must(client.GET('/api/forecasts', { params: { query: { site_id: site ?? '', limit: 1, ...(q ? { q } : {}) } }, signal })), { skip: !site })
  const lines = useListing(['forecasts', 'list', site, q], (after, signal) =>
    must(client.GET('/api/forecasts', { params: { query: { site_id: site ?? '', limit: 100, ...(q ? { q } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const run = useAct(() => act(['run forecasts', site, Math.floor(Date.now() / 60_000)], (header) => client.POST('/api/forecasts/run', { params: { header }, body: site ? { site_id: site } : {} })), ['jobs'])
  const first = lines.rows[0]?.days[0]?.date
  const columns: Column<ForecastLine>[] = [
    { key: 'name', head: t('product'), cell: (l) => <>{l.name} <span className="zg-note">{l.code}</span></>, by: (l) => l.name },
    { key: 'spark', head: t('days14'), cell: (l) => <Spark values={l.days.map((d) => Number(d.override ?? d.mean))} label={t('spark', { name: l.name })} width={140} />, wide: true },
    { key: 'next', head: first ? f.day(first) : t('mean'), right: true, cell: (l) => f.number(Number(l.days[0]?.override ?? l.days[0]?.mean ?? 0), 1), by: (l) => Number(l.days[0]?.mean ?? 0) },
    { key: 'sum', head: t('sum'), right: true, cell: (l) => <b>{f.number(Number(l.sum), 1)} <span className="zg-unit">{f.unit(l.unit)}</span></b>, by: (l) => Number(l.sum) },
    { key: 'wape', head: t('error'), unit: '%', right: true, cell: (l) => (l.wape === null ? '' : f.number(l.wape * 100, 1)), by: (l) => l.wape ?? 9 },
    { key: 'naive', head: t('last_week'), unit: '%', right: true, cell: (l) => (l.wape_snaive === null ? '' : f.number(l.wape_snaive * 100, 1)), by: (l) => l.wape_snaive ?? 9, wide: true },
    { key: 'gain', head: t('gain'), cell: (l) => {
      const g = gain(l)
      return g === undefined ? '' : <span className={g >= 0 ? 'zg-good' : 'zg-bad'}>{g >= 0 ? `▲ ${t('better', { pct: f.percent(g, 0) })}` : `▼ ${t('worse', { pct: f.percent(-g, 0) })}`}</span>
    }, by: (l) => gain(l) ?? -9 },
  ]
  return (
    <>
      <PageHead title={t('title')} note={head.data?.made_at && <>{t('made', { at: f.when(head.data.made_at) })} · {t('data_until', { date: f.date(head.data.data_until) })}</>}>
        <SitePick {...place} />
        {can('forecast.run') && site && <Button type="primary" loading={run.busy} onClick={() => void run.run(undefined).then((j) => j && setJob(j.id))}>{t('run')}</Button>}
      </PageHead>
      <PlanTabs />
      <div className="zg-stack">
        {run.problem && <ProblemBox problem={run.problem} />}
        {job && <RunningJob id={job} over={() => { setJob(undefined); lines.again(); head.again() }} />}
        {head.data?.made_at && <Freshness madeAt={head.data.made_at} dataUntil={head.data.data_until} />}
        <div>
          <FilterBar filters={[{ kind: 'search', name: 'q', label: t('search') }]} />
          <DataTable label={t('title')} rows={lines} columns={columns} rowKey={(l) => l.product_id} to={(l) => `/plan/${site}/${l.product_id}`}
            empty={q ? <Empty title={t('none_title')}>{t('none')}</Empty> : <Empty title={t('empty_title')} action={can('import.run') && <Link to="/imports?kind=sales">{t('to_import')}</Link>}>{t('empty')}</Empty>} />
        </div>
      </div>
    </>
  )
}

function RunningJob(props: { id: string; over: () => void }) {
  const t = useText(planText)
  const read = useRead(['jobs', 'one', props.id], async (signal) => {
    const job = await must(client.GET('/api/jobs/{id}', { params: { path: { id: props.id } }, signal }))
    if (isOver(job) && job.state !== 'failed') setTimeout(props.over)
    return job
  }, { every: 1000 })
  if (read.problem) return <ProblemBox problem={read.problem} again={read.again} />
  if (!read.data) return null
  return <Sheet>{read.data.state === 'failed' && <Strip tone="red">{read.data.error}</Strip>}<JobProgress job={read.data} label={t('running')} /></Sheet>
}
