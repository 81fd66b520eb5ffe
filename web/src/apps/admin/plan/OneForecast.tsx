import { act, addDays, all, Badge, Chart, client, DataTable, Form, FormActs, must, ofThousandths, PageHead, Parts, ProblemBox, Sheet, SkeletonLines, TextField, thousandths, useAct, useCan, useForm, useFormat, usePageTitle, useRead, useText, WhyPanel, type ChartSpec, type Column, type Forecast, type ForecastDay } from '@kit'
import { App, Button } from 'antd'
import { useMemo, useState } from 'react'
import { Link, useParams } from 'react-router-dom'
import { Freshness } from './Plan'
import { AccuracyBox, planText } from './shared'

const shownPast = 28

export default function OneForecast() {
  const { site = '', product = '' } = useParams()
  const t = useText(planText)
  const f = useFormat()
  const key = ['forecasts', 'one', site, product]
  const read = useRead(key, (signal) => must(client.GET('/api/forecasts/{site_id}/{product_id}', { params: { path: { site_id: site, product_id: product } }, signal })))
  const [picked, setPicked] = useState<string>()
  const one = read.data
  usePageTitle(one?.name)
  if (!one) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={10} />
  const day = one.days.find((d) => d.date === picked)
  const figure = (v: string) => f.number(Number(v), 1)
  const columns: Column<ForecastDay>[] = [
    { key: 'date', head: t('date'), cell: (d) => f.day(d.date) },
    { key: 'mean', head: t('mean'), unit: f.unit(one.unit), right: true, cell: (d) => <span className="zg-why-figure">{d.override ? <><s className="zg-note">{figure(d.mean)}</s> <b>{f.decimal(d.override.qty)}</b></> : <b>{figure(d.mean)}</b>}</span> },
    { key: 'by', head: t('by'), cell: (d) => (d.override ? <Badge tone="amber">{t('overridden')}</Badge> : <span className="zg-note">{t('machine')}</span>) },
    ...(['q50', 'q70', 'q80', 'q90', 'q95'] as const).map((q): Column<ForecastDay> => ({ key: q, head: `${q.slice(1)}%`, unit: '≤', right: true, cell: (d) => figure(d[q]), wide: q !== 'q50' && q !== 'q95' })),
  ]
  return (
    <>
      <PageHead title={one.name} back={{ to: `/plan?site=${site}`, label: t('title') }} note={<>{t('made', { at: f.when(one.made_at) })} · {t('data_until', { date: f.date(one.data_until) })}</>}>
        <Link to={`/goods/${product}`}>{one.code}</Link>
      </PageHead>
      <div className="zg-stack">
        <Freshness madeAt={one.made_at} dataUntil={one.data_until} />
        <Sheet title={t('history')}><HistoryChart one={one} pick={setPicked} /></Sheet>
        <Sheet title={t('accuracy_title')} note={t('accuracy_note')}><AccuracyBox figures={one.accuracy} /></Sheet>
        <Sheet title={t('days')} note={t('quantiles_note')} flush>
          <DataTable label={t('days')} rows={all(one.days)} columns={columns} rowKey={(d) => d.date} onOpen={(d) => setPicked(d.date)} empty={null} />
        </Sheet>
      </div>
      <WhyPanel open={Boolean(day)} onClose={() => setPicked(undefined)} title={day ? t('why_day', { date: f.day(day.date), n: `${figure(day.override?.qty ?? day.mean)} ${f.unit(one.unit)}` }) : ''}>
        {day && <WhyDay one={one} day={day} />}
      </WhyPanel>
    </>
  )
}

function HistoryChart(props: { one: Forecast; pick: (date: string) => void }) {
  const { one } = props
  const t = useText(planText)
  const f = useFormat()
  const spec = useMemo<ChartSpec>(() => {
    const past = one.history.slice(-shownPast)
    const dates = [...past.map((h) => h.date), ...one.days.map((d) => d.date)]
    const sold = new Map(one.history.filter((h) => h.open).map((h) => [h.date, Number(h.sold)]))
    const lastWeek = (date: string): number | null => {
      // as the simple rule does: the newest same weekday that is known when the forecast is made
      for (let back = 7; back <= 21; back += 7) {
        const v = sold.get(addDays(date, -back))
        if (v !== undefined) return v
      }
      return null
    }
    const gap = <X,>(rows: readonly X[], pick: (x: X) => number | null): (number | null)[] => rows.map(pick)
    const noPast = past.map(() => null)
    const noFuture = one.days.map(() => null)
    const short = past.flatMap((h, i) => (h.sold_out_at || h.demand !== h.sold ? [i] : []))
    const wanted = gap(past, (h) => (h.demand !== h.sold ? Number(h.demand) : null))
    return {
      x: dates, xHead: t('date'), xWord: f.date, xTitle: f.day, unit: f.unit(one.unit), format: (v) => f.number(v, v >= 100 || Number.isInteger(v) ? 0 : 1),
      series: [
        { name: t('sold'), kind: 'line', data: [...gap(past, (h) => (h.open ? Number(h.sold) : null)), ...noFuture], hollow: short },
        { name: t('forecast'), kind: 'line', data: [...noPast, ...gap(one.days, (d) => Number(d.override?.qty ?? d.mean))] },
        { name: t('same_last_week'), kind: 'line', role: 'compare', dashed: true, data: dates.map(lastWeek) },
        ...(wanted.some((v) => v !== null) ? [{ name: t('wanted'), kind: 'line' as const, role: 'extra' as const, data: [...wanted, ...noFuture] }] : []),
      ],
      bands: [{ name: t('band'), low: [...noPast, ...gap(one.days, (d) => Number(d.q50))], high: [...noPast, ...gap(one.days, (d) => Number(d.q95))] }],
      now: { index: past.length, word: t('from_now') },
      onPick: (index) => {
        const date = dates[index]
        if (date && one.days.some((d) => d.date === date)) props.pick(date)
      },
    }
  }, [one, t, f, props])
  return <Chart spec={spec} label={t('chart_label', { name: one.name })} height={300} note={t('chart_note')} />
}

const parts = ['base', 'weekday', 'trend', 'holiday', 'weather', 'promotion', 'correction'] as const

function WhyDay(props: { one: Forecast; day: ForecastDay }) {
  const { one, day } = props
  const t = useText(planText)
  const f = useFormat()
  const can = useCan()
  const format = (v: number) => `${f.decimal(ofThousandths(v))}\u202f${f.unit(one.unit)}`
  const slots = useMemo<ChartSpec>(() => {
    const times = [...new Set(one.days.flatMap((d) => d.slots.map((s) => s.at)))].sort()
    const at = (d: ForecastDay, time: string) => Number(d.slots.find((s) => s.at === time)?.mean ?? 0)
    return {
      x: times, xHead: t('slot'), unit: f.unit(one.unit), format: (v) => f.number(v, 1),
      series: [
        { name: f.day(day.date), kind: 'bar', data: times.map((time) => at(day, time)) },
        { name: t('slots_usual'), kind: 'line', role: 'compare', dashed: true, data: times.map((time) => one.days.reduce((sum, d) => sum + at(d, time), 0) / one.days.length) },
      ],
    }
  }, [one, day, t, f])
  return (
    <>
      <Parts parts={parts.map((p) => ({ label: t(`part_${p}`), value: thousandths(day.parts[p]) })).filter((p) => p.value !== 0)} total={thousandths(day.mean)} totalLabel={t('mean')} format={format} />
      {slots.x.length > 0 && <section><h3>{t('slots')}</h3><Chart spec={slots} label={t('slots_label', { date: f.day(day.date) })} height={180} /></section>}
      <section>
        <h3>{t('quantiles')}</h3>
        <p className="zg-note">{t('quantiles_note')}</p>
        <table className="zg-parts"><tbody>{(['q50', 'q70', 'q80', 'q90', 'q95'] as const).map((q) => <tr key={q}><th scope="row">{t('quantile', { pct: q.slice(1) })}</th><td className="zg-num">{f.qty({ qty: day[q], unit: one.unit })}</td></tr>)}</tbody></table>
      </section>
      {day.override && <p>{t('override_was', { n: f.qty({ qty: day.override.qty, unit: one.unit }), reason: day.override.reason })} <span className="zg-note" title={f.exact(day.override.made_at)}>{f.when(day.override.made_at)}</span></p>}
      {can('forecast.run') && <OverrideForm key={day.date + (day.override?.made_at ?? '')} one={one} day={day} />}
    </>
  )
}

function OverrideForm(props: { one: Forecast; day: ForecastDay }) {
  const { one, day } = props
  const t = useText(planText)
  const f = useFormat()
  const { message } = App.useApp()
  const save = useAct(
    (body: { date: string; qty?: string; reason: string }) =>
      act(['override', one.site_id, one.product_id, body, day.override?.made_at], (header) => client.POST('/api/forecasts/{site_id}/{product_id}/overrides', { params: { header, path: { site_id: one.site_id, product_id: one.product_id } }, body })),
    ['forecasts'],
  )
  const form = useForm({
    initial: { qty: '', reason: '' }, doing: save, required: ['qty', 'reason'],
    check: (v): Record<string, string> => (thousandths(v.qty) >= 0 ? {} : { qty: t('bad_qty') }),
    body: (v) => ({ date: day.date, qty: v.qty.trim(), reason: v.reason.trim() }),
    done: () => void message.success(t('override_save')),
  })
  return (
    <section>
      <h3>{t('override')}</h3>
      <p className="zg-note">{t('override_note')}</p>
      <Form form={form} label={t('override')} guard={false}>
        <TextField form={form} name="qty" label={t('override_qty')} right inputMode="decimal" suffix={f.unit(one.unit)} width="s" />
        <TextField form={form} name="reason" label={t('override_reason')} width="l" maxLength={200} />
        <FormActs form={form} save={t('override_save')}>
          {day.override && <Button disabled={save.busy} onClick={() => void save.run({ date: day.date, reason: t('override_undo_reason') })}>{t('override_undo')}</Button>}
        </FormActs>
      </Form>
    </section>
  )
}
