import { useText } from '@kit'
import type { components } from '@kit/api/schema'
import { NavLink, useSearchParams } from 'react-router-dom'
import { makeText } from './text'

export type MakingTask = components['schemas']['MakingTask']
export type Requisition = components['schemas']['MakingRequisition']

export function MakeTabs() {
  const t = useText(makeText)
  const [params] = useSearchParams()
  const site = params.get('site')
  return (
    <nav className="zg-tabs" aria-label={t('title')}>
      {([['/make', 'tasks'], ['/make/requisitions', 'requisitions']] as const).map(([to, key]) => <NavLink key={to} to={site ? `${to}?site=${site}` : to} end className={({ isActive }) => (isActive ? 'zg-tab-here' : '')}>{t(key)}</NavLink>)}
    </nav>
  )
}
