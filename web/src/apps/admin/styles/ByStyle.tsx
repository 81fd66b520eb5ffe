import { client, must, useRead, useText, type StyleVariant } from '@kit'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { Matrix } from './Matrix'
import { styleText } from './text'

/** Quantities for the combinations of a style at once: whatever document takes them over. `can` says which products it has room for. */
export function ByStyle(props: { can: (product: string) => boolean; take: (lines: { product: string; n: string }[]) => void }) {
  const t = useText(styleText)
  const [open, setOpen] = useState(false)
  const [q, setQ] = useState('')
  const [chosen, setChosen] = useState<string>()
  const [typed, setTyped] = useState<Record<string, string>>({})
  const found = useRead(['goods', 'styles', 'pick', q], (signal) => must(client.GET('/api/goods/styles', { params: { query: { limit: 20, ...(q ? { q } : {}) } }, signal })), { skip: !open })
  const read = useRead(['goods', 'style', chosen], () => must(client.GET('/api/goods/styles/{id}', { params: { path: { id: chosen ?? '' } } })), { skip: !chosen })
  if (!open) return <Button onClick={() => setOpen(true)}>{t('by_style')}</Button>
  const style = chosen ? read.data : undefined
  const whole = (n: string) => /^\s*[1-9]\d{0,6}\s*$/.test(n)
  const lines = (style?.variants ?? []).flatMap((v) => (whole(typed[v.product_id] ?? '') ? [{ product: v.product_id, n: (typed[v.product_id] ?? '').trim() }] : []))
  const of = (column: string) => (style?.variants ?? []).filter((v) => v.values.at(-1) === column).reduce((sum, v) => sum + (whole(typed[v.product_id] ?? '') ? Number(typed[v.product_id]) : 0), 0)
  const cell = (v: StyleVariant | undefined, _: string[], name: string) => v && props.can(v.product_id) && (
    <Input className="zg-input-right" style={{ minWidth: 64, maxWidth: 100 }} aria-label={t('packs_of', { name })} inputMode="numeric" value={typed[v.product_id] ?? ''}
      status={(typed[v.product_id] ?? '').trim() === '' || whole(typed[v.product_id] ?? '') ? '' : 'error'} onChange={(e) => setTyped((old) => ({ ...old, [v.product_id]: e.target.value }))} />
  )
  return (
    <div className="zg-stack">
      <Select style={{ width: 320, maxWidth: '100%' }} aria-label={t('by_style_pick')} placeholder={t('by_style_pick')} {...(chosen ? { value: chosen } : {})} showSearch={{ filterOption: false, onSearch: setQ }} popupMatchSelectWidth={false}
        options={[...(style ? [{ value: style.id, label: `${style.name} ${style.code}` }] : []), ...(found.data?.items ?? []).filter((s) => s.id !== style?.id).map((s) => ({ value: s.id, label: `${s.name} ${s.code}` }))]}
        onChange={(id: string) => { setChosen(id); setTyped({}) }} />
      {style && !style.variants.some((v) => props.can(v.product_id)) && <p className="zg-note">{t('by_style_none')}</p>}
      {style && style.variants.some((v) => props.can(v.product_id)) && (
        <>
          <Matrix style={style} label={style.name} cell={cell} foot={(column) => of(column) || ''} />
          <div><Button disabled={lines.length === 0} onClick={() => { props.take(lines); setOpen(false); setTyped({}); setChosen(undefined) }}>{t('take_over')}</Button></div>
        </>
      )}
    </div>
  )
}
