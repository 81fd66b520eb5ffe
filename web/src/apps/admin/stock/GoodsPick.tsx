import { client, must, useRead, useText } from '@kit'
import { Select } from 'antd'
import { useState } from 'react'
import { stockText } from './shared'

interface Props {
  value: string
  choose: (id: string, label: string) => void
  label: string
  /** of what is chosen, before anything was searched */
  named?: string
  control?: { id: string; 'aria-invalid': boolean; 'aria-describedby': string | undefined; status: 'error' | '' }
}

/** A product by name, code, pinyin or barcode; bundles have no stock and are not offered. */
export function GoodsPick(props: Props) {
  const t = useText(stockText)
  const [q, setQ] = useState('')
  const [chosen, setChosen] = useState(props.named)
  const found = useRead(['goods', 'pick', q], (signal) => must(client.GET('/api/goods/products', { params: { query: { limit: 20, ...(q ? { q } : {}) } }, signal })))
  // what was found for other words is not offered: Enter would take it
  const options = (found.fetching ? [] : found.data?.items ?? []).filter((p) => p.parts.length === 0).map((p) => ({ value: p.id, label: `${p.name} ${p.code}` }))
  return (
    <Select {...props.control} className="zg-line-m" aria-label={props.label} allowClear placeholder={t('goods_search')} popupMatchSelectWidth={false} {...(props.value ? { value: props.value } : {})} labelRender={() => chosen ?? props.value}
      showSearch={{ filterOption: false, onSearch: setQ }} options={options}
      onChange={(id: string | undefined) => { const label = options.find((o) => o.value === id)?.label ?? ''; setQ(''); setChosen(label); props.choose(id ?? '', label) }} />
  )
}
