// A style is moved and counted by its grid, with the keyboard; one product is cut into others in the office.

import { apiAs, check, equal, openPage, picture, run, signIn, startServer, until } from './lib.mjs'

async function shop(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const api = await apiAs(server.url)
  const me = await api.get('/api/me')
  const home = me.sites.find((s) => s.code === 'S001')
  return { server, api, home, entity: (await api.get('/api/org/entities')).items[0].id }
}

/** A shirt in two colours and two sizes; 白 M, 白 L, 黑 M, 黑 L. */
async function shirt(api) {
  const style = await api.post('/api/goods/styles', {
    code: 'TX', name: '纯棉T恤', base_unit: 'piece', tax_pct: 13,
    axes: [{ name: '颜色', values: [{ name: '白', code: 'W' }, { name: '黑', code: 'B' }] }, { name: '尺码', values: [{ name: 'M', code: 'M' }, { name: 'L', code: 'L' }] }],
  })
  const made = await api.post(`/api/goods/styles/${style.id}/combinations`, { all: true })
  return made.style.variants
}

const cells = (page) => page.getByRole('dialog').getByRole('textbox')

/** Chooses a product in a picker by its code. */
async function pick(page, field, code) {
  await field.click()
  await page.keyboard.type(code)
  const found = page.locator('.ant-select-item-option').filter({ visible: true })
  await until(`${code} to be found`, async () => (await found.count()) === 1 && (await found.innerText()).includes(code))
  await page.keyboard.press('Enter')
}

export async function a_style_is_asked_for_and_counted_by_its_grid(scene) {
  const { server, api, home, entity } = await shop(scene)
  const variants = await shirt(api)
  const depot = await api.post('/api/org/sites', { code: 'S002', name: '东区仓库', kind: 'store', business: 'convenience', entity_id: entity, time_zone: 'Asia/Shanghai', day_start: '04:00', open: '07:00', close: '22:00' })
  const lines = variants.map((v) => ({ product_id: v.product_id, qty: '10', cost_fen: 20000 }))
  for (const site_id of [home.id, depot.id]) await api.post('/api/stock/receipts', { site_id, opening: true, lines })
  const page = scene.page(await openPage(scene.browser))

  await signIn(page, `${server.url}/admin/stock/transfers?site=${home.id}`)
  await page.getByRole('button', { name: '要货' }).first().click()
  await page.getByLabel('调出').click()
  await page.locator('.ant-select-item-option').filter({ hasText: '东区仓库' }).click()
  await pick(page, page.getByRole('combobox', { name: '商品' }), variants[0].code)
  await page.getByRole('button', { name: '填数量表' }).click()
  await cells(page).first().focus()
  // Down the column with Enter, back to the top and to the right with the arrows; 黑 L stays empty.
  await page.keyboard.type('3')
  await page.keyboard.press('Enter')
  await page.keyboard.type('4')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.type('5')
  await page.getByText('3 格，共 12').waitFor()
  await picture(page, 'transfer-grid-zh')
  await page.getByRole('button', { name: '用这些数量' }).click()
  await until('three lines', async () => (await page.getByRole('textbox', { name: /数量/ }).count()) === 3)
  await picture(page, 'transfer-lines-zh')
  await page.getByRole('button', { name: '提交要货' }).click()
  await page.waitForURL(/transfers\/\d+/)
  const transfer = await api.get(`/api/stock/transfers/${page.url().match(/transfers\/(\d+)/)[1]}`)
  equal(transfer.lines.map((l) => [l.product_id, l.asked]), [[variants[0].product_id, '3'], [variants[1].product_id, '5'], [variants[2].product_id, '4']], 'asked for')

  // The count: three places are typed, the fourth is left as it is.
  const count = await api.post('/api/stock/counts', { site_id: home.id, limit_fen: 5000, blind: true })
  await page.goto(`${server.url}/admin/stock/counts/${count.id}`)
  const grid = async () => {
    await pick(page, page.getByRole('combobox', { name: /盘一个款式/ }), variants[0].code)
    await page.getByRole('button', { name: '填数量表' }).click()
    await cells(page).first().focus()
  }
  await grid()
  await page.keyboard.type('1,5')
  await page.getByText('数量最多三位小数').waitFor()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type('9')
  await page.keyboard.press('Enter')
  await page.keyboard.type('10')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.type('0')
  await picture(page, 'count-grid-zh')
  await page.getByRole('button', { name: '用这些数量' }).click()
  const counted = async () => Object.fromEntries((await api.get(`/api/stock/counts/${count.id}/lines`)).items.filter((l) => l.code.startsWith('TX-')).map((l) => [l.code, l.state === 'not_counted' ? '' : l.counted]))
  await until('three lines to be counted', async () => Object.values(await counted()).filter((q) => q !== '').length === 3)
  const got = await counted()
  equal(variants.map((v) => got[v.code]), ['9', '', '10', '0'], 'counted')
  await picture(page, 'count-after-grid-zh')

  const dark = scene.page(await openPage(scene.browser, { viewport: { width: 360, height: 780 }, locale: 'en-US', colorScheme: 'dark' }))
  await signIn(dark, `${server.url}/admin/stock/counts/${count.id}`)
  await pick(dark, dark.getByRole('combobox').first(), variants[0].code)
  await dark.locator('.zg-line button').first().click()
  await cells(dark).first().waitFor()
  await picture(dark, 'count-grid-360-dark')
  check(await dark.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the phone')

  const proofs = await run(['check', '--db', server.db])
  check(proofs.code === 0, `check is red:\n${proofs.out}${proofs.err}`)
}

export async function a_side_of_pork_is_cut_and_taken_back(scene) {
  const { server, api, home } = await shop(scene)
  const product = (code, name) => api.post('/api/goods/products', { code, name, base_unit: 'g', tax_pct: 13 })
  const side = await product('pork', '白条猪')
  const loin = await product('loin', '里脊')
  const belly = await product('belly', '五花肉')
  await api.post('/api/stock/receipts', { site_id: home.id, opening: true, lines: [{ product_id: side.id, qty: '10000', cost_fen: 20000 }] })
  const split = {
    site_id: home.id, shape: 'split', basis: 'weight', lines: [{ product_id: side.id, qty: '10000' }],
    outputs: [{ product_id: loin.id, qty: '3000' }, { product_id: belly.id, qty: '6000' }],
  }
  const refused = await api.post('/api/conversions', split).then(() => undefined, (e) => e.problem.code)
  equal(refused, 'conversion_weight_differs', 'a kilogram that nobody accounts for')
  const page = scene.page(await openPage(scene.browser))
  await signIn(page, `${server.url}/admin/stock/conversions/new?site=${home.id}`)
  await page.getByText('拆分', { exact: true }).click()
  const pickers = page.getByRole('combobox', { name: '商品' })
  const amounts = page.getByRole('textbox', { name: '数量' })
  await pick(page, pickers.nth(0), 'pork')
  await amounts.nth(0).fill('10000')
  await pick(page, pickers.nth(1), 'loin')
  await amounts.nth(1).fill('3000')
  await page.getByRole('button', { name: '加一行' }).first().click()
  await pick(page, pickers.nth(2), 'belly')
  await amounts.nth(2).fill('6000')
  await page.getByRole('button', { name: '差额记为损耗' }).click()
  await page.locator('button[type=submit]').click()
  const refusal = page.getByText(/没有售价，?,?不能按售价分摊/)
  await refusal.waitFor()
  check(await refusal.evaluate((e) => e.getBoundingClientRect().bottom <= innerHeight), 'the refusal stands where nobody looks')
  await picture(page, 'convert-refused-zh')
  await page.locator('.zg-field-s .ant-select').click()
  await page.locator('.ant-select-item-option').filter({ visible: true, hasText: '重量' }).click()
  await picture(page, 'convert-new-zh')
  await page.locator('button[type=submit]').click()
  await page.waitForURL(/conversions\/\d+/)
  const done = page.url().match(/conversions\/(\d+)/)[1]
  const levels = async () => Object.fromEntries((await api.get(`/api/stock/levels?site_id=${home.id}`)).items.filter((l) => ['belly', 'loin', 'pork'].includes(l.code) && Number(l.qty) > 0).map((l) => [l.code, l.qty]).sort())
  equal(await levels(), { belly: '6000', loin: '3000' }, 'stock after the cut')
  await page.getByText('里脊').first().waitFor()
  await picture(page, 'convert-done-zh')
  await api.post(`/api/conversions/${done}/reverse`, { reason: '切错了' })
  equal(await levels(), { pork: '10000' }, 'stock after it was taken back')
  const twice = await api.post(`/api/conversions/${done}/reverse`, { reason: '再来' }).then(() => undefined, (e) => e.status)
  equal(twice, 409, 'taken back twice')
  const proofs = await run(['check', '--db', server.db])
  check(proofs.code === 0, `check is red:\n${proofs.out}${proofs.err}`)
}
