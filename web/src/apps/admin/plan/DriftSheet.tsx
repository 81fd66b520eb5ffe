import { client, must, ProblemBox, Sheet, SkeletonLines, useFormat, useRead, useText } from '@kit'
import { Link } from 'react-router-dom'
import { planText } from './shared'

const shown = 8

/** Forecasts that have been off in one direction for a fortnight, or further off than before, the costliest first. */
export function DriftSheet(props: { site: string | undefined }) {
  const { site } = props
  const t = useText(planText)
  const f = useFormat()
  const read = useRead(['forecasts', 'drift', site], (signal) => must(client.GET('/api/forecasts/drift', { params: { query: site ? { site_id: site } : {} }, signal })))
  const data = read.data
  const pct = (v: number | null | undefined) => (v === null || v === undefined ? '–' : f.percent(v))
  return (
    <Sheet title={t('drift')} note={t('drift_note')}>
      {read.problem && <ProblemBox problem={read.problem} again={read.again} />}
      {!data && read.loading && <SkeletonLines lines={3} />}
      {data && data.items.length === 0 && <p className="zg-note">{data.looked > 0 ? t('drift_none', { n: data.looked }) : t('drift_young')}</p>}
      {data && data.items.length > 0 && (
        <>
          <div style={{ overflowX: 'auto' }}>
            <table className="zg-parts">
              <thead><tr><th>{t('member')}</th><th>{t('drift_how')}</th><th className="zg-num">{t('bias')}</th><th className="zg-num">{t('ours')}</th><th className="zg-num">{t('drift_before')}</th><th className="zg-num">{t('drift_since')}</th></tr></thead>
              <tbody>{data.items.slice(0, shown).map((d) => (
                <tr key={`${d.level}${d.site_id}${d.id}`}>
                  <th scope="row">
                    {d.level === 'product' ? <Link to={`/plan/${d.site_id}/${d.id}`}>{d.name}</Link> : <Link to={`/plan/accuracy?level=${d.level}&member=${d.id}${d.level === 'category' ? `&site=${d.site_id}` : ''}`}>{d.name}</Link>}
                    <div className="zg-note">{t(`level_${d.level}`)}{!site && d.level !== 'store' && ` · ${d.site_name}`}</div>
                  </th>
                  <td><span className="zg-bad">{d.kind === 'high' ? '▲' : d.kind === 'low' ? '▼' : '◆'} {t(`drift_${d.kind}`)}</span></td>
                  <td className="zg-num">{d.bias === null ? '–' : f.signed(f.percent(d.bias))}</td>
                  <td className="zg-num"><b>{pct(d.wape)}</b></td>
                  <td className="zg-num">{pct(d.wape_before)}</td>
                  <td className="zg-num">{f.date(d.since)}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
          {data.items.length > shown && <p className="zg-note">{t('drift_rest', { n: data.items.length - shown })}</p>}
        </>
      )}
    </Sheet>
  )
}
