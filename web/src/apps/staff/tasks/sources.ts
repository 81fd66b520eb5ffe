import { client, must, useRead } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { useCan } from '@kit/session'
import { shopNow } from '@kit/shopClock'
import { useOffers } from '../../../planning/Offers'
import { useToday } from '../today'
import { onTray, toneOf } from '../tray/order'
import { useTray } from '../tray/Tray'
import type { Task, TaskSource } from './task'
import { tasksText } from './text'

/** The plan of the day that nobody has decided on. */
function usePlanToConfirm(site: string | undefined): TaskSource {
  const t = useText(tasksText)
  const can = useCan()
  const f = useFormat()
  const today = useToday(can('plan.read') ? site : undefined)
  const plan = today.data?.plan
  const tasks: Task[] = []
  if (plan && can('plan.confirm') && plan.rounds_open + plan.proposals_open > 0) {
    const parts = [plan.rounds_open > 0 && t('plan_rounds', { n: plan.rounds_open }), plan.proposals_open > 0 && t('plan_orders', { n: plan.proposals_open }),
      plan.proposals_late > 0 && t('plan_late', { n: plan.proposals_late })]
    tasks.push({ key: 'plan', title: t('plan_title', { date: f.date(plan.date) }), note: parts.filter(Boolean).join(t('comma')), urgent: plan.proposals_late > 0, to: '/plan', act: t('plan_act') })
  }
  return { tasks, loading: today.loading, problem: today.problem, again: today.again }
}

/** Rounds that are confirmed and not made. */
function useRounds(site: string | undefined): TaskSource {
  const t = useText(tasksText)
  const f = useFormat()
  const can = useCan()
  const works = can('make.work')
  const today = useToday(works ? site : undefined)
  const plan = today.data?.plan?.id
  const rounds = useRead(['plan', 'rounds', plan], (signal) => must(client.GET('/api/plans/{id}/production', { params: { path: { id: plan ?? '' }, query: { open: true, limit: 50 } }, signal })), { skip: !plan })
  const tasks = (plan ? rounds.data?.items ?? [] : []).filter((r) => r.state !== 'proposed').map((r): Task => ({
    key: `round ${r.id}`, due: r.ready_at, to: '/kitchen', act: t('round_act'),
    title: t('round_title', { qty: f.qty({ qty: String(Number(r.make) - Number(r.made)), unit: r.unit }), name: r.name }),
  }))
  return { tasks, loading: rounds.loading, problem: rounds.problem, again: rounds.again }
}

/** Materials that were asked for and not taken, and makings that were not reported. */
function useMaking(site: string | undefined): TaskSource {
  const t = useText(tasksText)
  const f = useFormat()
  const can = useCan()
  const skip = !site || !can('make.work')
  const asked = useRead(['produce', 'requisitions', site], (signal) => must(client.GET('/api/making/requisitions', { params: { query: { site_id: site ?? '', state: 'open', limit: 20 } }, signal })), { skip })
  const open = useRead(['produce', 'tasks', site], (signal) => must(client.GET('/api/making/tasks', { params: { query: { site_id: site ?? '', state: 'open', limit: 20 } }, signal })), { skip })
  const tasks: Task[] = skip ? [] : [
    ...(open.data?.items ?? []).map((m): Task => ({ key: `make ${m.id}`, title: t('report_title', { qty: f.qty({ qty: m.planned, unit: m.unit }), name: m.product }), note: t('report_note', { at: f.at(m.made_at) }), to: '/kitchen', act: t('report_act') })),
    ...(asked.data?.items ?? []).map((r): Task => ({ key: `ask ${r.id}`, title: t('ask_title', { qty: f.qty({ qty: r.qty, unit: r.unit }), name: r.product }), note: t('ask_note', { n: (r.materials ?? []).length }), to: '/kitchen', act: t('ask_act') })),
  ]
  return { tasks, loading: asked.loading || open.loading, problem: asked.problem ?? open.problem, again: () => { asked.again(); open.again() } }
}

/** Orders whose goods are expected today or are late. */
function useArrivals(site: string | undefined): TaskSource {
  const t = useText(tasksText)
  const f = useFormat()
  const can = useCan()
  const skip = !site || !can('purchase.read') || !can('stock.manage')
  const today = useToday(skip || !can('plan.read') ? undefined : site)
  const orders = useRead(['purchase', 'open', site], (signal) => must(client.GET('/api/purchase/orders', { params: { query: { site_id: site ?? '', open: true, limit: 100 } }, signal })), { skip })
  const date = today.data?.date
  const tasks = (skip ? [] : orders.data?.items ?? []).filter((o) => !date || o.due <= date).map((o): Task => ({
    key: `order ${o.id}`, title: t('order_title', { supplier: o.supplier_name }), urgent: date !== undefined && o.due < date,
    note: t('order_note', { no: o.no, n: o.line_count, due: f.day(o.due) }), to: `/receive/${o.id}`, act: t('order_act'),
  }))
  return { tasks, loading: orders.loading, problem: orders.problem, again: orders.again }
}

/** Batches that end within minutes, or are over and not written off. */
function useComingOff(site: string | undefined): TaskSource {
  const t = useText(tasksText)
  const f = useFormat()
  const can = useCan()
  const skip = !site || !can('clear.read')
  const tray = useTray(site, skip)
  const now = shopNow()
  const tasks = (skip ? [] : onTray(tray.rows, now)).filter((b) => toneOf(b, now) === 'red').map((b): Task => ({
    key: `off ${b.batch_id}`, due: b.expires_at, title: t('off_title', { name: b.name, qty: f.qty({ qty: b.left, unit: b.unit }) }), note: t('off_note', { code: b.code }), to: '/tray', act: t('off_act'),
  }))
  return { tasks, loading: tray.loading, problem: tray.problem, again: tray.again }
}

/** What stores in reach have too much of, and what somebody here must agree to offer. */
function useNear(site: string | undefined): TaskSource {
  const t = useText(tasksText)
  const f = useFormat()
  const can = useCan()
  const skip = !site || !can('plan.confirm')
  const offers = useOffers(skip ? undefined : site)
  const tasks = (skip ? [] : offers.data?.items ?? []).filter((o) => (o.own ? o.state === 'proposed' : Number(o.mine) === 0)).map((o): Task => ({
    key: `offer ${o.id}`, to: '/plan', ...(o.own
      ? { title: t('spare_title', { name: o.name, qty: f.qty({ qty: o.spare, unit: o.unit }) }), act: t('spare_act') }
      : { title: t('near_title', { site: o.site_name, name: o.name, qty: f.qty({ qty: o.spare, unit: o.unit }) }), note: t('near_note', { minutes: o.minutes, at: f.clock(o.until) }), act: t('near_act') }),
  }))
  return { tasks, loading: offers.loading, problem: offers.problem, again: offers.again }
}

/** Every part of the work that has something to do; a new one is a hook in this list, in a fixed order. */
export const sources: ((site: string | undefined) => TaskSource)[] = [usePlanToConfirm, useRounds, useMaking, useArrivals, useComingOff, useNear]
