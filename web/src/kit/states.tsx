import { CheckCircleFilled, CloseCircleFilled, DisconnectOutlined, ExclamationCircleFilled, InfoCircleFilled } from '@ant-design/icons'
import { Button } from 'antd'
import { Component, useEffect, useState, type ErrorInfo, type ReactNode } from 'react'
import type { Problem } from './api'
import { useText } from './i18n'
import { kitText } from './words'

export type Tone = 'green' | 'amber' | 'red' | 'plain'

const toneIcon = { green: CheckCircleFilled, amber: ExclamationCircleFilled, red: CloseCircleFilled, plain: InfoCircleFilled }

/** One readable line above what it is about; red ones are read out at once. */
export function Strip(props: { tone?: Tone; children: ReactNode; action?: ReactNode }) {
  const tone = props.tone ?? 'plain'
  const Icon = toneIcon[tone]
  return (
    <div className={`zg-strip zg-${tone}`} role={tone === 'red' ? 'alert' : 'status'}>
      <Icon aria-hidden />
      <div className="zg-strip-body">{props.children}</div>
      {props.action}
    </div>
  )
}

/** A state in a row: colour, icon and word together. */
export function Badge(props: { tone?: Tone; children: ReactNode; icon?: ReactNode }) {
  const tone = props.tone ?? 'plain'
  const Icon = toneIcon[tone]
  return <span className={`zg-badge zg-${tone}`}>{props.icon ?? (tone === 'plain' ? null : <Icon aria-hidden />)}{props.children}</span>
}

export function useProblemWords(): (problem: Problem) => string {
  const t = useText(kitText)
  return (problem) => {
    if (problem.code === 'offline') return t('offline_detail')
    if (problem.code === 'broken_answer') return t('broken_answer', { status: problem.status })
    return problem.message
  }
}

export function ProblemBox(props: { problem: Problem; again?: () => void }) {
  const t = useText(kitText)
  const words = useProblemWords()
  if (props.problem.status === 401) return null // the sign-in is on top of the page already
  if (props.problem.status === 403) return <Strip tone="amber">{words(props.problem)}</Strip>
  return <Strip tone="red" action={props.again && <Button size="small" onClick={props.again}>{t('retry')}</Button>}>{words(props.problem)}</Strip>
}

/** What a list or page says when there is nothing yet: why, and what to do first. */
export function Empty(props: { title: string; children?: ReactNode; action?: ReactNode; page?: boolean }) {
  const Title = props.page ? 'h1' : 'h2'
  return (
    <div className="zg-empty">
      <svg width="56" height="32" viewBox="0 0 56 32" aria-hidden="true">
        <path d="M2 16h52" stroke="var(--zg-line-strong)" strokeWidth="2" />
        {[12, 28, 44].map((x) => <path key={x} d={`M${x - 5} 8h10l5 8-5 8h-10l-5-8Z`} fill="var(--zg-sunk)" stroke="var(--zg-line-strong)" strokeWidth="1.5" />)}
      </svg>
      <Title>{props.title}</Title>
      {props.children && <p>{props.children}</p>}
      {props.action}
    </div>
  )
}

export function SkeletonLines(props: { lines?: number }) {
  return (
    <div className="zg-skeleton" aria-busy="true" aria-live="polite">
      {Array.from({ length: props.lines ?? 3 }, (_, i) => <span key={i} style={{ width: `${[92, 70, 84, 56][i % 4]}%` }} />)}
    </div>
  )
}

export function NoPermission(props: { what: string }) {
  const t = useText(kitText)
  return <Empty page title={t('no_permission_title')}>{t('no_permission', { what: props.what })}</Empty>
}

export function NotFound() {
  const t = useText(kitText)
  return <Empty page title={t('not_found_title')}>{t('not_found')}</Empty>
}

export function OfflineBanner() {
  const t = useText(kitText)
  const [online, setOnline] = useState(navigator.onLine)
  useEffect(() => {
    const look = () => setOnline(navigator.onLine)
    addEventListener('online', look)
    addEventListener('offline', look)
    return () => {
      removeEventListener('online', look)
      removeEventListener('offline', look)
    }
  }, [])
  if (online) return null
  return <div className="zg-offline" role="status"><DisconnectOutlined aria-hidden />{t('offline')}</div>
}

function Crash(props: { error: Error; reset: () => void }) {
  const t = useText(kitText)
  // A page part that can't be loaded any more: the server has a newer build.
  const [offline] = useState(() => !navigator.onLine)
  const stale = /dynamically imported module|Importing a module|module script/i.test(props.error.message)
  useEffect(() => {
    if (!stale || !offline) return
    const again = () => location.reload()
    addEventListener('online', again)
    return () => removeEventListener('online', again)
  }, [stale, offline])
  return (
    <div className="zg-center">
      <Empty page title={stale && offline ? t('offline_title') : t('crash_title')} action={<Button type="primary" onClick={() => location.reload()}>{t('reload')}</Button>}>
        {stale ? (offline ? t('crash_offline') : t('new_version')) : t('crash')}
      </Empty>
      {!stale && <pre className="zg-crash">{props.error.message}</pre>}
    </div>
  )
}

export class ErrorBoundary extends Component<{ children: ReactNode; name?: string }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined }
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack)
  }
  override componentDidUpdate(before: { name?: string }) {
    if (this.state.error && before.name !== this.props.name) this.setState({ error: undefined })
  }
  override render() {
    if (this.state.error) return <Crash error={this.state.error} reset={() => this.setState({ error: undefined })} />
    return this.props.children
  }
}
