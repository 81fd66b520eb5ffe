import { act, client, must, useAct, useRead } from '@kit/api'
import type { components } from '@kit/api/schema'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { useCan } from '@kit/session'
import { Badge, ProblemBox } from '@kit/states'
import { Button, Input } from 'antd'
import { useState, type ReactNode } from 'react'
import { planningText } from './text'

export type Offer = components['schemas']['ReplenishOfferView']

/** What the store offers today and what stores in reach offer to it. */
export function useOffers(site: string | undefined) {
  return useRead(['plan', 'offers', site], (signal) => must(client.GET('/api/plans/offers', { params: { query: { site_id: site ?? '' } }, signal })), { skip: !site })
}

/** Offers with what may be done about each; nothing where there are none. */
export function Offers(props: { site: string; title: (text: string) => ReactNode }) {
  const t = useText(planningText)
  const read = useOffers(props.site)
  const all = read.data?.items ?? []
  if (read.problem) return <ProblemBox problem={read.problem} again={read.again} />
  if (all.length === 0) return null
  const near = all.filter((o) => !o.own)
  const own = all.filter((o) => o.own && o.state !== 'ended')
  const ended = all.filter((o) => o.own && o.state === 'ended')
  return (
    <>
      {near.length > 0 && <section className="zg-stack-s">{props.title(t('offers_near'))}<Few of={near} show={(o) => <Near key={o.id} offer={o} site={props.site} />} /></section>}
      {own.length + ended.length > 0 && (
        <section className="zg-stack-s">
          {props.title(t('offers_own'))}
          {own.length > 0 && <Few of={own} show={(o) => <Own key={o.id} offer={o} />} />}
          {ended.length > 0 && <details className="zg-details"><summary>{t('offers_ended', { n: ended.length })}</summary><ul className="zg-offers">{ended.map((o) => <Own key={o.id} offer={o} />)}</ul></details>}
        </section>
      )}
    </>
  )
}

const few = 3

/** The first of many: the plan below is not pushed out of sight by what neighbours offer. */
function Few(props: { of: readonly Offer[]; show: (offer: Offer) => ReactNode }) {
  const t = useText(planningText)
  const [open, setOpen] = useState(false)
  const many = props.of.length > few + 1
  return (
    <>
      <ul className="zg-offers">{(many && !open ? props.of.slice(0, few) : props.of).map(props.show)}</ul>
      {many && <div className="zg-acts"><Button onClick={() => setOpen(!open)} aria-expanded={open}>{open ? t('offers_few') : t('offers_all', { n: props.of.length })}</Button></div>}
    </>
  )
}

function Near(props: { offer: Offer; site: string }) {
  const { offer } = props
  const t = useText(planningText)
  const f = useFormat()
  const can = useCan()
  const [qty, setQty] = useState('')
  const take = useAct(() => act(['take offer', offer.id, props.site, qty, offer.mine], (header) => client.POST('/api/plans/offers/{id}/take', { params: { path: { id: offer.id }, header }, body: { site_id: props.site, qty: qty.trim() } })), ['plan', 'stock'])
  return (
    <li className="zg-offer">
      <div><b>{offer.name}</b> <span className="zg-note">{offer.code}</span>
        <p>{t('offer_from', { site: offer.site_name, qty: f.qty({ qty: offer.spare, unit: offer.unit }) })}</p>
        <p className="zg-note">{t('offer_way', { minutes: offer.minutes, at: f.clock(offer.until) })}{offer.cost_fen > 0 && ` · ${t('offer_cost', { cost: f.yuan(offer.cost_fen) })}`}{Number(offer.mine) > 0 && ` · ${t('offer_mine', { qty: f.qty({ qty: offer.mine, unit: offer.unit }) })}`}</p></div>
      {take.problem && <ProblemBox problem={take.problem} />}
      {can('plan.confirm') && (
        <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); void take.run(undefined).then((done) => done && setQty('')) }}>
          <label className="zg-field"><span>{t('offer_qty', { unit: f.unit(offer.unit) })}</span><Input className="zg-input-right" inputMode="decimal" required value={qty} onChange={(e) => setQty(e.target.value)} /></label>
          <Button type="primary" htmlType="submit" loading={take.busy} disabled={qty.trim() === ''}>{t('offer_take')}</Button>
        </form>
      )}
    </li>
  )
}

function Own(props: { offer: Offer }) {
  const { offer } = props
  const t = useText(planningText)
  const f = useFormat()
  const can = useCan()
  const [stop, setStop] = useState(false)
  const [reason, setReason] = useState('')
  const path = { id: offer.id }
  const open = useAct(() => act(['open offer', path], (header) => client.POST('/api/plans/offers/{id}/open', { params: { path, header } })), ['plan'])
  const withdraw = useAct(() => act(['withdraw offer', path, reason], (header) => client.POST('/api/plans/offers/{id}/withdraw', { params: { path, header }, body: { reason: reason.trim() } })), ['plan'])
  const problem = open.problem ?? withdraw.problem
  const ended = offer.state === 'ended'
  const may = offer.execution === 'approve' ? can('plan.approve') : can('plan.confirm')
  return (
    <li className="zg-offer">
      <div><b>{offer.name}</b> <span className="zg-note">{offer.code}</span> <Badge tone={ended ? 'plain' : offer.state === 'open' ? 'green' : offer.execution === 'approve' ? 'red' : 'amber'}>{ended && offer.ended_why ? t(`offer_${offer.ended_why as 'taken'}`) : offer.execution === 'approve' && !ended && offer.state === 'proposed' ? t('level_exception') : t(offer.state === 'open' ? 'offer_open' : 'offer_proposed')}</Badge>
        <p>{ended ? t('offer_given', { qty: f.qty({ qty: offer.taken, unit: offer.unit }) }) : t('offer_left', { qty: f.qty({ qty: offer.spare, unit: offer.unit }), taken: f.qty({ qty: offer.taken, unit: offer.unit }) })}</p>
        <p className="zg-note">{[ended ? offer.reason && t('reason', { reason: offer.reason }) : t('offer_until', { at: f.clock(offer.until) }), Number(offer.taken) > 0 && t('offer_ship')].filter(Boolean).join(' · ')}</p></div>
      {problem && <ProblemBox problem={problem} />}
      {!ended && !stop && (
        <div className="zg-acts">
          {offer.state === 'proposed' && may && <Button type="primary" loading={open.busy} onClick={() => void open.run(undefined)}>{t('offer_agree')}</Button>}
          {can('plan.confirm') && <Button onClick={() => setStop(true)}>{t('offer_stop')}</Button>}
        </div>
      )}
      {!ended && stop && (
        <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); void withdraw.run(undefined).then((done) => done && setStop(false)) }}>
          <label className="zg-field"><span>{t('why_change')}</span><Input required maxLength={200} value={reason} onChange={(e) => setReason(e.target.value)} /></label>
          <Button type="primary" htmlType="submit" loading={withdraw.busy}>{t('offer_stop')}</Button>
        </form>
      )}
    </li>
  )
}
