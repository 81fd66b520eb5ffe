import { PrinterOutlined } from '@ant-design/icons'
import { act, all, client, DataTable, Facts, must, PageHead, ProblemBox, Sheet, SkeletonLines, Steps, Trail, useAct, useCan, useFormat, usePageTitle, useRead, useText, type Column, type TrailEntry, LinkButton } from '@kit'
import type { components } from '@kit/api/schema'
import { Button, Input, Modal } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router-dom'
import { isCancelled, OrderState } from './shared'
import { buyText } from './text'

type Line = components['schemas']['PurchaseLineView']

export default function OneOrder() {
  const { id = '' } = useParams()
  const t = useText(buyText)
  const f = useFormat()
  const can = useCan()
  const read = useRead(['purchase', 'one', id], () => must(client.GET('/api/purchase/orders/{id}', { params: { path: { id } } })))
  const order = read.data
  usePageTitle(order?.no)
  const path = { path: { id } }
  const stale = ['purchase', 'plan'] as const
  const confirm = useAct(() => act(['confirm order', id], (header) => client.POST('/api/purchase/orders/{id}/confirm', { params: { ...path, header } })), stale)
  const send = useAct(() => act(['send order', id], (header) => client.POST('/api/purchase/orders/{id}/send', { params: { ...path, header } })), stale)
  const close = useAct((reason: string) => act(['close order', id, reason], (header) => client.POST('/api/purchase/orders/{id}/close', { params: { ...path, header }, body: { reason } })), stale)
  const [closing, setClosing] = useState(false)
  const [reason, setReason] = useState('')
  if (!order) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={10} />
  const lines = order.lines ?? []
  const receipts = order.receipts ?? []
  const cancelled = isCancelled(order)
  const missing = lines.some((l) => Number(l.open) > 0)
  const came = receipts.length > 0
  const columns: Column<Line>[] = [
    { key: 'name', head: t('product'), cell: (l) => <><Link to={`/goods/${l.product_id}`}>{l.name}</Link> <span className="zg-note">{l.code}</span></> },
    { key: 'packs', head: t('packs'), right: true, cell: (l) => f.number(l.packs) },
    { key: 'pack', head: t('pack'), right: true, cell: (l) => f.qty({ qty: l.pack_qty, unit: l.pack_unit }), wide: true },
    { key: 'price', head: t('price'), unit: '¥', right: true, cell: (l) => <>{f.cost(l.price_fen4)} <span className="zg-unit">/{f.unit(l.pack_unit)}</span></> },
    { key: 'qty', head: t('qty'), right: true, cell: (l) => f.qty({ qty: l.qty, unit: l.unit }) },
    { key: 'came', head: t('came'), right: true, cell: (l) => (Number(l.received) > 0 ? f.decimal(l.received) : '') },
    { key: 'open', head: t('still'), right: true, cell: (l) => (Number(l.open) > 0 && order.state !== 'closed' ? <b>{f.decimal(l.open)}</b> : '') },
    { key: 'sum', head: t('sum'), unit: '¥', right: true, cell: (l) => f.money(l.amount_fen) },
  ]
  const trail: TrailEntry[] = [
    ...(order.closed_at ? [{ key: 'closed', at: order.closed_at, who: order.closed_by, what: order.close_reason ? t('did_close', { reason: order.close_reason }) : t('did_close_plain') }] : []),
    ...[...receipts].reverse().map((r) => ({ key: r.id, at: r.received_at, who: r.received_by, what: <><Link to={`/stock/receipts/${r.id}`}>{t('receipt', { amount: f.yuan(r.cost_fen) })}</Link>{r.ref && ` · ${t('ref')} ${r.ref}`}{r.note && ` · ${r.note}`}</> })),
    ...(order.sent_at ? [{ key: 'sent', at: order.sent_at, who: order.sent_by, what: t('did_send') }] : []),
    { key: 'made', at: order.made_at, who: order.made_by, what: order.plan_id ? t('made_plan') : t('made') },
  ]
  const steps = [
    ...(order.plan_id ? [] : [{ key: 'proposed', label: t('step_written'), at: order.made_at }]),
    { key: 'confirmed', label: t('confirmed') },
    { key: 'sent', label: t('sent'), ...(order.sent_at ? { at: order.sent_at } : {}) },
    ...(order.state === 'part_received' ? [{ key: 'part_received', label: t('part_received') }] : []),
    { key: 'received', label: t('received') },
    ...(order.state === 'closed' ? [{ key: 'closed', label: cancelled ? t('cancelled') : t('closed'), ...(order.closed_at ? { at: order.closed_at } : {}) }] : []),
  ]
  const problem = confirm.problem ?? send.problem ?? (closing ? undefined : close.problem)
  return (
    <>
      <PageHead title={order.no} back={{ to: '/buy', label: t('back') }} note={<>{order.supplier_name} → {order.site_name} · <OrderState order={order} /></>}>
        <Button icon={<PrinterOutlined />} onClick={() => print()}>{t('print')}</Button>
        {can('purchase.manage') && order.state !== 'closed' && <Button onClick={() => (missing ? setClosing(true) : void close.run(''))} loading={close.busy}>{came ? t('do_close') : t('do_cancel')}</Button>}
        {can('purchase.manage') && order.state === 'proposed' && <Button type="primary" loading={confirm.busy} onClick={() => void confirm.run(undefined)}>{t('do_confirm')}</Button>}
        {can('stock.manage') && ['confirmed', 'sent', 'part_received'].includes(order.state) && <LinkButton primary={order.state !== 'confirmed'} to={`/stock/receipts/new?site=${order.site_id}&order=${order.id}`}>{t('do_receive')}</LinkButton>}
        {can('purchase.manage') && order.state === 'confirmed' && <Button type="primary" loading={send.busy} onClick={() => void send.run(undefined)}>{t('do_send')}</Button>}
      </PageHead>
      <div className="zg-stack">
        {problem && <ProblemBox problem={problem} />}
        <Sheet><Steps label={t('state')} steps={steps} current={order.state} bad={cancelled} /></Sheet>
        <Sheet><Facts facts={[[t('due'), f.day(order.due)], [t('order_by'), order.order_by], [t('amount'), f.yuan(order.amount_fen)], [t('received_amount'), f.yuan(order.received_fen)], order.plan_id !== '' && [t('plan'), <Link key="p" to={`/day?site=${order.site_id}`}>{t('plan')}</Link>], order.note !== '' && [t('note'), order.note]]} /></Sheet>
        <DataTable label={t('lines')} rows={all(lines)} columns={columns} rowKey={(l) => String(l.line_no)} empty={null} />
        <Sheet title={t('receipts')}>
          {!came ? <p className="zg-note">{t('receipts_none')}</p> : (
            <ul className="zg-list">{receipts.flatMap((r) => (r.lines ?? []).map((l) => {
              const line = lines.find((o) => o.line_no === l.line_no)
              return <li key={`${r.id} ${l.batch_id}`}>{f.at(r.received_at)} · {line?.name} · {f.qty({ qty: l.qty, unit: line?.unit ?? '' })} · {f.yuan(l.cost_fen)} · <Link to={`/stock/batches/${l.batch_id}`}>{t('batch')}</Link></li>
            }))}</ul>
          )}
        </Sheet>
        <Sheet title={t('trail')}><Trail label={t('trail')} entries={trail} /></Sheet>
      </div>
      <Modal open={closing} title={t('close_title')} onCancel={() => setClosing(false)} okText={came ? t('do_close') : t('do_cancel')} okButtonProps={{ disabled: reason.trim() === '', loading: close.busy }} onOk={() => void close.run(reason.trim()).then((done) => done && setClosing(false))} destroyOnHidden>
        <div className="zg-stack">
          <p>{t('close_note')}</p>
          <label className="zg-field"><span>{t('reason')}</span><Input autoFocus maxLength={200} value={reason} onChange={(e) => setReason(e.target.value)} /></label>
          {close.problem && <ProblemBox problem={close.problem} />}
        </div>
      </Modal>
    </>
  )
}
