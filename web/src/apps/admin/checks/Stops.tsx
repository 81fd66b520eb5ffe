import { act, all, Badge, client, DataTable, Form, FormActs, must, ProblemBox, SelectField, Sheet, TextField, useAct, useCan, useForm, useFormat, useRead, useText, type Column } from '@kit'
import { Button } from 'antd'
import { useState } from 'react'
import type { components } from '../../../kit/api/schema'
import { useMovementWords } from '../stock/shared'
import { checksText as text, useProofName } from './names'

type Stop = components['schemas']['BooksStopView']

/** Kinds of documents that a red proof has stopped, and what was released: who, why, until when. */
export function Stops() {
  const t = useText(text)
  const f = useFormat()
  const can = useCan()
  const name = useProofName()
  const words = useMovementWords()
  const read = useRead(['checks', 'stops'], () => must(client.GET('/api/checks/stops')), { every: 5000 })
  const [opened, setOpened] = useState('')
  const stops = read.data?.items ?? []
  const stopped = stops.filter((s) => s.state === 'stopped')
  const past = stops.filter((s) => s.state !== 'stopped')
  const columns: Column<Stop>[] = [
    { key: 'kind', head: t('stop_kind'), cell: (s) => words.document(s.kind) },
    { key: 'site', head: t('stop_site'), cell: (s) => s.site || t('stop_everywhere') },
    { key: 'proof', head: t('proof'), cell: (s) => name(s.proof) },
    { key: 'state', head: t('result'), cell: (s) => <Badge tone={s.state === 'released' ? 'amber' : 'plain'}>{t(s.state === 'released' ? 'stop_released' : 'stop_over')}</Badge> },
    { key: 'who', head: t('stop_by'), cell: (s) => s.released_by },
    { key: 'why', head: t('stop_reason'), cell: (s) => s.reason },
    { key: 'until', head: t('stop_until'), cell: (s) => (s.until ? f.at(s.until) : '') },
  ]
  return (
    <>
      {read.problem && <ProblemBox problem={read.problem} again={read.again} />}
      {stopped.map((s) => (
        <Sheet key={s.id} title={s.site ? t('stop_title_at', { kind: words.document(s.kind), site: s.site }) : t('stop_title', { kind: words.document(s.kind) })} note={<span title={f.exact(s.found_at)}>{f.when(s.found_at)}</span>}>
          <p>{t('stop_because', { proof: name(s.proof), n: s.bad })}</p>
          {can('check.release') && (opened === s.id ? <Release stop={s} onCancel={() => setOpened('')} /> : <Button danger onClick={() => setOpened(s.id)}>{t('stop_release')}</Button>)}
        </Sheet>
      ))}
      {past.length > 0 && (
        <Sheet title={t('stop_past')} flush>
          <DataTable label={t('stop_past')} rows={all(past)} columns={columns} rowKey={(s) => s.id} empty={null} />
        </Sheet>
      )}
    </>
  )
}

function Release(props: { stop: Stop; onCancel: () => void }) {
  const t = useText(text)
  const { id } = props.stop
  const doing = useAct((body: { reason: string; days: number }) => act(['checks/release', id], (header) => client.POST('/api/checks/stops/{id}/release', { params: { header, path: { id } }, body })), ['checks'])
  const form = useForm({ initial: { reason: '', days: '7' }, required: ['reason'], body: (v) => ({ reason: v.reason, days: Number(v.days) }), doing })
  return (
    <Form form={form} label={t('stop_release')}>
      <div className="zg-form-grid">
        <TextField form={form} name="reason" label={t('stop_reason')} hint={t('stop_hint')} required width="l" maxLength={300} autoFocus />
        <SelectField form={form} name="days" label={t('stop_days')} width="s" options={['1', '7', '30'].map((value) => ({ value, label: t('stop_n_days', { n: Number(value) }) }))} />
      </div>
      <FormActs form={form} save={t('stop_release')} onCancel={props.onCancel} />
    </Form>
  )
}
