import { act, client, DataTable, DateField, Empty, Figure, FilterBar, Form, FormActs, MoneyField, must, ofThousandths, PageHead, parseMoney, Parts, ProblemBox, Sheet, SkeletonLines, Strip, TextField, thousandths, useAct, useCan, useFilters, useForm, useFormat, useListing, useProblemWords, useRead, useText, type Column, type Movement } from '@kit'
import { App, Button } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router-dom'
import { documentLink, useMovementWords } from '../stock/shared'
import { ledgerText } from './text'

/** A statement of one account: opening, every movement with its document, closing; and whether it may go below zero. */
export default function AccountPage() {
  const { id = '' } = useParams()
  const t = useText(ledgerText)
  const f = useFormat()
  const words = useMovementWords()
  const can = useCan()
  const [filter] = useFilters()
  const { from, to } = filter
  const query = { ...(from ? { from } : {}), ...(to ? { to } : {}) }
  const read = useRead(['ledger', 'statement', id, from, to], (signal) => must(client.GET('/api/ledger/accounts/{id}/statement', { params: { path: { id }, query: { ...query, limit: 1 } }, signal })))
  const list = useListing(['ledger', 'movements', id, from, to], (after, signal) => must(client.GET('/api/ledger/accounts/{id}/statement', { params: { path: { id }, query: { ...query, limit: 50, ...(after ? { after } : {}) } }, signal })))
  const batch = useRead(['stock', 'batch', id], () => must(client.GET('/api/stock/batches/{id}', { params: { path: { id } } })).catch(() => null), { skip: !can('stock.read') || read.data?.money !== false })
  const s = read.data
  if (!s) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const unit = batch.data?.unit
  const show = (fen: number, goods: string) => (s.money ? f.yuan(fen) : unit ? f.qty({ qty: goods, unit }) : f.decimal(goods))
  const amount = (m: Movement) => (s.money ? f.money(m.amount_fen) : f.decimal(m.qty))
  const opening = s.money ? s.opening_fen : thousandths(s.opening)
  const closing = s.money ? s.closing_fen : thousandths(s.closing)
  const written = (v: number) => (s.money ? f.yuan(v) : unit ? f.qty({ qty: ofThousandths(v), unit }) : f.decimal(ofThousandths(v)))
  const inUnit = s.money ? { unit: '¥' } : unit ? { unit: f.unit(unit) } : {}
  const columns: Column<Movement>[] = [
    { key: 'at', head: t('at'), cell: (m) => <span title={f.exact(m.at)}>{f.at(m.at)}</span> },
    { key: 'date', head: t('business_date'), cell: (m) => f.day(m.business_date), wide: true },
    { key: 'document', head: t('movement'), cell: (m) => {
      const there = documentLink(m.kind, m.id)
      return <>{there ? <Link to={there}>{words.document(m.kind)}</Link> : words.document(m.kind)}{m.corrects && <span className="zg-note"> {t('corrects', { what: words.document(m.corrects.split(':')[0] ?? m.corrects) })}</span>}</>
    } },
    { key: 'other', head: t('counterpart'), cell: (m) => words.other(m.other, m.kind), wide: true },
    { key: 'qty', head: t(s.money ? 'amount' : 'qty'), ...inUnit, right: true, cell: (m) => f.signed(amount(m)) },
    { key: 'balance', head: t('balance'), ...inUnit, right: true, cell: (m) => <b>{s.money ? f.money(m.balance_fen) : f.decimal(m.balance)}</b> },
  ]
  return (
    <>
      <PageHead title={t('account')} {...(batch.data ? { back: { to: `/stock/batches/${id}`, label: `${t('batch')} ${batch.data.code}` }, note: batch.data.product } : {})} />
      <FilterBar filters={[{ kind: 'date', name: 'from', label: t('from') }, { kind: 'date', name: 'to', label: t('to') }]} />
      <div className="zg-stack">
        <div className="zg-figures">
          <Figure label={t('opening')} value={show(s.opening_fen, s.opening)} />
          <Figure label={t('change')} value={f.signed(written(closing - opening))} />
          <Figure label={t('closing_balance')} value={show(s.closing_fen, s.closing)} why={<><p className="zg-note">{t('adds_up')}</p><Parts parts={[{ label: t('opening'), value: opening }, { label: t('change'), value: closing - opening }]} total={closing} totalLabel={t('closing_balance')} format={written} /></>} />
          <Figure label={t('available')} value={show(s.available_fen, s.available)} note={t('available_note')} />
        </div>
        <DataTable label={t('account')} rows={list} columns={columns} rowKey={(m) => `${m.document} ${m.other} ${m.qty} ${m.amount_fen}`} empty={<Empty title={t('statement_empty_title')}>{t('statement_empty')}</Empty>} />
        <Allowance account={id} money={s.money} written={show} unit={s.money ? '¥' : unit ? f.unit(unit) : ''} />
      </div>
    </>
  )
}

function Allowance(props: { account: string; money: boolean; written: (fen: number, goods: string) => string; unit: string }) {
  const { account } = props
  const t = useText(ledgerText)
  const f = useFormat()
  const can = useCan()
  const { modal } = App.useApp()
  const words = useProblemWords()
  const [open, setOpen] = useState(false)
  const read = useRead(['ledger', 'allowance', account], (signal) => must(client.GET('/api/ledger/accounts/{id}/allowance', { params: { path: { id: account } }, signal })))
  const end = useAct(() => act(['end allowance', account, read.data?.allowance?.at], (header) => client.POST('/api/ledger/accounts/{id}/allowance/end', { params: { header, path: { id: account } } })), ['ledger'])
  const a = read.data?.allowance
  if (!read.data) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : null
  return (
    <Sheet title={t('allowance')} acts={can('ledger.allow') && !open && <span className="zg-acts">
      <Button onClick={() => setOpen(true)}>{t('allow')}</Button>
      {a && !a.by_rule && !a.ending && <Button danger loading={end.busy} onClick={() => void modal.confirm({ title: t('allow_end'), content: t('allow_end_sure'), okText: t('allow_end'), onOk: async () => { await end.run(undefined) } })}>{t('allow_end')}</Button>}
    </span>}>
      {end.problem && <Strip tone="red">{words(end.problem)}</Strip>}
      {!a ? <p className="zg-note">{t('allowance_none')}</p> : a.by_rule ? <p>{t('allowance_rule', { reason: a.reason })}</p> : (
        <Strip tone="amber">
          {a.ending ? t('allowance_ending') : t('allowance_now', { low: props.written(a.low_fen, a.low), until: a.until ? f.at(a.until) : '–' })}
          <div className="zg-note">{t('allowance_by', { by: a.by, at: f.at(a.at), reason: a.reason })}</div>
        </Strip>
      )}
      {open && <Allow account={account} money={props.money} unit={props.unit} done={() => setOpen(false)} />}
    </Sheet>
  )
}

function Allow(props: { account: string; money: boolean; unit: string; done: () => void }) {
  const t = useText(ledgerText)
  const doing = useAct((body: { reason: string; until: string; down?: string; down_fen?: number }) => act(['allow', props.account, body], (header) => client.POST('/api/ledger/accounts/{id}/allowance', { params: { header, path: { id: props.account } }, body })), ['ledger'])
  const form = useForm({
    initial: { down: '', until: '', reason: '' },
    required: ['down', 'until', 'reason'],
    body: (v) => ({ reason: v.reason.trim(), until: `${v.until}T23:59:59+08:00`, ...(props.money ? { down_fen: parseMoney(v.down) ?? 0 } : { down: v.down.trim() }) }),
    doing,
    rename: (field) => (field === 'down_fen' ? 'down' : field),
    done: props.done,
  })
  return (
    <Form form={form} label={t('allow')}>
      <div className="zg-form-grid">
        {props.money ? <MoneyField form={form} name="down" label={t('allow_down')} width="s" /> : <TextField form={form} name="down" label={t('allow_down')} width="s" right inputMode="decimal" suffix={props.unit} />}
        <DateField form={form} name="until" label={t('allow_until')} width="s" />
        <TextField form={form} name="reason" label={t('allow_reason')} width="l" />
      </div>
      <FormActs form={form} save={t('allow_save')} onCancel={props.done} />
    </Form>
  )
}
