import { Badge, shopNow, useFormat, useLang, useText, type Batch, type Product } from '@kit'
import { useEffect, useMemo, useRef } from 'react'
import { NavLink, useSearchParams } from 'react-router-dom'
import { stockText } from './text'
import { movementWords } from './words'

export { stockText }

/** What is there, what moved it, and what decides: as a stock keeper looks for them. */
const groups = [
  ['tabs_here', [['/stock', 'levels'], ['/stock/batches', 'batches']]],
  ['tabs_moves', [['/stock/documents', 'documents'], ['/stock/receipts', 'receipts'], ['/stock/transfers', 'transfers'], ['/stock/counts', 'counts'], ['/stock/conversions', 'conversions'], ['/stock/landed', 'landed_costs']]],
  ['tabs_rules', [['/stock/policies', 'policies'], ['/stock/channels', 'channel_rules']]],
] as const

export function StockTabs() {
  const t = useText(stockText)
  const [params] = useSearchParams()
  const site = params.get('site')
  const tabs = useRef<HTMLElement>(null)
  // On a phone they are wider than the screen: the one that is open must be seen.
  useEffect(() => {
    const here = tabs.current?.querySelector<HTMLElement>('.zg-tab-here')
    if (here && tabs.current) tabs.current.scrollLeft = here.offsetLeft - tabs.current.offsetLeft - (tabs.current.clientWidth - here.offsetWidth) / 2
  }, [])
  return (
    <nav ref={tabs} className="zg-tabs" aria-label={t('title')}>
      {groups.map(([group, pages]) => (
        <div key={group} className="zg-tab-group" role="group" aria-label={t(group)}>
          <span aria-hidden>{t(group)}</span>
          {pages.map(([to, key]) => <NavLink key={to} to={site ? `${to}?site=${site}` : to} end className={({ isActive }) => (isActive ? 'zg-tab-here' : '')}>{t(key)}</NavLink>)}
        </div>
      ))}
    </nav>
  )
}

export interface Life {
  phase: 'ever' | 'fresh' | 'soon' | 'over'
  /** of the time between receipt and expiry, 1 = all of it */
  left: number
  /** until expiry, or since */
  seconds: number
}

/**
 * How much life a batch has left. "Soon": the last two hours of anything, half of a life under 12 hours, else the
 * last six hours, or a quarter of a long life, at most seven days.
 */
export function lifeOf(batch: Pick<Batch, 'expires_at' | 'received_at'>, now: number): Life {
  if (!batch.expires_at) return { phase: 'ever', left: 1, seconds: 0 }
  const end = Date.parse(batch.expires_at)
  const whole = Math.max(1, end - Date.parse(batch.received_at))
  const ms = end - now
  if (ms <= 0) return { phase: 'over', left: 0, seconds: -ms / 1000 }
  const left = Math.min(1, ms / whole)
  const hour = 3_600_000
  const soon = whole < 12 * hour ? Math.max(2 * hour, whole / 2) : Math.max(6 * hour, Math.min(whole / 4, 7 * 24 * hour))
  return { phase: ms <= soon ? 'soon' : 'fresh', left, seconds: ms / 1000 }
}

/** A bar of the life left, with the words beside it: colour never speaks alone. */
export function AgeBar(props: { batch: Pick<Batch, 'expires_at' | 'received_at' | 'open'> }) {
  const t = useText(stockText)
  const f = useFormat()
  const { batch } = props
  if (!batch.open) return <span className="zg-note">{t('closed')}</span>
  const life = lifeOf(batch, shopNow())
  if (life.phase === 'ever') return <span className="zg-note">{t('no_expiry')}</span>
  const time = f.duration(life.seconds)
  return (
    <span className={`zg-age zg-age-${life.phase}`} title={f.exact(batch.expires_at)}>
      <span className="zg-age-bar" aria-hidden><i style={{ width: `${Math.max(2, life.left * 100)}%` }} /></span>
      {life.phase === 'fresh' ? <span>{t('fresh', { time })}</span> : <Badge tone={life.phase === 'soon' ? 'amber' : 'red'}>{t(life.phase, { time })}</Badge>}
    </span>
  )
}

/** The units in which a product can be moved, its base unit first. */
export const unitsOf = (p: Product): string[] => [...new Set([p.base_unit, ...p.units.filter((u) => !u.retired).map((u) => u.name)])]

/** The page of a document, where it has one. */
export function documentLink(kind: string, id: string): string | undefined {
  if (kind === 'sale' || kind === 'void') return `/sales/${id}`
  if (kind === 'goods_receipt') return `/stock/receipts/${id}`
  if (kind === 'conversion') return `/stock/conversions/${id}`
  if (kind === 'landed_cost') return `/stock/landed/${id}`
  if (kind === 'stock_transfer') return `/stock/transfers/${id}`
  return (documentKinds as readonly string[]).includes(kind) ? `/stock/documents/${id}` : undefined
}

/** Goods go from one place of a site to another: nothing is lost and nothing came, whatever the sign of the leg. */
export const staysHere = (kind: string): boolean => kind === 'freeze' || kind === 'release' || kind === 'stock_move'

/** Kinds of posted documents, in the order in which they can be chosen. */
export const documentKinds = ['goods_receipt', 'opening_stock', 'write_off', 'adjustment', 'freeze', 'release', 'stock_move', 'transfer_out', 'transfer_in', 'transfer_missing', 'stock_count', 'supplier_return', 'conversion', 'conversion_back'] as const

/** The words of documents of stock in the reader's language. */
export function useMovementWords(): ReturnType<typeof movementWords> {
  const { lang } = useLang()
  return useMemo(() => movementWords(lang), [lang])
}
