import { act, client, must, useAct, useListing, useRead, type Product, type StockCountLine } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { ProblemBox, SkeletonLines, Strip } from '@kit/states'
import { kitText } from '@kit/words'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { useParams } from 'react-router-dom'
import { Among } from '../scan/Among'
import { lookup, type Found } from '../scan/lookup'
import { Scanner } from '../scan/Scanner'
import { countText } from './text'

/** Scan, say how many, next. */
export default function OneCount() {
  const { id = '' } = useParams()
  const t = useText(countText)
  const f = useFormat()
  const count = useRead(['stock', 'count', id], () => must(client.GET('/api/stock/counts/{id}', { params: { path: { id } } })))
  const left = useListing(['stock', 'count-left', id], (after, signal) => must(client.GET('/api/stock/counts/{id}/lines', { params: { path: { id }, query: { state: 'not_counted', limit: 50, ...(after ? { after } : {}) } }, signal })))
  const again = useListing(['stock', 'count-again', id], (after, signal) => must(client.GET('/api/stock/counts/{id}/lines', { params: { path: { id }, query: { state: 'count_again', limit: 50, ...(after ? { after } : {}) } }, signal })))
  const [lines, setLines] = useState<StockCountLine[]>()
  const [found, setFound] = useState<Found>()
  const [turn, setTurn] = useState(0) // the scanner is ready for the next code
  const [done, setDone] = useState<StockCountLine[]>([])
  const c = count.data
  // What was scanned: a batch, or a product with one line, which is put on the list when it is not there yet.
  const find = useAct(async (code: string) => {
    setLines(undefined)
    const found = await lookup(c!.site_id, code, () => false)
    setFound(found)
    const product = found.product?.id ?? found.batches[0]?.product_id
    if (!product) return []
    const there = await must(client.GET('/api/stock/counts/{id}/lines', { params: { path: { id }, query: { product_id: product, limit: 50 } } }))
    const some = (there.items ?? []).filter((l) => found.product || l.batch_id === '' || found.batches.some((b) => b.id === l.batch_id))
    if (some.length > 0 || c!.by_batch) return some
    const body = { product_id: product }
    return [await act(['count-add', id, product], (header) => client.POST('/api/stock/counts/{id}/lines', { params: { header, path: { id } }, body }))]
  })
  if (!c) return count.problem ? <ProblemBox problem={count.problem} again={count.again} /> : <SkeletonLines lines={6} />
  const scanned = (code: string) => void find.run(code).then((there) => there && setLines(there))
  const noted = (l: StockCountLine) => {
    setLines(undefined)
    setFound(undefined)
    setTurn((n) => n + 1)
    setDone((all) => [l, ...all.filter((x) => x.line_no !== l.line_no)].slice(0, 20))
    count.again()
    left.again()
    again.again()
  }
  return (
    <>
      <PageHead title={t('title')} back={{ to: '/count', label: t('title') }} note={t('of', { done: c.sums.lines - c.sums.not_counted, all: c.sums.lines })} />
      <div className="zg-stack">
        {c.state !== 'open' && <Strip tone="amber">{t('closed')}</Strip>}
        {c.state === 'open' && <Scanner key={turn} busy={find.busy} note={t('scan_hint')} onCode={scanned} />}
        {find.problem && <ProblemBox problem={find.problem} />}
        {found && lines?.length === 0 && found.among.length === 0 && <Strip tone="amber">{t(found.product || found.batches.length > 0 ? 'not_listed' : 'unknown', { code: found.code })}</Strip>}
        <Among found={found} choose={scanned} />
        {lines?.map((l) => <Enter key={`${l.line_no}-${l.entries}-${found?.code ?? ''}`} count={id} line={l} product={found?.product} unit={found?.unit} qty={found?.qty} done={noted} />)}
        {done.length > 0 && (
          <section>
            <h2>{t('just_now')}</h2>
            <ul className="st-tasks">
              {done.map((l) => (
                <li key={l.line_no} className={`st-task st-${l.state === 'count_again' ? 'red' : Number(l.diff) === 0 ? 'plain' : 'amber'}`}>
                  <div><b>{l.product}</b><span>{f.qty({ qty: l.counted, unit: l.unit })}{l.state === 'count_again' ? ` · ${t('again')}` : Number(l.diff) !== 0 ? ` · ${t('diff', { n: f.signed(f.decimal(l.diff)) })}` : ` · ${t('counted')}`}</span></div>
                </li>
              ))}
            </ul>
          </section>
        )}
        {c.state === 'open' && <ToCount title={t('recount')} lines={again.rows} count={(l) => { setFound(undefined); setLines([l]) }} more={again.more} />}
        {c.state === 'open' && <ToCount title={t('left')} lines={left.rows} count={(l) => { setFound(undefined); setLines([l]) }} more={left.more} />}
      </div>
    </>
  )
}

/** What is still to be counted, to be chosen without a scan. */
function ToCount(props: { title: string; lines: StockCountLine[]; count: (l: StockCountLine) => void; more: (() => void) | undefined }) {
  const t = useText(countText)
  const k = useText(kitText)
  if (props.lines.length === 0) return null
  return (
    <section>
      <h2>{props.title}</h2>
      <ul className="st-tasks">{props.lines.map((l) => <li key={l.line_no} className="st-task"><div><b>{l.product}</b><span className="zg-note">{l.code}{l.batch && ` · ${l.batch}`}</span></div><button type="button" className="st-act" onClick={() => { props.count(l); scrollTo({ top: 0 }) }}>{t('count_it')}</button></li>)}</ul>
      {props.more && <Button onClick={props.more}>{k('load_more')}</Button>}
    </section>
  )
}

function Enter(props: { count: string; line: StockCountLine; product: Product | undefined; unit: string | undefined; qty: string | undefined; done: (l: StockCountLine) => void }) {
  const { line } = props
  const t = useText(countText)
  const f = useFormat()
  const [qty, setQty] = useState(props.qty ? f.decimal(props.qty).replace(/,/g, '') : '')
  // A box is counted in boxes.
  const [unit, setUnit] = useState(props.unit ?? line.unit)
  const units = [...new Set([line.unit, unit, ...(props.product?.units ?? []).filter((u) => !u.retired).map((u) => u.name)])]
  const enter = useAct((n: string) => act(['count', props.count, line.line_no, line.entries, n, unit], (header) =>
    client.POST('/api/stock/counts/{id}/lines/{line}/entries', { params: { header, path: { id: props.count, line: line.line_no } }, body: { qty: n, unit } })), ['stock'])
  const send = () => {
    if (qty.trim() !== '') void enter.run(qty.trim()).then((l) => l && props.done(l))
  }
  return (
    <section className="zg-sheet">
      <h2>{line.product}</h2>
      <p className="zg-note">{line.code}{line.batch && ` · ${line.batch}`}</p>
      {enter.problem && <ProblemBox problem={enter.problem} />}
      <form className="zg-acts" onSubmit={(e) => { e.preventDefault(); send() }}>
        <Input size="large" autoFocus inputMode="decimal" className="zg-input-right" aria-label={t('how_many')} placeholder={t('how_many')} {...(units.length > 1 ? {} : { suffix: f.unit(line.unit) })} maxLength={14} value={qty} onChange={(e) => setQty(e.target.value)} />
        {units.length > 1 && <Select size="large" style={{ minWidth: 96 }} aria-label={t('unit')} value={unit} options={units.map((u) => ({ value: u, label: f.unit(u) }))} onChange={setUnit} />}
        <Button size="large" type="primary" htmlType="submit" loading={enter.busy}>{t('enter')}</Button>
      </form>
    </section>
  )
}
