import { PrinterOutlined } from '@ant-design/icons'
import { all, Badge, client, DataTable, Facts, must, PageHead, ProblemBox, Sheet, SkeletonLines, Steps, Trail, useFormat, usePageTitle, useRead, useText, type Column, type Sale, type SaleLine, type TrailEntry } from '@kit'
import { Button } from 'antd'
import { Link, useParams } from 'react-router-dom'
import { SaleBadge, salesText, stateOf } from './shared'

export default function OneSale() {
  const { id = '' } = useParams()
  const t = useText(salesText)
  const read = useRead(['sales', 'one', id], () => must(client.GET('/api/till/sales/{id}', { params: { path: { id } } })))
  const sale = read.data
  usePageTitle(sale && t('sale_title', { no: sale.slip_no }))
  if (!sale) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={10} />
  return <Slip sale={sale} />
}

function Slip(props: { sale: Sale }) {
  const { sale } = props
  const t = useText(salesText)
  const f = useFormat()
  const state = stateOf(sale)
  const end = state === 'voided' ? 'voided' : state === 'failed' ? 'failed' : state === 'refunded' || state === 'part_refunded' ? 'refunded' : undefined
  const steps = [
    { key: 'rung', label: t('step_rung'), at: sale.sold_at },
    ...(end === 'failed' ? [] : [{ key: 'paid', label: t('step_paid') }]),
    ...(end ? [{ key: end, label: t(`step_${end}`) }] : []),
  ]
  const bundleOf = (l: SaleLine) => sale.bundles.find((b) => l.line_no >= b.first_line && l.line_no < b.first_line + b.line_count)
  const columns: Column<SaleLine>[] = [
    { key: 'name', head: t('product'), cell: (l) => {
      const bundle = bundleOf(l)
      return <><Link to={`/goods/${l.product_id}`}>{l.name}</Link>{bundle && <div className="zg-note">{t('in_bundle', { name: bundle.name, qty: f.qty({ qty: bundle.qty, unit: bundle.unit }), amount: f.yuan(bundle.amount_fen) })}</div>}</>
    } },
    { key: 'qty', head: t('qty'), right: true, cell: (l) => f.qty(l) },
    { key: 'price', head: t('price'), unit: '¥', right: true, cell: (l) => (bundleOf(l) ? '–' : f.money(l.price_fen)) },
    { key: 'sum', head: t('sum'), unit: '¥', right: true, cell: (l) => f.money(l.amount_fen) },
    { key: 'tax', head: t('line_tax'), unit: '¥', right: true, cell: (l) => <span title={`${f.decimal(String(l.tax_pct))}%`}>{f.money(l.tax_fen)}</span>, wide: true },
    { key: 'back', head: t('returned'), right: true, cell: (l) => (Number(l.refunded_qty) > 0 ? f.qty({ qty: l.refunded_qty, unit: l.unit }) : '') },
    { key: 'batches', head: t('batches'), cell: (l) => l.batches.map((b, i) => <span key={b.batch_id}>{i > 0 && ' '}<Link to={`/stock/batches/${b.batch_id}`}>{f.decimal(b.base_qty)}</Link></span>), wide: true },
  ]
  return (
    <>
      <PageHead title={t('sale_title', { no: sale.slip_no })} back={{ to: `/sales?site=${sale.site_id}&date=${sale.business_date}`, label: t('title') }} note={<SaleBadge sale={sale} />}>
        <Button icon={<PrinterOutlined />} onClick={() => print()}>{t('print')}</Button>
      </PageHead>
      <div className="zg-stack">
        <Sheet><Steps label={t('state')} steps={steps} current={end ?? (sale.state === 'paid' ? 'paid' : 'rung')} bad={end === 'failed' || end === 'voided'} /></Sheet>
        <div className="zg-figures">
          <div className="zg-figure"><span className="zg-figure-label">{t('total')}</span><span className="zg-figure-value">{f.yuan(sale.total_fen)}</span><span className="zg-note">{t('tax')} {f.yuan(sale.tax_fen)}</span></div>
          <div className="zg-figure"><span className="zg-figure-label">{t('refunded')}</span><span className="zg-figure-value">{f.yuan(sale.refunded_fen)}</span></div>
          {sale.tenders.map((x, i) => (
            <div key={i} className="zg-figure">
              <span className="zg-figure-label">{t(x.kind)} <Badge tone={x.state === 'done' ? 'green' : x.state === 'open' ? 'amber' : 'plain'}>{t(`tender_state_${x.state}`)}</Badge></span>
              <span className="zg-figure-value">{f.yuan(x.amount_fen)}</span>
              <span className="zg-note">{x.kind === 'cash' ? `${t('given')} ${f.yuan(x.given_fen)} · ${t('change')} ${f.yuan(sale.change_fen)}` : [x.reason, x.ref && `${t('ref')} ${x.ref}`].filter(Boolean).join(' · ')}</span>
            </div>
          ))}
        </div>
        <DataTable label={t('lines')} rows={all(sale.lines)} columns={columns} rowKey={(l) => String(l.line_no)} empty={null} />
        {sale.refunds.length > 0 && (
          <Sheet title={t('refunds_title')}>
            <div className="zg-stack">
              {sale.refunds.map((r) => (
                <div key={r.id}>
                  <h3>{r.refund_no} · {f.yuan(r.amount_fen)}</h3>
                  <p className="zg-note"><span title={f.exact(r.refunded_at)}>{f.at(r.refunded_at)}</span> · {r.cashier} · {t('reason')} {r.reason}</p>
                  <ul className="zg-list">
                    {r.lines.map((l) => {
                      const sold = sale.lines.find((s) => s.line_no === l.line_no)
                      return <li key={l.line_no}>{sold?.name} · {f.qty({ qty: l.qty, unit: sold?.unit ?? '' })} · {f.yuan(l.amount_fen)} · {t(`back_${l.back}`)}</li>
                    })}
                    {r.tenders.map((x, i) => <li key={`t${i}`}>{t(x.kind)} {f.yuan(x.amount_fen)} <Badge tone={x.state === 'open' ? 'amber' : x.state === 'refused' ? 'red' : 'green'}>{t(`refund_state_${x.state}`)}</Badge> {x.reason}</li>)}
                  </ul>
                </div>
              ))}
            </div>
          </Sheet>
        )}
        <div className="zg-columns">
          <Sheet>
            <Facts facts={[
              [t('site'), sale.site_name], [t('register'), sale.register], [t('cashier'), sale.cashier],
              [t('business_date'), f.day(sale.business_date)], [t('sold_at'), <span key="at" title={f.exact(sale.sold_at)}>{f.at(sale.sold_at)}</span>],
              ...sale.taxes.map((x) => [t('tax_rate', { pct: f.decimal(String(x.tax_pct)) }), `${f.yuan(x.amount_fen)} · ${t('tax')} ${f.yuan(x.tax_fen)}`] as const),
            ]} />
          </Sheet>
          <Sheet title={t('trail')}><Trail label={t('trail')} entries={trailOf(sale, t, f)} /></Sheet>
        </div>
      </div>
    </>
  )
}

type Words = ReturnType<typeof useText<typeof salesText.zh>>

function trailOf(sale: Sale, t: Words, f: ReturnType<typeof useFormat>): TrailEntry[] {
  const who = (id: string) => (id === '' || id === '0' ? t('system') : id === sale.staff_id ? sale.cashier : t('someone'))
  return [
    { key: 'sold', at: sale.sold_at, who: sale.cashier, what: t('trail_sold') },
    ...sale.trail.map((e, i) => ({ key: `e${i}`, at: e.at, who: who(e.staff_id), what: [t(`trail_${e.act}`), e.note].filter(Boolean).join(' · ') })),
    ...sale.refunds.map((r) => ({ key: r.id, at: r.refunded_at, who: r.cashier, what: t('trail_refund', { no: r.refund_no, amount: f.yuan(r.amount_fen) }) })),
  ].sort((a, b) => b.at.localeCompare(a.at))
}
