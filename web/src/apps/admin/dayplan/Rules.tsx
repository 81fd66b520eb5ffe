import { act, Badge, client, DataTable, DateField, Empty, Form, FormActs, must, PageHead, ProblemBox, SelectField, Sheet, SitePick, TextField, useAct, useCan, useForm, useFormat, useListing, useSite, useText, ProductPick, ProductsPick, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Button } from 'antd'
import { useState } from 'react'
import { PlanTabs } from '../plan/shared'
import { planningText } from '../../../planning/text'
import { Learned } from './Learned'
import { dayPlanText } from './text'

type S = components['schemas']
type Rule = S['ReplenishPolicyView']
type Event = S['ReplenishEventView']
const modes = ['static', 'dynamic', 'strategy', 'dms'] as const
const stocked = (mode: string | undefined) => mode === 'static' || mode === 'dms'
const ways = ['act', 'suggest', 'approve'] as const
const kinds = ['promotion', 'festival', 'season', 'weather'] as const
const festivals = ['spring_festival', 'lantern', 'qingming', 'labour_day', 'dragon_boat', 'qixi', 'mid_autumn', 'national_day', 'double_ninth', 'christmas_eve', 'new_year', 'laba', 'little_new_year', 'new_years_eve'] as const
const conditions = ['cold_wave', 'cold', 'hot', 'rain'] as const

/** How products of a site are replenished, and the calendar of what moves demand. */
export default function Rules() {
  const t = useText(dayPlanText)
  const place = useSite()
  return (
    <>
      <PageHead title={t('rules')} note={t('rules_note')}><SitePick {...place} /></PageHead>
      <PlanTabs />
      {place.site && <div className="zg-stack"><Calendar key={`c${place.site.id}`} site={place.site.id} /><Policies key={place.site.id} site={place.site.id} /></div>}
    </>
  )
}

function Calendar(props: { site: string }) {
  const t = useText(dayPlanText)
  const f = useFormat()
  const can = useCan()
  const p = useText(planningText)
  const [adding, setAdding] = useState(false)
  const [opened, setOpened] = useState<Event>()
  const rows = useListing(['plan', 'events', props.site], (after, signal) => must(client.GET('/api/plans/events', { params: { query: { site_id: props.site, limit: 100, ...(after ? { after } : {}) } }, signal })))
  const drop = useAct((id: string) => act(['drop event', id], (header) => client.DELETE('/api/plans/events/{id}', { params: { path: { id }, header } })), ['plan'])
  const columns: Column<Event>[] = [
    { key: 'name', head: t('event'), cell: (e) => <>{e.name} <Badge tone="plain">{t(`kind_${e.kind}`)}</Badge>{e.festival && <div className="zg-note">{t('festival_on', { festival: p(`festival_${e.festival as 'qixi'}`), date: f.day(e.festival_day) })}</div>}{e.condition && <div className="zg-note">{t(`when_${e.condition}`, { n: e.degree })}</div>}</>, by: (e) => e.name },
    { key: 'from', head: t('event_from'), cell: (e) => <>{f.date(e.from_date)} {e.from_time}</>, by: (e) => e.from_date },
    { key: 'to', head: t('event_to'), cell: (e) => <>{f.date(e.to_date)} {e.to_time}</>, by: (e) => e.to_date },
    { key: 'factor', head: t('factor'), right: true, cell: (e) => (e.festival ? <Button size="small" type="link" onClick={() => setOpened(e)}>{e.by_hand ? t('factor_hand', { n: e.factor }) : t('factor_learned', { n: e.factor })}</Button> : `×${e.factor}`), by: (e) => Number(e.factor) },
    { key: 'products', head: t('products'), cell: (e) => (e.products ?? []).map((p) => p.name).join(', '), wide: true },
    { key: 'site', head: t('site'), cell: (e) => e.site_name || t('everywhere'), wide: true },
    { key: 'acts', head: '', cell: (e) => can('plan.rules') && e.site_id === props.site && <Button size="small" loading={drop.busy} onClick={() => void drop.run(e.id)}>{t('remove')}</Button> },
  ]
  return (
    <Sheet title={t('calendar')} note={t('calendar_note')} acts={can('plan.rules') && !adding && <Button onClick={() => setAdding(true)}>{t('add_event')}</Button>} flush>
      {drop.problem && <ProblemBox problem={drop.problem} />}
      {opened && <Learned event={opened} site={props.site} close={() => setOpened(undefined)} />}
      {adding && <AddEvent site={props.site} done={() => setAdding(false)} />}
      <DataTable label={t('calendar')} rows={rows} columns={columns} rowKey={(e) => e.id} empty={<Empty title={t('no_events')}>{t('no_events_note')}</Empty>} />
    </Sheet>
  )
}

function AddEvent(props: { site: string; done: () => void }) {
  const t = useText(dayPlanText)
  const p = useText(planningText)
  const [products, setProducts] = useState<string[]>([])
  const doing = useAct((body: S['SupplydayEventIn']) => act(['add event', body], (header) => client.POST('/api/plans/events', { params: { header }, body })), ['plan'])
  const form = useForm({
    initial: { kind: 'promotion', name: '', from_date: '', from_time: '', to_date: '', to_time: '', factor: '', condition: 'cold_wave', degree: '', festival: '' },
    required: ['name', 'from_date', 'to_date'],
    body: (v): S['SupplydayEventIn'] => ({
      site_id: props.site, kind: v.kind as Event['kind'], name: v.name, from_date: v.from_date, to_date: v.to_date, products,
      ...(v.from_time ? { from_time: v.from_time } : {}), ...(v.to_time ? { to_time: v.to_time } : {}), ...(v.factor ? { factor: v.factor } : {}),
      ...(v.kind === 'festival' && v.festival ? { festival: v.festival } : {}),
      ...(v.kind === 'weather' ? { condition: v.condition as NonNullable<Event['condition']>, ...(v.degree ? { degree: v.degree } : {}) } : {}),
    }),
    doing, done: props.done,
  })
  const weather = form.values.kind === 'weather'
  return (
    <div className="zg-sheet-head">
      <Form form={form} label={t('add_event')}>
        <SelectField form={form} name="kind" label={t('kind')} options={kinds.map((k) => ({ value: k, label: t(`kind_${k}`) }))} />
        <TextField form={form} name="name" label={t('event')} />
        <DateField form={form} name="from_date" label={t('event_from')} />
        <TextField form={form} name="from_time" label={t('at_time')} hint={t('from_time_hint')} />
        <DateField form={form} name="to_date" label={t('event_to')} />
        <TextField form={form} name="to_time" label={t('at_time')} hint={t('to_time_hint')} />
        <TextField form={form} name="factor" label={t('factor')} hint={weather ? t('factor_weather') : form.values.kind === 'festival' ? t('factor_festival') : t('factor_hint')} />
        {form.values.kind === 'festival' && <SelectField form={form} name="festival" label={t('festival')} options={[{ value: '', label: t('festival_auto') }, ...festivals.map((k) => ({ value: k, label: p(`festival_${k}`) })), { value: 'none', label: t('festival_none') }]} />}
        {weather && <SelectField form={form} name="condition" label={t('condition')} options={conditions.map((k) => ({ value: k, label: t(`when_${k}`, { n: '…' }) }))} />}
        {weather && form.values.condition !== 'cold_wave' && <TextField form={form} name="degree" label={t('degree')} />}
        <label className="zg-field"><span>{t('products')}</span>
          <ProductsPick label={t('products')} value={products} choose={setProducts} bundles /></label>
        {form.errorOf('products') && <p role="alert" className="zg-note">{form.errorOf('products')}</p>}
        <FormActs form={form} save={t('save')} onCancel={props.done} />
      </Form>
    </div>
  )
}

function Policies(props: { site: string }) {
  const t = useText(dayPlanText)
  const f = useFormat()
  const can = useCan()
  const [edit, setEdit] = useState<Rule | 'new'>()
  const rows = useListing(['plan', 'rules', props.site], (after, signal) => must(client.GET('/api/plans/rules', { params: { query: { site_id: props.site, limit: 200, ...(after ? { after } : {}) } }, signal })))
  const level = (r: Rule, hand: string | undefined, computed: string | undefined) => (hand !== undefined
    ? <>{f.qty({ qty: hand, unit: r.unit })}{computed !== undefined && <div className="zg-note">{t('computed_is', { qty: f.decimal(computed) })}</div>}</>
    : computed !== undefined ? <>{f.qty({ qty: computed, unit: r.unit })}<div className="zg-note">{t('computed')}</div></> : '')
  const columns: Column<Rule>[] = [
    { key: 'name', head: t('product'), cell: (r) => <>{r.name} <span className="zg-note">{r.code}</span></>, by: (r) => r.name },
    { key: 'mode', head: t('mode'), cell: (r) => <>{t(`mode_${r.mode}`)}{r.mode === 'dms' && <div className="zg-note">{t('review_of', { n: r.review_days })}</div>}</>, by: (r) => r.mode },
    { key: 'safety', head: t('safety'), right: true, cell: (r) => (r.mode === 'static' ? level(r, r.safety, r.computed_safety) : r.mode === 'dms' && level(r, r.safety, undefined)) },
    { key: 'most', head: t('most'), right: true, cell: (r) => (r.mode === 'static' ? level(r, r.most, r.computed_most) : r.mode === 'dms' && level(r, r.most, undefined)) },
    { key: 'ways', head: t('ways'), cell: (r) => [r.on_automatic, r.on_dynamic, r.on_strategy].map((w) => t(`way_${w}`)).join(' / '), wide: true },
    { key: 'ceiling', head: t('ceiling'), right: true, cell: (r) => <>{r.qty_ceiling !== '0' && f.qty({ qty: r.qty_ceiling, unit: r.unit })}{r.amount_ceiling_fen > 0 && <div>{f.yuan(r.amount_ceiling_fen)}</div>}</>, wide: true },
    { key: 'acts', head: '', cell: (r) => can('plan.rules') && <Button size="small" onClick={() => setEdit(r)}>{t('edit')}</Button> },
  ]
  return (
    <Sheet title={t('policies')} note={t('policies_note')} acts={can('plan.rules') && <Button onClick={() => setEdit('new')}>{t('add_rule')}</Button>} flush>
      {edit && <EditRule key={edit === 'new' ? 'new' : edit.product_id} site={props.site} {...(edit !== 'new' ? { rule: edit } : {})} done={() => setEdit(undefined)} />}
      <DataTable label={t('policies')} rows={rows} columns={columns} rowKey={(r) => r.product_id} empty={<Empty title={t('no_rules')}>{t('no_rules_note')}</Empty>} />
    </Sheet>
  )
}

function EditRule(props: { site: string; rule?: Rule; done: () => void }) {
  const t = useText(dayPlanText)
  const { rule } = props
  const [product, setProduct] = useState(rule?.product_id)
  const doing = useAct((body: S['SupplydayPolicyIn']) => act(['put rule', body], (header) => client.PUT('/api/plans/rules', { params: { header }, body })), ['plan'])
  const form = useForm({
    initial: { mode: rule?.mode ?? 'static', safety: rule?.safety ?? '', most: rule?.most ?? '', on_automatic: rule?.on_automatic ?? 'act', on_dynamic: rule?.on_dynamic ?? 'suggest', on_strategy: rule?.on_strategy ?? 'suggest',
      qty_ceiling: rule && rule.qty_ceiling !== '0' ? rule.qty_ceiling : '', sales_threshold: rule && rule.sales_threshold !== '0' ? rule.sales_threshold : '', at_word: rule?.at_word ? 'yes' : 'no', review_days: String(rule?.review_days ?? 7) } as Record<string, string>,
    body: (v): S['SupplydayPolicyIn'] => ({
      site_id: props.site, product_id: product ?? '', mode: v['mode'] as Rule['mode'], on_automatic: v['on_automatic'] as Rule['on_automatic'], on_dynamic: v['on_dynamic'] as Rule['on_dynamic'], on_strategy: v['on_strategy'] as Rule['on_strategy'],
      ...(v['safety'] ? { safety: v['safety'] } : {}), ...(v['most'] ? { most: v['most'] } : {}), ...(v['qty_ceiling'] ? { qty_ceiling: v['qty_ceiling'] } : {}), ...(v['sales_threshold'] ? { sales_threshold: v['sales_threshold'] } : {}),
      ...(v['mode'] === 'dms' && v['review_days'] ? { review_days: Number(v['review_days']) } : {}),
      ...(v['at_word'] === 'yes' ? { at_word: true } : {}),
      ...(rule && rule.amount_ceiling_fen > 0 ? { amount_ceiling_fen: rule.amount_ceiling_fen } : {}), ...(rule?.substitute_id ? { substitute_id: rule.substitute_id } : {}),
    }),
    doing, done: props.done,
  })
  const way = ways.map((w) => ({ value: w, label: t(`way_${w}`) }))
  return (
    <div className="zg-sheet-head">
      <Form form={form} label={t('edit')}>
        {rule ? <p><b>{rule.name}</b> <span className="zg-note">{rule.code}</span></p> : (
          <label className="zg-field"><span>{t('product')}</span>
            <ProductPick className="" label={t('product')} value={product ?? ''} choose={(p) => setProduct(p?.id)} /></label>
        )}
        <SelectField form={form} name="mode" label={t('mode')} options={modes.map((k) => ({ value: k, label: t(`mode_${k}`) }))} />
        {stocked(form.values['mode']) && <TextField form={form} name="safety" label={t('safety')} hint={t('computed_hint')} />}
        {stocked(form.values['mode']) && <TextField form={form} name="most" label={t('most')} hint={t(form.values['mode'] === 'dms' ? 'ceiling_none' : 'computed_hint')} />}
        {form.values['mode'] === 'dms' && <TextField form={form} name="review_days" label={t('review')} hint={t('review_hint')} />}
        <SelectField form={form} name="on_automatic" label={t('on_automatic')} options={way} />
        <SelectField form={form} name="on_dynamic" label={t('on_dynamic')} options={way} />
        <SelectField form={form} name="on_strategy" label={t('on_strategy')} options={way} />
        <TextField form={form} name="qty_ceiling" label={t('ceiling')} hint={t('ceiling_hint')} />
        <SelectField form={form} name="at_word" label={t('at_word')} options={[{ value: 'no', label: t('at_word_no') }, { value: 'yes', label: t('at_word_yes') }]} />
        <TextField form={form} name="sales_threshold" label={t('sales_threshold')} hint={t('sales_hint')} />
        <FormActs form={form} save={t('save')} onCancel={props.done} />
      </Form>
    </div>
  )
}
