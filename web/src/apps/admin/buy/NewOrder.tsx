import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { act, client, must, PageHead, ProblemBox, Sheet, SitePick, useAct, useFormat, useRead, useSite, useText } from '@kit'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router-dom'
import { ByStyle } from '../styles/ByStyle'
import { buyText } from './text'

/** An order by hand, at the supplier's terms of the moment. */
export default function NewOrder() {
  const t = useText(buyText)
  const f = useFormat()
  const go = useNavigate()
  const place = useSite()
  const [supplier, setSupplier] = useState<string>()
  const [due, setDue] = useState('')
  const [note, setNote] = useState('')
  const [lines, setLines] = useState<{ product: string | undefined; packs: string }[]>([{ product: undefined, packs: '1' }])
  const suppliers = useRead(['suppliers', 'pick'], () => must(client.GET('/api/suppliers', { params: { query: { limit: 200, state: 'active' } } })))
  const terms = useRead(['suppliers', 'terms', supplier], () => must(client.GET('/api/suppliers/{id}/terms', { params: { path: { id: supplier ?? '' }, query: { limit: 200 } } })), { skip: !supplier })
  const offers = supplier ? terms.data?.items ?? [] : []
  const body = { site_id: place.site?.id ?? '', supplier_id: supplier ?? '', due, ...(note.trim() ? { note: note.trim() } : {}), lines: lines.filter((l) => l.product).map((l) => ({ product_id: l.product!, packs: Number(l.packs) })) }
  const save = useAct(() => act(['write order', body], (header) => client.POST('/api/purchase/orders', { params: { header }, body })), ['purchase'])
  const amount = lines.reduce((sum, l) => {
    const o = offers.find((x) => x.product_id === l.product)
    return o ? sum + Math.round((Number(l.packs) || 0) * Number(o.pack_qty) * o.price_fen4 / 10_000) : sum
  }, 0)
  const whole = (packs: string) => /^[1-9]\d{0,6}$/.test(packs.trim())
  const ready = supplier && due && body.lines.length > 0 && lines.every((l) => !l.product || whole(l.packs))
  return (
    <>
      <PageHead title={t('new_order')} back={{ to: '/buy', label: t('back') }}><SitePick {...place} /></PageHead>
      <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); if (ready) void save.run(undefined).then((o) => o && void go(`/buy/${o.id}`)) }}>
        {(save.problem ?? suppliers.problem) && <ProblemBox problem={(save.problem ?? suppliers.problem)!} />}
        <Sheet>
          <div className="zg-form-grid">
            <label className="zg-field zg-field-m"><span>{t('supplier')}</span>
              <Select {...(supplier ? { value: supplier } : {})} placeholder={t('supplier_pick')} showSearch={{ optionFilterProp: 'label' }} options={(suppliers.data?.items ?? []).map((s) => ({ value: s.id, label: `${s.name} ${s.code}` }))} onChange={(v: string) => { setSupplier(v); setLines([{ product: undefined, packs: '1' }]) }} /></label>
            <label className="zg-field zg-field-s"><span>{t('due')}</span><input type="date" className="zg-date" required value={due} onChange={(e) => setDue(e.target.value)} /></label>
            <label className="zg-field zg-field-m"><span>{t('note')}</span><Input maxLength={200} value={note} onChange={(e) => setNote(e.target.value)} /></label>
          </div>
        </Sheet>
        {supplier && (
          <Sheet title={t('lines')}>
            {terms.data && offers.length === 0 ? <p className="zg-note">{t('no_terms')}</p> : (
              <div className="zg-stack">
                {lines.map((l, i) => {
                  const offer = offers.find((o) => o.product_id === l.product)
                  const set = (next: Partial<typeof l>) => setLines((old) => old.map((o, j) => (i === j ? { ...o, ...next } : o)))
                  return (
                    <div key={i} className="zg-line">
                      <Select className="zg-line-m" aria-label={t('product')} {...(l.product ? { value: l.product } : {})} placeholder={t('product')} showSearch={{ optionFilterProp: 'label' }} popupMatchSelectWidth={false}
                        options={offers.filter((o) => o.product_id === l.product || !lines.some((x) => x.product === o.product_id)).map((o) => ({ value: o.product_id, label: `${o.product_name} ${o.product_code}` }))}
                        onChange={(product: string) => set({ product, packs: String(offers.find((o) => o.product_id === product)?.min_packs ?? 1) })} />
                      <Input className="zg-line-s zg-input-right" aria-label={t('packs')} inputMode="numeric" value={l.packs} status={whole(l.packs) ? '' : 'error'} suffix={t('packs')} onChange={(e) => set({ packs: e.target.value })} />
                      {offer && <span className="zg-note">{t('pack')} {f.qty({ qty: offer.pack_qty, unit: offer.unit })} · ¥{f.cost(offer.price_fen4)}/{f.unit(offer.unit)} · {t('min_packs')} {offer.min_packs}</span>}
                      {lines.length > 1 && <Button icon={<DeleteOutlined />} aria-label={t('remove_line')} onClick={() => setLines((old) => old.filter((_, j) => i !== j))} />}
                    </div>
                  )
                })}
                <ByStyle key={supplier} can={(product) => offers.some((o) => o.product_id === product)}
                  take={(taken) => setLines((old) => [...old.filter((l) => l.product && !taken.some((x) => x.product === l.product)), ...taken.map((x) => ({ product: x.product, packs: x.n }))])} />
                <div className="zg-acts"><Button icon={<PlusOutlined />} onClick={() => setLines((old) => [...old, { product: undefined, packs: '1' }])}>{t('add_line')}</Button><span>{t('total')} <b>{f.yuan(amount)}</b></span></div>
              </div>
            )}
          </Sheet>
        )}
        <div className="zg-acts"><Button type="primary" htmlType="submit" disabled={!ready} loading={save.busy}>{t('save')}</Button></div>
      </form>
    </>
  )
}
