import { PrinterOutlined } from '@ant-design/icons'
import { act, all, client, DataTable, Facts, must, PageHead, ProblemBox, Sheet, SkeletonLines, Steps, Strip, Trail, useAct, useFormat, usePageTitle, useProblemWords, useRead, useText, type Column, type StockTransfer, type StockTransit } from '@kit'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router-dom'
import { TransferPaper } from './papers'
import { stockText } from './shared'
import { TransferBadge } from './Transfers'

export default function OneTransfer() {
  const { id = '' } = useParams()
  const t = useText(stockText)
  const f = useFormat()
  const read = useRead(['stock', 'transfer', id], () => must(client.GET('/api/stock/transfers/{id}', { params: { path: { id } } })))
  const x = read.data
  usePageTitle(x && t('transfer_title', { from: x.from_site, to: x.to_site }))
  if (!x) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const steps = x.state === 'cancelled' ? ['requested', 'cancelled'] as const : x.state === 'received' ? ['requested', 'shipped', 'received', 'settled'] as const : ['requested', 'shipped', 'settled'] as const
  const at = (state: string) => x.trail.findLast((s) => s.act === state)?.at
  const columns: Column<StockTransfer['lines'][number]>[] = [
    { key: 'product', head: t('name'), cell: (l) => <>{l.product} <span className="zg-note">{l.code}</span></> },
    { key: 'asked', head: t('asked'), right: true, cell: (l) => f.qty({ qty: l.asked, unit: l.unit }) },
    { key: 'shipped', head: t('shipped'), right: true, cell: (l) => some(l.shipped, f) },
    { key: 'received', head: t('received'), right: true, cell: (l) => some(l.received, f) },
    { key: 'over', head: t('over_shipped'), right: true, cell: (l) => some(l.over, f), wide: true },
    { key: 'left', head: t(x.state === 'received' ? 'missing' : 'on_the_way'), right: true, cell: (l) => some(l.left, f) },
  ]
  return (
    <>
      <PageHead title={t('transfer_title', { from: x.from_site, to: x.to_site })} back={{ to: '/stock/transfers', label: t('transfers') }} note={<TransferBadge state={x.state} />}>
        <Button icon={<PrinterOutlined />} onClick={() => print()}>{t('print')}</Button>
      </PageHead>
      <TransferPaper transfer={x} />
      <div className="zg-stack">
        <Sheet><Steps label={t('state')} current={x.state} bad={x.state === 'cancelled' || x.state === 'received'} steps={steps.map((key) => { const when = at(key); return { key, label: t(`transfer_${key}`), ...(when ? { at: when } : {}) } })} /></Sheet>
        <Next transfer={x} />
        <DataTable label={t('lines')} rows={all(x.lines)} columns={columns} rowKey={(l) => String(l.line_no)} empty={null} />
        {x.transits.length > 0 && <Transits transfer={x} />}
        <div className="zg-columns">
          <Sheet><Facts facts={[[t('document_no'), x.id], x.due !== '' && [t('due'), f.day(x.due)], x.note !== '' && [t('note'), x.note]]} /></Sheet>
          <Sheet title={t('trail')}><Trail label={t('trail')} entries={[...x.trail].reverse().map((s, i) => ({ key: String(i), at: s.at, who: s.staff || t('system'), what: <>{t(`act_${s.act}` as 'act_requested')}{s.note && ` · ${s.note}`}{s.document_id && <> <Link to={`/stock/documents/${s.document_id}`}>{t('document')}</Link></>}</> }))} /></Sheet>
        </div>
      </div>
    </>
  )
}

const some = (n: string, f: ReturnType<typeof useFormat>) => (Number(n) === 0 ? '' : f.decimal(n))

/** What may be done next, and by whom. */
function Next(props: { transfer: StockTransfer }) {
  const { transfer: x } = props
  const t = useText(stockText)
  const words = useProblemWords()
  const path = { id: x.id }
  const ship = useAct(() => act(['ship', x.id], (header) => client.POST('/api/stock/transfers/{id}/ship', { params: { header, path }, body: {} })), ['stock'])
  const receive = useAct(() => act(['receive', x.id], (header) => client.POST('/api/stock/transfers/{id}/receive', { params: { header, path }, body: { as_shipped: true } })), ['stock'])
  const cancel = useAct(() => act(['cancel', x.id], (header) => client.POST('/api/stock/transfers/{id}/cancel', { params: { header, path }, body: {} })), ['stock'])
  const may = (name: string) => x.next.some((n) => n.act === name && n.may)
  const waits = x.next.find((n) => !n.may)
  const problem = ship.problem ?? receive.problem ?? cancel.problem
  if (x.next.length === 0 || x.state === 'received') return null
  return (
    <div className="zg-no-print">
      {problem && <Strip tone="red">{words(problem)}</Strip>}
      {waits && !x.next.some((n) => n.may) && <Strip>{t('waits_for', { site: waits.site_id === x.from_site_id ? x.from_site : x.to_site })}</Strip>}
      <div className="zg-acts">
        {may('ship') && <Button type="primary" loading={ship.busy} onClick={() => void ship.run(undefined)}>{t('ship_all')}</Button>}
        {may('receive') && <Button type="primary" loading={receive.busy} onClick={() => void receive.run(undefined)}>{t('receive_all')}</Button>}
        {may('cancel') && <Button loading={cancel.busy} onClick={() => void cancel.run(undefined)}>{t('cancel_transfer')}</Button>}
      </div>
    </div>
  )
}

/** What was shipped by batch: counted in here when not everything came, and resolved when something is missing. */
function Transits(props: { transfer: StockTransfer }) {
  const { transfer: x } = props
  const t = useText(stockText)
  const f = useFormat()
  const words = useProblemWords()
  const [came, setCame] = useState<Record<string, string>>({})
  const [way, setWay] = useState<Record<string, 'lost' | 'found' | 'back'>>({})
  const receive = useAct((lines: { transit_id: string; qty: string }[]) => act(['receive', x.id, lines], (header) => client.POST('/api/stock/transfers/{id}/receive', { params: { header, path: { id: x.id } }, body: { lines } })), ['stock'])
  const resolve = useAct((body: { transit_id: string; way: 'lost' | 'found' | 'back' }) => act(['resolve', x.id, body], (header) => client.POST('/api/stock/transfers/{id}/resolve', { params: { header, path: { id: x.id } }, body })), ['stock'])
  const receiving = x.next.some((n) => n.act === 'receive' && n.may)
  const resolving = x.state === 'received'
  const problem = receive.problem ?? resolve.problem
  const columns: Column<StockTransit>[] = [
    { key: 'batch', head: t('batch'), cell: (w) => <Link to={`/stock/batches/${w.batch_id}`}>{w.batch}</Link> },
    { key: 'expires', head: t('expires'), cell: (w) => (w.expires_at ? f.at(w.expires_at) : t('no_expiry')), wide: true },
    { key: 'shipped', head: t('shipped'), right: true, cell: (w) => f.decimal(w.shipped) },
    { key: 'received', head: t('received'), right: true, cell: (w) => (receiving ? <Input className="zg-input-right" style={{ width: 120 }} aria-label={`${t('received')} ${w.batch}`} inputMode="decimal" value={came[w.id] ?? w.shipped} onChange={(e) => setCame({ ...came, [w.id]: e.target.value })} /> : some(w.received, f)) },
    { key: 'over', head: t('over_shipped'), right: true, cell: (w) => some(w.over, f), wide: true },
    { key: 'lost', head: t('lost'), right: true, cell: (w) => some(w.lost, f), wide: true },
    { key: 'back', head: t('back'), right: true, cell: (w) => some(w.back, f), wide: true },
    { key: 'left', head: t(resolving ? 'missing' : 'on_the_way'), right: true, cell: (w) => <b>{some(w.left, f)}</b> },
    { key: 'value', head: t('value'), unit: '¥', right: true, cell: (w) => (w.value_fen ? f.money(w.value_fen) : ''), wide: true },
    ...(resolving ? [{ key: 'way', head: t('where_is_it'), cell: (w: StockTransit) => Number(w.left) > 0 && (
      <span className="zg-acts">
        <Select size="small" style={{ minWidth: 120 }} aria-label={t('where_is_it')} placeholder={t('choose')} value={way[w.id]} onChange={(v) => setWay({ ...way, [w.id]: v })} options={(['lost', 'found', 'back'] as const).map((v) => ({ value: v, label: t(`way_${v}`) }))} />
        <Button size="small" type="primary" disabled={!way[w.id]} loading={resolve.busy} onClick={() => { const v = way[w.id]; if (v) void resolve.run({ transit_id: w.id, way: v }) }}>{t('book_it')}</Button>
      </span>
    ) }] : []),
  ]
  return (
    <Sheet title={t('by_batch_shipped')} flush acts={receiving && Object.keys(came).length > 0 && <Button type="primary" loading={receive.busy} onClick={() => void receive.run(x.transits.map((w) => ({ transit_id: w.id, qty: came[w.id] ?? w.shipped })))}>{t('receive_counted')}</Button>}>
      {problem && <Strip tone="red">{words(problem)}</Strip>}
      <DataTable label={t('by_batch_shipped')} rows={all(x.transits)} columns={columns} rowKey={(w) => w.id} empty={null} />
    </Sheet>
  )
}
