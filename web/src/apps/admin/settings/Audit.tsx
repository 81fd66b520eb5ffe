import { client, DataTable, Empty, FilterBar, must, PageHead, useFilters, useFormat, useListing, useText, WhyPanel, type AuditEntry, type Column } from '@kit'
import { useState } from 'react'
import { changes } from './changes'
import { settingsText, SettingsTabs, useAllSites } from './shared'
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
      <WhyPanel open={Boolean(open)} onClose={() => setOpen(undefined)} title={open ? what(open) : ''}>
        {open && (
          <>
            <p>{open.staff_name || t('system')} · <span title={f.exact(open.at)}>{f.at(open.at)}</span></p>
            <table className="zg-parts">
              <thead><tr><th>{t('field')}</th><th>{t('before')}</th><th>{t('after')}</th></tr></thead>
              <tbody>{changes(open.before, open.after).map((c) => <tr key={c.field}><th scope="row">{c.field}</th><td>{c.before}</td><td>{c.after}</td></tr>)}</tbody>
            </table>
          </>
        )}
      </WhyPanel>
    </>
  )
}
