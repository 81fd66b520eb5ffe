// A shelf with yesterday's buns and today's: the office confirms the plan, the kitchen makes, the till sells the fresh
// ones at the full price and the old ones for less, and the board on the wall moves while one looks at it.

import { apiAs, check, equal, openPage, picture, run, signIn, startServer, until } from './lib.mjs'

const hour = 3_600_000
const day = 24 * hour
const iso = (t) => new Date(t + 8 * hour).toISOString().slice(0, 10) // the store is in Shanghai
const barcode = '6900000000106'

/** Buns with a recipe, a price and a past, planned for today; two hundred old ones end in three hours. */
async function bakery(server) {
  const api = await apiAs(server.url)
  const site = (await api.get('/api/me')).sites.find((s) => s.code === 'S001').id
  const bun = await api.post('/api/goods/products', { code: 'bun', name: '鲜肉包', base_unit: 'piece', tax_pct: 13, shelf_life_h: 24, units: [{ name: 'piece', num: 1, barcodes: [barcode] }] })
  const flour = await api.post('/api/goods/products', { code: 'flour', name: '面粉', base_unit: 'g', tax_pct: 13 })
  await api.post('/api/prices', { product_id: bun.id, unit: 'piece', price_fen: 400 })
  await api.put(`/api/goods/products/${bun.id}/recipes`, { valid_from: '2020-01-01', yield_qty: '1', components: [{ product_id: flour.id, qty: '60', loss: '0' }] })
  await api.post('/api/stock/receipts', { site_id: site, opening: true, lines: [{ product_id: flour.id, qty: '100000', cost_fen: 50_000, code: 'F1' }] })
  let rows = 'date,store,product,quantity\n'
  for (let back = 120; back >= 1; back--) rows += `${iso(Date.now() - back * day)},S001,bun,${40 + ((back * 7919) % 9)}\n`
  const sent = await api.post('/api/imports?kind=sales&file_name=sales.csv', rows, { 'Content-Type': 'application/octet-stream' })
  const one = () => api.get(`/api/imports/${sent.id}`)
  await until('the file to be read', async () => (await one()).state === 'ready')
  await api.post(`/api/imports/${sent.id}/run`, { mode: 'all' })
  await until('the sales to be in', async () => (await one()).state === 'applied')
  await api.post('/api/forecasts/run', { site_id: site })
  const plan = await until('a plan for today', async () => (await api.get(`/api/plans/today?site_id=${site}`)).plan, 60_000)
  const round = await until('a round of buns', async () => (await api.get(`/api/plans/${plan.id}/production?all=true&q=bun`)).items.at(-1))
  // whatever the time of day says, there is something to make
  await api.post(`/api/plans/${plan.id}/lines/${round.id}/change`, { qty: '10', reason: '夜市' })
  // no batch waits a step to learn from it
  await api.put('/api/clear/rules', { category_id: '', first_min: 360, free_min: 120, depths: [15, 20, 25, 30], floor_pct: 0, floor_binds_free: false, screen_pct: 65, hold_out_pct: 0 })
  const old = await api.post('/api/stock/receipts', { site_id: site, opening: true, lines: [{ product_id: bun.id, qty: '200', cost_fen: 20_000, code: 'B-0713', expires_at: new Date(Date.now() + 3 * hour).toISOString() }] })
  return { api, site, plan, round, old: old.lines[0].batch_id }
}

export async function what_nears_its_end_sells_for_less_and_the_board_moves(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const { api, site, plan, round, old } = await bakery(server)

  // The plan is decided in the office and made on the phone of the kitchen.
  const office = scene.page(await openPage(scene.browser, { viewport: { width: 1440, height: 900 } }))
  await signIn(office, `${server.url}/admin/day?site=${site}`)
  const planned = office.locator('tr[data-row]', { hasText: '鲜肉包' }).filter({ hasText: '10' }).first()
  await planned.waitFor()
  await planned.click()
  const why = office.getByRole('dialog')
  await why.getByRole('button', { name: '改数量' }).click()
  await why.getByLabel(/改为/).fill('12')
  await why.getByLabel('为什么改').fill('夜市')
  await why.getByRole('button', { name: '按这个数量' }).click()
  await until('twelve buns in the plan', async () => (await api.get(`/api/plans/${plan.id}/lines/${round.id}`)).production.make === '12')
  const phone = scene.page(await openPage(scene.browser, { viewport: { width: 360, height: 740 } }))
  await signIn(phone, `${server.url}/staff/?site=${site}`)
  await phone.getByRole('button', { name: '上班打卡' }).click()
  await phone.getByRole('button', { name: /下班打卡/ }).waitFor()
  await picture(phone, 'tasks-phone-zh')
  await phone.goto(`${server.url}/staff/kitchen?site=${site}`)
  const card = phone.getByRole('article', { name: '鲜肉包' }).filter({ hasText: '做 12' }).first()
  await card.getByRole('button', { name: /做好了 12/ }).click()
  const [task] = await until('the batch to be booked', async () => {
    const { items } = await api.get(`/api/making/tasks?site_id=${site}&state=done`)
    return items.length > 0 && items
  })
  const fresh = task.output.batch_id
  const left = async (batch) => (await api.get(`/api/stock/batches/${batch}`)).qty

  // The board hangs on the wall before anything is sold.
  const wall = scene.page(await openPage(scene.browser, { viewport: { width: 1920, height: 1080 } }))
  await signIn(wall, `${server.url}/board/`)
  const sold = wall.locator('.bd-facts div', { hasText: '客单数' }).locator('dd').first()
  await sold.waitFor()
  equal(await sold.innerText(), '0', 'slips before the first sale')

  // What ends in three hours is marked down by the job.
  await api.post('/api/clear/run', { site_id: site })
  const [reduced] = await until('a markdown', async () => {
    const { items } = await api.get(`/api/till/reduced?site_id=${site}`)
    return items.length > 0 && items
  })
  equal([reduced.batch_id, reduced.list_fen, reduced.price_fen < 400, reduced.free_one], [old, 400, true, false], 'what is marked down')
  await office.goto(`${server.url}/admin/clearance?site=${site}`)
  await office.getByRole('table').getByText('鲜肉包').first().waitFor()
  await picture(office, 'clear-zh', { docs: true })

  // From the shelf: a fresh one at the full price.
  const till = scene.page(await openPage(scene.browser, { viewport: { width: 1024, height: 768 } }))
  await signIn(till, `${server.url}/till/`)
  await till.locator('.card').first().waitFor()
  equal(await till.locator('.till').evaluate((e) => e.getBoundingClientRect().height), 768, 'height of the till on a screen of 768')
  const total = till.locator('.cart-total output')
  const cash = async (yuan) => {
    await until(`a total of ${yuan}`, async () => (await total.innerText()) === `¥${yuan}`)
    await till.keyboard.press('F9')
    await till.keyboard.type('10')
    await till.keyboard.press('Enter')
    await till.locator('.result .slip').waitFor()
  }
  await till.keyboard.type(barcode, { delay: 2 })
  await till.keyboard.press('Enter')
  await cash('4.00')
  const paid = Date.now()
  await until('the board to show the sale', async () => (await sold.innerText()) === '1', 5_000)
  console.log(`      the board moved ${Date.now() - paid} ms after the slip`)
  equal([await left(fresh), await left(old)], ['11', '200'], 'left of the fresh and the old after a sale from the shelf')

  // By its own button: an old one for less.
  await till.keyboard.press('Enter')
  await till.getByRole('button', { name: /^临期特价/ }).click()
  await till.locator('.card', { hasText: '鲜肉包' }).first().click()
  const price = (reduced.price_fen / 100).toFixed(2)
  await until(`a total of ${price}`, async () => (await total.innerText()) === `¥${price}`)
  await picture(till, 'till-reduced-zh', { docs: true })
  await cash(price)
  await until('the board to show the second sale', async () => (await sold.innerText()) === '2', 5_000)
  equal([await left(fresh), await left(old)], ['11', '199'], 'left of the fresh and the old after a sale of the old')

  // By its label: the scanner types what stands on the old goods, thirteen digits that begin with 29, and Enter.
  check(/^29\d{11}$/.test(reduced.label), `the label of the old goods is ${reduced.label}`)
  await phone.goto(`${server.url}/staff/tray?site=${site}`)
  const row = phone.locator('.tr-row', { hasText: '鲜肉包' })
  await row.first().waitFor()
  await phone.getByRole('textbox').fill(reduced.label)
  await phone.keyboard.press('Enter')
  await phone.getByText('只看 鲜肉包').waitFor()
  equal(await row.count(), 1, 'rows of the tray after its label was scanned')
  await row.getByRole('button', { name: '标签' }).click()
  await row.getByRole('img', { name: reduced.label }).waitFor()
  await picture(phone, 'tray-phone-zh', { docs: true })
  await till.keyboard.press('Enter')
  await until('an empty cart', async () => (await total.innerText()) === '¥0.00')
  await till.keyboard.type(reduced.label, { delay: 2 })
  await till.keyboard.press('Enter')
  await cash(price)
  await until('the board to show the third sale', async () => (await sold.innerText()) === '3', 5_000)
  equal([await left(fresh), await left(old)], ['11', '198'], 'left of the fresh and the old after its label was scanned')
  const slip = (await api.get(`/api/till/sales?site_id=${site}&limit=1`)).items[0]
  equal([slip.total_fen, (await api.get(`/api/till/sales/${slip.id}`)).lines.map((l) => l.amount_fen)], [reduced.price_fen, [reduced.price_fen]], 'the slip of what was scanned')
  const today = await api.get(`/api/report/board?site_id=${site}`)
  equal(today.total.net_fen, 400 + 2 * reduced.price_fen, 'sales of the day on the board')
  await picture(wall, 'board-moved-zh')

  const proofs = await run(['check', '--db', server.db])
  check(proofs.code === 0, `check is red:\n${proofs.out}${proofs.err}`)
}
