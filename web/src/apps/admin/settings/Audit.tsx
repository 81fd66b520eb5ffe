import { client, DataTable, Empty, FilterBar, must, PageHead, useFilters, useFormat, useLang, useListing, useText, WhyPanel, type AuditEntry, type Column, type Grant } from '@kit'
import { useState } from 'react'
import { changes, type Say } from './changes'
import { settingsText, SettingsTabs, useAllEntities, useAllRoles, useAllSites, useKindName, usePermissions, useRoleName } from './shared'
import zh from './zh'

const subjects = ['site', 'entity', 'group', 'staff', 'role'] as const

export default function Audit() {
  const t = useText(settingsText)
  const f = useFormat()
  const sites = useAllSites()
  const [filter] = useFilters()
  const [open, setOpen] = useState<AuditEntry>()
  const kind = filter['about']
  const site = filter['at']
  const list = useListing(['org', 'audit', kind, site], (after, signal) =>
    must(client.GET('/api/org/audit', { params: { query: { limit: 50, ...(kind ? { subject_kind: kind } : {}), ...(site ? { site_id: site } : {}), ...(after ? { after } : {}) } }, signal })))
  const what = (e: AuditEntry) => (`act_${e.act}` in zh ? t(`act_${e.act}` as 'act_site.created') : e.act)
  const about = (e: AuditEntry) => {
    const words = `subject_${e.subject_kind}` in zh ? t(`subject_${e.subject_kind}` as 'subject_site') : e.subject_kind
    const body = (e.after ?? e.before) as { display_name?: string; name?: string } | undefined
    const name = body && !Array.isArray(body) ? (body.display_name ?? body.name) : undefined
    return name ? `${words} · ${name}` : words
  }
  const columns: Column<AuditEntry>[] = [
    { key: 'when', head: t('when'), cell: (e) => <span title={f.exact(e.at)}>{f.at(e.at)}</span>, width: 140 },
    { key: 'who', head: t('who'), cell: (e) => e.staff_name || t('system') },
    { key: 'what', head: t('what'), cell: what },
    { key: 'subject', head: t('subject'), cell: about },
  ]
  return (
    <>
      <PageHead title={t('audit')} />
      <SettingsTabs />
      <FilterBar filters={[
        { kind: 'choice', name: 'about', label: t('subject'), options: subjects.map((s) => ({ value: s, label: t(`subject_${s}`) })) },
        { kind: 'choice', name: 'at', label: t('subject_site'), options: (sites.data ?? []).map((s) => ({ value: s.id, label: s.name })) },
      ]} />
      <DataTable label={t('audit')} rows={list} columns={columns} rowKey={(e) => e.id} onOpen={setOpen} empty={<Empty title={t('audit_empty_title')}>{t('audit_empty')}</Empty>} />
      <WhyPanel open={Boolean(open)} onClose={() => setOpen(undefined)} lead={t('audit')} title={open ? what(open) : ''}>
        {open && <Change entry={open} />}
      </WhyPanel>
    </>
  )
}

function Change(props: { entry: AuditEntry }) {
  const { entry } = props
  const t = useText(settingsText)
  const f = useFormat()
  const { lang } = useLang()
  const sites = useAllSites()
  const entities = useAllEntities()
  const roles = useAllRoles()
  const permissions = usePermissions()
  const roleName = useRoleName()
  const kindName = useKindName()
  const named = (list: readonly { id: string; name: string }[] | undefined, id: unknown) => list?.find((x) => x.id === id)?.name ?? ''
  const grant = (g: Grant) => {
    const role = roles.data?.find((r) => r.id === g.role_id)
    const where = g.scope_kind === 'site' ? named(sites.data, g.scope_id) : g.scope_kind === 'entity' ? named(entities.data, g.scope_id) : t('scope_group')
    return `${role ? roleName(role) : ''} · ${where}`
  }
  const say: Say = (field, value) => {
    if (field === 'grants') return (value as Grant[]).map(grant).join('\n')
    if (field === 'permissions') return (value as string[]).map((name) => permissions.data?.items.find((p) => p.name === name)?.[lang] ?? name).join('\n')
    if (field === 'entity_id') return named(entities.data, value)
    if (field === 'site_id') return value === '' || value === '0' ? t('head_office') : named(sites.data, value)
    if (field === 'kind') return kindName(String(value))
    if (typeof value === 'boolean') return value ? t('yes') : t('no')
    return typeof value === 'object' && value !== null ? undefined : String(value)
  }
  const rows = changes(entry.before, entry.after, say)
  const word = (field: string) => (`field_${field}` in zh ? t(`field_${field}` as 'field_code') : field)
  return (
    <>
      <p>{entry.staff_name || t('system')} · <span title={f.exact(entry.at)}>{f.at(entry.at)}</span></p>
      {rows.length === 0 ? <p className="zg-note">{t('no_change')}</p> : (
        <table className="zg-parts zg-changes">
          <thead><tr><th>{t('field')}</th><th>{t('before')}</th><th>{t('after')}</th></tr></thead>
          <tbody>{rows.map((c) => <tr key={c.field}><th scope="row">{word(c.field)}</th><td>{c.before}</td><td>{c.after}</td></tr>)}</tbody>
        </table>
      )}
    </>
  )
}
