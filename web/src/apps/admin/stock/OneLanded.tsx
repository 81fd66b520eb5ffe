import { PrinterOutlined } from '@ant-design/icons'
import { all, client, DataTable, Facts, must, PageHead, ProblemBox, Sheet, SkeletonLines, useFormat, usePageTitle, useRead, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Button } from 'antd'
import { Link, useParams } from 'react-router-dom'
import { LandedPaper } from './papers'
import { stockText } from './shared'

type Line = components['schemas']['StockLandedLineView']

/** A landed cost and the share of each batch of its receipt. */
export default function OneLanded() {
  const { id = '' } = useParams()
  const t = useText(stockText)
  const f = useFormat()
  const read = useRead(['stock', 'landed one', id], (signal) => must(client.GET('/api/stock/landed-costs/{id}', { params: { path: { id } }, signal })))
  usePageTitle(t('kind_landed_cost'))
  const l = read.data
  if (!l) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const columns: Column<Line>[] = [
    { key: 'batch', head: t('batch'), cell: (x) => x.batch, by: (x) => x.batch },
    { key: 'product', head: t('name'), cell: (x) => x.product, by: (x) => x.product },
    { key: 'share', head: t('landed_share'), unit: '¥', right: true, cell: (x) => <b>{f.money(x.share_fen)}</b>, by: (x) => x.share_fen },
    { key: 'stock', head: t('landed_stock'), unit: '¥', right: true, cell: (x) => f.money(x.stock_fen), by: (x) => x.stock_fen },
    { key: 'sold', head: t('landed_sold'), unit: '¥', right: true, cell: (x) => f.money(x.sold_fen), by: (x) => x.sold_fen },
  ]
  return (
    <>
      <PageHead title={<>{t('kind_landed_cost')} {f.yuan(l.charge_fen)}</>} back={{ to: `/stock/landed?site=${l.site_id}`, label: t('landed_costs') }} note={l.ref}>
        <Button icon={<PrinterOutlined />} onClick={() => print()}>{t('print')}</Button>
      </PageHead>
      <LandedPaper landed={l} />
      <div className="zg-stack">
        <Sheet><Facts facts={[[t('at'), <span key="at" title={f.exact(l.made_at)}>{f.at(l.made_at)}</span>], [t('by_whom'), l.staff], [t('landed_basis'), t(`basis_${l.basis}`)], [t('landed_of'), <Link key="of" to={`/stock/receipts/${l.receipt_id}`}>{t('kind_goods_receipt')}</Link>], [t('landed_stock'), f.yuan(l.stock_fen)], [t('landed_sold'), f.yuan(l.sold_fen)], l.note !== '' && [t('note'), l.note]]} /></Sheet>
        <DataTable label={t('kind_landed_cost')} rows={all(l.items)} columns={columns} rowKey={(x) => x.batch_id} to={(x) => `/stock/batches/${x.batch_id}`} empty={null} />
      </div>
    </>
  )
}
