import { addDays, Figure, Parts, Strip, useFormat, useText, type DayFigures as Day } from '@kit'
import { salesText, useDay } from './shared'

/** The figures of a business day; each opens into what it is made of. */
export function DayFigures(props: { day: Day; unfinished: boolean }) {
  const { day } = props
  const t = useText(salesText)
  const f = useFormat()
  const before = useDay(day.site_id, addDays(day.date, -7))
  const weekday = f.weekday(day.date)
  const untaxed = day.net_fen - day.tax_fen
  const margin = untaxed - day.cost_fen
  const past = before.data && before.data.date === addDays(day.date, -7) ? before.data : undefined
  const comparison = past && past.net_fen > 0
    ? props.unfinished
      ? t('last_week', { weekday, amount: f.yuan(past.net_fen) })
      : t('against', { weekday, delta: f.signed(f.percent(day.net_fen / past.net_fen - 1)) })
    : undefined
  const counts = [day.refunds > 0 && t('refund_count', { n: day.refunds }), day.voided > 0 && t('voided_count', { n: day.voided }), day.awaiting > 0 && t('unsettled', { n: day.awaiting })].filter(Boolean)
  return (
    <>
      {!day.agree && <Strip tone="red">{t('disagree')}</Strip>}
      <div className="zg-figures">
        <Figure label={t('net')} value={f.yuan(day.net_fen)} note={comparison} whyTitle={t('net_why')} why={<NetWhy day={day} />} />
        <Figure label={t('slips')} value={f.number(day.slips)} note={[day.slips > 0 && t('average', { amount: f.yuan(Math.round(day.sales_fen / day.slips)) }), ...counts].filter(Boolean).join(' · ')} />
        <Figure label={t('margin')} value={f.yuan(margin)} {...(untaxed > 0 ? { note: t('margin_rate', { rate: f.percent(margin / untaxed) }) } : {})} whyTitle={t('margin_why')}
          why={<Parts parts={[{ label: t('net'), value: day.net_fen }, { label: t('tax'), value: -day.tax_fen }, { label: t('cost'), value: -day.cost_fen }]} total={margin} totalLabel={t('margin')} format={f.yuan} />} />
        <Figure label={t('tenders')} value={f.yuan(day.cash_fen + day.mobile_fen)} note={`${t('cash')} ${f.yuan(day.cash_fen)} · ${t('mobile')} ${f.yuan(day.mobile_fen)}`}
          why={<Parts parts={[{ label: t('cash'), value: day.cash_fen }, { label: t('mobile'), value: day.mobile_fen }]} total={day.net_fen} totalLabel={t('net')} format={f.yuan} />} />
      </div>
    </>
  )
}

function NetWhy(props: { day: Day }) {
  const { day } = props
  const t = useText(salesText)
  const f = useFormat()
  const rows = [['gross', 'sales_fen'], ['refunds', 'refunds_fen'], ['net', 'net_fen'], ['tax', 'tax_fen'], ['cost', 'cost_fen'], ['cash', 'cash_fen'], ['mobile', 'mobile_fen'], ['voids', 'voids_fen']] as const
  return (
    <>
      <Parts parts={[{ label: t('gross'), value: day.sales_fen, to: `/sales?site=${day.site_id}&date=${day.date}` }, { label: t('refunds'), value: -day.refunds_fen }]} total={day.net_fen} totalLabel={t('net')} format={f.yuan} />
      {day.taxes.length > 0 && (
        <section>
          <h3>{t('taxes')}</h3>
          <Parts parts={[...day.taxes.map((x) => ({ label: t('tax_rate', { pct: f.decimal(String(x.tax_pct)) }), value: x.amount_fen - x.tax_fen })), { label: t('tax'), value: day.tax_fen }]} total={day.net_fen} totalLabel={t('net')} format={f.yuan} />
        </section>
      )}
      <section>
        <h3>{t('day_note')}</h3>
        <table className="zg-parts">
          <thead><tr><th>{t('figure')}</th><th className="zg-num">{t('ledger')}</th><th className="zg-num">{t('documents')}</th></tr></thead>
          <tbody>{rows.map(([word, key]) => <tr key={key}><th scope="row">{t(word)}</th><td className="zg-num">{f.money(day[key])}</td><td className="zg-num">{f.money(day.documents[key])}</td></tr>)}</tbody>
        </table>
        <Strip tone={day.agree ? 'green' : 'red'}>{day.agree ? t('agree') : t('disagree')}</Strip>
      </section>
    </>
  )
}
