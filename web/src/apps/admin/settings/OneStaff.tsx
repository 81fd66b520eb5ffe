import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { act, Badge, client, Form, FormActs, kitText, must, PageHead, PasswordField, ProblemBox, SelectField, Sheet, SkeletonLines, Strip, TextField, useAct, useCan, useForm, usePageTitle, useRead, useSession, useText, type Grant, type Staff } from '@kit'
import { App, Button, Select } from 'antd'
import { useNavigate, useParams } from 'react-router-dom'
import { settingsText, useAllEntities, useAllRoles, useAllSites, useRoleName } from './shared'

export default function OneStaff() {
  const { id = 'new' } = useParams()
  const t = useText(settingsText)
  const can = useCan()
  const { me } = useSession()
  const { message } = App.useApp()
  const k = useText(kitText)
  const read = useRead(['org', 'person', id], () => must(client.GET('/api/org/staff/{id}', { params: { path: { id } } })), { skip: id === 'new' })
  const person = id === 'new' ? undefined : read.data
  usePageTitle(id === 'new' ? t('new_staff') : person?.display_name)
  const able = useAct(
    (disabled: boolean) => act(['able', id, disabled, person?.disabled], (header) => client.POST('/api/org/staff/{id}/disable', { params: { header, path: { id } }, body: { disabled } })),
    ['org'],
  )
  const waiting = id !== 'new' && !person
  return (
    <>
      <PageHead title={id === 'new' ? t('new_staff') : (person?.display_name ?? '')} back={{ to: '/settings/staff', label: t('staff') }} note={person?.disabled && <Badge>{t('disabled')}</Badge>}>
        {person && can('org.manage') && person.id !== me.id && (
          <Button danger={!person.disabled} loading={able.busy} title={person.disabled ? undefined : t('disable_note')}
            onClick={() => void able.run(!person.disabled).then((p) => p && void message.success(k('saved')))}>{person.disabled ? t('enable') : t('disable')}</Button>
        )}
      </PageHead>
      {able.problem && <ProblemBox problem={able.problem} />}
      {read.problem && !read.data && <ProblemBox problem={read.problem} again={read.again} />}
      {waiting ? !read.problem && <SkeletonLines lines={6} /> : (
        <div className="zg-stack">
          <Sheet><PersonForm key={person?.id ?? 'new'} person={person} /></Sheet>
          {person && <Sheet title={t('grants')} note={t('grants_note')}><GrantsForm key={JSON.stringify(person.grants)} person={person} /></Sheet>}
        </div>
      )}
    </>
  )
}

function PersonForm(props: { person: Staff | undefined }) {
  const { person } = props
  const t = useText(settingsText)
  const k = useText(kitText)
  const can = useCan()
  const go = useNavigate()
  const { message } = App.useApp()
  const sites = useAllSites()
  const save = useAct(
    (v: { name: string; display_name: string; site_id: string; password: string }) => {
      const home = v.site_id ? { site_id: v.site_id } : {}
      if (!person) {
        const body = { name: v.name, display_name: v.display_name, password: v.password, ...home }
        return act(['POST staff', v.name, v.display_name, v.site_id], (header) => client.POST('/api/org/staff', { params: { header }, body }))
      }
      const body = { display_name: v.display_name, ...home, ...(v.password ? { password: v.password } : {}) }
      return act(['PUT staff', person.id, v.display_name, v.site_id, Boolean(v.password)], (header) => client.PUT('/api/org/staff/{id}', { params: { header, path: { id: person.id } }, body }))
    },
    ['org'],
  )
  const form = useForm({
    initial: { name: person?.name ?? '', display_name: person?.display_name ?? '', site_id: person?.site_id ?? '', password: '' },
    doing: save, required: person ? ['display_name'] : ['display_name', 'name', 'password'], body: (v) => v,
    done: (saved) => {
      void message.success(k('saved'))
      if (person) form.reset({ name: saved.name, display_name: saved.display_name, site_id: saved.site_id, password: '' })
      else setTimeout(() => void go(`/settings/staff/${saved.id}`, { replace: true }))
    },
  })
  const off = !can('org.manage')
  return (
    <Form form={form} label={t('staff')}>
      <div className="zg-form-grid">
        <TextField form={form} name="display_name" label={t('display_name')} disabled={off} autoFocus={!person} maxLength={40} />
        <TextField form={form} name="name" label={t('user_name')} hint={person ? undefined : t('user_name_hint')} disabled={off || Boolean(person)} maxLength={40} />
        <SelectField form={form} name="site_id" label={t('home_site')} disabled={off} options={[{ value: '', label: t('head_office') }, ...(sites.data ?? []).map((s) => ({ value: s.id, label: s.name }))]} />
        {!off && <PasswordField form={form} name="password" label={person ? t('new_password') : t('first_password')} hint={person ? t('new_password_hint') : t('password_hint')} {...(person ? { required: false } : {})} />}
      </div>
      {!off && <FormActs form={form} onCancel={() => void go('/settings/staff')} />}
    </Form>
  )
}

type Row = { role_id: string; scope_kind: Grant['scope_kind']; scope_id: string }

function GrantsForm(props: { person: Staff }) {
  const t = useText(settingsText)
  const k = useText(kitText)
  const can = useCan()
  const { message } = App.useApp()
  const roles = useAllRoles()
  const roleName = useRoleName()
  const sites = useAllSites()
  const entities = useAllEntities()
  const save = useAct(
    (grants: Grant[]) => act(['grants', props.person.id, grants], (header) => client.PUT('/api/org/staff/{id}/grants', { params: { header, path: { id: props.person.id } }, body: grants })),
    ['org', 'me'],
  )
  const form = useForm({
    initial: { rows: (props.person.grants ?? []).map((g): Row => ({ role_id: g.role_id, scope_kind: g.scope_kind, scope_id: g.scope_id ?? '' })) },
    doing: save,
    body: (v) => v.rows.map(({ role_id, scope_kind, scope_id }) => ({ role_id, scope_kind, ...(scope_kind === 'group' ? {} : { scope_id }) })),
    done: () => void message.success(k('saved')),
  })
  const rows = form.values.rows
  const off = !can('org.manage')
  const change = (n: number, next: Partial<Row>) => form.set('rows', rows.map((r, i) => (i === n ? { ...r, ...next } : r)))
  const scopes = (kind: Row['scope_kind']) => (kind === 'site' ? sites.data : kind === 'entity' ? entities.data : undefined) ?? []
  return (
    <Form form={form} label={t('grants')}>
      {rows.length === 0 && <Strip tone="amber">{t('grants_empty')}</Strip>}
      {rows.map((row, n) => (
        <div key={n} className="zg-line" role="group" aria-label={`${t('grants')} ${n + 1}`}>
          <Select aria-label={t('role')} placeholder={t('role')} className="zg-line-m" disabled={off} value={row.role_id || undefined} onChange={(role_id) => change(n, { role_id })}
            options={(roles.data ?? []).map((r) => ({ value: r.id, label: roleName(r) }))} />
          <Select aria-label={t('scope')} className="zg-line-s" disabled={off} value={row.scope_kind} onChange={(scope_kind) => change(n, { scope_kind, scope_id: scopes(scope_kind)[0]?.id ?? '' })}
            options={(['group', 'entity', 'site'] as const).map((s) => ({ value: s, label: t(`scope_${s}`) }))} />
          {row.scope_kind !== 'group' && (
            <Select aria-label={t(`scope_${row.scope_kind}`)} className="zg-line-m" disabled={off} value={row.scope_id || undefined} onChange={(scope_id) => change(n, { scope_id })} showSearch={{ optionFilterProp: 'label' }}
              options={scopes(row.scope_kind).map((s) => ({ value: s.id, label: s.name }))} />
          )}
          {!off && <Button type="text" icon={<DeleteOutlined />} aria-label={t('remove_grant')} onClick={() => form.set('rows', rows.filter((_, i) => i !== n))} />}
        </div>
      ))}
      {!off && (
        <>
          <div><Button icon={<PlusOutlined />} onClick={() => form.set('rows', [...rows, { role_id: '', scope_kind: 'site', scope_id: sites.data?.[0]?.id ?? '' }])}>{t('add_grant')}</Button></div>
          {form.dirty && <FormActs form={form} save={t('save_grants')} onCancel={() => form.reset()} />}
        </>
      )}
    </Form>
  )
}
