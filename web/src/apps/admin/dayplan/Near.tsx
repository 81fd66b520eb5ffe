import { act, client, DataTable, Empty, Form, FormActs, MoneyField, must, PageHead, parseMoney, ProblemBox, SelectField, Sheet, SitePick, TextField, useAct, useCan, useForm, useFormat, useListing, useSession, useSite, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Button } from 'antd'
import { useState } from 'react'
import { PlanTabs } from '../plan/shared'
import { dayPlanText } from './text'

type NearStore = components['schemas']['SupplydayNearView']
type NearIn = components['schemas']['SupplydayNearIn']

/** Which stores can help a store out: it fetches from them what runs short, and they offer it what they have too much of. */
export default function Near() {
  const t = useText(dayPlanText)
  const place = useSite(['store'])
  return (
    <>
      <PageHead title={t('near')} note={t('near_note')}><SitePick {...place} /></PageHead>
      <PlanTabs />
      {place.site ? <Stores key={place.site.id} site={place.site.id} /> : <div className="zg-sheet"><Empty title={t('near_no_store')}>{t('near_no_store_note')}</Empty></div>}
    </>
  )
}

function Stores(props: { site: string }) {
  const { site } = props
  const t = useText(dayPlanText)
  const f = useFormat()
  const can = useCan()
  const [edit, setEdit] = useState<NearStore | 'new'>()
  const rows = useListing(['plan', 'near', site], (_, signal) => must(client.GET('/api/plans/near', { params: { query: { site_id: site } }, signal })))
  const drop = useAct((near: string) => act(['drop near', site, near], (header) => client.PUT('/api/plans/near', { params: { header }, body: { site_id: site, near_id: near, minutes: 0 } })), ['plan'])
  const columns: Column<NearStore>[] = [
    { key: 'name', head: t('near_store'), cell: (n) => n.name, by: (n) => n.name },
    { key: 'minutes', head: t('near_minutes'), right: true, cell: (n) => t('near_min', { n: n.minutes }), by: (n) => n.minutes },
    { key: 'cost', head: t('near_cost'), unit: '¥', right: true, cell: (n) => f.money(n.cost_fen), by: (n) => n.cost_fen },
    { key: 'acts', head: '', cell: (n) => can('plan.rules') && <span className="zg-acts"><Button size="small" onClick={() => setEdit(n)}>{t('edit')}</Button><Button size="small" loading={drop.busy} onClick={() => void drop.run(n.near_id)}>{t('remove')}</Button></span> },
  ]
  return (
    <Sheet title={t('near_list')} acts={can('plan.rules') && !edit && <Button onClick={() => setEdit('new')}>{t('near_add')}</Button>} flush>
      {drop.problem && <ProblemBox problem={drop.problem} />}
      {edit && <EditNear key={edit === 'new' ? 'new' : edit.near_id} site={site} taken={rows.rows} {...(edit !== 'new' ? { near: edit } : {})} done={() => setEdit(undefined)} />}
      <DataTable label={t('near_list')} rows={rows} columns={columns} rowKey={(n) => n.near_id} empty={<Empty title={t('near_none')}>{t('near_none_note')}</Empty>} />
    </Sheet>
  )
}

function EditNear(props: { site: string; near?: NearStore; taken: readonly NearStore[]; done: () => void }) {
  const { site, near } = props
  const t = useText(dayPlanText)
  const { me } = useSession()
  const others = me.sites.filter((s) => s.kind === 'store' && s.id !== site && (s.id === near?.near_id || !props.taken.some((n) => n.near_id === s.id)))
  const doing = useAct((body: NearIn) => act(['put near', body], (header) => client.PUT('/api/plans/near', { params: { header }, body })), ['plan'])
  const form = useForm({
    initial: { near_id: near?.near_id ?? others[0]?.id ?? '', minutes: near ? String(near.minutes) : '', cost_fen: near && near.cost_fen > 0 ? (near.cost_fen / 100).toFixed(2) : '' },
    required: ['near_id', 'minutes'],
    body: (v): NearIn => ({ site_id: site, near_id: v.near_id, minutes: Math.trunc(Number(v.minutes)) || -1, ...(v.cost_fen ? { cost_fen: parseMoney(v.cost_fen) ?? -1 } : {}) }),
    doing, done: props.done,
  })
  return (
    <div className="zg-sheet-head">
      <Form form={form} label={near ? t('edit') : t('near_add')}>
        {near ? <p><b>{near.name}</b></p> : <SelectField form={form} name="near_id" label={t('near_store')} options={others.map((s) => ({ value: s.id, label: `${s.name} ${s.code}` }))} />}
        <TextField form={form} name="minutes" label={t('near_minutes')} inputMode="numeric" right />
        <MoneyField form={form} name="cost_fen" label={t('near_cost')} />
        <FormActs form={form} save={t('save')} onCancel={props.done} />
      </Form>
    </div>
  )
}
