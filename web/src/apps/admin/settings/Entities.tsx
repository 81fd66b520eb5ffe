import { act, all, client, DataTable, Empty, Form, FormActs, kitText, must, PageHead, ProblemBox, Sheet, TextField, useAct, useCan, useForm, useRead, useText, type Entity } from '@kit'
import { App, Button } from 'antd'
import { useState } from 'react'
import { settingsText, SettingsTabs, useAllEntities } from './shared'

export default function Entities() {
  const t = useText(settingsText)
  const can = useCan()
  const entities = useAllEntities()
  const [editing, setEditing] = useState<Entity | 'new'>()
  return (
    <>
      <PageHead title={t('entities')}>{can('org.manage') && <Button type="primary" onClick={() => setEditing('new')}>{t('new_entity')}</Button>}</PageHead>
      <SettingsTabs />
      <div className="zg-stack">
        {editing && <EntityForm key={editing === 'new' ? 'new' : editing.id} entity={editing === 'new' ? undefined : editing} close={() => setEditing(undefined)} />}
        <DataTable label={t('entities')} rows={all(entities.data, entities)} rowKey={(e) => e.id} {...(can('org.manage') ? { onOpen: setEditing } : {})}
          columns={[
            { key: 'name', head: t('name'), cell: (e) => e.name, by: (e) => e.name },
            { key: 'code', head: t('code'), cell: (e) => e.code, by: (e) => e.code },
            { key: 'tax', head: t('tax_no'), cell: (e) => e.tax_no },
          ]}
          empty={<Empty title={t('entities_empty_title')}>{t('entities_empty')}</Empty>} />
        <GroupName />
      </div>
    </>
  )
}

function EntityForm(props: { entity: Entity | undefined; close: () => void }) {
  const { entity } = props
  const t = useText(settingsText)
  const k = useText(kitText)
  const { message } = App.useApp()
  const save = useAct(
    (body: { code: string; name: string; tax_no: string }) => entity
      ? act(['PUT entity', entity.id, body], (header) => client.PUT('/api/org/entities/{id}', { params: { header, path: { id: entity.id } }, body }))
      : act(['POST entity', body], (header) => client.POST('/api/org/entities', { params: { header }, body })),
    ['org'],
  )
  const form = useForm({
    initial: { name: entity?.name ?? '', code: entity?.code ?? '', tax_no: entity?.tax_no ?? '' }, doing: save, required: ['name', 'code'], body: (v) => v,
    done: () => {
      void message.success(k('saved'))
      props.close()
    },
  })
  return (
    <Sheet title={entity ? t('edit_entity') : t('new_entity')}>
      <Form form={form} label={entity ? t('edit_entity') : t('new_entity')}>
        <div className="zg-form-grid">
          <TextField form={form} name="name" label={t('name')} autoFocus />
          <TextField form={form} name="code" label={t('code')} width="s" />
          <TextField form={form} name="tax_no" label={t('tax_no')} required={false} />
        </div>
        <FormActs form={form} onCancel={props.close} />
      </Form>
    </Sheet>
  )
}

function GroupName() {
  const t = useText(settingsText)
  const read = useRead(['org', 'group'], () => must(client.GET('/api/org/group')))
  if (read.problem?.status === 403) return null
  if (read.problem) return <ProblemBox problem={read.problem} again={read.again} />
  return read.data ? <Sheet title={t('group')}><GroupForm name={read.data.name} /></Sheet> : null
}

function GroupForm(props: { name: string }) {
  const t = useText(settingsText)
  const k = useText(kitText)
  const can = useCan()
  const { message } = App.useApp()
  const save = useAct((body: { name: string }) => act(['PUT group', body], (header) => client.PUT('/api/org/group', { params: { header }, body })), ['org'])
  const form = useForm({ initial: { name: props.name }, doing: save, required: ['name'], body: (v) => v, done: () => void message.success(k('saved')) })
  return (
    <Form form={form} label={t('group')}>
      <TextField form={form} name="name" label={t('group_name')} disabled={!can('org.manage')} />
      {form.dirty && <FormActs form={form} onCancel={() => form.reset()} />}
    </Form>
  )
}
