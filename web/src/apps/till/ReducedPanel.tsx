import { client, must, useRead, type ReducedBatch } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { Badge, Empty } from '@kit/states'
import { isWeighed } from './GoodsPanel'
import type { Goods } from './cart'
import { tillText } from './words'

/** A batch that is marked down, as goods of the cart: at the list price; what comes off is the server's word. */
export const reducedGoods = (b: ReducedBatch): Goods => ({ product_id: b.product_id, name: b.name, unit: b.unit, price_fen: b.list_fen, weighed: isWeighed(b.unit) })

/** Marked-down batches that the site can sell now. */
export function useReduced(site: string): { rows: ReducedBatch[]; find: (label: string) => Promise<ReducedBatch | undefined> } {
  const ask = () => must(client.GET('/api/till/reduced', { params: { query: { site_id: site } } }))
  const read = useRead(['clear', 'reduced', site], ask, { every: 30_000 })
  const rows = read.data?.items ?? []
  return {
    rows,
    find: async (label) => rows.find((b) => b.label === label) ?? (await ask()).items.find((b) => b.label === label),
  }
}

/** Codes of markdown labels begin so (EAN-13, in-store). */
export const isLabel = (code: string): boolean => /^29\d{11}$/.test(code)

export function ReducedPanel(props: { rows: ReducedBatch[]; take: (b: ReducedBatch) => void }) {
  const t = useText(tillText)
  const f = useFormat()
  if (props.rows.length === 0) return <Empty title={t('reduced_none')} />
  return (
    <div className="goods">
      <p className="hint">{t('reduced_note')}</p>
      <ul className="cards">
        {props.rows.map((b) => (
          <li key={b.batch_id}>
            <button type="button" className="card" onClick={() => props.take(b)}>
              <span className="card-name">{b.name}</span>
              <small>{t('reduced_until', { at: f.at(b.expires_at) })}</small>
              {b.free_one && <Badge tone="amber">{t('reduced_free')}</Badge>}
              <span className="card-foot">
                <b>{f.yuan(b.price_fen)}<small>/{f.unit(b.unit)}</small></b>
                <small><s>{f.money(b.list_fen)}</s> · {t('left', { qty: f.qty({ qty: b.left, unit: b.unit }) })}</small>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
