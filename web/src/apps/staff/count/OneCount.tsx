import { act, client, must, useAct, useListing, useRead, type StockCountLine } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { ProblemBox, SkeletonLines, Strip } from '@kit/states'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { useParams } from 'react-router-dom'
import { lookup } from '../scan/lookup'
import { Scanner } from '../scan/Scanner'
import { countText } from './text'

/** Scan, say how many, next. */
export default function OneCount() {
  const { id = '' } = useParams()
  const t = useText(countText)
  const f = useFormat()
  const count = useRead(['stock', 'count', id], () => must(client.GET('/api/stock/counts/{id}', { params: { path: { id } } })))
  const left = useListing(['stock', 'count-left', id], (after, signal) => must(client.GET('/api/stock/counts/{id}/lines', { params: { path: { id }, query: { state: 'not_counted', limit: 50, ...(after ? { after } : {}) } }, signal })))
  const [lines, setLines] = useState<StockCountLine[]>()
  const [unknown, setUnknown] = useState('')
  const [done, setDone] = useState<StockCountLine[]>([])
  const c = count.data
  // What was scanned: a batch, or a product with one line, which is put on the list when it is not there yet.
  const find = useAct(async (code: string) => {
    setUnknown('')
    const found = await lookup(c!.site_id, code, () => false)
    const product = found.product?.id ?? found.batches[0]?.product_id
    if (!product) {
      setUnknown(code)
      return []
    }
    const there = await must(client.GET('/api/stock/counts/{id}/lines', { params: { path: { id }, query: { product_id: product, limit: 50 } } }))
    const some = (there.items ?? []).filter((l) => found.product || l.batch_id === '' || found.batches.some((b) => b.id === l.batch_id))
    if (some.length > 0 || c!.by_batch) return some
    const body = { product_id: product }
    return [await act(['count-add', id, product], (header) => client.POST('/api/stock/counts/{id}/lines', { params: { header, path: { id } }, body }))]
  })
  if (!c) return count.problem ? <ProblemBox problem={count.problem} again={count.again} /> : <SkeletonLines lines={6} />
  const noted = (l: StockCountLine) => {
    setLines(undefined)
    setDone((all) => [l, ...all.filter((x) => x.line_no !== l.line_no)].slice(0, 20))
    count.again()
    left.again()
  }
  return (
    <>
      <PageHead title={t('title')} back={{ to: '/count', label: t('title') }} note={t('of', { done: c.sums.lines - c.sums.not_counted, all: c.sums.lines })} />
      <div className="zg-stack">
        {c.state !== 'open' && <Strip tone="amber">{t('closed')}</Strip>}
        {c.state === 'open' && <Scanner busy={find.busy} note={t('scan_hint')} onCode={(code) => void find.run(code).then((found) => found && setLines(found))} />}
        {find.problem && <ProblemBox problem={find.problem} />}
        {unknown && <Strip tone="amber">{t('unknown', { code: unknown })}</Strip>}
        {lines?.map((l) => <Enter key={`${l.line_no}-${l.entries}`} count={id} line={l} done={noted} />)}
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
        {c.state === 'open' && left.rows.length > 0 && (
          <section>
            <h2>{t('left')}</h2>
            <ul className="st-tasks">{left.rows.map((l) => <li key={l.line_no} className="st-task"><div><b>{l.product}</b><span className="zg-note">{l.code}{l.batch && ` · ${l.batch}`}</span></div><button type="button" className="st-act" onClick={() => { setLines([l]); scrollTo({ top: 0 }) }}>{t('title')}</button></li>)}</ul>
          </section>
        )}
      </div>
    </>
  )
}

function Enter(props: { count: string; line: StockCountLine; done: (l: StockCountLine) => void }) {
  const { line } = props
  const t = useText(countText)
  const f = useFormat()
  const [qty, setQty] = useState('')
  const enter = useAct((n: string) => act(['count', props.count, line.line_no, line.entries, n], (header) =>
    client.POST('/api/stock/counts/{id}/lines/{line}/entries', { params: { header, path: { id: props.count, line: line.line_no } }, body: { qty: n } })), ['stock'])
  const send = () => {
    if (qty.trim() !== '') void enter.run(qty.trim()).then((l) => l && props.done(l))
  }
  return (
    <section className="zg-sheet">
      <h2>{line.product}</h2>
      <p className="zg-note">{line.code}{line.batch && ` · ${line.batch}`}</p>
      {enter.problem && <ProblemBox problem={enter.problem} />}
      <form className="zg-acts" onSubmit={(e) => { e.preventDefault(); send() }}>
        <Input size="large" autoFocus inputMode="decimal" className="zg-input-right" aria-label={t('how_many')} placeholder={t('how_many')} suffix={f.unit(line.unit)} value={qty} onChange={(e) => setQty(e.target.value)} />
        <Button size="large" type="primary" htmlType="submit" loading={enter.busy}>{t('enter')}</Button>
      </form>
    </section>
  )
}
