import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import type { Day } from './shared'
import { boardText } from './text'

/** Days as a line from zero; the last point is today's. Drawn to be read across a room. */
export function Trend(props: { values: readonly (number | null | undefined)[]; label: string }) {
  const w = 400
  const h = 90
  const known = props.values.filter((v): v is number => typeof v === 'number')
  if (known.length < 2) return <svg className="bd-trend" viewBox={`0 0 ${w} ${h}`} aria-hidden />
  const top = Math.max(1e-9, ...known)
  const x = (i: number) => 8 + (i / Math.max(1, props.values.length - 1)) * (w - 16)
  const y = (v: number) => h - 8 - (v / top) * (h - 16)
  let path = ''
  let pen = false
  props.values.forEach((v, i) => {
    if (typeof v !== 'number') {
      pen = false
      return
    }
    path += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`
    pen = true
  })
  const last = props.values.findLastIndex((v) => typeof v === 'number')
  return (
    <svg className="bd-trend" viewBox={`0 0 ${w} ${h}`} preserveAspectRatio="none" role="img" aria-label={props.label}>
      <path d={`M0 ${h - 8}H${w}`} stroke="var(--zg-line-strong)" vectorEffect="non-scaling-stroke" />
      <path d={path} fill="none" stroke="var(--zg-series-1)" strokeWidth="3" strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
      <path d={`M${x(last)} ${y(props.values[last] as number)}v0`} stroke="var(--zg-series-1)" strokeWidth="12" strokeLinecap="round" vectorEffect="non-scaling-stroke" />
    </svg>
  )
}

/** Sales of each half hour as bars, what was planned as a line, last week's in grey; the same figures as a table for those who do not see it. */
export function Halves(props: { halves: Day['halves'] }) {
  const t = useText(boardText)
  const f = useFormat()
  const halves = props.halves ?? []
  if (halves.length === 0) return <p className="bd-quiet">{t('nothing')}</p>
  const w = 1000
  const h = 320
  const most = Math.max(1, ...halves.flatMap((x) => [x.net_fen ?? 0, x.plan_fen, x.week_fen])) / 100
  const step = niceStep(most / 4)
  const top = Math.ceil(most / step) * step
  const y = (fen: number) => h - (Math.max(0, fen) / 100 / top) * h
  const each = w / halves.length
  const line = (of: (x: (typeof halves)[number]) => number) => halves.map((x, i) => `${i ? 'L' : 'M'}${((i + 0.5) * each).toFixed(1)} ${y(of(x)).toFixed(1)}`).join('')
  const grid = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step)
  const hasPlan = halves.some((x) => x.plan_fen > 0)
  const hasWeek = halves.some((x) => x.week_fen > 0)
  const nth = Math.max(2, Math.ceil(halves.length / 14 / 2) * 2)
  return (
    <figure className="bd-halves">
      <figcaption>
        <span>{t('yuan')}</span>
        <span><i className="bd-key-bar" />{t('sold')}</span>
        {hasPlan && <span><i className="bd-key-plan" />{t('plan')}</span>}
        {hasWeek && <span><i className="bd-key-week" />{t('week')}</span>}
      </figcaption>
      <div className="bd-halves-box">
        <div className="bd-halves-y" aria-hidden>{grid.slice().reverse().map((v) => <span key={v}>{f.number(v)}</span>)}</div>
        <div className="bd-halves-plot">
          <svg viewBox={`0 0 ${w} ${h}`} preserveAspectRatio="none" aria-hidden>
            {grid.map((v) => <path key={v} d={`M0 ${y(v * 100)}H${w}`} stroke="var(--zg-line)" vectorEffect="non-scaling-stroke" />)}
            {halves.map((x, i) => (x.net_fen ?? 0) > 0 && <rect key={x.at} x={i * each + each * 0.14} width={each * 0.72} y={y(x.net_fen ?? 0)} height={h - y(x.net_fen ?? 0)} fill="var(--zg-series-1)" />)}
            {hasWeek && <path d={line((x) => x.week_fen)} fill="none" stroke="var(--zg-compare)" strokeWidth="2" strokeDasharray="3 5" vectorEffect="non-scaling-stroke" />}
            {hasPlan && <path d={line((x) => x.plan_fen)} fill="none" stroke="var(--zg-series-2)" strokeWidth="3" vectorEffect="non-scaling-stroke" />}
          </svg>
          <div className="bd-halves-x" aria-hidden>{halves.map((x, i) => (i % nth === 0 ? <span key={x.at} style={{ left: `${((i + 0.5) / halves.length) * 100}%` }}>{x.at}</span> : null))}</div>
        </div>
      </div>
      <table className="zg-hidden">
        <caption>{t('sales_plan')}</caption>
        <thead><tr><th>{t('half_hour')}</th><th>{t('sold')}</th><th>{t('plan')}</th><th>{t('week')}</th></tr></thead>
        <tbody>{halves.map((x) => <tr key={x.at}><td>{x.at}</td><td>{x.net_fen == null ? '' : f.yuan(x.net_fen)}</td><td>{f.yuan(x.plan_fen)}</td><td>{f.yuan(x.week_fen)}</td></tr>)}</tbody>
      </table>
    </figure>
  )
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)))
  return ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10) * power
}
