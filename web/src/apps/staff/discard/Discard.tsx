import { act, client, must, useAct, useListing, useRead, type Batch } from '@kit/api'
import { ofThousandths, thousandths, useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useSession } from '@kit/session'
import { useSite } from '@kit/site'
import { Empty, ProblemBox, SkeletonLines, Strip } from '@kit/states'
import { kitText } from '@kit/words'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router-dom'
import { Choose } from '../Choose'
import { BatchRow } from '../scan/BatchRow'
import { Among } from '../scan/Among'
import { lookup, type Found } from '../scan/lookup'
import { Scanner } from '../scan/Scanner'
import { discardText } from './text'

const reasons = ['expired', 'made_wrong', 'dropped', 'damaged', 'tasting', 'sample', 'returned', 'other'] as const
type Reason = (typeof reasons)[number]

/** Goods that leave for the bin: which batch, how much, why. */
export default function Discard() {
  const t = useText(discardText)
  const k = useText(kitText)
  const { site } = useSite()
  const { can } = useSession()
  const [params, setParams] = useSearchParams()
  const [scanned, setScanned] = useState<Batch[]>()
  const [among, setAmong] = useState<Found>()
  const id = params.get('batch')
  const choose = (batch: string | undefined) => { setScanned(undefined); setParams(batch ? { batch } : {}) }
  const list = useListing(['stock', 'open', site?.id], (after, signal) => must(client.GET('/api/stock/batches', { params: { query: { site_id: site?.id ?? '', open: true, limit: 50, ...(after ? { after } : {}) } }, signal })), { skip: !site || id !== null })
  const look = useAct((code: string) => lookup(site!.id, code, can))
  const onCode = (code: string) => {
    if (site) void look.run(code).then((f) => {
      if (!f) return
      setAmong(f)
      if (f.batches.length === 1) choose(f.batches[0]!.id)
      else if (f.among.length === 0) setScanned(f.batches)
    })
  }
  if (id) return <><PageHead title={t('title')} back={{ to: '/discard', label: t('back') }} /><OneBatch key={id} id={id} again={() => choose(undefined)} /></>
  const shown = scanned ?? list.rows
  return (
    <>
      <PageHead title={t('title')} />
      <div className="zg-stack">
        <Scanner note={t('pick')} busy={look.busy} onCode={onCode} />
        {(look.problem ?? list.problem) && <ProblemBox problem={(look.problem ?? list.problem)!} again={list.again} />}
        <Among found={among} choose={onCode} />
        <h2>{t('expired_first')}</h2>
        {list.loading ? <SkeletonLines lines={6} /> : shown.length === 0 ? <div className="zg-sheet"><Empty title={t('none_title')}>{t('none')}</Empty></div> : (
          <ul className="st-tasks">{shown.map((b) => <BatchRow key={b.id} batch={b} act={<Button onClick={() => choose(b.id)}>{t('choose')}</Button>} />)}</ul>
        )}
        {!scanned && list.more && <Button onClick={list.more}>{k('load_more')}</Button>}
      </div>
    </>
  )
}

function OneBatch(props: { id: string; again: () => void }) {
  const t = useText(discardText)
  const f = useFormat()
  const read = useRead(['stock', 'batch', props.id], () => must(client.GET('/api/stock/batches/{id}', { params: { path: { id: props.id } } })))
  const batch = read.data
  const [typed, setTyped] = useState<string>()
  const [why, setWhy] = useState<Reason>()
  const [note, setNote] = useState('')
  const reason = why ?? (batch?.expired ? 'expired' : 'made_wrong')
  const value = thousandths(typed ?? batch?.qty ?? '')
  const qty = Number.isNaN(value) ? '' : ofThousandths(value)
  const save = useAct(() => act(['discard', props.id, qty, reason, note, batch?.qty], (header) => client.POST('/api/stock/write-offs', { params: { header }, body: { site_id: batch!.site_id, reason, ...(note.trim() ? { note: note.trim() } : {}), lines: [{ batch_id: props.id, qty }] } })), ['stock', 'plan'])
  const [done, setDone] = useState<string>()
  if (!batch) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={6} />
  const say = (q: string) => f.qty({ qty: q, unit: batch.unit })
  if (done) return <div className="zg-stack"><Strip tone="green">{t('done', { product: batch.product, qty: say(done) })}</Strip><Button size="large" block type="primary" onClick={props.again}>{t('more')}</Button></div>
  const wrong = Number.isNaN(value) || value <= 0 || value > thousandths(batch.qty)
  return (
    <div className="zg-stack">
      <ul className="st-tasks"><BatchRow batch={batch} /></ul>
      <label className="zg-field"><span>{t('qty', { unit: f.unit(batch.unit) })}</span>
        <Input className="zg-input-right" inputMode="decimal" value={typed ?? f.decimal(batch.qty).replace(/,/g, '')} onChange={(e) => setTyped(e.target.value)} status={wrong ? 'error' : ''} />
        {wrong && <span className="zg-note st-wrong">{t('qty_bad', { qty: say(batch.qty) })}</span>}</label>
      <Choose label={t('why')} value={reason} choices={reasons.map((r) => ({ value: r, label: t(r) }))} choose={setWhy} />
      <label className="zg-field"><span>{t('note')}</span><Input maxLength={200} value={note} onChange={(e) => setNote(e.target.value)} /></label>
      {save.problem && <ProblemBox problem={save.problem} />}
      <Button type="primary" size="large" block disabled={wrong} loading={save.busy} onClick={() => { const q = qty; void save.run(undefined).then((d) => d && setDone(q)) }}>{t('save', { qty: wrong ? '' : say(qty) })}</Button>
    </div>
  )
}
