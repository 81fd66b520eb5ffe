// The names pages use for what the server sends; the shapes are generated (schema.ts).
import type { Pending } from './pending'
import type { components, paths as Served } from './schema'

export type paths = Served & Omit<Pending, keyof Served>

type S = components['schemas']
export type Me = S['OrgMe']
export type Group = S['OrgGroup']
export type Entity = S['OrgEntity']
export type Site = S['OrgSite']
export type SiteFields = S['OrgSiteFields']
export type Role = S['OrgRole']
export type Permission = S['OrgPermission']
export type Staff = S['OrgPerson']
export type Grant = S['OrgGrant']
export type AuditEntry = S['OrgAuditEntry']
export type Category = S['CatalogCategory']
export type Product = S['CatalogProductView']
export type ProductDraft = S['CatalogDraft']
export type SalesUnit = S['CatalogUnitView']
export type PriceEntry = S['PriceEntryView']
export type Job = S['JobsStatus']
export type Checks = S['AppChecks']
export type Proof = S['ProofFinding']
export type Register = S['TillRegister']
export type Sale = S['TillSaleView']
export type SaleRow = S['TillSaleRow']
export type SaleLine = S['TillLineView']
export type SaleLineIn = S['CheckoutOrderLine']
export type Tender = S['CheckoutTenderIn']
export type QuoteLine = S['CheckoutQuoteLine']
export type TillProduct = S['CheckoutGridItem']
export type DayFigures = S['CheckoutDay']
export type * from './pending'
