import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  title: 'To do',
  count: '{n} {n:thing|things}',
  none_title: 'Nothing to do right now',
  none: 'Plans, making and deliveries that need you appear here.',
  comma: ', ',
  late_by: '{span} late',
  due_in: '{span} left',
  plan_title: 'Confirm the plan of {date}',
  plan_rounds: '{n} to make',
  plan_orders: '{n} to order',
  plan_late: '{n} past the time to order',
  plan_act: 'Confirm',
  round_title: 'Make {qty} {name}',
  round_act: 'Make',
  report_title: 'Report {name} (planned {qty})',
  report_note: 'materials taken {at}',
  report_act: 'Report',
  ask_title: 'Materials for {qty} {name}',
  ask_note: '{n} {n:material|materials}',
  ask_act: 'Take',
  order_title: 'Delivery from {supplier}',
  order_note: '{no}, {n} {n:line|lines}, due {due}',
  order_act: 'Receive',
} satisfies SameKeys<typeof zh>
