import { client, must, useRead } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useSite } from '@kit/site'
import { Empty, ProblemBox, SkeletonLines } from '@kit/states'
import { Link } from 'react-router-dom'
import { countText } from './text'

/** The counts that are open at the site. */
export default function Counts() {
  const t = useText(countText)
  const f = useFormat()
  const { site } = useSite()
  const counts = useRead(['stock', 'counts', site?.id, 'open'], () => must(client.GET('/api/stock/counts', { params: { query: { site_id: site!.id, state: 'open', limit: 20 } } })), { skip: !site })
  return (
    <>
      <PageHead title={t('title')} />
      {counts.problem ? <ProblemBox problem={counts.problem} again={counts.again} /> : !counts.data ? <SkeletonLines lines={4} /> : (counts.data.items ?? []).length === 0 ? <div className="zg-sheet"><Empty title={t('none_title')}>{t('none')}</Empty></div> : (
        <ul className="st-tasks">
          {counts.data.items!.map((c) => (
            <li key={c.id} className="st-task">
              <div><b>{c.note || f.at(c.made_at)}</b><span className="zg-note">{t('of', { done: c.sums.lines - c.sums.not_counted, all: c.sums.lines })}{c.blind && ` · ${t('blind')}`}</span></div>
              <Link className="st-act" to={`/count/${c.id}`}>{t('go')}</Link>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
