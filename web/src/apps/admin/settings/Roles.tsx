import { act, all, Badge, ChecksField, client, DataTable, Form, FormActs, kitText, PageHead, Sheet, Strip, TextField, useAct, useCan, useForm, useLang, useText, type Role } from '@kit'
import { App, Button } from 'antd'
import { useState } from 'react'
import { settingsText, SettingsTabs, usePermissions, useAllRoles, useRoleName } from './shared'
import zh from './zh'

export default function Roles() {
  const t = useText(settingsText)
  const can = useCan()
  const name = useRoleName()
  const roles = useAllRoles()
  const [editing, setEditing] = useState<Role | 'new'>()
  const noteOf = (r: Role) => (r.built_in && `role_note_${r.built_in}` in zh ? t(`role_note_${r.built_in}` as 'role_note_cashier') : r.note)
  return (
    <>
      <PageHead title={t('roles')}>{can('org.manage') && <Button type="primary" onClick={() => setEditing('new')}>{t('new_role')}</Button>}</PageHead>
      <SettingsTabs />
      <div className="zg-stack">
        {editing && <RoleForm key={editing === 'new' ? 'new' : editing.id} role={editing === 'new' ? undefined : editing} close={() => setEditing(undefined)} />}
        <DataTable label={t('roles')} rows={all(roles.data, roles)} rowKey={(r) => r.id} onOpen={setEditing} empty={null}
          columns={[
            { key: 'name', head: t('name'), cell: (r) => <>{name(r)} {r.built_in && <Badge>{t('built_in')}</Badge>}</>, by: (r) => name(r) },
            { key: 'note', head: t('role_note'), cell: noteOf },
            { key: 'n', head: t('rights'), right: true, cell: (r) => t('rights_count', { n: r.permissions?.length ?? 0 }), by: (r) => r.permissions?.length ?? 0 },
          ]} />
      </div>
    </>
  )
}

function RoleForm(props: { role: Role | undefined; close: () => void }) {
  const { role } = props
  const t = useText(settingsText)
  const k = useText(kitText)
  const { lang } = useLang()
  const can = useCan()
  const name = useRoleName()
  const { message } = App.useApp()
  const permissions = usePermissions()
  const save = useAct(
    (body: { name: string; note: string; permissions: string[] }) => role
      ? act(['PUT role', role.id, body], (header) => client.PUT('/api/org/roles/{id}', { params: { header, path: { id: role.id } }, body }))
      : act(['POST role', body], (header) => client.POST('/api/org/roles', { params: { header }, body })),
    ['org', 'me'],
  )
  const form = useForm({
    initial: { name: role ? name(role) : '', note: role?.note ?? '', permissions: role?.permissions ?? [] }, doing: save, required: ['name'], body: (v) => v,
    done: () => {
      void message.success(k('saved'))
      props.close()
    },
  })
  const fixed = Boolean(role?.built_in) || !can('org.manage')
  const words = (permissions.data?.items ?? []).map((p) => ({ value: p.name, label: p[lang] }))
  return (
    <Sheet title={role ? (fixed ? name(role) : t('edit_role')) : t('new_role')} acts={fixed && <Button onClick={props.close}>{k('close')}</Button>}>
      {fixed ? (
        <div className="zg-stack">
          {role?.built_in && <Strip>{t('built_in_note')}</Strip>}
          <ul className="zg-rights">{words.filter((w) => form.values.permissions.includes(w.value)).map((w) => <li key={w.value}>{w.label}</li>)}</ul>
        </div>
      ) : (
        <Form form={form} label={role ? t('edit_role') : t('new_role')}>
          <div className="zg-form-grid">
            <TextField form={form} name="name" label={t('name')} maxLength={40} autoFocus />
            <TextField form={form} name="note" label={t('role_note')} required={false} />
          </div>
          <ChecksField form={form} name="permissions" label={t('role_rights')} options={words} />
          <FormActs form={form} onCancel={props.close} />
        </Form>
      )}
    </Sheet>
  )
}
