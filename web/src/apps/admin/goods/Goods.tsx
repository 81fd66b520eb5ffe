import { Badge, client, DataTable, Empty, FilterBar, must, PageHead, useCan, useFilters, useFormat, useListing, useText, type Column, type Product } from '@kit'
import { Button } from 'antd'
import { Link, useNavigate } from 'react-router-dom'
import { categoryPaths, goodsText, GoodsTabs, LifeBadge, lives, ratioOf, useCategories } from './shared'

export default function Goods() {
  const t = useText(goodsText)
  const f = useFormat()
  const can = useCan()
  const go = useNavigate()
  const [filter] = useFilters()
  const categories = useCategories()
  const { q, category } = filter
  const state = lives.find((l) => l === filter['state'])
  const goods = useListing(['goods', 'list', q, category, state], (after, signal) =>
    must(client.GET('/api/goods/products', { params: { query: { limit: 100, ...(q ? { q } : {}), ...(category ? { category_id: category } : {}), ...(state ? { state } : {}), ...(after ? { after } : {}) } }, signal })))
  const filtered = Boolean(q || category || state)
  const name = (id: string) => categories.data?.find((c) => c.id === id)?.name ?? ''
  const columns: Column<Product>[] = [
    { key: 'name', head: t('name'), cell: (p) => <>{p.name} {p.parts.length > 0 && <Badge>{t('bundle')}</Badge>}</>, by: (p) => p.name },
    { key: 'code', head: t('code'), cell: (p) => p.code, by: (p) => p.code },
    { key: 'category', head: t('category'), cell: (p) => name(p.category_id), by: (p) => name(p.category_id) },
    { key: 'units', head: t('units'), cell: (p) => <span className="zg-note">{(p.units ?? []).filter((u) => !u.retired).map((u) => `${f.unit(u.name)} = ${ratioOf(u)} ${f.unit(p.base_unit)}`).join('; ')}</span>, wide: true },
    { key: 'life', head: t('shelf_life'), unit: t('shelf_hours'), right: true, cell: (p) => (p.shelf_life_h ? f.number(p.shelf_life_h) : '–'), by: (p) => p.shelf_life_h },
    { key: 'tax', head: t('tax'), unit: '%', right: true, cell: (p) => f.decimal(String(p.tax_pct)), by: (p) => p.tax_pct, wide: true },
    { key: 'state', head: t('state'), cell: (p) => <LifeBadge state={p.state} /> },
  ]
  return (
    <>
      <PageHead title={t('title')}>{can('goods.manage') && <Button type="primary" onClick={() => void go('/goods/new')}>{t('new_product')}</Button>}{can('goods.manage') && <Button onClick={() => void go('/goods/new?bundle=1')}>{t('bundle_new')}</Button>}</PageHead>
      <GoodsTabs />
      <FilterBar filters={[
        { kind: 'search', name: 'q', label: t('search') },
        { kind: 'choice', name: 'category', label: t('category'), options: categoryPaths(categories.data ?? []) },
        { kind: 'choice', name: 'state', label: t('state'), options: lives.map((l) => ({ value: l, label: t(l) })) },
      ]} />
      <DataTable label={t('title')} rows={goods} columns={columns} rowKey={(p) => p.id} to={(p) => `/goods/${p.id}`}
        empty={filtered ? <Empty title={t('none_title')}>{t('none')}</Empty> : <Empty title={t('empty_title')} action={can('import.run') && <Link to="/imports?kind=products">{t('to_import')}</Link>}>{t('empty')}</Empty>} />
    </>
  )
}
