import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  tasks: 'To do',
  more: 'More',
  bar: 'Main menu',
} satisfies SameKeys<typeof zh>
