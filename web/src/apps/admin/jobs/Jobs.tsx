import { client, DataTable, Empty, FilterBar, must, PageHead, useFilters, useFormat, useListing, useText, type Column, type Job } from '@kit'
import { isOver, jobsText, JobState, seconds, useJobName } from './job'

const states = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const

export default function Jobs() {
  const t = useText(jobsText)
  const f = useFormat()
  const name = useJobName()
  const [filter] = useFilters()
  const state = states.find((s) => s === filter['state'])
  const jobs = useListing(['jobs', 'list', state], (after, signal) =>
    must(client.GET('/api/jobs', { params: { query: { limit: 50, ...(state ? { state } : {}), ...(after ? { after } : {}) } }, signal })), { every: 5000 })

  const columns: Column<Job>[] = [
    { key: 'kind', head: t('kind'), cell: (j) => name(j.kind) },
    { key: 'state', head: t('state'), cell: (j) => <JobState job={j} /> },
    { key: 'progress', head: t('progress'), right: true, cell: (j) => (j.total > 0 && !isOver(j) ? `${f.number(j.done)} / ${f.number(j.total)}` : j.total > 0 ? f.number(j.done) : '') },
    { key: 'queued', head: t('queued'), cell: (j) => <span title={f.exact(j.created_at)}>{f.when(j.created_at)}</span> },
    { key: 'took', head: t('took'), right: true, cell: (j) => {
      const s = seconds(j.started_at, j.ended_at)
      return s === undefined ? '' : f.duration(s)
    } },
    { key: 'note', head: t('note_head'), wide: true, cell: (j) => <span className="zg-note">{j.error || j.note}</span> },
  ]
  return (
    <>
      <PageHead title={t('title')} note={t('note')} />
      <FilterBar filters={[{ kind: 'choice', name: 'state', label: t('state'), options: states.map((s) => ({ value: s, label: t(`state_${s}`) })) }]} />
      <DataTable label={t('title')} rows={jobs} columns={columns} rowKey={(j) => j.id} to={(j) => `/jobs/${j.id}`}
        empty={state ? <Empty title={t('none_match')}>{t('none_match_note')}</Empty> : <Empty title={t('empty_title')}>{t('empty')}</Empty>} />
    </>
  )
}
