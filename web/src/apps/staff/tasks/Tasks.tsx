import { ClockCircleOutlined } from '@ant-design/icons'
import { Clock } from '@kit/Clock'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useCan } from '@kit/session'
import { useShopClock } from '@kit/shopClock'
import { useSite } from '@kit/site'
import { Empty, ProblemBox, SkeletonLines } from '@kit/states'
import { Link } from 'react-router-dom'
import { useToday } from '../today'
import { sources } from './sources'
import type { Task } from './task'
import { tasksText } from './text'

const soon = 30 * 60_000

/** All there is to do at the site, the most urgent first. */
export default function Tasks() {
  const t = useText(tasksText)
  const f = useFormat()
  const can = useCan()
  const { site } = useSite()
  const today = useToday(site?.id)
  const now = useShopClock()
  const read = sources.map((use) => use(site?.id))
  const tasks = read.flatMap((s) => s.tasks).sort((a, b) => urgency(a, now) - urgency(b, now))
  const problems = read.filter((s) => s.problem)
  const waiting = read.some((s) => s.loading) && tasks.length === 0
  return (
    <>
      <PageHead title={t('title')} note={today.data && <>{f.day(today.data.date)}{tasks.length > 0 && ` · ${t('count', { n: tasks.length })}`}</>}>{site && can('attendance.clock') && <Clock site={site.id} />}</PageHead>
      <div className="zg-stack">
        {problems[0] && <ProblemBox problem={problems[0].problem!} again={() => problems.forEach((s) => s.again())} />}
        {waiting ? <SkeletonLines lines={6} /> : tasks.length === 0 && problems.length === 0 ? <div className="zg-sheet"><Empty title={t('none_title')}>{t('none')}</Empty></div> : (
          <ul className="st-tasks">{tasks.map((task) => <Row key={task.key} task={task} now={now} />)}</ul>
        )}
      </div>
    </>
  )
}

/** Past its time first, then what is urgent, then by time; what has no time comes last. */
function urgency(task: Task, now: number): number {
  if (task.due) return Date.parse(task.due) - now
  return task.urgent ? 0 : Number.MAX_SAFE_INTEGER
}

function Row(props: { task: Task; now: number }) {
  const { task, now } = props
  const t = useText(tasksText)
  const f = useFormat()
  const left = task.due === undefined ? undefined : Date.parse(task.due) - now
  const tone = left === undefined ? (task.urgent ? 'red' : 'plain') : left < 0 ? 'red' : left < soon ? 'amber' : 'plain'
  return (
    <li className={`st-task st-${tone}`}>
      <div>
        <b>{task.title}</b>
        {left !== undefined && <span className="st-due"><ClockCircleOutlined aria-hidden /> {f.clock(task.due!)} · {left < 0 ? t('late_by', { span: f.duration(-left / 1000) }) : t('due_in', { span: f.duration(left / 1000) })}</span>}
        {task.note && <span className="zg-note">{task.note}</span>}
      </div>
      <Link className="st-act" to={task.to}>{task.act}</Link>
    </li>
  )
}
