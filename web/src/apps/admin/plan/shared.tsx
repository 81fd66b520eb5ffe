import { defineText, tabInSight, useFormat, useText, type ForecastFigures } from '@kit'
import { NavLink, useSearchParams } from 'react-router-dom'
import en from './en'
import zh from './zh'

export const planText = defineText(zh, en)

export function PlanTabs() {
  const t = useText(planText)
  const [params] = useSearchParams()
  const site = params.get('site')
  return (
    <nav ref={tabInSight} className="zg-tabs" aria-label={t('title')}>
      {([['/day', 'day'], ['/day/service', 'service'], ['/day/equipment', 'equipment'], ['/day/rules', 'rules'], ['/day/near', 'near'], ['/plan', 'products'], ['/plan/accuracy', 'accuracy']] as const).map(([to, key]) => <NavLink key={to} to={site ? `${to}?site=${site}` : to} end className={({ isActive }) => (isActive ? 'zg-tab-here' : '')}>{t(key)}</NavLink>)}
    </nav>
  )
}

/** How much better (above 0) or worse than the same weekday last week. */
export function gain(figures: Pick<ForecastFigures, 'wape' | 'wape_snaive'>): number | undefined {
  const { wape, wape_snaive } = figures
  return wape === null || wape_snaive === null || wape_snaive === 0 ? undefined : 1 - wape / wape_snaive
}

/** Our error beside the two simple rules and what chance alone costs: bars from a common zero. */
export function AccuracyBox(props: { figures: ForecastFigures }) {
  const { figures } = props
  const t = useText(planText)
  const f = useFormat()
  const rows = [['ours', figures.wape, 'series1'], ['last_week', figures.wape_snaive, 'compare'], ['mean4', figures.wape_mean4, 'compare'], ['floor', figures.noise_floor, 'line-strong']] as const
  const reach = Math.max(0.0001, ...rows.map(([, v]) => v ?? 0))
  const better = gain(figures)
  const bias = figures.bias ?? 0
  if (figures.wape === null) return <div><h3>{t('no_figures')}</h3><p className="zg-note">{t('no_figures_note')}</p></div>
  const coverage = Object.entries(figures.coverage).filter((e): e is [string, number] => e[1] !== null)
  return (
    <div className="zg-accuracy">
      <div>
        <table className="zg-parts">
          <tbody>
            {rows.map(([word, value, colour]) => value !== null && (
              <tr key={word} title={word === 'floor' ? t('floor_note') : undefined}>
                <th scope="row">{word === 'ours' ? <b>{t(word)}</b> : t(word)}{word === 'floor' && <div className="zg-note">{t('floor_note')}</div>}</th>
                <td className="zg-parts-bar" aria-hidden><i style={{ width: `${(value / reach) * 100}%`, background: `var(--zg-${colour === 'series1' ? 'series-1' : colour})` }} /></td>
                <td className="zg-num">{f.percent(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className="zg-note">{t('average_error', { n: f.number(figures.wape * 100, 1) })}{better !== undefined && ` · ${better >= 0 ? t('verdict_better', { pct: f.percent(better, 0) }) : t('verdict_worse', { pct: f.percent(-better, 0) })}`}</p>
        <p className="zg-note">{t('n')} {f.number(figures.n)} {t('n_unit')}{figures.sold_out > 0 && ` · ${t('n_emptied', { n: figures.sold_out })}`} · {Math.abs(bias) < 0.0005 ? t('bias_none') : bias > 0 ? t('bias_over', { pct: f.percent(bias) }) : t('bias_under', { pct: f.percent(-bias) })}</p>
      </div>
      {coverage.length > 0 && (
        <div>
          <h3>{t('coverage')}</h3>
          <p className="zg-note">{t('coverage_note')}</p>
          <table className="zg-parts">
            <thead><tr><th className="zg-num">{t('promised')}</th><th className="zg-num">{t('actual')}</th></tr></thead>
            <tbody>{coverage.map(([name, value]) => <tr key={name}><td className="zg-num">{name.replace(/^q/, '')}%</td><td className="zg-num">{f.percent(value)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </div>
  )
}
