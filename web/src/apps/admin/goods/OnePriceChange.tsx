import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { act, all, Badge, client, DataTable, Facts, instantOf, must, PageHead, parseMoney, ProblemBox, Sheet, siteZone, SkeletonLines, Steps, timeOf, Trail, useAct, useCan, useFormat, usePageTitle, useRead, useSession, useText, ProductPick, type PriceChange, type Product } from '@kit'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router-dom'
import { changeTone } from './PriceChanges'
import { goodsText } from './shared'

export default function OnePriceChange() {
  const { id = 'new' } = useParams()
  const t = useText(goodsText)
  const read = useRead(['prices', 'document', id], (signal) => must(client.GET('/api/prices/documents/{id}', { params: { path: { id } }, signal })), { skip: id === 'new' })
  const doc = id === 'new' ? undefined : read.data
  usePageTitle(id === 'new' ? t('change_new') : doc?.no)
  const [editing, setEditing] = useState(false)
  return (
    <>
      <PageHead title={id === 'new' ? t('change_new') : (doc?.no ?? '')} back={{ to: '/goods/prices', label: t('changes') }} note={doc && <Badge tone={changeTone[doc.state]}>{t(`change_${doc.state}`)}</Badge>} />
      {read.problem && !doc && <ProblemBox problem={read.problem} again={read.again} />}
      {id === 'new' || (doc && editing) ? <Draft key={doc?.revision ?? 0} doc={doc} done={() => setEditing(false)} /> : doc ? <Shown doc={doc} edit={() => setEditing(true)} /> : !read.problem && <SkeletonLines lines={8} />}
    </>
  )
}

function Shown(props: { doc: PriceChange; edit: () => void }) {
  const { doc } = props
  const t = useText(goodsText)
  const f = useFormat()
  const can = useCan()
  const { me } = useSession()
  const [reason, setReason] = useState('')
  const [cancelling, setCancelling] = useState(false)
  const approve = useAct(() => act(['approve price change', doc.id, doc.revision], (header) => client.POST('/api/prices/documents/{id}/approve', { params: { header, path: { id: doc.id } }, body: { revision: doc.revision } })), ['prices', 'till'])
  const cancel = useAct(() => act(['cancel price change', doc.id, reason], (header) => client.POST('/api/prices/documents/{id}/cancel', { params: { header, path: { id: doc.id } }, body: { reason } })), ['prices', 'till'])
  const where = (site: string) => (site ? (me.sites.find((s) => s.id === site)?.name ?? '') : t('everywhere'))
  const money = (fen: number | null) => (fen === null ? '–' : f.money(fen))
  const when = (d: { valid_from: string; valid_at: string | null }) => (d.valid_at ? f.exact(d.valid_at) : f.date(d.valid_from))
  const problem = approve.problem ?? cancel.problem
  const acts = { drafted: t('change_did_drafted'), changed: t('change_did_changed'), approved: t('change_did_approved'), cancelled: t('change_did_cancelled') }
  return (
    <div className="zg-stack">
      {problem && <ProblemBox problem={problem} />}
      <Sheet acts={(
        <>
          {doc.state === 'draft' && can('price.manage') && <Button onClick={props.edit}>{t('change_edit')}</Button>}
          {(doc.state === 'draft' || doc.state === 'approved') && can('price.manage') && <Button danger onClick={() => setCancelling(true)}>{t('change_cancel')}</Button>}
          {doc.state === 'draft' && can('price.approve') && <Button type="primary" loading={approve.busy} onClick={() => void approve.run(undefined)}>{t('change_approve')}</Button>}
        </>
      )}>
        <Steps label={t('state')} current={doc.state} bad={doc.state === 'cancelled'}
          steps={doc.state === 'cancelled' ? [{ key: 'draft', label: t('change_draft') }, { key: 'cancelled', label: t('change_cancelled') }] : (['draft', 'approved', 'in_force'] as const).map((s) => ({ key: s, label: t(`change_${s}`) }))} />
        <Facts facts={[[t('where'), where(doc.site_id)], [t('from'), when(doc)], doc.note !== '' && [t('change_note'), doc.note]]} />
        {cancelling && (
          <form className="zg-acts" onSubmit={(e) => { e.preventDefault(); void cancel.run(undefined).then((ok) => ok && setCancelling(false)) }}>
            <Input aria-label={t('change_reason')} placeholder={t('change_reason')} value={reason} maxLength={200} autoFocus onChange={(e) => setReason(e.target.value)} style={{ maxWidth: 320 }} />
            <Button danger htmlType="submit" loading={cancel.busy} disabled={reason.trim() === ''}>{t('change_cancel')}</Button>
          </form>
        )}
      </Sheet>
      <Sheet title={t('change_lines')}>
        <DataTable label={t('change_lines')} rows={all(doc.lines)} rowKey={(l) => `${l.product_id}/${l.unit}`}
          columns={[
            { key: 'product', head: t('name'), cell: (l) => <Link to={`/goods/${l.product_id}`}>{l.product}</Link> },
            { key: 'code', head: t('code'), cell: (l) => l.code, wide: true },
            { key: 'unit', head: t('unit'), cell: (l) => f.unit(l.unit) },
            { key: 'before', head: t('change_before'), unit: '¥', right: true, cell: (l) => money(l.before_fen) },
            { key: 'price', head: t('price'), unit: '¥', right: true, cell: (l) => (l.price_fen === null ? t('ended') : <b>{f.money(l.price_fen)}</b>) },
            { key: 'overlaps', head: t('change_overlaps'), cell: (l) => l.overlaps.map((o) => (
              <div key={o.document_id} className="zg-note"><Link to={`/goods/prices/${o.document_id}`}>{o.no}</Link> {when(o)} {money(o.price_fen)} <Badge tone={o.wins ? 'amber' : 'plain'}>{o.wins ? t('change_other_wins') : t('change_this_wins')}</Badge></div>
            )) },
          ]} empty={null} />
      </Sheet>
      <Sheet title={t('change_trail')}>
        <Trail label={t('change_trail')} entries={[...doc.trail].reverse().map((e) => ({ key: `${e.at}${e.act}`, at: e.at, who: e.staff, what: `${acts[e.act]} ${e.note}` }))} />
      </Sheet>
    </div>
  )
}

interface Row { product: string; unit: string; price: string }

/** Writes a price change. Products are found by what is typed; each line is one way to sell one of them. */
function Draft(props: { doc: PriceChange | undefined; done: () => void }) {
  const { doc } = props
  const t = useText(goodsText)
  const f = useFormat()
  const go = useNavigate()
  const { me } = useSession()
  const can = useCan()
  const [site, setSite] = useState(doc?.site_id ?? (can('org.manage') ? '' : (me.sites[0]?.id ?? '')))
  const zone = me.sites.find((s) => s.id === site)?.time_zone ?? siteZone()
  const [from, setFrom] = useState(doc?.valid_from ?? '')
  const [time, setTime] = useState(doc?.valid_at ? timeOf(Date.parse(doc.valid_at), zone) : '')
  const [note, setNote] = useState(doc?.note ?? '')
  const [rows, setRows] = useState<Row[]>(doc ? doc.lines.map((l) => ({ product: l.product_id, unit: l.unit, price: l.price_fen === null ? '' : (l.price_fen / 100).toFixed(2) })) : [{ product: '', unit: '', price: '' }])
  const [known, setKnown] = useState<Record<string, Pick<Product, 'id' | 'name' | 'code' | 'units'>>>({})
  const products = Object.values(known)
  const named = (id: string) => products.find((p) => p.id === id)?.name ?? doc?.lines.find((l) => l.product_id === id)?.product ?? id
  const unitsOf = (row: Row) => products.find((p) => p.id === row.product)?.units.filter((u) => !u.retired).map((u) => u.name) ?? (row.unit ? [row.unit] : [])
  const set = (n: number, next: Partial<Row>) => setRows((old) => old.map((r, i) => (i === n ? { ...r, ...next } : r)))
  const filled = rows.filter((r) => r.product)
  const validAt = time && from ? instantOf(`${from}T${time}`, zone) : undefined
  const good = from !== '' && filled.length > 0 && filled.every((r) => r.unit && (r.price.trim() === '' || parseMoney(r.price) !== undefined))
  const body = {
    ...(site ? { site_id: site } : {}), valid_from: from, note: note.trim(),
    ...(validAt ? { valid_at: validAt } : {}),
    lines: filled.map((r) => ({ product_id: r.product, unit: r.unit, price_fen: r.price.trim() === '' ? null : (parseMoney(r.price) ?? null) })),
  }
  const save = useAct(() => doc
    ? act(['PUT price change', doc.id, doc.revision, body], (header) => client.PUT('/api/prices/documents/{id}', { params: { header, path: { id: doc.id } }, body: { ...body, revision: doc.revision } }))
    : act(['POST price change', body], (header) => client.POST('/api/prices/documents', { params: { header }, body })), ['prices'])
  return (
    <form className="zg-stack" onSubmit={(e) => { e.preventDefault(); if (good) void save.run(undefined).then((saved) => { if (saved) { props.done(); if (!doc) void go(`/goods/prices/${saved.id}`, { replace: true }) } }) }}>
      {save.problem && <ProblemBox problem={save.problem} />}
      <Sheet>
        <div className="zg-form-grid">
          <label className="zg-field zg-field-m"><span>{t('where')}</span><Select value={site} disabled={doc !== undefined} options={[{ value: '', label: t('everywhere') }, ...me.sites.map((s) => ({ value: s.id, label: s.name }))]} onChange={setSite} /></label>
          <label className="zg-field zg-field-s"><span>{t('from')}</span><input type="date" className="zg-date" required value={from} onChange={(e) => setFrom(e.target.value)} /></label>
          <label className="zg-field zg-field-s"><span>{t('change_time')}</span><input type="time" className="zg-date" value={time} onChange={(e) => setTime(e.target.value)} /></label>
          <label className="zg-field zg-field-m"><span>{t('change_note')}</span><Input maxLength={200} value={note} onChange={(e) => setNote(e.target.value)} /></label>
        </div>
      </Sheet>
      <Sheet title={t('change_lines')} note={t('change_lines_note')}>
        <div className="zg-stack">
          {rows.map((r, n) => (
            <div key={n} className="zg-line">
              <ProductPick bundles label={t('name')} value={r.product} named={r.product ? named(r.product) : undefined}
                choose={(p) => {
                  if (p) setKnown((old) => ({ ...old, [p.id]: p }))
                  set(n, { product: p?.id ?? '', unit: p?.units.find((u) => !u.retired)?.name ?? '' })
                }} />
              <Select className="zg-line-s" aria-label={t('unit')} {...(r.unit ? { value: r.unit } : {})} options={unitsOf(r).map((u) => ({ value: u, label: f.unit(u) }))} onChange={(unit: string) => set(n, { unit })} />
              <Input className="zg-line-s zg-input-right" aria-label={t('price')} inputMode="decimal" suffix="¥" value={r.price} placeholder={t('ended')} status={r.price.trim() === '' || parseMoney(r.price) !== undefined ? '' : 'error'} onChange={(e) => set(n, { price: e.target.value })} />
              {rows.length > 1 && <Button icon={<DeleteOutlined />} aria-label={t('change_remove_line')} onClick={() => setRows((old) => old.filter((_, i) => i !== n))} />}
            </div>
          ))}
          <div><Button icon={<PlusOutlined />} onClick={() => setRows((old) => [...old, { product: '', unit: '', price: '' }])}>{t('change_add_line')}</Button></div>
        </div>
      </Sheet>
      <div className="zg-acts"><Button type="primary" htmlType="submit" disabled={!good} loading={save.busy}>{t('change_save')}</Button>{doc && <Button onClick={props.done}>{t('change_back')}</Button>}</div>
    </form>
  )
}
