import { client, must, useCan, useFormat, useRead, useText, type Tone } from '@kit'
import { useJobName } from '../jobs/job'
import { todayText } from './text'

export interface Exception {
  key: string
  tone: Tone
  words: string
  to: string
}

const day = 24 * 3_600_000
const since = (at: string) => Date.now() - Date.parse(at)

/** What needs a decision, the worst first. `ready` only when everything has been looked at. */
export function useExceptions(site: string | undefined): { list: Exception[]; ready: boolean } {
  const t = useText(todayText)
  const f = useFormat()
  const can = useCan()
  const jobName = useJobName()
  const checks = useRead(['checks', 'today'], (signal) => must(client.GET('/api/checks', { signal })), { skip: !can('check.read') })
  const jobs = useRead(['jobs', 'failed'], (signal) => must(client.GET('/api/jobs', { params: { query: { state: 'failed', limit: 10 } }, signal })), { skip: !can('jobs.read') })
  const imports = useRead(['imports', 'today'], (signal) => must(client.GET('/api/imports', { params: { query: { limit: 20 } }, signal })), { skip: !can('import.run') })
  const forecast = useRead(['forecasts', 'head', site, undefined], (signal) => must(client.GET('/api/forecasts', { params: { query: { site_id: site ?? '', limit: 1 } }, signal })), { skip: !can('forecast.read') || !site })
  const plan = useRead(['plan', 'today', site], (signal) => must(client.GET('/api/plans/today', { params: { query: { site_id: site ?? '' } }, signal })), { skip: !can('plan.read') || !site })
  const board = useRead(['report', 'board', site], (signal) => must(client.GET('/api/report/board', { params: { query: { site_id: site ?? '' } }, signal })), { skip: !can('report.read') || !site, every: 5_000 })

  const drift = useRead(['forecasts', 'drift', site], (signal) => must(client.GET('/api/forecasts/drift', { params: { query: { site_id: site ?? '' } }, signal })), { skip: !can('forecast.read') || !site })

  const red: Exception[] = []
  const amber: Exception[] = []
  const bad = checks.data?.proofs.filter((p) => p.bad > 0).length ?? 0
  if (bad > 0) red.push({ key: 'check', tone: 'red', words: t('check_red', { n: bad }), to: '/checks' })
  else if (checks.data?.at && since(checks.data.at) > 1.5 * day) amber.push({ key: 'check', tone: 'amber', words: t('check_old', { span: f.duration(since(checks.data.at) / 1000) }), to: '/checks' })
  for (const job of jobs.data?.items ?? []) {
    if (since(job.ended_at ?? job.created_at) < day) red.push({ key: job.id, tone: 'red', words: t('job_failed', { name: jobName(job.kind), at: f.when(job.ended_at ?? job.created_at) }), to: `/jobs/${job.id}` })
  }
  for (const i of imports.data?.items ?? []) {
    const at = f.when(i.ended_at ?? i.created_at)
    if (since(i.created_at) > 3 * day || i.dry_run) continue
    if (i.state === 'failed') red.push({ key: i.id, tone: 'red', words: t('import_failed', { file: i.file_name, at }), to: `/imports/${i.id}` })
    else if (i.rows_refused > 0 && i.ended_at) amber.push({ key: i.id, tone: 'amber', words: t('import_refused', { file: i.file_name, n: i.rows_refused, at }), to: `/imports/${i.id}` })
    else if (i.state === 'ready') amber.push({ key: i.id, tone: 'amber', words: t('import_waiting', { file: i.file_name, at }), to: `/imports/${i.id}` })
  }
  const open = plan.data?.plan ? plan.data.plan.rounds_open + plan.data.plan.proposals_open : 0
  if (open > 0) amber.push({ key: 'plan', tone: 'amber', words: t('plan_open', { n: open }), to: `/day?site=${site}` })
  const of = (kind: string) => board.data?.alarms?.filter((a) => a.kind === kind).length ?? 0
  if (of('expired') > 0) red.push({ key: 'expired', tone: 'red', words: t('expired', { n: of('expired') }), to: `/stock/batches?site=${site}` })
  if (of('sold_out') > 0) red.push({ key: 'sold_out', tone: 'red', words: t('sold_out', { n: of('sold_out') }), to: `/stock?site=${site}` })
  if (of('round_late') > 0) red.push({ key: 'rounds_late', tone: 'red', words: t('rounds_late', { n: of('round_late') }), to: `/day?site=${site}` })
  if (of('expires_soon') > 0) amber.push({ key: 'expires_soon', tone: 'amber', words: t('expires_soon', { n: of('expires_soon') }), to: `/stock/batches?site=${site}` })
  if ((board.data?.total.cut ?? 0) > 0) amber.push({ key: 'cut', tone: 'amber', words: t('cut', { n: board.data?.total.cut ?? 0 }), to: '/' })
  const head = forecast.data
  if (head?.made_at) {
    const blind = (Date.parse(head.made_at.slice(0, 10)) - Date.parse(head.data_until)) / day
    if (since(head.made_at) > 1.5 * day) amber.push({ key: 'forecast', tone: 'amber', words: t('forecast_stale', { span: f.duration(since(head.made_at) / 1000) }), to: '/plan' })
    else if (blind > 2) amber.push({ key: 'forecast', tone: 'amber', words: t('forecast_blind', { date: f.date(head.data_until) }), to: '/plan' })
  }
  const off = drift.data?.items ?? []
  if (off[0]) amber.push({ key: 'drift', tone: 'amber', words: t(`drift_${off[0].kind}`, { name: off[0].name, n: off.length }), to: `/plan/accuracy?site=${site}` })
  const settled = (r: { data: unknown; problem: unknown }, wanted: boolean) => !wanted || r.data !== undefined || r.problem !== undefined
  const ready = settled(checks, can('check.read')) && settled(jobs, can('jobs.read')) && settled(imports, can('import.run')) && settled(forecast, can('forecast.read') && Boolean(site))
  return { list: [...red, ...amber], ready }
}
