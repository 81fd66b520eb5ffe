import { all, client, DataTable, must, ProblemBox, Sheet, SitePick, SkeletonLines, useCan, useFormat, useRead, useSite, useText, WhyPanel, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { recipeText } from './text'

type S = components['schemas']
type Line = S['MakingLineLoss']
type Batch = S['MakingLossBatch']

/** What each line has been learned to lose at a site, beside what the recipe says; a line opens into its batches. */
export function Losses(props: { product: string; date: string }) {
  const t = useText(recipeText)
  const f = useFormat()
  const can = useCan()
  const place = useSite(['store', 'kitchen'])
  const site = place.site?.id
  const [line, setLine] = useState<Line>()
  const read = useRead(['making', 'losses', props.product, props.date, site], (signal) => must(client.GET('/api/making/recipes/{id}/losses', { params: { path: { id: props.product }, query: { site_id: site ?? '', date: props.date } }, signal })), { skip: !site || !can('make.read') })
  if (!site || !can('make.read')) return null
  const columns: Column<Line>[] = [
    { key: 'name', head: t('component'), cell: (l) => <>{l.name} <span className="zg-note">{l.code}</span></>, by: (l) => l.name },
    { key: 'set', head: t('loss_set'), right: true, cell: (l) => f.percent(Number(l.set_loss), 2), by: (l) => Number(l.set_loss) },
    { key: 'learned', head: t('loss_learned'), right: true, cell: (l) => <><b>{f.percent(Number(l.loss), 2)}</b>{!l.used && <div className="zg-note">{t('loss_unused')}</div>}</>, by: (l) => Number(l.loss) },
    { key: 'batches', head: t('loss_batches'), right: true, cell: (l) => f.number(l.batches), by: (l) => l.batches },
    { key: 'since', head: t('loss_since'), right: true, cell: (l) => (l.from.length > 0 ? f.day(l.from[l.from.length - 1]!.date) : '–'), by: (l) => l.from[l.from.length - 1]?.date ?? '' },
  ]
  return (
    <Sheet title={t('losses')} note={t('losses_note')} acts={<SitePick {...place} />} flush>
      {read.problem && !read.data && <ProblemBox problem={read.problem} again={read.again} />}
      {!read.data && !read.problem && <SkeletonLines lines={3} />}
      {read.data && <DataTable label={t('losses')} rows={all(read.data.items)} columns={columns} rowKey={(l) => l.product_id} onOpen={setLine} empty={<p className="zg-note zg-pad">{t('losses_none')}</p>} count={false} />}
      <WhyPanel open={line !== undefined} onClose={() => setLine(undefined)} title={line?.name} lead={t('losses_lead')}>{line && <Batches line={line} />}</WhyPanel>
    </Sheet>
  )
}

/** The batches that a rate is of, and how it comes of them. */
function Batches(props: { line: Line }) {
  const { line } = props
  const t = useText(recipeText)
  const f = useFormat()
  const much = (qty: string) => f.qty({ qty, unit: line.unit })
  const lost = (of: { taken: string; net: string }) => Number(of.taken) - Number(of.net)
  const columns: Column<Batch>[] = [
    { key: 'date', head: t('loss_date'), cell: (b) => <Link to={`/make/${b.task_id}`}>{f.day(b.date)}</Link>, by: (b) => b.date },
    { key: 'net', head: t('loss_net'), right: true, cell: (b) => much(b.net), by: (b) => Number(b.net) },
    { key: 'taken', head: t('loss_taken'), right: true, cell: (b) => much(b.taken), by: (b) => Number(b.taken) },
    { key: 'lost', head: t('loss_lost'), right: true, cell: (b) => f.signed(f.number(lost(b), 1)), by: lost },
  ]
  return (
    <div className="zg-stack">
      <p><b>{t('loss_sum', { n: line.batches, net: much(line.net), taken: much(line.taken), loss: f.percent(Number(line.loss), 2) })}</b></p>
      <p className="zg-note">{t('loss_moves', { was: f.percent(Number(line.was), 2), set: f.percent(Number(line.set_loss), 2) })}</p>
      <DataTable label={t('loss_batches')} rows={all(line.from)} columns={columns} rowKey={(b) => b.task_id} empty={null} count={false} />
    </div>
  )
}
