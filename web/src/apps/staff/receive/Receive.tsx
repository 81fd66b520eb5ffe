import { client, must, useListing } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useSite } from '@kit/site'
import { Badge, Empty, ProblemBox, SkeletonLines } from '@kit/states'
import { kitText } from '@kit/words'
import { Button } from 'antd'
import { Link } from 'react-router-dom'
import { useToday } from '../today'
import { receiveText } from './text'

/** The orders whose goods are expected at the site. */
export default function Receive() {
  const t = useText(receiveText)
  const k = useText(kitText)
  const f = useFormat()
  const { site } = useSite()
  const today = useToday(site?.id)
  const list = useListing(['purchase', 'expected', site?.id], (after, signal) => must(client.GET('/api/purchase/orders', { params: { query: { site_id: site?.id ?? '', open: true, limit: 50, ...(after ? { after } : {}) } }, signal })), { skip: !site })
  const rows = [...list.rows].sort((a, b) => a.due.localeCompare(b.due))
  return (
    <>
      <PageHead title={t('title')} note={t('orders')} />
      <div className="zg-stack">
        {list.problem && <ProblemBox problem={list.problem} again={list.again} />}
        {list.loading ? <SkeletonLines lines={6} /> : rows.length === 0 && !list.problem ? <div className="zg-sheet"><Empty title={t('none_title')}>{t('none')}</Empty></div> : (
          <ul className="st-tasks">
            {rows.map((o) => (
              <li key={o.id} className="st-task">
                <div><b>{o.supplier_name}</b><span>{t('due', { day: f.day(o.due) })} {today.data && o.due < today.data.date && <Badge tone="red">{t('late')}</Badge>}</span><span className="zg-note">{o.no} · {t('lines', { n: o.line_count, amount: f.yuan(o.amount_fen) })}</span></div>
                <Link className="st-act" to={`/receive/${o.id}`}>{t('open')}</Link>
              </li>
            ))}
          </ul>
        )}
        {list.more && <Button onClick={list.more}>{k('load_more')}</Button>}
      </div>
    </>
  )
}
