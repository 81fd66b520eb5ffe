import { AccountBookOutlined, AppstoreOutlined, CloudUploadOutlined, FireOutlined, HomeOutlined, HourglassOutlined, InboxOutlined, LineChartOutlined, NodeIndexOutlined, SafetyCertificateOutlined, ScheduleOutlined, SettingOutlined, ShoppingOutlined, UnorderedListOutlined } from '@ant-design/icons'
import { mountApp } from '@kit/mount'
import { AppShell, type PageDef } from '@kit/Shell'
import { sources } from './find'
import { adminText } from './text'
import type zh from './zh'

// In the order of the day's work; an entry appears with its first page that has data.
const pages: PageDef<keyof typeof zh>[] = [
  { path: '/today', title: 'today', perm: '', icon: HomeOutlined, load: () => import('./today/Today') },
  { path: '/sales', title: 'sales', perm: 'sales.read', icon: AccountBookOutlined, load: () => import('./sales/Sales') },
  { path: '/sales/:id', title: 'sale', perm: 'sales.read', under: '/sales', load: () => import('./sales/OneSale') },
  { path: '/goods', title: 'goods', perm: 'goods.read', icon: AppstoreOutlined, load: () => import('./goods/Goods') },
  { path: '/goods/categories', title: 'categories', perm: 'goods.read', under: '/goods', load: () => import('./goods/Categories') },
  { path: '/goods/prices', title: 'changes', perm: 'goods.read', under: '/goods', load: () => import('./goods/PriceChanges') },
  { path: '/goods/prices/:id', title: 'change', perm: 'goods.read', under: '/goods', load: () => import('./goods/OnePriceChange') },
  { path: '/goods/labels', title: 'labels', perm: 'goods.read', under: '/goods', load: () => import('./goods/Labels') },
  { path: '/goods/margins', title: 'margins', perm: 'sales.read', under: '/goods', load: () => import('./goods/Margins') },
  { path: '/goods/:id', title: 'product', perm: 'goods.read', under: '/goods', load: () => import('./goods/OneProduct') },
  { path: '/stock', title: 'stock', perm: 'stock.read', icon: InboxOutlined, load: () => import('./stock/Levels') },
  { path: '/stock/batches', title: 'batches', perm: 'stock.read', under: '/stock', load: () => import('./stock/Batches') },
  { path: '/stock/products/:id', title: 'stock_why', perm: 'stock.read', under: '/stock', load: () => import('./stock/WhyNot') },
  { path: '/stock/documents', title: 'stock_documents', perm: 'stock.read', under: '/stock', load: () => import('./stock/Documents') },
  { path: '/stock/documents/:id', title: 'stock_document', perm: 'stock.read', under: '/stock', load: () => import('./stock/OneDocument') },
  { path: '/stock/transfers', title: 'transfers', perm: 'stock.read', under: '/stock', load: () => import('./stock/Transfers') },
  { path: '/stock/transfers/:id', title: 'transfer', perm: 'stock.read', under: '/stock', load: () => import('./stock/OneTransfer') },
  { path: '/stock/counts', title: 'counts', perm: 'stock.read', under: '/stock', load: () => import('./stock/Counts') },
  { path: '/stock/counts/:id', title: 'count', perm: 'stock.read', under: '/stock', load: () => import('./stock/OneCount') },
  { path: '/stock/batches/:id', title: 'batch', perm: 'stock.read', under: '/stock', load: () => import('./stock/OneBatch') },
  { path: '/day', title: 'day_plan', perm: 'plan.read', icon: ScheduleOutlined, load: () => import('./dayplan/DayPlan') },
  { path: '/clearance', title: 'clearance', perm: 'clear.read', icon: HourglassOutlined, load: () => import('./clearance/Clearance') },
  { path: '/clearance/rules', title: 'clearance_rules', perm: 'clear.read', under: '/clearance', load: () => import('./clearance/Rules') },
  { path: '/clearance/:id', title: 'clearance_one', perm: 'clear.read', under: '/clearance', load: () => import('./clearance/OneClearance') },
  { path: '/plan', title: 'plan', perm: 'forecast.read', icon: LineChartOutlined, load: () => import('./plan/Plan') },
  { path: '/plan/accuracy', title: 'accuracy', perm: 'forecast.read', under: '/plan', load: () => import('./plan/AccuracyPage') },
  { path: '/plan/:site/:product', title: 'plan_one', perm: 'forecast.read', under: '/plan', load: () => import('./plan/OneForecast') },
  { path: '/make', title: 'make', perm: 'make.read', icon: FireOutlined, load: () => import('./make/Tasks') },
  { path: '/make/requisitions', title: 'materials', perm: 'make.read', under: '/make', load: () => import('./make/Requisitions') },
  { path: '/make/:id', title: 'making', perm: 'make.read', under: '/make', load: () => import('./make/OneTask') },
  { path: '/buy', title: 'buy', perm: 'purchase.read', icon: ShoppingOutlined, load: () => import('./buy/Orders') },
  { path: '/buy/new', title: 'order', perm: 'purchase.manage', under: '/buy', load: () => import('./buy/NewOrder') },
  { path: '/buy/requisitions', title: 'requisitions', perm: 'plan.read', under: '/buy', load: () => import('./buy/Requisitions') },
  { path: '/buy/requisitions/:id', title: 'requisition', perm: 'plan.read', under: '/buy', load: () => import('./buy/OneRequisition') },
  { path: '/buy/suppliers', title: 'suppliers', perm: 'party.read', under: '/buy', load: () => import('./buy/Suppliers') },
  { path: '/buy/suppliers/:id', title: 'supplier', perm: 'party.read', under: '/buy', load: () => import('./buy/OneSupplier') },
  { path: '/buy/:id', title: 'order', perm: 'purchase.read', under: '/buy', load: () => import('./buy/OneOrder') },
  { path: '/trace', title: 'trace', perm: 'make.read', icon: NodeIndexOutlined, load: () => import('./trace/Trace') },
  { path: '/imports', title: 'imports', perm: 'import.run', icon: CloudUploadOutlined, group: true, load: () => import('./imports/Imports') },
  { path: '/imports/:id', title: 'import', perm: 'import.run', under: '/imports', load: () => import('./imports/OneImport') },
  { path: '/jobs', title: 'jobs', perm: 'jobs.read', icon: UnorderedListOutlined, load: () => import('./jobs/Jobs') },
  { path: '/jobs/:id', title: 'job', perm: 'jobs.read', under: '/jobs', load: () => import('./jobs/OneJob') },
  { path: '/checks', title: 'checks', perm: 'check.read', icon: SafetyCertificateOutlined, load: () => import('./checks/Checks') },
  { path: '/settings/sites', title: 'sites', perm: 'org.read', under: '/settings', load: () => import('./settings/Sites') },
  { path: '/settings/sites/:id', title: 'site', perm: 'org.read', under: '/settings', load: () => import('./settings/OneSite') },
  { path: '/settings/entities', title: 'entities', perm: 'org.read', under: '/settings', load: () => import('./settings/Entities') },
  { path: '/settings/staff', title: 'staff', perm: 'org.read', under: '/settings', load: () => import('./settings/StaffList') },
  { path: '/settings/staff/:id', title: 'person', perm: 'org.read', under: '/settings', load: () => import('./settings/OneStaff') },
  { path: '/settings/roles', title: 'roles', perm: 'org.read', under: '/settings', load: () => import('./settings/Roles') },
  { path: '/settings/audit', title: 'audit', perm: 'org.read', under: '/settings', load: () => import('./settings/Audit') },
  { path: '/settings/account', title: 'account', perm: '', under: '/settings', load: () => import('./settings/Account') },
  { path: '/settings', title: 'settings', perm: '', icon: SettingOutlined, group: true, load: () => import('./settings/First') },
]

mountApp(<AppShell basename="/admin" text={adminText} pages={pages} find={sources} />)
