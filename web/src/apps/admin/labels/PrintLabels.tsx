import { Bars, client, code128, DataTable, ean13, all, Empty, must, PageHead, ProblemBox, Sheet, SitePick, Strip, useFormat, useRead, useSite, useText, ProductPick, type Clearance, type Product } from '@kit'
import { Button, InputNumber, Segmented, Select } from 'antd'
import { useState, type CSSProperties } from 'react'
import { useSearchParams } from 'react-router-dom'
import { GoodsTabs } from '../goods/shared'
import './labels.css'
import { pagesOf, papers, readable } from './papers'
import { labelText } from './text'

const kinds = ['shelf', 'barcode', 'markdown'] as const
type Kind = (typeof kinds)[number]

interface Label { key: string; name: string; code: string; price: string; per: string; was?: string; extra?: string; foot: string }

/** Shelf prices, barcodes and markdown labels, printed by the browser to the millimetre. */
export default function PrintLabels() {
  const t = useText(labelText)
  const f = useFormat()
  const place = useSite()
  const site = place.site?.id ?? ''
  const [params] = useSearchParams()
  const [kind, setKind] = useState<Kind>(kinds.find((k) => k === params.get('kind')) ?? 'shelf')
  const [key, setKey] = useState<(typeof papers)[number]['key']>('roll_60x40')
  const [skip, setSkip] = useState(0)
  const asked = params.get('products')?.split(',').filter(Boolean).slice(0, 200) ?? []
  const first = useRead(['goods', 'labels-of', asked.join()], () => Promise.all(asked.map((id) => must(client.GET('/api/goods/products/{id}', { params: { path: { id } } })))), { skip: asked.length === 0 })
  const [added, setAdded] = useState<Product[]>([])
  const [copies, setCopies] = useState<Record<string, number>>({})
  const goods = [...(first.data ?? []), ...added.filter((p) => !asked.includes(p.id))].filter((p) => copies[p.id] !== 0)
  const cleared = useRead(['clear', 'labels', site], (signal) => must(client.GET('/api/clear/batches', { params: { query: { site_id: site, limit: 200 } }, signal })), { skip: site === '' || kind !== 'markdown' })
  const paper = papers.find((p) => p.key === key) ?? papers[0]!
  // The barcode that is printed, and what a till would charge for it now.
  const codeOf = (p: Product) => p.units.find((u) => !u.retired && u.barcodes.length > 0)?.barcodes[0] ?? p.code
  const prices = useRead(['prices', 'labels', site, goods.map(codeOf).join()], () => Promise.all(goods.map(async (p) => [p.id, await must(client.GET('/api/goods/lookup', { params: { query: { site_id: site, code: codeOf(p) } } }))] as const)), { skip: site === '' || goods.length === 0 || kind === 'markdown' })
  const ofProduct = (p: Product): Label => {
    const found = prices.data?.find(([id]) => id === p.id)?.[1]
    return { key: p.id, name: p.name, code: codeOf(p), price: !found ? '…' : found.price_fen == null ? t('no_price') : f.yuan(found.price_fen), per: found ? t('per', { unit: f.unit(found.unit) }) : '', foot: p.code }
  }
  const ofBatch = (b: Clearance): Label => ({
    key: b.batch_id, name: b.name, code: b.label, price: f.yuan(b.price_fen), per: t('per', { unit: f.unit(b.unit) }), was: `${t('was')} ${f.yuan(b.list_fen)}`,
    extra: b.free_one ? t('second_free') : '', foot: t('expires', { at: f.at(b.expires_at) }),
  })
  const marked = (cleared.data?.items ?? []).filter((b) => b.label && b.phase !== 'expired')
  const labels = kind === 'markdown'
    ? marked.flatMap((b) => Array.from({ length: copies[b.batch_id] ?? 1 }, () => ofBatch(b)))
    : goods.flatMap((p) => Array.from({ length: copies[p.id] ?? 1 }, () => ofProduct(p)))
  const fine = labels.find((l) => !readable(paper, modulesOf(l.code)))
  return (
    <>
      <PageHead title={t('title')}>
        <SitePick {...place} />
        <Button type="primary" disabled={labels.length === 0 || fine !== undefined} onClick={() => print()}>{t('print', { n: labels.length })}</Button>
      </PageHead>
      <div className="zg-no-print"><GoodsTabs /></div>
      <div className="zg-stack">
        <div className="zg-stack zg-no-print">
          <p className="zg-note">{t('note')}</p>
          <Sheet>
            <div className="zg-form-grid">
              <div className="zg-field zg-field-m"><span>{t('kind')}</span><Segmented value={kind} onChange={setKind} options={kinds.map((k) => ({ value: k, label: t(`kind_${k}`) }))} /></div>
              <label className="zg-field zg-field-m"><span>{t('paper')}</span><Select value={key} options={papers.map((p) => ({ value: p.key, label: t(`paper_${p.key}`) }))} onChange={setKey} /></label>
              {paper.page && <label className="zg-field zg-field-s" title={t('skip_hint')}><span>{t('skip')}</span><InputNumber min={0} max={paper.page.columns * paper.page.rows - 1} value={skip} onChange={(n) => setSkip(n ?? 0)} /></label>}
            </div>
          </Sheet>
          {kind === 'markdown' ? (
            <DataTable label={t('goods')} rows={all(cleared.data && marked, cleared)} rowKey={(b) => b.batch_id} empty={<Empty title={t('none_markdown_title')}>{t('none_markdown')}</Empty>} columns={[
              { key: 'name', head: t('goods'), cell: (b) => b.name },
              { key: 'price', head: t('now'), right: true, cell: (b) => f.yuan(b.price_fen) },
              { key: 'foot', head: '', cell: (b) => t('expires', { at: f.at(b.expires_at) }), wide: true },
              { key: 'copies', head: t('copies'), right: true, cell: (b) => <Copies label={`${t('copies')} ${b.name}`} value={copies[b.batch_id] ?? 1} set={(n) => setCopies((old) => ({ ...old, [b.batch_id]: n }))} /> },
            ]} />
          ) : (
            <Sheet title={t('goods')} flush>
              <Add add={(p) => { setAdded((old) => (old.some((x) => x.id === p.id) ? old : [...old, p])); setCopies((old) => ({ ...old, [p.id]: Math.max(1, old[p.id] ?? 1) })) }} />
              {(first.problem ?? prices.problem) && <ProblemBox problem={(first.problem ?? prices.problem)!} />}
              <DataTable label={t('goods')} rows={all(asked.length > 0 && !first.data ? undefined : goods, first)} rowKey={(p) => p.id} empty={<Empty title={t('none_title')}>{t('none')}</Empty>} columns={[
                { key: 'name', head: t('goods'), cell: (p) => <>{p.name} <span className="zg-note">{p.code}</span></> },
                { key: 'price', head: t('now'), right: true, cell: (p) => { const l = ofProduct(p); return `${l.price}${l.per}` } },
                { key: 'code', head: '', cell: (p) => <span className="zg-note">{codeOf(p) === p.code ? t('no_barcode') : codeOf(p)}</span>, wide: true },
                { key: 'copies', head: t('copies'), right: true, cell: (p) => <Copies label={`${t('copies')} ${p.name}`} value={copies[p.id] ?? 1} set={(n) => setCopies((old) => ({ ...old, [p.id]: n }))} /> },
              ]} />
            </Sheet>
          )}
          {fine && <Strip tone="amber">{t('too_wide', { name: fine.name })}</Strip>}
        </div>
        {labels.length > 0 && (
          <section aria-label={t('preview')}>
            <style>{`@page { size: ${paper.page ? `${paper.page.width}mm ${paper.page.height}mm` : `${paper.width}mm ${paper.height}mm`}; margin: 0 }`}</style>
            {pagesOf(paper, labels, skip).map((page, n) => (
              <div key={n} className={paper.page ? 'label-page label-sheet' : 'label-page'} style={pageStyle(paper)}>
                {page.map((l, i) => l ? <One key={i} label={l} kind={kind} width={paper.width} height={paper.height} /> : <span key={i} />)}
              </div>
            ))}
          </section>
        )}
      </div>
    </>
  )
}

/** How many modules wide the bars of a code are, with their quiet zones. */
const modulesOf = (code: string): number => (ean13(code) ? ean13(code).length + 18 : code128(code).length + 20)

function pageStyle(paper: (typeof papers)[number]): CSSProperties {
  const p = paper.page
  if (!p) return { width: `${paper.width}mm`, height: `${paper.height}mm` }
  return { width: `${p.width}mm`, height: `${p.height}mm`, paddingLeft: `${p.left}mm`, paddingTop: `${p.top}mm`, gridTemplateColumns: `repeat(${p.columns}, ${paper.width}mm)`, gridAutoRows: `${paper.height}mm`, columnGap: `${p.gapX}mm`, rowGap: `${p.gapY}mm` }
}

function One(props: { label: Label; kind: Kind; width: number; height: number }) {
  const { label: l } = props
  const small = props.height < 25
  return (
    <figure className={`label-one label-${props.kind}${small ? ' label-small' : ''}`} style={{ width: `${props.width}mm`, height: `${props.height}mm` }}>
      <strong>{l.name}</strong>
      {props.kind !== 'barcode' && <div className="label-price"><b>{l.price}</b><span>{l.per}</span>{l.was && <s>{l.was}</s>}</div>}
      {l.extra && <b>{l.extra}</b>}
      {!(small && props.kind === 'shelf') && <Bars code={l.code} />}
      {!small && <small>{l.foot}</small>}
    </figure>
  )
}

function Copies(props: { label: string; value: number; set: (n: number) => void }) {
  return <InputNumber aria-label={props.label} size="small" min={0} max={200} value={props.value} onChange={(n) => props.set(n ?? 0)} />
}

function Add(props: { add: (p: Product) => void }) {
  const t = useText(labelText)
  return <div className="label-add"><ProductPick bundles adding label={t('search')} placeholder={t('search')} value="" choose={(p) => { if (p) props.add(p) }} /></div>
}
