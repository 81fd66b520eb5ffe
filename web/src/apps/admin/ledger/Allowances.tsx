import { Badge, client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useFilters, useFormat, useListing, useSite, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { LedgerTabs } from './shared'
import { ledgerText } from './text'

type Row = components['schemas']['BooksAllowanceRow']
const books = ['stock', 'stock_value', 'till'] as const

/** Accounts of a site that may go below zero: how far, who allowed it, why and until when. */
export default function Allowances() {
  const t = useText(ledgerText)
  const f = useFormat()
  const place = useSite()
  const [filter] = useFilters()
  const site = place.site?.id
  const rules = filter['rules'] === '1'
  const past = filter['past'] === '1'
  const list = useListing(['ledger', 'allowances', site, rules, past], (after, signal) => must(client.GET('/api/ledger/allowances', { params: { query: { site_id: site ?? '', limit: 100, ...(rules ? { rules } : {}), ...(past ? { past } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const amount = (r: Row, fen: number, goods: string) => (r.money ? f.yuan(fen) : f.decimal(goods))
  const book = (name: string) => { const known = books.find((b) => b === name); return known ? t(`book_${known}`) : name }
  const columns: Column<Row>[] = [
    { key: 'book', head: t('account_of'), cell: (r) => book(r.book), by: (r) => book(r.book) },
    { key: 'low', head: t('down_to'), right: true, cell: (r) => <b>{amount(r, r.low_fen, r.low)}</b> },
    { key: 'now', head: t('now_there'), right: true, cell: (r) => { const n = r.money ? r.available_fen : Number(r.available); return n < 0 ? <span className="zg-badge zg-red">{amount(r, r.available_fen, r.available)}</span> : amount(r, r.available_fen, r.available) } },
    { key: 'by', head: t('allowed_by'), cell: (r) => (r.by_rule ? t('by_rule') : r.by) },
    { key: 'reason', head: t('allow_reason'), cell: (r) => r.reason },
    { key: 'at', head: t('at'), cell: (r) => <span title={f.exact(r.at)}>{f.at(r.at)}</span>, wide: true },
    { key: 'until', head: t('allow_until'), cell: (r) => (r.until ? <span title={f.exact(r.until)}>{f.at(r.until)}</span> : t('no_end')) },
    { key: 'state', head: t('state'), cell: (r) => (r.over ? <span className="zg-note">{t('allow_over')}</span> : r.ending ? <Badge tone="amber">{t('allow_ending')}</Badge> : <Badge tone="green">{t('in_force')}</Badge>) },
  ]
  return (
    <>
      <PageHead title={t('allowances')} note={t('allowances_note')}><SitePick {...place} /></PageHead>
      <LedgerTabs />
      <FilterBar filters={[{ kind: 'flag', name: 'rules', label: t('with_rules') }, { kind: 'flag', name: 'past', label: t('with_past') }]} />
      <DataTable label={t('allowances')} rows={list} columns={columns} rowKey={(r) => r.id} to={(r) => `/ledger/accounts/${r.account_id}`} empty={<Empty title={t('allowances_none_title')}>{t('allowances_none')}</Empty>} />
    </>
  )
}
