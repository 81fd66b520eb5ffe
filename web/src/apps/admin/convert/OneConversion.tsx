import { PrinterOutlined } from '@ant-design/icons'
import { act, all, Badge, client, DataTable, Facts, Figure, must, PageHead, Parts, ProblemBox, Sheet, SkeletonLines, Steps, Trail, useAct, useCan, useFormat, usePageTitle, useRead, useText, type Column, type Conversion } from '@kit'
import { App, Button, Input } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router-dom'
import { Paper, paperTable, stamp, type PaperColumn } from '../stock/Paper'
import { sumOf } from '../stock/papers'
import NewConversion from './NewConversion'
import { convertText } from './text'

export default function OneConversion() {
  const { id = 'new' } = useParams()
  return id === 'new' ? <NewConversion /> : <Shown id={id} />
}

type Item = Conversion['items'][number]

function Shown(props: { id: string }) {
  const { id } = props
  const t = useText(convertText)
  const f = useFormat()
  const read = useRead(['stock', 'conversion', id], (signal) => must(client.GET('/api/conversions/{id}', { params: { path: { id } }, signal })))
  const c = read.data
  const title = c ? `${c.from} → ${c.to}` : t('conversion')
  usePageTitle(title)
  if (!c) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const columns: Column<Item>[] = [
    { key: 'product', head: t('product'), cell: (l) => <>{l.product} <span className="zg-note">{l.code}</span></> },
    { key: 'batch', head: t('batch'), cell: (l) => <Link to={`/stock/batches/${l.batch_id}`}>{l.batch}</Link> },
    { key: 'expires', head: t('expires'), cell: (l) => (l.expires_at ? f.at(l.expires_at) : t('no_expiry')), wide: true },
    { key: 'qty', head: t('qty'), right: true, cell: (l) => f.qty({ qty: l.qty.replace(/^-/, ''), unit: l.unit }) },
    { key: 'value', head: t('value'), unit: '¥', right: true, cell: (l) => f.money(Math.abs(l.value_fen)) },
  ]
  const went = c.items.filter((l) => Number(l.qty) < 0)
  const came = c.items.filter((l) => Number(l.qty) > 0)
  const reasons = { trim: t('trim'), evaporated: t('evaporated'), spilled: t('spilled'), broken: t('broken'), tasting: t('tasting'), other: t('other') }
  return (
    <>
      <PageHead title={title} back={{ to: `/stock/conversions?site=${c.site_id}`, label: t('conversions') }} note={<Badge tone={c.reversed_by ? 'plain' : 'green'}>{t(c.reversed_by ? 'reversed' : 'posted')}</Badge>}>
        <Button icon={<PrinterOutlined />} onClick={() => print()}>{t('print')}</Button>
      </PageHead>
      <ConversionPaper conversion={c} reasons={reasons} />
      <div className="zg-stack">
        <Sheet>
          <Steps label={t('state')} current={c.reversed_by ? 'reversed' : 'posted'} bad={Boolean(c.reversed_by)}
            steps={[{ key: 'posted', label: t('posted'), at: c.made_at }, ...(c.reversed_by ? [{ key: 'reversed', label: t('reversed'), at: c.reversed_at }] : [])]} />
          <Facts facts={[[t('shape'), t(`shape_${c.shape}`)], [t('basis'), t(`basis_${c.basis}`)], c.note !== '' && [t('note'), c.note]]} />
        </Sheet>
        <div className="zg-figures">
          <Figure label={t('in_value')} value={f.yuan(c.in_fen)} whyTitle={t('where_value_went')} why={(
            <Parts total={c.in_fen} totalLabel={t('in_value')} format={(v) => f.yuan(v)} parts={[
              ...came.map((l) => ({ label: `${l.product} ${l.batch}`, value: l.value_fen })),
              ...c.losses.filter((l) => l.value_fen > 0).map((l) => ({ label: `${t('was_lost')} ${l.product} · ${reasons[l.reason]}`, value: l.value_fen })),
            ]} />
          )} />
          <Figure label={t('out_value')} value={f.yuan(c.out_fen)} />
          <Figure label={t('lost_value')} value={f.yuan(c.lost_fen)} />
        </div>
        <Sheet title={t('went_in')} flush><DataTable label={t('went_in')} count={false} rows={all(went)} columns={columns} rowKey={(l) => String(l.line_no)} empty={null} /></Sheet>
        <Sheet title={t('came_out')} flush><DataTable label={t('came_out')} count={false} rows={all(came)} columns={columns} rowKey={(l) => String(l.line_no)} empty={null} /></Sheet>
        {c.losses.length > 0 && (
          <Sheet title={t('was_lost')} flush>
            <DataTable label={t('was_lost')} count={false} rows={all(c.losses)} rowKey={(l) => `${l.product}${l.reason}${l.qty}`} empty={null} columns={[
              { key: 'product', head: t('product'), cell: (l) => l.product },
              { key: 'reason', head: t('reason'), cell: (l) => reasons[l.reason] },
              { key: 'qty', head: t('qty'), right: true, cell: (l) => f.qty({ qty: l.qty, unit: l.unit }) },
              { key: 'value', head: t('value'), unit: '¥', right: true, cell: (l) => (l.value_fen ? f.money(l.value_fen) : t('absorbed')) },
            ]} />
          </Sheet>
        )}
        <Sheet title={t('trail')}>
          <Trail label={t('trail')} entries={[
            ...(c.reversed_by ? [{ key: 'back', at: c.reversed_at, who: c.reverser, what: <>{t('did_reverse', { why: c.why })} <Link to={`/stock/documents/${c.reversed_by}`}>{t('document')}</Link></> }] : []),
            { key: 'made', at: c.made_at, who: c.staff, what: <>{t('did_post')} <Link to={`/stock/documents/${c.id}`}>{t('document')}</Link></> },
          ]} />
        </Sheet>
        {!c.reversed_by && <Reverse conversion={c} />}
      </div>
    </>
  )
}

function ConversionPaper(props: { conversion: Conversion; reasons: Record<Conversion['losses'][number]['reason'], string> }) {
  const { conversion: c, reasons } = props
  const t = useText(convertText)
  const f = useFormat()
  const size = (l: Item) => l.qty.replace(/^-/, '')
  const side = (rows: readonly Item[], fen: number): PaperColumn<Item>[] => {
    const sum = sumOf(rows, size)
    return [
      { key: 'product', head: t('product'), cell: (l) => <>{l.product} <small>{l.code}</small></>, total: t('total') },
      { key: 'batch', head: t('batch'), cell: (l) => l.batch, width: '34mm' },
      { key: 'expires', head: t('expires'), cell: (l) => (l.expires_at ? stamp(l.expires_at) : t('no_expiry')), width: '31mm' },
      { key: 'qty', head: t('qty'), right: true, cell: (l) => f.qty({ qty: size(l), unit: l.unit }), total: sum ? f.qty(sum) : '', width: '26mm' },
      { key: 'value', head: `${t('value')} ¥`, right: true, cell: (l) => f.money(Math.abs(l.value_fen)), total: f.money(fen), width: '26mm' },
    ]
  }
  const went = c.items.filter((l) => Number(l.qty) < 0)
  const came = c.items.filter((l) => Number(l.qty) > 0)
  return (
    <Paper title={t('conversion')} no={c.id} site={c.site_id} state={t(c.reversed_by ? 'reversed' : 'posted')} signatures={['made', 'checked']}
      facts={[[t('document_no'), c.id], [t('at'), stamp(c.made_at)], [t('by_whom'), c.staff], [t('shape'), t(`shape_${c.shape}`)], [t('basis'), t(`basis_${c.basis}`)], c.note !== '' && [t('note'), c.note]]}
      tables={[
        paperTable(went, side(went, c.in_fen), { title: t('went_in') }),
        paperTable(came, side(came, c.out_fen), { title: t('came_out') }),
        ...(c.losses.length > 0 ? [paperTable(c.losses, [
          { key: 'product', head: t('product'), cell: (l) => l.product, total: t('total') },
          { key: 'reason', head: t('reason'), cell: (l) => reasons[l.reason] },
          { key: 'qty', head: t('qty'), right: true, cell: (l) => f.qty({ qty: l.qty, unit: l.unit }), width: '26mm' },
          { key: 'value', head: `${t('value')} ¥`, right: true, cell: (l) => (l.value_fen ? f.money(l.value_fen) : <span className="zg-paper-says">{t('absorbed')}</span>), total: f.money(c.lost_fen), width: '34mm' },
        ], { title: t('was_lost') })] : []),
      ]}
      trail={[{ at: c.made_at, who: c.staff, what: t('did_post') }, ...(c.reversed_by ? [{ at: c.reversed_at, who: c.reverser, what: t('did_reverse', { why: c.why }) }] : [])]} />
  )
}

function Reverse(props: { conversion: Conversion }) {
  const { conversion: c } = props
  const t = useText(convertText)
  const can = useCan()
  const { message } = App.useApp()
  const [why, setWhy] = useState('')
  const back = useAct(() => act(['reverse conversion', c.id, why], (header) => client.POST('/api/conversions/{id}/reverse', { params: { header, path: { id: c.id } }, body: { reason: why.trim() } })), ['stock'])
  if (!can('stock.manage')) return null
  return (
    <div className="zg-no-print">
      <Sheet title={t('reverse')} note={t('reverse_note')}>
        {back.problem && <ProblemBox problem={back.problem} />}
        <form className="zg-acts" onSubmit={(e) => { e.preventDefault(); void back.run(undefined).then((ok) => ok && message.success(t('reverse_done'))) }}>
          <Input aria-label={t('reverse_why')} placeholder={t('reverse_why')} value={why} maxLength={200} style={{ width: 320, maxWidth: '100%' }} onChange={(e) => setWhy(e.target.value)} />
          <Button danger htmlType="submit" loading={back.busy} disabled={why.trim() === ''}>{t('reverse')}</Button>
        </form>
      </Sheet>
    </div>
  )
}
