// Pictures of every page of the back office, to be looked at: node tools/shots.mjs URL NAME PASSWORD [filter]
// Writes shots/<page>-<width>-<theme>-<lang>.png and says what did not fit or was logged as an error.
import { existsSync, mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'

const [base = 'http://127.0.0.1:7300', name = 'admin', password = '', only = ''] = process.argv.slice(2)
const out = new URL('../shots/', import.meta.url).pathname
mkdirSync(out, { recursive: true })

const browser = await chromium.launch({
  executablePath: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

const looks = [
  { width: 1280, theme: 'light', lang: 'zh' },
  { width: 1280, theme: 'dark', lang: 'en' },
  { width: 360, theme: 'light', lang: 'zh' },
  { width: 360, theme: 'dark', lang: 'en' },
]

const get = (page, path) => page.evaluate(async (p) => (await fetch(p)).json(), path)

for (const look of looks) {
  const tag = `${look.width}-${look.theme}-${look.lang}`
  const context = await browser.newContext({ viewport: { width: look.width, height: look.width < 500 ? 740 : 800 }, deviceScaleFactor: 1, locale: look.lang === 'zh' ? 'zh-CN' : 'en-US' })
  await context.addInitScript(([lang, theme]) => {
    localStorage.setItem('zg.lang', lang)
    localStorage.setItem('zg.theme', theme)
  }, [look.lang, look.theme])
  const page = await context.newPage()
  const wrong = []
  page.on('console', (m) => m.type() === 'error' && !m.text().includes('401') && wrong.push(m.text()))
  page.on('pageerror', (e) => wrong.push(String(e)))

  const shoot = async (label, act) => {
    if (only && !label.includes(only)) return
    try {
      await act()
      await page.waitForTimeout(900)
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      if (wide > 0) console.log(`${label} ${tag}: ${wide}px too wide`)
      await page.screenshot({ path: `${out}${label}-${tag}.png`, fullPage: true })
    } catch (error) {
      console.log(`${label} ${tag}: ${String(error).split('\n')[0]}`)
    }
    if (wrong.length) console.log(`${label} ${tag}:`, wrong.splice(0).join(' | ').slice(0, 400))
  }
  const open = (path) => () => page.goto(`${base}${path}`)

  await shoot('signin', open('/'))
  await page.goto(`${base}/admin/`)
  await page.fill('input[name=name]', name)
  await page.fill('input[name=password]', password)
  await page.press('input[name=password]', 'Enter')
  await page.waitForSelector('#zg-main')

  const me = await get(page, '/api/me')
  const site = me.sites.find((s) => s.kind === 'store')
  const first = async (path) => (await get(page, path)).items?.[0]
  const sales = (await get(page, `/api/till/sales?site_id=${site.id}&limit=50`)).items
  const refunded = sales.find((s) => s.refunded_fen > 0) ?? sales[0]
  const product = await first('/api/goods/products?limit=1')
  const batch = (await get(page, `/api/stock/batches?site_id=${site.id}&open=true&limit=3`)).items?.[0]
  const forecast = await first(`/api/forecasts?site_id=${site.id}&limit=1`)
  const imports = (await get(page, '/api/imports?limit=50')).items ?? []
  const staff = (await get(page, '/api/org/staff?limit=50')).items ?? []
  const job = await first('/api/jobs?limit=1')

  await shoot('today', open('/admin/today'))
  await shoot('today-why', async () => {
    await page.goto(`${base}/admin/today`)
    await page.click('.zg-why-figure >> nth=0')
  })
  await shoot('sales', open('/admin/sales'))
  if (refunded) await shoot('sale', open(`/admin/sales/${refunded.id}`))
  await shoot('goods', open('/admin/goods'))
  await shoot('goods-none', open('/admin/goods?q=zzz'))
  await shoot('categories', open('/admin/goods/categories'))
  if (product) await shoot('product', open(`/admin/goods/${product.id}`))
  await shoot('product-new-refused', async () => {
    await page.goto(`${base}/admin/goods/new`)
    await page.click('button[type=submit]')
  })
  await shoot('stock', open('/admin/stock'))
  await shoot('batches', open('/admin/stock/batches?open=1'))
  if (batch) await shoot('batch', open(`/admin/stock/batches/${batch.id}`))
  await shoot('plan', open('/admin/plan'))
  if (forecast) {
    await shoot('forecast', open(`/admin/plan/${site.id}/${forecast.product_id}`))
    await shoot('forecast-why', async () => {
      await page.goto(`${base}/admin/plan/${site.id}/${forecast.product_id}`)
      await page.click('tr[data-row] >> nth=1')
    })
    await shoot('forecast-table', async () => {
      await page.goto(`${base}/admin/plan/${site.id}/${forecast.product_id}`)
      await page.click('.zg-chart figcaption button')
    })
  }
  await shoot('accuracy', open('/admin/plan/accuracy'))
  await shoot('imports', open('/admin/imports'))
  const refusedImport = imports.find((i) => i.rows_refused > 0)
  const ready = imports.find((i) => i.state === 'ready')
  if (refusedImport) await shoot('import-refused', open(`/admin/imports/${refusedImport.id}`))
  if (ready) await shoot('import-map', open(`/admin/imports/${ready.id}`))
  await shoot('jobs', open('/admin/jobs'))
  if (job) await shoot('job', open(`/admin/jobs/${job.id}`))
  await shoot('checks', open('/admin/checks'))
  await shoot('sites', open('/admin/settings/sites'))
  await shoot('site', open(`/admin/settings/sites/${site.id}`))
  await shoot('entities', open('/admin/settings/entities'))
  await shoot('staff', open('/admin/settings/staff'))
  if (staff[1]) await shoot('person', open(`/admin/settings/staff/${staff.find((p) => p.grants.length > 0 && p.name !== name)?.id ?? staff[1].id}`))
  await shoot('roles', open('/admin/settings/roles'))
  await shoot('role-new', async () => {
    await page.goto(`${base}/admin/settings/roles`)
    await page.click('.zg-head-acts button')
  })
  await shoot('audit', open('/admin/settings/audit'))
  await shoot('audit-open', async () => {
    await page.goto(`${base}/admin/settings/audit`)
    await page.click('tr[data-row] >> nth=0')
  })
  await shoot('account', open('/admin/settings/account'))
  await shoot('nowhere', open('/admin/nowhere'))
  await shoot('finder', async () => {
    await page.goto(`${base}/admin/today`)
    await page.waitForSelector('h1')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('B0')
    await page.waitForTimeout(700)
  })
  await shoot('menu', async () => {
    await page.goto(`${base}/admin/today`)
    await page.click('.zg-top button >> nth=-1')
  })
  await context.close()
}
await browser.close()
