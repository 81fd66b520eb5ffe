import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  title: 'Receive',
  orders: 'Goods to come',
  none_title: 'No goods to come',
  none: 'Confirmed purchase orders appear here by the day they are due.',
  due: 'due {day}',
  late: 'overdue',
  lines: '{n} {n:line|lines}, {amount}',
  open: 'Receive',
  back: 'Goods to come',
  line_open: '{qty} still to come',
  line_done: 'all here: {qty}',
  qty: 'Came ({unit})',
  code: 'Batch code (made when left empty)',
  made_on: 'Made on',
  expires: 'Good until',
  expires_note: 'By its shelf life when left empty.',
  ref: 'Delivery note',
  details: 'Batch and dates',
  receive: 'Receive these',
  receive_all: 'All as ordered',
  split: 'Another batch',
  done: '{n} {n:batch|batches} in stock, cost {amount}',
  state: 'Nothing can be received against this order now.',
  nothing: 'Enter the quantity of at least one line.',
} satisfies SameKeys<typeof zh>
