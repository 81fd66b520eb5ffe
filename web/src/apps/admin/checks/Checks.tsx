import { act, all, Badge, client, DataTable, Empty, must, PageHead, ProblemBox, Sheet, SkeletonLines, Strip, useAct, useCan, useFormat, useRead, useText, type Column, type Proof } from '@kit'
import { Button } from 'antd'
import { isOver, JobProgress } from '../jobs/job'
import { checksText as text, useProofName } from './names'
import { Stops } from './Stops'

export default function ChecksPage() {
  const t = useText(text)
  const f = useFormat()
  const can = useCan()
  const name = useProofName()
  const checks = useRead(['checks'], () => must(client.GET('/api/checks')), { every: 2000 })
  const run = useAct(() => act(['checks/run', checks.data?.run?.id], (header) => client.POST('/api/checks/run', { params: { header } })), ['checks', 'jobs'])
  const data = checks.data
  const going = data?.run && !isOver(data.run) ? data.run : undefined
  const proofs = data?.proofs ?? []
  const red = proofs.filter((p) => p.bad > 0)
  const columns: Column<Proof>[] = [
    { key: 'name', head: t('proof'), cell: (p) => name(p.name), by: (p) => name(p.name) },
    { key: 'result', head: t('result'), cell: (p) => (p.bad > 0 ? <Badge tone="red">{t('red')}</Badge> : <Badge tone="green">{t('ok')}</Badge>), by: (p) => -p.bad },
    { key: 'rows', head: t('rows'), unit: t('rows_unit'), right: true, cell: (p) => f.number(p.rows), by: (p) => p.rows },
    { key: 'bad', head: t('bad'), unit: t('rows_unit'), right: true, cell: (p) => f.number(p.bad), by: (p) => p.bad },
  ]
  return (
    <>
      <PageHead title={t('title')} note={data?.at ? <>{t('last')} <span title={f.exact(data.at)}>{f.when(data.at)}</span></> : t('note')}>
        {can('check.run') && <Button type="primary" onClick={() => void run.run(undefined)} loading={run.busy} disabled={Boolean(going)}>{t('run')}</Button>}
      </PageHead>
      <div className="zg-stack">
        {run.problem && <ProblemBox problem={run.problem} />}
        {checks.problem && <ProblemBox problem={checks.problem} again={checks.again} />}
        {going && <Sheet><JobProgress job={going} label={t('running')} /></Sheet>}
        {checks.loading && <SkeletonLines lines={6} />}
        {data && !data.at && !going && <div className="zg-sheet"><Empty title={t('never_title')}>{t('never')}</Empty></div>}
        {data?.at && (red.length > 0 ? <Strip tone="red">{t('some_red', { n: red.length })}</Strip> : <Strip tone="green">{t('all_green')}</Strip>)}
        <Stops />
        {red.map((p) => (
          <Sheet key={p.name} title={name(p.name)} note={t('evidence_note')}>
            <ul className="zg-evidence">{(p.evidence ?? []).map((line, i) => <li key={i}>{line}</li>)}</ul>
          </Sheet>
        ))}
        {data?.at && <DataTable label={t('title')} rows={all([...proofs].sort((a, b) => b.bad - a.bad))} columns={columns} rowKey={(p) => p.name} empty={null} />}
        {data?.at && <p className="zg-note">{t('note')}</p>}
      </div>
    </>
  )
}
