import { act, client, must, useAct, useRead } from '@kit/api'
import type { components } from '@kit/api/schema'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { useCan } from '@kit/session'
import { Badge, ProblemBox, SkeletonLines } from '@kit/states'
import { Button, Input } from 'antd'
import { useState, type ReactNode } from 'react'
import { percentOf, shareOf } from './shares'
import { planningText } from './text'

export type Mix = components['schemas']['ReplenishMixView']
type Line = components['schemas']['ReplenishMixLineWhy']
type Option = components['schemas']['ReplenishMixOptionWhy']

function useMixes(site: string, state: 'proposed' | 'in_force' | 'past', skip = false) {
  return useRead(['plan', 'mixes', site, state], (signal) => must(client.GET('/api/plans/mixes', { params: { query: { site_id: site, state, limit: 50 } }, signal })), { skip })
}

/** What a site's recipes are proposed to be mixed from, and what is in force; nothing where there is neither. */
export function Mixes(props: { site: string; title: (text: string) => ReactNode; history?: boolean }) {
  const t = useText(planningText)
  const open = useMixes(props.site, 'proposed')
  const held = useMixes(props.site, 'in_force')
  const problem = open.problem ?? held.problem
  if (problem) return <ProblemBox problem={problem} again={() => { open.again(); held.again() }} />
  const proposed = open.data?.items ?? []
  const inForce = held.data?.items ?? []
  if (proposed.length + inForce.length === 0 && !props.history) return null
  return (
    <section className="zg-stack-s">
      {(proposed.length + inForce.length > 0 || props.history) && props.title(t('mixes'))}
      {proposed.length > 0 && <ul className="zg-offers">{proposed.map((m) => <Proposed key={`${m.id} ${m.version}`} mix={m} />)}</ul>}
      {inForce.length > 0 && <ul className="zg-offers">{inForce.map((m) => <InForce key={m.id} mix={m} />)}</ul>}
      {props.history && <History site={props.site} none={proposed.length + inForce.length === 0} />}
    </section>
  )
}

const changedLines = (m: Mix): Line[] => (m.why.lines ?? []).filter((l) => l.cause !== '')

/** The lines that a mix changes: what the recipe says, and what it is to be. */
function Shares(props: { mix: Mix }) {
  const percent = (share: string) => `${percentOf(share)}\u202f%`
  const moved = new Set(changedLines(props.mix).map((l) => l.product_id))
  const shown = (props.mix.shares ?? []).filter((s) => moved.has(s.of_id) || s.share !== s.usual)
  return (
    <ul className="zg-list mix-shares">
      {shown.map((s) => <li key={s.product_id}><span>{s.name}</span><span className="zg-num">{s.share === s.usual ? percent(s.share) : <>{percent(s.usual)} → <b>{percent(s.share)}</b></>}</span></li>)}
    </ul>
  )
}

function useReason() {
  const t = useText(planningText)
  const f = useFormat()
  return (m: Mix): string => {
    const options = changedLines(m).flatMap((l) => l.options ?? [])
    const more = options.filter((o) => Number(o.proposed) > Number(o.usual))
    const less = options.filter((o) => Number(o.proposed) < Number(o.usual))
    if (m.cause === 'availability') return t('mix_why_availability', { name: less.map((o) => o.name).join(' / ') })
    if (m.cause === 'expiry') return more.filter((o) => Number(o.spare) > 0).map((o) => t('mix_why_expiry', { name: o.name, qty: f.qty({ qty: o.spare, unit: o.unit }), value: f.yuan(o.spare_fen) })).join(' ')
    return t('mix_why_cost', { name: more.map((o) => o.name).join(' / ') })
  }
}

function Head(props: { mix: Mix; badge: ReactNode }) {
  const t = useText(planningText)
  const f = useFormat()
  const { mix } = props
  const days = mix.first === mix.last ? f.date(mix.first) : t('mix_days', { first: f.date(mix.first), last: f.date(mix.last) })
  return (
    <div><b>{mix.name}</b> <span className="zg-note">{mix.code}</span> {props.badge}
      <p className="zg-note">{days}{mix.why.priced && ` · ${t(mix.saving_fen < 0 ? 'mix_costs' : 'mix_saves', { fen: f.yuan(Math.abs(mix.saving_fen)) })}`}</p></div>
  )
}

function Proposed(props: { mix: Mix }) {
  const { mix } = props
  const t = useText(planningText)
  const f = useFormat()
  const can = useCan()
  const reason = useReason()
  const [doing, setDoing] = useState<'' | 'change' | 'refuse'>('')
  const [why, setWhy] = useState('')
  const [last, setLast] = useState(mix.last)
  const [shares, setShares] = useState<Record<string, string>>(() => Object.fromEntries((mix.shares ?? []).map((s) => [s.product_id, percentOf(s.share)])))
  const path = { id: mix.id }
  const approve = useAct((changed: boolean) => act(['approve mix', path, mix.version, changed ? [shares, last, why] : ''], (header) => client.POST('/api/plans/mixes/{id}/approve', { params: { path, header }, body: {
    version: mix.version, ...(changed ? { reason: why.trim(), last, shares: (mix.shares ?? []).map((s) => ({ product_id: s.product_id, share: shareOf(shares[s.product_id] ?? '') ?? '' })) } : {}) } })), ['plan'])
  const refuse = useAct(() => act(['refuse mix', path, mix.version, why], (header) => client.POST('/api/plans/mixes/{id}/refuse', { params: { path, header }, body: { version: mix.version, reason: why.trim() } })), ['plan'])
  const problem = approve.problem ?? refuse.problem
  const lines = changedLines(mix)
  const bad = (line: Line) => (line.options ?? []).some((o) => shareOf(shares[o.product_id] ?? '') === undefined) || Math.abs((line.options ?? []).reduce((a, o) => a + Number(shares[o.product_id]), 0) - 100) > 1e-9
  return (
    <li className="zg-offer">
      <Head mix={mix} badge={<Badge tone="amber">{t('mix_proposed')}</Badge>} />
      <p>{reason(mix)}</p>
      <Shares mix={mix} />
      <WhyMix mix={mix} />
      {problem && <ProblemBox problem={problem} />}
      {can('plan.confirm') && doing === '' && (
        <div className="zg-acts">
          <Button type="primary" loading={approve.busy} onClick={() => void approve.run(false)}>{t('mix_approve')}</Button>
          <Button onClick={() => setDoing('change')}>{t('mix_change')}</Button>
          <Button onClick={() => setDoing('refuse')}>{t('mix_refuse')}</Button>
        </div>
      )}
      {doing === 'refuse' && (
        <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); void refuse.run(undefined) }}>
          <label className="zg-field"><span>{t('mix_reason')}</span><Input required maxLength={200} value={why} onChange={(e) => setWhy(e.target.value)} /></label>
          <Button type="primary" htmlType="submit" loading={refuse.busy} disabled={why.trim() === ''}>{t('mix_refuse')}</Button>
          <Button onClick={() => setDoing('')}>{t('mix_back')}</Button>
        </form>
      )}
      {doing === 'change' && (
        <form className="zg-stack-s" onSubmit={(e) => { e.preventDefault(); void approve.run(true) }}>
          {(mix.why.lines ?? []).map((l) => (
            <div key={l.product_id} className="mix-line">
              {(l.options ?? []).map((o) => (
                <label key={o.product_id} className="zg-field"><span>{o.name} <span className="zg-note">{percentOf(o.least)}–{percentOf(o.most)}%</span></span>
                  <Input className="zg-input-right" inputMode="decimal" suffix="%" maxLength={8} value={shares[o.product_id] ?? ''} onChange={(e) => setShares({ ...shares, [o.product_id]: e.target.value })} /></label>
              ))}
              {bad(l) && <p className="zg-bad" role="alert">{t('mix_whole')}</p>}
            </div>
          ))}
          <label className="zg-field"><span>{t('mix_last')}</span><input type="date" className="zg-date" required value={last} min={mix.first} onChange={(e) => setLast(e.target.value)} /></label>
          <label className="zg-field"><span>{t('mix_reason')}</span><Input required maxLength={200} value={why} onChange={(e) => setWhy(e.target.value)} /></label>
          <div className="zg-acts">
            <Button type="primary" htmlType="submit" loading={approve.busy} disabled={why.trim() === '' || (mix.why.lines ?? []).some(bad)}>{t('mix_approve_changed')}</Button>
            <Button onClick={() => setDoing('')}>{t('mix_back')}</Button>
          </div>
        </form>
      )}
      {lines.length === 0 && <p className="zg-note">{f.date(mix.first)}</p>}
    </li>
  )
}

function InForce(props: { mix: Mix }) {
  const { mix } = props
  const t = useText(planningText)
  const can = useCan()
  const [stop, setStop] = useState(false)
  const [why, setWhy] = useState('')
  const path = { id: mix.id }
  const end = useAct(() => act(['end mix', path, why], (header) => client.POST('/api/plans/mixes/{id}/end', { params: { path, header }, body: { reason: why.trim() } })), ['plan'])
  return (
    <li className="zg-offer">
      <Head mix={mix} badge={<Badge tone={mix.state === 'in_force' ? 'green' : 'plain'}>{t(`mix_${mix.state as 'in_force'}`)}</Badge>} />
      <Shares mix={mix} />
      <p className="zg-note">{t('mix_by', { name: mix.decided_by })}{mix.reason && ` · ${t('reason', { reason: mix.reason })}`}</p>
      <WhyMix mix={mix} />
      {end.problem && <ProblemBox problem={end.problem} />}
      {can('plan.confirm') && !stop && <div className="zg-acts"><Button onClick={() => setStop(true)}>{t('mix_end')}</Button></div>}
      {stop && (
        <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); void end.run(undefined) }}>
          <label className="zg-field"><span>{t('mix_reason')}</span><Input required maxLength={200} value={why} onChange={(e) => setWhy(e.target.value)} /></label>
          <Button type="primary" htmlType="submit" loading={end.busy} disabled={why.trim() === ''}>{t('mix_end')}</Button>
          <Button onClick={() => setStop(false)}>{t('mix_back')}</Button>
        </form>
      )}
    </li>
  )
}

/** What a proposal was worked out from: opened only by who asks. */
function WhyMix(props: { mix: Mix }) {
  const t = useText(planningText)
  const f = useFormat()
  const { why } = props.mix
  if ((why.lines ?? []).length === 0) return null
  return (
    <details className="mix-why">
      <summary>{t('mix_why')}</summary>
      <p className="zg-note">{t('mix_makes', { qty: f.qty({ qty: why.makes, unit: why.unit }) })}{why.priced && ` · ${t('mix_yield', { was: f.yuan(why.yield_was_fen), now: f.yuan(why.yield_now_fen), qty: f.qty({ qty: why.yield, unit: why.unit }) })}`}</p>
      {why.priced && <p className="zg-note">{t('mix_day', { before: f.yuan(why.before_fen), after: f.yuan(why.after_fen) })}</p>}
      {(why.lines ?? []).flatMap((l) => (l.options ?? []).map((o) => <Material key={o.product_id} option={o} component={l} />))}
    </details>
  )
}

function Material(props: { option: Option; component: Line }) {
  const { option: o, component } = props
  const t = useText(planningText)
  const f = useFormat()
  const q = (n: string) => f.qty({ qty: n, unit: o.unit })
  const from = o.price_from === 'stock' ? t('mix_price_stock') : o.price_from === 'supplier' ? t('mix_price_supplier') : t('mix_price_recipe')
  return (
    <div className="mix-material">
      <b>{o.name}</b> <span className="zg-note">{percentOf(o.least)}–{percentOf(o.most)}%{o.product_id !== component.product_id && ` · ${t('mix_ratio', { qty: q(o.ratio_qty), for: f.decimal(o.ratio_for), name: component.name })}`}</span>
      <dl>
        <dt>{t('mix_need')}</dt><dd>{o.was === o.need ? q(o.need) : `${q(o.was)} → ${q(o.need)}`}</dd>
        {Number(o.others) > 0 && <><dt>{t('mix_others')}</dt><dd>{q(o.others)}</dd></>}
        {(o.stock ?? []).map((l) => <Lot key={l.batch_id} label={t('mix_lot', { code: l.code, until: f.at(l.until) })} qty={q(l.qty)} spare={Number(l.spare) > 0 ? t('mix_spare', { qty: q(l.spare) }) : ''} />)}
        {(o.stock ?? []).length === 0 && <><dt>{t('mix_stock')}</dt><dd>{t('mix_none')}</dd></>}
        {Number(o.spare) > 0 && <><dt>{t('mix_lost')}</dt><dd>{q(o.spare)} · {f.yuan(o.spare_fen)}</dd></>}
        {!o.any && <><dt>{t('mix_can')}</dt><dd>{q(o.can)}</dd></>}
        <dt>{t('mix_price', { unit: f.unit(o.unit) })}</dt><dd>{o.price_from ? <>¥{f.cost(o.price_fen4)} <span className="zg-note">{from}</span></> : t('mix_price_none')}</dd>
      </dl>
    </div>
  )
}

function Lot(props: { label: string; qty: string; spare: string }) {
  return <><dt>{props.label}</dt><dd>{props.qty}{props.spare && <div className="zg-note">{props.spare}</div>}</dd></>
}

/** What was decided before, read when somebody opens it; and from how much a day a mix is proposed. */
function History(props: { site: string; none: boolean }) {
  const t = useText(planningText)
  const f = useFormat()
  const [open, setOpen] = useState(false)
  const past = useMixes(props.site, 'past', !open)
  return (
    <details className="mix-why" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t(props.none ? 'mix_history_none' : 'mix_history')}</summary>
      {open && <Least site={props.site} />}
      {past.problem && <ProblemBox problem={past.problem} again={past.again} />}
      {open && !past.data && !past.problem && <SkeletonLines lines={3} />}
      {past.data && (past.data.items ?? []).length === 0 && <p className="zg-note">{t('mix_past_none')}</p>}
      {(past.data?.items ?? []).length > 0 && <ul className="zg-offers">{past.data!.items.map((m) => (
        <li key={m.id} className="zg-offer">
          <Head mix={m} badge={<Badge tone="plain">{m.ended_why ? t(`mix_ended_${m.ended_why as 'replaced'}`) : t(`mix_${m.state as 'over'}`)}</Badge>} />
          <Shares mix={m} />
          <p className="zg-note">{m.decided_by && t('mix_by', { name: m.decided_by })}{m.reason && ` · ${t('reason', { reason: m.reason })}`}{m.ended_by && ` · ${t('mix_ended_by', { name: m.ended_by })}`}{m.ended_reason && ` · ${m.ended_reason}`}{m.ended_at && ` · ${f.at(m.ended_at)}`}</p>
        </li>
      ))}</ul>}
    </details>
  )
}

function Least(props: { site: string }) {
  const t = useText(planningText)
  const f = useFormat()
  const can = useCan()
  const rule = useRead(['plan', 'mix rule', props.site], (signal) => must(client.GET('/api/plans/mixes/rule', { params: { query: { site_id: props.site } }, signal })))
  const [typed, setTyped] = useState<string>()
  const put = useAct((fen: number) => act(['mix rule', props.site, fen], (header) => client.PUT('/api/plans/mixes/rule', { params: { header }, body: { site_id: props.site, least_fen: fen } })), ['plan'])
  if (rule.problem ?? put.problem) return <ProblemBox problem={(rule.problem ?? put.problem)!} again={rule.again} />
  if (!rule.data) return null
  const fen = typed !== undefined && /^\d{1,6}(\.\d{1,2})?$/.test(typed.trim()) ? Math.round(Number(typed) * 100) : undefined
  return (
    <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); if (fen !== undefined) void put.run(fen).then(() => setTyped(undefined)) }}>
      <p>{t('mix_least', { fen: f.yuan(rule.data.least_fen) })}</p>
      {can('plan.rules') && (
        <>
          <label className="zg-field"><span>{t('mix_least_set')}</span><Input className="zg-input-right" prefix="¥" inputMode="decimal" maxLength={9} value={typed ?? ''} onChange={(e) => setTyped(e.target.value)} /></label>
          <Button htmlType="submit" loading={put.busy} disabled={fen === undefined}>{t('mix_save')}</Button>
        </>
      )}
    </form>
  )
}
