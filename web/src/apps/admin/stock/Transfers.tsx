import { DeleteOutlined, PlusOutlined, TableOutlined } from '@ant-design/icons'
import { act, Badge, client, DataTable, Empty, FilterBar, Form, FormActs, must, PageHead, ProductPick, SelectField, Sheet, SitePick, TextField, useAct, useCan, useFilters, useForm, useFormat, useListing, useSession, useSite, useText, type Column, type StockTransfer } from '@kit'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router-dom'
import { isQty, QuantityGrid, useStyleOf } from '../styles/Quantities'
import { StockTabs, stockText, unitsOf } from './shared'

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

interface Asked { product: string; label: string; unit: string; units: string[]; qty: string }

const blank: Asked = { product: '', label: '', unit: '', units: [], qty: '' }

/** Asks another site for goods: line by line, or a whole style by its grid. */
function Ask(props: { to: string; onCancel: () => void; done: (id: string) => void }) {
  const t = useText(stockText)
  const { me } = useSession()
  const [lines, setLines] = useState<Asked[]>([blank])
  const filled = lines.filter((l) => l.product !== '')
  const doing = useAct((body: { from_site_id: string; to_site_id: string; note: string; lines: { product_id: string; qty: string; unit: string }[] }) => act(['transfer', body], (header) => client.POST('/api/stock/transfers', { params: { header }, body })), ['stock'])
  const form = useForm({
    initial: { from: '', to: props.to, note: '' },
    required: ['from', 'to'],
    body: (v) => ({ from_site_id: v.from, to_site_id: v.to, note: v.note, lines: filled.map((l) => ({ product_id: l.product, qty: l.qty.trim(), unit: l.unit })) }),
    doing,
    done: (made) => props.done(made.id),
    rename: (field) => ({ from_site_id: 'from', to_site_id: 'to' })[field] ?? field,
  })
  const sites = me.sites.map((s) => ({ value: s.id, label: `${s.name} ${s.code}` }))
  const ready = filled.length > 0 && filled.every((l) => isQty(l.qty) && Number(l.qty) > 0)
  return (
    <Sheet title={t('new_transfer')}>
      <Form form={form} label={t('new_transfer')}>
        <div className="zg-columns">
          <SelectField form={form} name="from" label={t('from_site')} options={sites} />
          <SelectField form={form} name="to" label={t('to_site')} options={sites} />
        </div>
        <div className="zg-stack">
          {lines.map((l, n) => <AskedLine key={n} line={l} lines={lines} n={n} set={setLines} bad={form.errorOf(`lines[${n}].qty`) ?? form.errorOf(`lines[${n}].unit`) ?? form.errorOf(`lines[${n}].product_id`)} />)}
          <div><Button icon={<PlusOutlined />} onClick={() => setLines([...lines, blank])}>{t('add_line')}</Button></div>
        </div>
        <TextField form={form} name="note" label={t('note')} required={false} width="l" />
        <FormActs form={form} save={t('ask_for')} onCancel={props.onCancel} disabled={!ready} />
      </Form>
    </Sheet>
  )
}

function AskedLine(props: { line: Asked; lines: Asked[]; n: number; set: (lines: Asked[]) => void; bad: string | undefined }) {
  const { line, lines, n } = props
  const t = useText(stockText)
  const f = useFormat()
  const [grid, setGrid] = useState(false)
  const style = useStyleOf(line.product)
  const change = (next: Partial<Asked>) => props.set(lines.map((l, i) => (i === n ? { ...l, ...next } : l)))
  const take = (qty: Record<string, string>) => {
    const unit = line.unit || (style?.base_unit ?? '')
    const of = new Set(style?.variants.map((v) => v.product_id))
    const made = (style?.variants ?? []).filter((v) => Number(qty[v.product_id] ?? '') > 0).map((v) => ({ product: v.product_id, label: `${v.name} ${v.code}`, unit, units: line.units, qty: qty[v.product_id] ?? '' }))
    const next = [...lines.slice(0, n).filter((l) => !of.has(l.product)), ...made, ...lines.slice(n + 1).filter((l) => !of.has(l.product))]
    setGrid(false)
    props.set(next.length > 0 ? next : [blank])
  }
  return (
    <div className="zg-line">
      <ProductPick key={line.product} label={t('name')} value={line.product} named={line.label} choose={(p, unit) => change({ product: p?.id ?? '', label: p ? `${p.name} ${p.code}` : '', unit: unit ?? p?.base_unit ?? '', units: p ? unitsOf(p) : [] })} />
      <Input className="zg-line-s zg-input-right" inputMode="decimal" aria-label={t('qty')} placeholder={t('qty')} maxLength={14} value={line.qty} status={line.qty === '' || isQty(line.qty) ? '' : 'error'} onChange={(e) => change({ qty: e.target.value })} />
      <Select className="zg-line-s" aria-label={t('unit')} {...(line.unit ? { value: line.unit } : {})} options={line.units.map((u) => ({ value: u, label: f.unit(u) }))} onChange={(unit: string) => change({ unit })} />
      {style && <Button icon={<TableOutlined />} onClick={() => setGrid(true)}>{t('by_grid')}</Button>}
      {lines.length > 1 && <Button icon={<DeleteOutlined />} aria-label={t('remove_line')} onClick={() => props.set(lines.filter((_, i) => i !== n))} />}
      {props.bad && <span role="alert" className="zg-note">{props.bad}</span>}
      {grid && style && <QuantityGrid style={style} unit={line.unit} had={Object.fromEntries(lines.filter((l) => l.product && l.unit === line.unit).map((l) => [l.product, l.qty]))} done={take} cancel={() => setGrid(false)} />}
    </div>
  )
}
