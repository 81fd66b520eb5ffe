import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  title: 'Discard',
  pick: 'Scan a batch, or pick one below',
  expired_first: 'Batches in stock, the first to go on top',
  none_title: 'No batch in stock',
  none: 'Batches appear here when goods come in or are made.',
  choose: 'Pick',
  qty: 'Quantity ({unit})',
  why: 'Reason',
  expired: 'Over its time',
  made_wrong: 'Made wrong',
  dropped: 'Dropped',
  damaged: 'Damaged',
  tasting: 'Tasting',
  sample: 'Sample kept',
  returned: 'Returned',
  other: 'Other',
  note: 'Note',
  save: 'Discard {qty}',
  back: 'Another batch',
  done: 'Noted: {product} {qty}',
  more: 'Next one',
  qty_bad: 'More than 0, at most {qty}.',
} satisfies SameKeys<typeof zh>
