import { Badge, Chart, client, must, ProblemBox, SkeletonLines, useFormat, useRead, useText, WhyPanel, type ChartSpec } from '@kit'
import type { components } from '@kit/api/schema'
import { useMemo } from 'react'
import { useFestivalDay } from '../../../planning/Reasons'
import { planningText } from '../../../planning/text'
import { dayPlanText } from './text'

type Curve = components['schemas']['SupplydayLearnedCurve']
type Event = components['schemas']['ReplenishEventView']

/** What past years say of a festival of the calendar, category by category, beside what is set. */
export function Learned(props: { event: Event; site: string; close: () => void }) {
  const { event } = props
  const t = useText(dayPlanText)
  const p = useText(planningText)
  const f = useFormat()
  const read = useRead(['plan', 'learned', event.id, props.site], (signal) => must(client.GET('/api/plans/learned', { params: { query: { event_id: event.id, site_id: props.site } }, signal })))
  const curves = read.data?.curves ?? []
  return (
    <WhyPanel open onClose={props.close} title={t('learned_title', { name: event.name })}>
      {!read.data ? (read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />) : read.data.festival === '' ? <p>{t('learned_none_of')}</p> : (
        <div className="zg-stack">
          <p>{t('learned_day', { festival: p(`festival_${read.data.festival as 'qixi'}`), date: f.day(read.data.festival_day) })} · {t(read.data.by_hand ? 'learned_by_hand' : 'learned_how', { factor: read.data.factor })}</p>
          {curves.map((c) => <OneCurve key={c.category_id || 'none'} curve={c} festival={read.data!.festival} />)}
        </div>
      )}
    </WhyPanel>
  )
}

function OneCurve(props: { curve: Curve; festival: string }) {
  const { curve, festival } = props
  const dayOf = useFestivalDay()
  const t = useText(dayPlanText)
  const f = useFormat()
  const spec = useMemo<ChartSpec>(() => {
    const years = [...new Set(curve.days.flatMap((d) => d.years.map((y) => y.year)))].sort((a, b) => b - a).slice(0, 3)
    const figure = (v: string | undefined) => (v === undefined ? null : Number(v))
    return {
      x: curve.days.map((d) => d.date), xWord: f.date, xTitle: (d) => `${f.day(d)} · ${dayOf(festival, curve.days.find((x) => x.date === d)?.offset ?? 0)}`, xHead: t('learned_date'), unit: t('learned_unit'), format: (v) => f.number(v, 2),
      series: [
        { name: t('learned_line'), kind: 'line', data: curve.days.map((d) => figure(d.learned)) },
        { name: t('learned_set'), kind: 'line', role: 'compare', dashed: true, data: curve.days.map((d) => Number(d.set)) },
        ...years.map((y) => ({ name: String(y), kind: 'line' as const, role: 'extra' as const, dashed: true, data: curve.days.map((d) => figure(d.years.find((x) => x.year === y)?.ratio)) })),
      ],
    }
  }, [curve, festival, dayOf, t, f])
  return (
    <section>
      <h3>{curve.category || t('learned_no_category')} <Badge tone="plain">{t(curve.of ? `learned_of_${curve.of}` : 'learned_of_nobody')}</Badge></h3>
      <p className="zg-note">{t('learned_products', { n: curve.products })}</p>
      {curve.of && <Chart spec={spec} label={t('learned_chart', { category: curve.category || t('learned_no_category') })} height={200} note={t('learned_note')} />}
    </section>
  )
}
