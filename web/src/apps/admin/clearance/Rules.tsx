import { Button } from 'antd'
import { act, all, Badge, client, DataTable, Form, FormActs, must, PageHead, Sheet, SitePick, Strip, SwitchField, TextField, useAct, useCan, useForm, useFormat, useRead, useSite, useText, type ClearanceRule, type Column } from '@kit'
import { useState } from 'react'
import { clearText, ClearTabs } from './shared'

export default function Rules() {
  const t = useText(clearText)
  const f = useFormat()
  const can = useCan()
  const place = useSite()
  const site = place.site?.id
  const [open, setOpen] = useState<string>()
  const rules = useRead(['clear', 'rules', site], () => must(client.GET('/api/clear/rules', { params: { query: { site_id: site ?? '' } } })), { skip: !site })
  const names = useRead(['goods', 'categories'], () => must(client.GET('/api/goods/categories')), { skip: !can('goods.read') })
  const stop = useAct((body: { site_id: string; category_id: string; stopped: boolean }) => act(['stop', body, Date.now()], (header) => client.POST('/api/clear/stops', { params: { header }, body })), ['clear'])
  const nameOf = (id: string) => (Number(id) ? (names.data?.items.find((c) => c.id === id)?.name ?? id) : t('all_categories'))
  const rows = rules.data?.items ?? []
  const opened = rows.find((r) => r.category_id === open)
  const columns: Column<ClearanceRule>[] = [
    { key: 'category', head: t('category'), cell: (r) => <>{nameOf(r.category_id)}<div className="zg-note">{r.own ? t('own') : t('inherited')}</div></> },
    { key: 'first', head: t('first_step'), cell: (r) => t('minutes_before', { time: f.duration(r.first_min * 60) }) },
    { key: 'free', head: t('free_step'), cell: (r) => (r.free_min ? t('minutes_before', { time: f.duration(r.free_min * 60) }) : t('never')) },
    { key: 'depths', head: t('depths'), unit: '%', right: true, cell: (r) => r.depths.join(', ') },
    { key: 'floor', head: t('floor'), right: true, cell: (r) => (r.floor_pct ? f.percent(r.floor_pct / 100) : t('never')), wide: true },
    { key: 'screen', head: t('screen'), right: true, cell: (r) => f.percent(r.screen_pct / 100), wide: true },
    { key: 'elasticity', head: t('elasticity'), right: true, cell: (r) => <>{f.decimal((r.elasticity_bp / 10_000).toFixed(2))} <span className="zg-note">{r.elasticity_learned ? t('learned') : t('assumed')}</span></>, wide: true },
    { key: 'state', head: t('state'), cell: (r) => (r.stopped ? <Badge tone="amber">{t('stopped')}</Badge> : <Badge tone="green">{t('running')}</Badge>) },
    { key: 'acts', head: '', cell: (r) => can('clear.manage') && <span className="zg-acts">
      <Button size="small" loading={stop.busy} onClick={() => void stop.run({ site_id: site ?? '', category_id: r.category_id, stopped: !r.stopped })}>{r.stopped ? t('allow') : t('stop')}</Button>
      <Button size="small" onClick={() => setOpen(r.category_id)}>{t('edit')}</Button>
    </span> },
  ]
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} /></PageHead>
      <ClearTabs />
      {stop.problem && <Strip tone="red">{stop.problem.message}</Strip>}
      <p className="zg-note">{t('short_note')}</p>
      {opened && <Edit key={opened.category_id} rule={opened} name={nameOf(opened.category_id)} done={() => setOpen(undefined)} />}
      <DataTable label={t('rules')} rows={all(rules.data?.items, rules)} columns={columns} rowKey={(r) => r.category_id} empty={null} count={false} />
    </>
  )
}

function Edit(props: { rule: ClearanceRule; name: string; done: () => void }) {
  const t = useText(clearText)
  const { rule } = props
  const doing = useAct((body: Parameters<typeof send>[0]) => send(body), ['clear'])
  const form = useForm({
    initial: { first_min: String(rule.first_min), free_min: String(rule.free_min), depths: rule.depths.join(', '), floor_pct: String(rule.floor_pct), floor_binds_free: rule.floor_binds_free, wait_for_profit: rule.wait_for_profit !== false, screen_pct: String(rule.screen_pct), hold_out_pct: String(rule.hold_out_pct) },
    required: ['first_min', 'free_min', 'depths', 'floor_pct', 'screen_pct', 'hold_out_pct'],
    body: (v) => ({
      category_id: rule.category_id, first_min: Number(v.first_min), free_min: Number(v.free_min), depths: v.depths.split(/[,\uff0c\s]+/).filter(Boolean).map(Number), floor_pct: Number(v.floor_pct),
      floor_binds_free: v.floor_binds_free, wait_for_profit: v.wait_for_profit, screen_pct: Number(v.screen_pct), hold_out_pct: Number(v.hold_out_pct),
    }),
    doing, done: props.done,
  })
  return (
    <Sheet title={t('rule_of', { name: props.name })}>
      <Form form={form} label={t('edit')}>
        <TextField form={form} name="first_min" label={t('first_min')} />
        <TextField form={form} name="free_min" label={t('free_min')} />
        <TextField form={form} name="depths" label={t('depths')} hint={t('depths_hint')} />
        <TextField form={form} name="floor_pct" label={t('floor_pct')} />
        <SwitchField form={form} name="floor_binds_free" label={t('floor_binds_free')} />
        <SwitchField form={form} name="wait_for_profit" label={t('wait_for_profit')} />
        <TextField form={form} name="screen_pct" label={t('screen_pct')} />
        <TextField form={form} name="hold_out_pct" label={t('hold_out_pct')} />
        <FormActs form={form} save={t('save')} onCancel={props.done} />
      </Form>
    </Sheet>
  )
}

const send = (body: { category_id: string; first_min: number; free_min: number; depths: number[]; floor_pct: number; floor_binds_free: boolean; wait_for_profit: boolean; screen_pct: number; hold_out_pct: number }) =>
  act(['rule', body], (header) => client.PUT('/api/clear/rules', { params: { header }, body }))
