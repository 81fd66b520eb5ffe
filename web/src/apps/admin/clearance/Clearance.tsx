import { Button } from 'antd'
import { act, client, DataTable, Empty, FilterBar, must, PageHead, SitePick, Strip, useAct, useCan, useFilters, useFormat, useListing, useSite, useText, type Clearance, type Column } from '@kit'
import { useState } from 'react'
import { clearText, ClearTabs, Urgency, usePhaseWords } from './shared'

export default function ClearancePage() {
  const t = useText(clearText)
  const f = useFormat()
  const can = useCan()
  const place = useSite()
  const phase = usePhaseWords()
  const [filter] = useFilters()
  const [said, say] = useState(false)
  const site = place.site?.id
  const ended = filter['ended'] === '1'
  const batches = useListing(['clear', 'batches', site, ended], (after, signal) =>
    must(client.GET('/api/clear/batches', { params: { query: { site_id: site ?? '', limit: 100, ...(ended ? { ended } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site, every: 30_000 })
  const run = useAct((at: string) => act(['look', at, Date.now()], (header) => client.POST('/api/clear/run', { params: { header }, body: { site_id: at } })), ['clear'])
  const q = (b: Clearance, qty: string) => f.qty({ qty, unit: b.unit })
  const columns: Column<Clearance>[] = [
    { key: 'name', head: t('product'), cell: (b) => b.name, by: (b) => b.name },
    { key: 'urgency', head: t('urgency'), cell: (b) => <Urgency batch={b} />, by: (b) => b.expires_at },
    { key: 'state', head: t('state'), cell: (b) => <>{phase(b)}<div className="zg-note">{t(`reason_${b.reason}`)}</div></> },
    { key: 'price', head: t('price'), unit: '¥', right: true, cell: (b) => (b.list_fen === 0 ? '' : <>{f.money(b.price_fen)}{b.price_fen < b.list_fen && <div className="zg-note"><s>{f.money(b.list_fen)}</s></div>}</>), by: (b) => b.price_fen },
    { key: 'left', head: t('left'), right: true, cell: (b) => <b>{q(b, b.left)}</b>, by: (b) => Number(b.left) },
    { key: 'sold', head: t('sold'), right: true, cell: (b) => (b.label ? q(b, b.sold) : ''), by: (b) => Number(b.sold), wide: true },
    { key: 'next', head: t('next'), wide: true, cell: (b) => <Next batch={b} /> },
    { key: 'expires', head: t('expires'), cell: (b) => <span title={f.exact(b.expires_at)}>{f.at(b.expires_at)}</span>, by: (b) => b.expires_at, wide: true },
  ]
  return (
    <>
      <PageHead title={t('title')}>
        <SitePick {...place} />
        {can('clear.manage') && <Button loading={run.busy} disabled={!site} onClick={() => void run.run(site ?? '').then((done) => say(done !== undefined))}>{t('run')}</Button>}
      </PageHead>
      <ClearTabs />
      {said && <Strip tone="green">{t('run_done')}</Strip>}
      {run.problem && <Strip tone="red">{run.problem.message}</Strip>}
      <FilterBar filters={[{ kind: 'flag', name: 'ended', label: t('ended_too') }]} />
      <DataTable label={t('title')} rows={batches} columns={columns} rowKey={(b) => b.batch_id} to={(b) => `/clearance/${b.batch_id}`} empty={<Empty title={t('empty_title')}>{t('empty')}</Empty>} />
    </>
  )
}

function Next(props: { batch: Clearance }) {
  const t = useText(clearText)
  const f = useFormat()
  const { batch } = props
  if (!batch.next_at) return null
  const at = f.at(batch.next_at)
  const same = (other: string) => Date.parse(other) === Date.parse(batch.next_at)
  return <span title={f.exact(batch.next_at)}>{same(batch.expires_at) ? t('next_end', { at }) : batch.free_at && same(batch.free_at) ? t('next_free', { at }) : t('next_look', { at })}</span>
}
