import { ClockCircleOutlined, SyncOutlined } from '@ant-design/icons'
import { Badge, defineText, Progress, useText, type Job } from '@kit'
import en from './en'
import zh from './zh'

export const jobsText = defineText(zh, en)

/** What a kind of job is called; kinds of other packages show their own name. */
export function useJobName(): (kind: string) => string {
  const t = useText(jobsText)
  return (kind) => {
    const key = [`kind_${kind}`, `kind_${kind.split('.')[0]}`].find((k) => k in zh)
    return key ? t(key as 'kind_check') : kind
  }
}

export function JobState(props: { job: Pick<Job, 'state' | 'stopping'> }) {
  const t = useText(jobsText)
  if (props.job.stopping) return <Badge tone="amber">{t('stopping')}</Badge>
  switch (props.job.state) {
    case 'done': return <Badge tone="green">{t('state_done')}</Badge>
    case 'failed': return <Badge tone="red">{t('state_failed')}</Badge>
    case 'running': return <Badge icon={<SyncOutlined spin aria-hidden />}>{t('state_running')}</Badge>
    case 'cancelled': return <Badge>{t('state_cancelled')}</Badge>
    default: return <Badge icon={<ClockCircleOutlined aria-hidden />}>{t('state_waiting')}</Badge>
  }
}

export function JobProgress(props: { job: Job; label?: string }) {
  const name = useJobName()
  const { job } = props
  return <Progress label={props.label ?? name(job.kind)} done={job.done} total={job.total} state={job.state === 'done' ? 'done' : job.state === 'failed' ? 'failed' : 'running'} note={job.note} />
}

export const isOver = (job: Pick<Job, 'state'>): boolean => ['done', 'failed', 'cancelled'].includes(job.state)

export function seconds(from: string | undefined, to: string | undefined): number | undefined {
  return from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : undefined
}
