import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  today: 'Today',
} satisfies SameKeys<typeof zh>
