import { Select } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { client, must, useRead, type Product } from './api'
import { useText } from './i18n'
import { kitText } from './words'

interface Asked {
  /** bundles have no stock: they are offered only where one may be meant */
  bundles?: boolean
  /** not offered: what is there already, or can't be meant */
  without?: (p: Product) => boolean
}

/** What fits the words. Products found for other words are never offered: Enter would take one of them. */
function useProducts(q: string, asked: Asked, skip = false) {
  const found = useRead(['goods', 'pick', q.trim()], (signal) => must(client.GET('/api/goods/products', { params: { query: { limit: 20, ...(q.trim() ? { q: q.trim() } : {}) } }, signal })), { skip })
  const items = (found.fetching ? [] : found.data?.items ?? []).filter((p) => (asked.bundles || p.parts.length === 0) && !asked.without?.(p))
  return { items, fetching: found.fetching }
}

/** The one that a code or barcode names, or the only one that fits. */
export function meant(items: Product[], q: string): Product | undefined {
  const code = q.trim().toLowerCase()
  return items.find((p) => p.code.toLowerCase() === code || p.units.some((u) => u.barcodes.includes(q.trim()))) ?? (items.length === 1 ? items[0] : undefined)
}

interface Props extends Asked {
  value: string
  /** unit: that of the barcode which was scanned, when it was one */
  choose: (product: Product | undefined, unit?: string) => void
  label: string
  /** of what is chosen, when nothing was searched yet */
  named?: string | undefined
  /** empty again after each choice: one after another is added */
  adding?: boolean
  clear?: boolean
  disabled?: boolean
  placeholder?: string
  className?: string
  control?: { id: string; 'aria-invalid': boolean; 'aria-describedby': string | undefined; status: 'error' | '' }
}

/**
 * A product by name, code, pinyin or barcode. A scanner types and presses Enter before the answer is there: what was
 * scanned is then taken when it comes.
 */
export function ProductPick(props: Props) {
  const t = useText(kitText)
  const [q, setQ] = useState('')
  const [open, setOpen] = useState(false)
  const [scanned, setScanned] = useState('')
  const [shut, setShut] = useState(false) // after a scan; else the list opens and closes by itself, in step with the keys
  const [chosen, setChosen] = useState(props.named)
  const found = useProducts(q, props, !open && q === '')
  const take = (p: Product | undefined) => {
    const code = q.trim()
    setQ('')
    setScanned('')
    setChosen(p && `${p.name} ${p.code}`)
    const unit = code === '' ? undefined : p?.units.find((u) => u.barcodes.includes(code))?.name
    if (unit === undefined) props.choose(p)
    else props.choose(p, unit)
    if (p && props.adding) setChosen(undefined)
  }
  const latest = useRef(take)
  latest.current = take
  const first = found.fetching ? undefined : meant(found.items, scanned)
  useEffect(() => {
    if (scanned === '' || found.fetching) return
    setScanned('')
    if (first && scanned === q) {
      latest.current(first)
      setShut(true)
    }
  }, [scanned, q, found.fetching, first])
  return (
    <Select {...props.control} className={props.className ?? 'zg-line-m'} aria-label={props.label} placeholder={props.placeholder ?? t('product_search')} popupMatchSelectWidth={false}
      {...(props.clear ? { allowClear: true } : {})} {...(props.disabled ? { disabled: true } : {})} value={props.adding || !props.value ? null : props.value} labelRender={() => chosen ?? props.named ?? props.value}
      {...(shut ? { open: false } : {})} onOpenChange={setOpen} onFocus={() => setShut(false)} showSearch={{ filterOption: false, searchValue: q, onSearch: (words) => { setShut(false); setQ(words) } }}
      options={found.items.map((p) => ({ value: p.id, label: `${p.name} ${p.code}` }))} notFoundContent={found.fetching ? t('product_searching') : t('product_none')}
      onInputKeyDown={(e) => { if (e.key === 'Enter' && q.trim() !== '' && found.fetching) { e.preventDefault(); e.stopPropagation(); setScanned(q) } }}
      onChange={(id: string | null) => take(found.items.find((p) => p.id === id))} />
  )
}

/** Several products, in the same way. */
export function ProductsPick(props: Asked & { value: string[]; choose: (ids: string[]) => void; label: string; named?: Record<string, string> }) {
  const t = useText(kitText)
  const [q, setQ] = useState('')
  const [open, setOpen] = useState(false)
  const [names, setNames] = useState<Record<string, string>>(props.named ?? {})
  const found = useProducts(q, props, !open && q === '')
  return (
    <Select mode="multiple" aria-label={props.label} placeholder={t('product_search')} value={props.value} labelRender={(o) => names[String(o.value)] ?? o.label ?? ''} open={open} onOpenChange={setOpen}
      showSearch={{ filterOption: false, searchValue: q, onSearch: setQ, autoClearSearchValue: true }} options={found.items.map((p) => ({ value: p.id, label: `${p.name} ${p.code}` }))} notFoundContent={found.fetching ? t('product_searching') : t('product_none')}
      onChange={(ids: string[]) => { setNames((old) => ({ ...old, ...Object.fromEntries(found.items.map((p) => [p.id, `${p.name} ${p.code}`])) })); setQ(''); props.choose(ids) }} />
  )
}
