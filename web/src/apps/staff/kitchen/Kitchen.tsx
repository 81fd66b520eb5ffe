import { ClockCircleOutlined, CloudSyncOutlined } from '@ant-design/icons'
import { act, client, everyPage, must, useAct, useRead } from '@kit/api'
import type { components } from '@kit/api/schema'
import { ofThousandths, thousandths, useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useSession } from '@kit/session'
import { shopNow, useShopClock } from '@kit/shopClock'
import { useSite } from '@kit/site'
import { Badge, Empty, ProblemBox, SkeletonLines, Strip } from '@kit/states'
import { Button, Drawer, Input } from 'antd'
import { useState, type ReactNode } from 'react'
import { Choose } from '../Choose'
import { useToday } from '../today'
import { useMakings, type FewerReason, type Making } from './makings'
import { kitchenText } from './text'

type S = components['schemas']
type Round = S['ReplenishProductionView']
type MakingTask = S['MakingTask']
type Requisition = S['MakingRequisition']

const soon = 20 * 60_000
const reasons: FewerReason[] = ['made_wrong', 'dropped', 'material_bad', 'equipment', 'tasting', 'sample', 'other']

/** What is to be made, by when: done, made fewer, stop. On a tablet the cards stand side by side. */
export default function Kitchen() {
  const t = useText(kitchenText)
  const { site } = useSite()
  const { me, can } = useSession()
  const today = useToday(site?.id)
  const now = useShopClock()
  const plan = today.data?.plan?.id
  const rounds = useRead(['plan', 'open', plan], (signal) => everyPage((after) => must(client.GET('/api/plans/{id}/production', { params: { path: { id: plan ?? '' }, query: { open: true, limit: 100, ...(after ? { after } : {}) } }, signal }))), { skip: !plan })
  const query = { site_id: site?.id ?? '', state: 'open' as const, limit: 50 }
  const tasks = useRead(['produce', 'tasks', site?.id], (signal) => must(client.GET('/api/making/tasks', { params: { query }, signal })), { skip: !site })
  const asked = useRead(['produce', 'requisitions', site?.id], (signal) => must(client.GET('/api/making/requisitions', { params: { query }, signal })), { skip: !site })
  const book = useMakings(me.id)
  const own = book.makings.filter((m) => m.site === site?.id)
  const lines = plan ? rounds.data ?? [] : []
  const ofOthers = (rows: { id: string }[] | null | undefined, key: 'task' | 'requisition') => (rows ?? []).filter((r) => !own.some((m) => m[key] === r.id))
  const openTasks = ofOthers(tasks.data?.items, 'task') as MakingTask[]
  const openAsked = ofOthers(asked.data?.items, 'requisition') as Requisition[]
  const problem = today.problem ?? rounds.problem ?? tasks.problem ?? asked.problem
  const works = can('make.work')
  const stamp = () => new Date(shopNow()).toISOString()
  const loading = today.loading || rounds.loading
  const nothing = lines.length === 0 && own.length === 0 && openTasks.length === 0 && openAsked.length === 0
  return (
    <>
      <PageHead title={t('title')} note={lines.length > 0 && t('left', { n: lines.length })} />
      <div className="zg-stack">
        {problem && <ProblemBox problem={problem} again={() => { today.again(); rounds.again(); tasks.again(); asked.again() }} />}
        {own.filter((m) => !lines.some((r) => r.id === m.round?.line)).map((m) => <div key={m.id} className="kt-card"><h2>{m.name}</h2><Underway making={m} book={book} /></div>)}
        {openTasks.length > 0 && (
          <section className="zg-stack-s"><h2>{t('open_title')}</h2>
            <div className="kt-cards">{openTasks.map((task) => <TaskCard key={task.id} task={task} works={works} start={(m) => void book.start({ ...m, site: task.site_id, at: stamp() })} />)}</div>
          </section>
        )}
        {openAsked.length > 0 && (
          <section className="zg-stack-s"><h2>{t('asked_title')}</h2>
            <div className="kt-cards">{openAsked.map((r) => <AskedCard key={r.id} asked={r} works={works} take={() => void book.start({ site: r.site_id, product: r.product_id, name: r.product, unit: r.unit, qty: r.qty, requisition: r.id })} />)}</div>
          </section>
        )}
        {loading && nothing && !problem ? <SkeletonLines lines={8} /> : nothing && !problem ? <div className="zg-sheet"><Empty title={t('none_title')}>{t('none')}</Empty></div> : (
          <div className="kt-cards">
            {lines.map((r) => (
              <RoundCard key={r.id} round={r} now={now} works={works} making={own.find((m) => m.round?.line === r.id)} book={book}
                start={(m) => void book.start({ site: site!.id, product: r.product_id, name: r.name, unit: r.unit, round: { plan: plan!, line: r.id, no: r.round, ...(today.data ? { date: today.data.date } : {}) }, ...m, ...(m.made === undefined ? {} : { at: stamp() }) })} plan={plan!} />
            ))}
          </div>
        )}
      </div>
    </>
  )
}

type Book = ReturnType<typeof useMakings>

/** How far what somebody said has come; a refusal says why and what can be done. */
function Underway(props: { making: Making; book: Book }) {
  const { making, book } = props
  const t = useText(kitchenText)
  if (making.refused) {
    return (
      <>
        <Strip tone="red"><b>{t(`refused_${making.refused.step}`)}</b><br />{making.refused.message}</Strip>
        <div className="kt-acts"><Button onClick={() => book.again(making.id)}>{t('again')}</Button><Button onClick={() => void book.forget(making.id, t('forgot'))}>{t('forget')}</Button></div>
      </>
    )
  }
  return <p className="kt-sending" role="status"><CloudSyncOutlined aria-hidden /> {book.isRunning(making.id) && navigator.onLine ? t('sending') : t('waiting')}</p>
}

function RoundCard(props: { round: Round; now: number; works: boolean; plan: string; making: Making | undefined; book: Book; start: (m: Pick<Making, 'qty' | 'made' | 'fewer' | 'settle'>) => void }) {
  const { round, now, making } = props
  const t = useText(kitchenText)
  const f = useFormat()
  const { can } = useSession()
  const [panel, setPanel] = useState<'fewer' | 'stop'>()
  const left = Date.parse(round.ready_at) - now
  const open = thousandths(round.make) - thousandths(round.made)
  const qty = ofThousandths(open)
  const say = (value: string) => f.qty({ qty: value, unit: round.unit })
  const waits = round.state === 'proposed' && (round.execution === 'approve' || !can('plan.confirm')) // for somebody else
  const tone = left < 0 ? 'red' : left < soon ? 'amber' : 'plain'
  return (
    <article className={`kt-card st-${tone}`} aria-label={round.name}>
      <div className="kt-head">
        <h2>{round.name}</h2>
        <span className="st-due" title={f.exact(round.ready_at)}><ClockCircleOutlined aria-hidden /> {t('by', { at: f.clock(round.ready_at) })} · {left < 0 ? t('late_by', { span: f.duration(-left / 1000) }) : t('due_in', { span: f.duration(left / 1000) })}</span>
      </div>
      <p className="kt-qty">{t('make', { qty: say(qty) })}</p>
      <p className="zg-note">{round.code}{Number(round.made) > 0 && ` · ${t('made_so_far', { qty: say(round.made) })}`} {round.state === 'proposed' && <Badge tone={round.execution === 'approve' ? 'red' : 'amber'}>{t(round.execution === 'approve' ? 'not_approved' : 'not_confirmed')}</Badge>}{Number(round.short) > 0 && <> <Badge tone="red">{t('short', { qty: say(round.short) })}</Badge></>}</p>
      {making ? <Underway making={making} book={props.book} /> : props.works && !waits && (
        <>
          <Button type="primary" block size="large" onClick={() => props.start({ qty, made: qty })}>{t('done', { qty: say(qty) })}</Button>
          <div className="kt-acts">
            <Button onClick={() => setPanel('fewer')}>{t('fewer')}</Button>
            <Button onClick={() => props.start({ qty })}>{t('take')}</Button>
            {can('plan.confirm') && <Button onClick={() => setPanel('stop')}>{t('stop')}</Button>}
          </div>
        </>
      )}
      <Fewer open={panel === 'fewer'} title={round.name} unit={round.unit} most={qty} maySettle={can('plan.confirm')} onClose={() => setPanel(undefined)}
        onSave={(made, fewer, settle) => {
          setPanel(undefined)
          props.start({ qty, made, fewer, ...(settle ? { settle: { qty: ofThousandths(thousandths(round.made) + thousandths(made)), reason: t(fewer) } } : {}) })
        }} />
      {panel === 'stop' && <Stop round={round} plan={props.plan} onClose={() => setPanel(undefined)} />}
    </article>
  )
}

function Fewer(props: { open: boolean; title: string; unit: string; most: string; maySettle: boolean; onClose: () => void; onSave: (made: string, fewer: FewerReason, settle: boolean) => void }) {
  const t = useText(kitchenText)
  const f = useFormat()
  const [made, setMade] = useState(props.most)
  const [why, setWhy] = useState<FewerReason>('made_wrong')
  const [rest, setRest] = useState<'stop' | 'later'>('stop')
  const value = thousandths(made)
  const wrong = Number.isNaN(value) || value < 0 || value >= thousandths(props.most)
  const step = (n: number) => setMade(ofThousandths(Math.min(thousandths(props.most) - 1000, Math.max(0, (Number.isNaN(value) ? 0 : value) + n * 1000))).replace(/\.?0+$/, ''))
  return (
    <Sheet open={props.open} title={`${props.title} · ${t('made_title')}`} onClose={props.onClose}>
      <label className="zg-field"><span>{t('made_qty', { unit: f.unit(props.unit) })}</span>
        <span className="kt-step"><Button aria-label="-1" onClick={() => step(-1)}>−</Button><Input className="zg-input-right" inputMode="decimal" value={f.decimal(made).replace(/,/g, '')} onChange={(e) => setMade(e.target.value)} /><Button aria-label="+1" onClick={() => step(1)}>+</Button></span></label>
      <Choose label={t('fewer_why')} value={why} choices={reasons.map((r) => ({ value: r, label: t(r) }))} choose={setWhy} />
      {props.maySettle && <Choose label={t('rest')} value={rest} choices={[{ value: 'stop', label: t('rest_stop') }, { value: 'later', label: t('rest_later') }]} choose={setRest} />}
      <Button type="primary" size="large" block disabled={wrong} onClick={() => props.onSave(ofThousandths(value), why, props.maySettle && rest === 'stop')}>{t('save')}</Button>
    </Sheet>
  )
}

function Stop(props: { round: Round; plan: string; onClose: () => void }) {
  const { round } = props
  const t = useText(kitchenText)
  const f = useFormat()
  const [reason, setReason] = useState('')
  const path = { id: props.plan, line: round.id }
  const stop = useAct(() => act(['stop', path, reason], (header) => client.POST('/api/plans/{id}/lines/{line}/change', { params: { path, header }, body: { qty: round.made, reason: reason.trim() } })), ['plan'])
  return (
    <Sheet open title={`${round.name} · ${t('stop_title')}`} onClose={props.onClose}>
      <p>{t('stop_note', { qty: f.qty({ qty: round.made, unit: round.unit }) })}</p>
      <label className="zg-field"><span>{t('why')}</span><Input autoFocus maxLength={200} value={reason} placeholder={t('why_placeholder')} onChange={(e) => setReason(e.target.value)} /></label>
      {stop.problem && <ProblemBox problem={stop.problem} />}
      <Button type="primary" size="large" block disabled={reason.trim() === ''} loading={stop.busy} onClick={() => void stop.run(undefined).then((done) => done && props.onClose())}>{t('stop_act')}</Button>
    </Sheet>
  )
}

/** Materials are taken; what came of them is still to be said. */
function TaskCard(props: { task: MakingTask; works: boolean; start: (m: Omit<Making, 'id' | 'keys' | 'site' | 'at'>) => void }) {
  const { task } = props
  const t = useText(kitchenText)
  const f = useFormat()
  const [fewer, setFewer] = useState(false)
  const qty = f.qty({ qty: task.planned, unit: task.unit })
  const base = { product: task.product_id, name: task.product, unit: task.unit, qty: task.planned, requisition: task.requisition_id, task: task.id }
  return (
    <article className="kt-card" aria-label={task.product}>
      <div className="kt-head"><h2>{t('open_one', { name: task.product, qty })}</h2><span className="zg-note" title={f.exact(task.made_at)}>{t('open_at', { at: f.at(task.made_at) })}</span></div>
      {props.works && <>
        <Button type="primary" block size="large" onClick={() => props.start({ ...base, made: task.planned })}>{t('report', { qty })}</Button>
        <div className="kt-acts"><Button onClick={() => setFewer(true)}>{t('fewer')}</Button></div>
      </>}
      <Fewer open={fewer} title={task.product} unit={task.unit} most={task.planned} maySettle={false} onClose={() => setFewer(false)} onSave={(made, why) => { setFewer(false); props.start({ ...base, made, fewer: why }) }} />
    </article>
  )
}

/** Materials are asked for; whoever has them says so. */
function AskedCard(props: { asked: Requisition; works: boolean; take: () => void }) {
  const { asked } = props
  const t = useText(kitchenText)
  const f = useFormat()
  const materials = asked.materials ?? []
  const short = materials.filter((m) => thousandths(m.available) < thousandths(m.qty))
  const cancel = useAct(() => act(['cancel', asked.id], (header) => client.POST('/api/making/requisitions/{id}/cancel', { params: { path: { id: asked.id }, header }, body: { reason: t('cancel_why') } })), ['produce'])
  return (
    <article className="kt-card" aria-label={asked.product}>
      <div className="kt-head"><h2>{asked.product}</h2><span className="zg-note">{f.qty({ qty: asked.qty, unit: asked.unit })}</span></div>
      <ul className="zg-list">{materials.map((m) => <li key={m.product_id} className="kt-material"><span>{m.product}{m.instead && <span className="zg-note"> {t('instead', { name: m.instead })}</span>}{m.share !== '1' && <span className="zg-note"> {f.percent(Number(m.share))}</span>}</span><span className="zg-num">{f.qty({ qty: m.qty, unit: m.unit })}</span></li>)}</ul>
      {short.length > 0 && <Strip tone="amber">{t('asked_short', { list: short.map((m) => `${m.product} ${f.qty({ qty: ofThousandths(thousandths(m.qty) - thousandths(m.available)), unit: m.unit })}`).join(' / ') })}</Strip>}
      {cancel.problem && <ProblemBox problem={cancel.problem} />}
      {props.works && <div className="kt-acts"><Button type="primary" onClick={props.take}>{t('asked_take')}</Button><Button loading={cancel.busy} onClick={() => void cancel.run(undefined)}>{t('asked_cancel')}</Button></div>}
    </article>
  )
}

function Sheet(props: { open: boolean; title: string; onClose: () => void; children: ReactNode }) {
  return <Drawer open={props.open} onClose={props.onClose} placement="bottom" title={props.title} destroyOnHidden><div className="zg-stack">{props.children}</div></Drawer>
}
