import { act, client, DataTable, Form, FormActs, must, PageHead, ProblemBox, Sheet, SkeletonLines, TextField, useAct, useCan, useForm, useFormat, useListing, usePageTitle, useRead, useText, WhyPanel, ProductPick, type Column, type Product } from '@kit'
import { addDays } from '@kit/format'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { useNavigate, useParams } from 'react-router-dom'
import { Record } from './Record'
import { type Supplier, type Terms } from './shared'
import { buyText } from './text'

export default function OneSupplier() {
  const { id = 'new' } = useParams()
  const t = useText(buyText)
  const read = useRead(['suppliers', 'one', id], () => must(client.GET('/api/suppliers/{id}', { params: { path: { id } } })), { skip: id === 'new' })
  const supplier = id === 'new' ? undefined : read.data
  usePageTitle(id === 'new' ? t('new_supplier') : supplier?.name)
  return (
    <>
      <PageHead title={id === 'new' ? t('new_supplier') : supplier?.name ?? ''} back={{ to: '/buy/suppliers', label: t('suppliers') }} note={supplier?.code} />
      {read.problem && !supplier && <ProblemBox problem={read.problem} again={read.again} />}
      {id !== 'new' && !supplier ? !read.problem && <SkeletonLines lines={6} /> : (
        <div className="zg-stack">
          <Sheet><SupplierForm key={supplier?.revision ?? 'new'} supplier={supplier} /></Sheet>
          {supplier && <TermsTable supplier={supplier.id} />}
          {supplier && <Record supplier={supplier.id} />}
        </div>
      )}
    </>
  )
}

function SupplierForm(props: { supplier: Supplier | undefined }) {
  const { supplier } = props
  const t = useText(buyText)
  const can = useCan()
  const go = useNavigate()
  const may = can('party.manage')
  type Values = { code: string; name: string; contact: string; phone: string; address: string }
  const doing = useAct((v: Values & { state?: Supplier['state'] }) => supplier
    ? act(['PUT supplier', supplier.id, v, supplier.revision], (header) => client.PUT('/api/suppliers/{id}', { params: { path: { id: supplier.id }, header }, body: { ...v, state: v.state ?? supplier.state, revision: supplier.revision } }))
    : act(['POST supplier', v], (header) => client.POST('/api/suppliers', { params: { header }, body: v })), ['suppliers'])
  const form = useForm({
    initial: { code: supplier?.code ?? '', name: supplier?.name ?? '', contact: supplier?.contact ?? '', phone: supplier?.phone ?? '', address: supplier?.address ?? '' } as Values,
    required: ['code', 'name'], body: (v: Values) => v, doing, done: (s) => { if (!supplier) void go(`/buy/suppliers/${s.id}`, { replace: true }) },
  })
  return (
    <Form form={form} label={t('suppliers')}>
      <div className="zg-form-grid">
        <TextField form={form} name="code" label={t('code')} required width="s" maxLength={20} disabled={!may} />
        <TextField form={form} name="name" label={t('name')} required width="m" maxLength={100} disabled={!may} />
        <TextField form={form} name="contact" label={t('contact')} width="s" maxLength={60} disabled={!may} />
        <TextField form={form} name="phone" label={t('phone')} width="s" maxLength={40} disabled={!may} />
        <TextField form={form} name="address" label={t('address')} width="l" disabled={!may} />
      </div>
      {may && <FormActs form={form}>{supplier && <Button danger={supplier.state === 'active'} loading={doing.busy} onClick={() => void doing.run({ ...form.values, state: supplier.state === 'active' ? 'stopped' : 'active' })}>{supplier.state === 'active' ? t('stop') : t('resume')}</Button>}</FormActs>}
    </Form>
  )
}

function TermsTable(props: { supplier: string }) {
  const t = useText(buyText)
  const f = useFormat()
  const can = useCan()
  const [editing, setEditing] = useState<Terms | 'new'>()
  const rows = useListing(['suppliers', 'terms of', props.supplier], (after, signal) => must(client.GET('/api/suppliers/{id}/terms', { params: { path: { id: props.supplier }, query: { limit: 100, ...(after ? { after } : {}) } }, signal })))
  const columns: Column<Terms>[] = [
    { key: 'name', head: t('product'), cell: (x) => <>{x.product_name} <span className="zg-note">{x.product_code}</span></>, by: (x) => x.product_name },
    { key: 'pack', head: t('pack'), right: true, cell: (x) => f.qty({ qty: x.pack_qty, unit: x.unit }) },
    { key: 'price', head: t('price'), unit: '¥', right: true, cell: (x) => <span>{f.cost(x.price_fen4)} <span className="zg-unit">/{f.unit(x.unit)}</span></span>, by: (x) => x.price_fen4 },
    { key: 'min', head: t('min_packs'), right: true, cell: (x) => x.min_packs, by: (x) => x.min_packs },
    { key: 'class', head: t('lead_class'), cell: (x) => t(x.lead_class), by: (x) => x.lead_class },
    { key: 'lead', head: t('lead_h'), right: true, cell: (x) => x.lead_h, by: (x) => x.lead_h },
    { key: 'days', head: t('order_days'), cell: (x) => (x.order_days === '1234567' ? t('every_day') : [...x.order_days].map((d) => f.weekday(addDays('2024-01-07', Number(d)))).join(' ')), wide: true },
    { key: 'cut', head: t('cut_off'), cell: (x) => x.cut_off, wide: true },
  ]
  return (
    <Sheet title={t('terms')} flush acts={can('party.manage') && <Button onClick={() => setEditing('new')}>{t('terms_add')}</Button>}>
      <DataTable label={t('terms')} rows={rows} columns={columns} rowKey={(x) => x.product_id} {...(can('party.manage') ? { onOpen: setEditing } : {})} empty={<p className="zg-note">{t('terms_none')}</p>} />
      <WhyPanel open={editing !== undefined} onClose={() => setEditing(undefined)} title={editing === 'new' ? t('terms_add') : editing?.product_name} lead={t('terms')}>
        {editing && <TermsForm key={editing === 'new' ? 'new' : editing.product_id} supplier={props.supplier} terms={editing === 'new' ? undefined : editing} done={() => setEditing(undefined)} />}
      </WhyPanel>
    </Sheet>
  )
}

/** "19.60" yuan → ten-thousandths of a fen. */
function fen4(text: string): number | undefined {
  const m = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim())
  return m ? Number(m[1]) * 1_000_000 + Number((m[2] ?? '').padEnd(6, '0')) : undefined
}

function TermsForm(props: { supplier: string; terms: Terms | undefined; done: () => void }) {
  const { terms } = props
  const t = useText(buyText)
  const f = useFormat()
  const [product, setProduct] = useState(terms?.product_id)
  const [picked, setPicked] = useState<Product>()
  const [v, setV] = useState({ pack_qty: terms ? f.decimal(terms.pack_qty).replace(/,/g, '') : '1', unit: terms?.unit ?? '', price: terms ? f.cost(terms.price_fen4).replace(/,/g, '') : '', min_packs: String(terms?.min_packs ?? 1), lead_class: terms?.lead_class ?? 'fresh', lead_h: String(terms?.lead_h ?? ''), order_days: terms?.order_days ?? '1234567', cut_off: terms?.cut_off ?? '16:00' })
  const set = (next: Partial<typeof v>) => setV((old) => ({ ...old, ...next }))
  const unit = v.unit || picked?.base_unit || ''
  const path = { id: props.supplier, product_id: product ?? '' }
  const body = { pack_qty: v.pack_qty.trim(), ...(unit ? { unit } : {}), price_fen4: fen4(v.price) ?? -1, min_packs: Number(v.min_packs) || 0, lead_class: v.lead_class, ...(v.lead_h.trim() ? { lead_h: Number(v.lead_h) } : {}), order_days: v.order_days.trim(), cut_off: v.cut_off }
  const save = useAct(() => act(['terms', path, body], (header) => client.PUT('/api/suppliers/{id}/terms/{product_id}', { params: { path, header }, body })), ['suppliers'])
  const remove = useAct(() => act(['drop terms', path], (header) => client.DELETE('/api/suppliers/{id}/terms/{product_id}', { params: { path, header } })), ['suppliers'])
  const problem = save.problem ?? remove.problem
  return (
    <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); void save.run(undefined).then((d) => d && props.done()) }}>
      {!terms && (
        <label className="zg-field"><span>{t('product')}</span>
<ProductPick className="" label={t('product')} value={product ?? ''} choose={(p) => { setPicked(p); setProduct(p?.id); set({ unit: '' }) }} /></label>
      )}
      <div className="zg-form-grid">
        <label className="zg-field zg-field-s"><span>{t('pack')}</span><Input className="zg-input-right" inputMode="decimal" required value={v.pack_qty} onChange={(e) => set({ pack_qty: e.target.value })} /></label>
        <label className="zg-field zg-field-s"><span>{t('unit')}</span>{picked ? <Select value={unit} options={[...new Set([picked.base_unit, ...(picked.units ?? []).map((u) => u.name)])].map((u) => ({ value: u, label: f.unit(u) }))} onChange={(u: string) => set({ unit: u })} /> : <Input value={unit} maxLength={20} onChange={(e) => set({ unit: e.target.value })} />}</label>
        <label className="zg-field zg-field-s"><span>{t('price_unit', { unit: f.unit(unit) })}</span><Input className="zg-input-right" inputMode="decimal" prefix="¥" required value={v.price} status={v.price !== '' && fen4(v.price) === undefined ? 'error' : ''} onChange={(e) => set({ price: e.target.value })} /></label>
        <label className="zg-field zg-field-s"><span>{t('min_packs')}</span><Input className="zg-input-right" inputMode="numeric" value={v.min_packs} onChange={(e) => set({ min_packs: e.target.value })} /></label>
        <label className="zg-field zg-field-s"><span>{t('lead_class')}</span><Select value={v.lead_class} options={(['fresh', 'frozen', 'ambient'] as const).map((value) => ({ value, label: t(value) }))} onChange={(lead_class: Terms['lead_class']) => set({ lead_class })} /></label>
        <label className="zg-field zg-field-s"><span>{t('lead_h')}</span><Input className="zg-input-right" inputMode="numeric" value={v.lead_h} onChange={(e) => set({ lead_h: e.target.value })} /></label>
        <label className="zg-field zg-field-s"><span>{t('order_days')}</span><Input value={v.order_days} maxLength={7} onChange={(e) => set({ order_days: e.target.value })} /><span className="zg-note">{t('days_note')}</span></label>
        <label className="zg-field zg-field-s"><span>{t('cut_off')}</span><input type="time" className="zg-date" value={v.cut_off} onChange={(e) => set({ cut_off: e.target.value })} /></label>
      </div>
      {problem && <ProblemBox problem={problem} />}
      <div className="zg-acts">
        <Button type="primary" htmlType="submit" disabled={!product || fen4(v.price) === undefined} loading={save.busy}>{t('save')}</Button>
        {terms && <Button danger loading={remove.busy} onClick={() => void remove.run(undefined).then((d) => d && props.done())}>{t('delete')}</Button>}
      </div>
    </form>
  )
}
