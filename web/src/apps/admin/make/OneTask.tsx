import { Badge, client, Facts, must, ofThousandths, PageHead, Parts, ProblemBox, Sheet, SkeletonLines, Steps, thousandths, useCan, useFormat, usePageTitle, useRead, useText } from '@kit'
import { Link, useParams } from 'react-router-dom'
import { makeText } from './text'

const reasons = ['made_wrong', 'dropped', 'material_bad', 'equipment', 'tasting', 'sample', 'other', 'over_issue'] as const

/** A making as a whole: what the recipe asks for, what was taken of which batch, what came out and what it cost. */
export default function OneTask() {
  const { id = '' } = useParams()
  const t = useText(makeText)
  const f = useFormat()
  const can = useCan()
  const read = useRead(['produce', 'task', id], () => must(client.GET('/api/making/tasks/{id}', { params: { path: { id } } })))
  const task = read.data
  usePageTitle(task?.product)
  if (!task) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const issues = task.issues ?? []
  const { output } = task
  const reason = reasons.find((r) => r === output?.reason)
  const taken = (product: string) => issues.filter((i) => i.product_id === product)
  return (
    <>
      <PageHead title={t('title_one', { product: task.product, at: f.at(task.made_at) })} back={{ to: `/make?site=${task.site_id}`, label: t('back_to') }} note={<Badge tone={task.state === 'done' ? 'green' : 'amber'}>{t(task.state)}</Badge>} />
      <div className="zg-stack">
        <Sheet><Steps label={t('state')} current={task.state === 'done' ? 'done' : 'open'} steps={[{ key: 'open', label: t('completed'), at: task.made_at }, { key: 'done', label: t('done'), ...(output ? { at: output.posted_at } : {}) }]} /></Sheet>
        <Sheet title={t('materials')} {...(task.recipe_from ? { note: <><Link to={`/goods/${task.product_id}/recipe?date=${task.recipe_from}`}>{t('recipe_of')} {t('recipe_from', { date: f.date(task.recipe_from) })}</Link>{task.mix_id && <> · {t('by_mix')}</>}</> } : {})}>
          <table className="zg-table zg-table-plain">
            <thead><tr><th>{t('material')}</th><th className="zg-num">{t('by_recipe')}</th><th className="zg-num">{t('taken')}</th><th className="zg-num">{t('diff')}</th><th className="zg-num">{t('cost')} <span className="zg-unit">¥</span></th><th>{t('batch')}</th></tr></thead>
            <tbody>
              {(task.needs ?? []).map((n) => {
                const of = taken(n.product_id)
                const sum = of.reduce((a, i) => a + thousandths(i.qty), 0)
                const diff = sum - thousandths(n.qty)
                return (
                  <tr key={n.product_id}>
                    <td><Link to={`/goods/${n.product_id}`}>{n.product}</Link>{(n.instead || n.share !== '1') && <div className="zg-note">{[n.instead && t('instead', { name: n.instead }), n.share !== '1' && f.percent(Number(n.share))].filter(Boolean).join(' · ')}</div>}</td>
                    <td className="zg-num">{f.qty({ qty: n.qty, unit: n.unit })}</td>
                    <td className="zg-num">{f.decimal(ofThousandths(sum))}</td>
                    <td className="zg-num">{diff === 0 ? '' : <span className={diff > 0 ? 'zg-bad' : 'zg-good'}>{f.signed(f.decimal(ofThousandths(diff)))}</span>}</td>
                    <td className="zg-num">{f.money(of.reduce((a, i) => a + i.cost_fen, 0))}</td>
                    <td>{of.map((i, k) => <span key={i.batch_id}>{k > 0 && ' · '}<Link to={`/stock/batches/${i.batch_id}`}>{f.decimal(i.qty)}</Link></span>)}</td>
                  </tr>
                )
              })}
            </tbody>
            <tfoot><tr><td>{t('material_cost')}</td><td /><td /><td /><td className="zg-num">{f.money(task.cost_fen)}</td><td /></tr></tfoot>
          </table>
        </Sheet>
        <Sheet title={t('output')} {...(output ? { note: t('cost_note') } : {})}>
          {!output ? <p className="zg-note">{t('not_done')}</p> : (
            <div className="zg-stack">
              <Facts facts={[[t('planned'), f.qty({ qty: task.planned, unit: task.unit })], [t('made'), f.qty({ qty: output.qty, unit: task.unit })], [t('made_at'), f.at(output.made_at)], reason && [t('reason'), t(reason)],
                Number(output.qty) > 0 && [t('unit_cost'), `¥${f.cost(Math.round((output.cost_fen * 10_000) / Number(output.qty)))}`],
                !!output.batch_id && [t('batch'), <Link key="b" to={`/stock/batches/${output.batch_id}`}>{t('batch')}</Link>]]} />
              <Parts parts={[{ label: t('material_cost'), value: task.cost_fen }, { label: t('lost'), value: -output.lost_fen, note: t('lost_note') }]} total={output.cost_fen} totalLabel={t('cost_of_batch')} format={(n) => f.yuan(n)} />
              {(output.losses ?? []).length > 0 && <div><h3>{t('losses')}</h3><ul className="zg-list">{output.losses!.map((l) => <li key={l.product_id}>{l.product} · {f.qty({ qty: l.qty, unit: l.unit })} · {f.yuan(l.cost_fen)}</li>)}</ul></div>}
              {output.batch_id && can('make.read') && <p className="zg-acts"><Link to={`/trace?batch=${output.batch_id}&dir=back`}>{t('trace_back')}</Link><Link to={`/trace?batch=${output.batch_id}&dir=forward`}>{t('trace_on')}</Link></p>}
            </div>
          )}
        </Sheet>
      </div>
    </>
  )
}
