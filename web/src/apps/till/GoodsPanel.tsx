import { useFormat } from '@kit/format'
import { client, must, useListing, useRead, type Listing, type TillProduct } from '@kit/api'
import { useText } from '@kit/i18n'
import { Badge, Empty, ProblemBox, SkeletonLines } from '@kit/states'
import type { Goods } from './cart'
import { inUnit, qtyText } from './quantity'
import { tillText } from './words'

const byWeight = new Set(['g', 'kg', 'jin', 'ml', 'l', '\u514b', '\u5343\u514b', '\u516c\u65a4', '\u65a4', '\u4e24', '\u5347', '\u6beb\u5347'])

export const goodsOf = (p: TillProduct): Goods => ({
  product_id: p.product_id, name: p.name, unit: p.unit, price_fen: p.price_fen, weighed: p.weighed || isWeighed(p.unit), by_money: p.weighed,
})
/** Sold by what the scale says, so a tap asks how much. */
export const isWeighed = (unit: string): boolean => byWeight.has(unit.toLowerCase())

/** Stock in thousandths of the sales unit; what comes in pieces is not shown in parts. */
export function leftOf(p: TillProduct): number {
  const left = inUnit(p.stock, p)
  return isWeighed(p.unit) ? left : Math.floor(left / 1000) * 1000
}

export function useGoods(site: string, q: string, category: string): Listing<TillProduct> {
  return useListing(['till', 'products', site, q, category], (after) =>
    must(client.GET('/api/till/products', {
      params: { query: { site_id: site, limit: 60, ...(q ? { q: q.slice(0, 60) } : {}), ...(category ? { category_id: category } : {}), ...(after ? { after } : {}) } },
    })))
}

export function GoodsPanel(props: {
  goods: Listing<TillProduct>
  q: string
  hit: number // the card that Enter takes while a word stands in the entry box; −1: none
  category: string
  chooseCategory: (id: string) => void
  take: (p: TillProduct) => void
}) {
  const t = useText(tillText)
  const f = useFormat()
  const { goods } = props
  const categories = useRead(['goods', 'categories'], () => must(client.GET('/api/goods/categories')))
  const names = categories.data?.items ?? []

  return (
    <div className="goods">
      {names.length > 1 && (
        <div className="chips" role="group" aria-label={t('goods')}>
          <button type="button" className={props.category ? 'chip' : 'chip on'} aria-pressed={!props.category} onClick={() => props.chooseCategory('')}>{t('all_categories')}</button>
          {names.map((c) => (
            <button key={c.id} type="button" className={props.category === c.id ? 'chip on' : 'chip'} aria-pressed={props.category === c.id} onClick={() => props.chooseCategory(c.id)}>{c.name}</button>
          ))}
        </div>
      )}
      {goods.problem && goods.rows.length === 0 && <ProblemBox problem={goods.problem} again={goods.again} />}
      {goods.loading && <SkeletonLines lines={8} />}
      {!goods.loading && !goods.problem && goods.rows.length === 0 && (props.q
        ? <Empty title={t('goods_no_match', { q: props.q })}>{t('goods_no_match_note')}</Empty>
        : <Empty title={t('goods_none')}>{t('goods_none_note')}</Empty>)}
      <ul className={`cards${goods.stale ? ' stale' : ''}`}>
        {goods.rows.map((p, i) => {
          const left = leftOf(p)
          const none = left <= 0
          return (
            <li key={`${p.product_id}/${p.unit}`}>
              <button type="button" className={`card${i === props.hit ? ' hit' : ''}${none ? ' none' : ''}`} onClick={() => props.take(p)}>
                <span className="card-name">{p.name}</span>
                <span className="card-foot">
                  <b>{f.yuan(p.price_fen)}<small>/{f.unit(p.unit)}</small></b>
                  {none ? <Badge tone="red">{t('sold_out')}</Badge> : <small>{t('left', { qty: f.qty({ qty: qtyText(left), unit: p.unit }) })}</small>}
                </span>
              </button>
            </li>
          )
        })}
      </ul>
      {goods.more && <button type="button" className="plain wide" onClick={goods.more}>{t('more_goods')}</button>}
    </div>
  )
}
