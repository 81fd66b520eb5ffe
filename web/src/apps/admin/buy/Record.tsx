import { all, Chart, client, DataTable, Facts, must, ProblemBox, Sheet, SkeletonLines, useCan, useFormat, useRead, useText, type ChartSpec, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { useMemo } from 'react'
import { Link } from 'react-router-dom'
import { buyText } from './text'

type RecordView = components['schemas']['PurchaseRecordView']
type RecordLine = components['schemas']['PurchaseRecordLine']

/** How a supplier kept its word over ninety days: by week, and product by product, worst first. */
export function Record(props: { supplier: string }) {
  const t = useText(buyText)
  const can = useCan()
  const read = useRead(['suppliers', 'record', props.supplier], () => must(client.GET('/api/suppliers/{id}/record', { params: { path: { id: props.supplier } } })), { skip: !can('purchase.read') })
  if (!can('purchase.read')) return null
  return (
    <Sheet title={t('record')} note={t('record_note')}>
      {read.problem && !read.data ? <ProblemBox problem={read.problem} again={read.again} /> : !read.data ? <SkeletonLines lines={4} /> : read.data.lines === 0 ? <p className="zg-note">{t('record_none')}</p> : <Shown record={read.data} />}
    </Sheet>
  )
}

function Shown(props: { record: RecordView }) {
  const { record } = props
  const t = useText(buyText)
  const f = useFormat()
  const spec = useMemo<ChartSpec>(() => ({
    x: record.weeks.map((w) => w.monday), xWord: (d) => f.day(d), xTitle: (d) => t('record_week', { date: f.day(d) }), xHead: t('record_weeks'), unit: '%', format: (v) => f.number(v, 1),
    series: [
      { name: t('record_timely'), kind: 'line', data: record.weeks.map((w) => (100 * w.timely_lines) / w.lines) },
      { name: t('record_full'), kind: 'line', role: 'compare', dashed: true, data: record.weeks.map((w) => (100 * w.full_lines) / w.lines) },
    ],
  }), [record, t, f])
  const columns: Column<RecordLine>[] = [
    { key: 'name', head: t('product'), cell: (x) => <Link to={`/goods/${x.product_id}`}>{x.name} <span className="zg-note">{x.code}</span></Link>, by: (x) => x.name },
    { key: 'lines', head: t('record_lines'), right: true, cell: (x) => f.number(x.lines), by: (x) => x.lines },
    { key: 'timely', head: t('record_timely'), right: true, cell: (x) => f.percent(x.timely_lines / x.lines), by: (x) => x.timely_lines / x.lines },
    { key: 'came', head: t('record_came'), right: true, cell: (x) => t('record_of', { came: f.qty({ qty: x.came, unit: x.unit }), ordered: f.qty({ qty: x.ordered, unit: x.unit }) }), wide: true },
    { key: 'missing', head: t('record_missing'), unit: '¥', right: true, cell: (x) => f.money(x.missing_fen), by: (x) => x.missing_fen },
    { key: 'late', head: t('record_late'), right: true, cell: (x) => (x.late_days > 2 ? t('record_late_more') : t('record_late_days', { n: x.late_days })), by: (x) => x.late_days },
    { key: 'fill', head: t('record_fill'), right: true, cell: (x) => f.percent(x.fill_bp / 10_000), by: (x) => x.fill_bp },
    { key: 'plan', head: t('record_plan'), right: true, cell: (x) => t('record_plan_of', { share: f.percent(x.plan_fill_bp / 10_000), n: x.plan_days }), by: (x) => x.plan_days * 100_000 - x.plan_fill_bp, wide: true },
  ]
  return (
    <div className="zg-stack">
      <Facts facts={[
        [t('record_timely'), t('record_share', { share: f.percent(record.timely_lines / record.lines), n: f.number(record.timely_lines), of: f.number(record.lines) })],
        [t('record_full'), t('record_share', { share: f.percent(record.full_lines / record.lines), n: f.number(record.full_lines), of: f.number(record.lines) })],
        [t('record_missing'), f.yuan(record.ordered_fen - record.came_fen)],
        [t('record_fill'), f.percent(record.fill_bp / 10_000)],
      ]} />
      {record.weeks.length > 1 && <Chart spec={spec} label={t('record_weeks')} height={200} />}
      <DataTable label={t('record_products')} rows={all(record.products)} columns={columns} rowKey={(x) => x.product_id} empty={null} />
    </div>
  )
}
