import { all, Badge, client, DataTable, Figure, must, ofThousandths, PageHead, Parts, ProblemBox, Sheet, SitePick, SkeletonLines, thousandths, useCan, useFormat, usePageTitle, useRead, useSite, useText, type ChannelShare, type Column, type StockWhyRow } from '@kit'
import { Button } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router-dom'
import { ChannelRule } from './ChannelRule'
import { documentLink, stockText, useMovementWords } from './shared'

const kept = ['held', 'frozen', 'inspecting', 'damaged', 'expired', 'reserved'] as const

/** A product at a site: what can be sold, and why the rest can't. */
export default function WhyNot() {
  const { id = '' } = useParams()
  const t = useText(stockText)
  const f = useFormat()
  const place = useSite()
  const words = useMovementWords()
  const can = useCan()
  const [rule, setRule] = useState<ChannelShare['channel']>()
  const site = place.site?.id ?? ''
  const read = useRead(['stock', 'why', site, id], () => must(client.GET('/api/stock/why', { params: { query: { site_id: site, product_id: id } } })), { skip: !site })
  const shares = useRead(['stock', 'channels', site, id], () => must(client.GET('/api/stock/channels', { params: { query: { site_id: site, product_id: id } } })), { skip: !site })
  const why = read.data
  usePageTitle(why?.name)
  if (!why) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const q = (value: string) => f.qty({ qty: value, unit: why.unit })
  const parts = [
    { label: t('available'), value: thousandths(why.available) },
    ...kept.filter((k) => Number(why.sums[k]) !== 0).map((k) => ({ label: t(`why_${k}`), value: thousandths(why.sums[k]) })),
  ]
  const columns: Column<StockWhyRow>[] = [
    { key: 'why', head: t('state'), cell: (r) => <Badge tone={r.why === 'available' ? 'green' : r.why === 'held' || r.why === 'reserved' || r.why === 'in_transit' ? 'plain' : r.why === 'expired' || r.why === 'damaged' ? 'red' : 'amber'}>{t(`why_${r.why}`)}</Badge> },
    { key: 'batch', head: t('batch'), cell: (r) => <Link to={`/stock/batches/${r.batch_id}`}>{r.batch}</Link> },
    { key: 'qty', head: t('qty'), unit: f.unit(why.unit), right: true, cell: (r) => <b>{f.decimal(r.qty)}</b> },
    { key: 'for', head: t('for_whom'), cell: (r) => {
      const to = documentLink(r.kind, r.document_id)
      return <>{r.channel && <>{t(`channel_${r.channel}` as 'channel_till')} </>}{r.kind && (to ? <Link to={to}>{words.document(r.kind)}</Link> : words.document(r.kind))}</>
    } },
    { key: 'until', head: t('until'), cell: (r) => (r.until ? <span title={f.exact(r.until)}>{f.when(r.until)}</span> : ''), wide: true },
    { key: 'expires', head: t('expires'), cell: (r) => (r.expires_at ? <span title={f.exact(r.expires_at)}>{f.when(r.expires_at)}</span> : t('no_expiry')) },
  ]
  const shareColumns: Column<ChannelShare>[] = [
    { key: 'channel', head: t('channel'), cell: (c) => t(`channel_${c.channel}`) },
    { key: 'available', head: t('channel_available'), unit: f.unit(why.unit), right: true, cell: (c) => <b>{f.decimal(c.available)}</b> },
    { key: 'floor', head: t('channel_floor'), unit: f.unit(why.unit), right: true, cell: (c) => (Number(c.floor) ? f.decimal(c.floor) : '') },
    { key: 'aside', head: t('channel_aside'), unit: f.unit(why.unit), right: true, cell: (c) => (Number(c.put_aside) ? f.decimal(c.put_aside) : '') },
    { key: 'cap', head: t('channel_cap'), unit: f.unit(why.unit), right: true, cell: (c) => (c.limited ? `${f.decimal(c.taken)} / ${f.decimal(c.cap)}` : Number(c.taken) ? f.decimal(c.taken) : '') },
    ...(can('stock.manage') ? [{ key: 'acts', head: '', cell: (c: ChannelShare) => <Button size="small" onClick={() => setRule(c.channel)}>{t('change_rule')}</Button> }] : []),
  ]
  const ruled = shares.data?.channels.find((c) => c.channel === rule)
  return (
    <>
      <PageHead title={why.name} back={{ to: `/stock?site=${site}`, label: t('levels') }} note={<Link to={`/stock/batches?site=${site}&product=${id}`}>{t('to_batches')}</Link>}><SitePick {...place} /></PageHead>
      <div className="zg-stack">
        <div className="zg-figures">
          <Figure label={t('available')} value={q(why.available)} />
          <Figure label={t('on_hand')} value={q(why.qty)} />
          {Number(why.sums.in_transit) > 0 && <Figure label={t('why_in_transit')} value={q(why.sums.in_transit)} note={t('transit_note')} />}
        </div>
        <Sheet title={t('why_title')} note={t('why_note')}>
          <Parts parts={parts} total={thousandths(why.qty)} totalLabel={t('on_hand')} format={(v) => f.qty({ qty: ofThousandths(v), unit: why.unit })} />
        </Sheet>
        <DataTable label={t('why_title')} rows={all(why.items)} columns={columns} rowKey={(r) => `${r.why}${r.batch_id}${r.place_id}${r.document_id}`} empty={null} />
        {shares.data && <Sheet title={t('channels_title')} note={t('channels_note')} flush><DataTable label={t('channels_title')} rows={all(shares.data.channels)} columns={shareColumns} rowKey={(c) => c.channel} empty={null} /></Sheet>}
        {ruled && <ChannelRule key={ruled.channel} site={site} product={id} unit={why.unit} share={ruled} done={() => setRule(undefined)} />}
      </div>
    </>
  )
}
