import { Badge, client, DataTable, Empty, FilterBar, must, ofThousandths, PageHead, SitePick, thousandths, useFilters, useFormat, useListing, useSite, useText, WhyPanel, type Column } from '@kit'
import { useState } from 'react'
import { MakeTabs, type Requisition } from './shared'
import { makeText } from './text'

const states = ['open', 'completed', 'cancelled'] as const

export default function Requisitions() {
  const t = useText(makeText)
  const f = useFormat()
  const place = useSite()
  const site = place.site?.id
  const [{ state }] = useFilters()
  const [shown, setShown] = useState<Requisition>()
  const word = (s: Requisition['state']) => (s === 'open' ? t('asked') : t(s))
  const rows = useListing(['produce', 'requisitions', site, state], (after, signal) => {
    const only = states.find((s) => s === state)
    return must(client.GET('/api/making/requisitions', { params: { query: { site_id: site ?? '', limit: 50, ...(only ? { state: only } : {}), ...(after ? { after } : {}) } }, signal }))
  }, { skip: !site })
  const columns: Column<Requisition>[] = [
    { key: 'product', head: t('product'), cell: (r) => r.product, by: (r) => r.product },
    { key: 'at', head: t('date'), cell: (r) => <span title={f.exact(r.made_at)}>{f.at(r.made_at)}</span>, by: (r) => r.made_at },
    { key: 'qty', head: t('qty'), right: true, cell: (r) => f.qty({ qty: r.qty, unit: r.unit }), by: (r) => Number(r.qty) },
    { key: 'n', head: t('materials'), right: true, cell: (r) => (r.materials ?? []).length },
    { key: 'state', head: t('state'), cell: (r) => <><Badge tone={r.state === 'completed' ? 'green' : r.state === 'open' ? 'amber' : 'plain'}>{word(r.state)}</Badge> <span className="zg-note">{r.cancel_reason}</span></>, by: (r) => r.state },
  ]
  return (
    <>
      <PageHead title={t('requisitions')}><SitePick {...place} /></PageHead>
      <MakeTabs />
      <FilterBar filters={[{ kind: 'choice', name: 'state', label: t('state'), options: states.map((value) => ({ value, label: word(value) })) }]} />
      <DataTable label={t('requisitions')} rows={rows} columns={columns} rowKey={(r) => r.id} onOpen={setShown} empty={<Empty title={t('none_asked_title')}>{t('none_asked')}</Empty>} />
      <WhyPanel open={shown !== undefined} onClose={() => setShown(undefined)} title={shown?.product} lead={t('materials')}>
        <table className="zg-parts">
          <thead><tr><th>{t('material')}</th><th className="zg-num">{t('by_recipe')}</th><th className="zg-num">{t('available')}</th></tr></thead>
          <tbody>{(shown?.materials ?? []).map((m) => (
            <tr key={m.product_id}><th scope="row">{m.product}</th><td className="zg-num">{f.qty({ qty: m.qty, unit: m.unit })}</td>
              <td className="zg-num">{thousandths(m.available) < thousandths(m.qty) ? <Badge tone="amber">{f.decimal(m.available)} ({f.signed(f.decimal(ofThousandths(thousandths(m.available) - thousandths(m.qty))))})</Badge> : f.decimal(m.available)}</td></tr>
          ))}</tbody>
        </table>
      </WhyPanel>
    </>
  )
}
