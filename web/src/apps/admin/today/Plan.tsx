import { all, client, DataTable, must, ProblemBox, Sheet, SkeletonLines, thousandths, useFormat, useRead, useText, type Column, type ForecastLine } from '@kit'
import { Link } from 'react-router-dom'
import { todayText } from './text'

interface Line {
  id: string
  name: string
  unit: string
  forecast: number
  sold: number
}

/** What the whole day was forecast to sell beside what the ledger says was sold so far, the largest first. */
export function Plan(props: { site: string; date: string }) {
  const { site, date } = props
  const t = useText(todayText)
  const f = useFormat()
  const forecast = useRead(['forecasts', 'day', site, date], (signal) => must(client.GET('/api/forecasts', { params: { query: { site_id: site, from: date, limit: 200 } }, signal })))
  const sold = useRead(['sales', 'products', site, date], (signal) => must(client.GET('/api/sales/products', { params: { query: { site_id: site, date, limit: 200 } }, signal })))
  if (forecast.problem) return <ProblemBox problem={forecast.problem} again={forecast.again} />
  if (sold.problem) return <ProblemBox problem={sold.problem} again={sold.again} />
  if (!forecast.data || !sold.data) return <Sheet title={t('plan')}><SkeletonLines lines={4} /></Sheet>
  const ofToday = (line: ForecastLine) => line.days.find((d) => d.date === date)
  const lines = forecast.data.items.flatMap((line): Line[] => {
    const day = ofToday(line)
    if (!day) return []
    const row = sold.data?.items.find((s) => s.product_id === line.product_id)
    const unit = row?.units.find((u) => u.name === line.unit) ?? { num: 1, den: 1 }
    return [{ id: line.product_id, name: line.name, unit: line.unit, forecast: Number(day.override ?? day.mean), sold: row ? (thousandths(row.qty) / 1000) * (unit.den / unit.num) : 0 }]
  }).sort((a, b) => b.forecast - a.forecast)
  if (lines.length === 0) return null
  const columns: Column<Line>[] = [
    { key: 'name', head: t('product'), cell: (l) => l.name, by: (l) => l.name },
    { key: 'forecast', head: t('forecast'), right: true, cell: (l) => `${f.number(l.forecast, 1)}\u202f${f.unit(l.unit)}`, by: (l) => l.forecast },
    { key: 'sold', head: t('so_far'), right: true, cell: (l) => f.decimal(l.sold.toFixed(3)), by: (l) => l.sold },
    { key: 'share', head: t('share'), cell: (l) => <Share line={l} />, by: (l) => l.sold / Math.max(0.001, l.forecast), width: 280 },
  ]
  return (
    <Sheet title={t('plan')} note={t('plan_note')} acts={<Link to={`/plan?site=${site}`}>{t('plan_all')}</Link>} flush>
      <DataTable label={t('plan')} rows={all(lines.slice(0, 12))} columns={columns} rowKey={(l) => l.id} to={(l) => `/plan/${site}/${l.id}`} empty={null} count={false} />
    </Sheet>
  )
}

/** How much of the day's forecast is gone; beyond it the bar says so in words. */
function Share(props: { line: Line }) {
  const t = useText(todayText)
  const f = useFormat()
  const share = props.line.forecast > 0 ? props.line.sold / props.line.forecast : 0
  return (
    <span className="zg-age">
      <span className="zg-age-bar zg-share-bar" aria-hidden><i style={{ width: `${Math.min(100, share * 100)}%` }} /></span>
      <span className="zg-num">{f.percent(share, 0)}</span>
      {share > 1 && <span className="zg-note">{t('plan_over')}</span>}
    </span>
  )
}
