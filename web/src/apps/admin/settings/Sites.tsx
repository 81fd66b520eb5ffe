import { client, DataTable, Empty, FilterBar, must, PageHead, useCan, useFilters, useListing, useText, type Column, type Site } from '@kit'
import { Button } from 'antd'
import { useNavigate } from 'react-router-dom'
import { settingsText, SettingsTabs, useAllEntities, useKindName } from './shared'

const kinds = ['store', 'warehouse', 'kitchen', 'mall', 'office'] as const

export default function Sites() {
  const t = useText(settingsText)
  const can = useCan()
  const go = useNavigate()
  const kindName = useKindName()
  const [filter] = useFilters()
  const entities = useAllEntities()
  const kind = kinds.find((k) => k === filter['kind'])
  const q = filter['q']
  const sites = useListing(['org', 'sites', q, kind], (after, signal) =>
    must(client.GET('/api/org/sites', { params: { query: { limit: 100, ...(q ? { q } : {}), ...(kind ? { kind } : {}), ...(after ? { after } : {}) } }, signal })))
  const columns: Column<Site>[] = [
    { key: 'name', head: t('name'), cell: (s) => s.name, by: (s) => s.name },
    { key: 'code', head: t('code'), cell: (s) => s.code, by: (s) => s.code },
    { key: 'kind', head: t('kind'), cell: (s) => kindName(s.kind), by: (s) => s.kind },
    { key: 'business', head: t('business'), cell: (s) => s.business, wide: true },
    { key: 'entity', head: t('entity'), cell: (s) => entities.data?.find((e) => e.id === s.entity_id)?.name ?? '', wide: true },
    { key: 'hours', head: t('hours'), cell: (s) => `${s.open} – ${s.close}` },
    { key: 'zone', head: t('time_zone'), cell: (s) => s.time_zone, wide: true },
  ]
  return (
    <>
      <PageHead title={t('sites')}>{can('org.manage') && <Button type="primary" onClick={() => void go('/settings/sites/new')}>{t('new_site')}</Button>}</PageHead>
      <SettingsTabs />
      <FilterBar filters={[{ kind: 'search', name: 'q', label: t('search_sites') }, { kind: 'choice', name: 'kind', label: t('kind'), options: kinds.map((k) => ({ value: k, label: kindName(k) })) }]} />
      <DataTable label={t('sites')} rows={sites} columns={columns} rowKey={(s) => s.id} to={(s) => `/settings/sites/${s.id}`} empty={<Empty title={t('sites_empty_title')}>{t('sites_empty')}</Empty>} />
    </>
  )
}
