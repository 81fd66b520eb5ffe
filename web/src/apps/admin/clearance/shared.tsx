import { Badge, Bars, defineText, useFormat, useShopClock, useText, type Clearance, type Tone } from '@kit'
import { NavLink, useSearchParams } from 'react-router-dom'
import en from './en'
import zh from './zh'

export const clearText = defineText(zh, en)

export function ClearTabs() {
  const t = useText(clearText)
  const [params] = useSearchParams()
  const site = params.get('site')
  return (
    <nav className="zg-tabs" aria-label={t('title')}>
      {([['/clearance', 'list'], ['/clearance/rules', 'rules']] as const).map(([to, key]) => <NavLink key={to} to={site ? `${to}?site=${site}` : to} end className={({ isActive }) => (isActive ? 'zg-tab-here' : '')}>{t(key)}</NavLink>)}
    </nav>
  )
}

/** Red in the last two hours or past the end, amber from the first step, green before. */
export function urgencyOf(b: Pick<Clearance, 'expires_at' | 'first_at' | 'phase'>, now: number): Tone {
  const end = Date.parse(b.expires_at)
  if (b.phase === 'expired' || now >= end - 2 * 3_600_000 || b.phase === 'free_one') return 'red'
  return now >= Date.parse(b.first_at) ? 'amber' : 'green'
}

/** How long a batch can still be sold, in colour and words. */
export function Urgency(props: { batch: Pick<Clearance, 'expires_at' | 'first_at' | 'phase'> }) {
  const t = useText(clearText)
  const f = useFormat()
  const now = useShopClock()
  const left = Date.parse(props.batch.expires_at) - now
  return <Badge tone={urgencyOf(props.batch, now)}>{left <= 0 ? t('over') : t('in_time', { time: f.duration(left / 1000) })}</Badge>
}

export function usePhaseWords(): (b: { phase: Clearance['phase']; depth: number; free_one: boolean }) => string {
  const t = useText(clearText)
  return (b) => {
    if (b.phase === 'expired') return t('phase_expired')
    if (b.free_one) return t('phase_free_one')
    return b.depth > 0 ? t('phase_markdown', { depth: b.depth }) : t('phase_full_price')
  }
}

/** What goes on the goods: name, until when, price now and before, and the code that the till scans. */
export function Label(props: { batch: Clearance }) {
  const t = useText(clearText)
  const f = useFormat()
  const { batch } = props
  return (
    <figure className="clear-label" aria-label={t('label')}>
      <strong>{batch.name}</strong>
      <span>{t('label_expires', { at: f.at(batch.expires_at) })}</span>
      <span className="clear-label-price"><b>{t('label_now')} {f.yuan(batch.price_fen)}</b> <s>{t('label_was')} {f.yuan(batch.list_fen)}</s></span>
      {batch.free_one && <b>{t('label_free')}</b>}
      <Bars code={batch.label} />
    </figure>
  )
}
