import { all, Chart, client, DataTable, Empty, Facts, Figure, FilterBar, must, PageHead, Parts, ProblemBox, Sheet, SkeletonLines, Strip, useFormat, useRead, useText, type ChartSpec, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { useMemo } from 'react'
import { useSearchParams } from 'react-router-dom'
import { BuyTabs } from '../buy/shared'
import { claim, daysBefore, Off, Price, usePeriod, type Aligned } from './shared'
import { materialText } from './text'

type View = components['schemas']['ReportMaterials']

/** What was bought of each material beside what is in the goods that were sold. */
export default function Materials() {
  const t = useText(materialText)
  const f = useFormat()
  const place = usePeriod()
  const [params] = useSearchParams()
  // The last day is the server's: its business date, not the reader's calendar.
  const last = useRead(['report', 'materials', 'last', place.site?.id], (signal) => must(client.GET('/api/report/materials', { params: { query: { limit: 1, ...(place.site ? { site_id: place.site.id } : {}) } }, signal })), { skip: place.named || place.days === 28 })
  const query = place.named || place.days === 28 ? place.query : last.data ? { ...place.query, from: daysBefore(last.data.to, place.days - 1), to: last.data.to } : undefined
  const read = useRead(['report', 'materials', query], (signal) => must(client.GET('/api/report/materials', { params: { query: { limit: 200, ...query } }, signal })), { skip: query === undefined })
  const problem = read.problem ?? last.problem
  const data = read.data
  return (
    <>
      <PageHead title={t('title')} note={t('note')} />
      <BuyTabs />
      <FilterBar filters={[
        { kind: 'choice', name: 'at', label: t('where'), always: true, options: [{ value: '', label: t('everywhere') }, ...place.sites.map((s) => ({ value: s.id, label: `${s.name} ${s.code}` }))] },
        { kind: 'choice', name: 'days', label: t('period'), always: true, options: place.lengths.map((n) => ({ value: n, label: t('days', { n }) })) },
        { kind: 'date', name: 'from', label: t('from') },
        { kind: 'date', name: 'to', label: t('to') },
      ]} />
      {problem && !data && <ProblemBox problem={problem} again={read.problem ? read.again : last.again} />}
      {!data && !problem && <SkeletonLines lines={8} />}
      {data && <Shown data={data} query={params.toString()} />}
      {data && data.materials > data.items.length && <p className="zg-note">{t('more_than', { n: f.number(data.materials), shown: f.number(data.items.length) })}</p>}
    </>
  )
}

function Shown(props: { data: View; query: string }) {
  const { data } = props
  const t = useText(materialText)
  const f = useFormat()
  const columns: Column<Aligned>[] = [
    { key: 'name', head: t('material'), cell: (m) => <>{m.name} <span className="zg-note">{m.code}</span></>, by: (m) => m.name },
    { key: 'bought', head: t('bought'), right: true, cell: (m) => f.qty({ qty: m.bought, unit: m.unit }), by: (m) => Number(m.bought) },
    { key: 'sold', head: t('in_sold'), right: true, cell: (m) => f.qty({ qty: m.sold, unit: m.unit }), by: (m) => Number(m.sold) },
    { key: 'off', head: t('off_qty'), right: true, cell: (m) => <Off of={m} />, by: (m) => Number(m.off) },
    { key: 'price', head: t('price'), right: true, cell: (m) => <Price of={m} />, by: (m) => m.price_fen, wide: true },
    { key: 'amount', head: t('amount_off'), right: true, cell: (m) => f.yuan(m.off_fen), by: (m) => m.off_fen },
    { key: 'rate', head: t('rate'), right: true, cell: (m) => (m.rate == null ? '–' : f.percent(m.rate)), by: (m) => m.rate ?? -9e9, wide: true },
  ]
  return (
    <div className="zg-stack">
      <div className="zg-figures">
        <Figure label={t('rate')} value={data.rate == null ? '–' : f.percent(data.rate)} note={data.rate == null ? t('no_base') : t('rate_note')}
          why={<><Parts parts={[{ label: t('over'), value: data.over_fen }, { label: t('short'), value: data.short_fen }]} total={data.off_fen} totalLabel={t('off')} format={f.yuan} /><Facts facts={[[t('sold'), f.yuan(data.sold_fen)]]} /><p className="zg-note">{t('rate_why')}</p><p className="zg-note">{t(`level_${data.level}`)}</p></>} />
        <Figure label={t('bought')} value={f.yuan(data.bought_fen)} note={t('week', { from: f.day(data.from), to: f.day(data.to) })} />
        <Figure label={t('sold')} value={f.yuan(data.sold_fen)} note={t('counted', { n: f.number(data.days) })} />
        <Figure label={t('off')} value={f.yuan(data.off_fen)} note={`${t('over')} ${f.yuan(data.over_fen)} · ${t('short')} ${f.yuan(data.short_fen)}`} />
      </div>
      {data.days_left > 0 && <Strip tone="amber">{t('left_days', { n: f.number(data.days_left) })}</Strip>}
      {data.unpriced > 0 && <p className="zg-note">{t('unpriced', { n: f.number(data.unpriced) })}</p>}
      {data.weeks.some((w) => w.rate != null) && <Weeks data={data} />}
      <p className="zg-note">{t(`level_${data.level}`)}</p>
      <DataTable label={t('title')} rows={all(data.items)} columns={columns} rowKey={(m) => m.product_id} to={(m) => `/buy/materials/${m.product_id}${props.query ? `?${props.query}` : ''}`} empty={<Empty title={t('empty_title')}>{t('empty')}</Empty>} />
    </div>
  )
}

function Weeks(props: { data: View }) {
  const { weeks } = props.data
  const t = useText(materialText)
  const f = useFormat()
  const spec = useMemo<ChartSpec>(() => ({
    x: weeks.map((w) => w.to), xWord: f.date, xTitle: (to) => t('week', { from: f.day(weeks.find((w) => w.to === to)?.from ?? to), to: f.day(to) }), xHead: t('week_head'), unit: '%', format: (v) => f.number(v, 1),
    series: [
      { name: t('rate'), kind: 'line', data: weeks.map((w) => (w.rate == null ? null : 100 * w.rate)) },
      { name: t('claim'), kind: 'line', role: 'compare', dashed: true, data: weeks.map(() => 100 * claim) },
    ],
  }), [weeks, t, f])
  return <Sheet title={t('weeks')}><Chart spec={spec} label={t('weeks')} height={200} /></Sheet>
}
