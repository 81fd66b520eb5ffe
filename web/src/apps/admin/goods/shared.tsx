import { Badge, client, defineText, must, useRead, useText, type Category, type SalesUnit } from '@kit'
import { NavLink } from 'react-router-dom'
import en from './en'
import zh from './zh'

export const goodsText = defineText(zh, en)

/** Where a product is in its life, in order. */
export const lives = ['new', 'listed', 'stop_buying', 'stop_selling', 'gone'] as const
export type Life = (typeof lives)[number]

export function LifeBadge(props: { state: Life }) {
  const t = useText(goodsText)
  return <Badge tone={props.state === 'listed' ? 'green' : props.state === 'new' || props.state === 'stop_buying' ? 'amber' : 'plain'}>{t(props.state)}</Badge>
}

export const useCategories = () => useRead(['goods', 'categories'], (signal) => must(client.GET('/api/goods/categories', { signal })).then((page) => page.items ?? []))

/** Categories as a path ("Bakery › Bread"), in the order of the tree. */
export function categoryPaths(all: readonly Category[]): { value: string; label: string; depth: number }[] {
  const below = (parent: string) => all.filter((c) => (c.parent_id || '') === parent).sort((a, b) => a.sort - b.sort || a.name.localeCompare(b.name))
  const walk = (parent: string, path: string, depth: number): { value: string; label: string; depth: number }[] =>
    below(parent).flatMap((c) => {
      const label = path ? `${path} › ${c.name}` : c.name
      return [{ value: c.id, label, depth }, ...walk(c.id, label, depth + 1)]
    })
  return walk('', '', 0)
}

/** "24" or "1/3" → exact numerator and denominator. */
export function parseRatio(typed: string): { num: number; den: number } | undefined {
  const m = /^\s*(\d{1,12})\s*(?:\/\s*(\d{1,9}))?\s*$/.exec(typed)
  if (!m) return undefined
  const num = Number(m[1])
  const den = Number(m[2] ?? 1)
  return num > 0 && den > 0 ? { num, den } : undefined
}

export const ratioOf = (u: Pick<SalesUnit, 'num' | 'den'>): string => (u.den === 1 ? String(u.num) : `${u.num}/${u.den}`)

export function GoodsTabs() {
  const t = useText(goodsText)
  return (
    <nav className="zg-tabs" aria-label={t('title')}>
      {([['/goods', 'title'], ['/goods/styles', 'styles'], ['/goods/categories', 'categories'], ['/goods/prices', 'changes'], ['/goods/labels', 'labels'], ['/goods/print', 'print'], ['/goods/margins', 'margins']] as const).map(([to, key]) => <NavLink key={to} to={to} end className={({ isActive }) => (isActive ? 'zg-tab-here' : '')}>{t(key)}</NavLink>)}
    </nav>
  )
}
