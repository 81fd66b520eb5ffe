import { PrinterOutlined } from '@ant-design/icons'
import { all, client, DataTable, Facts, must, PageHead, ProblemBox, Sheet, SkeletonLines, Trail, useFormat, usePageTitle, useRead, useText, type Column, type ReceiptItem, type ReceiptStory } from '@kit'
import { Button } from 'antd'
import { Link, useParams } from 'react-router-dom'
import { Landed } from './Landed'
import { ReceiptPaper } from './papers'
import { ReceiptBadge } from './Receipts'
import { stockText } from './shared'

/** A goods receipt: its batches with what they cost by now, and what happened to it since. */
export default function OneReceipt() {
  const { id = '' } = useParams()
  const t = useText(stockText)
  const f = useFormat()
  const read = useRead(['stock', 'receipt', id], () => must(client.GET('/api/receipts/{id}', { params: { path: { id } } })))
  const r = read.data
  usePageTitle(r && t('kind_goods_receipt'))
  if (!r) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const some = (n: string) => (Number(n) === 0 ? '' : f.decimal(n))
  const columns: Column<ReceiptItem>[] = [
    { key: 'no', head: '#', right: true, cell: (l) => f.number(l.line_no), wide: true },
    { key: 'product', head: t('name'), cell: (l) => <>{l.product} <span className="zg-note">{l.code}</span></> },
    { key: 'batch', head: t('batch'), cell: (l) => <Link to={`/stock/batches/${l.batch_id}`}>{l.batch}</Link> },
    { key: 'made', head: t('made_on'), cell: (l) => (l.made_on ? f.date(l.made_on) : ''), wide: true },
    { key: 'expires', head: t('expires'), cell: (l) => (l.expires_at ? f.at(l.expires_at) : t('no_expiry')), wide: true },
    ...(r.order_id ? [{ key: 'ordered', head: t('ordered'), right: true, cell: (l: ReceiptItem) => some(l.ordered), wide: true }] : []),
    { key: 'qty', head: t('received'), right: true, cell: (l) => f.qty(l) },
    ...(r.claim_fen || r.state !== 'received' ? [{ key: 'returned', head: t('sent_back'), right: true, cell: (l: ReceiptItem) => some(l.returned) }] : []),
    { key: 'left', head: t('still_here'), right: true, cell: (l) => f.decimal(l.left) },
    { key: 'value', head: t('receipt_value'), unit: '¥', right: true, cell: (l) => f.money(l.value_fen) },
    ...(r.landed_fen ? [{ key: 'landed', head: t('landed_costs'), unit: '¥', right: true, cell: (l: ReceiptItem) => f.money(l.landed_fen) }, { key: 'cost', head: t('cost_all'), unit: '¥', right: true, cell: (l: ReceiptItem) => <b>{f.money(l.value_fen + l.landed_fen)}</b> }] : []),
  ]
  return (
    <>
      <PageHead title={r.supplier ? `${t('kind_goods_receipt')} · ${r.supplier}` : t('kind_goods_receipt')} back={{ to: `/stock/receipts?site=${r.site_id}`, label: t('receipts') }} note={<ReceiptBadge state={r.state} />}>
        <Button icon={<PrinterOutlined />} onClick={() => print()}>{t('print')}</Button>
      </PageHead>
      <ReceiptPaper receipt={r} title={t('paper_title', { name: t('kind_goods_receipt') })} state={t(`receipt_${r.state}`)} />
      <div className="zg-stack">
        <Sheet>
          <Facts facts={[
            [t('document_no'), r.id], [t('business_date'), f.day(r.business_date)], [t('at'), <span key="at" title={f.exact(r.made_at)}>{f.at(r.made_at)}</span>], [t('by_whom'), r.staff],
            [t('purchase_order'), r.order_id ? <Link key="o" to={`/buy/${r.order_id}`}>{r.order_no}</Link> : t('receipt_free')],
            r.ref !== '' && [t('ref'), r.ref], r.note !== '' && [t('note'), r.note],
            [t('receipt_value'), f.yuan(r.value_fen)], r.landed_fen > 0 && [t('landed_costs'), f.yuan(r.landed_fen)], r.claim_fen > 0 && [t('receipt_claim'), f.yuan(r.claim_fen)],
          ]} />
        </Sheet>
        <DataTable label={t('lines')} rows={all(r.items)} columns={columns} rowKey={(l) => String(l.line_no)} empty={null} />
        <Landed receipt={r.id} site={r.site_id} lines={r.items.map((l) => ({ batch_id: l.batch_id, batch: l.batch, product: l.product, unit: l.unit }))} />
        <Sheet title={t('trail')}><Trail label={t('trail')} entries={[...r.trail].reverse().map((s) => ({ key: s.id, at: s.at, who: s.staff || t('system'), what: <Step step={s} /> }))} /></Sheet>
      </div>
    </>
  )
}

function Step(props: { step: ReceiptStory['trail'][number] }) {
  const t = useText(stockText)
  const f = useFormat()
  const { step } = props
  const rest = [step.ref, step.note].filter(Boolean).join(' · ')
  return <>{t(`receipt_did_${step.act}`, { amount: f.yuan(step.amount_fen) })}{rest && ` · ${rest}`}{step.act !== 'received' && <> <Link className="zg-no-print" to={step.act === 'landed' ? `/stock/landed/${step.id}` : `/stock/documents/${step.id}`}>{t('document')}</Link></>}</>
}
