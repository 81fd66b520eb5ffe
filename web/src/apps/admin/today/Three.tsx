import { client, Figure, must, Parts, ProblemBox, SkeletonLines, useFormat, useRead, useText } from '@kit'
import { Link } from 'react-router-dom'
import { todayText } from './text'

/** The three figures that count, and how material bought matches goods sold, each opening into what it is made of. */
export function Three(props: { site: string }) {
  const { site } = props
  const t = useText(todayText)
  const f = useFormat()
  const read = useRead(['report', 'board', site], (signal) => must(client.GET('/api/report/board', { params: { query: { site_id: site } }, signal })), { every: 5_000 })
  const aligned = useRead(['report', 'materials', site, 'today'], (signal) => must(client.GET('/api/report/materials', { params: { query: { site_id: site, limit: 1 } }, signal })))
  if (read.problem && !read.data) return <ProblemBox problem={read.problem} again={read.again} />
  if (!read.data) return <SkeletonLines lines={3} />
  const x = read.data.total
  const whole = aligned.data
  const board = <a href={`/board/stores/${site}`}>{t('three_open')}</a>
  const count = (v: number) => f.number(v)
  return (
    <div className="zg-figures">
      <Figure
        label={t('out')} value={x.out_rate == null ? '\u2013' : f.percent(x.out_rate)} note={x.out_now > 0 ? t('out_now', { n: x.out_now }) : x.out_rate == null ? t('no_base') : t('out_of', { out: x.slots_out, all: x.slots_on_sale })}
        why={<><Parts parts={[{ label: t('slots_in'), value: x.slots_on_sale - x.slots_out }, { label: t('slots_out'), value: x.slots_out }]} total={x.slots_on_sale} totalLabel={t('slots_all')} format={count} /><p className="zg-note">{t('out_why')}</p>{x.out_rate_early != null && <p className="zg-note">{t('out_early', { rate: f.percent(x.out_rate_early) })}</p>}{board}</>}
      />
      <Figure
        label={t('loss')} value={x.loss_rate == null ? '\u2013' : f.percent(x.loss_rate)} note={x.loss_rate == null ? t('no_base') : t('loss_of', { lost: f.yuan(x.wasted_fen + x.making_loss_fen), base: f.yuan(x.received_fen + x.made_fen) })}
        why={<><Parts parts={[{ label: t('wasted'), value: x.wasted_fen }, { label: t('making_loss'), value: x.making_loss_fen }]} total={x.wasted_fen + x.making_loss_fen} totalLabel={t('lost')} format={f.yuan} /><Parts parts={[{ label: t('received'), value: x.received_fen }, { label: t('made'), value: x.made_fen }]} total={x.received_fen + x.made_fen} totalLabel={t('base')} format={f.yuan} />{board}</>}
      />
      <Figure
        label={t('labour')} value={x.per_hour_fen == null ? '\u2013' : f.yuan(Math.round(x.per_hour_fen))} note={x.per_hour_fen == null ? t('no_hours') : t('labour_of', { hours: f.duration(x.worked_min * 60), n: x.present })}
        why={<><Parts parts={[{ label: t('sold'), value: x.sales_fen }, { label: t('refunds'), value: -x.refunds_fen }]} total={x.net_fen} totalLabel={t('sales')} format={f.yuan} /><p className="zg-note">{t('labour_why', { hours: f.duration(x.worked_min * 60) })}</p>{x.cut > 0 && <p className="zg-note">{t('cut', { n: x.cut })}</p>}{board}</>}
      />
      {whole && whole.materials > 0 && (
        <Figure
          label={t('alignment')} value={whole.rate == null ? '\u2013' : f.percent(whole.rate)} note={whole.rate == null ? t('no_base') : t('alignment_of', { off: f.yuan(whole.off_fen), sold: f.yuan(whole.sold_fen) })}
          why={<><Parts parts={[{ label: t('alignment_over'), value: whole.over_fen }, { label: t('alignment_short'), value: whole.short_fen }]} total={whole.off_fen} totalLabel={t('alignment_off')} format={f.yuan} /><p className="zg-note">{t('alignment_why')}</p><Link to={`/buy/materials?at=${site}`}>{t('alignment_open')}</Link></>}
        />
      )}
    </div>
  )
}
