import { act, client, Form, FormActs, Sheet, TextField, useAct, useForm, useFormat, useText, type ChannelShare } from '@kit'
import { stockText } from './shared'

/** What is kept for a channel, and how much it may have in a day. */
export function ChannelRule(props: { site: string; product: string; unit: string; share: ChannelShare; done: () => void }) {
  const { share } = props
  const t = useText(stockText)
  const f = useFormat()
  type Body = { site_id: string; product_id: string; channel: ChannelShare['channel']; floor: string; cap?: string }
  const doing = useAct((body: Body) => act(['channel', body, Date.now()], (header) => client.PUT('/api/stock/channels', { params: { header }, body })), ['stock'])
  const form = useForm({
    initial: { floor: share.floor, cap: share.limited ? share.cap : '' },
    body: (v): Body => ({ site_id: props.site, product_id: props.product, channel: share.channel, floor: v.floor.trim() || '0', ...(v.cap.trim() ? { cap: v.cap.trim() } : {}) }),
    doing,
    done: props.done,
  })
  return (
    <Sheet title={t('channel_rule', { channel: t(`channel_${share.channel}`) })} note={t('channels_note')}>
      <Form form={form} label={t('channel_rule', { channel: t(`channel_${share.channel}`) })}>
        <div className="zg-form-grid">
          <TextField form={form} name="floor" label={t('channel_floor')} width="s" right inputMode="decimal" suffix={f.unit(props.unit)} hint={t('channel_floor_hint')} />
          <TextField form={form} name="cap" label={t('channel_most')} width="s" right inputMode="decimal" suffix={f.unit(props.unit)} required={false} hint={t('channel_most_hint')} />
        </div>
        <FormActs form={form} onCancel={props.done} />
      </Form>
    </Sheet>
  )
}
