import { client, DataTable, Empty, FilterBar, must, PageHead, ProblemBox, SitePick, SkeletonLines, useFilters, useFormat, useListing, useSite, useText, type Column, type SaleRow } from '@kit'
import { DayFigures } from './DayFigures'
import { isSlipNo, SaleBadge, salesText, useDay } from './shared'

const states = ['paid', 'awaiting_payment', 'failed', 'voided'] as const

export default function Sales() {
  const t = useText(salesText)
  const f = useFormat()
  const place = useSite()
  const [filter] = useFilters()
  const { date } = filter
  const typed = filter['q'] ?? ''
  const q = isSlipNo(typed) ? typed.trim() : undefined // a whole number is looked for in all days
  const state = states.find((s) => s === filter['state'])
  const site = place.site?.id
  const today = useDay(site, undefined)
  const day = useDay(site, date ?? today.data?.date, { skip: !date && !today.data })
  const shown = date ?? (q ? undefined : today.data?.date)
  const sales = useListing(['sales', 'list', site, shown, q, state], (after, signal) =>
    must(client.GET('/api/till/sales', { params: { query: { limit: 100, site_id: site ?? '', ...(shown ? { date: shown } : {}), ...(q ? { q } : {}), ...(state ? { state } : {}), ...(after ? { after } : {}) } }, signal })),
    { skip: !site || (!shown && !q) })
  const columns: Column<SaleRow>[] = [
    { key: 'slip', head: t('slip'), cell: (s) => s.slip_no, by: (s) => s.slip_no },
    { key: 'at', head: t('sold_at'), cell: (s) => <span title={f.exact(s.sold_at)}>{f.at(s.sold_at)}</span>, by: (s) => s.sold_at },
    { key: 'state', head: t('state'), cell: (s) => <SaleBadge sale={s} /> },
    { key: 'register', head: t('register'), cell: (s) => s.register, wide: true },
    { key: 'cashier', head: t('cashier'), cell: (s) => s.cashier },
    { key: 'total', head: t('amount'), unit: '¥', right: true, cell: (s) => f.money(s.total_fen), by: (s) => s.total_fen },
    { key: 'back', head: t('refunded'), unit: '¥', right: true, cell: (s) => (s.refunded_fen ? f.money(s.refunded_fen) : ''), by: (s) => s.refunded_fen },
  ]
  const dated = day.data?.date
  return (
    <>
      <PageHead title={t('title')} note={dated && f.day(dated)}><SitePick {...place} /></PageHead>
      <div className="zg-stack">
        {day.problem && <ProblemBox problem={day.problem} again={day.again} />}
        {day.data ? <DayFigures day={day.data} unfinished={!date || date === today.data?.date} /> : day.loading && <SkeletonLines lines={3} />}
        <div>
          <FilterBar filters={[
            { kind: 'search', name: 'q', label: t('search') },
            { kind: 'date', name: 'date', label: t('date'), ...(today.data ? { max: today.data.date } : {}) },
            { kind: 'choice', name: 'state', label: t('state'), options: states.map((s) => ({ value: s, label: t(`state_${s}`) })) },
          ]} />
          <DataTable label={t('title')} rows={typed && !q ? { ...sales, rows: sales.rows.filter((s) => s.slip_no.toLowerCase().includes(typed.toLowerCase())) } : sales} columns={columns} rowKey={(s) => s.id} to={(s) => `/sales/${s.id}`}
            empty={typed || state ? <Empty title={t('none_title')}>{t('none')}</Empty> : <Empty title={t('empty_title')} action={<a href="/till/">{t('to_till')}</a>}>{t('empty')}</Empty>} />
        </div>
      </div>
    </>
  )
}
