import { act, all, client, DataTable, Form, FormActs, MoneyField, parseMoney, SelectField, Sheet, Strip, TextField, useAct, useCan, useForm, useFormat, useText, type Column } from '@kit'
import type { components } from '@kit/api/schema'
import { Button } from 'antd'
import { useState } from 'react'
import { stockText } from './shared'

type Shares = components['schemas']['StockLandedLine']
type Basis = 'value' | 'weight' | 'volume' | 'count'
const bases: readonly Basis[] = ['value', 'weight', 'volume', 'count']

/** What has to be told by hand to share by weight or volume: of goods that are not counted in g or ml. */
export const toMeasure = <L extends { unit: string }>(basis: string, lines: readonly L[]): L[] =>
  basis === 'weight' ? lines.filter((l) => l.unit !== 'g') : basis === 'volume' ? lines.filter((l) => l.unit !== 'ml') : []

/** Freight and other costs of bringing the goods of a receipt in, shared over its batches; also long after. */
export function Landed(props: { receipt: string; site: string; lines: readonly { batch_id: string; batch: string; product: string; unit: string }[] }) {
  const t = useText(stockText)
  const f = useFormat()
  const can = useCan()
  const [open, setOpen] = useState(false)
  type Body = { site_id: string; receipt_id: string; basis: Basis; charge_fen: number; note?: string; ref?: string; measures?: { batch_id: string; amount: number }[] }
  const doing = useAct((body: Body) => act(['landed', body], (header) => client.POST('/api/stock/landed-costs', { params: { header }, body })), ['stock'])
  const form = useForm({
    initial: { basis: 'value' as string, charge: '', ref: '', note: '', measures: {} as Record<string, string> },
    required: ['charge'],
    body: (v): Body => ({
      site_id: props.site, receipt_id: props.receipt, basis: bases.find((b) => b === v.basis) ?? 'value', charge_fen: parseMoney(v.charge) ?? 0, ...(v.note.trim() ? { note: v.note.trim() } : {}), ...(v.ref.trim() ? { ref: v.ref.trim() } : {}),
      ...(toMeasure(v.basis, props.lines).length > 0 ? { measures: toMeasure(v.basis, props.lines).map((l) => ({ batch_id: l.batch_id, amount: Math.round(Number(v.measures[l.batch_id] ?? '') || 0) })) } : {}),
    }),
    doing,
    rename: (field) => (field === 'charge_fen' ? 'charge' : field),
    done: () => setOpen(false),
  })
  if (!can('stock.manage')) return null
  const measured = toMeasure(form.values.basis, props.lines)
  const columns: Column<Shares>[] = [
    { key: 'batch', head: t('batch'), cell: (l) => l.batch },
    { key: 'share', head: t('landed_share'), unit: '¥', right: true, cell: (l) => <b>{f.money(l.share_fen)}</b> },
    { key: 'stock', head: t('landed_stock'), unit: '¥', right: true, cell: (l) => f.money(l.stock_fen) },
    { key: 'sold', head: t('landed_sold'), unit: '¥', right: true, cell: (l) => f.money(l.sold_fen) },
  ]
  return (
    <div className="zg-no-print">
      <Sheet title={t('kind_landed_cost')} note={t('landed_note')} acts={!open && <Button onClick={() => { doing.clear(); form.reset({ basis: 'value', charge: '', ref: '', note: '', measures: {} }); setOpen(true) }}>{t('landed_start')}</Button>}>
        {doing.data && !open && <><Strip tone="green">{t('landed_done')}</Strip><DataTable label={t('kind_landed_cost')} rows={all(doing.data.lines)} columns={columns} rowKey={(l) => l.batch_id} empty={null} count={false} /></>}
        {open && (
          <Form form={form} label={t('kind_landed_cost')}>
            <div className="zg-form-grid">
              <MoneyField form={form} name="charge" label={t('landed_charge')} width="s" />
              <SelectField form={form} name="basis" label={t('landed_basis')} width="s" options={bases.map((b) => ({ value: b, label: t(`basis_${b}`) }))} />
              <TextField form={form} name="ref" label={t('ref')} width="s" required={false} maxLength={40} />
              <TextField form={form} name="note" label={t('note')} required={false} />
            </div>
            {measured.length > 0 && (
              <fieldset className="zg-fieldset">
                <legend>{t(form.values.basis === 'weight' ? 'measure_weight' : 'measure_volume')}</legend>
                <div className="zg-form-grid">
                  {measured.map((l) => (
                    <label key={l.batch_id} className="zg-field zg-field-s"><span>{l.product} {l.batch}</span>
                      <input className="zg-date zg-input-right" inputMode="numeric" maxLength={12} value={form.values.measures[l.batch_id] ?? ''} onChange={(e) => form.set('measures', { ...form.values.measures, [l.batch_id]: e.target.value })} />
                    </label>
                  ))}
                </div>
              </fieldset>
            )}
            <FormActs form={form} save={t('landed_save')} onCancel={() => setOpen(false)} />
          </Form>
        )}
      </Sheet>
    </div>
  )
}
