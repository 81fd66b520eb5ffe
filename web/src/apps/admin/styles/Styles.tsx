import { client, DataTable, Empty, FilterBar, must, PageHead, useCan, useFilters, useFormat, useListing, useText, type Column, type StyleRow } from '@kit'
import { Button } from 'antd'
import { useNavigate } from 'react-router-dom'
import { categoryPaths, GoodsTabs, useCategories } from '../goods/shared'
import { styleText } from './text'

/** Goods by style: one row for all colours and sizes of one thing. */
export default function Styles() {
  const t = useText(styleText)
  const f = useFormat()
  const can = useCan()
  const go = useNavigate()
  const [filter] = useFilters()
  const categories = useCategories()
  const { q } = filter
  const styles = useListing(['goods', 'styles', q], (after, signal) =>
    must(client.GET('/api/goods/styles', { params: { query: { limit: 100, ...(q ? { q } : {}), ...(after ? { after } : {}) } }, signal })))
  const paths = categoryPaths(categories.data ?? [])
  const columns: Column<StyleRow>[] = [
    { key: 'name', head: t('name'), cell: (s) => s.name, by: (s) => s.name },
    { key: 'code', head: t('code'), cell: (s) => s.code, by: (s) => s.code },
    { key: 'category', head: t('category'), cell: (s) => paths.find((c) => c.value === s.category_id)?.label ?? '', wide: true },
    { key: 'axes', head: t('axes'), cell: (s) => s.axes },
    { key: 'variants', head: t('variants'), right: true, cell: (s) => f.number(s.variants), by: (s) => s.variants },
    { key: 'on_sale', head: t('on_sale'), right: true, cell: (s) => f.number(s.on_sale), by: (s) => s.on_sale },
  ]
  return (
    <>
      <PageHead title={t('styles')}>{can('goods.manage') && <Button type="primary" onClick={() => void go('/goods/styles/new')}>{t('new_style')}</Button>}</PageHead>
      <GoodsTabs />
      <p className="zg-note">{t('styles_note')}</p>
      <FilterBar filters={[{ kind: 'search', name: 'q', label: t('search') }]} />
      <DataTable label={t('styles')} rows={styles} columns={columns} rowKey={(s) => s.id} to={(s) => `/goods/styles/${s.id}`}
        empty={q ? <Empty title={t('none_title')}>{t('none')}</Empty> : <Empty title={t('empty_title')}>{t('empty')}</Empty>} />
    </>
  )
}
