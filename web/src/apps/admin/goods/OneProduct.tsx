import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { act, client, Field, Form, FormActs, kitText, must, PageHead, ProblemBox, SelectField, Sheet, SkeletonLines, TextField, useAct, useCan, useForm, useFormat, usePageTitle, useRead, useSite, useText, ProductPick, type Product } from '@kit'
import { App, Button, Checkbox, Input, Select } from 'antd'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router-dom'
import { Prices } from './Prices'
import { categoryPaths, goodsText, LifeBadge, lives, parseRatio, ratioOf, useCategories } from './shared'

export default function OneProduct() {
  const { id = 'new' } = useParams()
  const t = useText(goodsText)
  const can = useCan()
  const read = useRead(['goods', 'one', id], () => must(client.GET('/api/goods/products/{id}', { params: { path: { id } } })), { skip: id === 'new' })
  const product = id === 'new' ? undefined : read.data
  usePageTitle(id === 'new' ? t('new_product') : product?.name)
  return (
    <>
      <PageHead title={id === 'new' ? t('new_product') : (product?.name ?? '')} back={{ to: '/goods', label: t('title') }}
        note={product && <span className="zg-acts"><span>{product.code}</span><LifeBadge state={product.state} /></span>}>
        {product && product.parts.length === 0 && <Link to={`/goods/${product.id}/recipe`}>{t('recipe')}</Link>}
        {product && <Link to={`/goods/print?products=${product.id}`}>{t('print_labels')}</Link>}
        {product && product.parts.length === 0 && can('stock.read') && <Link to={`/stock/batches?product=${product.id}`}>{t('stock')}</Link>}
        {product && can('forecast.read') && <Link to={`/plan?q=${encodeURIComponent(product.code)}`}>{t('forecast')}</Link>}
      </PageHead>
      {read.problem && !product && <ProblemBox problem={read.problem} again={read.again} />}
      {id === 'new' || product ? (
        <div className="zg-stack">
          {product && product.parts.length > 0 && <BundleStock product={product} />}
          <Sheet><ProductForm key={`${product?.id ?? 'new'}.${product?.revision ?? 0}`} product={product} again={read.again} /></Sheet>
          {product && <Prices product={product} />}
        </div>
      ) : !read.problem && <SkeletonLines lines={8} />}
    </>
  )
}

interface PartRow { product_id: string; label: string; units: string[]; unit: string; qty: string; share: string }

interface UnitRow {
  name: string
  equals: string
  barcodes: string[]
  weighed: boolean
  step: string
  tare: string
  item_no: string
}

const newUnit = (name: string, equals: string): UnitRow => ({ name, equals, barcodes: [], weighed: false, step: '1', tare: '0', item_no: '' })

const wholeOr = (typed: string, otherwise: number): number => (/^\s*\d{1,9}\s*$/.test(typed) ? Number(typed) : otherwise)

function ProductForm(props: { product: Product | undefined; again: () => void }) {
  const { product } = props
  const t = useText(goodsText)
  const k = useText(kitText)
  const f = useFormat()
  const can = useCan()
  const go = useNavigate()
  const { message } = App.useApp()
  const categories = useCategories()
  const [params] = useSearchParams()
  const bundle = product ? product.parts.length > 0 : params.get('bundle') === '1'
  type Body = Parameters<typeof draftOf>[0]
  const save = useAct(
    (v: Body) => {
      const body = draftOf(v)
      return product
        ? act(['PUT product', product.id, product.revision, body], (header) => client.PUT('/api/goods/products/{id}', { params: { header, path: { id: product.id } }, body: { ...body, revision: product.revision } }))
        : act(['POST product', body], (header) => client.POST('/api/goods/products', { params: { header }, body }))
    },
    ['goods'],
  )
  const form = useForm({
    initial: {
      name: product?.name ?? '', code: product?.code ?? '', category_id: product?.category_id ?? '', base_unit: (product?.base_unit ?? 'piece') as string,
      shelf_life_h: String(product?.shelf_life_h ?? 0), batch_size: product?.batch_size ?? '0', tax_pct: String(product?.tax_pct ?? 13), state: (product?.state ?? 'listed') as string,
      units: product ? product.units.filter((u) => !u.retired).map((u): UnitRow => ({ name: u.name, equals: ratioOf(u), barcodes: u.barcodes, weighed: u.weighed, step: u.step, tare: u.tare, item_no: u.item_no })) : [newUnit('piece', '1')],
      parts: product ? product.parts.map((p): PartRow => ({ product_id: p.product_id, label: `${p.name} ${p.code}`, units: [p.unit], unit: p.unit, qty: p.qty, share: String(p.share) })) : [],
    },
    doing: save,
    required: ['name', 'code', 'tax_pct'],
    check: (v) => ({
      ...Object.fromEntries(v.units.flatMap((u, i) => (u.name.trim() ? [] : [[`units[${i}].name`, k('required')]]))),
      ...Object.fromEntries(v.units.flatMap((u, i) => (parseRatio(u.equals) ? [] : [[`units[${i}].num`, t('bad_equals')]]))),
      ...Object.fromEntries(v.parts.flatMap((p, i) => (/^\s*\d{1,5}(\.\d{1,3})?\s*$/.test(p.qty) && Number(p.qty) > 0 ? [] : [[`parts[${i}].qty`, t('bad_qty')]]))),
      ...(bundle && v.parts.length === 0 ? { parts: k('required') } : {}),
      ...(/^\s*\d{1,9}\s*$/.test(v.shelf_life_h) ? {} : { shelf_life_h: t('bad_number') }),
    }),
    body: (v) => v,
    rename: (field) => field.replace(/\.den$/, '.num').replace(/(\.barcodes)\[\d+\]$/, '$1'),
    done: (saved) => {
      void message.success(t('saved'))
      if (!product) setTimeout(() => void go(`/goods/${saved.id}`, { replace: true }))
    },
  })
  const off = !can('goods.manage')
  const { units } = form.values
  const change = (n: number, next: Partial<UnitRow>) => form.set('units', units.map((u, i) => (i === n ? { ...u, ...next } : u)))
  const base = f.unit(form.values.base_unit)
  // The first way to sell something is by its base unit, until said otherwise.
  const [only] = units
  const baseUnit = form.values.base_unit
  if (!product && units.length === 1 && only && only.equals === '1' && ['piece', 'g', 'ml'].includes(only.name) && only.name !== baseUnit) change(0, { name: baseUnit })
  return (
    <Form form={form} label={product ? product.name : t('new_product')}>
      {form.problem?.code === 'changed_meanwhile' && <div><Button onClick={props.again}>{t('reload')}</Button></div>}
      <div className="zg-form-grid">
        <TextField form={form} name="name" label={t('name')} maxLength={100} disabled={off} autoFocus={!product} />
        <TextField form={form} name="code" label={t('code')} width="s" maxLength={40} disabled={off} />
        <SelectField form={form} name="category_id" label={t('category')} required={false} clear disabled={off} options={categoryPaths(categories.data ?? [])} />
        <SelectField form={form} name="base_unit" label={t('base_unit')} width="s" {...(product ? { hint: t('base_fixed') } : {})} disabled={off || Boolean(product) || bundle}
          options={(['piece', 'g', 'ml'] as const).map((u) => ({ value: u, label: t(`base_${u}`) }))} />
        <TextField form={form} name="shelf_life_h" label={t('shelf_life')} width="s" right inputMode="numeric" suffix={t('shelf_hours')} hint={t('shelf_hint')} disabled={off} />
        <TextField form={form} name="batch_size" label={t('batch_size')} width="s" right inputMode="decimal" suffix={base} hint={t('batch_hint')} required={false} disabled={off} />
        <TextField form={form} name="tax_pct" label={t('tax')} width="s" right inputMode="decimal" suffix="%" disabled={off} />
        <SelectField form={form} name="state" label={t('state')} width="s" disabled={off} hint={t('life_hint')} options={lives.map((l) => ({ value: l, label: t(l) }))} />
      </div>
      {bundle && <PartsEditor parts={form.values.parts} set={(parts) => form.set('parts', parts)} off={off} />}
      <fieldset className="zg-fieldset">
        <legend>{t('units')}</legend>
        <p className="zg-note">{t('units_note')}</p>
        {units.map((u, n) => (
          <div key={n} className="zg-form-grid zg-unit-row">
            <Field name={`units[${n}].name`} label={t('unit')} width="s" {...(n === 0 ? { hint: t('unit_hint') } : {})}>
              {(c) => <Input {...c} value={u.name} disabled={off} maxLength={20} onChange={(e) => change(n, { name: e.target.value })} />}
            </Field>
            <Field name={`units[${n}].num`} label={t('equals')} width="s" {...(n === 0 ? { hint: t('equals_hint') } : {})}>
              {(c) => <Input {...c} className="zg-input-right" inputMode="numeric" suffix={base} value={u.equals} disabled={off} maxLength={20} onChange={(e) => change(n, { equals: e.target.value })} />}
            </Field>
            <Field name={`units[${n}].barcodes`} label={t('barcodes')} required={false} {...(n === 0 ? { hint: t('barcodes_hint') } : {})}>
              {(c) => (
                // Enter ends a barcode (also the scanner's), it does not save the form
                <div onKeyDown={(e) => { if (e.key === 'Enter') e.preventDefault() }}>
                  <Select {...c} mode="tags" open={false} suffixIcon={null} value={u.barcodes} disabled={off} tokenSeparators={[' ', ',', '\n']} onChange={(barcodes: string[]) => change(n, { barcodes })} />
                </div>
              )}
            </Field>
            <Field name={`units[${n}].item_no`} label={t('item_no')} width="s" required={false} {...(n === 0 ? { hint: t('item_no_hint') } : {})}>
              {(c) => <Input {...c} className="zg-input-right" inputMode="numeric" value={u.item_no} disabled={off} maxLength={6} onChange={(e) => change(n, { item_no: e.target.value })} />}
            </Field>
            {baseUnit !== 'piece' && (
              <Field name={`units[${n}].weighed`} label={t('weighed')} width="s" required={false}>
                {(c) => <Checkbox id={c.id} checked={u.weighed} disabled={off} onChange={(e) => change(n, { weighed: e.target.checked })}>{t('weighed_short')}</Checkbox>}
              </Field>
            )}
            {baseUnit !== 'piece' && u.weighed && (
              <>
                <Field name={`units[${n}].step`} label={t('step')} width="s" hint={t('step_hint')}>
                  {(c) => <Input {...c} className="zg-input-right" inputMode="decimal" suffix={base} value={u.step} disabled={off} maxLength={8} onChange={(e) => change(n, { step: e.target.value })} />}
                </Field>
                <Field name={`units[${n}].tare`} label={t('tare')} width="s" hint={t('tare_hint')} required={false}>
                  {(c) => <Input {...c} className="zg-input-right" inputMode="decimal" suffix={base} value={u.tare} disabled={off} maxLength={8} onChange={(e) => change(n, { tare: e.target.value })} />}
                </Field>
              </>
            )}
            {!off && units.length > 1 && <Button className="zg-unit-remove" type="text" icon={<DeleteOutlined />} aria-label={t('remove_unit')} onClick={() => form.set('units', units.filter((_, i) => i !== n))} />}
          </div>
        ))}
        {!off && <div><Button icon={<PlusOutlined />} onClick={() => form.set('units', [...units, newUnit(units.length ? '' : form.values.base_unit, units.length ? '' : '1')])}>{t('add_unit')}</Button></div>}
      </fieldset>
      {!off && <FormActs form={form} onCancel={() => void go('/goods')} />}
    </Form>
  )
}

function draftOf(v: { name: string; code: string; category_id: string; base_unit: string; shelf_life_h: string; batch_size: string; tax_pct: string; state: string; units: UnitRow[]; parts: PartRow[] }) {
  return {
    name: v.name.trim(), code: v.code.trim(), ...(v.category_id ? { category_id: v.category_id } : {}),
    base_unit: (['g', 'ml', 'piece'] as const).find((u) => u === v.base_unit) ?? 'piece',
    shelf_life_h: wholeOr(v.shelf_life_h, 0), batch_size: v.batch_size.trim() || '0', tax_pct: Number(v.tax_pct.trim() || 'x'),
    state: lives.find((l) => l === v.state) ?? 'listed',
    ...(v.parts.length > 0 ? { parts: v.parts.map((p) => ({ product_id: p.product_id, unit: p.unit, qty: p.qty.trim(), share: wholeOr(p.share, 0) })) } : {}),
    units: v.units.map((u) => ({ name: u.name.trim(), barcodes: u.barcodes, ...(parseRatio(u.equals) ?? { num: 0, den: 1 }), item_no: u.item_no.trim(), ...(u.weighed && v.base_unit !== 'piece' ? { weighed: true, step: u.step.trim() || '1', tare: u.tare.trim() || '0' } : {}) })),
  }
}

/** What is in a bundle: found by what is typed; another bundle can't be in it. */
function PartsEditor(props: { parts: PartRow[]; set: (parts: PartRow[]) => void; off: boolean }) {
  const t = useText(goodsText)
  const f = useFormat()
  const { parts, off } = props
  const change = (n: number, next: Partial<PartRow>) => props.set(parts.map((p, i) => (i === n ? { ...p, ...next } : p)))
  return (
    <fieldset className="zg-fieldset">
      <legend>{t('parts')}</legend>
      <p className="zg-note">{t('parts_note')}</p>
      {parts.map((p, n) => (
        <div key={p.product_id} className="zg-form-grid">
          <Field name={`parts[${n}].product_id`} label={t('bundle_part')}>{(c) => <Input {...c} value={p.label} disabled />}</Field>
          <Field name={`parts[${n}].qty`} label={t('part_qty')} width="s">{(c) => <Input {...c} className="zg-input-right" inputMode="decimal" value={p.qty} disabled={off} maxLength={9} onChange={(e) => change(n, { qty: e.target.value })} />}</Field>
          <Field name={`parts[${n}].unit`} label={t('unit')} width="s">{(c) => <Select {...c} value={p.unit} disabled={off} options={p.units.map((u) => ({ value: u, label: f.unit(u) }))} onChange={(unit: string) => change(n, { unit })} />}</Field>
          <Field name={`parts[${n}].share`} label={t('part_share')} width="s" required={false} {...(n === 0 ? { hint: t('part_share_hint') } : {})}>{(c) => <Input {...c} className="zg-input-right" inputMode="numeric" value={p.share} disabled={off} maxLength={7} onChange={(e) => change(n, { share: e.target.value })} />}</Field>
          {!off && <Button className="zg-unit-remove" type="text" icon={<DeleteOutlined />} aria-label={t('remove_part')} onClick={() => props.set(parts.filter((_, i) => i !== n))} />}
        </div>
      ))}
      {!off && (
        <Field name="parts" label={t('add_part')} required={parts.length === 0}>
          {(c) => (
            <ProductPick className="" control={c} adding label={t('add_part')} value="" without={(p) => parts.some((x) => x.product_id === p.id)}
              choose={(p) => {
                const units = p?.units.filter((u) => !u.retired).map((u) => u.name) ?? []
                if (p) props.set([...parts, { product_id: p.id, label: `${p.name} ${p.code}`, units, unit: units.at(-1) ?? p.base_unit, qty: '1', share: '0' }])
              }} />
          )}
        </Field>
      )}
    </fieldset>
  )
}

/** How many of a bundle can be sold at the site, and which part is the limit. */
function BundleStock(props: { product: Product }) {
  const t = useText(goodsText)
  const f = useFormat()
  const place = useSite()
  const site = place.site?.id ?? ''
  const read = useRead(['stock', 'bundle', props.product.id, site], (signal) => must(client.GET('/api/till/bundles/{id}', { params: { path: { id: props.product.id }, query: { site_id: site } }, signal })), { skip: site === '' })
  const least = read.data?.parts.toSorted((a, b) => Number(a.makes) - Number(b.makes))[0]
  if (!read.data || !least) return null
  const q = (qty: string) => f.qty({ qty, unit: least.base_unit })
  return <p className="zg-note">{place.site?.name} · {t('bundle_can', { n: f.decimal(read.data.qty) })} · {t('bundle_limits', { name: least.name, left: q(least.left), needs: q(least.needs) })}</p>
}
