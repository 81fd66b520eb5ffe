import { addDays, useText } from '@kit'
import { NavLink, useSearchParams } from 'react-router-dom'
import { useMovementWords } from '../stock/shared'
import { flowOf } from '../stock/words'
import { ledgerText } from './text'

export function LedgerTabs() {
  const t = useText(ledgerText)
  const [params] = useSearchParams()
  const site = params.get('site')
  return (
    <nav className="zg-tabs" aria-label={t('ledger')}>
      {([['/ledger', 'periods'], ['/ledger/flows', 'flows'], ['/ledger/allowances', 'allowances']] as const).map(([to, key]) => <NavLink key={to} to={site ? `${to}?site=${site}` : to} end className={({ isActive }) => (isActive ? 'zg-tab-here' : '')}>{t(key)}</NavLink>)}
    </nav>
  )
}

/** "waste_cost_expired" is waste, and expired is its reason; "revenue_13.00" is revenue at 13 %. */
export function useFlowName(): (flow: string) => { name: string; kind: string } {
  const words = useMovementWords()
  return (flow) => {
    const base = flowOf(flow)
    const rest = flow.slice(base.length).replace(/^_/, '').replace(/^(cost|value)_?/, '')
    return { name: words.other(flow), kind: /^\d+(\.\d+)?$/.test(rest) ? `${Number(rest)}%` : rest === '' ? '' : words.reason(rest) }
  }
}

/** The last thirty days, unless the address says others. */
export function daysOf(filter: Readonly<Record<string, string>>, today: string): { from: string; to: string } {
  const good = (d: string | undefined) => (d && /^\d{4}-\d{2}-\d{2}$/.test(d) ? d : undefined)
  const to = good(filter['to']) ?? today
  return { from: good(filter['from']) ?? addDays(to, -29), to }
}
