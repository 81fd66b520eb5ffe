import { client, must, useRead } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { LiveDot } from '@kit/live'
import { Mark } from '@kit/Mark'
import { useState, type ReactNode } from 'react'
import { Link, useNavigate, useParams } from 'react-router-dom'
import { AlarmList, SalesHead, ThreeFigures } from './Board'
import { Halves } from './Drawings'
import { Age, Loaded, useDay, useGoods, useNews, useYuan, type By } from './shared'
import { boardText } from './text'

// From the chain to a store, to a product, to its documents.

function Frame(props: { title: string; trail: ReactNode; read: unknown; at?: string | undefined; children: ReactNode }) {
  return (
    <div className="bd bd-free">
      <header className="bd-head">
        <Mark />
        <h1><span className="bd-trail">{props.trail}</span>{props.title}</h1>
        {props.read !== undefined && <Age of={props.read} at={props.at} />}
        <span className="zg-grow" />
        <LiveDot />
      </header>
      <main className="bd-main">{props.children}</main>
    </div>
  )
}

const orders: readonly By[] = ['out', 'loss', 'sales']

export function ChainGoods() {
  const t = useText(boardText)
  const navigate = useNavigate()
  const { by = 'out' } = useParams()
  const order: By = orders.find((o) => o === by) ?? 'out'
  const day = useDay()
  return (
    <Frame title={t('goods_of_chain')} trail={<Link to="/">{t('back_chain')}</Link>} read={day.data} at={day.data?.as_of}>
      <Alignment />
      <section className="bd-sheet">
        <div className="bd-stores-links">{(day.data?.stores ?? []).map((s) => <Link key={s.site_id} to={`/stores/${s.site_id}`}>{s.name}</Link>)}</div>
        <Goods by={order} choose={(next) => navigate(`/goods/${next}`, { replace: true })} />
      </section>
    </Frame>
  )
}

export function Store() {
  const t = useText(boardText)
  const { site = '' } = useParams()
  const [by, setBy] = useState<By>('out')
  const read = useDay(site)
  const store = read.data?.stores?.[0]
  return (
    <Frame title={store?.name ?? ''} trail={<Link to="/">{t('back_chain')}</Link>} read={read.data} at={read.data?.as_of}>
      <Loaded read={read}>
        {(day) => (
          <>
            <ThreeFigures figures={day.total} trend={day.trend} to={() => `/stores/${site}#goods`} />
            <div className="bd-two">
              <section className="bd-sheet bd-wide"><SalesHead figures={day.total} cleared={`/clearance/${site}`} /><Halves halves={day.halves} /></section>
              <section className="bd-sheet"><h2>{t('alarms')}</h2><AlarmList day={day} most={20} /></section>
            </div>
            <Alignment site={site} />
            <section className="bd-sheet" id="goods"><h2>{t('goods')}</h2><Goods by={by} choose={setBy} site={site} /></section>
          </>
        )}
      </Loaded>
    </Frame>
  )
}

/** Material bought beside material in goods sold, over four weeks; it opens in the office. */
function Alignment(props: { site?: string }) {
  const t = useText(boardText)
  const f = useFormat()
  const read = useRead(['report', 'materials', props.site, 'board'], (signal) => must(client.GET('/api/report/materials', { params: { query: { limit: 1, ...(props.site ? { site_id: props.site } : {}) } }, signal })))
  const x = read.data
  if (!x || x.materials === 0) return null
  return (
    <section className="bd-sheet">
      <h2>{t('alignment')}</h2>
      <dl className="bd-facts">
        <div><dt>{t('alignment_rate')}</dt><dd><a href={`/admin/buy/materials${props.site ? `?at=${props.site}` : ''}`}>{x.rate == null ? '\u2013' : f.percent(x.rate)}</a></dd><dd className="bd-note">{t('alignment_note')}</dd></div>
        <div><dt>{t('alignment_bought')}</dt><dd>{f.yuan(x.bought_fen)}</dd></div>
        <div><dt>{t('alignment_sold')}</dt><dd>{f.yuan(x.sold_fen)}</dd></div>
        <div><dt>{t('alignment_off')}</dt><dd>{f.yuan(x.off_fen)}</dd></div>
      </dl>
    </section>
  )
}

function Goods(props: { by: By; choose: (by: By) => void; site?: string }) {
  const { by, site } = props
  const t = useText(boardText)
  const f = useFormat()
  const yuan = useYuan()
  const read = useGoods(by, site)
  return (
    <>
      <div className="bd-tabs" role="group">{orders.map((o) => <button key={o} type="button" aria-pressed={o === by} onClick={() => props.choose(o)}>{t(`by_${o}`)}</button>)}</div>
      <Loaded read={read}>
        {(page) => page.items.length === 0 ? <p className="bd-quiet">{t('nothing')}</p> : (
          <div className="bd-scroll" tabIndex={0}>
            <table className="bd-table">
              <thead>
                <tr><th>{t('product')}</th><th className="zg-num">{t('rate')}</th><th className="zg-num">{t('slots')}</th><th className="zg-num bd-wider">{t('left')}</th><th className="zg-num">{t('net')}<small>{t('yuan')}</small></th><th className="zg-num">{t('wasted')}<small>{t('yuan')}</small></th><th className="zg-num bd-wider">{t('making_loss')}<small>{t('yuan')}</small></th><th className="zg-num bd-wider">{t('received')}<small>{t('yuan')}</small></th><th className="zg-num bd-wider">{t('made')}<small>{t('yuan')}</small></th></tr>
              </thead>
              <tbody>
                {page.items.map((g) => (
                  <tr key={g.product_id}>
                    <td>{site ? <Link to={`/stores/${site}/${g.product_id}`}>{g.name}</Link> : g.name}{g.out_now > 0 && <small className="bd-red"> {'\u25b2'} {t('slot_out')}</small>}</td>
                    <td className="zg-num">{g.out_rate == null ? '\u2013' : f.percent(g.out_rate)}</td>
                    <td className="zg-num">{g.slots_on_sale === 0 ? '\u2013' : `${g.slots_out} / ${g.slots_on_sale}`}</td>
                    <td className="zg-num bd-wider">{g.left == null ? '\u2013' : f.qty({ qty: g.left, unit: g.unit })}</td>
                    <td className="zg-num">{yuan(g.net_fen)}</td>
                    <td className="zg-num">{f.money(g.wasted_fen)}</td>
                    <td className="zg-num bd-wider">{f.money(g.making_loss_fen)}</td>
                    <td className="zg-num bd-wider">{f.money(g.received_fen)}</td>
                    <td className="zg-num bd-wider">{f.money(g.made_fen)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Loaded>
    </>
  )
}

/** What markdowns did today, down to the batches. */
export function Clearance() {
  const t = useText(boardText)
  const f = useFormat()
  const { site = '' } = useParams()
  const day = useDay(site || undefined)
  const read = useRead(['report', 'clearance', site], (signal) => must(client.GET('/api/report/clearance', { params: { query: { limit: 200, ...(site ? { site_id: site } : {}) } }, signal })), { every: 15_000 })
  useNews(read.again)
  const c = day.data?.total.cleared
  return (
    <Frame title={t('cleared_title')} trail={<><Link to="/">{t('back_chain')}</Link>{site && <> / <Link to={`/stores/${site}`}>{day.data?.stores?.[0]?.name ?? ''}</Link></>}</>} read={read.data} at={day.data?.as_of}>
      {c && (
        <section className="bd-sheet">
          <dl className="bd-facts">
            <div><dt>{t('cleared_batches')}</dt><dd>{f.number(c.batches)}</dd></div>
            <div><dt>{t('cleared_offered')}</dt><dd>{f.yuan(c.offered_fen)}</dd></div>
            <div><dt>{t('cleared')}</dt><dd>{f.yuan(c.sold_fen)}</dd><dd className="bd-note">{t('cleared_full', { full: f.yuan(c.full_fen) })}{c.sold_rate == null ? '' : ` · ${f.percent(c.sold_rate)}`}</dd></div>
            <div><dt>{t('cleared_lost')}</dt><dd>{f.yuan(c.lost_fen)}</dd></div>
          </dl>
        </section>
      )}
      <Loaded read={read}>
        {(page) => page.items.length === 0 ? <section className="bd-sheet"><p className="bd-quiet">{t('cleared_none')}</p></section> : (
          <section className="bd-sheet">
            <div className="bd-scroll" tabIndex={0}>
              <table className="bd-table">
                <thead><tr><th>{t('product')}</th><th>{t('store')}</th><th>{t('cleared_until')}</th><th className="zg-num bd-wider">{t('cleared_left')}</th><th className="zg-num">{t('cleared_sold')}</th><th className="zg-num">{t('cleared')}<small>{t('yuan')}</small></th><th className="zg-num bd-wider">{t('cleared_price')}<small>{t('yuan')}</small></th><th className="zg-num">{t('cleared_lost')}<small>{t('yuan')}</small></th></tr></thead>
                <tbody>
                  {page.items.map((b) => (
                    <tr key={b.batch_id}>
                      <td><Link to={`/stores/${b.site_id}/${b.product_id}`}>{b.name}</Link> <a className="bd-note" href={`/admin/stock/batches/${b.batch_id}`}>{b.code}</a></td>
                      <td>{b.site_name}</td>
                      <td title={f.exact(b.expires_at)}>{f.clock(b.expires_at)}</td>
                      <td className="zg-num bd-wider">{f.qty({ qty: b.first_left, unit: b.unit })}</td>
                      <td className="zg-num">{f.qty({ qty: b.sold, unit: b.unit })}</td>
                      <td className="zg-num">{f.money(b.sold_fen)}</td>
                      <td className="zg-num bd-wider">{f.money(b.full_fen)}</td>
                      <td className="zg-num">{f.money(b.lost_fen)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {page.next !== '' && <p className="bd-note">{t('cleared_more')}</p>}
          </section>
        )}
      </Loaded>
    </Frame>
  )
}

const documents = ['goods_receipt', 'opening_stock', 'write_off', 'adjustment', 'sale', 'void', 'refund', 'material_requisition', 'output_receipt'] as const
const flows = ['sold', 'supplied', 'opening', 'gain', 'loss', 'consumed', 'loss_in_making', 'made'] as const

export function Product() {
  const t = useText(boardText)
  const f = useFormat()
  const { site = '', product = '' } = useParams()
  const read = useRead(['report', 'product', site, product], (signal) => must(client.GET('/api/report/products/{id}', { params: { path: { id: product }, query: { site_id: site } }, signal })), { every: 4_000 })
  useNews(read.again)
  const store = useDay(site).data?.stores?.[0]
  const documentWord = (kind: string) => {
    const known = documents.find((d) => d === kind)
    return known ? t(`doc_${known}`) : kind
  }
  const flowWord = (name: string) => {
    const known = flows.find((x) => x === name)
    return known ? t(`flow_${known}`) : name.startsWith('waste') ? t('flow_waste') : t('flow_other')
  }
  return (
    <Frame title={read.data?.name ?? ''} trail={<><Link to="/">{t('back_chain')}</Link> / <Link to={`/stores/${site}`}>{store?.name ?? ''}</Link></>} read={read.data} at={read.data?.as_of}>
      <Loaded read={read}>
        {(g) => (
          <>
            <section className="bd-sheet">
              <dl className="bd-facts">
                <div><dt>{t('rate')}</dt><dd>{g.out_rate == null ? '\u2013' : f.percent(g.out_rate)}</dd><dd className="bd-note">{t('out_of', { out: g.slots_out, all: g.slots_on_sale })}</dd></div>
                <div><dt>{t('left')}</dt><dd>{g.left == null ? '\u2013' : f.qty({ qty: g.left, unit: g.unit })}</dd></div>
                <div><dt>{t('net')}</dt><dd>{f.yuan(g.net_fen)}</dd><dd className="bd-note">{f.qty({ qty: g.sold, unit: g.unit })}</dd></div>
                <div><dt>{t('wasted')}</dt><dd>{f.yuan(g.wasted_fen)}</dd><dd className="bd-note">{f.qty({ qty: g.wasted, unit: g.unit })}</dd></div>
                <div><dt>{t('received')}</dt><dd>{f.yuan(g.received_fen)}</dd><dd className="bd-note">{f.qty({ qty: g.received, unit: g.unit })}</dd></div>
                <div><dt>{t('made')}</dt><dd>{f.yuan(g.made_fen)}</dd><dd className="bd-note">{f.qty({ qty: g.made, unit: g.unit })}</dd></div>
              </dl>
            </section>
            <section className="bd-sheet">
              <h2>{t('slots_title')}</h2>
              {g.slots.length === 0 ? <p className="bd-quiet">{t('nothing')}</p> : (
                <ol className="bd-slots">
                  {g.slots.map((s) => (
                    <li key={s.at} className={s.out ? 'bd-slot-out' : s.on_sale ? 'bd-slot-in' : 'bd-slot-off'}>
                      <b>{s.at}</b><span>{s.out ? `\u25b2 ${t('slot_out')}` : s.on_sale ? t('slot_in') : t('slot_off')}</span><span className="bd-note">{s.sold === '0' ? '' : f.qty({ qty: s.sold, unit: g.unit })}{s.on_sale && !s.early ? ` ${t('slot_late')}` : ''}</span>
                    </li>
                  ))}
                </ol>
              )}
            </section>
            <section className="bd-sheet">
              <h2>{t('entries')}</h2>
              {g.entries.length === 0 ? <p className="bd-quiet">{t('nothing')}</p> : (
                <div className="bd-scroll" tabIndex={0}>
                  <table className="bd-table">
                    <thead><tr><th>{t('when')}</th><th>{t('document')}</th><th>{t('flow')}</th><th className="zg-num">{t('qty')}</th></tr></thead>
                    <tbody>
                      {g.entries.map((e, i) => (
                        <tr key={i}>
                          <td title={f.exact(e.at)}>{f.clock(e.at)}</td>
                          <td>{e.document === 'sale' ? <a href={`/admin/sales/${e.document_id}`}>{documentWord(e.document)}</a> : documentWord(e.document)}</td>
                          <td>{flowWord(e.flow)}</td>
                          <td className="zg-num">{f.signed(f.qty({ qty: e.qty, unit: g.unit }))}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              )}
              {g.more && <p className="bd-note">{t('entries_more')}</p>}
            </section>
          </>
        )}
      </Loaded>
    </Frame>
  )
}
