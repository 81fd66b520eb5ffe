import { client, must, useRead } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { LiveDot } from '@kit/live'
import { Mark } from '@kit/Mark'
import { useSession } from '@kit/session'
import { Empty } from '@kit/states'
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react'
import { Link, useNavigate } from 'react-router-dom'
import { Halves, Trend } from './Drawings'
import { Age, Loaded, useDay, useYuan, type Day, type Figures } from './shared'
import { boardText } from './text'

const stay = 20_000 // ms that a page stays
const rest = 60_000 // ms without rotation after somebody touched it

export function Board() {
  const t = useText(boardText)
  const { can } = useSession()
  if (!can('report.read')) return <Empty page title={t('no_permission')}>{t('no_permission_way')}</Empty>
  return <Wall />
}

function Wall() {
  const t = useText(boardText)
  const read = useDay()
  const pages: { key: string; view: (day: Day) => ReactNode }[] = [
    { key: 'figures', view: (day) => <Overview day={day} /> },
    { key: 'stores', view: (day) => <Stores day={day} /> },
    { key: 'alarms', view: (day) => <AlarmsAndAccuracy day={day} /> },
  ]
  const { at, go, held, hold } = useRotation(pages.length)
  const page = pages[at] ?? pages[0]!
  return (
    <div className="bd">
      <header className="bd-head">
        <Mark />
        <h1>{t('title')}</h1>
        {read.data && <Age of={read.data} at={read.data.as_of} />}
        {read.problem && read.data && <span className="bd-red">{read.problem.message}</span>}
        <span className="zg-grow" />
        <nav className="bd-pages" aria-label={t('page', { n: at + 1, all: pages.length })}>
          {pages.map((p, i) => <button key={p.key} type="button" aria-label={t('page', { n: i + 1, all: pages.length })} aria-current={i === at} onClick={() => go(i)} />)}
          <button type="button" className="bd-hold" onClick={hold} aria-pressed={held}>{held ? t('resume') : t('pause')}</button>
          <button type="button" className="bd-hold bd-full" onClick={() => void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen())}>{t('full')}</button>
        </nav>
        <LiveDot />
      </header>
      <Loaded read={read}>{(day) => (day.stores ?? []).length === 0 ? <Empty page title={t('empty')}>{t('empty_way')}</Empty> : <main className="bd-main" key={page.key}>{page.view(day)}</main>}</Loaded>
    </div>
  )
}

/** Pages turn by themselves on a wide screen; whoever turns them by hand has them for a minute. */
function useRotation(count: number) {
  const [at, setAt] = useState(0)
  const [held, setHeld] = useState(false)
  const touched = useRef(0)
  const go = useCallback((i: number) => {
    touched.current = Date.now()
    setAt(((i % count) + count) % count)
  }, [count])
  useEffect(() => {
    if (held) return
    const turn = setInterval(() => {
      if (!document.hidden && Date.now() - touched.current > rest && matchMedia('(min-width: 901px)').matches) setAt((i) => (i + 1) % count)
    }, stay)
    return () => clearInterval(turn)
  }, [held, count])
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key === 'ArrowRight') go(at + 1)
      else if (e.key === 'ArrowLeft') go(at - 1)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [at, go])
  return { at, go, held, hold: () => setHeld((h) => !h) }
}

// --- the three figures

export function ThreeFigures(props: { figures: Figures; trend: Day['trend']; to: (by: 'out' | 'loss' | 'sales') => string }) {
  const { figures: x, to } = props
  const t = useText(boardText)
  const f = useFormat()
  const yuan = useYuan()
  const trend = props.trend ?? []
  const hours = t('hours', { n: f.number(x.worked_min / 60, 1) })
  return (
    <section className="bd-three">
      <Big
        to={to('out')} name={t('out')} value={x.out_rate} words={(v) => f.percent(v)} none={t('no_base')} trend={trend.map((d) => d.out_rate)} delta={(d) => t('points', { n: f.signed(f.number(d * 100, 1)) })} lowIsGood
        notes={[t('out_of', { out: f.number(x.slots_out), all: f.number(x.slots_on_sale) }), ...(x.out_rate_early == null ? [] : [t('early', { rate: f.percent(x.out_rate_early) })])]}
        alarm={x.out_now > 0 ? t('out_now', { n: x.out_now }) : undefined}
      />
      <Big
        to={to('loss')} name={t('loss')} value={x.loss_rate} words={(v) => f.percent(v)} none={t('no_base')} trend={trend.map((d) => d.loss_rate)} delta={(d) => t('points', { n: f.signed(f.number(d * 100, 1)) })} lowIsGood
        notes={[t('loss_of', { lost: f.yuan(x.wasted_fen + x.making_loss_fen), base: f.yuan(x.received_fen + x.made_fen) })]}
      />
      <Big
        to={to('sales')} name={t('labour')} unit={t('per_hour')} value={x.per_hour_fen} words={(v) => yuan(v)} none={t(x.present > 0 ? 'hours_short' : 'no_hours')} trend={trend.map((d) => d.per_hour_fen)} delta={(d) => f.signed(yuan(d))}
        notes={[t('labour_of', { sales: f.yuan(x.net_fen), hours }), t('present', { n: x.present })]}
        alarm={x.cut > 0 ? t('cut', { n: x.cut }) : undefined}
      />
    </section>
  )
}

function Big(props: {
  to: string; name: string; unit?: string; value: number | null; words: (v: number) => string; none: string; trend: readonly (number | null | undefined)[]
  delta: (d: number) => string; lowIsGood?: boolean; notes: readonly string[]; alarm?: string | undefined
}) {
  const t = useText(boardText)
  const week = props.trend.at(-8)
  const before = props.trend.at(-2)
  const base = typeof week === 'number' ? week : before
  const change = typeof base === 'number' && props.value != null ? props.value - base : undefined
  const good = change !== undefined && (props.lowIsGood ? change <= 0 : change >= 0)
  return (
    <Link className="bd-big" to={props.to}>
      <h2>{props.name}{props.unit && <small>{props.unit}</small>}</h2>
      {props.value == null ? <p className="bd-none">{props.none}</p> : <p className="bd-figure">{props.words(props.value)}</p>}
      <p className={`bd-delta ${change === undefined ? '' : good ? 'bd-green' : 'bd-red'}`}>
        {change !== undefined && <>{change > 0 ? '\u25b2' : change < 0 ? '\u25bc' : '\u25cf'} {t(typeof week === 'number' ? 'against_week' : 'against_yesterday', { delta: props.delta(change) })}</>}
      </p>
      <Trend values={props.trend} label={props.name} />
      {props.notes.map((n) => <p key={n} className="bd-note">{n}</p>)}
      {props.alarm && <p className="bd-note bd-red">{'\u25b2'} {props.alarm}</p>}
    </Link>
  )
}

// --- pages

function Overview(props: { day: Day }) {
  const { day } = props
  const t = useText(boardText)
  return (
    <>
      <ThreeFigures figures={day.total} trend={day.trend} to={(by) => `/goods/${by}`} />
      <div className="bd-two">
        <section className="bd-sheet bd-wide"><SalesHead figures={day.total} cleared="/clearance" /><Halves halves={day.halves} /></section>
        <section className="bd-sheet"><h2>{t('alarms')}</h2><AlarmList day={day} most={5} /></section>
      </div>
    </>
  )
}

export function SalesHead(props: { figures: Figures; cleared: string }) {
  const { figures: x } = props
  const t = useText(boardText)
  const f = useFormat()
  const yuan = useYuan()
  return (
    <>
      <h2>{t('sales_plan')}</h2>
      <dl className="bd-facts">
        <div><dt>{t('sales')}</dt><dd>¥{yuan(x.net_fen)}</dd><dd className="bd-note">{x.plan_so_far_fen > 0 ? t('plan_so_far', { plan: `¥${yuan(x.plan_so_far_fen)}` }) : x.week_so_far_fen > 0 ? t('week_so_far', { week: `¥${yuan(x.week_so_far_fen)}` }) : ''}</dd></div>
        <div><dt>{t('slips')}</dt><dd>{f.number(x.slips)}</dd><dd className="bd-note">{x.ticket_fen == null ? '' : `${t('ticket')} ${f.yuan(Math.round(x.ticket_fen))}`}</dd></div>
        <div><dt>{t('pieces')}</dt><dd>{f.number(Number(x.pieces))}</dd></div>
        <div><dt>{t('making')}</dt><dd>{x.to_make_fen > 0 ? f.percent(x.done_fen / x.to_make_fen, 0) : '\u2013'}</dd><dd className={x.rounds_late > 0 ? 'bd-note bd-red' : 'bd-note'}>{x.rounds === 0 ? t('making_none') : x.rounds_late > 0 ? `\u25b2 ${t('making_late', { n: x.rounds_late })}` : t('making_of', { done: x.rounds_done, all: x.rounds })}</dd></div>
        <div><dt><Link to={props.cleared}>{t('cleared')}</Link></dt><dd>{x.cleared.batches === 0 ? '\u2013' : f.yuan(x.cleared.sold_fen)}</dd><dd className="bd-note">{x.cleared.batches === 0 ? t('cleared_none') : t('cleared_of', { full: f.yuan(x.cleared.full_fen), lost: f.yuan(x.cleared.lost_fen) })}</dd></div>
      </dl>
    </>
  )
}

function Stores(props: { day: Day }) {
  const { day } = props
  const t = useText(boardText)
  const f = useFormat()
  const yuan = useYuan()
  const navigate = useNavigate()
  return (
    <section className="bd-sheet bd-fill">
      <h2>{t('stores')}</h2>
      <div className="bd-scroll" tabIndex={0}>
        <table className="bd-table">
          <thead>
            <tr><th>{t('store')}</th><th className="zg-num">{t('out')}</th><th className="zg-num">{t('loss')}</th><th className="zg-num">{t('labour')}<small>{t('per_hour')}</small></th><th className="zg-num">{t('sales')}<small>{t('yuan')}</small></th><th className="zg-num bd-wider">{t('plan')}<small>{t('yuan')}</small></th><th className="zg-num bd-wider">{t('slips')}</th><th className="zg-num bd-wider">{t('making')}</th></tr>
          </thead>
          <tbody>
            {(day.stores ?? []).map((s) => (
              <tr key={s.site_id} onClick={() => navigate(`/stores/${s.site_id}`)}>
                <td><Link to={`/stores/${s.site_id}`} onClick={(e) => e.stopPropagation()}>{s.name}</Link> <small className="bd-note">{s.open ? t('open') : t('closed')}</small></td>
                <td className="zg-num">{rate(s.out_rate)}{s.out_now > 0 && <small className="bd-red">{'\u25b2'} {t('out_now', { n: s.out_now })}</small>}</td>
                <td className="zg-num">{rate(s.loss_rate)}</td>
                <td className="zg-num">{s.per_hour_fen == null ? '\u2013' : yuan(s.per_hour_fen)}</td>
                <td className="zg-num">{yuan(s.net_fen)}</td>
                <td className="zg-num bd-wider">{yuan(s.plan_so_far_fen)}</td>
                <td className="zg-num bd-wider">{f.number(s.slips)}</td>
                <td className="zg-num bd-wider">{s.rounds === 0 ? '\u2013' : `${s.rounds_done} / ${s.rounds}`}{s.rounds_late > 0 && <small className="bd-red">{'\u25b2'} {t('making_late', { n: s.rounds_late })}</small>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )

  function rate(v: number | null) {
    return v == null ? '\u2013' : f.percent(v)
  }
}

function AlarmsAndAccuracy(props: { day: Day }) {
  const t = useText(boardText)
  const { can } = useSession()
  return (
    <div className="bd-two bd-fill">
      <section className="bd-sheet bd-wide"><h2>{t('alarms')}</h2><AlarmList day={props.day} most={14} /></section>
      {can('forecast.read') && <section className="bd-sheet"><h2>{t('accuracy')}</h2><AccuracyTable /></section>}
    </div>
  )
}

export function AlarmList(props: { day: Day; most: number }) {
  const { day, most } = props
  const t = useText(boardText)
  const f = useFormat()
  const { can, me } = useSession()
  const checks = useRead(['checks', 'board'], (signal) => must(client.GET('/api/checks', { signal })), { skip: !can('check.read') || !me.permissions.includes('check.read'), every: 30_000 })
  const bad = checks.data?.proofs?.filter((p) => p.bad > 0).length ?? 0
  const alarms = day.alarms ?? []
  const [open, setOpen] = useState(false)
  const shown = open ? alarms : alarms.slice(0, most - (bad > 0 ? 1 : 0))
  const left = day.alarms_all - shown.reduce((n, a) => n + 1 + a.more, 0)
  if (alarms.length === 0 && bad === 0) return <p className="bd-quiet bd-green">{'\u2713'} {t('alarms_none')}</p>
  return (
    <ul className="bd-alarms">
      {bad > 0 && <li><span className="bd-red">{'\u25b2'} {t('now')}</span><span>{t('check_red', { n: bad })}</span><span /></li>}
      {shown.map((a, i) => {
        const words = a.kind === 'sold_out' ? t('sold_out', { product: a.product }) : a.kind === 'round_late' ? t('round_late', { product: a.product, n: a.n }) : a.kind === 'expired' ? t('expired', { product: a.product, n: a.n })
          : a.kind === 'expires_soon' ? t('expires_soon', { product: a.product, n: a.n, at: a.at ? f.clock(a.at) : '' }) : t('not_clocked_out', { n: a.n })
        const more = a.more > 0 ? t('alarm_more', { n: a.more }) : ''
        return (
          <li key={i}>
            <span className={a.red ? 'bd-red' : 'bd-amber'}>{a.red ? `\u25b2 ${t('now')}` : `\u25cf ${t('soon')}`}</span>
            <Link to={a.product_id && a.more === 0 ? `/stores/${a.site_id}/${a.product_id}` : `/stores/${a.site_id}`}>{words}{more}</Link>
            <span className="bd-note">{a.site_name}</span>
          </li>
        )
      })}
      {!open && alarms.length > shown.length && <li className="bd-note"><span /><button type="button" className="bd-more" onClick={() => setOpen(true)}>{t('alarms_more', { n: alarms.length - shown.length })}</button><span /></li>}
      {(open || alarms.length === shown.length) && left > 0 && <li className="bd-note"><span /><span>{t('alarms_more', { n: left })}</span><span /></li>}
    </ul>
  )
}

const levels = ['chain', 'store', 'category', 'product'] as const

function AccuracyTable() {
  const t = useText(boardText)
  const f = useFormat()
  const chain = useAccuracy('chain')
  const store = useAccuracy('store')
  const category = useAccuracy('category')
  const product = useAccuracy('product')
  const read = { chain, store, category, product }
  if (levels.every((l) => read[l].data && read[l].data?.n === 0)) return <p className="bd-quiet">{t('accuracy_none')}</p>
  const show = (v: number | null | undefined) => (v == null ? '\u2013' : f.percent(v))
  return (
    <table className="bd-table">
      <thead><tr><th>{t('level')}</th><th className="zg-num">{t('error')}</th><th className="zg-num">{t('naive')}</th><th className="zg-num">{t('floor')}</th></tr></thead>
      <tbody>{levels.map((l) => <tr key={l}><td>{t(`level_${l}`)}</td><td className="zg-num">{show(read[l].data?.wape)}</td><td className="zg-num">{show(read[l].data?.wape_snaive)}</td><td className="zg-num">{show(read[l].data?.noise_floor)}</td></tr>)}</tbody>
    </table>
  )
}

function useAccuracy(level: (typeof levels)[number]) {
  return useRead(['forecasts', 'accuracy', level], (signal) => must(client.GET('/api/forecasts/accuracy', { params: { query: { level } }, signal })))
}
