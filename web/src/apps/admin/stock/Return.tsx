import { act, client, Form, FormActs, Sheet, Strip, TextField, useAct, useCan, useForm, useFormat, useText, type BatchStory } from '@kit'
import { App, Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { stockText } from './shared'

/** Goods of a batch that go back to their supplier, at the price they came in for. */
export function Return(props: { batch: BatchStory }) {
  const { batch } = props
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const { modal } = App.useApp()
  const [open, setOpen] = useState(false)
  const doing = useAct((body: { site_id: string; note?: string; ref?: string; lines: { batch_id: string; qty: string }[] }) => act(['return', body, batch.qty], (header) => client.POST('/api/stock/supplier-returns', { params: { header }, body })), ['stock'])
  const form = useForm({
    initial: { qty: '', ref: '', note: '' },
    required: ['qty'],
    body: (v) => ({ site_id: batch.site_id, ...(v.note.trim() ? { note: v.note.trim() } : {}), ...(v.ref.trim() ? { ref: v.ref.trim() } : {}), lines: [{ batch_id: batch.id, qty: v.qty.trim() }] }),
    // asked before it is sent: goods that have left the shop do not come back by a click
    doing: { ...doing, run: (body) => new Promise((answer) => void modal.confirm({ title: t('return_sure', { qty: f.qty({ qty: body.lines[0]!.qty, unit: batch.unit }) }), content: t('return_note'), okText: t('return_save'), onOk: async () => answer(await doing.run(body)), onCancel: () => answer(undefined) })) },
    rename: (field) => field.replace(/^lines\[0\]\.(qty|batch_id)$/, 'qty'),
    done: () => setOpen(false),
  })
  if (!can('stock.manage') || (Number(batch.qty) <= 0 && !doing.data)) return null
  return (
    <Sheet title={t('kind_supplier_return')} note={t('return_note')} acts={!open && Number(batch.qty) > 0 && <Button onClick={() => { doing.clear(); form.reset({ qty: '', ref: '', note: '' }); setOpen(true) }}>{t('return_start')}</Button>}>
      {doing.data && !open && <Strip tone="green" action={<Link to={`/stock/documents/${doing.data.id}`}>{t('document')}</Link>}>{t('return_done', { amount: f.yuan(doing.data.claim_fen) })}</Strip>}
      {open && (
        <Form form={form} label={t('kind_supplier_return')}>
          <div className="zg-form-grid">
            <TextField form={form} name="qty" label={t('qty')} width="s" right inputMode="decimal" suffix={f.unit(batch.unit)} hint={t('return_most', { qty: f.qty({ qty: batch.qty, unit: batch.unit }) })} />
            <TextField form={form} name="ref" label={t('ref')} width="s" required={false} maxLength={40} />
            <TextField form={form} name="note" label={t('note')} required={false} />
          </div>
          <FormActs form={form} save={t('return_save')} onCancel={() => setOpen(false)} />
        </Form>
      )}
    </Sheet>
  )
}
