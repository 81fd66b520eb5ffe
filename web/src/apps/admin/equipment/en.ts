import type { SameKeys } from '@kit'
import type zh from './zh'

export default {
  title: 'Equipment',
  lead: 'When ovens, fryers and steamers are full, plans begin earlier; what does not fit is shown as short',
  add: 'Add equipment',
  name: 'Name',
  name_hint: 'As in: oven',
  add_it: 'Add',
  none_title: 'No equipment yet',
  none: 'Without it plans are bound by no capacity.',
  has: '{n} at this site',
  has_none: 'No number set at this site: plans are not bound by it',
  zero: '0 means that plans are not bound by it, not that nothing can be made',
  machines: 'Machines here',
  early: 'In use minutes before the first round',
  save: 'Save',
  product: 'Product',
  minutes: 'Minutes a batch',
  share: 'Share of a machine',
  unbind: 'Unbind',
  bind: 'Bind product',
  products_of: 'Made on {name}',
  no_products: 'Nothing is made on it yet.',
} satisfies SameKeys<typeof zh>
