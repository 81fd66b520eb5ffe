import { act, all, Badge, client, DataTable, must, PageHead, ProblemBox, Sheet, SkeletonLines, Trail, useAct, useCan, useFormat, usePageTitle, useRead, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Button, Input, Modal } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router-dom'
import { buyText } from './text'

type Line = components['schemas']['ReplenishRequisitionLineView']

/** What one site asks of another, and how that ended. */
export default function OneRequisition() {
  const { id = '' } = useParams()
  const t = useText(buyText)
  const f = useFormat()
  const can = useCan()
  const read = useRead(['plan', 'requisition', id], () => must(client.GET('/api/requisitions/{id}', { params: { path: { id } } })))
  const asked = read.data
  usePageTitle(asked?.no)
  const [ending, setEnding] = useState(false)
  const [reason, setReason] = useState(t('req_delivered'))
  const end = useAct(() => act(['end', id, reason], (header) => client.POST('/api/requisitions/{id}/close', { params: { path: { id }, header }, body: { reason: reason.trim() } })), ['plan'])
  const deliver = useAct(() => act(['deliver', id], (header) => client.POST('/api/requisitions/{id}/deliver', { params: { path: { id }, header }, body: {} })), ['plan', 'stock'])
  if (!asked) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const columns: Column<Line>[] = [
    { key: 'name', head: t('product'), cell: (l) => <><Link to={`/goods/${l.product_id}`}>{l.name}</Link> <span className="zg-note">{l.code}</span></> },
    { key: 'qty', head: t('qty'), right: true, cell: (l) => f.qty({ qty: l.qty, unit: l.unit }) },
  ]
  return (
    <>
      <PageHead title={asked.no} back={{ to: '/buy/requisitions', label: t('requisitions') }} note={<>{asked.source_name} → {asked.site_name} · {f.day(asked.due)} · <Badge tone={asked.state === 'confirmed' ? 'amber' : 'green'}>{asked.state === 'confirmed' ? t('req_open') : t('closed')}</Badge></>}>
        {asked.transfer_id !== '' && can('stock.read') && <Link className="zg-link" to={`/stock/transfers/${asked.transfer_id}`}>{t('req_transfer')}</Link>}
        {can('stock.manage') && asked.state === 'confirmed' && asked.transfer_id === '' && <Button type="primary" loading={deliver.busy} onClick={() => void deliver.run(undefined)}>{t('req_deliver')}</Button>}
        {can('plan.confirm') && asked.state === 'confirmed' && asked.transfer_id === '' && <Button onClick={() => setEnding(true)}>{t('req_end')}</Button>}
      </PageHead>
      <div className="zg-stack">
        {deliver.problem && <ProblemBox problem={deliver.problem} />}
        <DataTable label={t('lines')} rows={all(asked.lines ?? [])} columns={columns} rowKey={(l) => String(l.line_no)} empty={null} />
        <Sheet title={t('trail')}><Trail label={t('trail')} entries={[...(asked.closed_at ? [{ key: 'closed', at: asked.closed_at, who: asked.closed_by, what: asked.reason === '' ? t('req_received') : t('req_closed_by', { reason: asked.reason }) }] : []), { key: 'made', at: asked.made_at, who: asked.made_by, what: t('made_plan') }]} /></Sheet>
      </div>
      <Modal open={ending} title={t('req_end_title')} onCancel={() => setEnding(false)} okText={t('save')} okButtonProps={{ disabled: reason.trim() === '', loading: end.busy }} onOk={() => void end.run(undefined).then((done) => done && setEnding(false))} destroyOnHidden>
        <div className="zg-stack">
          <label className="zg-field"><span>{t('reason')}</span><Input autoFocus maxLength={200} value={reason} onChange={(e) => setReason(e.target.value)} /><span className="zg-note">{t('req_end_note')}</span></label>
          {end.problem && <ProblemBox problem={end.problem} />}
        </div>
      </Modal>
    </>
  )
}
