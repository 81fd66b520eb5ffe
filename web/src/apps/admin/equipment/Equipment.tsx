import { act, client, DataTable, Empty, must, PageHead, ProblemBox, Sheet, SitePick, useAct, useCan, useListing, useRead, useSession, useSite, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Button, Input, InputNumber, Select } from 'antd'
import { useState, type ReactNode } from 'react'
import { PlanTabs } from '../plan/shared'
import { equipmentText } from './text'

type S = components['schemas']
type Kind = S['ReplenishEquipmentView']
type LoadRow = S['ReplenishLoadView']

/** Ovens, fryers and steamers: how many the site has, and what a batch takes of them. Plans are levelled within. */
export default function Equipment() {
  const t = useText(equipmentText)
  const place = useSite()
  const site = place.site?.id
  const may = useChain()
  const rows = useListing(['plan', 'equipment', site], (_, signal) => must(client.GET('/api/plans/equipment', { params: { query: { site_id: site ?? '' } }, signal })), { skip: !site })
  const [name, setName] = useState('')
  const add = useAct((text: string) => act(['add equipment', text], (header) => client.POST('/api/plans/equipment', { params: { header }, body: { name: text } })), ['plan'])
  return (
    <>
      <PageHead title={t('title')} note={t('lead')}><SitePick {...place} /></PageHead>
      <PlanTabs />
      <div className="zg-stack">
        {(add.problem ?? rows.problem) && <ProblemBox problem={(add.problem ?? rows.problem)!} again={rows.again} />}
        {may && (
          <Sheet title={t('add')}>
            <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); void add.run(name.trim()).then((done) => done && setName('')) }}>
              <label className="zg-field"><span>{t('name')}</span><Input value={name} maxLength={40} placeholder={t('name_hint')} onChange={(e) => setName(e.target.value)} /></label>
              <Button htmlType="submit" loading={add.busy} disabled={name.trim() === ''}>{t('add_it')}</Button>
            </form>
          </Sheet>
        )}
        {site && rows.rows.map((k) => <OneKind key={`${site}/${k.id}`} site={site} kind={k} chain={may} />)}
        {!rows.loading && rows.rows.length === 0 && !rows.problem && <div className="zg-sheet"><Empty title={t('none_title')}>{t('none')}</Empty></div>}
      </div>
    </>
  )
}

/** Whether the person keeps what holds for the whole group. */
function useChain(): boolean {
  const can = useCan()
  const { me } = useSession()
  return can('plan.rules') && me.sites.length > 1
}

function OneKind(props: { site: string; kind: Kind; chain: boolean }) {
  const { site, kind } = props
  const t = useText(equipmentText)
  const can = useCan()
  const [machines, setMachines] = useState(kind.machines)
  const [early, setEarly] = useState(kind.early_min)
  const put = useAct((body: S['SupplydayMachinesIn']) => act(['machines', body], (header) => client.PUT('/api/plans/equipment/machines', { params: { header }, body })), ['plan', 'jobs'])
  const load = useAct((body: S['SupplydayLoadIn']) => act(['load', body], (header) => client.PUT('/api/plans/equipment/loads', { params: { header }, body })), ['plan'])
  const products = { rows: kind.products ?? [], problem: undefined, loading: false, fetching: false, stale: false, more: undefined, again: () => {} }
  const columns: Column<LoadRow>[] = [
    { key: 'name', head: t('product'), cell: (l) => <>{l.name} <span className="zg-note">{l.code}</span></>, by: (l) => l.name },
    { key: 'minutes', head: t('minutes'), right: true, cell: (l) => l.minutes, by: (l) => l.minutes },
    { key: 'share', head: t('share'), right: true, cell: (l) => `${l.share / 10}%`, by: (l) => l.share },
    { key: 'acts', head: '', cell: (l) => props.chain && <Button size="small" loading={load.busy} onClick={() => void load.run({ product_id: l.product_id, minutes: 0, share: 1000 })}>{t('unbind')}</Button> },
  ]
  const field = (label: string, input: ReactNode, note?: string) => <label className="zg-field"><span>{label}</span>{input}{note && <span className="zg-note">{note}</span>}</label>
  return (
    <Sheet title={kind.name} note={kind.machines > 0 ? t('has', { n: kind.machines }) : t('has_none')}>
      {(put.problem ?? load.problem) && <ProblemBox problem={(put.problem ?? load.problem)!} />}
      {can('plan.rules') && (
        <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); void put.run({ site_id: site, equipment_id: kind.id, machines, early_min: early }) }}>
          {field(t('machines'), <InputNumber min={0} max={1000} precision={0} value={machines} onChange={(v) => setMachines(v ?? 0)} />, machines === 0 ? t('zero') : undefined)}
          {field(t('early'), <InputNumber min={0} max={720} precision={0} value={early} onChange={(v) => setEarly(v ?? 0)} />)}
          <Button type="primary" htmlType="submit" loading={put.busy} disabled={machines === kind.machines && early === kind.early_min}>{t('save')}</Button>
        </form>
      )}
      <DataTable label={t('products_of', { name: kind.name })} rows={products} columns={columns} rowKey={(l) => l.product_id} empty={<p className="zg-note">{t('no_products')}</p>} />
      {props.chain && <Bind kind={kind} add={(body) => load.run(body)} busy={load.busy} />}
    </Sheet>
  )
}

function Bind(props: { kind: Kind; add: (body: S['SupplydayLoadIn']) => Promise<unknown>; busy: boolean }) {
  const t = useText(equipmentText)
  const [q, setQ] = useState('')
  const [product, setProduct] = useState<string>()
  const [minutes, setMinutes] = useState(20)
  const [share, setShare] = useState(100)
  const goods = useRead(['goods', 'pick', q], (signal) => must(client.GET('/api/goods/products', { params: { query: { limit: 20, ...(q ? { q } : {}) } }, signal })))
  return (
    <form className="zg-apply" onSubmit={(e) => { e.preventDefault(); if (product) void props.add({ product_id: product, equipment_id: props.kind.id, minutes, share: share * 10 }).then((done) => done && setProduct(undefined)) }}>
      <label className="zg-field"><span>{t('product')}</span>
        <Select aria-label={t('product')} {...(product ? { value: product } : {})} filterOption={false} showSearch={{ onSearch: setQ }} options={(goods.data?.items ?? []).map((p) => ({ value: p.id, label: `${p.name} ${p.code}` }))} onChange={(v: string) => setProduct(v)} /></label>
      <label className="zg-field"><span>{t('minutes')}</span><InputNumber min={1} max={720} precision={0} value={minutes} onChange={(v) => setMinutes(v ?? 20)} /></label>
      <label className="zg-field"><span>{t('share')}</span><InputNumber min={1} max={100} precision={0} value={share} suffix="%" onChange={(v) => setShare(v ?? 100)} /></label>
      <Button htmlType="submit" loading={props.busy} disabled={!product}>{t('bind')}</Button>
    </form>
  )
}
