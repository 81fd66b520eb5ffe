import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  tasks: 'To do',
  kitchen: 'Kitchen',
  scan: 'Scan',
  tray: 'Tray',
  plan: 'Plan',
  receive: 'Receive',
  convert: 'Convert',
  discard: 'Discard',
  count: 'Count',
  more: 'More',
  bar: 'Main menu',
} satisfies SameKeys<typeof zh>
