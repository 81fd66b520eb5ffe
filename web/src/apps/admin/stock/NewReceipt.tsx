import { DeleteOutlined, PlusOutlined, TableOutlined } from '@ant-design/icons'
import { act, Badge, client, must, ofThousandths, PageHead, parseMoney, ProblemBox, ProductPick, Sheet, SitePick, SkeletonLines, Strip, useAct, useFormat, useRead, useSite, useText, type Problem, type Style } from '@kit'
import type { components } from '@kit/api/schema'
import { App, Button, Input, Select } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router-dom'
import { QuantityGrid, useStyleOf } from '../styles/Quantities'
import { amountOf, batchOf, differs, nothing, priceFen4, quantity, type Came } from './receiving'
import { stockText, unitsOf } from './shared'

type S = components['schemas']
type Order = S['PurchaseOrderView']

/** Goods come in: against a purchase order, or without one. */
export default function NewReceipt() {
  const [params] = useSearchParams()
  const t = useText(stockText)
  const order = params.get('order') ?? ''
  const read = useRead(['purchase', 'one', order], () => must(client.GET('/api/purchase/orders/{id}', { params: { path: { id: order } } })), { skip: order === '' })
  const place = useSite()
  const back = { to: `/stock/receipts?site=${place.site?.id ?? ''}`, label: t('receipts') }
  if (order === '') return <><PageHead title={t('receive_free')} back={back}><SitePick {...place} /></PageHead>{place.site && <Free key={place.site.id} site={place.site.id} />}</>
  if (!read.data) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  return <><PageHead title={t('receive_from', { supplier: read.data.supplier_name })} note={<Link to={`/buy/${order}`}>{read.data.no}</Link>} back={back} /><Against key={order} order={read.data} /></>
}

/** All that is said of a batch beyond its quantity: left empty, the house fills it in. */
function BatchFields(props: { came: Came; set: (next: Partial<Came>) => void }) {
  const t = useText(stockText)
  const { came, set } = props
  return (
    <details className="zg-details"><summary>{t('batch_details')}</summary>
      <div className="zg-form-grid">
        <label className="zg-field zg-field-s"><span>{t('batch')}</span><Input maxLength={40} placeholder={t('code_made')} value={came.code} onChange={(e) => set({ code: e.target.value })} /></label>
        <label className="zg-field zg-field-s"><span>{t('made_on')}</span><input type="date" className="zg-date" value={came.made} onChange={(e) => set({ made: e.target.value })} /></label>
        <label className="zg-field zg-field-m"><span>{t('expires')}</span><input type="datetime-local" className="zg-date" value={came.expires} onChange={(e) => set({ expires: e.target.value })} /><span className="zg-note">{t('expires_hint')}</span></label>
      </div>
    </details>
  )
}

/** The reference and the remark of a receipt, what was refused, and the one primary act. */
function End(props: { ref_: string; setRef: (s: string) => void; note: string; setNote: (s: string) => void; problem: Problem | undefined; ready: boolean; busy: boolean; save: string }) {
  const t = useText(stockText)
  return (
    <>
      <Sheet>
        <div className="zg-form-grid">
          <label className="zg-field zg-field-m"><span>{t('ref')}</span><Input maxLength={60} value={props.ref_} onChange={(e) => props.setRef(e.target.value)} /></label>
          <label className="zg-field zg-field-m"><span>{t('note')}</span><Input maxLength={200} value={props.note} onChange={(e) => props.setNote(e.target.value)} /></label>
        </div>
      </Sheet>
      {props.problem && <ProblemBox problem={props.problem} />}
      <div className="zg-acts"><Button type="primary" htmlType="submit" disabled={!props.ready} loading={props.busy}>{props.save}</Button></div>
    </>
  )
}

function wrongLine(problem: Problem | undefined, n: number): string | undefined {
  return problem?.fields.find((f) => f.field.startsWith(`lines[${n}].`))?.detail
}

interface Part extends Came { line: number }

/** Against an order: what is open is filled in, each line may come in several batches, or be filled by its style's grid. */
function Against(props: { order: Order }) {
  const { order } = props
  const t = useText(stockText)
  const f = useFormat()
  const go = useNavigate()
  const { message } = App.useApp()
  const lines = order.lines ?? []
  const plain = (q: string) => f.decimal(q).replace(/,/g, '')
  const [parts, setParts] = useState<Part[]>(() => lines.filter((l) => Number(l.open) > 0).map((l) => ({ ...nothing, line: l.line_no, qty: plain(l.open), unit: l.unit })))
  const [ref, setRef] = useState('')
  const [note, setNote] = useState('')
  const said = parts.filter((p) => p.qty.trim() !== '' && Number(p.qty) !== 0)
  const body = { ...(ref.trim() ? { ref: ref.trim() } : {}), ...(note.trim() ? { note: note.trim() } : {}), lines: said.filter((p) => quantity(p.qty) !== undefined).map((p) => ({ line: p.line, ...batchOf(p) })) }
  const save = useAct(() => act(['receive', order.id, body, order.received_fen], (header) => client.POST('/api/purchase/orders/{id}/receipts', { params: { path: { id: order.id }, header }, body })), ['purchase', 'stock', 'plan'])
  const ready = said.length > 0 && said.every((p) => quantity(p.qty) !== undefined)
  if (!['confirmed', 'sent', 'part_received'].includes(order.state)) return <Strip tone="amber">{t('order_not_open')}</Strip>
  // Typed in the grid: the first batch of each line of the style takes the quantity.
  const take = (style: Style, qty: Record<string, string>) => setParts((old) => {
    const of = new Map(lines.filter((l) => style.variants.some((v) => v.product_id === l.product_id)).map((l) => [l.line_no, l]))
    const rest = old.filter((p) => !of.has(p.line))
    const filled = [...of.values()].map((l): Part => ({ ...(old.find((p) => p.line === l.line_no) ?? { ...nothing, line: l.line_no }), qty: (qty[l.product_id] ?? '').trim(), unit: l.unit }))
    return [...rest, ...filled].sort((a, b) => a.line - b.line)
  })
  return (
    <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); if (ready) void save.run(undefined).then((r) => { if (r) { void message.success(t('received_now', { amount: f.yuan(r.cost_fen) })); void go(`/stock/receipts/${r.id}`) } }) }}>
      {lines.map((l) => {
        const mine = parts.map((p, at) => ({ p, at })).filter((x) => x.p.line === l.line_no)
        return (
          <Sheet key={l.line_no} title={<>{l.name} <span className="zg-note">{l.code}</span></>}
            note={Number(l.open) > 0 ? t('line_expected', { open: f.qty({ qty: l.open, unit: l.unit }), ordered: f.qty({ qty: l.qty, unit: l.unit }), price: `¥${f.cost(l.price_fen4)}/${f.unit(l.pack_unit)}` }) : t('line_came', { qty: f.qty({ qty: l.received, unit: l.unit }) })}
            acts={<GridOf product={l.product_id} had={() => Object.fromEntries(parts.map((p) => [lines.find((x) => x.line_no === p.line)?.product_id ?? '', p.qty]))} off={(product) => !lines.some((x) => x.product_id === product)} take={take} />}>
            <div className="zg-stack-s">
              {mine.map(({ p, at }) => {
                const set = (next: Partial<Part>) => setParts((old) => old.map((o, i) => (i === at ? { ...o, ...next } : o)))
                const sent = said.indexOf(p)
                const wrong = sent >= 0 ? wrongLine(save.problem, sent) : undefined
                return (
                  <div key={at} className="zg-stack-s">
                    <div className="zg-line">
                      <Input className="zg-line-s zg-input-right" aria-label={`${t('qty')} ${l.name}`} inputMode="decimal" maxLength={14} value={p.qty} status={p.qty.trim() === '' || Number(p.qty) === 0 || quantity(p.qty) !== undefined ? '' : 'error'} onChange={(e) => set({ qty: e.target.value })} />
                      <Select className="zg-line-s" aria-label={`${t('unit')} ${l.name}`} value={p.unit} options={[...new Set([l.unit, l.pack_unit])].map((u) => ({ value: u, label: f.unit(u) }))} onChange={(unit: string) => set({ unit })} />
                      <Button icon={<DeleteOutlined />} aria-label={t('remove_line')} onClick={() => setParts((old) => old.filter((_, i) => i !== at))} />
                      {wrong && <span role="alert" className="zg-note">{wrong}</span>}
                    </div>
                    <BatchFields came={p} set={set} />
                  </div>
                )
              })}
              {Number(l.open) > 0 && <Differs line={l} parts={mine.map((x) => x.p)} />}
              <div><Button icon={<PlusOutlined />} onClick={() => setParts((old) => [...old, { ...nothing, line: l.line_no, unit: l.unit }])}>{t(mine.length > 0 ? 'another_batch' : 'some_came')}</Button></div>
            </div>
          </Sheet>
        )
      })}
      <End ref_={ref} setRef={setRef} note={note} setNote={setNote} problem={save.problem} ready={ready} busy={save.busy} save={t('receive_now')} />
    </form>
  )
}

/** How far what came is from what is still expected of a line. */
function Differs(props: { line: Order['lines'][number]; parts: Part[] }) {
  const t = useText(stockText)
  const f = useFormat()
  const { line } = props
  const more = differs(line, props.parts)
  if (!more) return null
  const qty = f.qty({ qty: ofThousandths(Math.abs(more)), unit: line.unit })
  return <span><Badge tone="amber">{t(more < 0 ? 'line_short' : 'line_over', { qty })}</Badge></span>
}

/** The grid of the style that a product belongs to, where it belongs to one. */
function GridOf(props: { product: string; unit?: string; had: () => Record<string, string>; off?: (product: string) => boolean; take: (style: Style, qty: Record<string, string>) => void }) {
  const t = useText(stockText)
  const [open, setOpen] = useState(false)
  const style = useStyleOf(props.product)
  if (!style) return null
  return (
    <>
      <Button icon={<TableOutlined />} onClick={() => setOpen(true)}>{t('by_grid')}</Button>
      {open && <QuantityGrid style={style} {...(props.unit ? { unit: props.unit } : {})} had={props.had()} {...(props.off ? { off: props.off } : {})} done={(qty) => { props.take(style, qty); setOpen(false) }} cancel={() => setOpen(false)} />}
    </>
  )
}

interface Row extends Came { product: string; label: string; units: string[]; price: string; amount: string }
const blank: Row = { ...nothing, product: '', label: '', units: [], price: '', amount: '' }

/** Without an order: each line with its cost, by its price or its amount. */
function Free(props: { site: string }) {
  const t = useText(stockText)
  const f = useFormat()
  const go = useNavigate()
  const { message } = App.useApp()
  const [rows, setRows] = useState<Row[]>([blank])
  const [ref, setRef] = useState('')
  const [note, setNote] = useState('')
  const fen = (r: Row) => (r.price.trim() !== '' ? amountOf(r.qty, r.price) : parseMoney(r.amount))
  const said = rows.filter((r) => r.product !== '')
  const good = (r: Row) => quantity(r.qty) !== undefined && (fen(r) ?? -1) >= 0
  const body = { site_id: props.site, ...(ref.trim() ? { ref: ref.trim() } : {}), ...(note.trim() ? { note: note.trim() } : {}), lines: said.filter(good).map((r) => ({ product_id: r.product, cost_fen: fen(r)!, ...batchOf(r) })) }
  const save = useAct(() => act(['receive free', body], (header) => client.POST('/api/stock/receipts', { params: { header }, body })), ['stock', 'plan'])
  const ready = said.length > 0 && said.every(good)
  const total = said.reduce((sum, r) => sum + (fen(r) ?? 0), 0)
  const change = (n: number, next: Partial<Row>) => setRows((old) => old.map((r, i) => (i === n ? { ...r, ...next } : r)))
  // One line for each place of the grid that is filled, at the price of the line from which it was opened.
  const take = (n: number) => (style: Style, qty: Record<string, string>) => setRows((old) => {
    const of = new Set(style.variants.map((v) => v.product_id))
    const at = old[n] ?? blank
    const unit = at.unit || style.base_unit
    const made = style.variants.filter((v) => Number(qty[v.product_id] ?? '') > 0).map((v): Row => ({ ...(old.find((r) => r.product === v.product_id) ?? { ...blank, price: at.price }), product: v.product_id, label: `${v.name} ${v.code}`, units: [...new Set([style.base_unit, v.unit, unit])], unit, qty: (qty[v.product_id] ?? '').trim() }))
    const next = [...old.slice(0, n).filter((r) => !of.has(r.product)), ...made, ...old.slice(n + 1).filter((r) => !of.has(r.product))]
    return next.length > 0 ? next : [blank]
  })
  return (
    <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); if (ready) void save.run(undefined).then((d) => { if (d) { void message.success(t('received_now', { amount: f.yuan(total) })); void go(`/stock/receipts/${d.id}`) } }) }}>
      <Sheet title={t('lines')} note={t('receive_free_note')}>
        <div className="zg-stack">
          {rows.map((r, n) => {
            const sent = said.indexOf(r)
            const wrong = sent >= 0 ? wrongLine(save.problem, sent) : undefined
            const amount = fen(r)
            return (
              <div key={n} className="zg-stack-s">
                <div className="zg-line">
                  <ProductPick key={r.product} label={t('name')} value={r.product} named={r.label} choose={(p, unit) => change(n, p ? { product: p.id, label: `${p.name} ${p.code}`, units: unitsOf(p), unit: unit ?? p.base_unit } : { product: '', label: '', units: [], unit: '' })} />
                  <Input className="zg-line-s zg-input-right" aria-label={t('qty')} placeholder={t('qty')} inputMode="decimal" maxLength={14} value={r.qty} status={r.qty === '' || quantity(r.qty) !== undefined ? '' : 'error'} onChange={(e) => change(n, { qty: e.target.value })} />
                  <Select className="zg-line-s" aria-label={t('unit')} {...(r.unit ? { value: r.unit } : {})} options={r.units.map((u) => ({ value: u, label: f.unit(u) }))} onChange={(unit: string) => change(n, { unit })} />
                  <Input className="zg-line-s zg-input-right" aria-label={t('unit_price')} placeholder={t('unit_price')} prefix="¥" inputMode="decimal" maxLength={17} value={r.price} status={r.price === '' || priceFen4(r.price) !== undefined ? '' : 'error'} onChange={(e) => change(n, { price: e.target.value, amount: '' })} />
                  <Input className="zg-line-s zg-input-right" aria-label={t('value')} placeholder={t('value')} prefix="¥" inputMode="decimal" maxLength={16} value={r.price.trim() !== '' ? (amount === undefined ? '' : (amount / 100).toFixed(2)) : r.amount} status={r.amount === '' || parseMoney(r.amount) !== undefined ? '' : 'error'} onChange={(e) => change(n, { amount: e.target.value, price: '' })} />
                  <GridOf product={r.product} unit={r.unit} had={() => Object.fromEntries(rows.filter((x) => x.unit === r.unit).map((x) => [x.product, x.qty]))} take={take(n)} />
                  {rows.length > 1 && <Button icon={<DeleteOutlined />} aria-label={t('remove_line')} onClick={() => setRows((old) => old.filter((_, i) => i !== n))} />}
                  {wrong && <span role="alert" className="zg-note">{wrong}</span>}
                </div>
                {r.product !== '' && <BatchFields came={r} set={(next) => change(n, next)} />}
              </div>
            )
          })}
          <div className="zg-acts"><Button icon={<PlusOutlined />} onClick={() => setRows((old) => [...old, blank])}>{t('add_line')}</Button><span>{t('total')} <b>{f.yuan(total)}</b></span></div>
        </div>
      </Sheet>
      <End ref_={ref} setRef={setRef} note={note} setNote={setNote} problem={save.problem} ready={ready} busy={save.busy} save={t('receive_now')} />
    </form>
  )
}
