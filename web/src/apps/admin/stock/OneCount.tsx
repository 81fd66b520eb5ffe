import { PrinterOutlined, TableOutlined } from '@ant-design/icons'
import { act, asProblem, Badge, client, DataTable, Empty, Facts, FilterBar, must, PageHead, ProblemBox, ProductPick, Progress, Sheet, SkeletonLines, Steps, Strip, Trail, useAct, useCan, useFilters, useFormat, useListing, usePageTitle, useProblemWords, useRead, useText, type Column, type StockCount, type StockCountLine } from '@kit'
import { App, Button, Input } from 'antd'
import { useEffect, useState } from 'react'
import { createPortal } from 'react-dom'
import { useParams } from 'react-router-dom'
import { isQty, QuantityGrid, useStyleOf } from '../styles/Quantities'
import { CountBadge } from './Counts'
import { CountListPaper, CountResultPaper } from './papers'
import { stockText } from './shared'

const lineStates = ['not_counted', 'counted', 'count_again', 'approved', 'posted', 'not_posted'] as const

export default function OneCount() {
  const { id = '' } = useParams()
  const t = useText(stockText)
  const f = useFormat()
  const read = useRead(['stock', 'count', id], () => must(client.GET('/api/stock/counts/{id}', { params: { path: { id } } })), { every: 5000 })
  const c = read.data
  usePageTitle(c && t('count'))
  if (!c) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const steps = c.state === 'cancelled' ? ['open', 'cancelled'] as const : ['open', 'review', 'posting', 'posted'] as const
  const at = (state: string) => c.trail.findLast((s) => s.act === state)?.at
  return (
    <>
      <PageHead title={t('count')} back={{ to: `/stock/counts?site=${c.site_id}`, label: t('counts') }} note={<CountBadge state={c.state} />}>
        <PrintCount count={c} />
      </PageHead>
      <div className="zg-stack">
        <Sheet><Steps label={t('state')} current={c.state} bad={c.state === 'cancelled'} steps={steps.map((key) => { const when = at(key); return { key, label: t(`count_${key}`), ...(when ? { at: when } : {}) } })} /></Sheet>
        <NextOfCount count={c} />
        <Lines count={c} />
        <div className="zg-columns">
          <Sheet><Facts facts={[[t('count_kind'), t(`count_kind_${c.kind}`)], [t('blind'), t(c.blind ? 'yes' : 'no')], [t('count_limit'), f.yuan(c.limit_fen)], [t('gain'), f.yuan(c.sums.gain_fen)], [t('loss'), f.yuan(c.sums.loss_fen)], c.note !== '' && [t('note'), c.note]]} /></Sheet>
          <Sheet title={t('trail')}><Trail label={t('trail')} entries={[...c.trail].reverse().map((s, i) => ({ key: String(i), at: s.at, who: s.staff || t('system'), what: <>{t(`act_${s.act}` as 'act_open')}{s.note && ` · ${s.note}`}</> }))} /></Sheet>
        </div>
      </div>
    </>
  )
}

/** Fetches every line, puts them on paper and prints: the screen shows a page of them at a time. */
function PrintCount(props: { count: StockCount }) {
  const { count: c } = props
  const t = useText(stockText)
  const words = useProblemWords()
  const { message } = App.useApp()
  const [lines, setLines] = useState<StockCountLine[]>()
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    if (lines === undefined) return
    const done = () => setLines(undefined)
    addEventListener('afterprint', done) // print() does not wait everywhere
    print()
    return () => removeEventListener('afterprint', done)
  }, [lines])
  const start = async () => {
    setBusy(true)
    try {
      const every: StockCountLine[] = []
      for (let after = ''; ;) {
        const page = await must(client.GET('/api/stock/counts/{id}/lines', { params: { path: { id: c.id }, query: { limit: 200, ...(after ? { after } : {}) } } }))
        every.push(...page.items)
        if (!page.next) break
        after = page.next
      }
      setLines(every)
    } catch (e) {
      message.error(words(asProblem(e)))
    } finally {
      setBusy(false)
    }
  }
  const list = c.state === 'open'
  return (
    <>
      <Button icon={<PrinterOutlined />} loading={busy} onClick={() => void start()}>{t(list ? 'print_list' : 'print_result')}</Button>
      {lines && createPortal(list ? <CountListPaper count={c} lines={lines} /> : <CountResultPaper count={c} lines={lines} />, document.getElementById('zg-main') ?? document.body)}
    </>
  )
}

function NextOfCount(props: { count: StockCount }) {
  const { count: c } = props
  const t = useText(stockText)
  const can = useCan()
  const words = useProblemWords()
  const path = { id: c.id }
  const review = useAct(() => act(['review', c.id, c.changed_at], (header) => client.POST('/api/stock/counts/{id}/review', { params: { header, path } })), ['stock'])
  const post = useAct(() => act(['post', c.id, c.changed_at], (header) => client.POST('/api/stock/counts/{id}/post', { params: { header, path }, body: { leave_uncounted: true } })), ['stock'])
  const cancel = useAct(() => act(['cancel', c.id], (header) => client.POST('/api/stock/counts/{id}/cancel', { params: { header, path }, body: {} })), ['stock'])
  const problem = review.problem ?? post.problem ?? cancel.problem
  const s = c.sums
  return (
    <div className="zg-no-print zg-stack">
      {c.state !== 'posted' && c.state !== 'cancelled' && <Progress label={t(c.state === 'posting' ? 'posted' : 'counted')} done={c.state === 'posting' ? s.posted : s.lines - s.not_counted} total={s.lines} />}
      {problem && <Strip tone="red">{words(problem)}</Strip>}
      {s.count_again > 0 && <Strip tone="amber">{t('again_left', { n: s.count_again })}</Strip>}
      {s.unapproved > 0 && <Strip tone="amber">{t('unapproved_left', { n: s.unapproved })}</Strip>}
      {s.not_posted > 0 && <Strip tone="red">{t('not_posted_left', { n: s.not_posted })}</Strip>}
      {can('stock.manage') && (c.state === 'open' || c.state === 'review') && (
        <div className="zg-acts">
          {c.state === 'open' && <Button type="primary" loading={review.busy} onClick={() => void review.run(undefined)}>{t('review_count')}</Button>}
          {c.state === 'review' && <Button type="primary" loading={post.busy} onClick={() => void post.run(undefined)}>{t('post_count')}</Button>}
          <Button loading={cancel.busy} onClick={() => void cancel.run(undefined)}>{t('cancel_count')}</Button>
          {c.state === 'review' && s.not_counted > 0 && <span className="zg-note">{t('leaves_uncounted', { n: s.not_counted })}</span>}
        </div>
      )}
    </div>
  )
}

function Lines(props: { count: StockCount }) {
  const { count: c } = props
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const words = useProblemWords()
  const [filter] = useFilters()
  const [typed, setTyped] = useState<Record<number, string>>({})
  const state = lineStates.find((s) => s === filter['state'])
  const different = filter['different'] === '1'
  const lines = useListing(['stock', 'count-lines', c.id, state, different], (after, signal) =>
    must(client.GET('/api/stock/counts/{id}/lines', { params: { path: { id: c.id }, query: { limit: 100, ...(state ? { state } : {}), ...(different ? { different } : {}), ...(after ? { after } : {}) } }, signal })))
  const enter = useAct((e: { line: number; qty: string; entries: number }) => act(['count', c.id, e], (header) => client.POST('/api/stock/counts/{id}/lines/{line}/entries', { params: { header, path: { id: c.id, line: e.line } }, body: { qty: e.qty } })), ['stock'])
  const approve = useAct((line: number) => act(['approve', c.id, line, c.changed_at], (header) => client.POST('/api/stock/counts/{id}/approve', { params: { header, path: { id: c.id } }, body: { lines: [line] } })), ['stock'])
  const again = useAct((line: number) => act(['again', c.id, line, c.changed_at], (header) => client.POST('/api/stock/counts/{id}/again', { params: { header, path: { id: c.id } }, body: { lines: [line] } })), ['stock'])
  const problem = enter.problem ?? approve.problem ?? again.problem
  const counting = c.state === 'open' && can('stock.count')
  const put = (l: StockCountLine) => {
    const qty = typed[l.line_no]
    if (qty === undefined || qty.trim() === '') return
    void enter.run({ line: l.line_no, qty: qty.trim(), entries: l.entries }).then((done) => done && setTyped(({ [l.line_no]: _, ...rest }) => rest))
  }
  const columns: Column<StockCountLine>[] = [
    { key: 'product', head: t('name'), cell: (l) => <>{l.product} <span className="zg-note">{l.code}{l.batch && ` · ${l.batch}`}</span></> },
    { key: 'state', head: t('state'), cell: (l) => <Badge tone={l.state === 'count_again' || l.state === 'not_posted' ? 'red' : l.state === 'not_counted' ? 'plain' : l.state === 'counted' && Number(l.diff) !== 0 ? 'amber' : 'green'}>{t(`line_${l.state}`)}</Badge> },
    { key: 'counted', head: t('counted_qty'), right: true, cell: (l) => (counting && (l.state === 'not_counted' || l.state === 'counted' || l.state === 'count_again')
      ? <Input className="zg-input-right" style={{ width: 130 }} inputMode="decimal" aria-label={`${t('counted_qty')} ${l.product}`} suffix={f.unit(l.unit)} placeholder={l.state === 'not_counted' ? '' : f.decimal(l.counted)} value={typed[l.line_no] ?? ''} onChange={(e) => setTyped({ ...typed, [l.line_no]: e.target.value })} onPressEnter={() => put(l)} onBlur={() => put(l)} />
      : l.state === 'not_counted' ? '' : f.qty({ qty: l.counted, unit: l.unit })) },
    { key: 'book', head: t('book'), right: true, cell: (l) => (l.state === 'not_counted' ? '' : f.decimal(l.book)), wide: true },
    { key: 'diff', head: t('diff'), right: true, cell: (l) => (Number(l.diff) === 0 ? '' : f.signed(f.decimal(l.diff))) },
    { key: 'value', head: t('value'), unit: '¥', right: true, cell: (l) => (l.value_fen ? f.money(l.value_fen) : '') },
    { key: 'acts', head: '', cell: (l) => (
      <span className="zg-acts">
        {can('stock.approve') && l.state === 'counted' && Number(l.diff) !== 0 && Math.abs(l.value_fen) > c.limit_fen && <Button size="small" loading={approve.busy} onClick={() => void approve.run(l.line_no)}>{t('approve')}</Button>}
        {can('stock.manage') && (c.state === 'open' || c.state === 'review') && (l.state === 'counted' || l.state === 'approved') && Number(l.diff) !== 0 && <Button size="small" loading={again.busy} onClick={() => void again.run(l.line_no)}>{t('count_it_again')}</Button>}
      </span>
    ) },
  ]
  return (
    <>
      {problem && <Strip tone="red">{words(problem)}</Strip>}
      {counting && !c.by_batch && <ByGrid count={c.id} />}
      <FilterBar filters={[{ kind: 'choice', name: 'state', label: t('state'), options: lineStates.map((s) => ({ value: s, label: t(`line_${s}`) })) }, { kind: 'flag', name: 'different', label: t('only_different') }]} />
      <DataTable label={t('lines')} rows={lines} columns={columns} rowKey={(l) => String(l.line_no)} empty={<Empty title={t('none_title')}>{t('none')}</Empty>} />
    </>
  )
}

/** Counts a whole style by its grid: what is typed is entered in one act, what is left empty is left alone. */
function ByGrid(props: { count: string }) {
  const t = useText(stockText)
  const [product, setProduct] = useState('')
  const [unit, setUnit] = useState('')
  const [open, setOpen] = useState(false)
  const style = useStyleOf(product)
  const enter = useAct((lines: { product_id: string; qty: string; unit: string }[]) => act(['count-goods', props.count, lines], (header) => client.POST('/api/stock/counts/{id}/entries', { params: { header, path: { id: props.count } }, body: { lines } })), ['stock'])
  const close = () => {
    setOpen(false)
    setProduct('')
  }
  const take = (qty: Record<string, string>) => {
    const lines = (style?.variants ?? []).map((v) => ({ product_id: v.product_id, qty: (qty[v.product_id] ?? '').trim(), unit })).filter((l) => isQty(l.qty))
    if (lines.length === 0) close()
    else void enter.run(lines).then((done) => done && close())
  }
  return (
    <div className="zg-line zg-no-print">
      <ProductPick key={open ? 'open' : 'shut'} label={t('count_style')} placeholder={t('count_style')} value={product} choose={(p, scanned) => { setProduct(p?.id ?? ''); setUnit(scanned ?? p?.base_unit ?? '') }} />
      <Button icon={<TableOutlined />} disabled={!style} onClick={() => setOpen(true)}>{t('by_grid')}</Button>
      {product !== '' && !style && <span className="zg-note">{t('no_style')}</span>}
      {open && style && <QuantityGrid style={style} unit={unit} had={{}} done={take} cancel={close} busy={enter.busy} problem={enter.problem} />}
    </div>
  )
}
