import { client, DataTable, Empty, FilterBar, must, PageHead, SitePick, useFilters, useFormat, useListing, useSite, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { StockTabs, stockText } from './shared'

type Rule = components['schemas']['StockChannelRuleRow']
const channels = ['till', 'self_checkout', 'phone', 'platform', 'wholesale'] as const

/** What is kept for the channels of a site, and how much they may have in a day; a row opens the product, where it is changed. */
export default function ChannelRules() {
  const t = useText(stockText)
  const f = useFormat()
  const place = useSite()
  const [filter] = useFilters()
  const site = place.site?.id
  const channel = channels.find((c) => c === filter['channel'])
  const list = useListing(['stock', 'channel rules', site, channel], (after, signal) => must(client.GET('/api/stock/channel-rules', { params: { query: { site_id: site ?? '', limit: 100, ...(channel ? { channel } : {}), ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const columns: Column<Rule>[] = [
    { key: 'product', head: t('name'), cell: (r) => <>{r.product} <span className="zg-note">{r.code}</span></>, by: (r) => r.product },
    { key: 'channel', head: t('policy_channel'), cell: (r) => t(`channel_${r.channel}`), by: (r) => r.channel },
    { key: 'floor', head: t('channel_floor'), right: true, cell: (r) => (Number(r.floor) ? f.qty({ qty: r.floor, unit: r.unit }) : '–'), by: (r) => Number(r.floor) },
    { key: 'cap', head: t('channel_most'), right: true, cell: (r) => (r.limited ? f.qty({ qty: r.cap, unit: r.unit }) : t('unlimited')), by: (r) => (r.limited ? Number(r.cap) : Infinity) },
    { key: 'staff', head: t('by_whom'), cell: (r) => r.staff, wide: true },
    { key: 'at', head: t('policy_since'), cell: (r) => <span title={f.exact(r.changed_at)}>{f.at(r.changed_at)}</span>, wide: true },
  ]
  return (
    <>
      <PageHead title={t('title')}><SitePick {...place} /></PageHead>
      <StockTabs />
      <FilterBar filters={[{ kind: 'choice', name: 'channel', label: t('policy_channel'), options: channels.map((c) => ({ value: c, label: t(`channel_${c}`) })) }]} />
      <DataTable label={t('channel_rules')} rows={list} columns={columns} rowKey={(r) => `${r.product_id} ${r.channel}`} to={(r) => `/stock/products/${r.product_id}?site=${site}`} empty={<Empty title={t('channel_rules_none_title')}>{t('channel_rules_none')}</Empty>} />
    </>
  )
}
