import { client, defineText, must, useCan, useRead, useText, type Role, type Site } from '@kit'
import { NavLink } from 'react-router-dom'
import en from './en'
import zh from './zh'

export const settingsText = defineText(zh, en)

const tabs = [
  ['sites', 'org.read'], ['entities', 'org.read'], ['staff', 'org.read'], ['roles', 'org.read'], ['audit', 'org.read'], ['account', ''],
] as const

/** The parts of the settings, as links: each has its own address. */
export function SettingsTabs() {
  const t = useText(settingsText)
  const can = useCan()
  return (
    <nav className="zg-tabs" aria-label={t('tabs')}>
      {tabs.filter(([, perm]) => can(perm)).map(([name]) => <NavLink key={name} to={`/settings/${name}`} className={({ isActive }) => (isActive ? 'zg-tab-here' : '')}>{t(name)}</NavLink>)}
    </nav>
  )
}

export function useRoleName(): (role: Pick<Role, 'name' | 'built_in'>) => string {
  const t = useText(settingsText)
  return (role) => {
    const key = `role_${role.built_in}`
    return role.built_in && key in zh ? t(key as 'role_cashier') : role.name
  }
}

export function useKindName(): (kind: string) => string {
  const t = useText(settingsText)
  return (kind) => {
    const key = `kind_${kind}`
    return key in zh ? t(key as 'kind_store') : kind
  }
}

/** All of a list that is short by nature (sites, entities, roles): page after page, at most 1,000. */
async function whole<R>(page: (after: string | undefined) => Promise<{ items: R[] | null; next: string }>): Promise<R[]> {
  const rows: R[] = []
  for (let after: string | undefined, n = 0; n < 5; n++) {
    const got = await page(after)
    rows.push(...(got.items ?? []))
    if (!got.next) break
    after = got.next
  }
  return rows
}

export const useAllSites = () =>
  useRead<Site[]>(['org', 'sites', 'all'], (signal) => whole((after) => must(client.GET('/api/org/sites', { params: { query: { limit: 200, ...(after ? { after } : {}) } }, signal }))))
export const useAllEntities = () =>
  useRead(['org', 'entities', 'all'], (signal) => whole((after) => must(client.GET('/api/org/entities', { params: { query: { limit: 200, ...(after ? { after } : {}) } }, signal }))))
export const useAllRoles = () =>
  useRead(['org', 'roles', 'all'], (signal) => whole((after) => must(client.GET('/api/org/roles', { params: { query: { limit: 200, ...(after ? { after } : {}) } }, signal }))))
export const usePermissions = () => useRead(['org', 'permissions'], (signal) => must(client.GET('/api/org/permissions', { signal })))
