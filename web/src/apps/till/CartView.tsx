import { useEffect, useRef } from 'react'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import type { Cart } from './cart'
import { qtyText, roughAmount } from './quantity'
import type { Quote } from './quote'
import { tillText } from './words'

export function CartView(props: {
  cart: Cart
  quote: Quote | undefined
  locked: boolean
  refusedLine: number | undefined // index
  choose: (id: number) => void
  step: (id: number, by: 1 | -1) => void
  edit: (id: number) => void
  remove: (id: number) => void
}) {
  const t = useText(tillText)
  const f = useFormat()
  const chosenRow = useRef<HTMLLIElement>(null)
  useEffect(() => {
    chosenRow.current?.scrollIntoView({ block: 'nearest' })
  }, [props.cart.chosen, props.cart.lines.length])

  if (props.cart.lines.length === 0) {
    return <div className="cart-empty"><strong>{t('cart_empty')}</strong><span>{t('cart_empty_note')}</span></div>
  }
  return (
    <ol className="cart-lines" aria-label={t('cart')}>
      {props.cart.lines.map((line, i) => {
        const priced = props.quote?.lines[i]
        const chosen = line.id === props.cart.chosen
        const unit = f.unit(line.unit)
        return (
          <li
            key={line.id} ref={chosen ? chosenRow : undefined}
            className={`cart-line${chosen ? ' chosen' : ''}${props.refusedLine === i ? ' refused' : ''}`}
            aria-current={chosen} onClick={() => props.choose(line.id)}
          >
            <div className="cart-name">
              <span>{line.name}</span>
              <small>
                {t('each', { price: f.money(priced?.price_fen ?? line.price_fen), unit })}
                {line.amount_fen !== undefined && <> · {t('by_money')}</>}
                {line.batch_code && <> · {t('batch_is', { code: line.batch_code })}</>}
                {priced && priced.off_fen > 0 && <> · <b>{t('reduced_by', { amount: f.money(priced.off_fen) })}</b></>}
              </small>
            </div>
            <div className="cart-qty">
              <button type="button" disabled={props.locked} aria-label={`${t('fewer')} ${line.name}`} onClick={(e) => { e.stopPropagation(); props.step(line.id, -1) }}>−</button>
              <button type="button" disabled={props.locked} className="cart-count" aria-label={`${t('line')} ${line.name}`} onClick={(e) => { e.stopPropagation(); props.edit(line.id) }}>
                {f.decimal(line.amount_fen !== undefined && priced ? priced.qty : qtyText(line.thousandths))}<small>{unit}</small>
              </button>
              <button type="button" disabled={props.locked} aria-label={`${t('more')} ${line.name}`} onClick={(e) => { e.stopPropagation(); props.step(line.id, 1) }}>+</button>
            </div>
            <div className={`cart-amount${priced ? '' : ' rough'}`}>{f.money(priced?.amount_fen ?? line.amount_fen ?? roughAmount(line.price_fen, line.thousandths))}</div>
            <button type="button" className="cart-remove" disabled={props.locked} aria-label={`${t('remove')} ${line.name}`} onClick={(e) => { e.stopPropagation(); props.remove(line.id) }}>×</button>
          </li>
        )
      })}
    </ol>
  )
}
