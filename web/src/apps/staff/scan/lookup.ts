import { asProblem, client, must, type Batch, type Product } from '@kit/api'
import type { components } from '@kit/api/schema'
import { sendable } from '@kit/gs1'

export interface Found {
  code: string
  batches: Batch[]
  product?: Product
  /** of the code, when it names one, and how much of it stands on the label */
  unit?: string
  qty?: string
  /** all that fits the words, when it is more than one */
  among: Product[]
  orders: components['schemas']['PurchaseOrderView'][]
}

/**
 * What a scanned code is at a site: a batch of it, a product with its batches, a purchase order. Barcodes, scale labels and GS1
 * are read by the house, as at the till; words that fit several goods name none of them.
 */
export async function lookup(site: string, code: string, can: (perm: string) => boolean): Promise<Found> {
  const none: Found = { code, batches: [], among: [], orders: [] }
  if (/^PO-/i.test(code) && can('purchase.read')) {
    const orders = await must(client.GET('/api/purchase/orders', { params: { query: { q: code, site_id: site, limit: 5 } } }))
    return { ...none, orders: orders.items ?? [] }
  }
  const batches = await must(client.GET('/api/stock/batches', { params: { query: { site_id: site, code, limit: 5 } } }))
  if ((batches.items ?? []).length > 0) return { ...none, batches: batches.items! }
  const open = async (product: Product) => (await must(client.GET('/api/stock/batches', { params: { query: { site_id: site, product_id: product.id, open: true, limit: 50 } } }))).items ?? []
  const read = await readCode(site, code)
  if (read) {
    const there = await open(read.product)
    const lot = there.filter((b) => b.id === read.batch_id)
    const label = { unit: read.unit, ...(read.qty ? { qty: read.qty } : {}) }
    return lot.length > 0 ? { ...none, ...label, batches: lot } : { ...none, ...label, product: read.product, batches: there }
  }
  const products = (await must(client.GET('/api/goods/products', { params: { query: { q: code, limit: 8 } } }))).items ?? []
  const product = products.find((p) => p.name === code) ?? (products.length === 1 ? products[0] : undefined)
  return product ? { ...none, product, batches: await open(product) } : { ...none, among: products }
}

/** What the house reads in a code; undefined for words, and for what it doesn't know. */
async function readCode(site: string, code: string) {
  if (!/^[\x1d\u241d\x20-\x7e]+$/.test(code)) return undefined
  try {
    return await must(client.GET('/api/goods/lookup', { params: { query: { site_id: site, code: sendable(code) } } }))
  } catch (error) {
    const problem = asProblem(error)
    if (problem.status === 404) return undefined
    throw problem
  }
}
