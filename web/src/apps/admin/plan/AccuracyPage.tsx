import { all, client, DataTable, Empty, FilterBar, must, PageHead, ProblemBox, Sheet, SitePick, SkeletonLines, useFilters, useFormat, useRead, useSite, useText, type Accuracy, type Column } from '@kit'
import { AccuracyBox, gain, planText, PlanTabs } from './shared'

const levels = ['product', 'category', 'store', 'chain'] as const
type Item = Accuracy['items'][number]

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
              {data.people && data.people.n > 0 && (
                <p className="zg-note">{t('people')}: {t('people_note', { n: data.people.n, people: data.people.wape === null ? '–' : f.percent(data.people.wape), machine: data.people.wape_machine === null ? '–' : f.percent(data.people.wape_machine) })}</p>
              )}
            </Sheet>
            {data.items.length > 0 && <DataTable label={t('accuracy')} rows={all(data.items, read)} columns={columns} rowKey={(i) => i.id} {...(level === 'product' && site ? { to: (i: Item) => `/plan/${site}/${i.id}` } : {})} empty={<Empty title={t('no_figures')}>{t('no_figures_note')}</Empty>} />}
          </>
        )}
      </div>
    </>
  )
}
