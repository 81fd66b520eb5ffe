import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { parseMoney } from '@kit/format'
import { likelyCash } from './entry'
import { Keypad } from './Keypad'
import { plain } from './quantity'
import { tillText } from './words'

export function CashPanel(props: {
  total: number
  entry: string
  busy: boolean
  type: (key: string) => void
  clear: () => void
  give: (fen: number) => void // received
}) {
  const t = useText(tillText)
  const f = useFormat()
  const given = props.entry.trim() === '' ? props.total : parseMoney(plain(props.entry))
  const enough = given !== undefined && given >= props.total
  return (
    <div className="pay">
      <dl className="pay-sums" aria-live="polite">
        <div><dt>{t('due')}</dt><dd>{f.yuan(props.total)}</dd></div>
        <div><dt>{t('given')}</dt><dd>{given === undefined ? '—' : f.yuan(given)}</dd></div>
        {given !== undefined && !enough
          ? <div className="short"><dt>{t('short_by', { amount: f.yuan(props.total - given) })}</dt><dd /></div>
          : <div className="pay-change"><dt>{t('change')}</dt><dd>{given === undefined ? '—' : f.yuan(given - props.total)}</dd></div>}
      </dl>
      <div className="quick">
        <button type="button" disabled={props.busy} onClick={() => props.give(props.total)}>{t('exact_button')}</button>
        {likelyCash(props.total).map((fen) => (
          <button key={fen} type="button" disabled={props.busy} onClick={() => props.give(fen)}>{f.yuan(fen)}</button>
        ))}
      </div>
      <Keypad type={props.type} clear={props.clear} enter={() => enough && given !== undefined && props.give(given)} enterWord={props.busy ? t('selling') : t('take')} />
    </div>
  )
}

const demoEndings = ['90', '91', '92', '93', '94', '95', '96'] as const

export function MobilePanel(props: { total: number; busy: boolean; demo: boolean; scan: (code: string) => void }) {
  const t = useText(tillText)
  const f = useFormat()
  return (
    <div className="pay">
      <dl className="pay-sums"><div><dt>{t('due')}</dt><dd>{f.yuan(props.total)}</dd></div></dl>
      <div className="pay-wait">
        <svg width="72" height="72" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.4" aria-hidden="true">
          <rect x="7" y="2.5" width="10" height="19" rx="2" /><path d="M10 18.5h4M9.5 6.5h2v2h-2zM12.5 6.5h2v2h-2zM9.5 9.5h2v2h-2zM12.5 9.5h2v2h-2z" />
        </svg>
        <strong>{props.busy ? t('selling') : t('mobile_wait')}</strong>
        <span>{t('mobile_type')}</span>
      </div>
      {props.demo && (
        <fieldset className="demo">
          <legend>{t('demo_codes')}</legend>
          {demoEndings.map((end) => (
            <button key={end} type="button" className="plain" disabled={props.busy} onClick={() => props.scan(`1300000000000000${end}`)}>{t(`demo_${end}`)}</button>
          ))}
        </fieldset>
      )}
    </div>
  )
}
