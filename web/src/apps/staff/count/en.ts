import type { SameKeys } from '@kit/i18n'
import type zh from './zh'

export default {
  title: 'Count',
  none_title: 'Nothing to count',
  none: 'Start a count under Stock in the back office; then it is counted here.',
  of: '{done} of {all} lines',
  blind: 'Blind',
  go: 'Count',
  scan_hint: 'Scan the barcode, or type the number',
  unknown: 'Nothing found for {code}',
  how_many: 'How many are there',
  enter: 'Note it',
  counted: 'Noted',
  again: 'Somebody else found another figure: count it again',
  diff: '{n} against the books',
  just_now: 'Just counted',
  closed: 'This count has been ended',
  left: 'Not counted yet',
  not_listed: '{code} is not on this list',
  unit: 'Unit',
  recount: 'To be counted again',
  count_it: 'Count it',
} satisfies SameKeys<typeof zh>
