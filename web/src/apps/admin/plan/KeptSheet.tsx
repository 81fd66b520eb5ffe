import { Chart, client, must, ProblemBox, Sheet, SkeletonLines, useFilters, useFormat, useRead, useText, type ChartSpec, type KeptForecasts } from '@kit'
import { Button } from 'antd'
import { useMemo } from 'react'
import { AccuracyBox, planText } from './shared'

/** What the nights really said beside what was sold: by how long before, the members worst first, and the days behind a figure. */
export function KeptSheet(props: { level: 'product' | 'category' | 'store' | 'chain'; site: string | undefined }) {
  const { level, site } = props
  const t = useText(planText)
  const f = useFormat()
  const [filter, set] = useFilters()
  const ahead = Math.min(7, Math.max(1, Number(filter['ahead']) || 1))
  const member = filter['member']
  const read = useRead(['forecasts', 'kept', site, level, ahead, member], (signal) => must(client.GET('/api/forecasts/kept', { params: { query: { level, ahead, ...(site ? { site_id: site } : {}), ...(member ? { member } : {}) } }, signal })))
  const pct = (v: number | null) => (v === null ? '–' : f.number(v * 100, 1))
  const data = read.data
  return (
    <Sheet title={t('kept')} note={t('kept_note')}>
      {read.problem && <ProblemBox problem={read.problem} again={read.again} />}
      {!data && read.loading && <SkeletonLines lines={6} />}
      {data && data.ahead.every((a) => a.n === 0) && <p className="zg-note">{t('kept_none')}</p>}
      {data && data.ahead.some((a) => a.n > 0) && (
        <div className="zg-stack">
          <AccuracyBox figures={data} />
          <p className="zg-note">{t('kept_left_out', { out: f.number(data.emptied), closed: f.number(data.closed) })}</p>
          <div style={{ overflowX: 'auto' }}>
            <table className="zg-parts">
              <thead><tr><th>{t('kept_ahead')}</th><th className="zg-num">{t('ours')} %</th><th className="zg-num">{t('last_week')} %</th><th className="zg-num">{t('mean4')} %</th><th className="zg-num">{t('floor')} %</th></tr></thead>
              <tbody>{data.ahead.map((a, i) => (
                <tr key={i}>
                  <th scope="row"><Button type={i + 1 === ahead ? 'primary' : 'text'} size="small" aria-pressed={i + 1 === ahead} onClick={() => set('ahead', String(i + 1))}>{t('kept_days', { n: i + 1 })}</Button></th>
                  <td className="zg-num"><b>{pct(a.wape)}</b></td><td className="zg-num">{pct(a.wape_snaive)}</td><td className="zg-num">{pct(a.wape_mean4)}</td><td className="zg-num">{pct(a.noise_floor)}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
          {data.items.length > 0 && (
            <div style={{ overflowX: 'auto' }}>
              <table className="zg-parts">
                <thead><tr><th>{t('member')}</th><th className="zg-num">{t('ours')} %</th><th className="zg-num">{t('last_week')} %</th><th className="zg-num">{t('bias')} %</th></tr></thead>
                <tbody>{data.items.slice(0, 20).map((i) => (
                  <tr key={i.id}>
                    <th scope="row"><Button type={i.id === member ? 'primary' : 'text'} size="small" aria-pressed={i.id === member} onClick={() => set('member', i.id === member ? '' : i.id)}>{i.name}</Button></th>
                    <td className="zg-num"><b>{pct(i.wape)}</b></td><td className="zg-num">{pct(i.wape_snaive)}</td><td className="zg-num">{i.bias === null ? '–' : f.signed(f.number(i.bias * 100, 1))}</td>
                  </tr>
                ))}</tbody>
              </table>
            </div>
          )}
          {data.days.length > 0 ? <KeptDays kept={data} /> : level === 'product' && <p className="zg-note">{t('kept_pick')}</p>}
        </div>
      )}
    </Sheet>
  )
}

function KeptDays(props: { kept: KeptForecasts }) {
  const { kept } = props
  const t = useText(planText)
  const f = useFormat()
  const spec = useMemo<ChartSpec>(() => ({
    x: kept.days.map((d) => d.date), xHead: t('date'), xWord: f.date, xTitle: f.day, unit: kept.unit ? f.unit(kept.unit) : '¥', format: (v) => f.number(v, v >= 100 || Number.isInteger(v) ? 0 : 1),
    series: [
      { name: t('sold'), kind: 'line', data: kept.days.map((d) => (d.closed ? null : Number(d.sold))), hollow: kept.days.flatMap((d, i) => (d.sold_out ? [i] : [])) },
      { name: t('kept_said'), kind: 'line', data: kept.days.map((d) => (d.said === undefined ? null : Number(d.said))) },
      { name: t('same_last_week'), kind: 'line', role: 'compare', dashed: true, data: kept.days.map((d) => (d.closed ? null : Number(d.last_week))) },
      ...(kept.days.some((d) => d.demand !== d.sold && !d.closed) ? [{ name: t('wanted'), kind: 'line' as const, role: 'extra' as const, data: kept.days.map((d) => (d.closed || d.demand === d.sold ? null : Number(d.demand))) }] : []),
    ],
  }), [kept, t, f])
  return <Chart spec={spec} label={t('kept_chart')} height={240} note={t('kept_chart_note')} />
}
