// The office writes a recipe and is told when it would go round in a circle; the till sells a bundle and gives it back whole.

import { apiAs, check, equal, openPage, picture, run, signIn, startServer, until } from './lib.mjs'

const barcode = '6900000000205'

export async function a_recipe_is_written_by_keyboard_and_a_circle_is_refused_with_its_path(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const api = await apiAs(server.url)
  const product = (code, name, base_unit) => api.post('/api/goods/products', { code, name, base_unit, tax_pct: 13 })
  const wrap = await product('wrap', '鸡肉卷', 'piece')
  const breast = await product('breast', '腌鸡胸', 'g')
  const chicken = await product('chicken', '生鸡胸', 'g')
  await api.put(`/api/goods/products/${breast.id}/recipes`, { valid_from: '2020-01-01', yield_qty: '1000', components: [{ product_id: chicken.id, qty: '1250', loss: '0' }] })
  const page = scene.page(await openPage(scene.browser))

  // A first recipe: Tab goes from field to field, Enter saves.
  await signIn(page, `${server.url}/admin/goods/${wrap.id}/recipe`)
  await page.getByRole('button', { name: '写配方' }).click()
  const choose = async (words, name) => {
    await page.keyboard.type(words)
    const found = page.locator('.ant-select-item-option')
    await until(`${name} alone to be found`, async () => (await found.count()) === 1 && (await found.innerText()).startsWith(name))
    await page.keyboard.press('Enter')
    // Keys follow each other faster than the list closes; Tab in an open list chooses and stays.
    await until(`${name} to be taken`, async () => (await page.locator('[role=combobox][aria-expanded=true]').count()) === 0)
    await page.keyboard.press('Tab')
  }
  await page.locator('.recipe-part').first().getByLabel('用料').focus()
  await choose('腌', '腌鸡胸')
  await page.keyboard.type('0')
  await page.keyboard.press('Enter')
  await page.getByText('数量要大于 0').waitFor()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type('50')
  await page.keyboard.press('Enter')
  await page.getByText('逐层用料').waitFor()
  const [saved] = (await api.get(`/api/goods/products/${wrap.id}/recipes`)).items
  equal([saved.yield_qty, saved.components.map((c) => [c.product_id, c.qty, c.loss, c.rule])], ['1', [[breast.id, '50', '0.03', 'markup']]], 'the recipe')
  await page.getByRole('row', { name: /生鸡胸/ }).first().waitFor()

  // The breast can't be made of wraps: said with the way round, and nothing has changed.
  await page.goto(`${server.url}/admin/goods/${breast.id}/recipe/edit?version=2020-01-01`)
  await page.getByRole('button', { name: '加一种原料' }).click()
  await choose('鸡肉', '鸡肉卷')
  await page.keyboard.type('1')
  await page.keyboard.press('Enter')
  await page.getByText(/配方绕成了一圈.*(鸡肉卷 → 腌鸡胸|腌鸡胸 → 鸡肉卷)/).waitFor()
  await picture(page, 'recipe-circle-zh')
  equal((await api.get(`/api/goods/products/${breast.id}/recipes`)).items[0].components.length, 1, 'components after the refusal')
}

export async function a_bundle_on_a_slip_comes_back_whole(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const api = await apiAs(server.url)
  const site = (await api.get('/api/me')).sites.find((s) => s.code === 'S001').id
  const product = (code, name, more = {}) => api.post('/api/goods/products', { code, name, base_unit: 'piece', tax_pct: 13, ...more })
  const bun = await product('bun', '鲜肉包')
  const milk = await product('milk', '豆浆')
  for (const p of [bun, milk]) await api.post('/api/prices', { product_id: p.id, unit: 'piece', price_fen: 350 })
  const set = await product('set', '早餐组合', { units: [{ name: 'piece', num: 1, barcodes: [barcode] }], parts: [{ product_id: bun.id, unit: 'piece', qty: '2', share: 0 }, { product_id: milk.id, unit: 'piece', qty: '1', share: 0 }] })
  await api.post('/api/prices', { product_id: set.id, unit: 'piece', price_fen: 900 })
  await api.post('/api/stock/receipts', { site_id: site, opening: true, lines: [{ product_id: bun.id, qty: '10', cost_fen: 1000 }, { product_id: milk.id, qty: '10', cost_fen: 1000 }] })
  const left = async () => Object.fromEntries((await api.get(`/api/stock/levels?site_id=${site}`)).items.filter((l) => l.code === 'bun' || l.code === 'milk').map((l) => [l.code, l.qty]))

  const till = scene.page(await openPage(scene.browser, { viewport: { width: 1024, height: 768 } }))
  await signIn(till, `${server.url}/till/`)
  await till.locator('.card').first().waitFor()
  await till.keyboard.type(`2*${barcode}`, { delay: 2 })
  await till.keyboard.press('Enter')
  await until('a total of ¥18.00', async () => (await till.locator('.cart-total output').innerText()) === '¥18.00')
  await till.keyboard.press('F9')
  await till.keyboard.type('20')
  await till.keyboard.press('Enter')
  await till.locator('.result .slip').waitFor()
  equal(await left(), { bun: '6', milk: '8' }, 'stock after the sale')

  await till.keyboard.press('F2')
  await till.locator('.sales-list button').first().click()
  await till.getByRole('button', { name: '退货…' }).click()
  await till.getByRole('button', { name: '退一套 早餐组合' }).click()
  await till.getByRole('button', { name: '买错了' }).click()
  await picture(till, 'till-bundle-back-zh')
  await till.getByRole('button', { name: '退款', exact: true }).click()
  const sale = (await api.get(`/api/till/sales?site_id=${site}&limit=1`)).items[0]
  await until('¥9.00 to be given back', async () => (await api.get(`/api/till/sales/${sale.id}`)).refunded_fen === 900)
  equal(await left(), { bun: '8', milk: '9' }, 'stock after one bundle came back')

  const proofs = await run(['check', '--db', server.db])
  check(proofs.code === 0, `check is red:\n${proofs.out}${proofs.err}`)
}
