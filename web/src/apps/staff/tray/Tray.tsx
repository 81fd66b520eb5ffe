import { ClockCircleOutlined } from '@ant-design/icons'
import { client, must, useAct, useListing, type Clearance } from '@kit/api'
import { Bars } from '@kit/Bars'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useCan, useSession } from '@kit/session'
import { useShopClock } from '@kit/shopClock'
import { useSite } from '@kit/site'
import { Empty, ProblemBox, SkeletonLines, Strip } from '@kit/states'
import { kitText } from '@kit/words'
import { Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { lookup } from '../scan/lookup'
import { Scanner } from '../scan/Scanner'
import { useToday } from '../today'
import { justOff, needOf, nextOf, onTray, toneOf } from './order'
import { trayText } from './text'

/** Watched batches of a site, also those that ended within the last hour: somebody has to carry the goods away. */
export const useTray = (site: string | undefined, skip = false) => useListing(['clear', 'tray', site], (after, signal) =>
  must(client.GET('/api/clear/batches', { params: { query: { site_id: site ?? '', ended_within: 60, limit: 200, ...(after ? { after } : {}) } }, signal })), { skip: skip || !site, every: 30_000 })

/** What comes off the shelf when: the most urgent on top, with its price now and what comes next. */
export default function Tray() {
  const t = useText(trayText)
  const k = useText(kitText)
  const f = useFormat()
  const can = useCan()
  const { can: may } = useSession()
  const { site } = useSite()
  useToday(can('plan.read') ? site?.id : undefined) // sets the shop's clock
  const now = useShopClock()
  const list = useTray(site?.id)
  const [only, setOnly] = useState<{ name: string; batches: readonly string[] }>()
  const [unknown, setUnknown] = useState<string>()
  const look = useAct((code: string) => lookup(site!.id, code, may))
  const open = onTray(list.rows, now)
  const off = justOff(list.rows, now)
  const shown = only ? open.filter((b) => only.batches.includes(b.batch_id)) : open

  const narrow = (code: string, found: readonly Clearance[]) => {
    setUnknown(found.length === 0 ? code : undefined)
    setOnly(found.length === 0 ? undefined : { name: found[0]!.name, batches: found.map((b) => b.batch_id) })
  }
  const onCode = (code: string) => {
    const here = open.filter((b) => b.label === code || b.code === code)
    if (here.length > 0) return narrow(code, here)
    if (!site) return
    void look.run(code).then((found) => {
      if (!found) return
      narrow(code, open.filter((b) => b.product_id === found.product?.id || found.batches.some((o) => o.id === b.batch_id)))
    })
  }
  return (
    <>
      <PageHead title={t('title')} note={open.length > 0 && t('count', { n: open.length })} />
      <div className="zg-stack">
        <Scanner note={t('pick')} busy={look.busy} onCode={onCode} />
        {look.problem && <ProblemBox problem={look.problem} />}
        {unknown && <Strip tone="amber">{t('not_here', { code: unknown })}</Strip>}
        {only && <Strip action={<Button onClick={() => setOnly(undefined)}>{t('show_all')}</Button>}>{t('only', { name: only.name })}</Strip>}
        {list.problem && <ProblemBox problem={list.problem} again={list.again} />}
        {list.loading ? <SkeletonLines lines={8} /> : shown.length === 0 && !list.problem ? <div className="zg-sheet"><Empty title={t('none_title')}>{t('none')}</Empty></div> : (
          <ul className="st-tasks">{shown.map((b) => <Row key={b.batch_id} batch={b} now={now} discards={can('stock.manage')} />)}</ul>
        )}
        {list.more && <Button onClick={list.more} loading={list.fetching}>{k('load_more')}</Button>}
        {!only && off.length > 0 && (
          <details className="zg-details">
            <summary>{t('just_off', { n: off.length })}</summary>
            <ul className="st-tasks">{off.map((b) => (
              <li key={b.batch_id} className="st-task">
                <div><b>{b.name}</b><span>{t('written_off', { qty: f.qty({ qty: b.lost, unit: b.unit }), cost: f.yuan(b.lost_fen) })}</span><span className="zg-note">{t('at', { at: f.at(b.expires_at) })} · {t('batch', { code: b.code })}</span></div>
              </li>
            ))}</ul>
          </details>
        )}
      </div>
    </>
  )
}

function Row(props: { batch: Clearance; now: number; discards: boolean }) {
  const { batch: b, now } = props
  const t = useText(trayText)
  const f = useFormat()
  const [label, setLabel] = useState(false)
  const need = needOf(b, now)
  const left = (Date.parse(b.expires_at) - now) / 1000
  const price = f.yuan(b.price_fen)
  const next = nextOf(b)
  const said = need === 'take_off' ? t('take_off') : b.reason === 'no_price' ? t('no_price') : b.list_fen === 0 ? '' : need === 'free_one' ? t('free_one', { price }) : need === 'markdown' ? t('markdown', { depth: b.depth, price }) : t('full_price', { price })
  return (
    <li className={`st-task st-${toneOf(b, now)} tr-row`}>
      <div>
        <b>{b.name}</b>
        <span className="st-due tr-left" title={f.exact(b.expires_at)}><ClockCircleOutlined aria-hidden /> {left > 0 ? t('left_time', { time: f.duration(left) }) : t('over_time', { time: f.duration(-left) })}</span>
        <span>{t('left', { qty: f.qty({ qty: b.left, unit: b.unit }) })}{Number(b.held) > 0 && ` · ${t('held', { qty: f.qty({ qty: b.held, unit: b.unit }) })}`}</span>
        <span>{said}{b.price_fen < b.list_fen && need !== 'take_off' && <> <s className="zg-note">{f.yuan(b.list_fen)}</s></>}</span>
        <span className="zg-note">{next && need !== 'take_off' && <span title={f.exact(next.at)}>{t(`next_${next.step}`, { at: f.clock(next.at) })} · </span>}{t('batch', { code: b.code })}</span>
      </div>
      {need === 'take_off' ? props.discards && <Link className="st-act" to={`/discard?batch=${b.batch_id}`}>{t('off')}</Link>
        : b.label && <button type="button" className="st-act" aria-expanded={label} onClick={() => setLabel(!label)}>{label ? t('hide') : t('label')}</button>}
      {label && <figure className="tr-label"><Bars code={b.label} /><figcaption className="zg-note">{t('label_note')}</figcaption></figure>}
    </li>
  )
}
