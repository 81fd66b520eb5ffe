import { client, DataTable, Empty, must, PageHead, ProblemBox, Sheet, SkeletonLines, useFilters, useFormat, useLang, useListing, useText, type Column, type Import } from '@kit'
import { Button } from 'antd'
import { useNavigate } from 'react-router-dom'
import { Drop } from './Drop'
import { importsText, ImportState, isRunning, kinds, useKinds } from './shared'

export default function Imports() {
  const t = useText(importsText)
  const f = useFormat()
  const go = useNavigate()
  const { lang } = useLang()
  const [filter, set] = useFilters()
  const may = useKinds(lang)
  const kind = may.data?.items.find((k) => k.kind === filter['kind']) ?? may.data?.items[0]
  const list = useListing(['imports', 'list'], (after, signal) =>
    must(client.GET('/api/imports', { params: { query: { limit: 50, ...(after ? { after } : {}) } }, signal })), { every: 5000 })
  const columns: Column<Import>[] = [
    { key: 'file', head: t('file'), cell: (i) => i.file_name },
    { key: 'kind', head: t('kind'), cell: (i) => t(`kind_${i.kind}`) },
    { key: 'state', head: t('state'), cell: (i) => <ImportState state={i.state} /> },
    { key: 'rows', head: t('rows'), right: true, cell: (i) => (isRunning(i.state) && i.total > 0 ? `${f.number(i.done)} / ${f.number(i.total)}` : f.number(i.rows_total)) },
    { key: 'new', head: t('new'), right: true, cell: (i) => (i.ended_at ? f.number(i.rows_new) : '') },
    { key: 'same', head: t('same'), right: true, cell: (i) => (i.ended_at ? f.number(i.rows_same) : ''), wide: true },
    { key: 'refused', head: t('refused'), right: true, cell: (i) => (i.ended_at ? (i.rows_refused > 0 ? <span className="zg-badge zg-red">{f.number(i.rows_refused)}</span> : '0') : '') },
    { key: 'at', head: t('at'), cell: (i) => <span title={f.exact(i.created_at)}>{f.when(i.created_at)}</span> },
  ]
  const template = () => {
    if (!kind) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([`\ufeff${kind.columns.map((c) => c.name).join(',')}\r\n`], { type: 'text/csv' }))
    link.download = `${kind.kind}.csv`
    link.click()
    URL.revokeObjectURL(link.href)
  }
  return (
    <>
      <PageHead title={t('title')} note={t('note')} />
      <div className="zg-stack">
        {may.problem && <ProblemBox problem={may.problem} again={may.again} />}
        {may.loading && <SkeletonLines lines={4} />}
        {kind && (
          <Sheet title={t('what')}>
            <div className="zg-stack">
              <div className="zg-cards" role="radiogroup" aria-label={t('what')}>
                {kinds.filter((k) => may.data?.items.some((m) => m.kind === k)).map((k) => (
                  <label key={k} className={k === kind.kind ? 'zg-card zg-card-on' : 'zg-card'}>
                    <input type="radio" name="kind" value={k} checked={k === kind.kind} onChange={() => set('kind', k)} />
                    <span><b>{t(`kind_${k}`)}</b><span className="zg-note">{t(`kind_note_${k}`)}</span></span>
                  </label>
                ))}
              </div>
              <Drop kind={kind.kind} done={(made) => void go(`/imports/${made.id}`)} />
              <details className="zg-details">
                <summary>{t('expects')}</summary>
                <ul className="zg-columns-list">
                  {kind.columns.map((c) => <li key={c.name}><code>{c.name}</code> {c.label} <span className="zg-note">{t(`need_${c.need}`)}</span></li>)}
                </ul>
                <Button size="small" onClick={template}>{t('template')}</Button>
              </details>
            </div>
          </Sheet>
        )}
        <section>
          <h2 className="zg-section">{t('history')}</h2>
          <DataTable label={t('history')} rows={list} columns={columns} rowKey={(i) => i.id} to={(i) => `/imports/${i.id}`} empty={<Empty title={t('empty_title')}>{t('empty')}</Empty>} />
        </section>
      </div>
    </>
  )
}
