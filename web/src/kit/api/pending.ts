// Routes that the server describes but does not yet serve in this build's OpenAPI document. Whatever
// is in schema.ts wins; this file goes when it is empty.

import type { components } from './schema'

type None = Record<never, never>
type Query = Record<string, unknown>
type Path<P extends Query> = [keyof P] extends [never] ? { path?: None } : { path: P }
type Ok<O> = { responses: { 200: { content: { 'application/json': O } } } }
type Get<O, Q extends Query = None, P extends Query = None> = { parameters: { query?: Q; header?: never; cookie?: never } & Path<P> } & Ok<O>
type Write<I, O, P extends Query = None> = {
  parameters: { header: { 'Idempotency-Key': string }; query?: never; cookie?: never } & Path<P>
  requestBody: { content: { 'application/json': I } }
} & Ok<O>
type WriteNone<O, P extends Query = None> = { parameters: { header: { 'Idempotency-Key': string }; query?: never; cookie?: never } & Path<P> } & Ok<O>

type Id = string
interface Page<R> { items: R[]; next: string }
type PageQuery<Q = object> = Q & { after?: string; limit?: number } & Query
export interface Quantity { qty: string; unit: string }

export interface StockLevel {
  site_id: Id
  product_id: Id
  product_name: string
  available: Quantity
  on_hand: Quantity
  reserved: Quantity
  batches: number
  expires_at?: string
}
export interface Batch {
  id: Id
  site_id: Id
  product_id: Id
  product_name: string
  code: string
  qty: Quantity
  received: Quantity
  value_fen: number
  made_at?: string
  received_at: string
  expires_at?: string
  open: boolean
}
export interface LedgerLine {
  id: Id
  at: string
  cause: string
  qty: string
  balance: string
  business_date: string
  document?: { kind: string; id: Id; number: string }
}
export interface Import {
  id: Id
  kind: string
  file_name: string
  state: string
  columns: string[]
  sample: string[][]
  mapping: Record<string, string>
  done: number
  total: number
  rows_read: number
  rows_new: number
  rows_same: number
  rows_refused: number
  refused_sample: { line: number; field: string; code: string; message: string }[]
}

type Sale = components['schemas']['TillSaleView']

export interface Pending {
  '/api/stock/levels': { get: Get<Page<StockLevel>, PageQuery<{ site_id?: Id; q?: string }>> }
  '/api/stock/batches': { get: Get<Page<Batch>, PageQuery<{ site_id?: Id; product_id?: Id; open?: boolean }>> }
  '/api/stock/batches/{id}': { get: Get<Batch, Query, { id: Id }> }
  '/api/ledger/accounts/{id}/statement': { get: Get<Page<LedgerLine>, PageQuery, { id: Id }> }

  '/api/till/sales/{id}/void': { post: Write<{ reason: string }, Sale, { id: Id }> }
  '/api/till/sales/{id}/refunds': {
    post: Write<{ lines: { line_no: number; qty: string; back: 'stock' | 'discard' }[]; reason: string; tender: string }, Sale, { id: Id }>
  }
  '/api/till/sales/{id}/payments/cancel': { post: WriteNone<Sale, { id: Id }> }

  '/api/imports': { get: Get<Page<Import>, PageQuery> }
  '/api/imports/{id}': { get: Get<Import, Query, { id: Id }> }
  '/api/imports/{id}/run': {
    post: Write<{ mode: 'all' | 'good'; mapping: Record<string, string>; create_missing: boolean; dry_run: boolean }, Import, { id: Id }>
  }
}
