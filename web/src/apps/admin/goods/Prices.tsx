import { act, Badge, client, DataTable, dayOf, DateField, Empty, Form, FormActs, MoneyField, must, parseMoney, SelectField, Sheet, shopNow, SwitchField, useAct, useCan, useForm, useFormat, useListing, useSession, useText, type Column, type PriceEntry, type Product } from '@kit'
import { App, Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { goodsText } from './shared'

/** What each version is on a day: of those that have begun, the newest of its unit and site holds. */
export function phaseOf(entry: PriceEntry, all: readonly PriceEntry[], today: string): 'now' | 'coming' | 'past' {
  if (entry.valid_from > today) return 'coming'
  const later = all.some((o) => o.unit === entry.unit && o.site_id === entry.site_id && o.valid_from <= today &&
    (o.valid_from > entry.valid_from || (o.valid_from === entry.valid_from && o.created_at > entry.created_at)))
  return later ? 'past' : 'now'
}

export function Prices(props: { product: Product }) {
  const { product } = props
  const t = useText(goodsText)
  const f = useFormat()
  const can = useCan()
  const { me } = useSession()
  const [setting, setSetting] = useState(false)
  const prices = useListing(['prices', product.id], (after, signal) =>
    must(client.GET('/api/prices', { params: { query: { product_id: product.id, limit: 100, ...(after ? { after } : {}) } }, signal })))
  const siteName = (id: string) => (id ? (me.sites.find((s) => s.id === id)?.name ?? '') : t('everywhere'))
  const today = dayOf(shopNow())
  const columns: Column<PriceEntry>[] = [
    { key: 'unit', head: t('unit'), cell: (p) => f.unit(p.unit), by: (p) => p.unit },
    { key: 'where', head: t('where'), cell: (p) => siteName(p.site_id), by: (p) => siteName(p.site_id) },
    { key: 'price', head: t('price'), unit: '¥', right: true, cell: (p) => (p.price_fen === null ? t('ended') : f.money(p.price_fen)), by: (p) => p.price_fen ?? -1 },
    { key: 'from', head: t('from'), cell: (p) => (p.valid_at ? f.exact(p.valid_at) : f.date(p.valid_from)), by: (p) => p.valid_from },
    { key: 'phase', head: t('state'), cell: (p) => {
      if (p.withdrawn) return <Badge>{t('withdrawn')}</Badge>
      const phase = phaseOf(p, prices.rows.filter((o) => !o.withdrawn), today)
      return <Badge tone={phase === 'now' ? 'green' : phase === 'coming' ? 'amber' : 'plain'}>{t(phase)}</Badge>
    } },
    { key: 'doc', head: t('set_by'), cell: (p) => (p.document_id ? <Link to={`/goods/prices/${p.document_id}`}>{p.document_no}</Link> : ''), wide: true },
    { key: 'at', head: t('set_at'), cell: (p) => <span className="zg-note" title={f.exact(p.created_at)}>{f.at(p.created_at)}</span>, wide: true },
  ]
  return (
    <Sheet title={t('prices')} note={t('prices_note')} acts={can('price.manage') && !setting && <Button onClick={() => setSetting(true)}>{t('set_price')}</Button>}>
      <div className="zg-stack">
        {setting && <PriceForm product={product} today={today} close={() => setSetting(false)} />}
        <DataTable label={t('prices')} rows={prices} columns={columns} rowKey={(p) => p.id} empty={<Empty title={t('prices_empty')} />} />
      </div>
    </Sheet>
  )
}

function PriceForm(props: { product: Product; today: string; close: () => void }) {
  const { product } = props
  const t = useText(goodsText)
  const f = useFormat()
  const { me } = useSession()
  const { message } = App.useApp()
  const save = useAct(
    (body: { product_id: string; unit: string; price_fen: number | null; valid_from: string; site_id?: string }) => act(['POST price', body], (header) => client.POST('/api/prices', { params: { header }, body })),
    ['prices', 'till'],
  )
  const units = (product.units ?? []).filter((u) => !u.retired)
  const form = useForm({
    initial: { unit: units[0]?.name ?? '', site_id: '', price: '', valid_from: props.today, ends: false }, doing: save,
    check: (v): Record<string, string> => (v.ends || parseMoney(v.price) !== undefined ? {} : { price: t('bad_price') }),
    body: (v) => ({ product_id: product.id, unit: v.unit, price_fen: v.ends ? null : (parseMoney(v.price) ?? null), valid_from: v.valid_from, ...(v.site_id ? { site_id: v.site_id } : {}) }),
    rename: (field) => (field === 'price_fen' ? 'price' : field),
    done: () => {
      void message.success(t('saved'))
      props.close()
    },
  })
  return (
    <Form form={form} label={t('set_price')}>
      <div className="zg-form-grid">
        <SelectField form={form} name="unit" label={t('unit')} width="s" options={units.map((u) => ({ value: u.name, label: f.unit(u.name) }))} />
        <MoneyField form={form} name="price" label={t('price')} width="s" disabled={form.values.ends} />
        <DateField form={form} name="valid_from" label={t('from')} width="s" />
        <SelectField form={form} name="site_id" label={t('where')} options={[{ value: '', label: t('everywhere') }, ...me.sites.map((s) => ({ value: s.id, label: s.name }))]} />
        <SwitchField form={form} name="ends" label={t('end_price')} hint={t('end_price_hint')} />
      </div>
      <FormActs form={form} save={t('set_price')} onCancel={props.close} />
    </Form>
  )
}
