import { all, Badge, client, DataTable, Empty, Figure, FilterBar, must, PageHead, Parts, ProblemBox, Sheet, SitePick, SkeletonLines, useFilters, useFormat, useListing, usePageTitle, useRead, useSite, useText, type Column, type Movement } from '@kit'
import type { components } from '@kit/api/schema'
import { Link, useParams } from 'react-router-dom'
import { groupToday } from '../recipe/tree'
import { documentLink, useMovementWords } from '../stock/shared'
import { daysOf, useFlowName } from './shared'
import { ledgerText } from './text'

type Day = components['schemas']['LedgerFlowDayView']

/** A flow account by day: opening, what went in and out, closing; a day opens into its documents. */
export default function OneFlow() {
  const { flow = '' } = useParams()
  const t = useText(ledgerText)
  const f = useFormat()
  const place = useSite()
  const [filter, set] = useFilters()
  const site = place.site?.id
  const name = useFlowName()(flow)
  const title = name.kind ? `${name.name} ${name.kind}` : name.name
  usePageTitle(title)
  const { from, to } = daysOf(filter, groupToday())
  const read = useRead(['ledger', 'flow', flow, site, from, to], (signal) => must(client.GET('/api/ledger/flows/{flow}/statement', { params: { path: { flow }, query: { site_id: site ?? '', from, to } }, signal })), { skip: !site })
  const s = read.data
  const day = s?.days.find((d) => d.business_date === filter['day'])?.business_date
  const columns: Column<Day>[] = [
    { key: 'date', head: t('business_date'), cell: (d) => <>{f.day(d.business_date)} {d.closed && <Badge tone="green">{t('closed')}</Badge>}</> },
    { key: 'in', head: t('went_in'), unit: '¥', right: true, cell: (d) => f.money(d.in_fen) },
    { key: 'out', head: t('went_out'), unit: '¥', right: true, cell: (d) => f.money(d.out_fen) },
    { key: 'balance', head: t('balance'), unit: '¥', right: true, cell: (d) => <b>{f.money(d.balance_fen)}</b> },
    { key: 'transfers', head: t('transfers'), right: true, cell: (d) => f.number(d.transfers), wide: true },
  ]
  return (
    <>
      <PageHead title={<span className="zg-begins">{title}</span>} back={{ to: `/ledger/flows?from=${from}&to=${to}${site ? `&site=${site}` : ''}`, label: t('flows') }}><SitePick {...place} /></PageHead>
      <FilterBar filters={[{ kind: 'date', name: 'from', label: t('from') }, { kind: 'date', name: 'to', label: t('to') }]} />
      {!s ? (read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />) : (
        <div className="zg-stack">
          <div className="zg-figures">
            <Figure label={t('opening')} value={f.yuan(s.opening_fen)} />
            <Figure label={t('change')} value={f.signed(f.yuan(s.closing_fen - s.opening_fen))} />
            <Figure label={t('closing_balance')} value={f.yuan(s.closing_fen)} why={<><p className="zg-note">{t('adds_up')}</p><Parts parts={[{ label: t('opening'), value: s.opening_fen }, { label: t('change'), value: s.closing_fen - s.opening_fen }]} total={s.closing_fen} totalLabel={t('closing_balance')} format={(v) => f.yuan(v)} /></>} />
          </div>
          <DataTable label={title} rows={all(s.days)} columns={columns} rowKey={(d) => d.business_date} onOpen={(d) => set('day', d.business_date)} empty={<Empty title={t('statement_empty_title')}>{t('statement_empty')}</Empty>} />
          {day && site && <Movements key={day} flow={flow} site={site} date={day} />}
        </div>
      )}
    </>
  )
}

function Movements(props: { flow: string; site: string; date: string }) {
  const t = useText(ledgerText)
  const f = useFormat()
  const words = useMovementWords()
  const list = useListing(['ledger', 'flow day', props.flow, props.site, props.date], (after, signal) => must(client.GET('/api/ledger/flows/{flow}/movements', { params: { path: { flow: props.flow }, query: { site_id: props.site, date: props.date, limit: 50, ...(after ? { after } : {}) } }, signal })))
  const columns: Column<Movement>[] = [
    { key: 'document', head: t('movement'), cell: (m) => { const there = documentLink(m.kind, m.id); return there ? <Link to={there}>{words.document(m.kind)}</Link> : words.document(m.kind) } },
    { key: 'at', head: t('at'), cell: (m) => <span title={f.exact(m.at)}>{f.at(m.at)}</span> },
    { key: 'other', head: t('counterpart'), cell: (m) => (/^\d+$/.test(m.other) ? <Link to={`/ledger/accounts/${m.other}`}>{t('account')}</Link> : words.other(m.other, m.kind)), wide: true },
    { key: 'amount', head: t('amount'), unit: '¥', right: true, cell: (m) => <b>{f.signed(f.money(m.amount_fen))}</b> },
  ]
  return <Sheet title={t('documents_of', { day: f.day(props.date) })} flush><DataTable label={t('documents_of', { day: f.day(props.date) })} rows={list} columns={columns} rowKey={(m) => `${m.document} ${m.other} ${m.amount_fen} ${m.at}`} empty={<Empty title={t('statement_empty_title')} />} /></Sheet>
}
