// A day of the counter: the office confirms what is to be made, the kitchen says on its phone that it is done, and the
// till sells from the batch that is fresh. Costs and quantities are those of the ledger.

import { apiAs, check, equal, openPage, picture, run, signIn, startServer, until } from './lib.mjs'

const day = 86_400_000
const iso = (t) => new Date(t + 8 * 3_600_000).toISOString().slice(0, 10) // the store is in Shanghai
const barcode = '6900000000106'

/** Half a year of buns. */
function salesFile() {
  const rows = ['date,store,product,quantity']
  for (let back = 120; back >= 1; back--) rows.push(`${iso(Date.now() - back * day)},S001,bun,${40 + ((back * 7919) % 9)}`)
  return `${rows.join('\n')}\n`
}

/** A bun of 60 g flour, its price, flour in stock, and half a year of sales; then what today needs is planned. */
async function bakery(server) {
  const api = await apiAs(server.url)
  const site = (await api.get('/api/me')).sites.find((s) => s.code === 'S001').id
  const bun = await api.post('/api/goods/products', { code: 'bun', name: '鲜肉包', base_unit: 'piece', tax_pct: 13, shelf_life_h: 6, units: [{ name: 'piece', num: 1, barcodes: [barcode] }] })
  const flour = await api.post('/api/goods/products', { code: 'flour', name: '面粉', base_unit: 'g', tax_pct: 13 })
  await api.post('/api/prices', { product_id: bun.id, unit: 'piece', price_fen: 350 })
  await api.put(`/api/goods/products/${bun.id}/recipes`, { valid_from: '2020-01-01', yield_qty: '1', components: [{ product_id: flour.id, qty: '60', loss: '0' }] })
  await api.post('/api/stock/receipts', { site_id: site, opening: true, lines: [{ product_id: flour.id, qty: '100000', cost_fen: 50_000, code: 'F1' }] })
  const sent = await api.post('/api/imports?kind=sales&file_name=sales.csv', salesFile(), { 'Content-Type': 'application/octet-stream' })
  const one = () => api.get(`/api/imports/${sent.id}`)
  await until('the file to be read', async () => (await one()).state === 'ready')
  await api.post(`/api/imports/${sent.id}/run`, { mode: 'all' })
  await until('the sales to be in', async () => (await one()).state === 'applied')
  await api.post('/api/forecasts/run', { site_id: site })
  const plan = await until('a plan for today', async () => (await api.get(`/api/plans/today?site_id=${site}`)).plan, 60_000)
  // The next round; late at night nothing is left to sell, and a person asks for buns all the same.
  const round = await until('a round of buns', async () => {
    const { items } = await api.get(`/api/plans/${plan.id}/production?all=true&q=bun`)
    return items.find((r) => Date.parse(r.ready_at) > Date.now()) ?? items.at(-1)
  })
  await api.post(`/api/plans/${plan.id}/lines/${round.id}/change`, { qty: '37', reason: '夜市' })
  return { api, site, plan, round }
}

export async function a_plan_is_changed_made_on_the_phone_and_sold_from_the_fresh_batch(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const { api, site, plan, round } = await bakery(server)

  // The office opens the line, sees why, and decides for twenty-three.
  const office = scene.page(await openPage(scene.browser, { viewport: { width: 1440, height: 900 } }))
  await signIn(office, `${server.url}/admin/day?site=${site}`)
  const row = office.locator('tr[data-row]', { hasText: '鲜肉包' }).filter({ hasText: '37' }).first() // a number that no clock and no forecast of this shop shows
  await row.waitFor()
  await row.click()
  const why = office.getByRole('dialog')
  await why.getByText('建议做').waitFor()
  await picture(office, 'plan-why-zh', { docs: true })
  await why.getByRole('button', { name: '改数量' }).click()
  await why.getByLabel(/改为/).fill('23')
  await why.getByLabel('为什么改').fill('学校活动')
  await why.getByRole('button', { name: '按这个数量' }).click()
  await until('twenty-three buns in the plan', async () => (await api.get(`/api/plans/${plan.id}/lines/${round.id}`)).production.make === '23')

  // The kitchen makes them: one tap takes the materials, makes the task and books the batch.
  const phone = scene.page(await openPage(scene.browser, { viewport: { width: 360, height: 740 } }))
  await signIn(phone, `${server.url}/staff/kitchen?site=${site}`)
  const card = phone.getByRole('article', { name: '鲜肉包' }).filter({ hasText: '做 23' }).first()
  await card.waitFor()
  await picture(phone, 'kitchen-phone-zh', { docs: true })
  await card.getByRole('button', { name: /做好了 23/ }).click()
  const [task] = await until('the batch to be booked', async () => {
    const { items } = await api.get(`/api/making/tasks?site_id=${site}&state=done`)
    return items.length > 0 && items
  })
  equal([task.planned, task.output.qty, task.cost_fen, task.output.cost_fen], ['23', '23', 690, 690], 'what was made and what it cost') // 23 × 60 g at 50000 fen for 100 kg
  await until('the card to be gone', async () => (await card.count()) === 0)

  // The till sells two of them at the full price.
  const till = scene.page(await openPage(scene.browser, { viewport: { width: 1024, height: 768 } }))
  await signIn(till, `${server.url}/till/`)
  await till.locator('.card').first().waitFor()
  await till.keyboard.type(`2*${barcode}`, { delay: 2 })
  await till.keyboard.press('Enter')
  await until('a total of ¥7.00', async () => (await till.locator('.cart-total output').innerText()) === '¥7.00')
  const batch = task.output.batch_id
  equal((await api.get(`/api/stock/batches/${batch}`)).qty, '23', 'buns before the sale')
  await till.keyboard.press('F9')
  await till.keyboard.type('10')
  await till.keyboard.press('Enter')
  await till.locator('.result .slip').waitFor()
  await until('twenty-one buns to be left', async () => (await api.get(`/api/stock/batches/${batch}`)).qty === '21')

  // From the flour to the slip, and back.
  const trace = await api.get(`/api/trace/batches/${task.issues[0].batch_id}?direction=forward`)
  equal([trace.steps.length, trace.steps[0].other.batch_id, trace.sales.length, trace.sales[0].qty], [1, batch, 1, '2'], 'what became of the flour')
  await office.goto(`${server.url}/admin/trace?batch=${batch}&dir=back`)
  await office.getByRole('treeitem').getByText('面粉').first().waitFor()
  await picture(office, 'trace-zh', { docs: true })

  const proofs = await run(['check', '--db', server.db])
  check(proofs.code === 0, `check is red:\n${proofs.out}${proofs.err}`)
}

export async function a_service_level_is_tried_with_the_keyboard_and_set_with_a_reason(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const { api, site } = await bakery(server)
  const office = scene.page(await openPage(scene.browser, { viewport: { width: 1440, height: 900 } }))
  await signIn(office, `${server.url}/admin/day/service?site=${site}`)
  const slider = office.getByRole('slider')
  await slider.waitFor()
  equal(await slider.getAttribute('aria-valuenow'), '90', 'where the slider begins')
  await slider.press('ArrowLeft')
  await slider.press('ArrowLeft')
  await until('80 % in the address', () => office.url().includes('level=80'))
  const tomorrow = iso(Date.parse(`${(await api.get(`/api/plans/today?site_id=${site}`)).date}T00:00:00Z`) + day)
  const would = await api.get(`/api/plans/whatif?site_id=${site}&date=${tomorrow}&level_bp=8000`)
  check(would.then.goods_fen >= would.now.goods_fen && would.then.out_ppm <= would.now.out_ppm, 'more service is not less made and runs out no more')
  await office.getByLabel('原因').fill('早上总是卖空')
  await office.getByRole('button', { name: /设为 80/ }).click()
  await until('the level to be kept', async () => (await api.get(`/api/plans/service?site_id=${site}`)).items.some((l) => l.level_bp === 8000 && l.reason === '早上总是卖空'))
  await office.getByText('早上总是卖空').first().waitFor()
  await picture(office, 'service-level-zh')
}
