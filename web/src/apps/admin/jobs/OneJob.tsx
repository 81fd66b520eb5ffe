import { client, Facts, must, PageHead, ProblemBox, Sheet, SkeletonLines, Strip, usePageTitle, useFormat, useRead, useText } from '@kit'
import { useParams } from 'react-router-dom'
import { isOver, JobProgress, jobsText, JobState, seconds, useJobName } from './job'

export default function OneJob() {
  const { id = '' } = useParams()
  const t = useText(jobsText)
  const f = useFormat()
  const name = useJobName()
  const read = useRead(['jobs', 'one', id], () => must(client.GET('/api/jobs/{id}', { params: { path: { id } } })), { every: 1000 })
  const job = read.data
  usePageTitle(job && name(job.kind))
  if (!job) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={5} />
  const took = seconds(job.started_at, job.ended_at)
  const time = (at: string | undefined) => at && <span title={f.exact(at)}>{f.when(at)}</span>
  return (
    <>
      <PageHead title={name(job.kind)} back={{ to: '/jobs', label: t('back') }} note={<JobState job={job} />} />
      <div className="zg-stack">
        <Sheet><JobProgress job={job} label={isOver(job) ? t('progress') : name(job.kind)} /></Sheet>
        {job.error && (
          <Sheet title={t('error')} note={t('failed_note')}><Strip tone="red"><span className="zg-mono">{job.error}</span></Strip></Sheet>
        )}
        <Sheet>
          <Facts facts={[
            [t('created'), time(job.created_at)],
            job.started_at ? [t('started'), time(job.started_at)] : [t('run_at'), time(job.run_at)],
            Boolean(job.ended_at) && [t('ended'), time(job.ended_at)],
            took !== undefined && [t('took'), f.duration(took)],
            [t('tries'), f.number(job.tries)],
          ]} />
        </Sheet>
      </div>
    </>
  )
}
