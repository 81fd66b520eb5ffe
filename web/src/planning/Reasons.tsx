import { act, client, must, useAct, useRead } from '@kit/api'
import type { components } from '@kit/api/schema'
import { Facts } from '@kit/document'
import { ofThousandths, thousandths, useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { useCan } from '@kit/session'
import { Badge, ProblemBox, SkeletonLines, Strip } from '@kit/states'
import { Parts, type Part } from '@kit/Why'
import { Button, Input } from 'antd'
import { useCallback, useState, type ReactNode } from 'react'
import { planningText } from './text'

type S = components['schemas']
export type Round = S['ReplenishProductionView']
export type Proposal = S['ReplenishProposalView']
export type Requirement = S['ReplenishRequirementView']

const tones = { proposed: 'amber', confirmed: 'green', changed: 'green', done: 'green' } as const

export function LineState(props: { state: Round['state']; execution?: Round['execution'] }) {
  const t = useText(planningText)
  if (props.state === 'proposed' && props.execution === 'approve') return <Badge tone="red">{t('level_exception')}</Badge>
  return <Badge tone={tones[props.state]}>{t(`state_${props.state}`)}</Badge>
}

/** Why and how a line is ordered, where that is out of the ordinary. */
export function LineLevel(props: { line: Proposal }) {
  const { line } = props
  const t = useText(planningText)
  if (line.level === 'automatic' && line.factor === '1') return null
  return <Badge tone={line.held ? 'red' : line.level === 'dynamic' ? 'amber' : 'plain'}>{t(`level_${line.level}`)}{line.factor !== '1' && ` ${t('raised', { n: line.factor })}`}</Badge>
}

function LevelReasons(props: { line: Proposal; why: S['ReplenishProposalWhy'] }) {
  const { line, why } = props
  const t = useText(planningText)
  const f = useFormat()
  const q = (n: string) => f.qty({ qty: n, unit: line.unit })
  const pct = (ppm: number) => f.percent(ppm / 1e6, 0)
  const { static: level, event, urgent } = why
  return (
    <>
      {line.held && <Strip tone="red">{t(`held_${line.held}`)}</Strip>}
      {!line.held && line.execution === 'approve' && line.state === 'proposed' && <Strip tone="amber">{t('approve_needed')}</Strip>}
      {urgent && (
        <section>
          <h3>{t('urgent_title')}</h3>
          <ul className="zg-list">
            <li>{t('urgent_sold', { sold: q(urgent.sold), expected: q(urgent.expected), pct: pct(urgent.factor_ppm) })}</li>
            <li>{t('urgent_rest', { rest: q(urgent.remaining), have: q(urgent.available), coming: q(urgent.arriving), short: pct(urgent.short_ppm) })}</li>
            {urgent.out_at && <li><b>{t('urgent_out', { at: urgent.out_at })}</b> · {t('urgent_comes', { at: urgent.arrives_at })}</li>}
            {line.kind === 'requisition' ? <li>{urgent.buy_fen > 0 ? t('urgent_trip', { trip: f.yuan(urgent.trip_fen), buy: f.yuan(urgent.buy_fen) }) : t('urgent_trip_only', { trip: f.yuan(urgent.trip_fen) })}</li>
              : urgent.surcharge_ppm > 0 && <li>{t('urgent_more', { pct: pct(urgent.surcharge_ppm) })}</li>}
          </ul>
        </section>
      )}
      {event && <EventReasons event={event} unit={line.unit} />}
      {level && (
        <section>
          <h3>{t('static_title')}</h3>
          <Parts parts={[{ label: t('static_most'), value: thousandths(level.most) }, { label: t('available'), value: -thousandths(level.available) }, { label: t('in_transit'), value: -thousandths(level.in_transit) }]}
            total={thousandths(why.net)} totalLabel={t('net')} format={(n) => q(ofThousandths(n))} slack={1} />
          <p className="zg-note">{t('static_level', { level: q(level.safety) })}{level.by_hand && ` · ${t('by_hand')}`}
            {level.computed_safety && ` · ${t('computed', { level: q(level.computed_safety), days: level.days, expected: q(level.expected), margin: q(level.margin) })}`}</p>
          <StockByAge stock={level.stock} unit={line.unit} />
        </section>
      )}
      {why.dms && <ByMean why={why.dms} unit={line.unit} />}
      {why.word && <Word word={why.word} unit={line.unit} />}
    </>
  )
}

/** Names which day of a festival one is. */
export function useFestivalDay(): (festival: string, offset: number) => string {
  const t = useText(planningText)
  return useCallback((key: string, offset: number) => {
    const festival = t(`festival_${key as 'qixi'}`)
    return offset === 0 ? t('day_on', { festival }) : t(offset < 0 ? 'day_before' : 'day_after', { festival, n: Math.abs(offset) })
  }, [t])
}

/** The entry of the calendar that moves a line, and what past years say of its day. */
function EventReasons(props: { event: S['ReplenishEventWhy']; unit: string }) {
  const { event } = props
  const t = useText(planningText)
  const dayOf = useFestivalDay()
  const f = useFormat()
  const learned = event.learned
  return (
    <section>
      <h3>{t('event_title', { name: event.name })}</h3>
      <p>{t('event_note', { factor: event.factor, without: f.qty({ qty: event.without, unit: props.unit }) })}{event.order_from && ` · ${t('event_from', { at: event.order_from })}`}</p>
      {event.earlier && <p className="zg-note">{t('event_earlier')}</p>}
      {learned && (
        <>
          <p><b>{learned.used ? t('event_learned', { n: learned.years.length, learned: learned.factor, set: learned.set }) : t('event_learned_unused', { n: learned.years.length, learned: learned.factor, factor: event.factor })}</b>
            <span className="zg-note"> {dayOf(learned.festival, learned.offset)} · {t(`event_of_${learned.of}`)}</span></p>
          <details className="zg-details"><summary>{t('event_years')}</summary>
            <ul className="zg-list">
              {learned.years.map((y) => <li key={y.year}>{t('event_year', { year: String(y.year), ratio: y.ratio })} <span className="zg-note">{f.yuan(y.demand_fen)} ÷ {f.yuan(y.level_fen)}</span></li>)}
            </ul>
          </details>
        </>
      )}
    </section>
  )
}

/** A line of a plan opened into what it is made of, and what a person may decide about it. */
export function LineReasons(props: { plan: string; line: string; documents?: (kind: Proposal['kind'], id: string) => ReactNode }) {
  const read = useRead(['plan', 'line', props.plan, props.line], (signal) => must(client.GET('/api/plans/{id}/lines/{line}', { params: { path: { id: props.plan, line: props.line } }, signal })))
  if (!read.data) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const { production, production_why, proposal, proposal_why, requirement, requirement_why } = read.data
  return (
    <>
      {production && production_why && <RoundReasons round={production} why={production_why} />}
      {proposal && proposal_why && <ProposalReasons plan={props.plan} line={proposal} why={proposal_why} />}
      {requirement && requirement_why && <RequirementReasons line={requirement} why={requirement_why} />}
      {(production ?? proposal) && <Decide plan={props.plan} line={(production ?? proposal)!} />}
      {proposal && proposal.document_id && props.documents?.(proposal.kind, proposal.document_id)}
    </>
  )
}

function useQty(unit: string) {
  const f = useFormat()
  return (n: number) => f.qty({ qty: ofThousandths(n), unit })
}

function RoundReasons(props: { round: Round; why: S['ReplenishProductionWhy'] }) {
  const { round, why } = props
  const t = useText(planningText)
  const f = useFormat()
  const q = useQty(round.unit)
  const mean = thousandths(round.mean)
  const wanted = thousandths(round.quantile)
  const tray = Math.min(wanted, thousandths(round.on_hand))
  const proposed = thousandths(round.proposed)
  const missing = wanted - tray
  const short = thousandths(why.capacity?.short ?? '0')
  const parts: Part[] = why.forecast
    ? [{ label: t('expected'), value: mean, note: t('forecast_note', { date: f.date(why.forecast.data_until) }) }, { label: t('spread', { pct: f.percent(why.forecast.tau, 0) }), value: wanted - mean }]
    : [{ label: t('expected'), value: wanted, note: t('firm') }]
  parts.push({ label: t('on_tray'), value: -tray }, { label: Number(why.batch) > 0 ? t('rounding', { batch: f.decimal(why.batch) }) : t('rounding_unit'), value: proposed - missing + short })
  if (short > 0) parts.push({ label: t('capacity_short', { kind: why.capacity?.kind ?? '' }), value: -short })
  return (
    <>
      <Facts facts={[[t(`round_${Math.min(4, Math.max(1, round.round)) as 1}`), t('ready_by', { at: round.ready_by })], [t('make_now'), f.qty({ qty: round.make, unit: round.unit })], [t('made'), f.qty({ qty: round.made, unit: round.unit })]]} />
      {round.execution === 'approve' && round.state === 'proposed' && <Strip tone="amber">{t(round.level === 'exception' ? 'round_exception' : 'approve_needed')}</Strip>}
      {round.level !== 'automatic' && round.level !== 'exception' && <p className="zg-note">{t(`round_level_${round.level}`)}</p>}
      {round.execution === 'act' && round.state === 'confirmed' && <p className="zg-note">{t('round_act')}</p>}
      {why.forecast?.override && <Strip tone="amber">{t('forecast_override')}</Strip>}
      {why.capacity && short > 0 && <Strip tone="red">{t('capacity_full', { kind: why.capacity.kind, n: why.capacity.machines, minutes: why.capacity.minutes, short: q(short) })}</Strip>}
      {why.capacity?.early_by && <Strip tone="amber">{t('capacity_early', { kind: why.capacity.kind, qty: q(thousandths(why.capacity.early)), at: why.capacity.early_by })}</Strip>}
      <Parts parts={parts} total={proposed} totalLabel={t('proposed')} format={q} />
      {why.event && <EventReasons event={why.event} unit={round.unit} />}
      {why.rounding && (
        <section>
          <h3>{t('last_batch')}</h3>
          <p>{t(why.rounding.gain_fen > 0 ? 'last_batch_made' : why.rounding.gain_fen < 0 ? 'last_batch_left' : 'last_batch_even', { up: q(thousandths(why.rounding.up)), down: q(thousandths(why.rounding.down)), gain: f.yuan(Math.abs(why.rounding.gain_fen)) })}</p>
          <p className="zg-note">{t('last_batch_how', { sold: q(thousandths(why.rounding.sold)), wasted: q(thousandths(why.rounding.wasted)), miss: f.yuan(Math.round(why.rounding.miss_fen4 / 10_000)), cost: f.yuan(Math.round(why.rounding.cost_fen4 / 10_000)) })} {why.rounding.by_level && t('last_batch_level')}</p>
        </section>
      )}
      <StockByAge stock={why.stock} unit={round.unit} />
    </>
  )
}

function StockByAge(props: { stock: S['ReplenishAge'][] | null; unit: string }) {
  const t = useText(planningText)
  const f = useFormat()
  const all = props.stock ?? []
  return (
    <section>
      <h3>{t('stock')}</h3>
      {all.length === 0 ? <p className="zg-note">{t('stock_none')}</p> : (
        <table className="zg-parts"><tbody>
          {all.map((a) => (
            <tr key={a.batch_id}>
              <th scope="row">{a.code}<div className="zg-note">{a.until.startsWith('9') ? '' : `${t('until', { at: f.at(a.until) })} · `}{t(a.why)}{Number(a.held) > 0 && ` · ${t('held', { qty: f.decimal(a.held) })}`}</div></th>
              <td className="zg-num">{f.qty({ qty: a.qty, unit: props.unit })}</td>
            </tr>
          ))}
        </tbody></table>
      )}
    </section>
  )
}

function RequirementReasons(props: { line: Requirement; why: S['ReplenishRequirementWhy'] }) {
  const { line, why } = props
  const t = useText(planningText)
  const f = useFormat()
  const q = useQty(line.unit)
  const uses = (why.uses ?? []).filter((u) => Number(u.need) > 0 || Number(u.makes) > 0)
  const safety = thousandths(line.safety)
  const stock = Math.min(thousandths(line.on_hand), thousandths(line.need) + safety)
  const net = thousandths(line.net)
  const need = thousandths(line.need)
  const parts: Part[] = [
    ...uses.map((u) => ({ label: u.share ? `${u.name} (${[u.instead && t('uses_instead', { name: u.instead }), t('uses_share', { share: f.percent(Number(u.share)) })].filter(Boolean).join(' · ')})` : u.name, value: thousandths(u.need), note: t(u.loss_batches ? 'uses_learned' : 'uses_note', { makes: f.decimal(u.makes), qty: f.qty({ qty: u.qty, unit: line.unit }), yield: f.decimal(u.yield), loss: f.percent(Number(u.loss), u.loss_batches ? 2 : 1), n: u.loss_batches ?? 0, set: f.percent(Number(u.set_loss ?? u.loss), 2) }) })),
    ...(Number(why.direct) > 0 ? [{ label: t('direct'), value: thousandths(why.direct), ...(why.forecast ? { note: t('forecast_note', { date: f.date(why.forecast.data_until) }) } : {}) }] : []),
  ]
  const used = thousandths(why.used)
  return (
    <>
      <h3>{t('uses')}</h3>
      <Parts parts={parts} total={need} totalLabel={t('need')} format={q} slack={parts.length + 1} />
      <Parts parts={[{ label: t('need'), value: need }, ...(safety > 0 ? [{ label: t('safety'), value: safety, note: t('safety_note') }] : []), { label: t('in_stock'), value: -Math.min(stock, used) }, { label: t('in_transit'), value: -(used - Math.min(stock, used)) }]} total={net} totalLabel={t('net')} format={q} slack={line.unit === 'piece' ? 1000 : 2} />
      {why.pooled && <Pooled why={why.pooled} unit={line.unit} safety={ofThousandths(safety - thousandths(why.word?.cushion ?? '0'))} />}
      {why.dms && <ByMean why={why.dms} unit={line.unit} />}
      {why.word && <Word word={why.word} unit={line.unit} />}
      <StockByAge stock={why.stock} unit={line.unit} />
      <section>
        <h3>{t('arriving')}</h3>
        {(why.arriving ?? []).length === 0 ? <p className="zg-note">{t('arriving_none')}</p>
          : <ul className="zg-list">{why.arriving!.map((c) => <li key={c.order_id}>{c.no} · {t('due', { day: f.day(c.due) })} · {f.qty({ qty: c.qty, unit: line.unit })}{c.promised && ` (${t('word_promised', { qty: f.qty({ qty: c.promised, unit: line.unit }) })})`}</li>)}</ul>}
      </section>
    </>
  )
}

/** The classic chain: daily mean sales, lead time and season, safety, what is there, the ceiling, packs. */
function ByMean(props: { why: S['ReplenishDMSWhy']; unit: string }) {
  const { why } = props
  const t = useText(planningText)
  const q = useQty(props.unit)
  const want = thousandths(why.want)
  const sum = thousandths(why.expected) + thousandths(why.safety) - thousandths(why.available) - thousandths(why.in_transit)
  return (
    <section>
      <h3>{t('dms')}</h3>
      <p className="zg-note">{t('dms_mean', { sold: q(thousandths(why.sold)), n: why.days, mean: q(thousandths(why.mean)) })}{why.only_out ? ` · ${t('dms_only_out')}` : why.out_days + why.peak_days > 0 && ` · ${t('dms_left_out', { out: why.out_days, peaks: why.peak_days })}`}</p>
      <Parts parts={[{ label: t('dms_expected', { lead: why.lead_days, review: why.review_days, factor: why.factor }), value: thousandths(why.expected) }, { label: t('safety'), value: thousandths(why.safety) },
        { label: t('available'), value: -thousandths(why.available) }, { label: t('in_transit'), value: -thousandths(why.in_transit) }, ...(sum < 0 ? [{ label: t('dms_enough'), value: -sum }] : [])]} total={want} totalLabel={t('dms_want')} format={q} />
      <ul className="zg-list">
        <li>{why.ceiling === undefined ? t('dms_no_ceiling') : t('dms_ceiling', { ceiling: q(thousandths(why.ceiling)), room: q(thousandths(why.room ?? '0')) })} → {q(thousandths(why.suggested))}</li>
        {thousandths(why.pack) > 0 && <li>{t('dms_packs', { pack: q(thousandths(why.pack)), least: why.min_packs, n: why.packs })} → <b>{q(thousandths(why.qty))}</b></li>}
      </ul>
      {why.less && <Strip tone="amber">{t(`dms_less_${why.less}`)}</Strip>}
    </section>
  )
}

/** What the supplier's word is taken for, and what is held for it. */
function Word(props: { word: S['ReplenishWordWhy']; unit: string }) {
  const { word } = props
  const t = useText(planningText)
  const f = useFormat()
  return (
    <section>
      <h3>{t('word')}</h3>
      <p>{word.late_days > 0 ? t('word_late', { n: word.late_days }) : t('word_in_time')} · {t('word_fill', { share: f.percent(word.fill_bp / 10_000) })}
        {Number(word.cushion) > 0 && ` · ${t('word_cushion', { qty: f.qty({ qty: word.cushion, unit: props.unit }) })}`}</p>
      <p className="zg-note">{t('word_lines', { n: word.lines })}</p>
    </section>
  )
}

/** One safety for all that takes a material: what each product may take more or less, and what that comes to together. */
function Pooled(props: { why: S['ReplenishPooledWhy']; unit: string; safety: string }) {
  const { why, unit } = props
  const t = useText(planningText)
  const f = useFormat()
  const q = (n: string) => f.qty({ qty: n, unit })
  return (
    <section>
      <h3>{t('pooled')}</h3>
      <table className="zg-parts"><tbody>
        {(why.parts ?? []).map((p) => (
          <tr key={p.product_id}>
            <th scope="row">{p.name}<div className="zg-note">{t('pooled_part', { makes: f.qty({ qty: p.makes, unit: p.unit }), sigma: f.qty({ qty: p.sigma, unit: p.unit }) })}</div></th>
            <td className="zg-num">± {q(p.takes)}</td>
          </tr>
        ))}
        <tr><th scope="row">{t('pooled_sigma')}<div className="zg-note">{t('pooled_together', { pct: f.percent(why.together_ppm / 1e6, 0), days: why.days })}</div></th><td className="zg-num">± {q(why.sigma)}</td></tr>
        {Number(why.sigma) > 0 && <tr><th scope="row">{t('pooled_times', { z: f.number((thousandths(props.safety) + thousandths(why.missed)) / thousandths(why.sigma), 2) })}<div className="zg-note">{t('pooled_times_note', { pct: f.percent(why.level_bp / 1e4, 0) })}</div></th><td className="zg-num">{q(ofThousandths(thousandths(props.safety) + thousandths(why.missed)))}</td></tr>}
        {Number(why.missed) > 0 && <tr><th scope="row">{t('pooled_missed')}</th><td className="zg-num">−{q(why.missed)}</td></tr>}
      </tbody><tfoot>
        <tr><th scope="row">{t('pooled_level', { pct: f.percent(why.level_bp / 1e4, 0) })}</th><td className="zg-num">{q(props.safety)}</td></tr>
      </tfoot></table>
    </section>
  )
}

function ProposalReasons(props: { plan: string; line: Proposal; why: S['ReplenishProposalWhy'] }) {
  const { line, why } = props
  const t = useText(planningText)
  const f = useFormat()
  const q = useQty(line.unit)
  // what is missing has reasons of its own: the need it covers
  const needs = useRead(['plan', 'needs', props.plan, line.code], (signal) => must(client.GET('/api/plans/{id}/requirements', { params: { path: { id: props.plan }, query: { q: line.code, limit: 50 } }, signal })))
  const need = needs.data?.items?.find((n) => n.product_id === line.product_id && n.date === line.due) ?? needs.data?.items?.find((n) => n.product_id === line.product_id)
  const opened = useRead(['plan', 'line', props.plan, need?.id], (signal) => must(client.GET('/api/plans/{id}/lines/{line}', { params: { path: { id: props.plan, line: need?.id ?? '' } }, signal })), { skip: !need })
  const terms = [t('lead_h', { n: why.lead_h }), line.min_packs > 1 && t('min_packs', { n: line.min_packs }), t('order_by', { at: line.order_by })].filter(Boolean).join(' · ')
  const net = thousandths(why.net)
  const proposed = thousandths(line.proposed)
  return (
    <>
      {line.late && <Strip tone="red">{t('late')}</Strip>}
      <LevelReasons line={line} why={why} />
      <Facts facts={[[line.kind === 'purchase' ? t('supplier') : t('source'), line.supplier_name || line.source_name], [t('terms'), terms], [t('due', { day: f.day(line.due) }), t('packs', { n: line.packs, pack: f.qty({ qty: line.pack_qty, unit: line.pack_unit }) })],
        line.kind === 'purchase' && [t('amount'), f.yuan(line.amount_fen)], [t('order_now'), f.qty({ qty: line.qty, unit: line.unit })]]} />
      <Parts parts={[{ label: t('net'), value: net }, { label: t('over'), value: proposed - net }]} total={proposed} totalLabel={t('order_qty')} format={q} />
      {!why.static && !why.dms && opened.data?.requirement && opened.data.requirement_why && <RequirementReasons line={opened.data.requirement} why={opened.data.requirement_why} />}
      {(why.others ?? []).length > 0 && (
        <section>
          <h3>{t('others')}</h3>
          <ul className="zg-list">{why.others!.map((o) => <li key={o.supplier_id}>{t('other_one', { n: o.packs, amount: f.yuan(o.amount_fen), at: o.order_by })}{o.late && <> · <Badge tone="red">{t('late')}</Badge></>}</li>)}</ul>
        </section>
      )}
    </>
  )
}

function Decide(props: { plan: string; line: Round | Proposal }) {
  const { plan, line } = props
  const t = useText(planningText)
  const f = useFormat()
  const can = useCan()
  const round = 'make' in line
  const now = round ? line.make : line.qty
  const [open, setOpen] = useState(false)
  const [qty, setQty] = useState(f.decimal(now).replace(/,/g, ''))
  const [reason, setReason] = useState('')
  const path = { id: plan, line: line.id }
  const confirm = useAct(() => act(['confirm line', path], (header) => client.POST('/api/plans/{id}/lines/{line}/confirm', { params: { path, header } })), ['plan', 'purchase'])
  const change = useAct(() => act(['change line', path, qty, reason], (header) => client.POST('/api/plans/{id}/lines/{line}/change', { params: { path, header }, body: { qty: qty.trim(), reason: reason.trim() } })), ['plan', 'purchase'])
  const release = useAct(() => act(['release line', path, reason], (header) => client.POST('/api/plans/{id}/lines/{line}/release', { params: { path, header }, body: { reason: reason.trim() } })), ['plan', 'purchase'])
  const waits = line.state === 'proposed' && (!round && line.held !== undefined || line.execution === 'approve')
  const problem = change.problem ?? confirm.problem ?? release.problem
  const mayChange = round ? line.state !== 'done' : line.state === 'proposed'
  return (
    <section className="zg-decide">
      <p className="zg-line"><LineState state={line.state} execution={line.execution} />{line.decided_at && <span className="zg-note">{t('decided', { who: line.decided_by || t('by_system'), at: f.at(line.decided_at) })}{line.reason && ` · ${t('reason', { reason: line.reason })}`}</span>}</p>
      {problem && <ProblemBox problem={problem} />}
      {waits && can('plan.approve') && !open && (
        <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); void release.run(undefined) }}>
          <label className="zg-field"><span>{t('release_why')}</span><Input required maxLength={200} value={reason} onChange={(e) => setReason(e.target.value)} /></label>
          <div className="zg-acts"><Button type="primary" htmlType="submit" loading={release.busy}>{t('release')}</Button><Button onClick={() => setOpen(true)}>{t('change')}</Button></div>
        </form>
      )}
      {can('plan.confirm') && !waits && !open && (
        <div className="zg-acts">
          {line.state === 'proposed' && <Button type="primary" loading={confirm.busy} onClick={() => void confirm.run(undefined)}>{t('confirm_line')}</Button>}
          {mayChange && <Button onClick={() => setOpen(true)}>{t('change')}</Button>}
        </div>
      )}
      {open && (
        <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); void change.run(undefined).then((done) => done && setOpen(false)) }}>
          <label className="zg-field"><span>{t('change_to')} ({f.unit(line.unit)})</span>
            <Input className="zg-input-right" inputMode="decimal" required value={qty} onChange={(e) => setQty(e.target.value)} autoFocus />
            <span className="zg-note">{t('zero_note')}{!round && line.kind === 'purchase' && ` ${t('per_pack', { pack: f.qty({ qty: line.pack_qty, unit: line.pack_unit }) })}`}</span></label>
          <label className="zg-field"><span>{t('why_change')}</span><Input required maxLength={200} value={reason} placeholder={t('why_placeholder')} onChange={(e) => setReason(e.target.value)} /></label>
          <div className="zg-acts"><Button type="primary" htmlType="submit" loading={change.busy}>{t('save_change')}</Button></div>
        </form>
      )}
    </section>
  )
}
