// Routes that the server has but this build's OpenAPI document does not list yet. What is in
// schema.ts wins; this file goes when it is empty.
import type { components } from './schema'

type Query = Record<string, unknown>
type Path<P extends Query> = [keyof P] extends [never] ? { path?: never } : { path: P }
type Ok<O> = { responses: { 200: { content: { 'application/json': O } } } }
type None = Record<never, never>
type Get<O, Q extends Query = None, P extends Query = None> = { parameters: { query?: Q; header?: never; cookie?: never } & Path<P> } & Ok<O>
type Write<I, O, P extends Query = None> = {
  parameters: { header: { 'Idempotency-Key': string }; query?: never; cookie?: never } & Path<P>
  requestBody: { content: { 'application/json': I } }
} & Ok<O>
type WriteNone<O, P extends Query = None> = { parameters: { header: { 'Idempotency-Key': string }; query?: never; cookie?: never } & Path<P> } & Ok<O>

type Id = string
interface Page<R> { items: R[]; next: string }
type PageQuery<Q = object> = Q & { after?: string; limit?: number } & Query
type Sale = components['schemas']['TillSaleView']

export interface Quantity { qty: string; unit: string }

export interface StockLevel {
  product_id: Id
  sku_id: Id
  code: string
  name: string
  unit: string
  qty: string
  held: string
  expired: string
  available: string
  value_fen: number
  batches: number
  next_expires_at: string
}
export interface Batch {
  id: Id
  site_id: Id
  product_id: Id
  product: string
  code: string
  unit: string
  qty: string
  held: string
  received: string
  value_fen: number
  made_on: string
  received_at: string
  expires_at: string
  expired: boolean
  open: boolean
  document_id: Id
}
export interface BatchStory extends Batch {
  movements: { document: string; kind: string; id: Id; other: string; qty: string; left: string; at: string }[]
}
export interface Movement {
  document: string
  kind: string
  id: Id
  other: string
  qty: string
  balance: string
  amount_fen: number
  balance_fen: number
  business_date: string
  at: string
  corrects: string
}
export interface Statement {
  id: Id
  book: string
  site_id: Id
  money: boolean
  sku_id: Id
  opening: string
  closing: string
  available: string
  opening_fen: number
  closing_fen: number
  available_fen: number
  items: Movement[]
  next: string
}

export type ImportKind = 'stores' | 'products' | 'stock' | 'sales' | 'weather' | 'holidays'
export interface RefusedRow { line: number; field: string; code: string; message: string }
export interface Import {
  id: Id
  kind: ImportKind
  file_name: string
  state: 'uploading' | 'ready' | 'reading' | 'checking' | 'applying' | 'applied' | 'checked' | 'refused' | 'failed' | 'cancelled'
  encoding: string
  bytes: number
  columns: string[]
  sample: string[][]
  mapping: Record<string, string>
  mode: 'all' | 'good'
  create_missing: boolean
  dry_run: boolean
  job_id: Id
  done: number
  total: number
  seconds_left?: number
  rows_total: number
  rows_read: number
  rows_new: number
  rows_same: number
  rows_refused: number
  refused_sample: RefusedRow[]
  error?: { code: string; field?: string; line?: number; detail: string }
  staff_id: Id
  created_at: string
  started_at?: string
  ended_at?: string
}
export interface ImportColumn { name: string; label: string; need: 'must' | 'unless_dropped' | 'may' }
export interface ImportKindView { kind: ImportKind; columns: ImportColumn[] }

export interface Pending {
  '/api/stock/levels': { get: Get<Page<StockLevel>, PageQuery<{ site_id: Id; q?: string }>> }
  '/api/stock/batches': { get: Get<Page<Batch>, PageQuery<{ site_id: Id; product_id?: Id; open?: boolean }>> }
  '/api/stock/batches/{id}': { get: Get<BatchStory, Query, { id: Id }> }
  '/api/ledger/accounts/{id}/statement': { get: Get<Statement, PageQuery<{ from?: string; to?: string }>, { id: Id }> }
  '/api/till/sales/{id}/void': { post: Write<{ reason: string }, Sale, { id: Id }> }
  '/api/till/sales/{id}/refunds': {
    post: Write<{ lines: { line_no: number; qty: string; back: 'stock' | 'discard' }[]; reason: string; tender?: string }, Sale, { id: Id }>
  }
  '/api/imports': { get: Get<Page<Import>, PageQuery<{ kind?: ImportKind; state?: string }>> }
  '/api/imports/kinds': { get: Get<Page<ImportKindView>> }
  '/api/imports/{id}': { get: Get<Import, Query, { id: Id }> }
  '/api/imports/{id}/run': {
    post: Write<{ mode: 'all' | 'good'; mapping?: Record<string, string>; create_missing?: boolean; dry_run?: boolean }, Import, { id: Id }>
  }
  '/api/imports/{id}/cancel': { post: WriteNone<Import, { id: Id }> }
}
