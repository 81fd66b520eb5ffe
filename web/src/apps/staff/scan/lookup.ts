import { client, must, type Batch, type Product } from '@kit/api'
import type { components } from '@kit/api/schema'

export interface Found {
  code: string
  batches: Batch[]
  product?: Product
  orders: components['schemas']['PurchaseOrderView'][]
}

/** What a scanned code is at a site: a batch of it, a product with its batches, a purchase order. */
export async function lookup(site: string, code: string, can: (perm: string) => boolean): Promise<Found> {
  if (/^PO-/i.test(code) && can('purchase.read')) {
    const orders = await must(client.GET('/api/purchase/orders', { params: { query: { q: code, site_id: site, limit: 5 } } }))
    return { code, batches: [], orders: orders.items ?? [] }
  }
  const batches = await must(client.GET('/api/stock/batches', { params: { query: { site_id: site, code, limit: 5 } } }))
  if ((batches.items ?? []).length > 0) return { code, batches: batches.items!, orders: [] }
  const products = await must(client.GET('/api/goods/products', { params: { query: { q: code, limit: 2 } } }))
  const product = products.items?.find((p) => p.code === code) ?? products.items?.[0]
  if (!product) return { code, batches: [], orders: [] }
  const open = await must(client.GET('/api/stock/batches', { params: { query: { site_id: site, product_id: product.id, open: true, limit: 50 } } }))
  return { code, product, batches: open.items ?? [], orders: [] }
}
