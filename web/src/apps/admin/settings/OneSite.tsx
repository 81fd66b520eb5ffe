import { act, all, Badge, client, DataTable, Form, FormActs, must, PageHead, ProblemBox, SelectField, Sheet, SkeletonLines, TextField, TimeField, useAct, useCan, useForm, usePageTitle, useRead, useText, type Site, type SiteFields } from '@kit'
import { App } from 'antd'
import { useState } from 'react'
import { Button } from 'antd'
import { useNavigate, useParams } from 'react-router-dom'
import { kitText } from '@kit'
import { settingsText, useAllEntities, useKindName } from './shared'

const kinds = ['store', 'warehouse', 'kitchen', 'mall', 'office'] as const
const zones = ['Asia/Shanghai', 'Asia/Urumqi', 'Asia/Hong_Kong', 'Asia/Macau', 'Asia/Taipei', 'Asia/Singapore', 'Asia/Tokyo', 'Europe/London', 'Europe/Paris', 'America/New_York', 'America/Los_Angeles', 'UTC']

export default function OneSite() {
  const { id = 'new' } = useParams()
  const t = useText(settingsText)
  const entities = useAllEntities()
  const read = useRead(['org', 'site', id], () => must(client.GET('/api/org/sites/{id}', { params: { path: { id } } })), { skip: id === 'new' })
  usePageTitle(id === 'new' ? t('new_site') : read.data?.name)
  const back = { to: '/settings/sites', label: t('sites') }
  const title = id === 'new' ? t('new_site') : (read.data?.name ?? '')
  return (
    <>
      <PageHead title={title} back={back} />
      {read.problem && !read.data && <ProblemBox problem={read.problem} again={read.again} />}
      {entities.problem && <ProblemBox problem={entities.problem} again={entities.again} />}
      {(id === 'new' || read.data) && entities.data
        ? <div className="zg-stack">
            <Sheet><SiteForm key={read.data?.id ?? 'new'} site={read.data} entities={entities.data} /></Sheet>
            {read.data && read.data.kind === 'store' && <Registers site={read.data} />}
          </div>
        : !read.problem && <SkeletonLines lines={8} />}
    </>
  )
}

function SiteForm(props: { site: Site | undefined; entities: readonly { id: string; name: string }[] }) {
  const { site } = props
  const t = useText(settingsText)
  const k = useText(kitText)
  const can = useCan()
  const go = useNavigate()
  const { message } = App.useApp()
  const kindName = useKindName()
  const save = useAct<SiteFields, Site>(
    (body) => site
      ? act(['PUT site', site.id, body], (header) => client.PUT('/api/org/sites/{id}', { params: { header, path: { id: site.id } }, body }))
      : act(['POST site', body], (header) => client.POST('/api/org/sites', { params: { header }, body })),
    ['org', 'me'],
  )
  const form = useForm({
    initial: {
      code: site?.code ?? '', name: site?.name ?? '', kind: (site?.kind ?? 'store') as string, business: site?.business ?? '', entity_id: site?.entity_id ?? props.entities[0]?.id ?? '',
      time_zone: site?.time_zone ?? 'Asia/Shanghai', day_start: site?.day_start ?? '04:00', open: site?.open ?? '08:00', close: site?.close ?? '22:00', address: site?.address ?? '',
    },
    doing: save,
    required: ['name', 'code', 'entity_id', 'open', 'close', 'day_start'],
    body: (v) => ({ ...v, kind: kinds.find((x) => x === v.kind) ?? 'store' }),
    done: (saved) => {
      void message.success(k('saved'))
      if (!site) setTimeout(() => void go(`/settings/sites/${saved.id}`, { replace: true }))
    },
  })
  const off = !can('org.manage')
  return (
    <Form form={form} label={site ? t('edit_site') : t('new_site')}>
      <div className="zg-form-grid">
        <TextField form={form} name="name" label={t('name')} maxLength={60} disabled={off} autoFocus={!site} />
        <TextField form={form} name="code" label={t('code')} maxLength={20} width="s" disabled={off} />
        <SelectField form={form} name="kind" label={t('kind')} width="s" disabled={off} options={kinds.map((x) => ({ value: x, label: kindName(x) }))} />
        <SelectField form={form} name="entity_id" label={t('entity')} disabled={off} options={props.entities.map((e) => ({ value: e.id, label: e.name }))} />
        <TextField form={form} name="business" label={t('business')} hint={t('business_hint')} required={false} disabled={off} />
        <TextField form={form} name="address" label={t('address')} required={false} width="l" disabled={off} />
        <TimeField form={form} name="open" label={t('open')} width="s" disabled={off} />
        <TimeField form={form} name="close" label={t('close')} hint={t('close_hint')} width="s" disabled={off} />
        <TimeField form={form} name="day_start" label={t('day_start')} hint={t('day_start_hint')} width="s" disabled={off} />
        <SelectField form={form} name="time_zone" label={t('time_zone')} disabled={off} options={[...new Set([form.values.time_zone, ...zones])].map((z) => ({ value: z, label: z }))} />
      </div>
      {!off && <FormActs form={form} onCancel={() => void go('/settings/sites')} />}
    </Form>
  )
}

function Registers(props: { site: Site }) {
  const t = useText(settingsText)
  const k = useText(kitText)
  const can = useCan()
  const { message } = App.useApp()
  const [adding, setAdding] = useState(false)
  const list = useRead(['till', 'registers', props.site.id], () => must(client.GET('/api/till/registers', { params: { query: { site_id: props.site.id } } })), { skip: !can('till.sell') })
  const add = useAct(
    (body: { site_id: string; code: string; name: string }) => act(['register', body], (header) => client.POST('/api/till/registers', { params: { header }, body })),
    ['till'],
  )
  const form = useForm({
    initial: { code: '', name: '' }, doing: add, required: ['code'], body: (v) => ({ ...v, site_id: props.site.id }),
    done: () => {
      void message.success(k('saved'))
      form.reset({ code: '', name: '' })
      setAdding(false)
    },
  })
  if (!can('till.sell')) return null
  return (
    <Sheet title={t('registers')} note={t('registers_note')} acts={can('org.manage') && !adding && <Button onClick={() => setAdding(true)}>{t('new_register')}</Button>}>
      <div className="zg-stack">
        {adding && (
          <Form form={form} label={t('new_register')}>
            <div className="zg-form-grid">
              <TextField form={form} name="code" label={t('register_code')} width="s" maxLength={8} autoFocus />
              <TextField form={form} name="name" label={t('register_name')} required={false} maxLength={40} />
            </div>
            <FormActs form={form} onCancel={() => { form.reset(); setAdding(false) }} />
          </Form>
        )}
        <DataTable label={t('registers')} rows={all(list.data?.items ?? [], list)} rowKey={(r) => r.id} empty={<p className="zg-note">{t('registers_empty')}</p>}
          columns={[
            { key: 'code', head: t('register_code'), cell: (r) => r.code },
            { key: 'name', head: t('register_name'), cell: (r) => r.name },
            { key: 'state', head: t('register_state'), cell: (r) => (r.closed ? <Badge>{t('register_closed')}</Badge> : <Badge tone="green">{t('register_open')}</Badge>) },
          ]} />
      </div>
    </Sheet>
  )
}
