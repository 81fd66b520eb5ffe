import { act, Badge, client, DataTable, Empty, FilterBar, Form, FormActs, must, PageHead, SelectField, Sheet, SitePick, TextField, useAct, useCan, useFilters, useForm, useFormat, useListing, useRead, useSession, useSite, useText, type Column, type StockTransfer } from '@kit'
import { Button } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router-dom'
import { StockTabs, stockText } from './shared'

export const transferStates = ['requested', 'shipped', 'received', 'settled', 'cancelled'] as const

export function TransferBadge(props: { state: StockTransfer['state'] }) {
  const t = useText(stockText)
  return <Badge tone={props.state === 'settled' ? 'green' : props.state === 'received' ? 'red' : props.state === 'cancelled' ? 'plain' : 'amber'}>{t(`transfer_${props.state}`)}</Badge>
}

export default function Transfers() {
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const go = useNavigate()
  const place = useSite()
  const [filter] = useFilters()
  const [asking, setAsking] = useState(false)
  const site = place.site?.id
  const state = transferStates.find((s) => s === filter['state'])
  const transfers = useListing(['stock', 'transfers', site, state], (after, signal) =>
    must(client.GET('/api/stock/transfers', { params: { query: { limit: 100, ...(site ? { site_id: site } : {}), ...(state ? { state } : {}), ...(after ? { after } : {}) } }, signal })))
  const columns: Column<StockTransfer>[] = [
    { key: 'state', head: t('state'), cell: (x) => <TransferBadge state={x.state} /> },
    { key: 'from', head: t('from_site'), cell: (x) => x.from_site },
    { key: 'to', head: t('to_site'), cell: (x) => x.to_site },
    { key: 'products', head: t('products'), right: true, cell: (x) => f.number(x.products) },
    { key: 'due', head: t('due'), cell: (x) => (x.due ? f.day(x.due) : ''), wide: true },
    { key: 'note', head: t('note'), cell: (x) => x.note, wide: true },
    { key: 'changed', head: t('changed_at'), cell: (x) => <span title={f.exact(x.changed_at)}>{f.at(x.changed_at)}</span> },
  ]
  return (
    <>
      <PageHead title={t('title')}>{can('stock.manage') && !asking && <Button type="primary" onClick={() => setAsking(true)}>{t('new_transfer')}</Button>}<SitePick {...place} /></PageHead>
      <StockTabs />
      {asking && site && <Ask to={site} onCancel={() => setAsking(false)} done={(id) => void go(`/stock/transfers/${id}`)} />}
      <FilterBar filters={[{ kind: 'choice', name: 'state', label: t('state'), options: transferStates.map((s) => ({ value: s, label: t(`transfer_${s}`) })) }]} />
      <DataTable label={t('transfers')} rows={transfers} columns={columns} rowKey={(x) => x.id} to={(x) => `/stock/transfers/${x.id}`} empty={<Empty title={t('transfers_empty_title')}>{t('transfers_empty')}</Empty>} />
    </>
  )
}

/** Asks for one product; more are asked for one after another. */
function Ask(props: { to: string; onCancel: () => void; done: (id: string) => void }) {
  const t = useText(stockText)
  const { me } = useSession()
  const [q, setQ] = useState('')
  const goods = useRead(['goods', 'pick', q], () => must(client.GET('/api/goods/products', { params: { query: { limit: 50, ...(q ? { q } : {}) } } })))
  const doing = useAct((body: { from_site_id: string; to_site_id: string; note: string; lines: { product_id: string; qty: string }[] }) => act(['transfer', body], (header) => client.POST('/api/stock/transfers', { params: { header }, body })), ['stock'])
  const form = useForm({
    initial: { from: '', to: props.to, product: '', qty: '', note: '' },
    required: ['from', 'to', 'product', 'qty'],
    body: (v) => ({ from_site_id: v.from, to_site_id: v.to, note: v.note, lines: [{ product_id: v.product, qty: v.qty }] }),
    doing,
    done: (made) => props.done(made.id),
    rename: (field) => ({ from_site_id: 'from', to_site_id: 'to', 'lines[0].product_id': 'product', 'lines[0].qty': 'qty' })[field] ?? field,
  })
  const sites = me.sites.map((s) => ({ value: s.id, label: `${s.name} ${s.code}` }))
  return (
    <Sheet title={t('new_transfer')}>
      <Form form={form} label={t('new_transfer')}>
        <div className="zg-columns">
          <SelectField form={form} name="from" label={t('from_site')} options={sites} />
          <SelectField form={form} name="to" label={t('to_site')} options={sites} />
        </div>
        <div className="zg-columns">
          <SelectField form={form} name="product" label={t('name')} options={(goods.data?.items ?? []).map((p) => ({ value: p.id, label: `${p.code} ${p.name}` }))} />
          <TextField form={form} name="qty" label={t('qty_base')} inputMode="decimal" right width="s" maxLength={16} />
        </div>
        <label className="zg-note">{t('search')} <input className="zg-date" value={q} onChange={(e) => setQ(e.target.value)} /></label>
        <TextField form={form} name="note" label={t('note')} required={false} width="l" />
        <FormActs form={form} save={t('ask_for')} onCancel={props.onCancel} />
      </Form>
    </Sheet>
  )
}
