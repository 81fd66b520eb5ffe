import { all, client, DataTable, Empty, FilterBar, must, PageHead, ProblemBox, Sheet, SitePick, SkeletonLines, useFilters, useFormat, useRead, useSite, useText, type Accuracy, type Column } from '@kit'
import { AccuracyBox, gain, planText, PlanTabs } from './shared'
import { DriftSheet } from './DriftSheet'
import { KeptSheet } from './KeptSheet'

const levels = ['product', 'category', 'store', 'chain'] as const
type Item = Accuracy['items'][number]
type People = NonNullable<Accuracy['people']>
type Decider = People['by_person'][number]
type Judged = People['days'][number]

export default function AccuracyPage() {
  const t = useText(planText)
  const f = useFormat()
  const place = useSite(['store'])
  const [filter] = useFilters()
  const level = levels.find((l) => l === filter['level']) ?? 'product'
  const site = level === 'product' || level === 'category' ? place.site?.id : undefined
  const read = useRead(['forecasts', 'accuracy', site, level], (signal) => must(client.GET('/api/forecasts/accuracy', { params: { query: { level, ...(site ? { site_id: site } : {}) } }, signal })))
  const pct = (v: number | null) => (v === null ? '' : f.number(v * 100, 1))
  const columns: Column<Item>[] = [
    { key: 'name', head: t('member'), cell: (i) => i.name, by: (i) => i.name },
    { key: 'wape', head: t('ours'), unit: '%', right: true, cell: (i) => <b>{pct(i.wape)}</b>, by: (i) => i.wape ?? 9 },
    { key: 'naive', head: t('last_week'), unit: '%', right: true, cell: (i) => pct(i.wape_snaive), by: (i) => i.wape_snaive ?? 9 },
    { key: 'mean4', head: t('mean4'), unit: '%', right: true, cell: (i) => pct(i.wape_mean4), by: (i) => i.wape_mean4 ?? 9 },
    { key: 'floor', head: t('floor'), unit: '%', right: true, cell: (i) => pct(i.noise_floor), by: (i) => i.noise_floor ?? 9, wide: true },
    { key: 'bias', head: t('bias'), unit: '%', right: true, cell: (i) => (i.bias === null ? '' : f.signed(f.number(i.bias * 100, 1))), by: (i) => i.bias ?? 0 },
    { key: 'n', head: t('n'), unit: t('n_unit'), right: true, cell: (i) => f.number(i.n), by: (i) => i.n, wide: true },
    { key: 'gain', head: t('gain'), cell: (i) => {
      const g = gain(i)
      return g === undefined ? '' : <span className={g >= 0 ? 'zg-good' : 'zg-bad'}>{g >= 0 ? `▲ ${t('better', { pct: f.percent(g, 0) })}` : `▼ ${t('worse', { pct: f.percent(-g, 0) })}`}</span>
    }, by: (i) => gain(i) ?? -9 },
  ]
  const data = read.data
  return (
    <>
      <PageHead title={t('accuracy')} note={t('accuracy_note')}>{site && <SitePick {...place} />}</PageHead>
      <PlanTabs />
      <FilterBar filters={[{ kind: 'choice', name: 'level', label: t('level'), always: true, options: levels.map((l) => ({ value: l, label: t(`level_${l}`) })) }]} />
      <div className="zg-stack">
        {read.problem && <ProblemBox problem={read.problem} again={read.again} />}
        {!data && read.loading && <SkeletonLines lines={8} />}
        {data && (
          <>
            <Sheet title={t(`level_${level}`)} note={t('level_note')}>
              <AccuracyBox figures={data} />
            </Sheet>
            <DriftSheet site={site} />
            {data.people && <ByHand people={data.people} />}
            {data.items.length > 0 && <DataTable label={t('accuracy')} rows={all(data.items, read)} columns={columns} rowKey={(i) => i.id} {...(level === 'product' && site ? { to: (i: Item) => `/plan/${site}/${i.id}` } : {})} empty={<Empty title={t('no_figures')}>{t('no_figures_note')}</Empty>} />}
          </>
        )}
        {((level !== 'product' && level !== 'category') || site) && <KeptSheet level={level} site={site} />}
      </div>
    </>
  )
}

/** What people set by hand against what the machine had said: in all, by person, by reason, and day by day. */
function ByHand(props: { people: People }) {
  const { people } = props
  const t = useText(planText)
  const f = useFormat()
  const pct = (v: number | null) => (v === null ? '–' : f.percent(v))
  const deciders = (head: string): Column<Decider>[] => [
    { key: 'name', head, cell: (d) => d.name || t('by_house'), by: (d) => d.name },
    { key: 'n', head: t('n'), unit: t('n_unit'), right: true, cell: (d) => f.number(d.n), by: (d) => d.n },
    { key: 'better', head: t('closer'), unit: t('n_unit'), right: true, cell: (d) => f.number(d.better), by: (d) => d.better / d.n },
    { key: 'wape', head: t('by_hand'), right: true, cell: (d) => <b>{pct(d.wape)}</b>, by: (d) => d.wape ?? 9 },
    { key: 'machine', head: t('machine'), right: true, cell: (d) => pct(d.wape_machine), by: (d) => d.wape_machine ?? 9 },
  ]
  const days: Column<Judged>[] = [
    { key: 'date', head: t('date'), cell: (d) => f.day(d.date), by: (d) => d.date },
    { key: 'name', head: t('member'), cell: (d) => <>{d.name} <span className="zg-note">{d.site_name}</span></>, by: (d) => d.name },
    { key: 'said', head: t('by_hand'), right: true, cell: (d) => f.qty({ qty: d.said, unit: d.unit }) },
    { key: 'machine', head: t('machine'), right: true, cell: (d) => f.qty({ qty: d.machine, unit: d.unit }) },
    { key: 'sold', head: t('sold'), right: true, cell: (d) => <>{f.qty({ qty: d.sold, unit: d.unit })}{d.sold_out && <span className="zg-note"> {t('ran_out')}</span>}</> },
    { key: 'by', head: t('by'), cell: (d) => d.by || t('by_house'), by: (d) => d.by, wide: true },
    { key: 'why', head: t('why'), cell: (d) => d.reason, by: (d) => d.reason, wide: true },
  ]
  return (
    <Sheet title={t('people')} note={t('people_note', { n: people.n, better: people.better, people: pct(people.wape), machine: pct(people.wape_machine), out: people.sold_out })}>
      <div className="zg-stack">
        {people.n > 0 && <DataTable label={t('by')} rows={all(people.by_person)} columns={deciders(t('by'))} rowKey={(d) => d.staff_id || d.name} empty={null} />}
        {people.n > 0 && <DataTable label={t('why')} rows={all(people.by_reason)} columns={deciders(t('why'))} rowKey={(d) => d.name} empty={null} />}
        <DataTable label={t('people_days')} rows={all(people.days)} columns={days} rowKey={(d) => `${d.site_id} ${d.product_id} ${d.date}`} to={(d) => `/plan/${d.site_id}/${d.product_id}`} empty={null} />
      </div>
    </Sheet>
  )
}
