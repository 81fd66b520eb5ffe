import { PrinterOutlined } from '@ant-design/icons'
import { all, client, DataTable, Facts, must, PageHead, ProblemBox, Sheet, SkeletonLines, useFormat, usePageTitle, useRead, useText, type Column, type StockDocumentItem } from '@kit'
import { Button } from 'antd'
import { Link, Navigate, useParams } from 'react-router-dom'
import { DocumentPaper } from './papers'
import { staysHere, stockText, useMovementWords } from './shared'

export default function OneDocument() {
  const { id = '' } = useParams()
  const t = useText(stockText)
  const f = useFormat()
  const words = useMovementWords()
  const read = useRead(['stock', 'document', id], () => must(client.GET('/api/stock/documents/{id}', { params: { path: { id } } })))
  const doc = read.data
  usePageTitle(doc && words.document(doc.kind))
  if (!doc) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  if (doc.kind === 'goods_receipt') return <Navigate to={`/stock/receipts/${doc.id}`} replace />
  const cause = doc.cause_id && (doc.kind === 'stock_count' ? `/stock/counts/${doc.cause_id}` : `/stock/transfers/${doc.cause_id}`)
  const inside = staysHere(doc.kind)
  const columns: Column<StockDocumentItem>[] = [
    { key: 'no', head: '#', right: true, cell: (l) => f.number(l.line_no), wide: true },
    { key: 'product', head: t('name'), cell: (l) => <>{l.product} <span className="zg-note">{l.code}</span></> },
    { key: 'batch', head: t('batch'), cell: (l) => <Link to={`/stock/batches/${l.batch_id}`}>{l.batch}</Link> },
    { key: 'expires', head: t('expires'), cell: (l) => (l.expires_at ? f.at(l.expires_at) : t('no_expiry')), wide: true },
    { key: 'qty', head: t(inside ? 'qty_moved' : 'qty'), right: true, cell: (l) => (inside ? f.qty({ qty: l.qty.replace('-', ''), unit: l.unit }) : f.signed(f.qty(l))) },
    { key: 'value', head: t('value'), unit: '¥', right: true, cell: (l) => f.money(inside ? Math.abs(l.value_fen) : l.value_fen) },
    ...(doc.kind === 'supplier_return' ? [{ key: 'claim', head: t('claim'), unit: '¥', right: true, cell: (l: StockDocumentItem) => f.money(l.claim_fen) }] : []),
  ]
  return (
    <>
      <PageHead title={words.document(doc.kind)} back={{ to: `/stock/documents?site=${doc.site_id}`, label: t('documents') }}>
        <Button icon={<PrinterOutlined />} onClick={() => print()}>{t('print')}</Button>
      </PageHead>
      <DocumentPaper doc={doc} />
      <div className="zg-stack">
        <Sheet>
          <Facts facts={[
            [t('document_no'), doc.id], [t('business_date'), f.day(doc.business_date)], [t('at'), <span key="at" title={f.exact(doc.made_at)}>{f.at(doc.made_at)}</span>], [t('by_whom'), doc.staff || t('system')],
            doc.reason !== '' && [t('reason'), words.reason(doc.reason)], doc.ref !== '' && [t('ref'), doc.ref], doc.note !== '' && [t('note'), doc.note],
            cause !== '' && [t('came_of'), <Link key="cause" to={cause}>{t(doc.kind === 'stock_count' ? 'count' : 'transfer')}</Link>], [t(inside ? 'value_moved' : 'value'), f.yuan(inside ? Math.abs(doc.value_fen) : doc.value_fen)],
            doc.kind === 'supplier_return' && [t('receipt_claim'), f.yuan(doc.items.reduce((n, l) => n + l.claim_fen, 0))],
          ]} />
        </Sheet>
        <DataTable label={t('lines')} rows={all(doc.items)} columns={columns} rowKey={(l) => String(l.line_no)} empty={null} />
      </div>
    </>
  )
}
