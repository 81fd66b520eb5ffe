// Routes that the server describes but does not yet serve in this build's OpenAPI document. Whatever
// is in schema.ts wins; this file goes when it is empty.

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
export interface SaleLineIn { product_id: Id; unit: string; qty: string; batch_id?: Id }
export interface SaleLine {
  line_no: number
  product_id: Id
  name: string
  unit: string
  qty: string
  price_fen: number
  amount_fen: number
  tax_fen: number
  tax_pct: number
  refunded_qty?: string
  batches?: { batch_id: Id; base_qty: string }[]
}
export interface Tender { kind: 'cash' | 'mobile'; amount_fen: number; given_fen?: number; state?: string; pay_code?: string; reason?: string; ref?: string; provider?: string }
export interface SaleRow {
  id: Id
  slip_no: string
  state: 'paid' | 'awaiting_payment' | 'failed' | 'voided'
  site_id: Id
  site_name: string
  register: string
  business_date: string
  sold_at: string
  cashier: string
  total_fen: number
  refunded_fen: number
}
export interface Tax { tax_pct: number; amount_fen: number; tax_fen: number }
export interface Sale extends SaleRow {
  staff_id: Id
  lines: SaleLine[]
  taxes: Tax[]
  tenders: Tender[]
  tax_fen: number
  change_fen: number
  refunds: {
    id: Id
    refund_no: string
    refunded_at: string
    business_date: string
    cashier: string
    reason: string
    amount_fen: number
    tax_fen: number
    lines: { line_no: number; qty: string; amount_fen: number; tax_fen: number; back: 'stock' | 'discard' }[]
    tenders: { kind: 'cash' | 'mobile'; amount_fen: number; state: string; ref: string; reason: string }[]
  }[]
  trail: { at: string; staff_id: Id; act: string; note: string }[]
}
export interface TillProduct {
  product_id: Id
  code: string
  name: string
  category_id: Id
  unit: string
  price_fen: number
  tax_pct: number
  base_unit: string
  num: number // one of the unit is num/den base units
  den: number
  stock: string // in the base unit
  barcodes: string[] | null
}
export interface Figures {
  sales_fen: number
  voids_fen: number
  refunds_fen: number
  net_fen: number
  tax_fen: number
  cost_fen: number
  cash_fen: number
  mobile_fen: number
}
export interface DayFigures extends Figures {
  site_id: Id
  date: string
  taxes: Tax[]
  documents: Figures
  agree: boolean
  slips: number
  voided: number
  refunds: number
  awaiting: number
  failed: number
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

export interface Pending {
  '/api/stock/levels': { get: Get<Page<StockLevel>, PageQuery<{ site_id?: Id; q?: string }>> }
  '/api/stock/batches': { get: Get<Page<Batch>, PageQuery<{ site_id?: Id; product_id?: Id; open?: boolean }>> }
  '/api/stock/batches/{id}': { get: Get<Batch, Query, { id: Id }> }
  '/api/ledger/accounts/{id}/statement': { get: Get<Page<LedgerLine>, PageQuery, { id: Id }> }

  '/api/till/registers': { get: Get<Page<{ id: Id; site_id: Id; code: string; closed: boolean }>, PageQuery<{ site_id: Id }>> }
  '/api/till/products': { get: Get<Page<TillProduct>, PageQuery<{ site_id: Id; q?: string; category_id?: Id }>> }
  '/api/till/quotes': {
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never }
      requestBody: { content: { 'application/json': { site_id: Id; lines: SaleLineIn[] } } }
    } & Ok<{ lines: SaleLine[]; total_fen: number; tax_fen: number }>
  }
  '/api/till/sales': {
    get: Get<Page<SaleRow>, PageQuery<{ site_id?: Id; date?: string; q?: string; state?: string }>>
    post: Write<{ site_id: Id; register: string; lines: SaleLineIn[]; tenders: Tender[]; expect_total_fen: number }, Sale>
  }
  '/api/till/sales/{id}': { get: Get<Sale, Query, { id: Id }> }
  '/api/till/sales/{id}/void': { post: Write<{ reason: string }, Sale, { id: Id }> }
  '/api/till/sales/{id}/refunds': {
    post: Write<{ lines: { line_no: number; qty: string; back: 'stock' | 'discard' }[]; reason: string; tender: string }, Sale, { id: Id }>
  }
  '/api/till/sales/{id}/payments/ask': { post: WriteNone<Sale, { id: Id }> }
  '/api/till/sales/{id}/payments/cancel': { post: WriteNone<Sale, { id: Id }> }
  '/api/sales/day': { get: Get<DayFigures, { site_id: Id; date: string }> }

  '/api/imports': { get: Get<Page<Import>, PageQuery> }
  '/api/imports/{id}': { get: Get<Import, Query, { id: Id }> }
  '/api/imports/{id}/run': {
    post: Write<{ mode: 'all' | 'good'; mapping: Record<string, string>; create_missing: boolean; dry_run: boolean }, Import, { id: Id }>
  }
}
