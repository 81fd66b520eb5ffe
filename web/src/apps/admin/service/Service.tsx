import { act, Badge, Chart, client, DataTable, Empty, FilterBar, must, PageHead, ProblemBox, Sheet, SitePick, SkeletonLines, Strip, useAct, useCan, useFilters, useFormat, useListing, useRead, useSite, useText, type ChartSpec, type Column, type Listing } from '@kit'
import type { components } from '@kit/api/schema'
import { Button, Input, Slider } from 'antd'
import { useEffect, useMemo, useState } from 'react'
import { categoryPaths, useCategories } from '../goods/shared'
import { PlanTabs } from '../plan/shared'
import { serviceText } from './text'

type S = components['schemas']
type Sum = S['SupplydayWhatIfSum']
type Line = S['SupplydayWhatIfLine']
type Level = S['ReplenishServiceView']

const step = 5
const usual = 90

/** How often goods should be enough: what another level would cost in waste and save in empty shelves, and setting it. */
export default function Service() {
  const t = useText(serviceText)
  const f = useFormat()
  const place = useSite()
  const site = place.site?.id
  const categories = useCategories()
  const [filter, set] = useFilters()
  const chosen = Math.min(95, Math.max(50, Number(filter['level']) || usual))
  const [level, setLevel] = useState(chosen)
  useEffect(() => setLevel(chosen), [chosen])
  const { category, product } = filter
  const today = useRead(['plan', 'today', site], (signal) => must(client.GET('/api/plans/today', { params: { query: { site_id: site ?? '' } }, signal })), { skip: !site })
  const date = filter['date'] ?? (today.data && dayAfter(today.data.date)) // a whole day, and nobody has decided on it yet
  const query = { site_id: site ?? '', level_bp: chosen * 100, ...(date ? { date } : {}), ...(category ? { category_id: category } : {}), ...(product ? { product_id: product } : {}) }
  const what = useRead(['plan', 'whatif', query], (signal) => must(client.GET('/api/plans/whatif', { params: { query }, signal })), { skip: !site || !date })
  const paths = categoryPaths(categories.data ?? [])
  const answer = what.data
  const curve = answer?.curve ?? []
  const then = curve.find((p) => p.level_bp === level * 100) ?? answer?.then
  const name = product ? answer?.lines?.find((l) => l.product_id === product)?.name ?? '' : category ? paths.find((p) => p.value === category)?.label ?? '' : t('all_goods')
  const setting = answer ? (answer.least_bp === answer.most_bp ? share(answer.most_bp) : `${share(answer.least_bp)} – ${share(answer.most_bp)}`) : ''
  return (
    <>
      <PageHead title={t('title')} note={t('lead')}><SitePick {...place} /></PageHead>
      <PlanTabs />
      <FilterBar filters={[{ kind: 'date', name: 'date', label: t('date') }, ...(paths.length > 0 ? [{ kind: 'choice' as const, name: 'category', label: t('category'), options: paths }] : [])]}>
        {product && <Button size="small" onClick={() => set('product', '')}>{t('only', { name })} ×</Button>}
      </FilterBar>
      <div className="zg-stack">
        {(what.problem ?? today.problem) && <ProblemBox problem={(what.problem ?? today.problem)!} again={() => { today.again(); what.again() }} />}
        {what.loading || today.loading ? <SkeletonLines lines={8} /> : answer && ((answer.lines ?? []).length === 0 ? <div className="zg-sheet"><Empty title={t('none_title')}>{t('none')}</Empty></div> : (
          <>
            {answer.from && <Strip>{t('rest', { at: answer.from })}</Strip>}
            {answer.decided > 0 && <Strip>{t('decided', { n: answer.decided })}</Strip>}
            <Sheet title={t('try', { name })} note={f.day(answer.date)}>
              <div className="zg-level">
                <label id="zg-level-label">{t('level')} <b>{f.percent(level / 100, 0)}</b> <span className="zg-note">{t('set_now', { level: setting })}</span></label>
                <Slider aria-labelledby="zg-level-label" ariaValueTextFormatterForHandle={(v) => f.percent(v / 100, 0)} min={50} max={95} step={step} value={level} marks={{ 50: '50%', 60: '60%', 70: '70%', 80: '80%', 90: '90%' }}
                  onChange={setLevel} onChangeComplete={(v) => set('level', String(v))} />
                <p className="zg-note">{t('means')}</p>
              </div>
              {then && <Figures now={answer.now} then={then} />}
              <Curve curve={curve} now={answer.now} level={level} pick={(v) => set('level', String(v))} />
            </Sheet>
            {site && <Apply key={`${site}/${category}/${product}`} site={site} level={level} name={name} {...(category && !product ? { category } : {})} {...(product ? { product } : {})} />}
            <Lines lines={answer.lines ?? []} more={answer.more} level={chosen} open={(id) => set('product', id)} />
          </>
        ))}
        {site && <Levels site={site} />}
      </div>
    </>
  )
}

const dayAfter = (date: string) => new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)

const share = (bp: number) => `${bp / 100}%`

function Figures(props: { now: Sum; then: Sum }) {
  const t = useText(serviceText)
  const f = useFormat()
  const { now, then } = props
  const change = (a: number, b: number) => (a === b ? t('same') : `${b > a ? '+' : '−'}\u2060${f.yuan(Math.abs(b - a))}`)
  return (
    <div className="zg-figures">
      {([['waste', now.waste_fen, then.waste_fen], ['lost', now.lost_fen, then.lost_fen], ['goods', now.goods_fen, then.goods_fen], ['order', now.order_fen, then.order_fen]] as const).map(([key, a, b]) => (
        <div key={key} className="zg-figure" title={t(`${key}_note`)}>
          <span className="zg-figure-label">{t(key)}</span>
          <span className="zg-figure-value">{f.yuan(b)}</span>
          <span className="zg-note">{t('against_now', { now: f.yuan(a), change: change(a, b) })}</span>
        </div>
      ))}
      <div className="zg-figure" title={t('out_note')}>
        <span className="zg-figure-label">{t('out')}</span>
        <span className="zg-figure-value">{f.percent(then.out_ppm / 1e6)}</span>
        <span className="zg-note">{t('set_now', { level: f.percent(now.out_ppm / 1e6) })}</span>
      </div>
    </div>
  )
}

/** Waste against sales missed, level by level, and what today's setting comes to. */
function Curve(props: { curve: readonly Sum[]; now: Sum; level: number; pick: (level: number) => void }) {
  const t = useText(serviceText)
  const f = useFormat()
  const { curve, now, level, pick } = props
  const spec = useMemo((): ChartSpec => ({
    x: curve.map((p) => String(p.level_bp / 100)), xWord: (x) => `${x}%`, xTitle: (x) => t('at_level', { level: `${x}%` }), xHead: t('level'), unit: '¥', format: (v) => f.number(v, 0),
    series: [
      { name: t('waste'), kind: 'line', data: curve.map((p) => p.waste_fen / 100) },
      { name: t('lost'), kind: 'line', role: 'extra', data: curve.map((p) => p.lost_fen / 100) },
      { name: t('waste_now'), kind: 'line', role: 'compare', dashed: true, data: curve.map(() => now.waste_fen / 100) },
      { name: t('lost_now'), kind: 'line', role: 'compare', data: curve.map(() => now.lost_fen / 100) },
    ],
    now: { index: curve.findIndex((p) => p.level_bp === level * 100), word: `${level}%` },
    onPick: (i) => pick(curve[i]!.level_bp / 100),
  }), [curve, now, level, t, f, pick])
  return curve.length > 0 ? <Chart spec={spec} label={t('curve')} height={240} note={t('curve_note')} /> : null
}

function Apply(props: { site: string; level: number; name: string; category?: string; product?: string }) {
  const t = useText(serviceText)
  const f = useFormat()
  const can = useCan()
  const [reason, setReason] = useState('')
  const doing = useAct((body: S['SupplydayServiceIn']) => act(['set service', body], (header) => client.PUT('/api/plans/service', { params: { header }, body })), ['plan', 'jobs'])
  if (!can('plan.rules')) return null
  const body = { site_id: props.site, level_bp: props.level * 100, reason: reason.trim(), ...(props.category ? { category_id: props.category } : {}), ...(props.product ? { product_id: props.product } : {}) }
  return (
    <Sheet title={t('apply_title', { name: props.name, level: f.percent(props.level / 100, 0) })} note={t('apply_note')}>
      {doing.problem && <ProblemBox problem={doing.problem} />}
      {doing.data && <Strip tone="green">{t('applied')}</Strip>}
      <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); void doing.run(body).then((done) => done && setReason('')) }}>
        <label className="zg-field"><span>{t('reason')}</span><Input value={reason} maxLength={200} placeholder={t('reason_hint')} onChange={(e) => setReason(e.target.value)} /></label>
        <Button type="primary" htmlType="submit" loading={doing.busy} disabled={reason.trim() === ''}>{t('apply', { level: f.percent(props.level / 100, 0) })}</Button>
      </form>
    </Sheet>
  )
}

function Lines(props: { lines: readonly Line[]; more: number; level: number; open: (product: string) => void }) {
  const t = useText(serviceText)
  const f = useFormat()
  const rows: Listing<Line> = { rows: [...props.lines], problem: undefined, loading: false, fetching: false, stale: false, more: undefined, again: () => {} }
  const pair = (a: string, b: string) => <>{a} <span aria-hidden>→</span> <b>{b}</b></>
  const columns: Column<Line>[] = [
    { key: 'name', head: t('product'), cell: (l) => <>{l.name} <span className="zg-note">{l.code}</span> <Badge tone="plain">{t(`kind_${l.kind}`)}</Badge></>, by: (l) => l.name },
    { key: 'level', head: t('level'), right: true, cell: (l) => pair(share(l.now.level_bp), share(l.then.level_bp)), by: (l) => l.now.level_bp },
    { key: 'qty', head: t('qty'), right: true, cell: (l) => pair(f.decimal(l.now.qty), f.qty({ qty: l.then.qty, unit: l.unit })), by: (l) => Number(l.then.qty) },
    { key: 'goods', head: t('goods'), unit: '¥', right: true, cell: (l) => pair(f.money(l.now.goods_fen), f.money(l.then.goods_fen)), by: (l) => l.then.goods_fen, wide: true },
    { key: 'waste', head: t('waste'), unit: '¥', right: true, cell: (l) => pair(f.money(l.now.waste_fen), f.money(l.then.waste_fen)), by: (l) => l.then.waste_fen },
    { key: 'waste_qty', head: t('waste_qty'), right: true, cell: (l) => pair(f.number(Number(l.now.waste), 1), f.number(Number(l.then.waste), 1)), by: (l) => Number(l.then.waste), wide: true },
    { key: 'lost', head: t('lost_qty'), right: true, cell: (l) => pair(f.number(Number(l.now.lost), 1), f.number(Number(l.then.lost), 1)), by: (l) => Number(l.then.lost) },
    { key: 'out', head: t('out'), right: true, cell: (l) => pair(f.percent(l.now.out_ppm / 1e6, 0), f.percent(l.then.out_ppm / 1e6, 0)), by: (l) => l.then.out_ppm },
  ]
  return (
    <Sheet title={t('lines', { level: `${props.level}%` })} note={props.more > 0 ? t('more', { n: props.more }) : t('lines_note')} flush>
      <DataTable label={t('lines', { level: `${props.level}%` })} rows={rows} columns={columns} rowKey={(l) => l.product_id} onOpen={(l) => props.open(l.product_id)} empty={<p className="zg-note">{t('none')}</p>} />
    </Sheet>
  )
}

/** What people have set, with who and why. */
function Levels(props: { site: string }) {
  const t = useText(serviceText)
  const f = useFormat()
  const can = useCan()
  const [taking, setTaking] = useState<string>()
  const [reason, setReason] = useState('')
  const rows = useListing(['plan', 'service', props.site], (_, signal) => must(client.GET('/api/plans/service', { params: { query: { site_id: props.site } }, signal })))
  const drop = useAct((l: Level) => act(['drop service', l], (header) => client.PUT('/api/plans/service', { params: { header }, body: { level_bp: 0, reason: reason.trim(), site_id: l.site_id, category_id: l.category_id, product_id: l.product_id } })), ['plan', 'jobs'])
  const key = (l: Level) => `${l.site_id}/${l.category_id}/${l.product_id}`
  const columns: Column<Level>[] = [
    { key: 'what', head: t('for'), cell: (l) => l.product || l.category || t('all_goods') },
    { key: 'where', head: t('where'), cell: (l) => (l.site_id ? t('here') : t('everywhere')) },
    { key: 'level', head: t('level'), right: true, cell: (l) => share(l.level_bp) },
    { key: 'who', head: t('who'), cell: (l) => <>{l.by} <span className="zg-note">{f.at(l.at)}</span></>, wide: true },
    { key: 'reason', head: t('reason'), cell: (l) => l.reason },
    { key: 'acts', head: '', cell: (l) => can('plan.rules') && l.site_id === props.site && (taking === key(l) ? (
      <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); void drop.run(l).then((done) => { if (done) { setTaking(undefined); setReason('') } }) }}>
        <Input size="small" autoFocus aria-label={t('reason')} placeholder={t('reason')} maxLength={200} value={reason} onChange={(e) => setReason(e.target.value)} />
        <Button size="small" htmlType="submit" loading={drop.busy} disabled={reason.trim() === ''}>{t('take_away')}</Button>
      </form>
    ) : <Button size="small" onClick={() => setTaking(key(l))}>{t('take_away')}</Button>) },
  ]
  return (
    <Sheet title={t('levels')} note={t('levels_note')} flush>
      {drop.problem && <ProblemBox problem={drop.problem} />}
      <DataTable label={t('levels')} rows={rows} columns={columns} rowKey={key} empty={<Empty title={t('levels_none')}>{t('levels_none_note')}</Empty>} />
    </Sheet>
  )
}
