import { client, must, ProblemBox, useFormat, useRead, useText, WhyPanel, type Style } from '@kit'
import { Button, Input } from 'antd'
import { useState, type KeyboardEvent } from 'react'
import { Matrix } from './Matrix'
import { styleText } from './text'

/** A quantity as a person types it: at most three decimals. */
export const isQty = (q: string) => /^\d{1,9}(\.\d{1,3})?$/.test(q.trim())

/** The style of which a product is a combination. */
export function useStyleOf(product: string): Style | undefined {
  const rows = useRead(['goods', 'style-of', product], (signal) => must(client.GET('/api/goods/styles', { params: { query: { product_id: product, limit: 1 } }, signal })), { skip: product === '' })
  const id = rows.data?.items?.[0]?.id ?? ''
  const style = useRead(['goods', 'style', id], (signal) => must(client.GET('/api/goods/styles/{id}', { params: { path: { id } }, signal })), { skip: product === '' || id === '' })
  return product !== '' && id !== '' ? style.data : undefined
}

/** Enter and the arrows go from place to place as on a sheet; left and right only from the end of what is typed, or when all of it is selected. */
function walk(e: KeyboardEvent<HTMLInputElement>) {
  const at = e.currentTarget
  const cell = at.closest('td')
  const row = cell?.closest('tr')
  const [from, to] = [at.selectionStart ?? 0, at.selectionEnd ?? 0]
  const all = from === 0 && to === at.value.length
  const step = e.key === 'ArrowDown' || e.key === 'Enter' ? [1, 0] : e.key === 'ArrowUp' ? [-1, 0] : e.key === 'ArrowRight' && (all || from === at.value.length) ? [0, 1] : e.key === 'ArrowLeft' && (all || to === 0) ? [0, -1] : undefined
  if (!cell || !row || !step) return
  const [down, right] = step as [number, number]
  e.preventDefault()
  const rows = [...(row.parentElement?.children ?? [])] as HTMLTableRowElement[]
  for (let r = rows.indexOf(row as HTMLTableRowElement) + down, c = cell.cellIndex + right; rows[r]?.cells[c]; r += down, c += right) {
    const next = rows[r]?.cells[c]?.querySelector<HTMLInputElement>('input:not(:disabled)')
    if (next) {
      next.focus()
      next.select()
      return
    }
  }
}

interface Props {
  style: Style
  /** what is there already, by product */
  had: Record<string, string>
  done: (qty: Record<string, string>) => void
  cancel: () => void
  /** products that can't be meant: no longer sold, or not on the list */
  off?: (product: string) => boolean
  /** of the quantities; the base unit when left out */
  unit?: string
  busy?: boolean
  problem?: Parameters<typeof ProblemBox>[0]['problem'] | undefined
}

/** Quantities of a style, one for each of its combinations. */
export function QuantityGrid(props: Props) {
  const t = useText(styleText)
  const f = useFormat()
  const { style } = props
  const [qty, setQty] = useState(props.had)
  const typed = style.variants.map((v) => (qty[v.product_id] ?? '').trim()).filter((q) => q !== '')
  const sum = typed.filter(isQty).reduce((a, q) => a + Math.round(Number(q) * 1000), 0) / 1000
  const good = typed.every(isQty)
  return (
    <WhyPanel open onClose={props.cancel} title={style.name} lead={t('quantities_lead')}>
      <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); if (good) props.done(qty) }}>
        <Matrix style={style} label={t('quantities')}
          cell={(v, _, name) => (v
            ? <Input className="zg-input-right" style={{ width: 76, minHeight: 40 }} inputMode="decimal" autoComplete="off" aria-label={`${t('quantity')} ${name}`} disabled={props.off?.(v.product_id) ?? false} value={qty[v.product_id] ?? ''} status={(qty[v.product_id] ?? '').trim() === '' || isQty(qty[v.product_id] ?? '') ? '' : 'error'} onChange={(e) => setQty({ ...qty, [v.product_id]: e.target.value })} onKeyDown={walk} />
            : <span className="zg-note">—</span>)} />
        <p className="zg-note" aria-live="polite">{good ? t('quantities_sum', { n: typed.length, qty: f.qty({ qty: String(sum), unit: props.unit ?? style.base_unit }) }) : t('quantities_bad')}</p>
        {props.problem && <ProblemBox problem={props.problem} />}
        <div className="zg-acts">
          <Button type="primary" htmlType="submit" disabled={!good} loading={props.busy ?? false}>{t('quantities_take')}</Button>
          <Button onClick={props.cancel}>{t('quantities_leave')}</Button>
        </div>
      </form>
    </WhyPanel>
  )
}
