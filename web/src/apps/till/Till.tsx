import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent as ReactKey, type ReactNode } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { asProblem, Problem, type Me, type ReducedBatch, type Sale, type Tender, type TillProduct } from '@kit/api'
import { parseMoney, useFormat } from '@kit/format'
import { isSeparatorKey, separatorShown } from '@kit/gs1'
import { useText } from '@kit/i18n'
import { useLive } from '@kit/live'
import { useSession } from '@kit/session'
import { Strip, useProblemWords, type Tone } from '@kit/states'
import { askPayment, lookUp, priceOf } from './api'
import { add, change, emptyCart, lineIn, mostLines, move, remove, revive, roughTotal, step, type Cart, type CartLine, type Goods } from './cart'
import { CartView } from './CartView'
import { keyed, looksLikeCode, readEntry, readMoneyEntry, wasScanned, type Pace } from './entry'
import { goodsOf, GoodsPanel, isWeighed, useGoods } from './GoodsPanel'
import { HelpPanel } from './HelpPanel'
import { Keypad } from './Keypad'
import { kept } from '@kit/kept'
import { LinePanel } from './LinePanel'
import { CashPanel, MobilePanel } from './PayPanels'
import { parseQty, plain, roughBuys } from './quantity'
import { useQuote } from './quote'
import { LostPanel, ResultPanel } from './ResultPanel'
import { SalePanel, SalesPanel } from './SalesPanel'
import { isLabel, reducedGoods, ReducedPanel, useReduced } from './ReducedPanel'
import { useSeller, type Pending } from './seller'
import { Slip } from './Slip'
import { sound } from './sound'
import { StateBar, type Site } from './StateBar'
import { tillText } from './words'

type Panel =
  | { kind: 'goods' }
  | { kind: 'keys' }
  | { kind: 'reduced' }
  | { kind: 'weigh'; goods: Goods; more?: Pick<CartLine, 'batch_id' | 'batch_code'> }
  | { kind: 'line'; id: number }
  | { kind: 'cash' }
  | { kind: 'mobile' }
  | { kind: 'result'; sale: Sale }
  | { kind: 'sales' }
  | { kind: 'sale'; id: string }
  | { kind: 'help' }

interface Said {
  tone: Tone
  text: ReactNode
  undo?: Cart
}

const goodsPanel: Panel = { kind: 'goods' }

/** Of what is typed or scanned: a GS1 symbol with lot, serial number and dates has a hundred characters. */
const longest = 160

export function Till(props: { site: Site; sites: Me['sites']; register: string; chooseSite: (id: string) => void; chooseRegister: (code: string) => void; registers: string[] }) {
  const { site, register } = props
  const t = useText(tillText)
  const f = useFormat()
  const words = useProblemWords()
  const queries = useQueryClient()
  const { me, can } = useSession()
  const slot = `${site.id}/${register}`

  const [cart, setCartState] = useState<Cart>(() => revive(kept.read(`zg.till.cart.${slot}`)))
  const [panel, setPanel] = useState<Panel>(goodsPanel)
  const [said, setSaid] = useState<Said>()
  const [entry, setEntry] = useState('')
  const [category, setCategory] = useState('')
  const [hit, setHit] = useState(0)
  const [lastSale, setLastSale] = useState<Sale>()
  const [openSale, setOpenSale] = useState<Sale>()
  const [paying, setPaying] = useState(false)
  const [reachable, setReachable] = useState(navigator.onLine)
  const box = useRef<HTMLInputElement>(null)
  const pace = useRef<Pace>(undefined)
  const panelBox = useRef<HTMLDivElement>(null)

  const cartNow = useRef(cart)
  const setCart = useCallback((next: Cart) => {
    cartNow.current = next
    setCartState(next)
    kept.write(`zg.till.cart.${slot}`, next.lines.length === 0 ? null : JSON.stringify(next))
  }, [slot])

  const say = useCallback((tone: Tone, text: ReactNode, undo?: Cart) => {
    setSaid(undo ? { tone, text, undo } : { tone, text })
    if (tone === 'red') sound.refused()
  }, [])
  const show = useCallback((next: Panel) => {
    setPanel(next)
    setEntry('')
    setHit(0)
    pace.current = undefined
    box.current?.focus({ preventScroll: true })
  }, [])

  // --- goods and price

  const typed = readEntry(entry)
  const word = panel.kind === 'goods' && !looksLikeCode(typed.rest) ? typed.rest : ''
  const [q, setQ] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => { setQ(word); setHit(0) }, word ? 150 : 0)
    return () => clearTimeout(timer)
  }, [word])
  const goods = useGoods(site.id, q, category)
  const known = useRef(new Map<string, TillProduct>())
  for (const p of goods.rows) for (const code of p.barcodes ?? []) known.current.set(code, p)
  useLive(['price.', 'catalog.'], () => known.current.clear())

  const reduced = useReduced(site.id)

  const { quote, problem: quoteProblem, ask } = useQuote(site.id, cart)
  const rough = roughTotal(cart)
  const total = quote?.total_fen ?? rough
  const [refusedAt, setRefusedAt] = useState<{ cart: Cart; field: string }>() // by the sale itself; until the cart changes
  const refusedLine = useMemo(() => {
    const field = quoteProblem?.field ?? (refusedAt && refusedAt.cart.lines === cart.lines ? refusedAt.field : '')
    const match = /^lines\[(\d+)\]/.exec(field)
    return match ? Number(match[1]) : undefined
  }, [quoteProblem, refusedAt, cart])

  useEffect(() => {
    if (!quoteProblem) return
    if (quoteProblem.unknown) setReachable(false)
    else say('red', words(quoteProblem))
    // the words of a problem change with the language only
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [quoteProblem, say])
  useEffect(() => {
    if (quote) setReachable(true)
  }, [quote])

  // The price of a line has changed since it was put into the cart: say so once, and take it over.
  useEffect(() => {
    if (!quote) return
    const moved = quote.lines.findIndex((l, i) => cart.lines[i] && cart.lines[i].price_fen !== l.price_fen)
    const line = cart.lines[moved]
    const now = quote.lines[moved]
    if (!line || !now) return
    say('amber', t('price_now', { name: line.name, price: f.yuan(now.price_fen) }))
    setCart({ ...cart, lines: cart.lines.map((l, i) => ({ ...l, price_fen: quote.lines[i]?.price_fen ?? l.price_fen })) })
    void queries.invalidateQueries({ queryKey: ['till', 'products'] })
  }, [quote, cart, say, setCart, t, f, queries])

  // --- selling

  const sold = useCallback((sale: Sale) => {
    setLastSale(sale)
    setReachable(true)
    kept.write(`zg.till.waiting.${slot}`, sale.state === 'awaiting_payment' ? sale.id : null)
    if (sale.state === 'paid') {
      setCart(emptyCart)
      setSaid(undefined)
      sound.paid()
      for (const subject of ['till', 'stock', 'sales', 'clear']) void queries.invalidateQueries({ queryKey: [subject] })
    } else if (sale.state !== 'awaiting_payment') sound.refused()
    show({ kind: 'result', sale })
  }, [queries, setCart, show, slot])

  const refusedBy = useCallback((problem: Problem) => {
    say('red', words(problem))
    setRefusedAt({ cart: cartNow.current, field: problem.field ?? '' })
    setPanel(goodsPanel)
    setEntry('')
    // price_changed, stock_short: what the screen shows is old
    void queries.invalidateQueries({ queryKey: ['till'] })
    void ask()
  }, [ask, queries, say, words])

  const seller = useSeller({
    slot,
    me: { id: me.id, name: me.display_name || me.name },
    onSettled: (answer: Sale | Problem, _pending: Pending) => (answer instanceof Problem ? refusedBy(answer) : sold(answer)),
  })
  const waiting = panel.kind === 'result' && panel.sale.state === 'awaiting_payment'
  const locked = seller.pending !== undefined || waiting || paying

  // A mobile payment that was open when the page went away.
  useEffect(() => {
    const id = kept.read(`zg.till.waiting.${slot}`)
    if (!id) return
    askPayment(id, Date.now()).then((sale) => (sale.state === 'awaiting_payment' ? show({ kind: 'result', sale }) : sold(sale)), () => undefined)
    // once, for this register
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [slot])

  const pay = useCallback(async (tenderOf: (totalFen: number) => Tender) => {
    if (locked || cartNow.current.lines.length === 0) return
    if (!navigator.onLine) { // nothing was sent, so nothing may be booked later behind the cashier's back
      setReachable(false)
      sound.refused()
      return
    }
    setPaying(true)
    try {
      const priced = quote ?? (await ask())
      if (priced instanceof Problem) {
        say('red', words(priced))
        return
      }
      const sum = priced.total_fen
      const answer = await seller.sell({
        site_id: site.id, register, lines: cartNow.current.lines.map(lineIn), tenders: [tenderOf(sum)], expect_total_fen: sum,
      })
      if (answer instanceof Problem) refusedBy(answer)
      else if (answer) sold(answer)
      else {
        setReachable(false)
        sound.refused()
      }
    } finally {
      setPaying(false)
    }
  }, [ask, locked, quote, refusedBy, register, say, seller, site.id, sold, words])

  const give = (fen: number) => void pay((sum) => ({ kind: 'cash', amount_fen: sum, given_fen: Math.max(fen, sum) }))
  // What was scanned and not yet weighed must not be forgotten on the way to the money.
  const unweighed = () => {
    if (panel.kind !== 'weigh') return false
    say('amber', t('weigh_first', { name: panel.goods.name }))
    sound.refused()
    return true
  }
  const exact = () => { if (!unweighed()) void pay((sum) => ({ kind: 'cash', amount_fen: sum, given_fen: sum })) }
  const scanPay = (code: string) => void pay((sum) => ({ kind: 'mobile', amount_fen: sum, pay_code: code }))

  const openPay = (kind: 'cash' | 'mobile') => {
    if (locked || unweighed()) return
    setSaid(undefined)
    if (cart.lines.length === 0) say('amber', t('pay_nothing'))
    else show({ kind })
  }
  const next = () => show(goodsPanel)

  // --- the cart

  const put = useCallback((g: Goods, thousandths: number, more?: Pick<CartLine, 'amount_fen' | 'batch_id' | 'batch_code'>) => {
    setCart(add(cartNow.current, g, thousandths, more))
    setSaid(undefined)
    sound.taken()
  }, [setCart])

  const take = useCallback((p: TillProduct, times: number | undefined) => {
    if (locked) {
      say('red', t('busy_sale'))
      return
    }
    const g = goodsOf(p)
    if (g.weighed && times === undefined) show({ kind: 'weigh', goods: g })
    else {
      put(g, times ?? 1000)
      show(goodsPanel)
    }
  }, [locked, put, say, show, t])

  const takeReduced = useCallback((b: ReducedBatch, times: number | undefined) => {
    if (locked) {
      say('red', t('busy_sale'))
      return
    }
    const g = reducedGoods(b)
    if (g.weighed && times === undefined) show({ kind: 'weigh', goods: g, more: { batch_id: b.batch_id, batch_code: b.label } })
    else put(g, times ?? 1000, { batch_id: b.batch_id, batch_code: b.label })
  }, [locked, put, say, show, t])

  const takeCode = useCallback(async (code: string, times: number | undefined) => {
    if (locked) {
      say('red', t('busy_sale'))
      return
    }
    const p = known.current.get(code)
    if (p) {
      take(p, times)
      return
    }
    try {
      const marked = isLabel(code) ? await reduced.find(code) : undefined
      if (marked) {
        takeReduced(marked, times)
        return
      }
      const found = await lookUp(site.id, code)
      if (found.refused) {
        say('red', found.refused.text)
        return
      }
      const unit = found.product.units.find((u) => u.name === found.unit)
      const g: Goods = { product_id: found.product.id, name: found.product.name, unit: found.unit, price_fen: found.price_fen ?? 0 /* no price here: the quote says so */, weighed: unit?.weighed || isWeighed(found.unit), by_money: unit?.weighed ?? false }
      const batch = found.batch_id ? { batch_id: found.batch_id, batch_code: found.lot } : {}
      if (found.amount_fen !== null) put(g, Math.max(1, roughBuys(found.amount_fen, g.price_fen)), { ...batch, amount_fen: found.amount_fen })
      else if (found.qty !== null) put(g, Math.round(Number(found.qty) * 1000), batch)
      else if (g.weighed && times === undefined) show({ kind: 'weigh', goods: g })
      else put(g, times ?? 1000, batch)
      setReachable(true)
    } catch (error) {
      const problem = asProblem(error)
      if (problem.unknown) setReachable(false)
      say('red', problem.status === 404 ? t('not_found', { code }) : words(problem))
    }
  }, [locked, put, reduced, say, show, site.id, t, take, takeReduced, words])

  const drop = (id: number) => {
    if (locked) return
    const before = cartNow.current
    const line = before.lines.find((l) => l.id === id)
    if (!line) return
    setCart(remove(before, id))
    say('plain', t('removed', { name: line.name }), before)
    if (panel.kind === 'line') show(goodsPanel)
  }
  const empty = () => {
    if (locked || cart.lines.length === 0) return
    const before = cartNow.current
    setCart({ ...emptyCart, next: before.next })
    say('plain', t('emptied'), before)
    show(goodsPanel)
  }
  const undo = () => {
    if (!said?.undo || locked) return
    setCart(said.undo)
    setSaid(undefined)
  }
  const stepLine = (id: number, by: 1 | -1) => {
    if (!locked) setCart(step(cartNow.current, id, by))
  }
  const edit = (id: number) => {
    if (locked) return
    setCart({ ...cartNow.current, chosen: id })
    show({ kind: 'line', id })
  }
  const changeUnit = async (id: number, unit: string) => {
    const l = cartNow.current.lines.find((x) => x.id === id)
    if (!l || l.unit === unit) return
    try {
      const price_fen = await priceOf(site.id, l.product_id, unit)
      setCart(change(cartNow.current, id, { unit, price_fen, weighed: isWeighed(unit), by_money: false, amount_fen: undefined }))
      setSaid(undefined)
    } catch (error) {
      say('red', words(asProblem(error)))
    }
  }

  // --- the entry box

  const enter = () => {
    const raw = entry
    const scanned = wasScanned(pace.current)
    pace.current = undefined
    const text = plain(raw)
    const { times, rest, bad } = readEntry(raw)
    const isCode = looksLikeCode(rest) && (scanned || rest.length >= 8)

    if (seller.pending) {
      if (text !== '') say('red', t('busy_sale'))
      else seller.again()
      setEntry('')
      return
    }
    switch (panel.kind) {
      case 'cash': {
        if (scanned && isCode) break
        const fen = text === '' ? total : parseMoney(text)
        if (fen === undefined || fen > 100_000_000) say('red', t('bad_qty', { text }))
        else if (fen < total) say('red', t('short_by', { amount: f.yuan(total - fen) }))
        else give(fen)
        return
      }
      case 'mobile':
        if (/^(\d{8}|\d{12,14})$/.test(text) && scanned) break
        if (!/^[0-9A-Za-z]{16,64}$/.test(text)) {
          if (text !== '') say('red', t('bad_pay_code'))
          setEntry('')
          return
        }
        setEntry('')
        scanPay(text)
        return
      case 'line':
      case 'weigh': {
        if (isCode && scanned) break
        if (text === '' && panel.kind === 'line') {
          show(goodsPanel)
          return
        }
        const money = readMoneyEntry(text)
        const of = panel.kind === 'weigh' ? panel.goods : cartNow.current.lines.find((l) => l.id === panel.id)
        if (money !== undefined && of?.by_money) {
          const amount_fen = parseMoney(money)
          if (!amount_fen) {
            say('red', t('bad_qty', { text }))
            setEntry('')
            return
          }
          const thousandths = Math.max(1, roughBuys(amount_fen, of.price_fen))
          if (panel.kind === 'line') setCart(change(cartNow.current, panel.id, { thousandths, amount_fen }))
          else put(panel.goods, thousandths, { amount_fen })
          show(goodsPanel)
          return
        }
        const qty = parseQty(text.replace(/[*×]$/, ''))
        if (qty === undefined) {
          say('red', t('bad_qty', { text }))
          setEntry('')
          return
        }
        if (panel.kind === 'line') setCart(change(cartNow.current, panel.id, { thousandths: qty, amount_fen: undefined }))
        else put(panel.goods, qty, panel.more)
        show(goodsPanel)
        return
      }
      case 'result':
        if (text === '') {
          if (waiting) {
            panelBox.current?.querySelector<HTMLButtonElement>('button.primary')?.click()
            return
          }
          if (panel.sale.state === 'paid') next()
          else show({ kind: 'cash' })
          return
        }
        if (waiting) {
          say('red', t('busy_sale'))
          setEntry('')
          return
        }
        break
      case 'sales':
        panelBox.current?.querySelector<HTMLButtonElement>('.sales-list button')?.click()
        return
      default:
    }

    if (bad) {
      say('red', t('bad_qty', { text: raw }))
      setEntry('')
      return
    }
    if (rest === '') {
      const id = cart.chosen
      if (times !== undefined && id !== undefined) setCart(change(cartNow.current, id, { thousandths: times, amount_fen: undefined }))
      setEntry('')
      return
    }
    const top = goods.rows[hit]
    if (!looksLikeCode(rest) && panel.kind === 'goods') {
      if (top && q === rest && !goods.stale) {
        setEntry('')
        take(top, times)
      } else if (q === rest && !goods.stale && !goods.loading && !goods.problem) say('red', t('goods_no_match', { q: rest }))
      return
    }
    if (panel.kind !== 'goods') setPanel(goodsPanel)
    setEntry('')
    void takeCode(rest, times)
  }

  const type = (key: string) => {
    setEntry((now) => (now + key).slice(0, longest))
    box.current?.focus({ preventScroll: true })
  }
  const clear = () => {
    setEntry('')
    box.current?.focus({ preventScroll: true })
  }

  const onBoxKey = (e: ReactKey<HTMLInputElement>) => {
    if (e.nativeEvent.isComposing) return
    if (e.key === 'Enter') {
      e.preventDefault()
      enter()
      return
    }
    if (isSeparatorKey(e)) {
      e.preventDefault()
      setEntry((now) => (now + separatorShown).slice(0, longest))
    }
    if (e.key.length === 1) pace.current = keyed(pace.current, performance.now())
    const chosen = cart.chosen
    if (panel.kind === 'sales') {
      if (e.key === 'ArrowDown') {
        e.preventDefault()
        panelBox.current?.querySelector<HTMLButtonElement>('.sales-list button')?.focus()
      }
    } else if (entry === '' && !locked) {
      if ((e.key === '+' || e.key === '=') && chosen !== undefined) { e.preventDefault(); stepLine(chosen, 1) }
      else if (e.key === '-' && chosen !== undefined) { e.preventDefault(); stepLine(chosen, -1) }
      else if (e.key === 'ArrowDown') { e.preventDefault(); setCart(move(cartNow.current, 1)) }
      else if (e.key === 'ArrowUp') { e.preventDefault(); setCart(move(cartNow.current, -1)) }
      else if (e.key === 'Delete' && chosen !== undefined) { e.preventDefault(); drop(chosen) }
    } else if (panel.kind === 'goods' && (e.key === 'ArrowDown' || e.key === 'ArrowUp')) {
      e.preventDefault()
      setHit((h) => Math.max(0, Math.min(goods.rows.length - 1, h + (e.key === 'ArrowDown' ? 1 : -1))))
    }
  }

  // Keys that work wherever the focus is; printable ones find their way into the box.
  const keys = useRef<(e: KeyboardEvent) => void>(() => {})
  keys.current = (e) => {
    if (e.isComposing) return
    const plainKey = !e.ctrlKey && !e.metaKey && !e.altKey
    const target = e.target as HTMLElement | null
    const inField = target !== null && target !== box.current && target.closest('input, textarea, select, [contenteditable], [role="dialog"], .ant-popover') !== null
    const go = (what: () => void) => {
      e.preventDefault()
      what()
    }
    if (plainKey) {
      if (e.key === 'F1') return go(() => show(panel.kind === 'help' ? goodsPanel : { kind: 'help' }))
      if (e.key === 'F2') return go(() => { if (locked || !can('sales.read')) return; setSaid(undefined); show(panel.kind === 'sales' ? goodsPanel : { kind: 'sales' }) })
      if (e.key === 'F4') return go(() => { if (cart.chosen !== undefined) edit(cart.chosen) })
      if (e.key === 'F8') return go(() => openPay('mobile'))
      if (e.key === 'F9') return go(() => openPay('cash'))
      if (e.key === 'F10') return go(exact)
      if (e.key === 'Escape' && target?.closest('[role="dialog"], .ant-popover') == null) {
        return go(() => {
          if (entry !== '') clear()
          else if (panel.kind === 'sale') show({ kind: 'sales' })
          else if (panel.kind !== 'goods' && !waiting) show(goodsPanel)
          else setSaid(undefined)
        })
      }
    } else if (e.ctrlKey && e.key === 'z' && !inField && entry === '' && said?.undo) return go(undo)
    if (!inField && plainKey && target !== box.current && e.key.length === 1 && e.key !== ' ') box.current?.focus({ preventScroll: true })
  }
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => keys.current(e)
    addEventListener('keydown', onKey, true)
    return () => removeEventListener('keydown', onKey, true)
  }, [])
  useEffect(() => {
    const look = () => setReachable(navigator.onLine)
    addEventListener('online', look)
    addEventListener('offline', look)
    return () => {
      removeEventListener('online', look)
      removeEventListener('offline', look)
    }
  }, [])
  useEffect(() => box.current?.focus({ preventScroll: true }), [])

  // A finger that taps the box wants the screen's keyboard; a box that is only kept in focus must not raise it.
  const [wantsKeys, setWantsKeys] = useState(false)
  const line = panel.kind === 'line' ? cart.lines.find((l) => l.id === panel.id) : undefined
  const openUnit = panel.kind === 'weigh' ? panel.goods.unit : line?.unit
  const placeholder =
    panel.kind === 'cash' ? t('entry_cash')
    : panel.kind === 'mobile' ? t('entry_mobile')
    : openUnit !== undefined ? t('entry_qty', { unit: f.unit(openUnit) })
    : panel.kind === 'sales' ? t('sales_find')
    : t('entry')
  const hint =
    panel.kind === 'cash' ? t('hint_cash')
    : panel.kind === 'mobile' ? t('hint_mobile')
    : panel.kind === 'weigh' ? t('weigh', { name: panel.goods.name })
    : panel.kind === 'line' ? t('hint_qty')
    : panel.kind === 'sales' ? t('hint_sales')
    : waiting || seller.pending ? t('hint_waiting')
    : t('hint_goods')
  const cashIsNext = cart.lines.length > 0 && !locked && (panel.kind === 'goods' || panel.kind === 'keys')

  const printed = openSale ?? (panel.kind === 'result' ? panel.sale : lastSale)
  const saidOnPanel = useCallback((text: string) => {
    say('green', text)
    for (const subject of ['till', 'stock', 'sales']) void queries.invalidateQueries({ queryKey: [subject] })
  }, [queries, say])

  return (
    <div className="till">
      <StateBar
        site={site} sites={props.sites} chooseSite={props.chooseSite} register={register} registers={props.registers} chooseRegister={props.chooseRegister}
        cashier={me.display_name || me.name} online={reachable} lastSale={lastSale} locked={locked} sales={() => show({ kind: 'sales' })} help={() => show({ kind: 'help' })}
      />
      <main className={`counter panel-${panel.kind}`}>
        <section className="cart" aria-label={t('cart')}>
          <CartView cart={cart} quote={quote} locked={locked} refusedLine={refusedLine} choose={(id) => setCart({ ...cartNow.current, chosen: id })} step={stepLine} edit={edit} remove={drop} />
          <div className="cart-foot">
            <div className="cart-total">
              <span>{t('total')}<small>{cart.lines.length > 0 && t('lines', { n: cart.lines.length })}</small></span>
              <output aria-live="polite" className={quote || cart.lines.length === 0 ? '' : 'rough'}>{f.yuan(cart.lines.length === 0 ? 0 : total)}</output>
              <small className="cart-tax">{quote && cart.lines.length > 0 ? t('tax_in', { amount: f.yuan(quote.tax_fen) }) : cart.lines.length > 0 ? t('reckoning') : '\u00a0'}</small>
            </div>
            <div className="cart-acts">
              <button type="button" className="plain" disabled={locked || cart.lines.length === 0} onClick={empty}>{t('empty_cart')}</button>
              <button type="button" className="plain" disabled={locked} onClick={() => openPay('mobile')}>{t('mobile')} <kbd>F8</kbd></button>
              <button type="button" className={cashIsNext ? 'primary' : 'plain'} disabled={locked} onClick={() => openPay('cash')}>{t('cash')} <kbd>F9</kbd></button>
              <button type="button" className="plain exact" disabled={locked || cart.lines.length === 0} onClick={exact}>{paying ? t('selling') : t('exact', { amount: cart.lines.length === 0 ? '' : f.yuan(total) })} <kbd>F10</kbd></button>
            </div>
          </div>
        </section>

        <section className="right">
          <div className="entry-row">
            <input
              ref={box} className="entry" value={entry} maxLength={longest} placeholder={placeholder} aria-label={placeholder}
              autoComplete="off" autoCorrect="off" autoCapitalize="none" spellCheck={false} enterKeyHint="done" inputMode={wantsKeys ? 'text' : 'none'}
              onPointerDown={() => setWantsKeys(true)} onBlur={() => setWantsKeys(false)}
              onChange={(e) => setEntry(e.target.value)} onKeyDown={onBoxKey}
            />
            {reduced.rows.length > 0 && <button type="button" className={`plain keys${panel.kind === 'reduced' ? ' on' : ''}`} aria-pressed={panel.kind === 'reduced'} onClick={() => show(panel.kind === 'reduced' ? goodsPanel : { kind: 'reduced' })}>{t('reduced')} {reduced.rows.length}</button>}
            <button type="button" className={`plain keys${panel.kind === 'keys' ? ' on' : ''}`} aria-pressed={panel.kind === 'keys'} onClick={() => show(panel.kind === 'keys' ? goodsPanel : { kind: 'keys' })}>{panel.kind === 'keys' ? t('goods') : t('keys')}</button>
          </div>
          <div className="strip-row">
            {!reachable && !said && <Strip tone="red">{t('offline_note')}</Strip>}
            {said && <Strip tone={said.tone} action={said.undo && <button type="button" className="link" onClick={undo}>{t('undo')} <kbd>Ctrl Z</kbd></button>}>{said.text}</Strip>}
            {reachable && !said && <p className="hint">{cart.lines.length >= mostLines ? t('lines', { n: mostLines }) : hint}</p>}
          </div>
          <div className="panel" ref={panelBox}>
            {seller.lost && seller.pending
              ? <LostPanel at={seller.pending.at} total={seller.pending.sale.expect_total_fen} mine={seller.pending.who === me.id} who={seller.pending.whoName} busy={seller.busy} again={seller.again} />
              : panel.kind === 'goods' ? <GoodsPanel goods={goods} q={q} hit={q ? hit : -1} category={category} chooseCategory={setCategory} take={(p) => take(p, typed.bad ? undefined : typed.times)} />
              : panel.kind === 'reduced' ? <ReducedPanel rows={reduced.rows} take={(b) => takeReduced(b, typed.bad ? undefined : typed.times)} />
              : panel.kind === 'keys' ? <Keypad type={type} clear={clear} enter={enter} enterWord="↵" star />
              : panel.kind === 'weigh' ? <div className="line-panel"><h2>{panel.goods.name}</h2><Keypad type={type} clear={clear} enter={enter} enterWord={t('done')} money={panel.goods.by_money ?? false} />{panel.goods.by_money && <p className="note">{t('by_money_hint')}</p>}</div>
              : panel.kind === 'line' && line ? <LinePanel site={site.id} line={line} type={type} clear={clear} enter={enter} change={(what) => setCart(change(cartNow.current, line.id, what))} changeUnit={(unit) => void changeUnit(line.id, unit)} />
              : panel.kind === 'cash' ? <CashPanel total={total} entry={entry} busy={paying} type={type} clear={clear} give={give} />
              : panel.kind === 'mobile' ? <MobilePanel total={total} busy={paying} demo={me.demo} scan={scanPay} />
              : panel.kind === 'result' ? <ResultPanel sale={panel.sale} changed={(sale) => (sale.state === 'awaiting_payment' ? setPanel({ kind: 'result', sale }) : sold(sale))} next={next} otherWay={() => show({ kind: 'cash' })} />
              : panel.kind === 'sales' ? <SalesPanel site={site.id} q={plain(entry)} open={(id) => show({ kind: 'sale', id })} />
              : panel.kind === 'sale' ? <SalePanel id={panel.id} register={register} back={() => show({ kind: 'sales' })} resume={(sale) => show({ kind: 'result', sale })} said={saidOnPanel} shown={setOpenSale} />
              : panel.kind === 'help' ? <HelpPanel />
              : null}
          </div>
        </section>
      </main>
      {printed && printed.state !== 'awaiting_payment' && <div className="paper" aria-hidden="true"><Slip sale={printed} again={openSale !== undefined} /></div>}
    </div>
  )
}
