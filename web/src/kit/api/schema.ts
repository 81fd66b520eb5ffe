// The shape of the server's API, in the form that openapi-typescript writes (npm run gen).

type Query = Record<string, unknown>
type Ok<O> = { responses: { 200: { content: { 'application/json': O } } } }
type None = Record<never, never>
type Path<P extends Query> = [keyof P] extends [never] ? { path?: None } : { path: P }
type Get<O, Q extends Query = None, P extends Query = None> = {
  parameters: { query?: Q; header?: never; cookie?: never } & Path<P>
} & Ok<O>
type Write<I, O, P extends Query = None> = {
  parameters: { header: { 'Idempotency-Key': string }; query?: never; cookie?: never } & Path<P>
  requestBody: { content: { 'application/json': I } }
} & Ok<O>
type WriteNone<O, P extends Query = None> = {
  parameters: { header: { 'Idempotency-Key': string }; query?: never; cookie?: never } & Path<P>
} & Ok<O>

type Id = string
interface Page<T> {
  items: T[]
  next: string
}
interface Cursor {
  after?: string
  limit?: number
}
type PageQuery<Q = object> = Q & Cursor & Query
interface Quantity {
  qty: string
  unit: string
}

export interface Me {
  id: Id
  name: string
  display_name: string
  lang: string
  permissions: string[]
  sites: { id: Id; code: string; name: string; kind: string }[]
  demo: boolean
}

export interface Entity { id: Id; code: string; name: string; currency?: string }
export interface SiteIn {
  code: string
  name: string
  kind: string
  business: string
  entity_id: Id
  time_zone: string
  day_start: string
  open: string
  close: string
}
export interface Site extends SiteIn { id: Id }
export interface Role { id: Id; code: string; name: string; permissions: string[] }
export interface Grant { role_id: Id; scope_kind: 'group' | 'entity' | 'site'; scope_id?: Id }
export interface Staff {
  id: Id
  name: string
  display_name: string
  lang: string
  disabled: boolean
  grants: Grant[]
}
export interface AuditRow {
  id: Id
  at: string
  staff_id: Id
  staff_name: string
  act: string
  subject_kind: string
  subject_id: Id
  detail: string
}

export interface SalesUnit { name: string; num: string; den: string; barcodes: string[] }
export interface Category { id: Id; name: string; parent_id?: Id }
export interface ProductIn {
  code: string
  name: string
  category_id?: Id
  base_unit: 'g' | 'ml' | 'piece'
  shelf_life_h: number
  batch_size?: Quantity
  tax_pct: number
  units: SalesUnit[]
  active: boolean
}
export interface Product extends ProductIn { id: Id; category_name?: string }
export interface PriceVersion {
  id: Id
  product_id: Id
  unit: string
  site_id?: Id
  price_fen: number
  valid_from: string
  valid_to?: string
}
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
}
export interface Tender { kind: 'cash' | 'mobile'; amount_fen: number; given_fen?: number; state?: string; pay_code?: string }
export interface Sale {
  id: Id
  slip_no: string
  site_id: Id
  state: 'paid' | 'awaiting_payment' | 'failed' | 'voided'
  business_date: string
  sold_at: string
  lines: SaleLine[]
  tenders: Tender[]
  total_fen: number
  tax_fen: number
  change_fen: number
  refunded_fen: number
}
export interface TillProduct {
  product_id: Id
  name: string
  category_id?: Id
  unit: string
  price_fen: number
  stock: Quantity
  barcode?: string
}
export interface DayFigures {
  site_id: Id
  date: string
  sales_fen: number
  tax_fen: number
  cost_fen: number
  refunds_fen: number
  slips: number
  tenders: { kind: string; amount_fen: number }[]
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

export interface Job {
  id: Id
  kind: string
  state: string
  done: number
  total: number
  note: string
  queued_at: string
  started_at?: string
  ended_at?: string
  error?: string
}
export interface Proof { name: string; rows: number; bad: number; evidence: string[] }

export interface paths {
  '/api/sign-in': { post: Write<{ name: string; password: string }, Me> }
  '/api/sign-out': { post: WriteNone<object> }
  '/api/me': { get: Get<Me> }
  '/api/me/password': { post: Write<{ old: string; new: string }, object> }
  '/api/me/lang': { put: Write<{ lang: string }, object> }

  '/api/org/entities': { get: Get<Page<Entity>, PageQuery>; post: Write<{ code: string; name: string }, Entity> }
  '/api/org/sites': { get: Get<Page<Site>, PageQuery>; post: Write<SiteIn, Site> }
  '/api/org/sites/{id}': { get: Get<Site, Query, { id: Id }>; put: Write<SiteIn, Site, { id: Id }> }
  '/api/org/roles': { get: Get<Page<Role>, PageQuery>; post: Write<Omit<Role, 'id'>, Role> }
  '/api/org/staff': { get: Get<Page<Staff>, PageQuery<{ q?: string }>>; post: Write<object, Staff> }

  '/api/goods/products': { get: Get<Page<Product>, PageQuery<{ q?: string; category_id?: Id }>>; post: Write<ProductIn, Product> }
  '/api/goods/products/{id}': { get: Get<Product, Query, { id: Id }>; put: Write<ProductIn, Product, { id: Id }> }
  '/api/goods/lookup': { get: Get<{ product: Product; unit: string; price_fen: number }, { site_id: Id; code: string }> }
  '/api/goods/categories': { get: Get<Page<Category>, PageQuery> }
  '/api/prices': { get: Get<Page<PriceVersion>, PageQuery<{ product_id?: Id }>>; post: Write<Omit<PriceVersion, 'id'>, PriceVersion> }
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
    get: Get<Page<Sale>, PageQuery<{ site_id?: Id; date?: string; q?: string; state?: string }>>
    post: Write<{ site_id: Id; register: string; lines: SaleLineIn[]; tenders: Tender[]; expect_total_fen: number }, Sale>
  }
  '/api/till/sales/{id}': { get: Get<Sale, Query, { id: Id }> }
  '/api/till/sales/{id}/void': { post: Write<{ reason: string }, Sale, { id: Id }> }
  '/api/till/sales/{id}/refunds': {
    post: Write<{ lines: { line_no: number; qty: string; back: 'stock' | 'discard' }[]; reason: string; tender: string }, Sale, { id: Id }>
  }
  '/api/till/sales/{id}/payments/ask': { post: WriteNone<Sale, { id: Id }> }
  '/api/sales/day': { get: Get<DayFigures, { site_id: Id; date: string }> }

  '/api/imports': { get: Get<Page<Import>, PageQuery> }
  '/api/imports/{id}': { get: Get<Import, Query, { id: Id }> }
  '/api/imports/{id}/run': {
    post: Write<{ mode: 'all' | 'good'; mapping: Record<string, string>; create_missing: boolean; dry_run: boolean }, Import, { id: Id }>
  }
  '/api/jobs': { get: Get<Page<Job>, PageQuery> }
  '/api/jobs/{id}': { get: Get<Job, Query, { id: Id }> }
  '/api/checks': { get: Get<{ proofs: Proof[]; ok: boolean; at?: string }> }
  '/api/checks/run': { post: WriteNone<Job> }
  '/api/version': { get: Get<{ version: string; commit: string; go: string }> }
}
