import { client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useFilters, useFormat, useListing, useRead, useSite, useText, type Batch, type Column } from '@kit'
import { CloseOutlined } from '@ant-design/icons'
import { AgeBar, stockText, StockTabs } from './shared'

export default function Batches() {
  const t = useText(stockText)
  const f = useFormat()
  const place = useSite()
  const [filter, set] = useFilters()
  const site = place.site?.id
  const { product } = filter
  const open = filter['used'] !== '1'
  const named = useRead(['goods', 'one', product], () => must(client.GET('/api/goods/products/{id}', { params: { path: { id: product ?? '' } } })), { skip: !product })
  const batches = useListing(['stock', 'batches', site, product, open], (after, signal) =>
    must(client.GET('/api/stock/batches', { params: { query: { site_id: site ?? '', limit: 100, ...(product ? { product_id: product } : {}), ...(open ? { open } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const columns: Column<Batch>[] = [
    { key: 'code', head: t('batch'), cell: (b) => b.code, by: (b) => b.code },
    { key: 'product', head: t('name'), cell: (b) => b.product, by: (b) => b.product },
    { key: 'age', head: t('age'), cell: (b) => <AgeBar batch={b} />, by: (b) => b.expires_at || '9', width: 300 },
    { key: 'qty', head: t('left'), right: true, cell: (b) => <b>{f.qty({ qty: b.qty, unit: b.unit })}</b>, by: (b) => Number(b.qty) },
    { key: 'received', head: t('received'), right: true, cell: (b) => f.decimal(b.received), by: (b) => Number(b.received) },
    { key: 'value', head: t('value'), unit: '¥', right: true, cell: (b) => f.money(b.value_fen), by: (b) => b.value_fen },
    { key: 'at', head: t('received_at'), cell: (b) => <span title={f.exact(b.received_at)}>{f.at(b.received_at)}</span>, by: (b) => b.received_at, wide: true },
  ]
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} /></PageHead>
      <StockTabs />
      <FilterBar filters={[{ kind: 'flag', name: 'used', label: t('used_too') }]}>
        {product && (
          <span className="zg-chip zg-chip-set">
            <span className="zg-chip-text"><span className="zg-chip-name">{t('filter_product')}</span> {named.data?.name ?? '…'}</span>
            <button type="button" className="zg-chip-x" aria-label={t('filter_product')} onClick={() => set('product', '')}><CloseOutlined aria-hidden /></button>
          </span>
        )}
      </FilterBar>
      <DataTable label={t('batches')} rows={batches} columns={columns} rowKey={(b) => b.id} to={(b) => `/stock/batches/${b.id}`} empty={<Empty title={t(open ? 'batches_none_title' : 'batches_empty_title')}>{t(open ? 'batches_none' : 'batches_empty')}</Empty>} />
    </>
  )
}
