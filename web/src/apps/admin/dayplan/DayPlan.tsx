import { act, Badge, client, DataTable, Empty, FilterBar, must, PageHead, ProblemBox, Sheet, SitePick, SkeletonLines, Strip, useAct, useCan, useFilters, useFormat, useListing, useRead, useSession, useSite, useText, WhyPanel, type Column, type Listing } from '@kit'
import type { components } from '@kit/api/schema'
import { Button, Checkbox } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { LineLevel, LineReasons, LineState, type Proposal, type Requirement, type Round } from '../../../planning/Reasons'
import { Mixes } from '../../../planning/Mixes'
import { Offers } from '../../../planning/Offers'
import { planningText } from '../../../planning/text'
import { PlanTabs } from '../plan/shared'
import { dayPlanText } from './text'

type PlanView = components['schemas']['ReplenishPlanView']
type Pace = components['schemas']['ReplenishTuningView']

/** What is made and ordered on a day: one site, or all of them with what goes wrong first. */
export default function DayPlan() {
  const { me } = useSession()
  const [filter] = useFilters()
  return me.sites.length > 1 && !filter['site'] ? <AllSites /> : <OneSite />
}

function AllSites() {
  const t = useText(dayPlanText)
  const f = useFormat()
  const [filter] = useFilters()
  const { me } = useSession()
  const first = me.sites[0]!.id
  const today = useRead(['plan', 'today', first], (signal) => must(client.GET('/api/plans/today', { params: { query: { site_id: first } }, signal })))
  const date = filter['date'] ?? today.data?.date
  const plans = useListing(['plan', 'all', date], (after, signal) => must(client.GET('/api/plans', { params: { query: { limit: 100, ...(date ? { date } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !date })
  const rows: Listing<PlanView> = { ...plans, rows: [...plans.rows].sort((a, b) => b.proposals_late - a.proposals_late || b.lacking - a.lacking || b.rounds_open + b.proposals_open - a.rounds_open - a.proposals_open) }
  const columns: Column<PlanView>[] = [
    { key: 'site', head: t('site'), cell: (p) => <>{p.site_name} <span className="zg-note">{p.site_code}</span></>, by: (p) => p.site_code },
    { key: 'late', head: t('late'), right: true, cell: (p) => (p.proposals_late > 0 ? <Badge tone="red">{p.proposals_late}</Badge> : ''), by: (p) => p.proposals_late },
    { key: 'lacking', head: t('lacking'), right: true, cell: (p) => (p.lacking > 0 ? <Badge tone="amber">{p.lacking}</Badge> : ''), by: (p) => p.lacking },
    { key: 'rounds_open', head: t('rounds_open'), right: true, cell: (p) => p.rounds_open || '', by: (p) => p.rounds_open },
    { key: 'proposals_open', head: t('proposals_open'), right: true, cell: (p) => p.proposals_open || '', by: (p) => p.proposals_open },
    { key: 'done', head: t('rounds_done'), right: true, cell: (p) => `${p.rounds_done} / ${p.rounds}`, by: (p) => p.rounds_done },
    { key: 'open', head: t('amount_open'), unit: '¥', right: true, cell: (p) => f.money(p.amount_open_fen), by: (p) => p.amount_open_fen, wide: true },
    { key: 'amount', head: t('amount'), unit: '¥', right: true, cell: (p) => f.money(p.amount_fen), by: (p) => p.amount_fen },
  ]
  return (
    <>
      <PageHead title={t('title')} note={date && f.day(date)} />
      <PlanTabs />
      <FilterBar filters={[{ kind: 'date', name: 'date', label: t('date') }]} />
      <DataTable label={t('sites')} rows={rows} columns={columns} rowKey={(p) => p.id} to={(p) => `/day?site=${p.site_id}&date=${p.date}`} empty={<Empty title={t('none_title')}>{t('none')}</Empty>} />
    </>
  )
}

function OneSite() {
  const t = useText(dayPlanText)
  const p = useText(planningText)
  const f = useFormat()
  const can = useCan()
  const { me } = useSession()
  const place = useSite()
  const site = place.site?.id
  const [filter] = useFilters()
  const today = useRead(['plan', 'today', site], (signal) => must(client.GET('/api/plans/today', { params: { query: { site_id: site ?? '' } }, signal })), { skip: !site })
  const date = filter['date'] ?? today.data?.date
  const plans = useRead(['plan', 'of', site, date], (signal) => must(client.GET('/api/plans', { params: { query: { site_id: site ?? '', limit: 1, ...(date ? { date } : {}) } }, signal })), { skip: !site || !date })
  const plan = plans.data?.items?.[0]
  const [asked, setAsked] = useState(false)
  const [line, setLine] = useState<{ id: string; name: string }>()
  const run = useAct(() => act(['run plan', site, date, Math.floor(Date.now() / 60_000)], (header) => client.POST('/api/plans/run', { params: { header }, body: { site_id: site!, ...(date ? { date } : {}) } })), ['jobs'])
  const problem = run.problem ?? today.problem ?? plans.problem
  const mayRun = can('plan.confirm') && site && <Button loading={run.busy} onClick={() => void run.run(undefined).then((j) => j && setAsked(true))}>{t('run')}</Button>
  return (
    <>
      <PageHead title={place.site ? t('of_site', { site: place.site.name }) : t('title')} {...(me.sites.length > 1 ? { back: { to: `/day${date ? `?date=${date}` : ''}`, label: t('all_sites') } } : {})}
        note={plan && <>{f.day(plan.date)} · {plan.data_until ? t('made', { at: f.at(plan.made_at), date: f.date(plan.data_until) }) : t('no_data', { at: f.at(plan.made_at) })}</>}>
        <SitePick {...place} />{mayRun}
      </PageHead>
      <PlanTabs />
      <FilterBar filters={[{ kind: 'date', name: 'date', label: t('date') }]} />
      <div className="zg-stack">
        {problem && <ProblemBox problem={problem} again={() => { today.again(); plans.again() }} />}
        {asked && <Strip action={<Button size="small" onClick={() => { setAsked(false); plans.again() }}>OK</Button>}>{t('running')}</Strip>}
        {plans.loading || today.loading ? <SkeletonLines lines={8} /> : !plan ? !problem && <div className="zg-sheet"><Empty title={t('none_title')} action={mayRun}>{t('none')}</Empty></div> : (
          <>
            {plan.proposals_late > 0 && <Strip tone="red">{t('ex_late', { n: plan.proposals_late })}</Strip>}
            {plan.lacking > 0 && <Strip tone="amber" action={<Link to={`?site=${site}&date=${plan.date}&missing=1#needs`}>{t('missing')}</Link>}>{t('ex_lacking', { n: plan.lacking })}</Strip>}
            <div className="zg-figures">
              {([['rounds_open', plan.rounds_open], ['proposals_open', plan.proposals_open]] as const).map(([key, n]) => <div key={key} className="zg-figure"><span className="zg-figure-label">{t(key)}</span><span className="zg-figure-value">{n}</span></div>)}
              <div className="zg-figure"><span className="zg-figure-label">{t('rounds_done')}</span><span className="zg-figure-value">{plan.rounds_done} / {plan.rounds}</span></div>
              <div className="zg-figure"><span className="zg-figure-label">{t('amount_open')}</span><span className="zg-figure-value">{f.yuan(plan.amount_open_fen)}</span><span className="zg-note">{t('amount')} {f.yuan(plan.amount_fen)}</span></div>
            </div>
            <Orders plan={plan} open={setLine} wants />
            <PaceNow plan={plan} open={setLine} />
            {plan.date === today.data?.date && <Offers site={plan.site_id} title={(text) => <h2>{text}</h2>} />}
            {plan.date === today.data?.date && <Mixes site={plan.site_id} title={(text) => <h2>{text}</h2>} history />}
            <Production plan={plan} open={setLine} />
            <Orders plan={plan} open={setLine} />
            <Needs plan={plan} open={setLine} />
          </>
        )}
      </div>
      <WhyPanel open={line !== undefined} onClose={() => setLine(undefined)} title={line?.name} lead={p('lead')}>
        {line && plan && <LineReasons plan={plan.id} line={line.id} documents={(kind, id) => (kind === 'purchase' ? can('purchase.read') && <Link to={`/buy/${id}`}>{t('document')}</Link> : <Link to={`/buy/requisitions/${id}`}>{t('requisition')}</Link>)} />}
      </WhyPanel>
    </>
  )
}

interface Part {
  plan: PlanView
  open: (line: { id: string; name: string }) => void
}

/** Confirm what is chosen, or all that nobody has decided on. */
function useConfirm(plan: PlanView, what: 'production' | 'proposals') {
  const t = useText(dayPlanText)
  const can = useCan()
  const [chosen, setChosen] = useState<readonly string[]>([])
  const others = (what === 'production' ? 0 : plan.proposals_held) + (can('plan.approve') ? 0 : what === 'production' ? plan.rounds_approve : plan.proposals_approve)
  const open = (what === 'production' ? plan.rounds_open : plan.proposals_open) - others // that this person may confirm
  const act_ = useAct((lines: readonly string[]) => act(['confirm', plan.id, what, lines, open, plan.made_at], (header) =>
    client.POST('/api/plans/{id}/confirm', { params: { path: { id: plan.id }, header }, body: { what, ...(lines.length > 0 ? { lines: [...lines] } : {}) } })), ['plan', 'purchase'])
  const may = can('plan.confirm') && open > 0
  const button = may && <Button type={chosen.length > 0 ? 'primary' : 'default'} loading={act_.busy} onClick={() => void act_.run(chosen).then((done) => done && setChosen([]))}>{chosen.length > 0 ? t('confirm_some', { n: chosen.length }) : t('confirm_all')}</Button>
  const box = (line: { id: string; name: string; state: string; execution: string }) => may && line.state === 'proposed' && (line.execution !== 'approve' || can('plan.approve')) && (
    <Checkbox aria-label={t('pick', { name: line.name })} checked={chosen.includes(line.id)} onChange={(e) => setChosen((old) => (e.target.checked ? [...old, line.id] : old.filter((id) => id !== line.id)))} />
  )
  return { button, box, may, problem: act_.problem, left: what === 'proposals' ? act_.data?.left ?? 0 : 0 }
}

function Production(props: Part) {
  const { plan } = props
  const t = useText(dayPlanText)
  const p = useText(planningText)
  const f = useFormat()
  const confirm = useConfirm(plan, 'production')
  const rows = useListing(['plan', 'production', plan.id], (after, signal) => must(client.GET('/api/plans/{id}/production', { params: { path: { id: plan.id }, query: { limit: 200, ...(after ? { after } : {}) } }, signal })))
  const columns: Column<Round>[] = [
    { key: 'name', head: t('product'), cell: (r) => <>{confirm.box(r)} {r.name} <span className="zg-note">{r.code}</span></>, by: (r) => r.name },
    { key: 'round', head: t('round'), cell: (r) => p(`round_${r.round as 1}`), by: (r) => r.round },
    { key: 'ready', head: t('ready'), cell: (r) => r.ready_by, by: (r) => r.ready_at },
    { key: 'mean', head: t('expected'), right: true, cell: (r) => f.number(Number(r.mean), 1), by: (r) => Number(r.mean), wide: true },
    { key: 'on_hand', head: t('on_hand'), right: true, cell: (r) => f.decimal(r.on_hand), by: (r) => Number(r.on_hand), wide: true },
    { key: 'proposed', head: t('proposed'), right: true, cell: (r) => f.decimal(r.proposed), by: (r) => Number(r.proposed), wide: true },
    { key: 'make', head: t('make'), right: true, cell: (r) => <><b>{f.qty({ qty: r.make, unit: r.unit })}</b>{Number(r.short) > 0 && <div><Badge tone="red">{t('short', { qty: f.decimal(r.short) })}</Badge></div>}</>, by: (r) => Number(r.make) },
    { key: 'made', head: t('made_col'), right: true, cell: (r) => (Number(r.made) > 0 ? f.decimal(r.made) : ''), by: (r) => Number(r.made) },
    { key: 'state', head: t('state'), cell: (r) => <LineState state={r.state} execution={r.execution} />, by: (r) => r.state },
  ]
  return (
    <Sheet title={t('production')} note={t('production_note')} acts={confirm.button} flush>
      {confirm.problem && <ProblemBox problem={confirm.problem} />}
      <DataTable label={t('production')} rows={rows} columns={columns} rowKey={(r) => r.id} onOpen={props.open} empty={<p className="zg-note">{t('production_none')}</p>} />
    </Sheet>
  )
}

/** What sells far off its forecast on the day, and what is done about it; nothing where all is as expected. */
function PaceNow(props: Part) {
  const { plan } = props
  const t = useText(dayPlanText)
  const f = useFormat()
  const rows = useListing(['plan', 'pace', plan.site_id, plan.date], (after, signal) => must(client.GET('/api/plans/pace', { params: { query: { site_id: plan.site_id, date: plan.date, limit: 200, ...(after ? { after } : {}) } }, signal })))
  const off = { ...rows, rows: rows.rows.filter((r) => r.outcome !== 'past') }
  if (off.rows.length === 0) return null
  const tone = { enough: 'green', purchase: 'amber', transfer: 'amber', unobtainable: 'red', make: 'amber', cut: 'plain', outranked: 'amber', past: 'green' } as const
  const columns: Column<Pace>[] = [
    { key: 'name', head: t('product'), cell: (r) => <>{r.name} <span className="zg-note">{r.code}</span></>, by: (r) => r.name },
    { key: 'sold', head: t('sold'), right: true, cell: (r) => f.qty({ qty: r.sold, unit: r.unit }), by: (r) => Number(r.sold) },
    { key: 'expected', head: t('by_now'), right: true, cell: (r) => f.number(Number(r.expected), 1), by: (r) => Number(r.expected) },
    { key: 'off', head: t('off'), right: true, cell: (r) => f.percent(Number(r.sold) / Math.max(0.001, Number(r.expected)) - 1, 0), by: (r) => Number(r.sold) / Math.max(0.001, Number(r.expected)) },
    { key: 'have', head: t('have'), right: true, cell: (r) => f.decimal(r.available), by: (r) => Number(r.available), wide: true },
    { key: 'rest', head: t('rest'), right: true, cell: (r) => f.number(Number(r.remaining), 1), by: (r) => Number(r.remaining), wide: true },
    { key: 'out', head: t('out_at'), cell: (r) => r.out_at, by: (r) => r.out_at },
    { key: 'outcome', head: t('done_about'), cell: (r) => <><Badge tone={tone[r.outcome]}>{t(`outcome_${r.outcome}`)}</Badge>
      {r.outcome === 'unobtainable' && r.substitute_name && <div className="zg-note">{t('instead', { name: r.substitute_name })}</div>}{r.outcome === 'cut' && Number(r.spare) > 0 && <div className="zg-note">{t('spare', { qty: f.qty({ qty: r.spare, unit: r.unit }) })}</div>}</>, by: (r) => r.outcome },
  ]
  return (
    <Sheet title={t('pace')} note={t('pace_note')} flush>
      <DataTable label={t('pace')} rows={off} columns={columns} rowKey={(r) => r.id} onOpen={(r) => r.plan_id === plan.id && r.proposal_id && props.open({ id: r.proposal_id, name: r.name })} empty={null} />
    </Sheet>
  )
}

/** Lines to be ordered: those that want somebody's eye, or all. */
function Orders(props: Part & { wants?: boolean }) {
  const { plan, wants } = props
  const t = useText(dayPlanText)
  const p = useText(planningText)
  const f = useFormat()
  const confirm = useConfirm(plan, 'proposals')
  const rows = useListing(['plan', 'proposals', plan.id, wants], (after, signal) => must(client.GET('/api/plans/{id}/proposals', { params: { path: { id: plan.id }, query: { limit: 200, ...(wants ? { wants } : {}), ...(after ? { after } : {}) } }, signal })))
  if (wants && rows.rows.length === 0) return null
  const columns: Column<Proposal>[] = [
    { key: 'name', head: t('product'), cell: (o) => <>{!o.held && confirm.box(o)} {o.name} <span className="zg-note">{o.code}</span> <LineLevel line={o} /></>, by: (o) => o.name },
    { key: 'from', head: t('from'), cell: (o) => o.supplier_name || o.source_name, by: (o) => o.supplier_name || o.source_name },
    { key: 'by', head: t('order_by'), cell: (o) => <>{f.date(o.order_by.slice(0, 10))} {o.order_by.slice(11)}</>, by: (o) => o.order_by },
    { key: 'due', head: t('due'), cell: (o) => f.date(o.due), by: (o) => o.due },
    { key: 'net', head: t('net'), right: true, cell: (o) => f.decimal(o.net), by: (o) => Number(o.net), wide: true },
    { key: 'packs', head: t('packs'), right: true, cell: (o) => (o.kind === 'purchase' ? o.packs : ''), by: (o) => o.packs, wide: true },
    { key: 'qty', head: t('qty'), right: true, cell: (o) => <b>{f.qty({ qty: o.qty, unit: o.unit })}</b>, by: (o) => Number(o.qty) },
    { key: 'over', head: t('over'), right: true, cell: (o) => (Number(o.over) > 0 ? f.decimal(o.over) : ''), by: (o) => Number(o.over), wide: true },
    { key: 'sum', head: t('sum'), unit: '¥', right: true, cell: (o) => (o.kind === 'purchase' ? f.money(o.amount_fen) : ''), by: (o) => o.amount_fen },
    { key: 'state', head: t('state'), cell: (o) => (o.late && o.state === 'proposed' ? <Badge tone="red">{p('late')}</Badge> : <LineState state={o.state} execution={o.execution} />), by: (o) => (o.late ? '0' : o.state) },
  ]
  return (
    <Sheet title={wants ? t('exceptions') : t('orders')} {...(wants ? { note: t('exceptions_note') } : { acts: confirm.button })} flush>
      {confirm.problem && <ProblemBox problem={confirm.problem} />}
      {confirm.left > 0 && <Strip tone="amber">{t('left', { n: confirm.left })}</Strip>}
      <DataTable label={wants ? t('exceptions') : t('orders')} rows={rows} columns={columns} rowKey={(o) => o.id} onOpen={props.open} empty={<p className="zg-note">{t('orders_none')}</p>} />
    </Sheet>
  )
}

function Needs(props: Part) {
  const { plan } = props
  const t = useText(dayPlanText)
  const f = useFormat()
  const [filter] = useFilters()
  const missing = filter['missing'] === '1'
  const rows = useListing(['plan', 'needs', plan.id, missing], (after, signal) => must(client.GET('/api/plans/{id}/requirements', { params: { path: { id: plan.id }, query: { limit: 200, ...(missing ? { missing } : {}), ...(after ? { after } : {}) } }, signal })))
  const wanted = { ...rows, rows: rows.rows.filter((n) => Number(n.need) + Number(n.safety) + Number(n.net) > 0 || n.lacking) }
  const idle = rows.rows.length - wanted.rows.length
  const columns: Column<Requirement>[] = [
    { key: 'name', head: t('product'), cell: (n) => <>{n.name} <span className="zg-note">{n.code}</span></>, by: (n) => n.name },
    { key: 'day', head: t('day'), cell: (n) => f.date(n.date), by: (n) => n.date },
    { key: 'need', head: t('need'), right: true, cell: (n) => f.qty({ qty: n.need, unit: n.unit }), by: (n) => Number(n.need) },
    { key: 'safety', head: t('need_safety'), right: true, cell: (n) => (Number(n.safety) > 0 ? f.decimal(n.safety) : ''), by: (n) => Number(n.safety), wide: true },
    { key: 'stock', head: t('stock'), right: true, cell: (n) => f.decimal(n.on_hand), by: (n) => Number(n.on_hand) },
    { key: 'transit', head: t('in_transit'), right: true, cell: (n) => (Number(n.in_transit) > 0 ? f.decimal(n.in_transit) : ''), by: (n) => Number(n.in_transit) },
    { key: 'net', head: t('net'), right: true, cell: (n) => <b>{Number(n.net) > 0 ? f.qty({ qty: n.net, unit: n.unit }) : ''}</b>, by: (n) => Number(n.net) },
    { key: 'note', head: '', cell: (n) => (n.lacking ? <Badge tone="amber">{t('nobody')}</Badge> : n.made ? <span className="zg-note">{t('made_here')}</span> : ''), by: (n) => (n.lacking ? 0 : 1) },
  ]
  return (
    <div id="needs">
      <Sheet title={t('requirements')} {...(idle > 0 ? { note: t('requirements_idle', { n: f.number(idle) }) } : {})} flush>
        <div className="zg-sheet-head"><FilterBar filters={[{ kind: 'flag', name: 'missing', label: t('missing') }]} /></div>
        <DataTable label={t('requirements')} rows={wanted} columns={columns} rowKey={(n) => n.id} onOpen={props.open} empty={<p className="zg-note">{t('requirements_none')}</p>} />
      </Sheet>
    </div>
  )
}
