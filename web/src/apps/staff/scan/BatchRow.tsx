import type { Batch } from '@kit/api'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { Badge } from '@kit/states'
import type { ReactNode } from 'react'
import { scanText } from './text'

/** A batch in a list: what, how much is left, until when. */
export function BatchRow(props: { batch: Batch; act?: ReactNode }) {
  const { batch } = props
  const t = useText(scanText)
  const f = useFormat()
  return (
    <li className={batch.expired && Number(batch.qty) > 0 ? 'st-task st-red' : 'st-task'}>
      <div>
        <b>{batch.product}</b>
        <span>{t('left', { qty: f.qty({ qty: batch.qty, unit: batch.unit }) })} {batch.expired && <Badge tone="red">{t('expired')}</Badge>}</span>
        <span className="zg-note">{t('batch', { code: batch.code })} · {batch.expires_at ? t('expires', { at: f.at(batch.expires_at) }) : t('keeps')}</span>
      </div>
      {props.act}
    </li>
  )
}
