import { act, all, Badge, client, DataTable, Empty, Field, FilterBar, Form, FormActs, must, PageHead, ProblemBox, ProductPick, SelectField, Sheet, SitePick, Strip, TextField, useAct, useCan, useFilters, useForm, useFormat, useListing, useProblemWords, useRead, useSession, useSite, useText, type Column, type Listing } from '@kit'
import type { components } from '@kit/api/schema'
import { App, Button, Select } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { categoryPaths, useCategories } from '../goods/shared'
import { inForce, minutesOf } from './policy'
import { StockTabs, stockText } from './shared'

type S = components['schemas']
type Policy = S['StockPolicyView']
type Channel = Policy['channel']
const rules = ['expiry', 'first_in', 'fewest'] as const
const uses = ['till', 'self_checkout', 'phone', 'platform', 'wholesale', 'transfer', 'making'] as const

/** Which batches serve first: the rules in force, what was in force before, and a try at a product. */
export default function Policies() {
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const words = useProblemWords()
  const { modal } = App.useApp()
  const { me } = useSession()
  const place = useSite()
  const [filter] = useFilters()
  const [adding, setAdding] = useState(false)
  const past = filter['past'] === '1'
  const list = useListing(['stock', 'policies', past], (after, signal) => must(client.GET('/api/stock/pick-policies', { params: { query: { limit: 100, ...(past ? { past } : {}), ...(after ? { after } : {}) } }, signal })))
  const end = useAct((p: Policy) => act(['end policy', p.id], (header) => client.POST('/api/stock/pick-policies/{id}/end', { params: { header, path: { id: p.id } } })), ['stock'])
  const siteName = (id: string) => (id ? me.sites.find((s) => s.id === id)?.name ?? id : t('policy_all_sites'))
  const columns: Column<Policy>[] = [
    { key: 'goods', head: t('policy_goods'), cell: (p) => (p.product_id ? <Link to={`/stock/products/${p.product_id}`}>{p.product}</Link> : p.category_id ? t('policy_category', { name: p.category }) : t('policy_everything')), by: (p) => p.product || p.category },
    { key: 'rule', head: t('policy_rule'), cell: (p) => <b>{t(`rule_${p.rule}`)}</b>, by: (p) => p.rule },
    { key: 'life', head: t('policy_life'), cell: (p) => (p.min_life_minutes ? f.duration(p.min_life_minutes * 60) : '–'), by: (p) => p.min_life_minutes },
    { key: 'site', head: t('policy_site'), cell: (p) => siteName(p.site_id), by: (p) => siteName(p.site_id) },
    { key: 'channel', head: t('policy_channel'), cell: (p) => (p.channel ? t(`channel_${p.channel}`) : t('policy_all_channels')), by: (p) => p.channel },
    { key: 'at', head: t('policy_since'), cell: (p) => <span title={f.exact(p.at)}>{f.at(p.at)}</span>, by: (p) => p.at, wide: true },
    { key: 'state', head: '', cell: (p) => (p.ended_at ? <span className="zg-note" title={f.exact(p.ended_at)}>{t('policy_ended', { at: f.at(p.ended_at) })}</span> : can('stock.policy') ? (
      <Button size="small" onClick={() => void modal.confirm({ title: t('policy_end_sure'), content: t('policy_end_note'), okText: t('policy_end'), okButtonProps: { danger: true }, onOk: async () => { await end.run(p) } })}>{t('policy_end')}</Button>
    ) : <Badge tone="green">{t('policy_now')}</Badge>) },
  ]
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} />{can('stock.policy') && !adding && <Button type="primary" onClick={() => setAdding(true)}>{t('policy_add')}</Button>}</PageHead>
      <StockTabs />
      <div className="zg-stack">
        <p className="zg-note">{t('policy_note')}</p>
        {end.problem && <Strip tone="red">{words(end.problem)}</Strip>}
        {adding && <AddPolicy list={list} site={place.site?.id ?? ''} siteName={siteName} done={() => setAdding(false)} />}
        <div>
          <FilterBar filters={[{ kind: 'flag', name: 'past', label: t('policy_past') }]} />
          <DataTable label={t('policies')} rows={list} columns={columns} rowKey={(p) => p.id} empty={<Empty title={t('policy_none_title')}>{t('policy_none')}</Empty>} />
        </div>
        {place.site && <Try key={place.site.id} site={place.site.id} />}
      </div>
    </>
  )
}

function AddPolicy(props: { list: Listing<Policy>; site: string; siteName: (id: string) => string; done: () => void }) {
  const t = useText(stockText)
  const f = useFormat()
  const { me } = useSession()
  const categories = useCategories()
  const paths = categoryPaths(categories.data ?? [])
  const doing = useAct((body: S['StockPolicyIn']) => act(['set policy', body], (header) => client.PUT('/api/stock/pick-policies', { params: { header }, body })), ['stock'])
  const form = useForm({
    initial: { of: 'product', product_id: '', category_id: '', site_id: props.site, channel: '', rule: 'expiry', min_life_minutes: '' },
    check: (v): Record<string, string> => ({
      ...(v.of === 'product' && !v.product_id ? { product_id: t('policy_choose') } : {}), ...(v.of === 'category' && !v.category_id ? { category_id: t('policy_choose') } : {}),
      ...(minutesOf(v.min_life_minutes) === undefined ? { min_life_minutes: t('policy_life_bad') } : {}),
    }),
    body: (v): S['StockPolicyIn'] => {
      const before = inForce(props.list.rows, scopeOf(v))
      const minutes = minutesOf(v.min_life_minutes) ?? 0
      return {
        rule: v.rule as Policy['rule'], ...(v.of === 'product' ? { product_id: v.product_id } : v.of === 'category' ? { category_id: v.category_id } : {}), ...(v.site_id ? { site_id: v.site_id } : {}), ...(v.channel ? { channel: v.channel as Channel } : {}),
        ...(minutes ? { min_life_minutes: minutes } : {}), ...(before ? { replaces: before.id } : {}),
      }
    },
    doing,
    done: props.done,
  })
  const v = form.values
  const before = inForce(props.list.rows, scopeOf(v))
  return (
    <Sheet title={t('policy_add')}>
      <Form form={form} label={t('policy_add')}>
        <div className="zg-form-grid">
          <SelectField form={form} name="of" label={t('policy_of')} width="s" options={[{ value: 'product', label: t('of_product') }, { value: 'category', label: t('of_category') }, { value: 'all', label: t('policy_everything') }]} />
          {v.of === 'product' && <Field name="product_id" label={t('of_product')}>{(c) => <ProductPick control={c} label={t('of_product')} value={v.product_id} clear choose={(p) => form.set('product_id', p?.id ?? '')} />}</Field>}
          {v.of === 'category' && <SelectField form={form} name="category_id" label={t('of_category')} hint={t('of_category_hint')} options={paths} />}
          <SelectField form={form} name="site_id" label={t('policy_site')} clear hint={t('policy_site_hint')} options={me.sites.map((s) => ({ value: s.id, label: `${s.name} ${s.code}` }))} />
          <SelectField form={form} name="channel" label={t('policy_channel')} clear hint={t('policy_channel_hint')} options={uses.map((u) => ({ value: u, label: t(`channel_${u}`) }))} />
        </div>
        <div className="zg-form-grid">
          <SelectField form={form} name="rule" label={t('policy_rule')} hint={t(`rule_${rules.find((r) => r === v.rule) ?? 'expiry'}_hint`)} options={rules.map((r) => ({ value: r, label: t(`rule_${r}`) }))} />
          <TextField form={form} name="min_life_minutes" label={t('policy_life')} hint={t('policy_life_hint')} required={false} width="m" inputMode="decimal" right maxLength={8} suffix={t('hours')} />
        </div>
        {before && <Strip tone="amber">{t('policy_replaces', { rule: t(`rule_${before.rule}`), life: before.min_life_minutes ? f.duration(before.min_life_minutes * 60) : '–', at: f.at(before.at) })}</Strip>}
        <FormActs form={form} onCancel={props.done} />
      </Form>
    </Sheet>
  )
}

const scopeOf = (v: { of: string; product_id: string; category_id: string; site_id: string; channel: string }) => ({ product_id: v.of === 'product' ? v.product_id : '', category_id: v.of === 'category' ? v.category_id : '', site_id: v.site_id, channel: v.channel })

/** In which order the batches of a product would serve here, and the rule that decides it. */
function Try(props: { site: string }) {
  const t = useText(stockText)
  const f = useFormat()
  const [product, setProduct] = useState('')
  const [channel, setChannel] = useState<(typeof uses)[number]>('till')
  const order = useRead(['stock', 'pick order', props.site, product, channel], (signal) => must(client.GET('/api/stock/pick-order', { params: { query: { site_id: props.site, product_id: product, channel } }, signal })), { skip: !product })
  const o = product ? order.data : undefined
  type Row = S['StockPickRowView'] & { n: number }
  const columns: Column<Row>[] = [
    { key: 'n', head: t('try_turn'), cell: (r) => (r.passed_over ? <Badge tone="amber">{t('try_passed')}</Badge> : f.number(r.n)) },
    { key: 'batch', head: t('batch'), cell: (r) => <><Link to={`/stock/batches/${r.batch_id}`}>{r.batch}</Link>{r.reduced && <> <Badge tone="amber">{t('try_reduced')}</Badge></>}</> },
    { key: 'qty', head: t('available'), right: true, cell: (r) => f.qty({ qty: r.qty, unit: o?.unit ?? '' }) },
    { key: 'expires', head: t('try_expires'), cell: (r) => (r.expires_at ? <span title={f.exact(r.expires_at)}>{f.when(r.expires_at)}</span> : t('no_expiry')) },
    { key: 'received', head: t('try_received'), cell: (r) => <span title={f.exact(r.received_at)}>{f.at(r.received_at)}</span>, wide: true },
  ]
  let n = 0
  const rows = (o?.items ?? []).map((r) => ({ ...r, n: r.passed_over ? 0 : ++n }))
  return (
    <Sheet title={t('try_title')} note={t('try_note')}>
      <div className="zg-line">
        <ProductPick label={t('of_product')} value={product} clear choose={(p) => setProduct(p?.id ?? '')} />
        <Select aria-label={t('policy_channel')} className="zg-line-s" value={channel} options={uses.map((u) => ({ value: u, label: t(`channel_${u}`) }))} onChange={setChannel} />
      </div>
      {product && order.problem && <ProblemBox problem={order.problem} again={order.again} />}
      {o && (
        <>
          <p>{o.policy ? t('try_by', { rule: t(`rule_${o.policy.rule}`), of: o.policy.product || o.policy.category || t('policy_everything') }) : t('try_by_none')}</p>
          <DataTable label={t('try_title')} rows={all(rows)} columns={columns} rowKey={(r) => r.batch_id} empty={<Empty title={t('try_empty')} />} count={false} />
        </>
      )}
    </Sheet>
  )
}
