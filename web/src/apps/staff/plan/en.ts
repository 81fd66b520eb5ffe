import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  title: "Today's plan",
  none_title: 'No plan for today yet',
  none: 'Once there is a forecast, it is made every morning.',
  run: 'Make it now',
  running: 'Being made; a moment.',
  make: 'To make',
  order: 'To order',
  make_done: 'Everything for today is made.',
  made: 'Made',
  make_none: 'Nothing to make today.',
  order_none: 'Nothing to order now.',
  confirm_all: 'Confirm all ({n})',
  for_approver: '{n} {n:line waits|lines wait} for an approver',
  release_each: '{n} {n:line is|lines are} held: open each and release it with a reason',
  confirmed: 'All confirmed',
  lacking: '{n} {n:material has|materials have} no supplier',
  late: '{n} {n:line is|lines are} past the time to order',
  made_at: 'made {at}',
  amount: 'orders {amount}',
  left: '{n} still to confirm: press again.',
} satisfies SameKeys<typeof zh>
