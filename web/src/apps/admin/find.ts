import { client, must, translator, type FindSource, type Lang } from '@kit'
import { isSlipNo } from './sales/shared'
import { adminText } from './text'

const say = (key: 'found_products' | 'found_sales' | 'found_staff') => (lang: Lang) => translator(adminText, lang)(key)

/** What Ctrl/⌘-K finds: products by code, name or barcode, slips by number, staff by name. */
export const sources: readonly FindSource[] = [
  {
    kind: 'product', perm: 'goods.read', label: say('found_products'),
    find: async (q, signal) => {
      const page = await must(client.GET('/api/goods/products', { params: { query: { q, limit: 6 } }, signal }))
      return page.items.map((p) => ({ id: `p${p.id}`, title: p.name, note: p.code, to: `/goods/${p.id}` }))
    },
  },
  {
    kind: 'sale', perm: 'sales.read', label: say('found_sales'),
    find: async (q, signal) => {
      if (!isSlipNo(q)) return []
      const page = await must(client.GET('/api/till/sales', { params: { query: { q, limit: 6 } }, signal }))
      return page.items.map((s) => ({ id: `s${s.id}`, title: s.slip_no, note: `${s.site_name} · ${s.business_date}`, to: `/sales/${s.id}` }))
    },
  },
  {
    kind: 'staff', perm: 'org.read', label: say('found_staff'),
    find: async (q, signal) => {
      const page = await must(client.GET('/api/org/staff', { params: { query: { q, limit: 4 } }, signal }))
      return page.items.map((p) => ({ id: `u${p.id}`, title: p.display_name, note: p.name, to: `/settings/staff/${p.id}` }))
    },
  },
]
