import { useEffect, useRef, useState } from 'react'
import { useFormat } from '@kit/format'
import { asProblem, type Problem, type Sale } from '@kit/api'
import { useText } from '@kit/i18n'
import { Badge, Strip, useProblemWords } from '@kit/states'
import { askPayment, cancelPayment, stateOf, toneOf } from './api'
import { Slip } from './Slip'
import { tillText } from './words'

/** After paying: the change and the slip. While a mobile payment is open: what to do, and since when. */
export function ResultPanel(props: {
  sale: Sale
  changed: (sale: Sale) => void
  next: () => void
  otherWay: () => void
}) {
  const t = useText(tillText)
  const f = useFormat()
  const { sale } = props
  const state = stateOf(sale)

  if (sale.state === 'awaiting_payment') return <Waiting {...props} />
  return (
    <div className="result">
      <div className="result-main">
        <Badge tone={toneOf[state]}>{t(`state_${state}`)}</Badge>
        {sale.state === 'paid' && (
          <dl className="pay-sums">
            <div><dt>{t('total')}</dt><dd>{f.yuan(sale.total_fen)}</dd></div>
            {sale.change_fen > 0 && <div className="pay-change"><dt>{t('change')}</dt><dd>{f.yuan(sale.change_fen)}</dd></div>}
          </dl>
        )}
        {(sale.state === 'failed' || sale.state === 'voided') && (
          <>
            {gaveUp(sale) || sale.state === 'voided'
              ? <Strip tone="plain">{t(sale.state === 'voided' ? 'slip_voided' : 'given_up')}</Strip>
              : <Strip tone="red"><strong>{t('failed')}</strong> {t('failed_note')}</Strip>}
            <LateMoney sale={sale} />
          </>
        )}
        <div className="result-acts">
          {sale.state === 'paid'
            ? <>
                <button type="button" className="primary" onClick={props.next}>{t('next_customer')} <kbd>Enter</kbd></button>
                <button type="button" className="plain" onClick={() => print()}>{t('print')} <kbd>Ctrl P</kbd></button>
              </>
            : <button type="button" className="primary" onClick={props.otherWay}>{t('pay_other_way')} <kbd>Enter</kbd></button>}
        </div>
      </div>
      {sale.state === 'paid' && <Slip sale={sale} />}
    </div>
  )
}

const gaveUp = (sale: Sale): boolean => sale.trail.some((step) => step.act === 'given_up')

/** A sale that was given up while its payment was open: what became, or may yet become, of the money. */
export function LateMoney(props: { sale: Sale }) {
  const t = useText(tillText)
  if (!gaveUp(props.sale)) return null
  const mobile = props.sale.tenders.filter((x) => x.kind === 'mobile')
  if (mobile.some((x) => x.state === 'open')) return <Strip tone="amber">{t('cancel_waits')}</Strip>
  if (mobile.some((x) => x.state === 'returning')) return <Strip tone="amber">{t('late_returning')}</Strip>
  if (mobile.some((x) => x.state === 'given_back' || x.state === 'cash')) return <Strip tone="amber">{t('late')}</Strip>
  return null
}

const askEvery = 2_500

function Waiting(props: { sale: Sale; changed: (sale: Sale) => void }) {
  const t = useText(tillText)
  const f = useFormat()
  const words = useProblemWords()
  const { sale } = props
  const unknown = stateOf(sale) === 'unknown'
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const [seconds, setSeconds] = useState(0)
  const turn = useRef(Date.now())
  const flying = useRef(false)

  const doIt = async (what: () => Promise<Sale>, shown: boolean) => {
    if (flying.current) return
    flying.current = true
    if (shown) setBusy(true)
    try {
      const now = await what()
      setProblem(undefined)
      props.changed(now)
    } catch (error) {
      const p = asProblem(error)
      if (shown || !p.unknown) setProblem(p)
    } finally {
      flying.current = false
      if (shown) setBusy(false)
    }
  }
  const ask = (shown: boolean) => doIt(() => askPayment(sale.id, turn.current++), shown)
  const latest = useRef(ask)
  latest.current = ask

  useEffect(() => {
    const began = Date.now()
    const poll = setInterval(() => void latest.current(false), askEvery)
    const tick = setInterval(() => setSeconds(Math.round((Date.now() - began) / 1000)), 1000)
    return () => {
      clearInterval(poll)
      clearInterval(tick)
    }
  }, [sale.id])

  return (
    <div className="result waiting" aria-live="polite">
      <div className="result-main">
        <Badge tone={unknown ? 'red' : 'amber'}>{t(unknown ? 'state_unknown' : 'state_awaiting_payment')}</Badge>
        <h2>{t(unknown ? 'unknown' : 'awaiting')}</h2>
        <dl className="pay-sums">
          <div><dt>{t('due')}</dt><dd>{f.yuan(sale.total_fen)}</dd></div>
        </dl>
        <p>{t(unknown ? 'unknown_note' : 'awaiting_note')}</p>
        <p className="quiet">{t('waited', { span: f.duration(seconds) })} · {t('slip_no')} {sale.slip_no}</p>
        {problem && <Strip tone="red">{words(problem)}</Strip>}
        <div className="result-acts">
          <button type="button" className="primary" disabled={busy} onClick={() => void ask(true)}>{busy ? t('asking') : t('ask_again')} <kbd>Enter</kbd></button>
          <button
            type="button" className="plain" disabled={busy}
            onClick={() => void doIt(() => cancelPayment(sale.id), true)}
          >{t('cancel_payment')}</button>
        </div>
      </div>
    </div>
  )
}

/** A sale whose answer never came: asked again by itself with the same key. */
export function LostPanel(props: { at: number; total: number; mine: boolean; who: string; busy: boolean; again: () => void }) {
  const t = useText(tillText)
  const f = useFormat()
  const [seconds, setSeconds] = useState(() => Math.round((Date.now() - props.at) / 1000))
  useEffect(() => {
    const tick = setInterval(() => setSeconds(Math.round((Date.now() - props.at) / 1000)), 1000)
    return () => clearInterval(tick)
  }, [props.at])
  return (
    <div className="result waiting" role="alert">
      <div className="result-main">
        <Badge tone="red">{t('state_unknown')}</Badge>
        <h2>{t('not_settled')}</h2>
        <dl className="pay-sums"><div><dt>{t('due')}</dt><dd>{f.yuan(props.total)}</dd></div></dl>
        <p>{props.mine ? t('not_settled_note') : t('not_settled_other', { name: props.who })}</p>
        <p className="quiet">{t('waited', { span: f.duration(seconds) })}</p>
        {props.mine && <div className="result-acts"><button type="button" className="primary" disabled={props.busy} onClick={props.again}>{props.busy ? t('asking') : t('try_now')} <kbd>Enter</kbd></button></div>}
      </div>
    </div>
  )
}
