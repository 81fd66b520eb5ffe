import { act, Badge, client, DataTable, Empty, Facts, kitText, must, PageHead, Sheet, SitePick, Strip, useAct, useCan, useFilters, useFormat, useListing, useProblemWords, useRead, useSite, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { App, Button, Input, Segmented } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { LedgerTabs } from './shared'
import { ledgerText } from './text'

type Period = components['schemas']['BooksPeriodView']

/** Closed days and months of a site: how far, by whom, sealed or not; and closing. */
export default function Periods() {
  const t = useText(ledgerText)
  const f = useFormat()
  const can = useCan()
  const place = useSite()
  const [filter, set] = useFilters()
  const site = place.site?.id
  const span = filter['span'] === 'month' ? 'month' as const : 'day' as const
  const [open, setOpen] = useState(false)
  const head = useRead(['ledger', 'closed', site], (signal) => must(client.GET('/api/ledger/periods', { params: { query: { site_id: site ?? '', span: 'day', limit: 1 } }, signal })), { skip: !site, every: 15_000 })
  const list = useListing(['ledger', 'periods', site, span], (after, signal) => must(client.GET('/api/ledger/periods', { params: { query: { site_id: site ?? '', span, limit: 60, ...(after ? { after } : {}) } }, signal })), { skip: !site, every: 15_000 })
  const named = (p: string) => (p.length === 7 ? p : f.day(p))
  const columns: Column<Period>[] = [
    { key: 'period', head: t('period'), cell: (p) => <b>{named(p.period)}</b>, by: (p) => p.period },
    { key: 'state', head: t('state'), cell: (p) => <Badge tone={p.closed ? 'green' : 'amber'}>{t(p.closed ? 'closed' : 'closing')}</Badge> },
    { key: 'transfers', head: t('transfers'), right: true, cell: (p) => f.number(p.transfers), by: (p) => p.transfers },
    { key: 'by', head: t('by'), cell: (p) => p.asked_by || <span className="zg-note">{t('by_itself')}</span> },
    { key: 'at', head: t('closed_at'), cell: (p) => (p.closed_at ? <span title={f.exact(p.closed_at)}>{f.at(p.closed_at)}</span> : ''), wide: true },
    ...(span === 'day' ? [{ key: 'seal', head: t('seal'), cell: (p: Period) => (p.seal ? <span title={p.seal}><Badge tone="green">{t('sealed')}</Badge> <span className="zg-mono zg-note">{p.seal.slice(0, 12)}…</span></span> : <span className="zg-note">{t('not_sealed')}</span>), wide: true }] : []),
  ]
  const h = head.data
  const date = (d: string | undefined) => (d ? named(d) : <span className="zg-note">{t('nothing_yet')}</span>)
  return (
    <>
      <PageHead title={t('periods')} note={t('periods_note')}><SitePick {...place} />{can('ledger.close') && !open && <Button type="primary" disabled={!h} onClick={() => setOpen(true)}>{t('close')}</Button>}</PageHead>
      <LedgerTabs />
      <div className="zg-stack">
        {h && <Sheet><Facts facts={[[t('through'), date(h.through)], [t('stored'), date(h.stored)], [t('sealed_to'), date(h.sealed)], [t('today'), f.day(h.today)]]} /></Sheet>}
        {open && site && h && <Close key={site} site={site} before={h.today} onCancel={() => setOpen(false)} />}
        <div><Segmented value={span} onChange={(v) => set('span', v === 'month' ? 'month' : '')} options={[{ value: 'day', label: t('days') }, { value: 'month', label: t('months') }]} /></div>
        <DataTable label={t('periods')} rows={list} columns={columns} rowKey={(p) => p.period} empty={<Empty title={t('empty_title')}>{t('empty')}</Empty>} />
      </div>
    </>
  )
}

function Close(props: { site: string; before: string; onCancel: () => void }) {
  const t = useText(ledgerText)
  const k = useText(kitText)
  const f = useFormat()
  const { modal } = App.useApp()
  const words = useProblemWords()
  const [by, setBy] = useState<'day' | 'month'>('day')
  const [typed, setTyped] = useState('')
  const close = useAct((body: { site_id: string; through?: string; month?: string }) => act(['close', body], (header) => client.POST('/api/ledger/periods', { params: { header }, body })), ['ledger', 'jobs'])
  const ask = () => void modal.confirm({
    title: t('close_sure', { what: by === 'day' ? f.day(typed) : typed }), content: t('close_note'), okText: t('close'), okButtonProps: { danger: true },
    onOk: async () => { await close.run({ site_id: props.site, ...(by === 'day' ? { through: typed } : { month: typed }) }) },
  })
  return (
    <Sheet title={t('close')} note={t('close_note')}>
      <form className="zg-line" onSubmit={(e) => { e.preventDefault(); if (typed) ask() }}>
        <Segmented value={by} onChange={(v) => { setBy(v as 'day' | 'month'); setTyped('') }} aria-label={t('close_by')} options={[{ value: 'day', label: t('days') }, { value: 'month', label: t('months') }]} />
        <Input style={{ width: 180 }} type={by === 'day' ? 'date' : 'month'} aria-label={t(by === 'day' ? 'close_day' : 'close_month')} value={typed} max={by === 'day' ? props.before : props.before.slice(0, 7)} onChange={(e) => setTyped(e.target.value)} />
        <Button type="primary" htmlType="submit" disabled={!typed} loading={close.busy}>{t('close')}</Button>
        <Button onClick={props.onCancel}>{k('cancel')}</Button>
      </form>
      <div className="zg-gap" />
      {close.problem && <Strip tone="red">{close.problem.fields[0]?.detail || words(close.problem)}</Strip>}
      {close.data && <Strip tone="green" action={<Link to={`/jobs/${close.data.job_id}`}>{t('to_job')}</Link>}>{t('close_started')}</Strip>}
    </Sheet>
  )
}
