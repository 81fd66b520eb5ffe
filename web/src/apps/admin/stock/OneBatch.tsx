import { act, client, DataTable, Facts, Figure, must, ofThousandths, PageHead, Parts, ProblemBox, Sheet, SkeletonLines, Strip, thousandths, useAct, useCan, useFormat, useListing, usePageTitle, useProblemWords, useRead, useText, type BatchStory, type Column, type Movement } from '@kit'
import { Button } from 'antd'
import { Link, useParams } from 'react-router-dom'
import { Return } from './Return'
import { AgeBar, documentLink, stockText, useMovementWords } from './shared'

export default function OneBatch() {
  const { id = '' } = useParams()
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const words = useMovementWords()
  const read = useRead(['stock', 'batch', id], () => must(client.GET('/api/stock/batches/{id}', { params: { path: { id } } })))
  const batch = read.data
  usePageTitle(batch && t('batch_title', { code: batch.code }))
  if (!batch) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const q = (value: string) => f.qty({ qty: value, unit: batch.unit })
  return (
    <>
      <PageHead title={t('batch_title', { code: batch.code })} back={{ to: `/stock/batches?site=${batch.site_id}&product=${batch.product_id}`, label: t('batches') }} note={<Link to={`/goods/${batch.product_id}`}>{batch.product}</Link>}>{can('ledger.read') && <Link to={`/ledger/accounts/${id}`}>{t('to_statement')}</Link>}</PageHead>
      <div className="zg-stack">
        <div className="zg-figures">
          <Figure label={t('left')} value={q(batch.qty)} whyTitle={t('story')} why={<Story batch={batch} />} {...(Number(batch.held) > 0 ? { note: `${t('held')} ${q(batch.held)}` } : {})} />
          <Figure label={t('received')} value={q(batch.received)} note={<span title={f.exact(batch.received_at)}>{f.at(batch.received_at)}</span>} />
          <Figure label={t('value')} value={f.yuan(batch.value_fen)} />
          <Figure label={t('expires')} value={batch.expires_at ? f.at(batch.expires_at) : t('no_expiry')} {...(batch.expires_at || !batch.open ? { note: <AgeBar batch={batch} /> } : {})} />
        </div>
        <Places batch={batch} />
        <Return batch={batch} />
        {batch.made_on && <Sheet><Facts facts={[[t('made_on'), f.day(batch.made_on)]]} /></Sheet>}
        {can('ledger.read') ? <StatementTable account={id} unit={batch.unit} /> : (
          <Sheet title={t('story')}>
            <ul className="zg-list">{batch.movements.map((m, i) => <li key={i}>{f.at(m.at)} · {words.document(m.kind)} · {f.signed(f.decimal(m.qty))} → {f.decimal(m.left)}</li>)}</ul>
          </Sheet>
        )}
      </div>
    </>
  )
}

type State = BatchStory['places'][number]['status']

/** What of the batch is not for sale; frozen here, and released. */
function Places(props: { batch: BatchStory }) {
  const { batch } = props
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const words = useProblemWords()
  const change = useAct((body: { site_id: string; reason: 'quality' | 'passed' | 'damaged'; lines: { batch_id: string; from: State; to: State }[] }) =>
    act(['states', body, batch.qty, batch.places.length], (header) => client.POST('/api/stock/states', { params: { header }, body })), ['stock'])
  const to = (reason: 'quality' | 'passed' | 'damaged', from: State, state: State) => void change.run({ site_id: batch.site_id, reason, lines: [{ batch_id: batch.id, from, to: state }] })
  const free = thousandths(batch.qty) - thousandths(batch.held) - batch.places.reduce((n, p) => n + thousandths(p.qty) - thousandths(p.held), 0)
  if (!can('stock.manage') && batch.places.length === 0) return null
  return (
    <Sheet title={t('places')}>
      {change.problem && <Strip tone="red">{words(change.problem)}</Strip>}
      <ul className="zg-list">
        {batch.places.map((p) => (
          <li key={p.id}>
            <b>{f.qty({ qty: p.qty, unit: batch.unit })}</b> {p.channel ? t(`channel_${p.channel}` as 'channel_till') : t(`why_${p.status}`)} {f.yuan(p.value_fen)}{' '}
            {can('stock.manage') && !p.channel && <Button size="small" loading={change.busy} onClick={() => to('passed', p.status, 'available')}>{t('release')}</Button>}
          </li>
        ))}
      </ul>
      {can('stock.manage') && free > 0 && (
        <div className="zg-acts">
          <Button loading={change.busy} onClick={() => to('quality', 'available', 'frozen')}>{t('freeze')}</Button>
          <Button loading={change.busy} onClick={() => to('damaged', 'available', 'damaged')}>{t('to_damaged')}</Button>
        </div>
      )}
    </Sheet>
  )
}

/** The movements by kind of document: their sum is what is left. */
function Story(props: { batch: BatchStory }) {
  const { batch } = props
  const t = useText(stockText)
  const f = useFormat()
  const words = useMovementWords()
  const sums = new Map<string, number>()
  for (const m of batch.movements) sums.set(m.kind, (sums.get(m.kind) ?? 0) + thousandths(m.qty))
  const seen = [...sums.values()].reduce((a, b) => a + b, 0)
  const left = thousandths(batch.qty)
  const parts = [...sums].map(([kind, value]) => ({ label: words.document(kind), value }))
  if (seen !== left) parts.push({ label: t('older'), value: left - seen })
  return (
    <>
      <p className="zg-note">{t('story_note')}</p>
      <Parts parts={parts} total={left} totalLabel={t('left')} format={(v) => f.qty({ qty: ofThousandths(v), unit: batch.unit })} />
    </>
  )
}

function StatementTable(props: { account: string; unit: string }) {
  const t = useText(stockText)
  const f = useFormat()
  const words = useMovementWords()
  const list = useListing(['stock', 'statement', props.account], (after, signal) =>
    must(client.GET('/api/ledger/accounts/{id}/statement', { params: { path: { id: props.account }, query: { limit: 50, ...(after ? { after } : {}) } }, signal })))
  const document = (m: Movement) => {
    const name = words.document(m.kind)
    const to = documentLink(m.kind, m.id)
    return to ? <Link to={to}>{name}</Link> : name
  }
  const columns: Column<Movement>[] = [
    { key: 'at', head: t('at'), cell: (m) => <span title={f.exact(m.at)}>{f.at(m.at)}</span> },
    { key: 'doc', head: t('movement'), cell: (m) => <>{document(m)}{m.corrects && <span className="zg-note"> {t('corrects', { what: m.corrects })}</span>}</> },
    { key: 'other', head: t('counterpart'), cell: (m) => words.other(m.other, m.kind) },
    { key: 'qty', head: t('qty'), unit: f.unit(props.unit), right: true, cell: (m) => f.signed(f.decimal(m.qty)) },
    { key: 'balance', head: t('balance'), unit: f.unit(props.unit), right: true, cell: (m) => f.decimal(m.balance) },
  ]
  return (
    <Sheet title={t('statement')} note={t('statement_note')} flush>
      <DataTable label={t('statement')} rows={list} columns={columns} rowKey={(m) => m.document} empty={null} />
    </Sheet>
  )
}
