import { Fragment, useEffect, useMemo, useState } from 'react'
import { useFormat } from '@kit/format'
import { asProblem, client, must, useListing, useRead, type Problem, type Sale } from '@kit/api'
import { useText } from '@kit/i18n'
import { useCan } from '@kit/session'
import { Badge, Empty, ProblemBox, SkeletonLines, Strip, useProblemWords } from '@kit/states'
import { askPayment, owedBack, payOut, refundSale, saleById, stateOf, toneOf, voidSale } from './api'
import { bundlesOf, wholeIn, withWhole } from './bundleBack'
import { qtyText, parseQty } from './quantity'
import { LateMoney } from './ResultPanel'
import { Slip } from './Slip'
import { tillText } from './words'

export function SalesPanel(props: { site: string; q: string; open: (id: string) => void }) {
  const t = useText(tillText)
  const f = useFormat()
  const whole = /^.+-\d{6}-\d{1,6}$/.test(props.q) ? props.q.toUpperCase() : '' // a whole slip number is asked of the server, a piece of one is looked for in what is shown
  const sales = useListing(['till', 'sales', props.site, whole], (after) =>
    must(client.GET('/api/till/sales', {
      params: { query: { site_id: props.site, limit: 30, ...(whole ? { q: whole } : {}), ...(after ? { after } : {}) } },
    })))
  const rows = whole ? sales.rows : sales.rows.filter((row) => row.slip_no.toLowerCase().includes(props.q.toLowerCase()))
  return (
    <div className="sales">
      <h2>{t('sales')}</h2>
      {sales.problem && sales.rows.length === 0 && <ProblemBox problem={sales.problem} again={sales.again} />}
      {sales.loading && <SkeletonLines lines={8} />}
      {!sales.loading && !sales.problem && sales.rows.length > 0 && rows.length === 0 && <Empty title={t('sales_no_match', { q: props.q })}>{t('sales_no_match_note')}</Empty>}
      {!sales.loading && !sales.problem && sales.rows.length === 0 && <Empty title={t('sales_none')}>{t('sales_none_note')}</Empty>}
      <ul
        className="sales-list"
        onKeyDown={(e) => {
          const row = (e.target as HTMLElement).closest('li')
          const to = e.key === 'ArrowDown' ? row?.nextElementSibling : e.key === 'ArrowUp' ? row?.previousElementSibling : undefined
          if (!to) return
          e.preventDefault()
          to.querySelector('button')?.focus()
        }}
      >
        {rows.map((sale) => {
          const state = stateOf(sale)
          return (
            <li key={sale.id}>
              <button type="button" onClick={() => props.open(sale.id)}>
                <span className="sales-no">{sale.slip_no}</span>
                <span title={f.exact(sale.sold_at)}>{f.at(sale.sold_at)}</span>
                <Badge tone={toneOf[state]}>{t(`state_${state}`)}</Badge>
                <b>{f.yuan(sale.total_fen)}</b>
              </button>
            </li>
          )
        })}
      </ul>
      {sales.more && <button type="button" className="plain wide" onClick={sales.more}>{t('more_sales')}</button>}
    </div>
  )
}

export function SalePanel(props: { id: string; register: string; back: () => void; resume: (sale: Sale) => void; said: (words: string) => void; shown: (sale: Sale | undefined) => void }) {
  const t = useText(tillText)
  const can = useCan()
  const f = useFormat()
  const read = useRead(['till', 'sale', props.id], () => saleById(props.id))
  const words = useProblemWords()
  const [doing, setDoing] = useState<'void' | 'refund'>()
  const act = useDoing()
  const sale = read.data?.id === props.id ? read.data : undefined
  const { shown } = props
  useEffect(() => {
    shown(sale)
    return () => shown(undefined)
  }, [sale, shown])

  if (read.problem && !sale) return <ProblemBox problem={read.problem} again={read.again} />
  if (!sale) return <SkeletonLines lines={8} />
  const state = stateOf(sale)
  const owed = owedBack(sale)
  const onItsWay = sale.refunds.some((r) => r.tenders.some((x) => x.state === 'open')) || (sale.state === 'voided' && owed === 0 && sale.tenders.some((x) => x.state === 'returning'))
  const done = (text: string) => {
    setDoing(undefined)
    props.said(text)
    read.again()
  }
  return (
    <div className="sale">
      <div className="sale-head">
        <button type="button" className="plain" onClick={props.back}>← {t('back_to_list')}</button>
        <Badge tone={toneOf[state]}>{t(`state_${state}`)}</Badge>
      </div>
      <div className="sale-body">
        <div className="sale-acts">
          {sale.state === 'awaiting_payment' && <button type="button" className="primary" onClick={() => props.resume(sale)}>{t('ask_again')}</button>}
          <LateMoney sale={sale} />
          {onItsWay && (
            <Strip tone="amber" action={<button type="button" className="link" disabled={act.busy} onClick={() => void act.run(async () => { await askPayment(sale.id, Date.now()); read.again() })}>{t('ask_again')}</button>}>{t('refund_pending')}</Strip>
          )}
          {owed > 0 && <Strip tone="red">{t('refund_failed')}</Strip>}
          {owed > 0 && can('till.refund') && (
            <button type="button" className="primary" disabled={act.busy} onClick={() => void act.run(async () => { await payOut(sale.id, props.register); done(t('paid_out', { amount: f.yuan(owed) })) })}>{t('pay_out', { amount: f.yuan(owed) })}</button>
          )}
          {act.problem && <Strip tone="red">{words(act.problem)}</Strip>}
          {doing === undefined && (
            <>
              <button type="button" className="plain" onClick={() => print()}>{t('print')} <kbd>Ctrl P</kbd></button>
              {sale.state === 'paid' && state !== 'refunded' && can('till.refund') && <button type="button" className="plain" onClick={() => setDoing('refund')}>{t('refund')}…</button>}
              {state === 'paid' && can('till.void') && <button type="button" className="plain" onClick={() => setDoing('void')}>{t('void')}…</button>}
            </>
          )}
          {doing === 'void' && <VoidForm sale={sale} cancel={() => setDoing(undefined)} done={() => done(t('voided', { no: sale.slip_no }))} />}
          {doing === 'refund' && <RefundForm sale={sale} register={props.register} cancel={() => setDoing(undefined)} done={(fen) => done(t('refunded', { amount: f.yuan(fen) }))} />}
        </div>
        {doing !== 'refund' && <Slip sale={sale} again />}
      </div>
    </div>
  )
}

function Reason(props: { options: readonly string[]; value: string; choose: (value: string) => void; question: string }) {
  const t = useText(tillText)
  return (
    <fieldset className="reason">
      <legend>{props.question}</legend>
      <div className="chips">
        {props.options.map((word) => (
          <button key={word} type="button" className={props.value === word ? 'chip on' : 'chip'} aria-pressed={props.value === word} onClick={() => props.choose(word)}>{word}</button>
        ))}
      </div>
      <input className="field" maxLength={100} placeholder={t('reason_other')} aria-label={t('reason_other')} value={props.options.includes(props.value) ? '' : props.value} onChange={(e) => props.choose(e.target.value)} />
    </fieldset>
  )
}

function useDoing() {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const run = async (what: () => Promise<void>) => {
    setBusy(true)
    setProblem(undefined)
    try {
      await what()
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }
  return { busy, problem, run }
}

function VoidForm(props: { sale: Sale; cancel: () => void; done: () => void }) {
  const t = useText(tillText)
  const f = useFormat()
  const words = useProblemWords()
  const [reason, setReason] = useState('')
  const { busy, problem, run } = useDoing()
  return (
    <form className="act" onSubmit={(e) => { e.preventDefault(); void run(async () => { await voidSale(props.sale.id, reason.trim()); props.done() }) }}>
      <Reason question={t('void_why')} options={[t('reason_wrong'), t('reason_changed'), t('reason_price')]} value={reason} choose={setReason} />
      {problem && <Strip tone="red">{words(problem)}</Strip>}
      <button type="submit" className="primary" disabled={busy || reason.trim() === ''}>{t('void_do', { amount: f.yuan(props.sale.total_fen) })}</button>
      <button type="button" className="plain" onClick={props.cancel}>{t('undo_act')}</button>
    </form>
  )
}

/** How much of each line may still come back, in thousandths. */
const leftOf = (sale: Sale): number[] => sale.lines.map((l) => (parseQty(l.qty) ?? 0) - (parseQty(l.refunded_qty ?? '') ?? 0))

function RefundForm(props: { sale: Sale; register: string; cancel: () => void; done: (fen: number) => void }) {
  const t = useText(tillText)
  const f = useFormat()
  const words = useProblemWords()
  const { sale } = props
  const left = useMemo(() => leftOf(sale), [sale])
  const [typed, setTyped] = useState<string[]>(() => left.map(() => '0')) // as typed: "0." is on its way to "0.25"
  const [back, setBack] = useState<'stock' | 'discard'>('stock')
  const [tender, setTender] = useState<'same' | 'cash'>('same')
  const [reason, setReason] = useState('')
  const { busy, problem, run } = useDoing()

  const within = (i: number, value: number) => Math.max(0, Math.min(left[i] ?? 0, value))
  const qty = typed.map((text, i) => within(i, parseQty(text) ?? 0))
  const write = (i: number, text: string) => setTyped((all) => all.map((old, k) => (k === i ? text : old)))
  const set = (i: number, value: number) => write(i, qtyText(within(i, value)))
  const bundles = useMemo(() => bundlesOf(sale), [sale])
  const chosen = qty.some((q) => q > 0)
  const about = sale.lines.reduce((sum, l, i) => {
    const of = parseQty(l.qty) ?? 0
    return sum + (of > 0 ? Math.round((l.amount_fen * (qty[i] ?? 0)) / of) : 0)
  }, 0)

  const submit = () => run(async () => {
    const lines = sale.lines.flatMap((l, i) => ((qty[i] ?? 0) > 0 ? [{ line_no: l.line_no, qty: qtyText(qty[i] ?? 0), back }] : []))
    const before = sale.refunded_fen
    const now = await refundSale(sale.id, { lines, reason: reason.trim(), tender, register: props.register }, before)
    props.done(now.refunded_fen - before)
  })

  return (
    <form className="act" onSubmit={(e) => { e.preventDefault(); void submit() }}>
      <div className="act-head">
        <h3>{t('refund_lines')}</h3>
        <button type="button" className="plain" onClick={() => setTyped(left.map(qtyText))}>{t('refund_all')}</button>
      </div>
      <ul className="refund-lines">
        {sale.lines.map((l, i) => {
          const most = left[i] ?? 0
          const bundle = bundles.find((b) => b.first === i)
          const part = bundles.some((b) => b.parts.some((p) => p.line === i))
          const of = bundle ? wholeIn(bundle, left) : 0
          const whole = bundle ? wholeIn(bundle, qty) : 0
          const take = (n: number) => bundle && setTyped(withWhole(bundle, n, qty, left).map(qtyText))
          return (
            <Fragment key={l.line_no}>
            {bundle && (
              <li className={of <= 0 ? 'gone' : ''}>
                <span className="cart-name"><b>{bundle.name}</b><small>{t('bundle_whole', { qty: f.qty({ qty: String(of), unit: bundle.unit }) })}</small></span>
                <span className="cart-qty">
                  <button type="button" disabled={whole <= 0} aria-label={`${t('fewer')} ${bundle.name}`} onClick={() => take(whole - 1)}>−</button>
                  <output className="cart-count" aria-label={`${t('quantity')} ${bundle.name}`}>{f.number(whole)}</output>
                  <button type="button" disabled={whole >= of} aria-label={`${t('bundle_one')} ${bundle.name}`} onClick={() => take(whole + 1)}>+</button>
                </span>
              </li>
            )}
            <li className={[most <= 0 ? 'gone' : '', part ? 'refund-part' : ''].filter(Boolean).join(' ')}>
              <span className="cart-name"><span>{l.name}</span><small>{part && <>{t('bundle_part')} · </>}{t('refund_left', { qty: f.qty({ qty: qtyText(most), unit: l.unit }) })} · {f.money(l.amount_fen)}</small></span>
              <span className="cart-qty">
                <button type="button" disabled={most <= 0} aria-label={`${t('fewer')} ${l.name}`} onClick={() => set(i, (qty[i] ?? 0) - 1000)}>−</button>
                <input
                  className="field" inputMode="decimal" disabled={most <= 0} aria-label={`${t('quantity')} ${l.name}`} value={typed[i] ?? '0'}
                  onFocus={(e) => e.target.select()} onChange={(e) => write(i, e.target.value)} onBlur={() => set(i, qty[i] ?? 0)}
                />
                <button type="button" disabled={most <= 0} aria-label={`${t('more')} ${l.name}`} onClick={() => set(i, (qty[i] ?? 0) + 1000)}>+</button>
              </span>
            </li>
            </Fragment>
          )
        })}
      </ul>
      <fieldset className="reason">
        <legend>{t('refund_back')}</legend>
        <div className="chips">
          {(['stock', 'discard'] as const).map((value) => (
            <button key={value} type="button" className={back === value ? 'chip on' : 'chip'} aria-pressed={back === value} onClick={() => setBack(value)}>{t(`back_${value}`)}</button>
          ))}
        </div>
      </fieldset>
      {sale.tenders.some((x) => x.kind === 'mobile') && (
        <fieldset className="reason">
          <legend>{t('refund_tender')}</legend>
          <div className="chips">
            {(['same', 'cash'] as const).map((value) => (
              <button key={value} type="button" className={tender === value ? 'chip on' : 'chip'} aria-pressed={tender === value} onClick={() => setTender(value)}>{t(`tender_${value}`)}</button>
            ))}
          </div>
        </fieldset>
      )}
      <Reason question={t('refund_why')} options={[t('reason_quality'), t('reason_bought_wrong'), t('reason_changed'), t('reason_expired')]} value={reason} choose={setReason} />
      {problem && <Strip tone="red">{words(problem)}</Strip>}
      <div className="act-foot">
        <p className="refund-sum">{t('refund_sum')} <b>{f.yuan(about)}</b></p>
        <button type="button" className="plain" onClick={props.cancel}>{t('undo_act')}</button>
        <button type="submit" className="primary" disabled={busy || !chosen || reason.trim() === ''}>{!chosen ? t('refund_nothing') : reason.trim() === '' ? t('reason_needed') : t('refund_do')}</button>
      </div>
    </form>
  )
}
