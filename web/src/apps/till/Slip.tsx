import { useFormat } from '@kit/format'
import type { Sale } from '@kit/api'
import { useText } from '@kit/i18n'
import { useSession } from '@kit/session'
import { tillText } from './words'

/** What the customer takes home: on the screen, and on 80 mm paper. */
export function Slip(props: { sale: Sale; again?: boolean }) {
  const t = useText(tillText)
  const f = useFormat()
  const { sale } = props
  const { me } = useSession()
  return (
    <article className="slip" aria-label={t('slip')}>
      <header>
        <strong>{sale.site_name}</strong>
        <span>{t('register', { name: sale.register })}{props.again && <> · {t('slip_again')}</>}</span>
      </header>
      {me.demo && <p className="slip-stamp">{t('slip_demo')}</p>}
      {sale.state === 'voided' && <p className="slip-stamp">{t('slip_voided')}</p>}
      <dl>
        <div><dt>{t('slip_no')}</dt><dd>{sale.slip_no}</dd></div>
        <div><dt>{t('slip_time')}</dt><dd>{f.exact(sale.sold_at).slice(0, 19)}</dd></div>
        <div><dt>{t('slip_cashier')}</dt><dd>{sale.cashier}</dd></div>
      </dl>
      <ol>
        {sale.lines.map((l) => {
          const bundle = sale.bundles.find((b) => l.line_no >= b.first_line && l.line_no < b.first_line + b.line_count)
          // A bundle stands on the slip with its price; what is in it stands below, each with its share.
          if (bundle) {
            return (
              <li key={l.line_no}>
                {l.line_no === bundle.first_line && <><span>{bundle.name}</span><span className="slip-sum"><span>{f.decimal(bundle.qty)} {f.unit(bundle.unit)} × {f.money(bundle.price_fen)}</span><b>{f.money(bundle.amount_fen)}</b></span></>}
                <span className="slip-sum slip-part"><span>{l.name} {f.decimal(l.qty)} {f.unit(l.unit)}</span><span>{t('slip_share', { amount: f.money(l.amount_fen) })}</span></span>
              </li>
            )
          }
          return (
            <li key={l.line_no}>
              <span>{l.name}</span>
              <span className="slip-sum"><span>{f.decimal(l.qty)} {f.unit(l.unit)} × {f.money(l.price_fen)}</span><b>{f.money(l.amount_fen + l.off_fen)}</b></span>
              {l.off_fen > 0 && <span className="slip-sum"><span>{t('reduced')}</span><b>{f.money(-l.off_fen)}</b></span>}
            </li>
          )
        })}
      </ol>
      <dl className="slip-total">
        <div><dt>{t('total')} <small>{t('slip_count', { n: sale.lines.length })}</small></dt><dd>{f.yuan(sale.total_fen)}</dd></div>
        {sale.taxes.filter((x) => x.tax_fen !== 0).map((x) => <div key={x.tax_pct}><dt>{t('slip_tax', { pct: x.tax_pct })}</dt><dd>{f.yuan(x.tax_fen)}</dd></div>)}
        {sale.tenders.map((tender, i) => (
          <div key={i}>
            <dt>{tender.kind === 'cash' && tender.given_fen ? t('slip_given') : t(tender.kind)}</dt>
            <dd>{f.yuan(tender.kind === 'cash' && tender.given_fen ? tender.given_fen : tender.amount_fen)}</dd>
          </div>
        ))}
        {sale.change_fen > 0 && <div><dt>{t('change')}</dt><dd>{f.yuan(sale.change_fen)}</dd></div>}
      </dl>
      {sale.refunds.map((r) => (
        <dl key={r.id}>
          <div><dt>{t('slip_refunded')} {r.refund_no}</dt><dd>{f.yuan(-r.amount_fen)}</dd></div>
          {r.lines.map((l) => <div key={l.line_no}><dt>{sale.lines.find((x) => x.line_no === l.line_no)?.name}</dt><dd>{f.decimal(l.qty)} {f.unit(sale.lines.find((x) => x.line_no === l.line_no)?.unit ?? '')}</dd></div>)}
        </dl>
      ))}
      <footer>{t('slip_thanks')}</footer>
    </article>
  )
}
