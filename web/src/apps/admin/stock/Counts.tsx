import { act, Badge, client, DataTable, Empty, FilterBar, Form, FormActs, MoneyField, must, PageHead, parseMoney, Sheet, SitePick, SwitchField, TextField, useAct, useCan, useFilters, useForm, useFormat, useListing, useSite, useText, type Column, type StockCount } from '@kit'
import { Button } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router-dom'
import { StockTabs, stockText } from './shared'

export const countStates = ['open', 'review', 'posting', 'posted', 'cancelled'] as const

export function CountBadge(props: { state: StockCount['state'] }) {
  const t = useText(stockText)
  return <Badge tone={props.state === 'posted' ? 'green' : props.state === 'cancelled' ? 'plain' : 'amber'}>{t(`count_${props.state}`)}</Badge>
}

export default function Counts() {
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const go = useNavigate()
  const place = useSite()
  const [filter] = useFilters()
  const [starting, setStarting] = useState(false)
  const site = place.site?.id
  const state = countStates.find((s) => s === filter['state'])
  const counts = useListing(['stock', 'counts', site, state], (after, signal) =>
    must(client.GET('/api/stock/counts', { params: { query: { site_id: site ?? '', limit: 100, ...(state ? { state } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const columns: Column<StockCount>[] = [
    { key: 'state', head: t('state'), cell: (c) => <CountBadge state={c.state} /> },
    { key: 'kind', head: t('count_kind'), cell: (c) => <>{t(`count_kind_${c.kind}`)}{c.blind && <span className="zg-note"> {t('blind')}</span>}</> },
    { key: 'at', head: t('at'), cell: (c) => <span title={f.exact(c.made_at)}>{f.at(c.made_at)}</span> },
    { key: 'done', head: t('counted'), right: true, cell: (c) => `${f.number(c.sums.lines - c.sums.not_counted)} / ${f.number(c.sums.lines)}` },
    { key: 'different', head: t('different'), right: true, cell: (c) => f.number(c.sums.different) },
    { key: 'gain', head: t('gain'), unit: '¥', right: true, cell: (c) => f.money(c.sums.gain_fen), wide: true },
    { key: 'loss', head: t('loss'), unit: '¥', right: true, cell: (c) => f.money(c.sums.loss_fen), wide: true },
    { key: 'note', head: t('note'), cell: (c) => c.note, wide: true },
  ]
  return (
    <>
      <PageHead title={t('title')}>{can('stock.manage') && !starting && <Button type="primary" onClick={() => setStarting(true)}>{t('new_count')}</Button>}<SitePick {...place} /></PageHead>
      <StockTabs />
      {starting && site && <Start site={site} onCancel={() => setStarting(false)} done={(id) => void go(`/stock/counts/${id}`)} />}
      <FilterBar filters={[{ kind: 'choice', name: 'state', label: t('state'), options: countStates.map((s) => ({ value: s, label: t(`count_${s}`) })) }]} />
      <DataTable label={t('counts')} rows={counts} columns={columns} rowKey={(c) => c.id} to={(c) => `/stock/counts/${c.id}`} empty={<Empty title={t('counts_empty_title')}>{t('counts_empty')}</Empty>} />
    </>
  )
}

function Start(props: { site: string; onCancel: () => void; done: (id: string) => void }) {
  const t = useText(stockText)
  const doing = useAct((body: { site_id: string; by_batch: boolean; blind: boolean; limit_fen: number; note: string }) => act(['count', body], (header) => client.POST('/api/stock/counts', { params: { header }, body })), ['stock'])
  const form = useForm({
    initial: { by_batch: false, blind: true, limit: '50.00', note: '' },
    body: (v) => ({ site_id: props.site, by_batch: v.by_batch, blind: v.blind, limit_fen: parseMoney(v.limit) ?? 0, note: v.note }),
    doing,
    done: (made) => props.done(made.id),
    rename: (field) => (field === 'limit_fen' ? 'limit' : field),
  })
  return (
    <Sheet title={t('new_count')} note={t('new_count_note')}>
      <Form form={form} label={t('new_count')}>
        <div className="zg-columns">
          <SwitchField form={form} name="blind" label={t('blind')} hint={t('blind_hint')} />
          <SwitchField form={form} name="by_batch" label={t('count_by_batch')} hint={t('count_by_batch_hint')} />
        </div>
        <MoneyField form={form} name="limit" label={t('count_limit')} hint={t('count_limit_hint')} />
        <TextField form={form} name="note" label={t('note')} required={false} width="l" />
        <FormActs form={form} save={t('start_count')} onCancel={props.onCancel} />
      </Form>
    </Sheet>
  )
}
