import { CaretDownOutlined, CaretRightOutlined } from '@ant-design/icons'
import { all, Badge, client, DataTable, Empty, Figure, must, PageHead, Parts, ProblemBox, Sheet, SkeletonLines, Strip, useCan, useFilters, useFormat, useListing, usePageTitle, useRead, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Button, Input } from 'antd'
import { useEffect, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router-dom'
import { Losses } from './Losses'
import { percentOf } from './edit'
import { recipeText } from './text'
import { groupToday, quantityOf, unfolded, versionOn } from './tree'

type S = components['schemas']
type Version = S['CatalogRecipeView']
type Tree = S['MakingRecipeTree']
type Line = S['MakingTreeLine']
type Use = S['CatalogUseView']

/** What goes into a product, level by level, on a day and for a quantity; its versions; where it is used itself. */
export default function RecipePage() {
  const { id = '' } = useParams()
  const t = useText(recipeText)
  const f = useFormat()
  const can = useCan()
  const go = useNavigate()
  const [filter, set] = useFilters()
  const today = groupToday()
  const day = /^\d{4}-\d{2}-\d{2}$/.test(filter['date'] ?? '') ? filter['date']! : today
  const asked = quantityOf(filter['qty'] ?? '')
  const product = useRead(['goods', 'one', id], (signal) => must(client.GET('/api/goods/products/{id}', { params: { path: { id } }, signal })))
  const versions = useRead(['goods', 'recipes', id], (signal) => must(client.GET('/api/goods/products/{id}/recipes', { params: { path: { id } }, signal })))
  const list = versions.data?.items ?? []
  const version = versionOn(list, day)
  const tree = useRead(['goods', 'tree', id, day, asked], (signal) => must(client.GET('/api/making/recipes/{id}', { params: { path: { id }, query: { date: day, ...(asked ? { qty: asked } : {}) } }, signal })), { skip: !version })
  const p = product.data
  usePageTitle(p && t('title', { name: p.name }))
  if (!p || !versions.data) {
    const bad = product.problem ?? versions.problem
    return bad ? <ProblemBox problem={bad} again={() => { product.again(); versions.again() }} /> : <SkeletonLines lines={8} />
  }
  const first = list.at(-1)
  const writes = can('goods.manage') && p.parts.length === 0
  return (
    <>
      <PageHead title={t('title', { name: p.name })} back={{ to: `/goods/${id}`, label: p.name }} note={p.code}>
        {writes && version && <Button onClick={() => void go(`/goods/${id}/recipe/edit?version=${version.valid_from}`)}>{t('edit_version')}</Button>}
        {writes && list.length > 0 && <Button type="primary" onClick={() => void go(`/goods/${id}/recipe/edit${version ? `?like=${version.valid_from}` : ''}`)}>{t('new_version')}</Button>}
      </PageHead>
      <div className="zg-stack">
        {list.length === 0 ? <div className="zg-sheet"><Empty title={t('no_recipe_title')} action={<span className="zg-acts">{writes && <Button type="primary" onClick={() => void go(`/goods/${id}/recipe/edit`)}>{t('write_recipe')}</Button>}{can('import.run') && <Link to="/imports?kind=recipes">{t('to_import')}</Link>}</span>}>{t('no_recipe')}</Empty></div> : (
          <>
            <div className="zg-filters">
              <label className="zg-line"><span>{t('date')}</span><input type="date" className="zg-date" value={day} min="2000-01-01" max="2100-01-01" onChange={(e) => set('date', e.target.value === today ? '' : e.target.value)} /></label>
              <Quantity unit={f.unit(p.base_unit)} value={filter['qty'] ?? ''} set={(v) => set('qty', v)} placeholder={version ? f.decimal(version.yield_qty) : ''} />
            </div>
            {!version && first && <Strip tone="amber">{t('none_on_day', { date: f.date(day), first: f.date(first.valid_from) })}</Strip>}
            {tree.problem && <ProblemBox problem={tree.problem} again={tree.again} />}
            {version && !tree.data && !tree.problem && <SkeletonLines lines={8} />}
            {version && tree.data && <Shown tree={tree.data} />}
            {version && <Losses product={id} date={day} />}
            <Versions versions={list} shown={version} choose={(v) => set('date', v.valid_from)} />
          </>
        )}
        <UsedIn id={id} />
      </div>
    </>
  )
}

function Quantity(props: { unit: string; value: string; set: (value: string) => void; placeholder: string }) {
  const t = useText(recipeText)
  const [typed, setTyped] = useState(props.value)
  useEffect(() => setTyped(props.value), [props.value])
  const bad = typed.trim() !== '' && quantityOf(typed) === undefined
  const done = () => { if (!bad && typed.trim() !== props.value) props.set(typed.trim()) }
  return (
    <label className="zg-line"><span>{t('make_qty', { unit: props.unit })}</span>
      <Input className="zg-input-right" style={{ width: 140 }} inputMode="decimal" maxLength={14} value={typed} placeholder={props.placeholder} status={bad ? 'error' : ''} onChange={(e) => setTyped(e.target.value)} onBlur={done} onPressEnter={done} />
      {bad && <span className="zg-note" role="alert">{t('qty_bad')}</span>}
    </label>
  )
}

function useCost() {
  const t = useText(recipeText)
  const f = useFormat()
  return (cost: Line['cost']) => {
    if (!cost) return ''
    if (cost.fen === 0 && cost.unpriced > 0) return <span className="zg-note">{t('no_price')}</span>
    return <span>{f.money(cost.fen)}{cost.unpriced > 0 && <div className="zg-note">{t('unpriced', { n: cost.unpriced })}</div>}</span>
  }
}

function Shown(props: { tree: Tree }) {
  const { tree } = props
  const t = useText(recipeText)
  const f = useFormat()
  const cost = useCost()
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set())
  const turn = (at: number) => setFolded((old) => { const next = new Set(old); if (!next.delete(at)) next.add(at); return next })
  type Row = { line: Line; at: number }
  const priced = tree.costed
  const columns: Column<Row>[] = [
    { key: 'name', head: t('component'), cell: ({ line, at }) => (
      <span className="recipe-name" style={{ paddingLeft: (line.level - 1) * 20 }}>
        {line.valid_from ? <button type="button" className="recipe-fold" aria-expanded={!folded.has(at)} aria-label={t(folded.has(at) ? 'unfold' : 'fold', { name: line.name })} onClick={() => turn(at)}>{folded.has(at) ? <CaretRightOutlined aria-hidden /> : <CaretDownOutlined aria-hidden />}</button> : <i className="recipe-leaf" aria-hidden />}
        <span><Link to={line.valid_from ? `/goods/${line.product_id}/recipe` : `/goods/${line.product_id}`}>{line.name}</Link> <span className="zg-note">{line.code}</span>{line.valid_from && <> <Badge>{t('made')}</Badge></>}{(line.instead_id || line.share !== '1' || line.least !== '1') && <div className="zg-note">{[line.instead_id && t('stands_in', { qty: f.decimal(line.ratio_qty), for: f.decimal(line.ratio_for) }), t('share_range', { share: f.percent(Number(line.share)), least: percentOf(line.least), most: percentOf(line.most) })].filter(Boolean).join(' · ')}</div>}</span>
      </span>
    ) },
    { key: 'per', head: t('per_recipe'), right: true, cell: ({ line }) => <>{f.qty({ qty: line.per, unit: line.unit })}<div className="zg-note">{t('per', { qty: f.decimal(line.per_yield) })}</div></>, wide: true },
    { key: 'loss', head: t('loss'), right: true, cell: ({ line }) => (Number(line.loss) === 0 ? '–' : <>{f.percent(Number(line.loss))}<div className="zg-note">{t(line.rule === 'yield' ? 'rule_yield' : 'rule_markup')}</div></>), wide: true },
    { key: 'gross', head: t('gross'), right: true, cell: ({ line }) => f.qty({ qty: line.gross, unit: line.unit }), wide: true },
    { key: 'need', head: t('need'), right: true, cell: ({ line }) => <span><b>{f.qty({ qty: line.need, unit: line.unit })}</b>{line.exact && <div className="zg-note">{t('exactly', { fraction: line.exact })}</div>}</span> },
    ...(priced ? [{ key: 'cost', head: t('cost'), unit: '¥', right: true, cell: ({ line }: Row) => cost(line.cost) }] : []),
  ]
  const materials: Column<Line>[] = [
    { key: 'name', head: t('component'), cell: (m) => <><Link to={`/goods/${m.product_id}`}>{m.name}</Link> <span className="zg-note">{m.code}</span></>, by: (m) => m.name },
    { key: 'need', head: t('need'), right: true, cell: (m) => <span><b>{f.qty({ qty: m.need, unit: m.unit })}</b>{m.exact && <div className="zg-note">{t('exactly', { fraction: m.exact })}</div>}</span> },
    ...(priced ? [{ key: 'cost', head: t('cost'), unit: '¥', right: true, cell: (m: Line) => cost(m.cost), by: (m: Line) => m.cost?.fen ?? 0 }] : []),
  ]
  const parts = tree.materials.filter((m) => m.cost && m.cost.unpriced === 0).map((m) => ({ label: m.name, value: m.cost!.fen, note: f.qty({ qty: m.need, unit: m.unit }), to: `/goods/${m.product_id}` }))
  const whole = Number(tree.qty)
  return (
    <>
      {tree.cut && <Strip tone="amber">{t('cut', { n: f.number(tree.items.length) })}</Strip>}
      {tree.cost ? (
        <div className="zg-figures">
          <Figure label={t('total_cost')} value={f.yuan(tree.cost.fen)} note={tree.cost.unpriced > 0 ? t('unpriced', { n: tree.cost.unpriced }) : t('cost_note')} why={<><p className="zg-note">{t('cost_note')}</p><Parts parts={parts} total={tree.cost.fen} slack={parts.length} format={(v) => f.yuan(v)} /></>} />
          {tree.unit === 'piece' && whole > 0 && <Figure label={t('unit_cost', { unit: f.unit(tree.unit) })} value={`¥${f.number(tree.cost.fen / whole / 100, 2)}`} note={f.qty({ qty: tree.qty, unit: tree.unit })} />}
        </div>
      ) : <p className="zg-note">{t('cost_hidden')}</p>}
      <Sheet title={t('tree')} note={t('tree_note')} flush><DataTable label={t('tree')} rows={all(unfolded(tree.items, folded))} columns={columns} rowKey={(r) => String(r.at)} empty={null} count={false} /></Sheet>
      <Sheet title={t('materials')} note={t('materials_note')} flush><DataTable label={t('materials')} rows={all(tree.materials)} columns={materials} rowKey={(m) => m.product_id} empty={null} count={false} /></Sheet>
    </>
  )
}

function Versions(props: { versions: readonly Version[]; shown: Version | undefined; choose: (v: Version) => void }) {
  const t = useText(recipeText)
  const f = useFormat()
  const inForce = props.versions.findIndex((v) => v.in_force)
  const columns: Column<Version>[] = [
    { key: 'from', head: t('versions'), cell: (v) => <>{t('version_from', { date: f.date(v.valid_from) })} {v.id === props.shown?.id && <Badge>{t('shown')}</Badge>}</> },
    { key: 'state', head: '', cell: (v) => { const at = props.versions.indexOf(v); return v.in_force ? <Badge tone="green">{t('now')}</Badge> : inForce < 0 || at < inForce ? <Badge tone="amber">{t('coming')}</Badge> : <span className="zg-note">{t('past')}</span> } },
    { key: 'yield', head: t('yield'), right: true, cell: (v) => f.qty({ qty: v.yield_qty, unit: v.yield_unit }) },
    { key: 'components', head: t('components'), right: true, cell: (v) => f.number(v.components.length) },
    { key: 'changed', head: t('changed'), cell: (v) => <span title={f.exact(v.changed_at)}>{f.at(v.changed_at)}</span>, wide: true },
  ]
  return <Sheet title={t('versions')} flush><DataTable label={t('versions')} rows={all(props.versions)} columns={columns} rowKey={(v) => v.id} onOpen={props.choose} empty={null} count={false} /></Sheet>
}

function UsedIn(props: { id: string }) {
  const t = useText(recipeText)
  const f = useFormat()
  const uses = useListing(['goods', 'uses', props.id], (after, signal) => must(client.GET('/api/goods/products/{id}/uses', { params: { path: { id: props.id }, query: { limit: 50, ...(after ? { after } : {}) } }, signal })))
  if (!uses.loading && !uses.problem && uses.rows.length === 0) return <Sheet title={t('used_in')}><p className="zg-note">{t('used_in_none')}</p></Sheet>
  const columns: Column<Use>[] = [
    { key: 'name', head: t('finished'), cell: (u) => <>{u.name} <span className="zg-note">{u.code}</span>{u.instead && <div className="zg-note">{t('used_instead', { name: u.instead })} · {t('share_range', { share: f.percent(Number(u.share)), least: percentOf(u.least), most: percentOf(u.most) })}</div>}</>, by: (u) => u.name },
    { key: 'from', head: t('versions'), cell: (u) => <>{t('version_from', { date: f.date(u.valid_from) })} {u.in_force && <Badge tone="green">{t('now')}</Badge>}</> },
    { key: 'uses', head: t('uses'), right: true, cell: (u) => <span>{f.qty({ qty: u.qty, unit: u.unit })}<div className="zg-note">{t('per', { qty: f.qty({ qty: u.yield_qty, unit: u.yield_unit }) })}</div></span> },
    { key: 'loss', head: t('loss'), right: true, cell: (u) => (Number(u.loss) === 0 ? '–' : f.percent(Number(u.loss))), wide: true },
  ]
  return (
    <Sheet title={t('used_in')} note={t('used_in_note')} flush>
      <DataTable label={t('used_in')} rows={uses} columns={columns} rowKey={(u) => `${u.product_id} ${u.valid_from}`} to={(u) => `/goods/${u.product_id}/recipe?date=${u.valid_from}`} empty={null} />
    </Sheet>
  )
}
