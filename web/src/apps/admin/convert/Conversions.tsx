import { Badge, client, DataTable, Empty, must, PageHead, SitePick, useCan, useFormat, useListing, useSite, useText, type Column, type ConversionRow } from '@kit'
import { Button } from 'antd'
import { useNavigate } from 'react-router-dom'
import { StockTabs } from '../stock/shared'
import { convertText } from './text'

/** What became what, newest first. */
export default function Conversions() {
  const t = useText(convertText)
  const f = useFormat()
  const can = useCan()
  const go = useNavigate()
  const place = useSite()
  const site = place.site?.id
  const rows = useListing(['stock', 'conversions', site], (after, signal) =>
    must(client.GET('/api/conversions', { params: { query: { site_id: site ?? '', limit: 50, ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const columns: Column<ConversionRow>[] = [
    { key: 'from_to', head: t('from_to'), cell: (c) => <>{c.from} → {c.to}</> },
    { key: 'shape', head: t('shape'), cell: (c) => t(`shape_${c.shape}`) },
    { key: 'at', head: t('at'), cell: (c) => <span title={f.exact(c.made_at)}>{f.at(c.made_at)}</span> },
    { key: 'staff', head: t('by_whom'), cell: (c) => c.staff, wide: true },
    { key: 'in', head: t('in_value'), unit: '¥', right: true, cell: (c) => f.money(c.in_fen) },
    { key: 'lost', head: t('lost_value'), unit: '¥', right: true, cell: (c) => (c.lost_fen ? f.money(c.lost_fen) : '') },
    { key: 'state', head: t('state'), cell: (c) => <Badge tone={c.reversed_by ? 'plain' : 'green'}>{t(c.reversed_by ? 'reversed' : 'posted')}</Badge> },
  ]
  return (
    <>
      <PageHead title={t('conversions')}>
        <SitePick {...place} />
        {can('make.work') && <Button type="primary" onClick={() => void go(`/stock/conversions/new${site ? `?site=${site}` : ''}`)}>{t('new_conversion')}</Button>}
      </PageHead>
      <StockTabs />
      <p className="zg-note">{t('note_list')}</p>
      <DataTable label={t('conversions')} rows={rows} columns={columns} rowKey={(c) => c.id} to={(c) => `/stock/conversions/${c.id}`} empty={<Empty title={t('empty_title')}>{t('empty')}</Empty>} />
    </>
  )
}
