import { client, must, ofThousandths, thousandths, useFormat, useRead, useText, type ReceiptItem, type ReceiptStory, type StockCount, type StockCountLine, type StockDocumentItem, type StockTransfer, type StockTransit, type Format, type T } from '@kit'
import type { components } from '@kit/api/schema'
import { Paper, paperTable, stamp, type PaperColumn } from './Paper'
import { staysHere, stockText, useMovementWords } from './shared'
import type zh from './zh'

type Story = components['schemas']['StockDocumentStory']
type LandedStory = components['schemas']['StockLandedStory']

const some = (n: string, show: (n: string) => string) => (Number(n) === 0 ? '' : show(n))

/** A quantity without its sign. */
const bare = (q: { qty: string; unit: string }) => ({ qty: q.qty.replace('-', ''), unit: q.unit })

/** What quantities of one unit add up to; of several units there is no sum. */
export function sumOf<R extends { unit: string }>(rows: readonly R[], qty: (row: R) => string): { qty: string; unit: string } | undefined {
  const unit = rows[0]?.unit
  if (unit === undefined || rows.some((r) => r.unit !== unit)) return undefined
  return { qty: ofThousandths(rows.reduce((n, r) => n + thousandths(qty(r)), 0)), unit }
}

export function ReceiptPaper(props: { receipt: ReceiptStory; title: string; state: string }) {
  const { receipt: r } = props
  const t = useText(stockText)
  const f = useFormat()
  const sum = (qty: (l: ReceiptItem) => string) => { const n = sumOf(r.items, qty); return n ? f.qty(n) : '' }
  const columns: PaperColumn<ReceiptItem>[] = [
    { key: 'product', head: t('name'), cell: (l) => <>{l.product} <small>{l.code}</small></>, total: t('total') },
    { key: 'batch', head: t('batch'), cell: (l) => l.batch },
    { key: 'expires', head: t('expires'), cell: (l) => (l.expires_at ? stamp(l.expires_at) : t('no_expiry')), width: '31mm' },
    ...(r.order_id ? [{ key: 'ordered', head: t('ordered'), right: true, cell: (l: ReceiptItem) => some(l.ordered, f.decimal) }] : []),
    { key: 'qty', head: t('received'), right: true, cell: (l) => f.qty(l), total: sum((l) => l.qty) },
    ...(r.claim_fen || r.state !== 'received' ? [{ key: 'returned', head: t('sent_back'), right: true, cell: (l: ReceiptItem) => some(l.returned, f.decimal) }] : []),
    { key: 'value', head: `${t('receipt_value')} ¥`, right: true, cell: (l) => f.money(l.value_fen), total: f.money(r.value_fen) },
    ...(r.landed_fen ? [{ key: 'landed', head: `${t('landed_costs')} ¥`, right: true, cell: (l: ReceiptItem) => f.money(l.landed_fen), total: f.money(r.landed_fen) }] : []),
  ]
  return (
    <Paper title={props.title} no={r.id} site={r.site_id} state={props.state} signatures={['handed', 'taken', 'checked']}
      facts={[
        [t('document_no'), r.id], [t('business_date'), r.business_date], [t('at'), stamp(r.made_at)], [t('by_whom'), r.staff], r.supplier !== '' && [t('supplier'), r.supplier],
        [t('purchase_order'), r.order_id ? r.order_no : t('receipt_free')], r.ref !== '' && [t('ref'), r.ref], r.claim_fen > 0 && [t('receipt_claim'), f.yuan(r.claim_fen)], r.note !== '' && [t('note'), r.note],
      ]}
      tables={[paperTable(r.items, columns)]}
      trail={r.trail.map((s) => ({ at: s.at, who: s.staff, what: [t(`receipt_did_${s.act}`, { amount: f.yuan(s.amount_fen) }), s.ref, s.note].filter(Boolean).join(' · ') }))} />
  )
}

/** Any posted document: write-off, adjustment, freezing, what a transfer or a count booked, a return to its supplier. */
export function DocumentPaper(props: { doc: Story }) {
  const { doc } = props
  const t = useText(stockText)
  const f = useFormat()
  const words = useMovementWords()
  const back = doc.kind === 'supplier_return'
  const inside = staysHere(doc.kind)
  const first = back ? doc.items[0]?.batch_id : undefined
  // whom the goods go back to is known by the receipt that they came with
  const from = useRead(['stock', 'supplier of', first ?? ''], async () => {
    if (!first) return ''
    const batch = await must(client.GET('/api/stock/batches/{id}', { params: { path: { id: first } } }))
    return (await must(client.GET('/api/receipts/{id}', { params: { path: { id: batch.document_id } } }))).supplier
  })
  const sum = sumOf(doc.items, (l) => l.qty)
  const owed = doc.items.reduce((n, l) => n + l.claim_fen, 0)
  const columns: PaperColumn<StockDocumentItem>[] = [
    { key: 'product', head: t('name'), cell: (l) => <>{l.product} <small>{l.code}</small></>, total: t('total') },
    { key: 'batch', head: t('batch'), cell: (l) => l.batch },
    { key: 'expires', head: t('expires'), cell: (l) => (l.expires_at ? stamp(l.expires_at) : t('no_expiry')), width: '31mm' },
    { key: 'qty', head: t(inside ? 'qty_moved' : 'qty'), right: true, cell: (l) => (inside ? f.qty(bare(l)) : f.signed(f.qty(l))), total: !sum ? '' : inside ? f.qty(bare(sum)) : Number(sum.qty) === 0 ? f.qty(sum) : f.signed(f.qty(sum)) },
    { key: 'value', head: `${t('value')} ¥`, right: true, cell: (l) => f.money(inside ? Math.abs(l.value_fen) : l.value_fen), total: f.money(inside ? Math.abs(doc.value_fen) : doc.value_fen) },
    ...(back ? [{ key: 'claim', head: `${t('claim')} ¥`, right: true, cell: (l: StockDocumentItem) => f.money(l.claim_fen), total: f.money(owed) }] : []),
  ]
  return (
    <Paper title={t('paper_title', { name: words.document(doc.kind) })} no={doc.id} site={doc.site_id} state={t('posted')} signatures={back ? ['made', 'handed', 'taken'] : ['made', 'checked']}
      facts={[
        [t('document_no'), doc.id], [t('business_date'), doc.business_date], [t('at'), stamp(doc.made_at)], [t('by_whom'), doc.staff || t('system')], back && Boolean(from.data) && [t('supplier'), from.data],
        doc.reason !== '' && [t('reason'), words.reason(doc.reason)], doc.ref !== '' && [t('ref'), doc.ref],
        doc.cause_id !== '' && [t('came_of'), `${t(doc.kind === 'stock_count' ? 'count' : 'transfer')} ${doc.cause_id}`], doc.note !== '' && [t('note'), doc.note],
      ]}
      tables={[paperTable(doc.items, columns)]}
      trail={[{ at: doc.made_at, who: doc.staff, what: t('posted') }]} />
  )
}

/** A transfer as it travels with the goods: what is asked, what to send, what to count in, or how it came. */
export function TransferPaper(props: { transfer: StockTransfer }) {
  const { transfer: x } = props
  const t = useText(stockText)
  const f = useFormat()
  const open = x.state === 'requested'
  const under = x.state === 'shipped'
  const byLine = new Map(x.lines.map((l) => [l.line_no, l]))
  const sum = (qty: (l: StockTransfer['lines'][number]) => string) => { const n = sumOf(x.lines, qty); return n && Number(n.qty) !== 0 ? f.qty(n) : '' }
  const lines: PaperColumn<StockTransfer['lines'][number]>[] = [
    { key: 'product', head: t('name'), cell: (l) => <>{l.product} <small>{l.code}</small></>, total: t('total') },
    { key: 'asked', head: t('asked'), right: true, cell: (l) => f.qty({ qty: l.asked, unit: l.unit }), total: sum((l) => l.asked) },
    ...(open ? [{ key: 'hand', head: t('ship_by_hand'), cell: () => '', width: '30mm' }] : []),
    ...(open || x.state === 'cancelled' ? [] : [{ key: 'shipped', head: t('shipped'), right: true, cell: (l: StockTransfer['lines'][number]) => some(l.shipped, f.decimal), total: sum((l) => l.shipped) }]),
    ...(x.state === 'received' || x.state === 'settled' ? [
      { key: 'received', head: t('received'), right: true, cell: (l: StockTransfer['lines'][number]) => some(l.received, f.decimal), total: sum((l) => l.received) },
      { key: 'over', head: t('over_shipped'), right: true, cell: (l: StockTransfer['lines'][number]) => some(l.over, f.decimal) },
      { key: 'left', head: t('missing'), right: true, cell: (l: StockTransfer['lines'][number]) => some(l.left, f.decimal) },
    ] : []),
  ]
  const loads: PaperColumn<StockTransit>[] = [
    { key: 'product', head: t('name'), cell: (w) => byLine.get(w.line_no)?.product },
    { key: 'batch', head: t('batch'), cell: (w) => w.batch },
    { key: 'expires', head: t('expires'), cell: (w) => (w.expires_at ? stamp(w.expires_at) : t('no_expiry')), width: '31mm' },
    { key: 'shipped', head: t('shipped'), right: true, cell: (w) => f.qty({ qty: w.shipped, unit: byLine.get(w.line_no)?.unit ?? '' }) },
    ...(under ? [{ key: 'hand', head: t('take_by_hand'), cell: () => '', width: '30mm' }] : [
      { key: 'received', head: t('received'), right: true, cell: (w: StockTransit) => some(w.received, f.decimal) },
      { key: 'lost', head: t('lost'), right: true, cell: (w: StockTransit) => some(w.lost, f.decimal) },
      { key: 'back', head: t('back'), right: true, cell: (w: StockTransit) => some(w.back, f.decimal) },
      { key: 'left', head: t('missing'), right: true, cell: (w: StockTransit) => some(w.left, f.decimal) },
    ]),
  ]
  return (
    <Paper title={t('transfer')} no={x.id} site={x.from_site_id} state={t(`transfer_${x.state}`)} signatures={['made', 'handed', 'taken']}
      facts={[[t('document_no'), x.id], [t('from_site'), x.from_site], [t('to_site'), x.to_site], [t('at'), stamp(x.made_at)], x.due !== '' && [t('due'), x.due], x.note !== '' && [t('note'), x.note]]}
      tables={[paperTable(x.lines, lines), ...(x.transits.length > 0 ? [paperTable(x.transits, loads, { title: t('by_batch_shipped') })] : [])]}
      trail={x.trail.map((s) => ({ at: s.at, who: s.staff, what: [t(`act_${s.act}` as 'act_requested'), s.note].filter(Boolean).join(' · ') }))} />
  )
}

/** A count while it is open: a list to write on, without what the books say, with room for what nobody expected. */
export function CountListPaper(props: { count: StockCount; lines: readonly StockCountLine[] }) {
  const { count: c } = props
  const t = useText(stockText)
  const f = useFormat()
  const columns: PaperColumn<StockCountLine>[] = [
    { key: 'code', head: t('code'), cell: (l) => l.code, width: '26mm' },
    { key: 'product', head: t('name'), cell: (l) => l.product },
    ...(c.by_batch ? [{ key: 'batch', head: t('batch'), cell: (l: StockCountLine) => l.batch, width: '32mm' }] : []),
    { key: 'unit', head: t('unit'), cell: (l) => f.unit(l.unit), width: '14mm' },
    { key: 'hand', head: t('count_by_hand'), cell: () => '', width: '32mm' },
    { key: 'note', head: t('note'), cell: () => '', width: '32mm' },
  ]
  return (
    <Paper title={t('count_list')} no={c.id} site={c.site_id} state={t(`count_${c.state}`)} signatures={['counted', 'checked']} facts={countFacts(c, t, f)}
      tables={[paperTable(props.lines, columns, { blank: 5 })]} />
  )
}

/** A count that is over: every line with what the books said, what was counted, and what the difference is worth. */
export function CountResultPaper(props: { count: StockCount; lines: readonly StockCountLine[] }) {
  const { count: c } = props
  const t = useText(stockText)
  const f = useFormat()
  const columns: PaperColumn<StockCountLine>[] = [
    { key: 'product', head: t('name'), cell: (l) => <>{l.product} <small>{[l.code, l.batch].filter(Boolean).join(' · ')}</small></>, total: t('total') },
    { key: 'state', head: t('state'), cell: (l) => t(`line_${l.state}`) },
    { key: 'book', head: t('book'), right: true, cell: (l) => (l.state === 'not_counted' ? '' : f.decimal(l.book)) },
    { key: 'counted', head: t('counted_qty'), right: true, cell: (l) => (l.state === 'not_counted' ? '' : f.qty({ qty: l.counted, unit: l.unit })) },
    { key: 'diff', head: t('diff'), right: true, cell: (l) => (Number(l.diff) === 0 ? '' : f.signed(f.decimal(l.diff))) },
    { key: 'value', head: `${t('value')} ¥`, right: true, cell: (l) => (l.value_fen ? f.money(l.value_fen) : ''), total: f.money(c.sums.gain_fen + c.sums.loss_fen) },
  ]
  return (
    <Paper title={t('count_result')} no={c.id} site={c.site_id} state={t(`count_${c.state}`)} signatures={['made', 'counted', 'checked']}
      facts={[...countFacts(c, t, f), [t('gain'), f.yuan(c.sums.gain_fen)], [t('loss'), f.yuan(c.sums.loss_fen)]]}
      tables={[paperTable(props.lines, columns)]}
      trail={c.trail.map((s) => ({ at: s.at, who: s.staff, what: [t(`act_${s.act}` as 'act_open'), s.note].filter(Boolean).join(' · ') }))} />
  )
}

function countFacts(c: StockCount, t: T<typeof zh>, f: Format): readonly (readonly [string, string] | false)[] {
  return [[t('document_no'), c.id], [t('at'), stamp(c.made_at)], [t('count_kind'), t(`count_kind_${c.kind}`)], [t('blind'), t(c.blind ? 'yes' : 'no')], [t('lines'), f.number(c.sums.lines)], c.note !== '' && [t('note'), c.note]]
}

export function LandedPaper(props: { landed: LandedStory }) {
  const { landed: l } = props
  const t = useText(stockText)
  const f = useFormat()
  return (
    <Paper title={t('paper_title', { name: t('kind_landed_cost') })} no={l.id} site={l.site_id} state={t('posted')} signatures={['made', 'checked']}
      facts={[[t('document_no'), l.id], [t('at'), stamp(l.made_at)], [t('by_whom'), l.staff], [t('landed_basis'), t(`basis_${l.basis}`)], [t('kind_goods_receipt'), l.receipt_id], l.ref !== '' && [t('ref'), l.ref], l.note !== '' && [t('note'), l.note]]}
      tables={[paperTable(l.items, [
        { key: 'product', head: t('name'), cell: (x) => x.product, total: t('total') },
        { key: 'batch', head: t('batch'), cell: (x) => x.batch },
        { key: 'share', head: `${t('landed_share')} ¥`, right: true, cell: (x) => f.money(x.share_fen), total: f.money(l.charge_fen) },
        { key: 'stock', head: `${t('landed_stock')} ¥`, right: true, cell: (x) => f.money(x.stock_fen), total: f.money(l.stock_fen) },
        { key: 'sold', head: `${t('landed_sold')} ¥`, right: true, cell: (x) => f.money(x.sold_fen), total: f.money(l.sold_fen) },
      ])]}
      trail={[{ at: l.made_at, who: l.staff, what: t('posted') }]} />
  )
}
