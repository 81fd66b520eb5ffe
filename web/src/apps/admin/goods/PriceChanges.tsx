import { Badge, client, DataTable, Empty, FilterBar, must, PageHead, useCan, useFilters, useFormat, useListing, useSession, useText, type PriceChange } from '@kit'
import { Button } from 'antd'
import { useNavigate } from 'react-router-dom'
import { goodsText, GoodsTabs } from './shared'

export const changeTone = { draft: 'amber', approved: 'amber', in_force: 'green', cancelled: 'plain' } as const

/** Price changes, newest first. */
export default function PriceChanges() {
  const t = useText(goodsText)
  const f = useFormat()
  const can = useCan()
  const go = useNavigate()
  const { me } = useSession()
  const [filter] = useFilters()
  const state = (['draft', 'approved', 'cancelled'] as const).find((s) => s === filter['state'])
  const changes = useListing(['prices', 'documents', state], (after, signal) =>
    must(client.GET('/api/prices/documents', { params: { query: { limit: 50, ...(state ? { state } : {}), ...(after ? { after } : {}) } }, signal })))
  const where = (id: string) => (id ? (me.sites.find((s) => s.id === id)?.name ?? '') : t('everywhere'))
  return (
    <>
      <PageHead title={t('changes')}>{can('price.manage') && <Button type="primary" onClick={() => void go('/goods/prices/new')}>{t('change_new')}</Button>}</PageHead>
      <GoodsTabs />
      <FilterBar filters={[{ kind: 'choice', name: 'state', label: t('state'), options: (['draft', 'approved', 'cancelled'] as const).map((s) => ({ value: s, label: t(`change_${s}`) })) }]} />
      <DataTable<PriceChange> label={t('changes')} rows={changes} rowKey={(c) => c.id} to={(c) => `/goods/prices/${c.id}`}
        columns={[
          { key: 'no', head: t('change_no'), cell: (c) => c.no, by: (c) => c.no },
          { key: 'where', head: t('where'), cell: (c) => where(c.site_id) },
          { key: 'from', head: t('from'), cell: (c) => (c.valid_at ? f.exact(c.valid_at) : f.date(c.valid_from)), by: (c) => c.valid_from },
          { key: 'lines', head: t('change_lines'), right: true, cell: (c) => f.number(c.count), by: (c) => c.count },
          { key: 'note', head: t('change_note'), cell: (c) => c.note, wide: true },
          { key: 'who', head: t('change_by'), cell: (c) => c.staff, wide: true },
          { key: 'state', head: t('state'), cell: (c) => <Badge tone={changeTone[c.state]}>{t(`change_${c.state}`)}</Badge> },
        ]}
        empty={<Empty title={t('changes_empty')}>{t('changes_empty_note')}</Empty>} />
    </>
  )
}
