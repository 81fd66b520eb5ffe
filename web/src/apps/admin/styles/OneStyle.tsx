import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { act, client, Field, Form, FormActs, must, PageHead, parseMoney, ProblemBox, SelectField, Sheet, SkeletonLines, TextField, useAct, useCan, useForm, useFormat, usePageTitle, useRead, useText, type Style } from '@kit'
import { App, Button, Checkbox, Input, Segmented, Select } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router-dom'
import { categoryPaths, LifeBadge, lives, useCategories, type Life } from '../goods/shared'
import { comboKey, everyCombo, Matrix } from './Matrix'
import { styleText } from './text'

export default function OneStyle() {
  const { id = 'new' } = useParams()
  const t = useText(styleText)
  const read = useRead(['goods', 'style', id], () => must(client.GET('/api/goods/styles/{id}', { params: { path: { id } } })), { skip: id === 'new' })
  const style = id === 'new' ? undefined : read.data
  usePageTitle(id === 'new' ? t('new_style') : style?.name)
  return (
    <>
      <PageHead title={id === 'new' ? t('new_style') : (style?.name ?? '')} back={{ to: '/goods/styles', label: t('styles') }} note={style?.code}>
        {style && style.variants.length > 0 && <Link to={`/goods/print?products=${style.variants.map((v) => v.product_id).join(',')}`}>{t('print_labels')}</Link>}
      </PageHead>
      {read.problem && !style && <ProblemBox problem={read.problem} again={read.again} />}
      {id === 'new' || style ? (
        <div className="zg-stack">
          <Sheet><StyleForm key={`${style?.id ?? 'new'}.${style?.revision ?? 0}`} style={style} again={read.again} /></Sheet>
          {style && <Combinations style={style} />}
        </div>
      ) : !read.problem && <SkeletonLines lines={8} />}
    </>
  )
}

interface AxisRow { name: string; values: { id: string; text: string }[] }

const written = (v: { name: string; code?: string }) => (v.code ? `${v.name}=${v.code}` : v.name)
const readValue = (v: { id: string; text: string }) => {
  const [name = '', code = ''] = v.text.split(/[=\uff1d]/)
  return { ...(v.id ? { id: v.id } : {}), name: name.trim(), ...(code.trim() ? { code: code.trim() } : {}) }
}
const axesOf = (rows: readonly AxisRow[]) => rows.map((a) => ({ name: a.name.trim(), values: a.values.map(readValue) }))

function StyleForm(props: { style: Style | undefined; again: () => void }) {
  const { style } = props
  const t = useText(styleText)
  const can = useCan()
  const go = useNavigate()
  const { message } = App.useApp()
  const categories = useCategories()
  type Values = { name: string; code: string; category_id: string; base_unit: string; shelf_life_h: string; tax_pct: string; axes: AxisRow[] }
  const bodyOf = (v: Values) => ({
    name: v.name.trim(), code: v.code.trim(), ...(v.category_id ? { category_id: v.category_id } : {}), base_unit: (['g', 'ml', 'piece'] as const).find((u) => u === v.base_unit) ?? 'piece',
    shelf_life_h: Number(v.shelf_life_h) || 0, tax_pct: Number(v.tax_pct.trim() || 'x'), axes: axesOf(v.axes),
  })
  const save = useAct((body: ReturnType<typeof bodyOf>) => style
    ? act(['PUT style', style.id, style.revision, body], (header) => client.PUT('/api/goods/styles/{id}', { params: { header, path: { id: style.id } }, body: { ...body, revision: style.revision } }))
    : act(['POST style', body], (header) => client.POST('/api/goods/styles', { params: { header }, body })), ['goods'])
  const keep = useAct((body: { category: string; axes: ReturnType<typeof axesOf> }) => act(['PUT attributes', body], (header) =>
    client.PUT('/api/goods/categories/{id}/attributes', { params: { header, path: { id: body.category } }, body: { axes: body.axes } })), ['goods'])
  const form = useForm({
    initial: {
      name: style?.name ?? '', code: style?.code ?? '', category_id: style?.category_id ?? '', base_unit: (style?.base_unit ?? 'piece') as string, shelf_life_h: String(style?.shelf_life_h ?? 0), tax_pct: String(style?.tax_pct ?? 13),
      axes: style ? style.axes.map((a): AxisRow => ({ name: a.name, values: a.values.map((v) => ({ id: v.id ?? '', text: written(v) })) })) : [{ name: '', values: [] }],
    } as Values,
    doing: save,
    required: ['name', 'code', 'tax_pct'],
    body: bodyOf,
    rename: (field) => field.replace(/(\.values)(\[\d+\])?(\..+)?$/, '$1').replace(/^axes$/, 'axes[0].name'),
    done: (saved) => {
      void message.success(t('saved'))
      if (!style) setTimeout(() => void go(`/goods/styles/${saved.id}`, { replace: true }))
    },
  })
  const off = !can('goods.manage')
  const { axes, category_id: category } = form.values
  const change = (n: number, next: Partial<AxisRow>) => form.set('axes', axes.map((a, i) => (i === n ? { ...a, ...next } : a)))
  const fetchTemplate = async () => {
    const found = await must(client.GET('/api/goods/categories/{id}/attributes', { params: { path: { id: category } } }))
    if (found.axes.length === 0) void message.info(t('template_none'))
    else form.set('axes', found.axes.map((a) => ({ name: a.name, values: a.values.map((v) => ({ id: '', text: written(v) })) })))
  }
  return (
    <Form form={form} label={style ? style.name : t('new_style')}>
      {form.problem?.code === 'changed_meanwhile' && <div><Button onClick={props.again}>{t('reload')}</Button></div>}
      <div className="zg-form-grid">
        <TextField form={form} name="name" label={t('name')} maxLength={80} disabled={off} autoFocus={!style} />
        <TextField form={form} name="code" label={t('code')} width="s" maxLength={20} disabled={off} />
        <SelectField form={form} name="category_id" label={t('category')} required={false} clear disabled={off} options={categoryPaths(categories.data ?? [])} />
        <SelectField form={form} name="base_unit" label={t('base_unit')} width="s" disabled={off || Boolean(style)} options={(['piece', 'g', 'ml'] as const).map((u) => ({ value: u, label: t(`base_${u}`) }))} />
        <TextField form={form} name="shelf_life_h" label={t('shelf_life')} width="s" right inputMode="numeric" suffix={t('shelf_hours')} disabled={off} />
        <TextField form={form} name="tax_pct" label={t('tax')} width="s" right inputMode="decimal" suffix="%" disabled={off} />
      </div>
      <fieldset className="zg-fieldset">
        <legend>{t('axes')}</legend>
        {axes.map((a, n) => (
          <div key={n} className="zg-form-grid">
            <Field name={`axes[${n}].name`} label={t('axis')} width="s" {...(n === 0 ? { hint: t('axis_hint') } : {})}>
              {(c) => <Input {...c} value={a.name} disabled={off} maxLength={20} onChange={(e) => change(n, { name: e.target.value })} />}
            </Field>
            <Field name={`axes[${n}].values`} label={t('values')} {...(n === 0 ? { hint: t('values_hint') } : {})}>
              {(c) => (
                <div onKeyDown={(e) => { if (e.key === 'Enter') e.preventDefault() }}>
                  <Select {...c} mode="tags" open={false} suffixIcon={null} value={a.values.map((v) => v.text)} disabled={off} tokenSeparators={[',', '\uff0c', '\n']}
                    onChange={(texts: string[]) => change(n, { values: texts.map((text) => a.values.find((v) => v.text === text) ?? { id: '', text }) })} />
                </div>
              )}
            </Field>
            {!off && axes.length > 1 && !style?.variants.length && <Button className="zg-unit-remove" type="text" icon={<DeleteOutlined />} aria-label={t('remove_axis')} onClick={() => form.set('axes', axes.filter((_, i) => i !== n))} />}
          </div>
        ))}
        {!off && (
          <div className="zg-acts">
            {axes.length < 4 && !style?.variants.length && <Button icon={<PlusOutlined />} onClick={() => form.set('axes', [...axes, { name: '', values: [] }])}>{t('add_axis')}</Button>}
            {category && !style?.variants.length && <Button onClick={() => void fetchTemplate()}>{t('from_template')}</Button>}
            {category && axes.every((a) => a.name.trim() && a.values.length) && <Button loading={keep.busy} onClick={() => void keep.run({ category, axes: axesOf(axes) }).then((ok) => ok && message.success(t('template_saved')))}>{t('to_template')}</Button>}
          </div>
        )}
        {keep.problem && <ProblemBox problem={keep.problem} />}
      </fieldset>
      {!off && <FormActs form={form} onCancel={() => void go('/goods/styles')} />}
    </Form>
  )
}

/** The grid of colours and sizes: what is there, what can be made, and prices for all of it at once. */
function Combinations(props: { style: Style }) {
  const { style } = props
  const t = useText(styleText)
  const can = useCan()
  const { message } = App.useApp()
  const [view, setView] = useState<'products' | 'prices'>('products')
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set())
  const manage = can('goods.manage')
  const there = new Map(style.variants.map((v) => [comboKey(v.values), v]))
  const missing = everyCombo(style).filter((c) => !there.has(comboKey(c)))
  const chosen = missing.filter((c) => ticked.has(comboKey(c)))
  const known = style.variants.filter((v) => ticked.has(comboKey(v.values)))
  const combine = useAct((combos: string[][]) => act(['combine', style.id, style.variants.length, combos], (header) => client.POST('/api/goods/styles/{id}/combinations', { params: { header, path: { id: style.id } }, body: { combos } })), ['goods'])
  const live = useAct((body: { product_ids: string[]; state: Life }) => act(['lives', style.id, body, style.variants.map((v) => v.state)], (header) => client.POST('/api/goods/styles/{id}/lives', { params: { header, path: { id: style.id } }, body })), ['goods'])
  const make = async (combos: string[][]) => {
    for (let from = 0; from < combos.length; from += 200) {
      const done = await combine.run(combos.slice(from, from + 200))
      if (!done) return
      void message.success(t('made', { added: done.added, kept: done.kept }))
    }
    setTicked(new Set())
  }
  const tick = (key: string) => setTicked((old) => { const next = new Set(old); if (!next.delete(key)) next.add(key); return next })
  const problem = combine.problem ?? live.problem
  return (
    <Sheet title={t('matrix')} note={t(view === 'products' ? 'matrix_note' : 'prices_note')}
      acts={can('price.manage') && style.variants.length > 0 && <Segmented value={view} onChange={(v) => setView(v)} options={(['products', 'prices'] as const).map((v) => ({ value: v, label: t(`view_${v}`) }))} />}>
      {view === 'prices' ? <MatrixPrices style={style} /> : (
        <div className="zg-stack">
          {problem && <ProblemBox problem={problem} />}
          <Matrix style={style} label={t('matrix')} cell={(v, values, name) => v ? (
            <span className="zg-acts">
              {manage && <Checkbox aria-label={t('pick', { name })} checked={ticked.has(comboKey(values))} onChange={() => tick(comboKey(values))} />}
              <span><Link to={`/goods/${v.product_id}`}>{v.code}</Link> <LifeBadge state={v.state} />{v.barcodes[0] && <div className="zg-note">{v.barcodes[0]}</div>}</span>
            </span>
          ) : (
            manage ? <Checkbox aria-label={t('add', { name })} checked={ticked.has(comboKey(values))} onChange={() => tick(comboKey(values))}><span className="zg-note">{t('missing')}</span></Checkbox> : <span className="zg-note">{t('missing')}</span>
          )} />
          {manage && (
            <div className="zg-acts">
              {missing.length > 0 && <Button type={style.variants.length === 0 ? 'primary' : 'default'} loading={combine.busy} onClick={() => void make(chosen.length > 0 ? chosen : missing)}>{chosen.length > 0 ? t('make_chosen', { n: chosen.length }) : t('make_all', { n: missing.length })}</Button>}
              {known.length > 0 && (
                <label className="zg-acts"><span>{t('set_life', { n: known.length })}</span>
                  <Select style={{ minWidth: 140 }} placeholder={t('choose')} value={null} loading={live.busy} options={lives.map((l) => ({ value: l, label: t(l) }))}
                    onChange={(state: Life | null) => { if (state) void live.run({ product_ids: known.map((v) => v.product_id), state }).then((ok) => ok && setTicked(new Set())) }} />
                </label>
              )}
            </div>
          )}
        </div>
      )}
    </Sheet>
  )
}

function MatrixPrices(props: { style: Style }) {
  const { style } = props
  const t = useText(styleText)
  const f = useFormat()
  const go = useNavigate()
  const [prices, setPrices] = useState<Record<string, string>>({})
  const [same, setSame] = useState('')
  const [from, setFrom] = useState('')
  const lines = style.variants.flatMap((v) => {
    const fen = parseMoney(prices[v.product_id] ?? '')
    return fen === undefined ? [] : [{ product_id: v.product_id, unit: v.unit, price_fen: fen }]
  })
  const wrong = Object.values(prices).some((p) => p.trim() !== '' && parseMoney(p) === undefined)
  const body = { valid_from: from, note: style.name, lines }
  const save = useAct(() => act(['POST price change', body], (header) => client.POST('/api/prices/documents', { params: { header }, body })), ['prices'])
  return (
    <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); void save.run(undefined).then((doc) => doc && void go(`/goods/prices/${doc.id}`)) }}>
      {save.problem && <ProblemBox problem={save.problem} />}
      <div className="zg-form-grid">
        <label className="zg-field zg-field-s"><span>{t('price_from')}</span><input type="date" className="zg-date" required value={from} onChange={(e) => setFrom(e.target.value)} /></label>
        <label className="zg-field zg-field-s"><span>{t('fill_row')}</span><Input className="zg-input-right" inputMode="decimal" suffix="¥" value={same} onChange={(e) => setSame(e.target.value)} /></label>
        <Button disabled={parseMoney(same) === undefined} onClick={() => setPrices(Object.fromEntries(style.variants.map((v) => [v.product_id, same])))}>{t('fill')}</Button>
      </div>
      <Matrix style={style} label={t('view_prices')} cell={(v, _, name) => v && (
        <Input className="zg-input-right" style={{ minWidth: 96, maxWidth: 140 }} aria-label={t('price_of', { name })} inputMode="decimal" suffix={`¥/${f.unit(v.unit)}`} value={prices[v.product_id] ?? ''}
          status={(prices[v.product_id] ?? '').trim() === '' || parseMoney(prices[v.product_id] ?? '') !== undefined ? '' : 'error'} onChange={(e) => setPrices((old) => ({ ...old, [v.product_id]: e.target.value }))} />
      )} />
      <div className="zg-acts"><Button type="primary" htmlType="submit" disabled={lines.length === 0 || wrong || from === ''} loading={save.busy}>{t('save_prices', { n: lines.length })}</Button></div>
    </form>
  )
}
