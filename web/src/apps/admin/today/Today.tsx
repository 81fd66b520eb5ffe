import { addDays, Badge, Chart, client, Empty, must, PageHead, ProblemBox, Sheet, SitePick, SkeletonLines, Strip, useCan, useFormat, useRead, useSite, useText, type ChartSpec, type DayFigures as Day } from '@kit'
import { Clock } from '@kit/Clock'
import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Link } from 'react-router-dom'
import { DayFigures } from '../sales/DayFigures'
import { useDay } from '../sales/shared'
import { useExceptions, type Exception } from './exceptions'
import { Plan } from './Plan'
import { todayText } from './text'
import { Three } from './Three'

export default function Today() {
  const t = useText(todayText)
  const f = useFormat()
  const can = useCan()
  const place = useSite()
  const site = place.site?.id
  const day = useDay(site, undefined, { skip: !can('sales.read') })
  const exceptions = useExceptions(site)
  const own: Exception[] = []
  if (day.data && !day.data.agree) own.push({ key: 'agree', tone: 'red', words: t('disagree'), to: '/checks' })
  if (day.data && day.data.awaiting > 0) own.push({ key: 'awaiting', tone: 'amber', words: t('awaiting', { n: day.data.awaiting }), to: `/sales?site=${site}&state=awaiting_payment` })
  const list = [...own.filter((e) => e.tone === 'red'), ...exceptions.list.filter((e) => e.tone === 'red'), ...own.filter((e) => e.tone !== 'red'), ...exceptions.list.filter((e) => e.tone !== 'red')]
  if (!place.site) return <Empty title={t('no_site_title')}>{t('no_site')}</Empty>
  return (
    <>
      <PageHead title={t('title')} note={day.data && f.day(day.data.date)}><SitePick {...place} />{can('attendance.clock') && <Clock site={place.site.id} />}</PageHead>
      <div className="zg-stack">
        <section aria-label={t('decide')}>
          {list.length > 0 ? (
            <Sheet title={<>{t('decide')} <Badge tone={list[0]!.tone}>{f.number(list.length)}</Badge></>}>
              <ul className="zg-list zg-decide">
                {list.map((e) => <li key={e.key}><Strip tone={e.tone} action={<Link to={e.to}>{t('go')}</Link>}>{e.words}</Strip></li>)}
              </ul>
            </Sheet>
          ) : exceptions.ready ? <Strip tone="green">{t('nothing')}</Strip> : <SkeletonLines lines={1} />}
        </section>
        <Start site={place.site.id} sold={(day.data?.slips ?? 0) > 0} />
        {can('report.read') && <section><h2 className="zg-section">{t('three')}</h2><Three site={place.site.id} /></section>}
        {can('sales.read') && (
          <section>
            <h2 className="zg-section">{t('figures')}</h2>
            {day.problem && <ProblemBox problem={day.problem} again={day.again} />}
            {day.data ? <DayFigures day={day.data} unfinished /> : day.loading && <SkeletonLines lines={3} />}
          </section>
        )}
        {day.data && can('forecast.read') && <Plan site={place.site.id} date={day.data.date} />}
        {day.data && <Week day={day.data} />}
      </div>
    </>
  )
}

/** Seven business days beside the seven before, each from the ledger. */
function Week(props: { day: Day }) {
  const { day } = props
  const t = useText(todayText)
  const f = useFormat()
  const days = useMemo(() => Array.from({ length: 14 }, (_, i) => addDays(day.date, i - 13)), [day.date])
  const reads = useQueries({
    queries: days.map((date) => ({
      queryKey: ['sales', 'day', day.site_id, date],
      queryFn: ({ signal }: { signal: AbortSignal }) => must(client.GET('/api/sales/day', { params: { query: { site_id: day.site_id, date } }, signal })),
      staleTime: date === day.date ? 5_000 : 300_000,
    })),
  })
  const net = reads.map((r) => (r.data ? r.data.net_fen : null))
  const known = net.every((n) => n !== null)
  const figures = net.join()
  const spec = useMemo<ChartSpec>(() => {
    const yuan = figures.split(',').map((n) => (n === '' ? null : Number(n) / 100))
    return {
      x: days.slice(7), xHead: t('date'), xWord: f.weekday, xTitle: f.day, unit: '¥', format: (v) => f.number(v, Number.isInteger(v) ? 0 : 2),
      series: [
        { name: t('sales'), kind: 'bar', data: yuan.slice(7) },
        { name: t('week_before'), kind: 'line', role: 'compare', dashed: true, data: yuan.slice(0, 7) },
      ],
    }
  }, [figures, days, t, f])
  if (!known) return <Sheet title={t('week')}><SkeletonLines lines={4} /></Sheet>
  if (net.every((n) => n === 0)) return null
  return <Sheet title={t('week')}><Chart spec={spec} label={t('week_label')} height={220} /></Sheet>
}

/** The way from an empty installation to a first forecast; gone when all of it is done. */
function Start(props: { site: string; sold: boolean }) {
  const t = useText(todayText)
  const can = useCan()
  const may = can('import.run') && can('goods.read') && can('stock.read') && can('forecast.read') && can('sales.read')
  const goods = useRead(['goods', 'any'], (signal) => must(client.GET('/api/goods/products', { params: { query: { limit: 1 } }, signal })), { skip: !may })
  const stock = useRead(['stock', 'any', props.site], (signal) => must(client.GET('/api/stock/batches', { params: { query: { site_id: props.site, limit: 1 } }, signal })), { skip: !may })
  const sales = useRead(['sales', 'any', props.site], (signal) => must(client.GET('/api/till/sales', { params: { query: { site_id: props.site, limit: 1 } }, signal })), { skip: !may })
  const forecast = useRead(['forecasts', 'head', props.site, undefined], (signal) => must(client.GET('/api/forecasts', { params: { query: { site_id: props.site, limit: 1 } }, signal })), { skip: !may })
  if (!may || !goods.data || !stock.data || !sales.data || !forecast.data) return null
  const steps = [
    { key: 'step_goods', done: goods.data.items.length > 0, to: '/imports?kind=products' },
    { key: 'step_stock', done: stock.data.items.length > 0, to: '/imports?kind=stock' },
    { key: 'step_sell', done: props.sold || sales.data.items.length > 0, href: '/till/' },
    { key: 'step_history', done: forecast.data.made_at !== '', to: '/imports?kind=sales' },
  ] as const
  if (steps.every((s) => s.done)) return null
  const next = steps.find((s) => !s.done)
  return (
    <Sheet title={t('start')} note={t('start_note')}>
      <ol className="zg-start">
        {steps.map((s) => (
          <li key={s.key} className={s.done ? 'zg-start-done' : s === next ? 'zg-start-next' : ''}>
            {s.done ? <>{t(s.key)} <Badge tone="green">{t('done')}</Badge></> : 'href' in s ? <a href={s.href}>{t(s.key)}</a> : <Link to={s.to}>{t(s.key)}</Link>}
          </li>
        ))}
      </ol>
    </Sheet>
  )
}
