import { act, all, Badge, client, DataTable, Empty, Facts, Form, FormActs, must, PageHead, ProblemBox, SelectField, sendable, Sheet, SitePick, SwitchField, TextField, useAct, useCan, useForm, useFormat, useRead, useSite, useText, type LabelLayout as Layout, type LabelLayoutDraft } from '@kit'
import { App, Button, Input } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { goodsText, GoodsTabs } from './shared'

export default function Labels() {
  const t = useText(goodsText)
  const can = useCan()
  const [editing, setEditing] = useState<Layout | 'new'>()
  const layouts = useRead(['goods', 'labels'], (signal) => must(client.GET('/api/goods/labels', { signal })).then((page) => page.items))
  return (
    <>
      <PageHead title={t('labels')}>{can('goods.manage') && <Button type="primary" onClick={() => setEditing('new')}>{t('label_new')}</Button>}</PageHead>
      <GoodsTabs />
      <div className="zg-stack">
        <p className="zg-note">{t('labels_note')}</p>
        {editing && <LayoutForm key={editing === 'new' ? 'new' : editing.id} layout={editing === 'new' ? undefined : editing} close={() => setEditing(undefined)} />}
        <DataTable label={t('labels')} rows={all(layouts.data, layouts)} rowKey={(l) => l.id} {...(can('goods.manage') ? { onOpen: setEditing } : {})}
          columns={[
            { key: 'name', head: t('label_name'), cell: (l) => l.name },
            { key: 'drawn', head: t('label_drawn'), cell: (l) => <Drawn layout={l} /> },
            { key: 'kind', head: t('label_kind'), cell: (l) => t(`kind_${l.value_kind}`) },
            { key: 'decimals', head: t('label_decimals'), right: true, cell: (l) => l.decimals },
          ]}
          empty={<Empty title={t('labels_empty')}>{t('labels_empty_note')}</Empty>} />
        <Tester />
      </div>
    </>
  )
}

/** The 13 digits with what each stands for. */
function Drawn(props: { layout: Pick<Layout, 'prefix' | 'item_digits' | 'value_check' | 'value_digits' | 'value_kind'> }) {
  const t = useText(goodsText)
  const l = props.layout
  const parts: [string, string][] = [
    [l.prefix.padEnd(2, '2'), t('part_prefix')],
    ['0'.repeat(Math.max(0, l.item_digits)), t('part_item_no')],
    ...(l.value_check ? [['C', t('part_value_check')] as [string, string]] : []),
    [(l.value_kind === 'price' ? '¥' : l.value_kind === 'weight' ? 'W' : 'N').repeat(Math.max(0, l.value_digits)), t(`kind_${l.value_kind}`)],
    ['C', t('part_check_digit')],
  ]
  return <code className="zg-code-parts">{parts.map(([text, title], i) => <span key={i} title={title}>{text}</span>)}</code>
}

function LayoutForm(props: { layout: Layout | undefined; close: () => void }) {
  const { layout } = props
  const t = useText(goodsText)
  const { message, modal } = App.useApp()
  type Body = LabelLayoutDraft
  const save = useAct(
    (body: Body) => layout
      ? act(['PUT label', layout.id, body], (header) => client.PUT('/api/goods/labels/{id}', { params: { header, path: { id: layout.id } }, body }))
      : act(['POST label', body], (header) => client.POST('/api/goods/labels', { params: { header }, body })),
    ['goods'],
  )
  const drop = useAct((id: string) => act(['DELETE label', id], (header) => client.DELETE('/api/goods/labels/{id}', { params: { header, path: { id } } })), ['goods'])
  const digits = (n: number) => ({ value: String(n), label: String(n) })
  const form = useForm({
    initial: {
      prefix: layout?.prefix ?? '21', name: layout?.name ?? '', item_digits: String(layout?.item_digits ?? 5), value_check: layout?.value_check ?? false,
      value_digits: String(layout?.value_digits ?? 5), value_kind: (layout?.value_kind ?? 'price') as string, decimals: String(layout?.decimals ?? 2),
    },
    doing: save,
    required: ['prefix', 'name'],
    body: (v): Body => ({
      prefix: v.prefix.trim(), name: v.name.trim(), item_digits: Number(v.item_digits), value_check: v.value_check, value_digits: Number(v.value_digits),
      value_kind: (['weight', 'price', 'count'] as const).find((k) => k === v.value_kind) ?? 'price', decimals: Number(v.decimals),
    }),
    done: () => {
      void message.success(t('saved'))
      props.close()
    },
  })
  const v = form.values
  return (
    <Sheet title={layout ? t('label_edit') : t('label_new')}>
      <Form form={form} label={layout ? t('label_edit') : t('label_new')}>
        <div className="zg-form-grid">
          <TextField form={form} name="name" label={t('label_name')} maxLength={40} autoFocus />
          <TextField form={form} name="prefix" label={t('label_prefix')} width="s" inputMode="numeric" maxLength={2} hint={t('label_prefix_hint')} />
          <SelectField form={form} name="item_digits" label={t('label_item_digits')} width="s" options={[3, 4, 5, 6].map(digits)} />
          <SwitchField form={form} name="value_check" label={t('label_value_check')} hint={t('label_value_check_short')} width="s" />
          <SelectField form={form} name="value_digits" label={t('label_value_digits')} width="s" options={[4, 5, 6].map(digits)} />
          <SelectField form={form} name="value_kind" label={t('label_kind')} width="s" options={(['price', 'weight', 'count'] as const).map((k) => ({ value: k, label: t(`kind_${k}`) }))} />
          <SelectField form={form} name="decimals" label={t('label_decimals')} width="s" options={[0, 1, 2, 3].map(digits)} />
        </div>
        <p><Drawn layout={{ prefix: v.prefix, item_digits: Number(v.item_digits), value_check: v.value_check, value_digits: Number(v.value_digits), value_kind: (['weight', 'count'] as const).find((k) => k === v.value_kind) ?? 'price' }} /> <span className="zg-note">{t('label_drawn_note')}</span></p>
        <FormActs form={form} onCancel={props.close}>
          {layout && <Button danger onClick={() => void modal.confirm({ title: t('label_remove'), content: t('label_remove_sure'), okText: t('label_remove'), okButtonProps: { danger: true }, onOk: async () => {
            await drop.run(layout.id)
            void message.success(t('label_removed'))
            props.close()
          } })}>{t('label_remove')}</Button>}
        </FormActs>
      </Form>
    </Sheet>
  )
}

const partWords = ['barcode', 'unit', 'prefix', 'layout', 'item_no', 'value_check', 'weight', 'price', 'count', 'check_digit', 'code', 'buys'] as const

function Tester() {
  const t = useText(goodsText)
  const f = useFormat()
  const place = useSite()
  const site = place.site?.id
  const [typed, setTyped] = useState('')
  const [code, setCode] = useState('')
  const read = useRead(['goods', 'tester', site, code], (signal) => must(client.GET('/api/goods/lookup', { params: { query: { site_id: site ?? '', code: sendable(code) } }, signal })), { skip: !site || !code })
  const found = code && !read.problem ? read.data : undefined
  const word = (what: string) => {
    const key = partWords.find((w) => w === what)
    return key ? t(`part_${key}`) : what
  }
  return (
    <Sheet title={t('tester')} note={t('tester_note')} acts={<SitePick {...place} />}>
      <form className="zg-form-grid" onSubmit={(e) => { e.preventDefault(); setCode(typed.trim()) }}>
        <Input aria-label={t('tester_code')} placeholder={t('tester_code')} value={typed} maxLength={600} onChange={(e) => setTyped(e.target.value)} style={{ maxWidth: 480 }} />
        <Button type="primary" htmlType="submit" disabled={!site || typed.trim() === ''}>{t('tester_read')}</Button>
      </form>
      {code && read.problem && <ProblemBox problem={read.problem} again={read.again} />}
      {found && (
        <div className="zg-stack" aria-live="polite">
          {found.refused && <p><Badge tone="red">{t('tester_refused')}</Badge> {found.refused.text}</p>}
          <Facts facts={[
            [t('tester_how'), t(`how_${found.how}`)],
            [t('tester_product'), <Link to={`/goods/${found.product.id}`}>{found.product.name}</Link>],
            [t('tester_line'), found.amount_fen !== null
              ? `${f.yuan(found.amount_fen)} (${f.unit(found.unit)})`
              : `${f.qty({ qty: found.qty ?? '1', unit: found.unit })} × ${found.price_fen === null ? t('tester_no_price') : f.yuan(found.price_fen)}`],
            found.lot !== '' && [t('tester_lot'), found.lot],
            found.expires_at !== null && [t('tester_expires'), f.exact(found.expires_at)],
            found.made_on !== '' && [t('tester_made'), f.date(found.made_on)],
            found.serial !== '' && [t('tester_serial'), found.serial],
          ]} />
          <DataTable label={t('tester_parts')} count={false} rows={all(found.steps, read)} rowKey={(s) => s.what}
            columns={[{ key: 'what', head: t('part'), cell: (s) => word(s.what) }, { key: 'text', head: t('part_value'), cell: (s) => <code>{s.text}</code> }]} empty={null} />
        </div>
      )}
    </Sheet>
  )
}
