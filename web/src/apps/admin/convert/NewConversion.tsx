import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { act, client, must, PageHead, ProblemBox, Sheet, SitePick, Strip, useAct, useFormat, useRead, useSite, useText, ProductPick, type Product } from '@kit'
import { App, Button, Checkbox, Input, Segmented, Select } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router-dom'
import { convertText } from './text'

const shapes = ['convert', 'split', 'combine', 'repack', 'assemble'] as const
const bases = ['weight', 'value', 'share'] as const
const reasons = ['trim', 'evaporated', 'spilled', 'broken', 'tasting', 'other'] as const

interface Line { product: string; unit: string; qty: string; batch: string; code: string; share: string; expiry: 'earliest' | 'shelf_life' }
interface Loss { line: number; qty: string; unit: string; reason: (typeof reasons)[number]; absorbed: boolean }

const blank = (): Line => ({ product: '', unit: '', qty: '', batch: '', code: '', share: '1', expiry: 'earliest' })
const good = (qty: string) => /^\s*\d{1,9}(\.\d{1,3})?\s*$/.test(qty) && Number(qty) > 0

/** Writes a conversion and posts it in one act. */
export default function NewConversion() {
  const t = useText(convertText)
  const f = useFormat()
  const go = useNavigate()
  const { message } = App.useApp()
  const place = useSite()
  const site = place.site?.id ?? ''
  const [shape, setShape] = useState<(typeof shapes)[number]>('repack')
  const [basis, setBasis] = useState<(typeof bases)[number]>('value')
  const [note, setNote] = useState('')
  const [inputs, setInputs] = useState<Line[]>([blank()])
  const [outputs, setOutputs] = useState<Line[]>([blank()])
  const [losses, setLosses] = useState<Loss[]>([])
  const [known, setKnown] = useState<Record<string, Product>>({})
  const full = (l: Line) => l.product !== '' && good(l.qty)
  const body = {
    site_id: site, shape, basis, ...(note.trim() ? { note: note.trim() } : {}),
    lines: inputs.filter((l) => l.product).map((l) => ({ product_id: l.product, qty: l.qty.trim() || '0', unit: l.unit, ...(l.batch ? { batch_id: l.batch } : {}) })),
    outputs: outputs.filter((l) => l.product).map((l) => ({ product_id: l.product, qty: l.qty.trim() || '0', unit: l.unit, expiry: l.expiry, share: Number(l.share) || 0, ...(l.code.trim() ? { code: l.code.trim() } : {}) })),
    losses: losses.map((l) => ({ line: l.line, qty: l.qty.trim() || '0', unit: l.unit, reason: l.reason, ...(l.absorbed ? { absorbed: true } : {}) })),
  }
  const save = useAct(() => act(['convert', body], (header) => client.POST('/api/conversions', { params: { header }, body })), ['stock'])
  // Where all is weighed, both sides must weigh the same.
  const base = (l: { product: string; unit: string; qty: string }) => {
    const p = known[l.product]
    const u = p?.units.find((x) => x.name === l.unit)
    return p && u && p.base_unit !== 'piece' ? { unit: p.base_unit, n: Number(l.qty) * u.num / u.den } : undefined
  }
  const sides = [...inputs, ...outputs].filter((l) => l.product).map(base)
  const measure = sides[0]?.unit
  const weighed = measure !== undefined && inputs.some(full) && outputs.some(full) && sides.every((s) => s?.unit === measure)
  const sum = (ns: ({ n: number } | undefined)[]) => Math.round(ns.reduce((a, s) => a + (s?.n ?? 0), 0) * 1000) / 1000
  const inSum = sum(inputs.filter(full).map(base))
  const outSum = sum([...outputs.filter(full).map(base), ...losses.map((l) => base({ product: inputs[l.line]?.product ?? '', unit: l.unit, qty: l.qty }))])
  const gap = Math.round((inSum - outSum) * 1000) / 1000
  const say = (n: number) => f.qty({ qty: String(n), unit: measure ?? 'g' })
  const ready = site !== '' && inputs.filter((l) => l.product).length > 0 && outputs.filter((l) => l.product).length > 0 && [...inputs, ...outputs].filter((l) => l.product).every(full) && losses.every((l) => good(l.qty)) && !(weighed && gap !== 0)
  return (
    <>
      <PageHead title={t('new_conversion')} back={{ to: '/stock/conversions', label: t('conversions') }}><SitePick {...place} /></PageHead>
      <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); if (ready) void save.run(undefined).then((c) => { if (c) { void message.success(t('saved')); void go(`/stock/conversions/${c.id}`) } }) }}>
        <Sheet>
          <div className="zg-stack">
            <Segmented value={shape} onChange={setShape} options={shapes.map((s) => ({ value: s, label: t(`shape_${s}`) }))} />
            <p className="zg-note">{t(`shape_${shape}_hint`)}</p>
            <div className="zg-form-grid">
              {outputs.length > 1 && <label className="zg-field zg-field-s"><span>{t('basis')}</span><Select value={basis} options={bases.map((b) => ({ value: b, label: t(`basis_${b}`) }))} onChange={setBasis} /></label>}
              <label className="zg-field zg-field-m"><span>{t('note')}</span><Input maxLength={200} value={note} onChange={(e) => setNote(e.target.value)} /></label>
            </div>
          </div>
        </Sheet>
        <Lines title={t('inputs')} note={t('inputs_note')} lines={inputs} set={setInputs} known={known} learn={(p) => setKnown((old) => ({ ...old, [p.id]: p }))} site={site} side="in" many={shape !== 'convert' && shape !== 'split'} shares={false} />
        <Lines title={t('outputs')} note={t('outputs_note')} lines={outputs} set={setOutputs} known={known} learn={(p) => setKnown((old) => ({ ...old, [p.id]: p }))} site={site} side="out" many={shape === 'split' || shape === 'repack'} shares={basis === 'share' && outputs.length > 1} />
        <Sheet title={t('losses')} note={t('losses_note')}>
          <div className="zg-stack">
            {weighed && gap !== 0 && (
              <Strip tone="amber">{gap > 0 ? t('weight_off', { in: say(inSum), out: say(outSum), gap: say(gap) }) : t('weight_over', { in: say(inSum), out: say(outSum), gap: say(-gap) })}{' '}
                {gap > 0 && !losses.some((l) => l.line === 0) && <Button size="small" onClick={() => setLosses((old) => [...old, { line: 0, qty: String(gap), unit: measure ?? '', reason: 'trim', absorbed: false }])}>{t('rest_is_loss')}</Button>}
              </Strip>
            )}
            {losses.map((l, n) => {
              const of = known[inputs[l.line]?.product ?? '']
              const set = (next: Partial<Loss>) => setLosses((old) => old.map((o, i) => (i === n ? { ...o, ...next } : o)))
              return (
                <div key={n} className="zg-line">
                  <Select className="zg-line-m" aria-label={t('line')} value={l.line} options={inputs.map((x, i) => ({ value: i, label: known[x.product]?.name ?? `${t('line')} ${i + 1}` }))} onChange={(line) => set({ line, unit: known[inputs[line]?.product ?? '']?.base_unit ?? '' })} />
                  <Input className="zg-line-s zg-input-right" aria-label={t('qty')} inputMode="decimal" value={l.qty} status={good(l.qty) ? '' : 'error'} onChange={(e) => set({ qty: e.target.value })} />
                  <Select className="zg-line-s" aria-label={t('unit')} value={l.unit} options={(of?.units ?? []).filter((u) => !u.retired).map((u) => ({ value: u.name, label: f.unit(u.name) }))} onChange={(unit: string) => set({ unit })} />
                  <Select className="zg-line-s" aria-label={t('reason')} value={l.reason} options={reasons.map((r) => ({ value: r, label: t(r) }))} onChange={(reason) => set({ reason })} />
                  <Checkbox checked={l.absorbed} onChange={(e) => set({ absorbed: e.target.checked })}>{t('absorbed')}</Checkbox>
                  <Button icon={<DeleteOutlined />} aria-label={t('remove_line')} onClick={() => setLosses((old) => old.filter((_, i) => i !== n))} />
                </div>
              )
            })}
            {inputs.some((l) => l.product) && <div><Button icon={<PlusOutlined />} onClick={() => { const free = inputs.findIndex((_, i) => !losses.some((l) => l.line === i)); if (free >= 0) setLosses((old) => [...old, { line: free, qty: '', unit: known[inputs[free]?.product ?? '']?.base_unit ?? '', reason: 'trim', absorbed: false }]) }}>{t('add_line')}</Button></div>}
          </div>
        </Sheet>
        {save.problem && <ProblemBox problem={save.problem} />}
        <div className="zg-acts"><Button type="primary" htmlType="submit" disabled={!ready} loading={save.busy}>{t('save')}</Button></div>
      </form>
    </>
  )
}

function Lines(props: { title: string; note: string; lines: Line[]; set: (next: (old: Line[]) => Line[]) => void; known: Record<string, Product>; learn: (p: Product) => void; site: string; side: 'in' | 'out'; many: boolean; shares: boolean }) {
  const t = useText(convertText)
  const f = useFormat()
  const change = (n: number, next: Partial<Line>) => props.set((old) => old.map((l, i) => (i === n ? { ...l, ...next } : l)))
  return (
    <Sheet title={props.title} note={props.note}>
      <div className="zg-stack">
        {props.lines.map((l, n) => (
          <div key={n} className="zg-line">
            <ProductPick label={t('product')} value={l.product} named={props.known[l.product]?.name} choose={(p, unit) => {
              if (p) props.learn(p)
              change(n, { product: p?.id ?? '', unit: unit ?? p?.base_unit ?? '', batch: '' })
            }} />
            <Input className="zg-line-s zg-input-right" aria-label={t('qty')} placeholder={t('qty')} inputMode="decimal" value={l.qty} status={l.qty === '' || good(l.qty) ? '' : 'error'} onChange={(e) => change(n, { qty: e.target.value })} />
            <Select className="zg-line-s" aria-label={t('unit')} {...(l.unit ? { value: l.unit } : {})} options={(props.known[l.product]?.units ?? []).filter((u) => !u.retired).map((u) => ({ value: u.name, label: f.unit(u.name) }))} onChange={(unit: string) => change(n, { unit })} />
            {props.side === 'in' && l.product && <BatchPick site={props.site} product={l.product} value={l.batch} set={(batch) => change(n, { batch })} />}
            {props.side === 'out' && <Input className="zg-line-s" aria-label={t('code')} placeholder={t('code_auto')} maxLength={40} value={l.code} onChange={(e) => change(n, { code: e.target.value })} />}
            {props.side === 'out' && <Select className="zg-line-m" aria-label={t('expiry')} value={l.expiry} options={(['earliest', 'shelf_life'] as const).map((v) => ({ value: v, label: t(`expiry_${v}`) }))} onChange={(expiry) => change(n, { expiry })} />}
            {props.shares && <Input className="zg-line-s zg-input-right" aria-label={t('share')} prefix={t('share')} inputMode="numeric" value={l.share} onChange={(e) => change(n, { share: e.target.value.replace(/\D/g, '') })} />}
            {props.lines.length > 1 && <Button icon={<DeleteOutlined />} aria-label={t('remove_line')} onClick={() => props.set((old) => old.filter((_, i) => i !== n))} />}
          </div>
        ))}
        {props.many && <div><Button icon={<PlusOutlined />} onClick={() => props.set((old) => [...old, blank()])}>{t('add_line')}</Button></div>}
      </div>
    </Sheet>
  )
}

/** A batch by name, or whatever expires first. */
function BatchPick(props: { site: string; product: string; value: string; set: (batch: string) => void }) {
  const t = useText(convertText)
  const f = useFormat()
  const batches = useRead(['stock', 'batches', 'pick', props.site, props.product], (signal) => must(client.GET('/api/stock/batches', { params: { query: { site_id: props.site, product_id: props.product, limit: 50 } }, signal })), { skip: !props.site })
  return (
    <Select className="zg-line-m" aria-label={t('batch')} value={props.value} popupMatchSelectWidth={false} onChange={props.set}
      options={[{ value: '', label: t('any_batch') }, ...(batches.data?.items ?? []).filter((b) => b.open).map((b) => ({ value: b.id, label: `${b.code} · ${f.qty({ qty: b.qty, unit: b.unit })}${b.expires_at ? ` · ${f.at(b.expires_at)}` : ''}` }))]} />
  )
}
