import { Badge, client, DataTable, Empty, FilterBar, must, PageHead, useCan, useFilters, useListing, useText, type Column, type Staff } from '@kit'
import { Button } from 'antd'
import { useNavigate } from 'react-router-dom'
import { settingsText, SettingsTabs, useAllRoles, useAllSites, useRoleName } from './shared'

export default function StaffList() {
  const t = useText(settingsText)
  const can = useCan()
  const go = useNavigate()
  const [filter] = useFilters()
  const sites = useAllSites()
  const roles = useAllRoles()
  const roleName = useRoleName()
  const q = filter['q']
  const site = filter['home']
  const staff = useListing(['org', 'staff', q, site], (after, signal) =>
    must(client.GET('/api/org/staff', { params: { query: { limit: 100, ...(q ? { q } : {}), ...(site ? { site_id: site } : {}), ...(after ? { after } : {}) } }, signal })))
  const siteName = (id: string) => sites.data?.find((s) => s.id === id)?.name
  const rights = (p: Staff) =>
    (p.grants ?? []).map((g) => {
      const role = roles.data?.find((r) => r.id === g.role_id)
      const name = role ? roleName(role) : ''
      return g.scope_kind === 'site' ? [name, siteName(g.scope_id ?? '')].filter(Boolean).join(' · ') : name
    }).join(t('list_comma'))
  const columns: Column<Staff>[] = [
    { key: 'display', head: t('display_name'), cell: (p) => p.display_name, by: (p) => p.display_name },
    { key: 'name', head: t('user_name'), cell: (p) => p.name, by: (p) => p.name },
    { key: 'home', head: t('home_site'), cell: (p) => siteName(p.site_id) ?? t('head_office') },
    { key: 'rights', head: t('rights'), cell: (p) => rights(p) || <span className="zg-note">{t('no_rights')}</span> },
    { key: 'state', head: t('state'), cell: (p) => (p.disabled ? <Badge>{t('disabled')}</Badge> : <Badge tone="green">{t('active')}</Badge>) },
  ]
  return (
    <>
      <PageHead title={t('staff')}>{can('org.manage') && <Button type="primary" onClick={() => void go('/settings/staff/new')}>{t('new_staff')}</Button>}</PageHead>
      <SettingsTabs />
      <FilterBar filters={[{ kind: 'search', name: 'q', label: t('search_staff') }, { kind: 'choice', name: 'home', label: t('home_site'), options: (sites.data ?? []).map((s) => ({ value: s.id, label: s.name })) }]} />
      <DataTable label={t('staff')} rows={staff} columns={columns} rowKey={(p) => p.id} to={(p) => `/settings/staff/${p.id}`} empty={<Empty title={t('staff_empty_title')}>{t('staff_empty')}</Empty>} />
    </>
  )
}
