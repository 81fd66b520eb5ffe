import { act, client, must, useAct, useRead } from '@kit/api'
import type { components } from '@kit/api/schema'
import { ofThousandths, thousandths, useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { Badge, ProblemBox, SkeletonLines, Strip } from '@kit/states'
import { instantOf } from '@kit/zone'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { useParams } from 'react-router-dom'
import { receiveText } from './text'

type S = components['schemas']
type Line = S['PurchaseLineView']

interface Came {
  qty: string
  code: string
  made_on: string
  expires: string // as the field has it: local, without offset
}
const nothing: Came = { qty: '', code: '', made_on: '', expires: '' }

/** What came of an order, line by line: how much, which batch, until when. */
export default function OneOrder() {
  const { id = '' } = useParams()
  const t = useText(receiveText)
  const f = useFormat()
  const read = useRead(['purchase', 'one', id], () => must(client.GET('/api/purchase/orders/{id}', { params: { path: { id } } })))
  const order = read.data
  const [came, setCame] = useState<Record<number, Came[]>>({})
  const [ref, setRef] = useState('')
  const save = useAct((lines: S['SupplydayReceiptLineIn'][]) => act(['receive', id, ref, lines, order?.received_fen], (header) =>
    client.POST('/api/purchase/orders/{id}/receipts', { params: { path: { id }, header }, body: { lines, ...(ref.trim() ? { ref: ref.trim() } : {}) } })), ['purchase', 'stock', 'plan'])
  const [done, setDone] = useState<{ n: number; cost: number }>()
  if (!order) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const mayCome = ['confirmed', 'sent', 'part_received'].includes(order.state)
  const lines = order.lines ?? []
  const open = lines.filter((l) => Number(l.open) > 0)
  const of = (l: Line): Came[] => came[l.line_no] ?? [{ ...nothing, qty: f.decimal(l.open).replace(/,/g, '') }]
  const put = (l: Line, next: Came[]) => setCame((old) => ({ ...old, [l.line_no]: next }))
  const said = open.flatMap((l) => of(l).filter((c) => Number(c.qty) > 0).map((c) => ({
    line: l.line_no, qty: ofThousandths(thousandths(c.qty)), ...(c.code.trim() ? { code: c.code.trim() } : {}), ...(c.made_on ? { made_on: c.made_on } : {}),
    ...(c.expires ? { expires_at: instantOf(c.expires) ?? c.expires } : {}),
  })))
  const wrong = open.some((l) => of(l).some((c) => c.qty.trim() !== '' && Number.isNaN(thousandths(c.qty))))
  const touched = Object.keys(came).length > 0
  return (
    <>
      <PageHead title={order.supplier_name} note={<>{order.no} · {t('due', { day: f.day(order.due) })}</>} back={{ to: '/receive', label: t('back') }} />
      <div className="zg-stack">
        {done && <Strip tone="green">{t('done', { n: done.n, amount: f.yuan(done.cost) })}</Strip>}
        {!mayCome && !done && <Strip tone="plain">{t('state')}</Strip>}
        {lines.map((l) => (
          <section key={l.line_no} className="zg-sheet zg-stack-s">
            <div className="kt-head"><h2>{l.name}</h2>{Number(l.open) > 0 ? <span className="zg-note">{t('line_open', { qty: f.qty({ qty: l.open, unit: l.unit }) })}</span> : <Badge tone="green">{t('line_done', { qty: f.qty({ qty: l.received, unit: l.unit }) })}</Badge>}</div>
            {mayCome && Number(l.open) > 0 && of(l).map((c, i) => {
              const set = (change: Partial<Came>) => put(l, of(l).map((o, j) => (i === j ? { ...o, ...change } : o)))
              return (
                <div key={i} className="zg-stack-s">
                  <label className="zg-field"><span>{t('qty', { unit: f.unit(l.unit) })}</span><Input className="zg-input-right" inputMode="decimal" value={c.qty} onChange={(e) => set({ qty: e.target.value })} status={c.qty.trim() !== '' && Number.isNaN(thousandths(c.qty)) ? 'error' : ''} /></label>
                  <details className="zg-details"><summary>{t('details')}</summary>
                    <div className="zg-stack-s">
                      <label className="zg-field"><span>{t('code')}</span><Input maxLength={40} value={c.code} onChange={(e) => set({ code: e.target.value })} /></label>
                      <label className="zg-field"><span>{t('made_on')}</span><input type="date" className="zg-date st-date" value={c.made_on} onChange={(e) => set({ made_on: e.target.value })} /></label>
                      <label className="zg-field"><span>{t('expires')}</span><input type="datetime-local" className="zg-date st-date" value={c.expires} onChange={(e) => set({ expires: e.target.value })} /><span className="zg-note">{t('expires_note')}</span></label>
                      {i === of(l).length - 1 && <Button onClick={() => put(l, [...of(l), nothing])}>{t('split')}</Button>}
                    </div>
                  </details>
                </div>
              )
            })}
          </section>
        ))}
        {mayCome && open.length > 0 && (
          <>
            <label className="zg-field"><span>{t('ref')}</span><Input maxLength={60} value={ref} onChange={(e) => setRef(e.target.value)} /></label>
            {save.problem && <ProblemBox problem={save.problem} />}
            {said.length === 0 && <p className="zg-note st-wrong">{t('nothing')}</p>}
            <Button type="primary" size="large" block disabled={said.length === 0 || wrong} loading={save.busy}
              onClick={() => void save.run(said).then((r) => { if (r) { setDone({ n: (r.lines ?? []).length, cost: r.cost_fen }); setCame({}); setRef('') } })}>{touched ? t('receive') : t('receive_all')}</Button>
          </>
        )}
      </div>
    </>
  )
}
