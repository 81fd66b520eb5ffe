import { all, client, DataTable, Empty, Figure, must, PageHead, ProblemBox, Sheet, SkeletonLines, useFormat, usePageTitle, useRead, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Link, useParams, useSearchParams } from 'react-router-dom'
import { documentLink } from '../stock/shared'
import { daysBefore, Off, Price, usePeriod } from './shared'
import { materialText } from './text'

type S = components['schemas']
type View = S['ReportOpenedMaterial']
type Site = S['ReportAlignedSite']
type Product = S['ReportSoldWith']
type Came = S['ReportCame']

/** A material of the alignment: by site, or at a site by document and product. */
export default function OneMaterial() {
  const { id = '' } = useParams()
  const t = useText(materialText)
  const place = usePeriod()
  const [params] = useSearchParams()
  const level = params.get('level') === 'chain' ? ('chain' as const) : undefined
  const last = useRead(['report', 'material', 'last', id, place.site?.id], (signal) => must(client.GET('/api/report/materials', { params: { query: { limit: 1, ...(place.site ? { site_id: place.site.id } : {}) } }, signal })), { skip: place.named || place.days === 28 })
  const query = place.named || place.days === 28 ? place.query : last.data ? { ...place.query, from: daysBefore(last.data.to, place.days - 1), to: last.data.to } : undefined
  const read = useRead(['report', 'material', id, query, level], (signal) => must(client.GET('/api/report/materials/{id}', { params: { path: { id }, query: { ...query, ...(level && place.site ? { level } : {}) } }, signal })), { skip: query === undefined })
  usePageTitle(read.data?.name)
  const back = new URLSearchParams(params)
  back.delete('level')
  if (level) back.delete('at')
  const problem = read.problem ?? last.problem
  return (
    <>
      <PageHead title={read.data ? `${read.data.name} ${read.data.code}` : t('one')} back={{ to: level ? `/buy/materials/${id}?${back}` : `/buy/materials?${back}`, label: level ? t('sites') : t('title') }} note={place.site?.name ?? t('everywhere')} />
      {problem && !read.data && <ProblemBox problem={problem} again={read.problem ? read.again : last.again} />}
      {!read.data && !problem && <SkeletonLines lines={8} />}
      {read.data && <Shown of={read.data} at={place.site !== undefined} query={params} />}
    </>
  )
}

function Shown(props: { of: View; at: boolean; query: URLSearchParams }) {
  const { of } = props
  const t = useText(materialText)
  const f = useFormat()
  const inUnit = (qty: string) => f.qty({ qty, unit: of.unit })
  const toSite = (s: Site) => {
    const next = new URLSearchParams(props.query)
    next.set('at', s.site_id)
    if (of.level === 'chain') next.set('level', 'chain')
    return `/buy/materials/${of.product_id}?${next}`
  }
  const sites: Column<Site>[] = [
    { key: 'name', head: t('site'), cell: (s) => <>{s.name} <span className="zg-note">{s.code}</span></>, by: (s) => s.name },
    { key: 'bought', head: t('bought'), right: true, cell: (s) => inUnit(s.bought), by: (s) => Number(s.bought) },
    { key: 'sold', head: t('in_sold'), right: true, cell: (s) => inUnit(s.sold), by: (s) => Number(s.sold) },
    { key: 'off', head: t('off_qty'), right: true, cell: (s) => <Off of={s} />, by: (s) => Number(s.off) },
    { key: 'amount', head: t('amount_off'), right: true, cell: (s) => f.yuan(s.off_fen), by: (s) => s.off_fen },
  ]
  const products: Column<Product>[] = [
    { key: 'name', head: t('product'), cell: (p) => <><Link to={`/goods/${p.product_id}/recipe`}>{p.name}</Link> <span className="zg-note">{p.code}{p.sent && ` · ${t('sent')}`}</span></>, by: (p) => p.name },
    { key: 'qty', head: t('product_qty'), right: true, cell: (p) => f.qty({ qty: p.qty, unit: p.unit }), by: (p) => Number(p.qty) },
    { key: 'in', head: t('in_sold'), right: true, cell: (p) => inUnit(p.in), by: (p) => Number(p.in) },
  ]
  const came: Column<Came>[] = [
    { key: 'date', head: t('date'), cell: (c) => f.day(c.date), by: (c) => c.date },
    { key: 'document', head: t('document'), cell: (c) => {
      const word = t(`kind_${c.document}` as 'kind_goods_receipt')
      const to = documentLink(c.document, c.document_id)
      return to ? <Link to={to}>{word}</Link> : word
    }, by: (c) => c.document },
    { key: 'qty', head: t('qty'), right: true, cell: (c) => inUnit(c.qty), by: (c) => Number(c.qty) },
    { key: 'cost', head: t('cost'), right: true, cell: (c) => f.yuan(c.cost_fen), by: (c) => c.cost_fen },
  ]
  return (
    <div className="zg-stack">
      <div className="zg-figures">
        <Figure label={t('rate')} value={of.rate == null ? '–' : f.percent(of.rate)} note={t('week', { from: f.day(of.from), to: f.day(of.to) })} />
        <Figure label={t('bought')} value={inUnit(of.bought)} note={f.yuan(of.bought_fen)} />
        <Figure label={t('sold')} value={inUnit(of.sold)} note={f.yuan(of.sold_fen)} />
        <Figure label={t('off')} value={<Off of={of} />} note={<>{f.yuan(of.off_fen)} · <Price of={of} /></>} />
      </div>
      <p className="zg-note">{t(`level_${of.level}`)}</p>
      {!props.at && <Sheet title={t('sites')}><DataTable label={t('sites')} rows={all(of.sites)} columns={sites} rowKey={(s) => s.site_id} to={toSite} empty={<Empty title={t('empty_title')}>{t('empty')}</Empty>} /></Sheet>}
      {props.at && (
        <>
          <Sheet title={t('products')} {...(of.opened_from && of.opened_from !== of.from ? { note: t('opened', { from: f.day(of.opened_from) }) } : {})}><DataTable label={t('products')} rows={all(of.products)} columns={products} rowKey={(p) => `${p.product_id} ${p.sent}`} empty={<p className="zg-note">{t('none_sold')}</p>} /></Sheet>
          <Sheet title={t('came')}><DataTable label={t('came')} rows={all(of.came)} columns={came} rowKey={(c) => `${c.document_id} ${c.qty} ${c.cost_fen}`} empty={<p className="zg-note">{t('none_came')}</p>} /></Sheet>
        </>
      )}
    </div>
  )
}
