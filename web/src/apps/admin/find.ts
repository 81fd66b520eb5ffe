import { client, formatter, must, translator, type FindSource, type Lang } from '@kit'
import { isSlipNo } from './sales/shared'
import { movementWords } from './stock/words'
import { adminText } from './text'

const say = (key: 'found_products' | 'found_sales' | 'found_staff' | 'found_orders' | 'found_stock' | 'found_suppliers') => (lang: Lang) => translator(adminText, lang)(key)

/** A purchase order is found by a part of its number that is more than the letters all of them have. */
export const isOrderPart = (q: string): boolean => /^(?=.*\d)[A-Za-z0-9-]{3,40}$/.test(q.trim())

/** A batch has any code, but none shorter than two signs; the numbers of documents are long. */
export const isStockCode = (q: string): boolean => /^\S{2,40}$/.test(q.trim())

const pages = { batch: 'batches', document: 'documents', transfer: 'transfers', count: 'counts' } as const

/** What Ctrl/⌘-K finds: products by code, name or barcode, slips, orders, batches and documents by number, suppliers and staff by name. */
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
    kind: 'order', perm: 'purchase.read', label: say('found_orders'),
    find: async (q, signal, lang) => {
      if (!isOrderPart(q)) return []
      const page = await must(client.GET('/api/purchase/orders', { params: { query: { q: q.trim(), limit: 6 } }, signal }))
      return page.items.map((o) => ({ id: `o${o.id}`, title: o.no, note: `${o.supplier_name} · ${o.site_name} · ${formatter(lang).date(o.due)}`, to: `/buy/${o.id}` }))
    },
  },
  {
    kind: 'stock', perm: 'stock.read', label: say('found_stock'),
    find: async (q, signal, lang) => {
      if (!isStockCode(q)) return []
      const page = await must(client.GET('/api/stock/find', { params: { query: { q: q.trim() } }, signal }))
      const words = movementWords(lang)
      return page.items.map((x) => ({
        id: `${x.kind}${x.id}`, to: `/stock/${pages[x.kind]}/${x.id}`,
        title: x.kind === 'batch' ? `${words.kind('batch')} ${x.code}` : `${x.kind === 'document' ? words.document(x.what) : words.kind(x.kind)} ${x.id}`,
        note: [x.kind === 'batch' ? x.what : x.kind === 'document' ? '' : words.state(x.kind, x.what), x.site, formatter(lang).at(x.at)].filter(Boolean).join(' · '),
      }))
    },
  },
  {
    kind: 'supplier', perm: 'party.read', label: say('found_suppliers'),
    find: async (q, signal) => {
      const page = await must(client.GET('/api/suppliers', { params: { query: { q, limit: 4 } }, signal }))
      return page.items.map((p) => ({ id: `v${p.id}`, title: p.name, note: p.code, to: `/buy/suppliers/${p.id}` }))
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
