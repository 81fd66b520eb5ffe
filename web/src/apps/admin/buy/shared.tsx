import { Badge, tabInSight, useCan, useText } from '@kit'
import type { components } from '@kit/api/schema'
import { NavLink } from 'react-router-dom'
import { buyText } from './text'

type S = components['schemas']
export type Order = S['PurchaseOrderView']
export type StoreRequisition = S['SupplydayRequisitionOut']
export type Supplier = S['PartySupplierView']
export type Terms = S['PartyTermsView']

export function BuyTabs() {
  const t = useText(buyText)
  const can = useCan()
  const tabs = ([['/buy', 'orders', 'purchase.read'], ['/buy/requisitions', 'requisitions', 'plan.read'], ['/buy/suppliers', 'suppliers', 'party.read'], ['/buy/materials', 'alignment', 'report.read']] as const).filter((tab) => can(tab[2]))
  return (
    <nav ref={tabInSight} className="zg-tabs" aria-label={t('title')}>
      {tabs.map(([to, key]) => <NavLink key={to} to={to} end className={({ isActive }) => (isActive ? 'zg-tab-here' : '')}>{t(key)}</NavLink>)}
    </nav>
  )
}

const tones = { proposed: 'amber', confirmed: 'plain', sent: 'plain', part_received: 'amber', received: 'green', closed: 'plain' } as const

/** An order that ended before anything came was cancelled. */
export const isCancelled = (o: Pick<Order, 'state' | 'received_fen'>) => o.state === 'closed' && o.received_fen === 0

export function OrderState(props: { order: Order }) {
  const t = useText(buyText)
  const { order } = props
  return <Badge tone={tones[order.state]}>{t(isCancelled(order) ? 'cancelled' : order.state)}</Badge>
}
