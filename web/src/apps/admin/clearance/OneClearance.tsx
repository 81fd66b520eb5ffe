import './clearance.css'
import { Button } from 'antd'
import { all, Badge, client, DataTable, Figure, must, PageHead, Parts, ProblemBox, Sheet, SkeletonLines, useFormat, usePageTitle, useRead, useText, type ClearanceLook, type ClearancePlan, type ClearanceStory, type Column } from '@kit'
import { Link, useParams } from 'react-router-dom'
import { clearText, Label, Urgency, usePhaseWords } from './shared'

export default function OneClearance() {
  const { id = '' } = useParams()
  const t = useText(clearText)
  const f = useFormat()
  const phase = usePhaseWords()
  const read = useRead(['clear', 'batch', id], () => must(client.GET('/api/clear/batches/{id}', { params: { path: { id } } })), { every: 30_000 })
  const b = read.data
  usePageTitle(b && `${b.name} ${b.code}`)
  if (!b) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const q = (qty: string) => f.qty({ qty, unit: b.unit })
  return (
    <>
      <PageHead title={b.name} back={{ to: '/clearance', label: t('title') }} note={<Link to={`/stock/batches/${b.batch_id}`}>{t('batch')} {b.code}</Link>} />
      <div className="zg-stack">
        <div className="zg-figures">
          <Figure label={t('price')} value={b.list_fen === 0 ? '–' : f.yuan(b.price_fen)} note={<>{phase(b)} · {t(`reason_${b.reason}`)}</>} />
          <Figure label={t('left')} value={q(b.left)} note={<Urgency batch={b} />} />
          <Figure label={t('sold')} value={q(b.sold)} note={f.yuan(b.sold_fen)} />
          <Figure label={t('saved')} value={b.label ? f.yuan(b.saved_fen) : '–'} whyTitle={t('saved')} why={<Saved batch={b} />} />
          <Figure label={t('lost')} value={q(b.lost)} note={f.yuan(b.lost_fen)} />
        </div>
        {b.label && b.phase !== 'expired' && (
          <Sheet title={t('label')} note={t('label_note')} acts={<Button type="primary" onClick={() => print()}>{t('print')}</Button>}>
            <Label batch={b} />
          </Sheet>
        )}
        <Sheet title={t('looks')} note={t('looks_note')}>
          {b.steps.map((step) => <Look key={step.id} step={step} unit={b.unit} />)}
        </Sheet>
      </div>
    </>
  )
}

function Saved(props: { batch: ClearanceStory }) {
  const t = useText(clearText)
  const f = useFormat()
  const { batch } = props
  return (
    <>
      <p className="zg-note">{t('saved_note')}</p>
      <Parts total={batch.saved_fen} totalLabel={t('saved')} format={(v) => f.yuan(v)}
        parts={[{ label: t('saved_taken'), value: batch.sold_fen }, { label: t('saved_without'), value: batch.saved_fen - batch.sold_fen }]} />
    </>
  )
}

/** One look: what was known, every plan with both its figures, and what came of it. */
function Look(props: { step: ClearanceLook; unit: string }) {
  const t = useText(clearText)
  const f = useFormat()
  const phase = usePhaseWords()
  const { step } = props
  const q = (qty: string) => f.qty({ qty, unit: props.unit })
  const columns: Column<ClearancePlan>[] = [
    { key: 'plan', head: t('plan'), cell: (o) => <>{o.free_one ? t('plan_free') : t('plan_depth', { depth: o.depth })} {o.chosen && <Badge tone="green">{t('chosen')}</Badge>}</> },
    { key: 'price', head: t('plan_price'), unit: '¥', right: true, cell: (o) => f.money(o.price_fen) },
    { key: 'conversion', head: t('conversion'), right: true, cell: (o) => <>{f.percent(o.conversion_bp / 10_000)} <span className="zg-note">{o.passed ? t('passed') : t('not_passed')}</span></> },
    { key: 'sell', head: t('will_sell'), right: true, cell: (o) => q(o.sold) },
    { key: 'earn', head: t('will_earn'), unit: '¥', right: true, cell: (o) => f.money(o.earned_fen) },
  ]
  return (
    <details className="zg-details" open={step.changed}>
      <summary>
        <time title={f.exact(step.at)}>{f.at(step.at)}</time> · <b>{phase(step)}</b> · {t(`reason_${step.reason}`)}
        {step.changed && <> · {f.yuan(step.price_fen)}{Number(step.sold) > 0 && <span className="zg-note"> {t('under_it')} {q(step.sold)}</span>}</>}
      </summary>
      <p className="zg-note">
        {t('why_left', { left: q(step.left), expected: q(step.expected) })}
        {step.planned && <>{'\u3000'}{t('why_planned', { planned: q(step.planned) })}</>}
      </p>
      {step.options.length > 0 && <DataTable label={t('plan')} rows={all(step.options)} columns={columns} rowKey={(o) => `${o.depth}${o.free_one}`} empty={null} count={false} />}
    </details>
  )
}
