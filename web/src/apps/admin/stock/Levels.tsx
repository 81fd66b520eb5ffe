import { client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useCan, useFilters, useFormat, useListing, useSite, useText, type Column, type StockLevel } from '@kit'
import { Link } from 'react-router-dom'
import { stockText, StockTabs } from './shared'

export default function Levels() {
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const place = useSite()
  const [filter] = useFilters()
  const site = place.site?.id
  const { q } = filter
  const levels = useListing(['stock', 'levels', site, q], (after, signal) =>
    must(client.GET('/api/stock/levels', { params: { query: { site_id: site ?? '', limit: 100, ...(q ? { q } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const some = (n: string) => (Number(n) === 0 ? '' : f.decimal(n))
  const columns: Column<StockLevel>[] = [
    { key: 'name', head: t('name'), cell: (l) => l.name, by: (l) => l.name },
    { key: 'code', head: t('code'), cell: (l) => l.code, by: (l) => l.code, wide: true },
    { key: 'available', head: t('available'), right: true, cell: (l) => <b>{f.qty({ qty: l.available, unit: l.unit })}</b>, by: (l) => Number(l.available) },
    { key: 'qty', head: t('on_hand'), right: true, cell: (l) => f.decimal(l.qty), by: (l) => Number(l.qty) },
    { key: 'held', head: t('held'), right: true, cell: (l) => some(l.held), by: (l) => Number(l.held) },
    { key: 'stopped', head: t('stopped'), right: true, cell: (l) => some(l.stopped), by: (l) => Number(l.stopped), wide: true },
    { key: 'reserved', head: t('reserved'), right: true, cell: (l) => some(l.reserved), by: (l) => Number(l.reserved), wide: true },
    { key: 'expired', head: t('expired'), right: true, cell: (l) => some(l.expired) && <span className="zg-badge zg-red">{some(l.expired)}</span>, by: (l) => Number(l.expired) },
    { key: 'value', head: t('value'), unit: '¥', right: true, cell: (l) => f.money(l.value_fen), by: (l) => l.value_fen },
    { key: 'batches', head: t('batch_count'), right: true, cell: (l) => f.number(l.batches), by: (l) => l.batches, wide: true },
    { key: 'next', head: t('next_expiry'), cell: (l) => (l.next_expires_at ? <span title={f.exact(l.next_expires_at)}>{f.when(l.next_expires_at)}</span> : l.batches > 0 ? t('no_expiry') : ''), by: (l) => l.next_expires_at || '9' },
  ]
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} /></PageHead>
      <StockTabs />
      <FilterBar filters={[{ kind: 'search', name: 'q', label: t('search') }]} />
      <DataTable label={t('levels')} rows={levels} columns={columns} rowKey={(l) => l.sku_id} to={(l) => `/stock/products/${l.product_id}?site=${site}`}
        empty={q ? <Empty title={t('none_title')}>{t('none')}</Empty> : <Empty title={t('levels_empty_title')} action={can('import.run') && <Link to="/imports?kind=stock">{t('to_import')}</Link>}>{t('levels_empty')}</Empty>} />
    </>
  )
}
