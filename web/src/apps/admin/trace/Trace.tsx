import { Badge, client, DataTable, all, Empty, must, PageHead, ProblemBox, Sheet, SitePick, SkeletonLines, Strip, useAct, useCan, useFormat, useRead, useSite, useText, type Batch, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Button, Input, Segmented } from 'antd'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router-dom'
import { traceText } from './text'

type S = components['schemas']
type Trace = S['MakingTrace']
type Step = S['MakingStep']
type Sold = S['MakingSold']

/** From a batch to its materials and suppliers, or on to what was made of it and sold, level by level. */
export default function TracePage() {
  const t = useText(traceText)
  const place = useSite()
  const site = place.site?.id
  const [params, setParams] = useSearchParams()
  const batch = params.get('batch')
  const dir = params.get('dir') === 'forward' ? 'forward' as const : 'back' as const
  const [typed, setTyped] = useState('')
  const [found, setFound] = useState<{ code: string; batches: Batch[] }>()
  const go = (next: Record<string, string>) => setParams((old) => { const now = new URLSearchParams(old); Object.entries(next).forEach(([k, v]) => now.set(k, v)); return now })
  const look = useAct(async (code: string) => {
    const exact = await must(client.GET('/api/stock/batches', { params: { query: { site_id: site!, code, limit: 5 } } }))
    if ((exact.items ?? []).length > 0) return { code, batches: exact.items! }
    const goods = await must(client.GET('/api/goods/products', { params: { query: { q: code, limit: 1 } } }))
    const product = goods.items?.[0]
    if (!product) return { code, batches: [] }
    const of = await must(client.GET('/api/stock/batches', { params: { query: { site_id: site!, product_id: product.id, limit: 100 } } }))
    return { code, batches: (of.items ?? []).reverse() }
  })
  const read = useRead(['stock', 'trace', batch, dir], (signal) => must(client.GET('/api/trace/batches/{id}', { params: { path: { id: batch ?? '' }, query: { direction: dir } }, signal })), { skip: !batch })
  const submit = () => {
    const code = typed.trim()
    if (code === '' || !site) return
    void look.run(code).then((f) => {
      if (!f) return
      if (f.batches.length === 1) {
        setFound(undefined)
        go({ batch: f.batches[0]!.id })
      } else setFound(f)
    })
  }
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} /></PageHead>
      <div className="zg-stack">
        <form className="zg-line" role="search" onSubmit={(e) => { e.preventDefault(); submit() }}>
          <Input className="zg-filter-search" autoFocus aria-label={t('find')} placeholder={t('find')} maxLength={60} value={typed} onChange={(e) => setTyped(e.target.value)} />
          <Button htmlType="submit" loading={look.busy}>{t('look')}</Button>
        </form>
        {look.problem && <ProblemBox problem={look.problem} />}
        {found && (found.batches.length === 0 ? <Strip tone="amber">{t('none', { code: found.code })}</Strip> : <Choose batches={found.batches} choose={(id) => { setFound(undefined); go({ batch: id }) }} />)}
        {!batch && !found && <div className="zg-sheet"><Empty title={t('first_title')}>{t('first')}</Empty></div>}
        {batch && !found && (
          <>
            <Segmented value={dir} onChange={(v) => go({ dir: v })} options={(['back', 'forward'] as const).map((value) => ({ value, label: t(value) }))} />
            {read.problem && <ProblemBox problem={read.problem} again={read.again} />}
            {read.loading ? <SkeletonLines lines={6} /> : read.data && read.data.batch.batch_id === batch && read.data.direction === dir && <Shown key={`${batch} ${dir}`} trace={read.data} />}
          </>
        )}
      </div>
    </>
  )
}

function Choose(props: { batches: Batch[]; choose: (id: string) => void }) {
  const t = useText(traceText)
  const f = useFormat()
  const columns: Column<Batch>[] = [
    { key: 'code', head: t('choose'), cell: (b) => b.code },
    { key: 'product', head: t('product'), cell: (b) => b.product },
    { key: 'at', head: t('at'), cell: (b) => f.at(b.received_at) },
    { key: 'qty', head: t('qty'), right: true, cell: (b) => f.qty({ qty: b.qty, unit: b.unit }) },
  ]
  return <DataTable label={t('choose')} rows={all(props.batches)} columns={columns} rowKey={(b) => b.id} onOpen={(b) => props.choose(b.id)} empty={null} />
}

function Shown(props: { trace: Trace }) {
  const { trace } = props
  const t = useText(traceText)
  const f = useFormat()
  const can = useCan()
  const back = trace.direction === 'back'
  const steps = trace.steps ?? []
  const sales = trace.sales ?? []
  const units = new Map([trace.batch, ...steps.map((s) => s.other)].map((b) => [b.batch_id, b.unit]))
  const columns: Column<Sold>[] = [
    { key: 'slip', head: t('slip'), cell: (s) => (can('sales.read') ? <Link to={`/sales/${s.sale_id}`}>{s.slip_no}</Link> : s.slip_no), by: (s) => s.slip_no },
    { key: 'at', head: t('at'), cell: (s) => <span title={f.exact(s.sold_at)}>{f.at(s.sold_at)}</span>, by: (s) => s.sold_at },
    { key: 'site', head: t('site'), cell: (s) => s.site, by: (s) => s.site },
    { key: 'product', head: t('product'), cell: (s) => s.product, by: (s) => s.product },
    { key: 'qty', head: t('qty'), right: true, cell: (s) => f.qty({ qty: s.qty, unit: s.unit }), by: (s) => Number(s.qty) },
  ]
  return (
    <>
      {trace.cut && <Strip tone="amber">{t('cut')}</Strip>}
      {trace.hidden > 0 && <Strip tone="amber">{t('hidden', { n: trace.hidden })}</Strip>}
      <Sheet title={back ? t('back') : t('forward')} note={t('sums', { batches: trace.sums.batches, sales: trace.sums.sales })}>
        <ul className="zg-tree" role="tree"><Node units={units} batch={trace.batch} steps={steps} back={back} level={1} /></ul>
        {steps.length === 0 && <p className="zg-note">{back ? t('nothing_back') : t('nothing_forward')}</p>}
      </Sheet>
      {!back && <Sheet title={t('sales')} flush><DataTable label={t('sales')} rows={all(sales)} columns={columns} rowKey={(s) => `${s.sale_id} ${s.batch_id} ${s.qty}`} empty={<p className="zg-note">{t('no_sales')}</p>} /></Sheet>}
    </>
  )
}

/** A batch and below it those it was made of, or that were made of it. */
function Node(props: { units: ReadonlyMap<string, string>; batch: S['MakingTraced']; step?: Step; steps: Step[]; back: boolean; level: number }) {
  const { batch, step, steps, back, level, units } = props
  const t = useText(traceText)
  const f = useFormat()
  const can = useCan()
  const [open, setOpen] = useState(level < 4)
  const below = steps.filter((s) => (back ? s.made_batch_id : s.material_batch_id) === batch.batch_id)
  const kind = (['goods_receipt', 'opening_stock', 'output_receipt', 'transfer_in', 'conversion'] as const).find((k) => k === batch.kind)
  return (
    <li role="treeitem" aria-level={level} {...(below.length > 0 ? { 'aria-expanded': open } : {})}>
      <div className="zg-tree-row">
        {below.length > 0 ? <button type="button" className="zg-link" aria-label={t('open')} onClick={() => setOpen(!open)}>{open ? '▾' : '▸'}</button> : <span aria-hidden>·</span>}
        <div>
          <b>{batch.product}</b> <Link to={`/stock/batches/${batch.batch_id}`}>{t('batch', { code: batch.code })}</Link> {kind && <Badge>{t(kind)}</Badge>}
          <div className="zg-note">
            {step && `${t(step.transfer_id ? 'sent' : 'used', { qty: f.qty({ qty: step.qty, unit: units.get(step.material_batch_id) ?? '' }) })} · `}
            {batch.site} · {f.at(batch.received_at)} · {batch.expires_at ? t('expires', { at: f.at(batch.expires_at) }) : t('keeps')} · {t('left', { qty: f.qty({ qty: batch.left, unit: batch.unit }) })}
            {batch.supplier && <> · {t('from', { supplier: batch.supplier })}</>}
            {batch.order_id && <> · {can('purchase.read') ? <Link to={`/buy/${batch.order_id}`}>{t('order', { no: batch.order_no })}</Link> : t('order', { no: batch.order_no })}</>}
            {batch.recipe_from && <> · {t('by_recipe', { date: f.date(batch.recipe_from) })}{batch.mix_id && <> · {t('by_mix')}</>}</>}
            {batch.ref && <> · {t('ref', { ref: batch.ref })}</>}
            {step?.task_id && can('make.read') && <> · <Link to={`/make/${step.task_id}`}>{t('task')}</Link></>}
            {step?.transfer_id && can('stock.read') && <> · <Link to={`/stock/transfers/${step.transfer_id}`}>{t('transfer')}</Link></>}
            {step?.conversion_id && can('stock.read') && <> · <Link to={`/stock/conversions/${step.conversion_id}`}>{t('conversion_link')}</Link></>}
          </div>
        </div>
      </div>
      {open && below.length > 0 && <ul role="group">{below.map((s) => <Node key={`${s.task_id} ${s.transfer_id} ${s.other.batch_id}`} units={units} batch={s.other} step={s} steps={steps} back={back} level={level + 1} />)}</ul>}
    </li>
  )
}
