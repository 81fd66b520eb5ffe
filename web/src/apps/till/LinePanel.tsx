import { useFormat } from '@kit/format'
import { client, must, useRead } from '@kit/api'
import { useText } from '@kit/i18n'
import { useCan } from '@kit/session'
import type { CartLine } from './cart'
import { Keypad } from './Keypad'
import { inUnit, qtyText } from './quantity'
import { tillText } from './words'

export function LinePanel(props: {
  site: string
  line: CartLine
  type: (key: string) => void
  clear: () => void
  enter: () => void
  change: (what: Partial<Omit<CartLine, 'id'>>) => void
  changeUnit: (unit: string) => void
}) {
  const t = useText(tillText)
  const f = useFormat()
  const can = useCan()
  const { line } = props
  const product = useRead(['goods', 'product', line.product_id], () =>
    must(client.GET('/api/goods/products/{id}', { params: { path: { id: line.product_id } } })), { skip: !can('goods.read') })
  const batches = useRead(['stock', 'batches', props.site, line.product_id], () =>
    must(client.GET('/api/stock/batches', { params: { query: { site_id: props.site, product_id: line.product_id, open: true, limit: 20 } } })), { skip: !can('stock.read') })
  const units = product.data?.id === line.product_id ? product.data.units.filter((u) => !u.retired || u.name === line.unit) : [] // not those of the line before
  const unit = units.find((u) => u.name === line.unit)
  const open = (batches.data?.items ?? []).filter((b) => b.product_id === line.product_id && !b.expired)
  const left = (base: string) => f.qty({ qty: qtyText(inUnit(base, unit ?? { num: 1, den: 1 })), unit: line.unit })
  return (
    <div className="line-panel">
      <h2>{line.name}</h2>
      {units.length > 1 && (
        <section>
          <h3>{t('unit')}</h3>
          <div className="chips">
            {units.map((u) => (
              <button key={u.name} type="button" className={u.name === line.unit ? 'chip on' : 'chip'} aria-pressed={u.name === line.unit} onClick={() => props.changeUnit(u.name)}>{f.unit(u.name)}</button>
            ))}
          </div>
        </section>
      )}
      {unit && open.length > 0 && (
        <section>
          <h3>{t('batch')}</h3>
          <div className="batches">
            <button type="button" className={line.batch_id ? 'chip' : 'chip on'} aria-pressed={!line.batch_id} onClick={() => props.change({ batch_id: undefined, batch_code: undefined })}>{t('batch_first')}</button>
            {open.map((b) => (
              <button key={b.id} type="button" className={b.id === line.batch_id ? 'chip on' : 'chip'} aria-pressed={b.id === line.batch_id} onClick={() => props.change({ batch_id: b.id, batch_code: b.code })}>
                {b.code}
                <small>{b.expires_at ? t('batch_left', { qty: left(b.qty), date: f.at(b.expires_at) }) : t('batch_left_forever', { qty: left(b.qty) })}</small>
              </button>
            ))}
          </div>
        </section>
      )}
      <section>
        <h3>{t('quantity')}</h3>
        <Keypad type={props.type} clear={props.clear} enter={props.enter} enterWord={t('done')} money={line.by_money ?? false} />
        {line.by_money && <p className="note">{t('by_money_hint')}</p>}
      </section>
    </div>
  )
}
