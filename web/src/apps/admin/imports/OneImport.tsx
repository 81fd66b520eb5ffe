import { DownloadOutlined } from '@ant-design/icons'
import { act, all, client, DataTable, Facts, must, PageHead, ProblemBox, Progress, Sheet, SkeletonLines, Steps, Strip, useAct, useFormat, useLang, usePageTitle, useRead, useText, type Import, type ImportColumn } from '@kit'
import { Button, Checkbox, Radio, Select } from 'antd'
import { useMemo, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router-dom'
import { Drop } from './Drop'
import { choicesOf, choose, gapsOf, mappingOf } from './mapping'
import { importsText, ImportState, isRunning, resultOf, useKinds } from './shared'

export default function OneImport() {
  const { id = '' } = useParams()
  const t = useText(importsText)
  const { lang } = useLang()
  const kinds = useKinds(lang)
  const [watch, setWatch] = useState(true)
  const read = useRead(['imports', 'one', id, lang], (signal) => must(client.GET('/api/imports/{id}', { params: { path: { id } }, signal })), { every: watch ? 500 : false })
  const one = read.data
  const running = one ? isRunning(one.state) : true
  if (watch !== running) setWatch(running)
  usePageTitle(one?.file_name)
  if (!one) return read.problem ? <ProblemBox problem={read.problem} again={read.again} /> : <SkeletonLines lines={8} />
  const columns = kinds.data?.items.find((k) => k.kind === one.kind)?.columns
  return (
    <>
      <PageHead title={one.file_name} back={{ to: `/imports?kind=${one.kind}`, label: t('back') }} note={<span className="zg-acts">{t(`kind_${one.kind}`)} <ImportState state={one.state} /></span>} />
      <div className="zg-stack">
        <ImportSteps one={one} />
        {isRunning(one.state) ? <Running one={one} again={read.again} /> : one.state !== 'ready' && <Result one={one} />}
        {!isRunning(one.state) && one.state !== 'applied' && (
          columns ? (one.columns.length > 0 ? <Setup key={`${one.id}.${JSON.stringify(one.mapping)}`} one={one} ours={columns} again={read.again} /> : <Strip>{t('gone')}</Strip>)
            : kinds.problem ? <ProblemBox problem={kinds.problem} again={kinds.again} /> : <SkeletonLines lines={6} />
        )}
      </div>
    </>
  )
}

function ImportSteps(props: { one: Import }) {
  const t = useText(importsText)
  const { state, dry_run } = props.one
  const current = state === 'uploading' ? 'upload' : state === 'ready' ? 'map' : state === 'applied' || (state === 'applying' && !dry_run) ? 'done' : 'run'
  return (
    <Sheet>
      <Steps label={t('state')} current={current} bad={state === 'refused' || state === 'failed'}
        steps={(['upload', 'map', 'run', 'done'] as const).map((key) => ({ key, label: t(`step_${key}`), ...(key === 'done' && props.one.ended_at && state === 'applied' ? { at: props.one.ended_at } : {}) }))} />
    </Sheet>
  )
}

function Running(props: { one: Import; again: () => void }) {
  const { one } = props
  const t = useText(importsText)
  const f = useFormat()
  const cancel = useAct(() => act(['cancel import', one.id, one.job_id], (header) => client.POST('/api/imports/{id}/cancel', { params: { header, path: { id: one.id } } })), ['imports'])
  const label = one.state === 'reading' || one.state === 'checking' || one.state === 'applying' ? t(`running_${one.state}`) : t('state_uploading')
  return (
    <Sheet acts={(one.state === 'reading' || one.state === 'checking') && <Button onClick={() => void cancel.run(undefined).then(props.again)} loading={cancel.busy}>{t('cancel')}</Button>}>
      <Progress label={label} done={one.done} total={one.total} {...(one.seconds_left === undefined ? {} : { left: one.seconds_left })} />
      <Counts one={one} />
      {cancel.problem && <ProblemBox problem={cancel.problem} />}
      {one.rows_refused > 0 && <p className="zg-note">{t('rows_refused')} {f.number(one.rows_refused)}</p>}
    </Sheet>
  )
}

function Counts(props: { one: Import }) {
  const { one } = props
  const t = useText(importsText)
  const f = useFormat()
  return (
    <div className="zg-figures zg-counts">
      {([['rows_read', one.rows_read], [one.dry_run ? 'rows_new_would' : 'rows_new', one.rows_new], ['rows_same', one.rows_same], ['rows_refused', one.rows_refused]] as const).map(([word, n]) => (
        <div key={word} className="zg-figure"><span className="zg-figure-label">{t(word)}</span><span className="zg-figure-value">{f.number(n)}</span></div>
      ))}
    </div>
  )
}

function Result(props: { one: Import }) {
  const { one } = props
  const t = useText(importsText)
  const f = useFormat()
  const go = useNavigate()
  const tone = one.state === 'applied' ? 'green' : one.state === 'refused' || one.state === 'failed' ? 'red' : 'plain'
  const word = one.state === 'applied' || one.state === 'checked' || one.state === 'refused' || one.state === 'failed' || one.state === 'cancelled' ? t(`result_${one.state}`) : ''
  return (
    <Sheet title={t('result')} acts={one.state === 'applied' && <Link to={resultOf[one.kind]}>{t('see_result')}</Link>}>
      <div className="zg-stack">
        <Strip tone={tone}>
          {word}
          {one.error && <div>{one.error.line ? `${t('line')} ${one.error.line} · ` : ''}{one.error.field ? `${one.error.field} · ` : ''}{one.error.detail}</div>}
        </Strip>
        <Counts one={one} />
        {one.rows_refused > 0 && (
          <section className="zg-stack">
            <div className="zg-sheet-head">
              <div><h3>{t('refused_title')}</h3><p className="zg-note">{t('refused_note')}</p></div>
              <div className="zg-acts">
                <Button icon={<DownloadOutlined />} href={`/api/imports/${one.id}/refused.csv`} download>{t('download')}</Button>
              </div>
            </div>
            <DataTable label={t('refused_title')} rows={all(one.refused_sample)} rowKey={(r) => `${r.line}.${r.field}.${r.code}`} empty={null}
              columns={[
                { key: 'line', head: t('line'), right: true, cell: (r) => f.number(r.line), by: (r) => r.line, width: 72 },
                { key: 'field', head: t('field'), cell: (r) => (r.field ? <code>{r.field}</code> : ''), by: (r) => r.field },
                { key: 'reason', head: t('reason'), cell: (r) => r.message },
                { key: 'cells', head: t('cells'), cell: (r) => <span className="zg-note">{(r.cells ?? []).join(', ')}</span>, wide: true },
              ]} />
            <Drop kind={one.kind} small done={(made) => void go(`/imports/${made.id}`)} />
          </section>
        )}
        <Facts facts={[
          [t('encoding'), one.encoding], [t('size'), one.bytes < 1_000_000 ? `${f.number(one.bytes / 1000, 1)} kB` : `${f.number(one.bytes / 1_000_000, 1)} MB`],
          Boolean(one.ended_at) && [t('at'), one.ended_at && <span title={f.exact(one.ended_at)}>{f.when(one.ended_at)}</span>],
        ]} />
      </div>
    </Sheet>
  )
}

function Setup(props: { one: Import; ours: readonly ImportColumn[]; again: () => void }) {
  const { one, ours } = props
  const t = useText(importsText)
  const [choices, setChoices] = useState(() => choicesOf(one.columns, one.mapping, ours))
  const [mode, setMode] = useState(one.mode === 'good' ? 'good' as const : 'all' as const)
  const [create, setCreate] = useState(one.create_missing)
  const gaps = useMemo(() => gapsOf(choices, ours), [choices, ours])
  const run = useAct(
    (dry_run: boolean) => {
      const body = { mode, mapping: mappingOf(choices, ours), dry_run, ...(one.kind === 'sales' ? { create_missing: create } : {}) }
      return act(['run import', one.id, one.job_id, body], (header) => client.POST('/api/imports/{id}/run', { params: { header, path: { id: one.id } }, body }))
    },
    ['imports', 'goods', 'stock', 'sales', 'forecasts', 'org', 'me'],
  )
  const start = (dry: boolean) => void run.run(dry).then(props.again)
  const names = (list: readonly ImportColumn[]) => list.map((c) => c.label).join(t('comma'))
  const blocked = gaps.missing.length > 0 || gaps.unchosen.length > 0
  return (
    <>
      <Sheet title={t('map_title')} note={t('map_note')} flush>
        <DataTable label={t('map_title')} rows={all(one.columns.map((name, index) => ({ name, index })))} rowKey={(c) => String(c.index)} empty={null}
          columns={[
            { key: 'theirs', head: t('their_column'), cell: (c) => <b>{c.name}</b> },
            { key: 'sample', head: t('sample'), cell: (c) => <span className="zg-note zg-sample">{one.sample.slice(0, 3).map((row) => row[c.index] ?? '').filter(Boolean).join(' · ')}</span> },
            { key: 'ours', head: t('our_column'), width: 300, cell: (c) => (
              <Select className="zg-map-pick" aria-label={`${t('our_column')}: ${c.name}`} value={choices[c.name] || undefined} placeholder={t('choose')} status={choices[c.name] === '' ? 'warning' : ''}
                onChange={(value: string) => setChoices((old) => choose(old, c.name, value))}
                options={[...ours.map((o) => ({ value: o.name, label: `${o.label}${o.need === 'must' ? ' *' : ''}` })), { value: '-', label: t('leave_out') }]} />
            ) },
          ]} />
      </Sheet>
      {gaps.missing.length > 0 && <Strip tone="red">{t('missing', { names: names(gaps.missing) })}</Strip>}
      {gaps.unchosen.length > 0 && (
        <Strip tone="amber" action={<Button size="small" onClick={() => setChoices((old) => gaps.unchosen.reduce((c, theirs) => choose(c, theirs, '-'), old))}>{t('leave_out')}</Button>}>
          {t('unmapped', { n: gaps.unchosen.length, names: gaps.unchosen.join(t('comma')) })}
        </Strip>
      )}
      {gaps.left.length > 0 && <Strip>{t('left_soft', { names: names(gaps.left) })}</Strip>}
      <Sheet title={t('options')}>
        <div className="zg-stack">
          <Radio.Group value={mode} onChange={(e) => setMode(e.target.value as 'all' | 'good')} className="zg-radios">
            <Radio value="all">{t('mode_all')}<span className="zg-note">{t('mode_all_note')}</span></Radio>
            <Radio value="good">{t('mode_good')}<span className="zg-note">{t('mode_good_note')}</span></Radio>
          </Radio.Group>
          {one.kind === 'sales' && <Checkbox checked={create} onChange={(e) => setCreate(e.target.checked)}>{t('create_missing')} <span className="zg-note">{t('create_missing_note')}</span></Checkbox>}
          {run.problem && <ProblemBox problem={run.problem} />}
          <div className="zg-form-acts">
            <Button type="primary" disabled={blocked} loading={run.busy} onClick={() => start(false)}>{one.state === 'ready' ? t('run') : t('run_again')}</Button>
            <Button disabled={blocked || run.busy} onClick={() => start(true)} title={t('try_note')}>{t('try')}</Button>
            <span className="zg-note">{t('try_note')}</span>
          </div>
        </div>
      </Sheet>
    </>
  )
}
