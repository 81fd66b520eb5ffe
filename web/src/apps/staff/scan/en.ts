import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  title: 'Scan',
  camera: 'Scan with the camera',
  camera_off: 'Camera off',
  camera_none: 'This device cannot scan with its camera: use a scanner, or type the number.',
  camera_refused: 'The camera was not allowed: use a scanner, or type the number.',
  type: 'Scan with a scanner, or type the number',
  type_note: 'A batch code, a barcode, or the number of a purchase order.',
  look: 'Look up',
  none: 'Nothing found for "{code}".',
  batch: 'Batch {code}',
  left: '{qty} left',
  expires: 'good until {at}',
  expired: 'Over its time',
  keeps: 'keeps',
  no_batches: 'Nothing in stock here.',
  discard: 'Discard',
  order: 'Purchase order {no}',
  receive: 'Receive',
  price_note: '{n} {n:batch|batches} in stock',
  which: 'Which one?',
  choose: 'This one',
} satisfies SameKeys<typeof zh>
