import { act, client, must, useAct, type Batch, type Product } from '@kit/api'
import { ofThousandths, thousandths, useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useSite } from '@kit/site'
import { ProblemBox, Strip } from '@kit/states'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { Choose } from '../Choose'
import { Among } from '../scan/Among'
import { lookup, type Found } from '../scan/lookup'
import { Scanner } from '../scan/Scanner'
import { balance, goodQty, type Line } from './balance'
import { convertText } from './text'

const shapes = ['convert', 'split', 'repack'] as const
const reasons = ['trim', 'evaporated', 'spilled', 'broken', 'tasting', 'other'] as const

const plain = (qty: string) => ofThousandths(thousandths(qty)).replace(/\.?0+$/, '')

/** Goods become others: scan what goes in, scan what comes out, say how much. */
export default function Convert() {
  const t = useText(convertText)
  const f = useFormat()
  const { site } = useSite()
  const [shape, setShape] = useState<(typeof shapes)[number]>('convert')
  const [basis, setBasis] = useState<'value' | 'weight'>('value')
  const [ins, setIns] = useState<Line[]>([])
  const [outs, setOuts] = useState<Line[]>([])
  const [out, setOut] = useState(false) // what comes out is being said
  const [why, setWhy] = useState<(typeof reasons)[number]>('trim')
  const [unknown, setUnknown] = useState('')
  const [among, setAmong] = useState<Found>()
  const [which, setWhich] = useState<{ batches: Batch[]; product: Product }>()
  const find = useAct(async (code: string) => {
    setUnknown('')
    setWhich(undefined)
    const found = await lookup(site!.id, code, () => false)
    setAmong(found.among.length > 0 ? found : undefined)
    const product = found.product ?? (found.batches[0] ? await must(client.GET('/api/goods/products/{id}', { params: { path: { id: found.batches[0].product_id } } })) : undefined)
    return { product, batches: found.batches, named: found.product === undefined, unit: found.unit, several: found.among.length > 0 }
  })
  const line = (product: Product, batch?: Batch, unit?: string): Line => ({ product, unit: (batch ? undefined : unit) ?? product.base_unit, qty: batch ? plain(batch.qty) : '', ...(batch ? { batch } : {}) })
  const several = { ins: shape === 'repack', outs: shape !== 'convert' }
  const scanned = (code: string) => {
    if (!site) return
    void find.run(code).then((found) => {
      if (!found) return
      const { product } = found
      if (found.several) return
      if (!product || product.parts.length > 0) return setUnknown(code)
      if (out) return setOuts((old) => (several.outs ? [...old.filter((l) => l.product.id !== product.id), line(product, undefined, found.unit)] : [line(product, undefined, found.unit)]))
      const open = found.batches.filter((b) => Number(b.qty) > 0 && !b.expired)
      if (found.named && open.length > 1) return setWhich({ batches: open, product })
      put(product, found.named ? open[0] : undefined, found.unit)
    })
  }
  const put = (product: Product, batch?: Batch, unit?: string) => {
    setWhich(undefined)
    setIns((old) => (several.ins ? [...old.filter((l) => l.product.id !== product.id || l.batch?.id !== batch?.id), line(product, batch, unit)] : [line(product, batch, unit)]))
  }
  const sums = balance(ins, outs)
  const say = (n: number) => f.qty({ qty: ofThousandths(n), unit: sums?.unit ?? 'g' })
  const losing = sums !== undefined && sums.gap > 0 && outs.length > 0
  // What is missing is lost of the goods that most go in of.
  const of = ins.reduce((best, l, i) => (Number(l.qty) > Number(ins[best]?.qty ?? 0) ? i : best), 0)
  const body = {
    site_id: site?.id ?? '', shape, basis,
    lines: ins.map((l) => ({ product_id: l.product.id, qty: l.qty.trim() || '0', unit: l.unit, ...(l.batch ? { batch_id: l.batch.id } : {}) })),
    outputs: outs.map((l) => ({ product_id: l.product.id, qty: l.qty.trim() || '0', unit: l.unit, expiry: 'earliest' as const })),
    ...(losing ? { losses: [{ line: of, qty: ofThousandths(sums.gap), unit: sums.unit, reason: why }] } : {}),
  }
  const save = useAct(() => act(['convert', body], (header) => client.POST('/api/conversions', { params: { header }, body })), ['stock', 'plan'])
  const ready = ins.length > 0 && outs.length > 0 && [...ins, ...outs].every((l) => goodQty(l.qty)) && (sums === undefined || sums.gap >= 0)
  const again = () => {
    save.clear()
    setIns([])
    setOuts([])
    setOut(false)
  }
  if (save.data) {
    const c = save.data
    const lost = c.losses.reduce((sum, l) => sum + l.value_fen, 0)
    return (
      <>
        <PageHead title={t('title')} />
        <div className="zg-stack">
          <Strip tone="green">{t('done', { from: c.from, to: c.to })}</Strip>
          <ul className="st-tasks">{c.items.filter((l) => Number(l.qty) > 0).map((l) => <li key={l.batch_id} className="st-task"><div><b>{l.product}</b><span>{t('new_batch', { code: l.batch, qty: f.qty({ qty: l.qty, unit: l.unit }) })}</span><span className="zg-note">{t('cost', { amount: f.yuan(l.value_fen) })}</span></div></li>)}</ul>
          {lost > 0 && <p className="zg-note">{t('lost', { amount: f.yuan(lost) })}</p>}
          <Button size="large" block type="primary" onClick={again}>{t('more')}</Button>
        </div>
      </>
    )
  }
  return (
    <>
      <PageHead title={t('title')} />
      <div className="zg-stack">
        {!out && <Choose label={t('shape')} value={shape} choices={shapes.map((s) => ({ value: s, label: t(`shape_${s}`) }))} choose={(s) => { setShape(s); setIns((old) => (s === 'repack' ? old : old.slice(0, 1))); setOuts((old) => (s === 'convert' ? old.slice(0, 1) : old)) }} />}
        <p className="zg-note">{t(`hint_${shape}`)}</p>
        <h2>{t('from')}</h2>
        {ins.map((l, i) => <OneLine key={`${l.product.id} ${l.batch?.id ?? ''}`} line={l} named set={(next) => setIns((old) => old.map((o, j) => (i === j ? { ...o, ...next } : o)))} remove={() => setIns((old) => old.filter((_, j) => i !== j))} />)}
        {out && <Button onClick={() => setOut(false)}>{t('change')}</Button>}
        {out && <h2>{t('to')}</h2>}
        {out && outs.map((l, i) => <OneLine key={l.product.id} line={l} set={(next) => setOuts((old) => old.map((o, j) => (i === j ? { ...o, ...next } : o)))} remove={() => setOuts((old) => old.filter((_, j) => i !== j))} />)}
        {(out ? outs.length === 0 || several.outs : ins.length === 0 || several.ins) && <Scanner key={out ? 'to' : 'from'} busy={find.busy} note={t(out ? 'to_scan' : 'from_scan')} onCode={scanned} />}
        {find.problem && <ProblemBox problem={find.problem} />}
        {unknown && <Strip tone="amber">{t('unknown', { code: unknown })}</Strip>}
        <Among found={among} choose={scanned} />
        {which && (
          <section>
            <h2>{t('which')}</h2>
            <ul className="st-tasks">{which.batches.map((b) => <li key={b.id} className="st-task"><div><b>{b.product}</b><span>{t('of_batch', { code: b.code, qty: f.qty({ qty: b.qty, unit: b.unit }) })}</span></div><Button onClick={() => put(which.product, b)}>{t('choose')}</Button></li>)}</ul>
          </section>
        )}
        {!out && ins.length > 0 && <Button type="primary" size="large" block disabled={!ins.every((l) => goodQty(l.qty))} onClick={() => setOut(true)}>{t('next')}</Button>}
        {out && outs.length > 1 && <Choose label={t('basis')} value={basis} choices={(['value', 'weight'] as const).map((b) => ({ value: b, label: t(`basis_${b}`) }))} choose={setBasis} />}
        {out && sums && outs.length > 0 && sums.gap !== 0 && outs.every((l) => goodQty(l.qty)) && <Strip tone="amber">{t(sums.gap > 0 ? 'gap' : 'over', { in: say(sums.in), out: say(sums.out), gap: say(Math.abs(sums.gap)) })}</Strip>}
        {out && losing && outs.every((l) => goodQty(l.qty)) && <Choose label={t('loss_why')} value={why} choices={reasons.map((r) => ({ value: r, label: t(r) }))} choose={setWhy} />}
        {save.problem && <ProblemBox problem={save.problem} />}
        {out && <Button type="primary" size="large" block disabled={!ready} loading={save.busy} onClick={() => void save.run(undefined)}>{t('save')}</Button>}
      </div>
    </>
  )
}

function OneLine(props: { line: Line; named?: boolean; set: (next: Partial<Line>) => void; remove: () => void }) {
  const t = useText(convertText)
  const f = useFormat()
  const { line: l } = props
  return (
    <section className="zg-sheet zg-stack-s">
      <div className="kt-head"><h2>{l.product.name}</h2><Button size="small" onClick={props.remove}>{t('remove')}</Button></div>
      <p className="zg-note">{l.product.code}{props.named && ` · ${l.batch ? t('of_batch', { code: l.batch.code, qty: f.qty({ qty: l.batch.qty, unit: l.batch.unit }) }) : t('any_batch')}`}</p>
      <div className="st-typed">
        <Input size="large" className="zg-input-right" inputMode="decimal" maxLength={14} aria-label={`${t('qty')} ${l.product.name}`} placeholder={t('qty')} value={l.qty} status={l.qty === '' || goodQty(l.qty) ? '' : 'error'} onChange={(e) => props.set({ qty: e.target.value })} />
        <Select size="large" style={{ minWidth: 110 }} aria-label={`${t('unit')} ${l.product.name}`} value={l.unit} options={[...new Set([l.product.base_unit, ...l.product.units.filter((u) => !u.retired).map((u) => u.name)])].map((u) => ({ value: u, label: f.unit(u) }))} onChange={(unit: string) => props.set({ unit })} />
      </div>
    </section>
  )
}
