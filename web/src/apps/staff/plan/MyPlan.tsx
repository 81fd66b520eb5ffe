import { act, client, must, useAct, useListing } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useCan } from '@kit/session'
import { useSite } from '@kit/site'
import { Badge, Empty, ProblemBox, SkeletonLines, Strip } from '@kit/states'
import { WhyPanel } from '@kit/Why'
import { kitText } from '@kit/words'
import { Button } from 'antd'
import { useState } from 'react'
import { LineReasons, LineState, type Round } from '../../../planning/Reasons'
import { Mixes } from '../../../planning/Mixes'
import { Offers } from '../../../planning/Offers'
import { planningText } from '../../../planning/text'
import { useToday } from '../today'
import { shares } from './shares'
import { myPlanText } from './text'

/** What the store makes and orders today: confirm as it is, or open a line, see why, and change it. */
export default function MyPlan() {
  const t = useText(myPlanText)
  const p = useText(planningText)
  const k = useText(kitText)
  const f = useFormat()
  const can = useCan()
  const { site } = useSite()
  const today = useToday(site?.id)
  const plan = today.data?.plan
  const id = plan?.id ?? ''
  const [line, setLine] = useState<{ id: string; name: string }>()
  const [asked, setAsked] = useState(false)
  const rounds = useListing(['plan', 'open rounds', id], (after, signal) => must(client.GET('/api/plans/{id}/production', { params: { path: { id }, query: { limit: 100, open: true, ...(after ? { after } : {}) } }, signal })), { skip: !plan })
  const made = useListing(['plan', 'made rounds', id], (after, signal) => must(client.GET('/api/plans/{id}/production', { params: { path: { id }, query: { limit: 100, state: 'done', ...(after ? { after } : {}) } }, signal })), { skip: !plan })
  const orders = useListing(['plan', 'all orders', id], (after, signal) => must(client.GET('/api/plans/{id}/proposals', { params: { path: { id }, query: { limit: 100, ...(after ? { after } : {}) } }, signal })), { skip: !plan })
  const confirm = useAct(() => act(['confirm plan', id, plan?.rounds_open, plan?.proposals_open, plan?.made_at], (header) => client.POST('/api/plans/{id}/confirm', { params: { path: { id }, header }, body: { what: 'all' } })), ['plan', 'purchase'])
  const run = useAct(() => act(['run plan', site?.id, Math.floor(Date.now() / 60_000)], (header) => client.POST('/api/plans/run', { params: { header }, body: { site_id: site!.id } })), ['jobs'])
  const problem = confirm.problem ?? run.problem ?? today.problem ?? rounds.problem ?? made.problem ?? orders.problem
  const { mine, others } = shares(plan, can('plan.approve'))
  return (
    <>
      <PageHead title={t('title')} note={plan && <>{f.day(plan.date)} · {t('made_at', { at: f.at(plan.made_at) })}{plan.amount_fen > 0 && ` · ${t('amount', { amount: f.yuan(plan.amount_fen) })}`}</>} />
      <div className="zg-stack">
        {problem && <ProblemBox problem={problem} again={() => { today.again(); rounds.again(); made.again(); orders.again() }} />}
        {today.loading ? <SkeletonLines lines={8} /> : !plan ? !problem && (
          <div className="zg-sheet"><Empty title={t('none_title')} action={can('plan.confirm') && (asked ? <p role="status">{t('running')}</p> : <Button type="primary" loading={run.busy} onClick={() => void run.run(undefined).then((j) => j && setAsked(true))}>{t('run')}</Button>)}>{t('none')}</Empty></div>
        ) : (
          <>
            {plan.proposals_late > 0 && <Strip tone="red">{t('late', { n: plan.proposals_late })}</Strip>}
            {plan.lacking > 0 && <Strip tone="amber">{t('lacking', { n: plan.lacking })}</Strip>}
            {can('plan.confirm') && mine > 0 && <Button type="primary" size="large" block loading={confirm.busy} onClick={() => void confirm.run(undefined)}>{t('confirm_all', { n: mine })}</Button>}
            {others > 0 && <Strip tone="amber">{t(can('plan.approve') ? 'release_each' : 'for_approver', { n: others })}</Strip>}
            {can('plan.confirm') && mine + others === 0 && <p><Badge tone="green">{t('confirmed')}</Badge></p>}
            {(confirm.data?.left ?? 0) > 0 && <Strip tone="amber">{t('left', { n: confirm.data!.left })}</Strip>}
            {site && <Mixes site={site.id} title={(text) => <h2>{text}</h2>} />}
            {site && <Offers site={site.id} title={(text) => <h2>{text}</h2>} />}
            <section className="zg-stack-s">
              <h2>{t('make')}</h2>
              {rounds.loading ? <SkeletonLines lines={4} /> : rounds.rows.length === 0 ? <p className="zg-note">{made.rows.length > 0 ? t('make_done') : t('make_none')}</p> : (
                <Rounds rows={rounds.rows} open={setLine} />
              )}
              {rounds.more && <Button onClick={rounds.more}>{k('load_more')}</Button>}
            </section>
            <section className="zg-stack-s">
              <h2>{t('order')}</h2>
              {orders.loading ? <SkeletonLines lines={4} /> : orders.rows.length === 0 ? <p className="zg-note">{t('order_none')}</p> : (
                <div className="st-list">
                  {orders.rows.map((o) => (
                    <button key={o.id} type="button" onClick={() => setLine({ id: o.id, name: o.name })} aria-haspopup="dialog">
                      <span className="st-what"><b>{o.name}</b><span className="zg-note">{o.supplier_name || o.source_name} · {p('order_by', { at: o.order_by.slice(5) })}</span></span>
                      <span className="st-much"><b>{f.qty({ qty: o.qty, unit: o.unit })}</b>{o.late && o.state === 'proposed' ? <Badge tone="red">{p('late')}</Badge> : <LineState state={o.state} execution={o.execution} />}</span>
                    </button>
                  ))}
                </div>
              )}
              {orders.more && <Button onClick={orders.more}>{k('load_more')}</Button>}
            </section>
            {made.rows.length > 0 && (
              <section className="zg-stack-s">
                <h2>{t('made')}</h2>
                <Rounds rows={made.rows} open={setLine} />
                {made.more && <Button onClick={made.more}>{k('load_more')}</Button>}
              </section>
            )}
          </>
        )}
      </div>
      <WhyPanel open={line !== undefined} onClose={() => setLine(undefined)} title={line?.name} lead={p('lead')}>{line && <LineReasons plan={id} line={line.id} />}</WhyPanel>
    </>
  )
}

/** Rounds of making; each opens into its reasons. */
function Rounds(props: { rows: Round[]; open: (line: { id: string; name: string }) => void }) {
  const p = useText(planningText)
  const f = useFormat()
  return (
    <div className="st-list">
      {props.rows.map((r) => (
        <button key={r.id} type="button" onClick={() => props.open({ id: r.id, name: r.name })} aria-haspopup="dialog">
          <span className="st-what"><b>{r.name}</b><span className="zg-note">{p('ready_by', { at: r.ready_by })}</span></span>
          <span className="st-much"><b>{f.qty({ qty: r.make, unit: r.unit })}</b><LineState state={r.state} execution={r.execution} /></span>
        </button>
      ))}
    </div>
  )
}
