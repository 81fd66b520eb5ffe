import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { act, client, DateField, Field, Form, FormActs, kitText, must, PageHead, ProblemBox, Sheet, SkeletonLines, Strip, TextField, useAct, useForm, useFormat, usePageTitle, useRead, useText, ProductPick, type FormState, type Product } from '@kit'
import type { components } from '@kit/api/schema'
import { App, Button, Input, Select } from 'antd'
import { useRef, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router-dom'
import { faultsOf, lossOf, newPart, newSub, percentOf, rowOnScreen, shareOf, untouched, type Part, type Sub } from './edit'
import { recipeText } from './text'
import { groupToday, quantityOf } from './tree'

type S = components['schemas']
type Version = S['CatalogRecipeView']

/** Writes a version of a recipe: `version` names the first day of the one that is changed; without it a new one is begun, after `like`. */
export default function EditRecipe() {
  const { id = '' } = useParams()
  const t = useText(recipeText)
  const f = useFormat()
  const [params] = useSearchParams()
  const product = useRead(['goods', 'one', id], (signal) => must(client.GET('/api/goods/products/{id}', { params: { path: { id } }, signal })))
  const versions = useRead(['goods', 'recipes', id], (signal) => must(client.GET('/api/goods/products/{id}/recipes', { params: { path: { id } }, signal })))
  const p = product.data
  const day = params.get('version') ?? ''
  const title = p && (day ? t('edit_title', { name: p.name, date: f.date(day) }) : t('new_title', { name: p.name }))
  usePageTitle(title)
  if (!p || !versions.data) {
    const bad = product.problem ?? versions.problem
    return bad ? <ProblemBox problem={bad} again={() => { product.again(); versions.again() }} /> : <SkeletonLines lines={8} />
  }
  const list = versions.data.items ?? []
  const version = list.find((v) => v.valid_from === day)
  const like = version ?? list.find((v) => v.valid_from === params.get('like')) ?? list[0]
  return (
    <>
      <PageHead title={title} back={{ to: `/goods/${id}/recipe${day ? `?date=${day}` : ''}`, label: t('title', { name: p.name }) }} note={p.code} />
      {day && !version ? <Strip tone="amber">{t('version_gone', { date: f.date(day) })}</Strip>
        : p.parts.length > 0 ? <Strip tone="amber">{t('bundle_no_recipe')}</Strip>
          : <Editor key={`${day} ${version?.revision ?? 0}`} product={p} versions={list} version={version} like={like} again={versions.again} />}
    </>
  )
}

const sharesOf = (row: { share: string; least: string; most: string }) => ({ share: shareOf(row.share) ?? '', least: shareOf(row.least) ?? '', most: shareOf(row.most) ?? '' })

interface Values { valid_from: string; yield_qty: string; yield_unit: string; parts: Part[] }

function Editor(props: { product: Product; versions: readonly Version[]; version: Version | undefined; like: Version | undefined; again: () => void }) {
  const { product, version, like } = props
  const t = useText(recipeText)
  const k = useText(kitText)
  const f = useFormat()
  const go = useNavigate()
  const { message, modal } = App.useApp()
  const keys = useRef(0)
  const sent = useRef<readonly Part[]>([]) // a refusal counts these
  const next = () => newPart(++keys.current)
  const [initial] = useState((): Values => ({
    valid_from: version?.valid_from ?? groupToday(), yield_qty: like ? like.yield_qty : '1', yield_unit: product.base_unit,
    parts: like ? like.components.map((c) => ({ key: ++keys.current, product_id: c.product_id, label: `${c.name} ${c.code}`, qty: c.qty, unit: c.unit, loss: percentOf(c.loss), rule: c.rule, share: percentOf(c.share), least: c.options.length > 0 ? percentOf(c.least) : '0', most: percentOf(c.most),
      options: c.options.map((o) => ({ key: ++keys.current, product_id: o.product_id, label: `${o.name} ${o.code}`, qty: o.qty, unit: o.unit, for_qty: o.for_qty, share: percentOf(o.share), least: percentOf(o.least), most: percentOf(o.most) })) })) : [next()],
  }))
  const doing = useAct((body: S['CatalogRecipeIn']) => act(['put recipe', product.id, body], (header) => client.PUT('/api/goods/products/{id}/recipes', { params: { path: { id: product.id }, header }, body })), ['goods', 'plan'])
  const drop = useAct((v: Version) => act(['drop recipe', v.id, v.revision], (header) => client.DELETE('/api/goods/products/{id}/recipes/{recipe_id}', { params: { path: { id: product.id, recipe_id: v.id }, query: { revision: v.revision }, header } })), ['goods', 'plan'])
  const form = useForm({
    initial,
    required: ['valid_from', 'yield_qty'],
    check: (v: Values) => ({
      ...faultsOf(v.parts, { required: k('required'), qty: t('qty_bad'), loss: t('loss_bad'), twice: t('twice'), none: t('nothing_in'), share: t('share_bad'), whole: t('share_whole') }),
      ...(v.yield_qty.trim() && quantityOf(v.yield_qty) === undefined ? { yield_qty: t('qty_bad') } : {}),
      ...(!version && props.versions.some((o) => o.valid_from === v.valid_from) ? { valid_from: t('version_there') } : {}),
    }),
    body: (v): S['CatalogRecipeIn'] => {
      sent.current = v.parts
      return {
        valid_from: v.valid_from, yield_qty: quantityOf(v.yield_qty) ?? '', yield_unit: v.yield_unit, ...(version ? { revision: version.revision } : {}),
        components: v.parts.filter((p) => !untouched(p)).map((p) => ({ product_id: p.product_id, qty: quantityOf(p.qty) ?? '', unit: p.unit, loss: lossOf(p.loss) ?? '', rule: p.rule, ...(p.options.length > 0 ? { ...sharesOf(p), options: p.options.map((o) => ({ product_id: o.product_id, qty: quantityOf(o.qty) ?? '', unit: o.unit, for_qty: quantityOf(o.for_qty) ?? '', ...sharesOf(o) })) } : {}) })),
      }
    },
    rename: (field) => rowOnScreen(field, sent.current),
    doing,
    done: (_, v) => { void message.success(t('saved')); void go(`/goods/${product.id}/recipe?date=${v.valid_from}`) },
  })
  const { parts } = form.values
  // Rows that move take the server's word with them no longer: it named rows by their number.
  const setParts = (rows: Part[]) => { doing.clear(); form.set('parts', rows) }
  const change = (n: number, now: Partial<Part>) => form.set('parts', parts.map((p, i) => (i === n ? { ...p, ...now } : p)))
  const list = useRef<HTMLDivElement>(null)
  const focus = (n: number) => requestAnimationFrame(() => list.current?.querySelectorAll<HTMLElement>('.recipe-part')[n]?.querySelector<HTMLElement>('input')?.focus())
  const add = () => { setParts([...parts, next()]); focus(parts.length) }
  const remove = (n: number) => { setParts(parts.filter((_, i) => i !== n)); focus(Math.max(0, n - 1)) }
  const changed = doing.problem?.code === 'changed_meanwhile'
  return (
    <div className="recipe-edit">
      <Form form={form} label={t('edit')}>
        {changed && <Strip tone="amber" action={<Button size="small" onClick={() => { doing.clear(); props.again() }}>{t('reload')}</Button>}>{t('changed_meanwhile')}</Strip>}
        <Sheet>
          <div className="zg-form-grid">
            <DateField form={form} name="valid_from" label={t('valid_from')} hint={version ? t('valid_from_fixed') : t('valid_from_hint')} min="2000-01-01" max="2100-01-01" disabled={version !== undefined} />
            <TextField form={form} name="yield_qty" label={t('yield')} hint={t('yield_hint')} width="s" inputMode="decimal" right maxLength={14} />
            <Field name="yield_unit" label={t('unit')} width="s">
              {(c) => <Select {...c} value={form.values.yield_unit} options={product.units.filter((u) => !u.retired).map((u) => ({ value: u.name, label: f.unit(u.name) }))} onChange={(unit: string) => form.set('yield_unit', unit)} />}
            </Field>
          </div>
        </Sheet>
        <Sheet title={t('components_of')} note={t('components_note')}>
          <div ref={list} className="recipe-parts" role="group" aria-label={t('components_of')}>
            {parts.map((p, n) => <PartRow key={p.key} n={n} part={p} made={product.id} change={(now) => change(n, now)} subs={(options) => setParts(parts.map((p, i) => (i === n ? { ...p, options } : p)))} sub={() => newSub(++keys.current)} {...(parts.length > 1 ? { remove: () => remove(n) } : {})} />)}
          </div>
          <div className="zg-gap" />
          <Whole form={form} />
          <Button icon={<PlusOutlined />} onClick={add} disabled={parts.length >= 200}>{t('add_component')}</Button>
        </Sheet>
        <FormActs form={form} onCancel={() => void go(`/goods/${product.id}/recipe${version ? `?date=${version.valid_from}` : ''}`)}>
          {version && <Button danger loading={drop.busy} onClick={() => void modal.confirm({
            title: t('drop_sure', { date: f.date(version.valid_from) }), content: t('drop_note'), okText: t('drop'), okButtonProps: { danger: true },
            onOk: async () => { if (await drop.run(version)) { form.reset(form.values); void message.success(t('dropped')); setTimeout(() => void go(`/goods/${product.id}/recipe`)) } },
          })}>{t('drop')}</Button>}
        </FormActs>
        {drop.problem && <ProblemBox problem={drop.problem} />}
      </Form>
    </div>
  )
}

/** What was refused about the components together: a way round with its path, too many levels, none at all. */
function Whole(props: { form: FormState<Values> }) {
  const t = useText(recipeText)
  const error = props.form.errorOf('components')
  return <Field name="components" label={t('components_of')} width="l">{(c) => <span id={c.id} tabIndex={-1} aria-invalid={c['aria-invalid']} aria-describedby={c['aria-describedby']} className={error ? 'recipe-whole' : 'recipe-hidden'} />}</Field>
}

function PartRow(props: { n: number; part: Part; made: string; change: (now: Partial<Part>) => void; subs: (options: Sub[]) => void; sub: () => Sub; remove?: () => void }) {
  const { part, n } = props
  const t = useText(recipeText)
  const f = useFormat()
  const [near, setNear] = useState(false) // somebody is at this row: only then is it asked what there is
  const chosen = useRead(['goods', 'one', part.product_id], (signal) => must(client.GET('/api/goods/products/{id}', { params: { path: { id: part.product_id } }, signal })), { skip: !near || part.product_id === '' })
  const units = chosen.data?.id === part.product_id ? chosen.data.units.filter((u) => !u.retired).map((u) => u.name) : []
  const at = `components[${n}]`
  const { options } = part
  const set = (k: number, now: Partial<Sub>) => props.change({ options: options.map((o, i) => (i === k ? { ...o, ...now } : o)) })
  return (
    <>
    <div className="recipe-part" onFocus={() => setNear(true)}>
      <Field name={`${at}.product_id`} label={t('component')}>
        {(c) => (
          <ProductPick className="" control={c} label={t('component')} placeholder={t('search_component')} value={part.product_id} named={part.label} without={(p) => p.id === props.made}
            choose={(p) => { if (p) props.change({ product_id: p.id, label: `${p.name} ${p.code}`, unit: p.base_unit }) }} />
        )}
      </Field>
      <Field name={`${at}.qty`} label={t('quantity')} width="s">
        {(c) => <Input {...c} className="zg-input-right" inputMode="decimal" autoComplete="off" maxLength={14} value={part.qty} onChange={(e) => props.change({ qty: e.target.value })} />}
      </Field>
      <Field name={`${at}.unit`} label={t('unit')} width="s">
        {(c) => <Select {...c} {...(part.unit ? { value: part.unit } : {})} disabled={part.product_id === ''} options={[...new Set([...(part.unit ? [part.unit] : []), ...units])].map((u) => ({ value: u, label: f.unit(u) }))} onChange={(unit: string) => props.change({ unit })} />}
      </Field>
      <Field name={`${at}.loss`} label={t('loss')} width="s">
        {(c) => <Input {...c} className="zg-input-right" inputMode="decimal" autoComplete="off" maxLength={8} suffix="%" value={part.loss} onChange={(e) => props.change({ loss: e.target.value })} />}
      </Field>
      <Field name={`${at}.rule`} label={t('loss_rule')} width="s">
        {(c) => <Select {...c} value={part.rule} popupMatchSelectWidth={false} options={(['markup', 'yield'] as const).map((r) => ({ value: r, label: t(r === 'yield' ? 'rule_yield' : 'rule_markup') }))} onChange={(rule: Part['rule']) => props.change({ rule })} />}
      </Field>
      <Button className="recipe-remove" icon={<DeleteOutlined />} aria-label={t('remove_component', { name: part.label || String(n + 1) })} disabled={!props.remove} onClick={props.remove} />
    </div>
    {part.product_id !== '' && (
      <div className="recipe-choice">
        {options.length > 0 && (
          <div className="recipe-share">
            <span>{part.label}</span>
            <ShareFields at={at} row={part} change={props.change} />
          </div>
        )}
        {options.map((o, k) => (
          <div key={o.key} className="recipe-sub" role="group" aria-label={t('substitute')}>
            <Field name={`${at}.options[${k}].product_id`} label={t('substitute')}>
              {(c) => (
                <ProductPick className="" control={c} label={t('substitute')} placeholder={t('search_component')} value={o.product_id} named={o.label} without={(p) => p.id === props.made || p.id === part.product_id}
                  choose={(p) => { if (p) set(k, { product_id: p.id, label: `${p.name} ${p.code}`, unit: p.base_unit }) }} />
              )}
            </Field>
            <Field name={`${at}.options[${k}].qty`} label={`${t('sub_qty')}${o.unit ? ` (${f.unit(o.unit)})` : ''}`} width="s">
              {(c) => <Input {...c} className="zg-input-right" inputMode="decimal" autoComplete="off" maxLength={14} value={o.qty} onChange={(e) => set(k, { qty: e.target.value })} />}
            </Field>
            <Field name={`${at}.options[${k}].for_qty`} label={t('sub_for')} width="s">
              {(c) => <Input {...c} className="zg-input-right" inputMode="decimal" autoComplete="off" maxLength={14} value={o.for_qty} onChange={(e) => set(k, { for_qty: e.target.value })} />}
            </Field>
            <ShareFields at={`${at}.options[${k}]`} row={o} change={(now) => set(k, now)} />
            <Button className="recipe-remove" icon={<DeleteOutlined />} aria-label={t('remove_component', { name: o.label || t('substitute') })} onClick={() => props.subs(options.filter((_, i) => i !== k))} />
          </div>
        ))}
        <Field name={`${at}.options`} label={t('substitute')}>{(c) => <span id={c.id} tabIndex={-1} className="recipe-hidden" />}</Field>
        {options.length < 5 && <Button type="link" size="small" icon={<PlusOutlined />} onClick={() => props.subs([...options, props.sub()])}>{t('add_substitute')}</Button>}
      </div>
    )}
    </>
  )
}

/** The share of a line and between what it may move, in percent. */
function ShareFields(props: { at: string; row: { share: string; least: string; most: string }; change: (now: { share?: string; least?: string; most?: string }) => void }) {
  const t = useText(recipeText)
  return (
    <>
      {(['share', 'least', 'most'] as const).map((field) => (
        <Field key={field} name={`${props.at}.${field}`} label={t(`sub_${field}`)} width="s">
          {(c) => <Input {...c} className="zg-input-right" inputMode="decimal" autoComplete="off" maxLength={8} suffix="%" value={props.row[field]} onChange={(e) => props.change({ [field]: e.target.value })} />}
        </Field>
      ))}
    </>
  )
}
