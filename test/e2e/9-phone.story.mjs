// Two people count one list on their phones with a scanner, differ, and count again; the office approves what is missing. Goods are
// turned into others on the phone: one into another, one into several with a loss, several with their wrapping into packs.

import { apiAs, check, equal, openPage, picture, run, signIn, startServer, until } from './lib.mjs'

const bottle = '6900000000311'
const box = '6900000000328'
const crisps = '6900000000335'
const phone = { viewport: { width: 360, height: 740 } }

async function shop(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const api = await apiAs(server.url)
  const site = (await api.get('/api/me')).sites.find((s) => s.code === 'S001').id
  const goods = (code, name, base_unit, units) => api.post('/api/goods/products', { code, name, base_unit, tax_pct: 13, ...(units ? { units } : {}) })
  const bring = (lines) => api.post('/api/stock/receipts', { site_id: site, opening: true, lines })
  const levels = async (...codes) => Object.fromEntries((await api.get(`/api/stock/levels?site_id=${site}&limit=100`)).items.filter((l) => codes.includes(l.code)).map((l) => [l.code, l.qty]))
  const green = async () => {
    const proofs = await run(['check', '--db', server.db])
    check(proofs.code === 0, `check is red:\n${proofs.out}${proofs.err}`)
  }
  return { server, api, site, goods, bring, levels, green }
}

/** As a scanner types: the code and Enter. */
async function scan(page, code) {
  await page.getByPlaceholder('扫码枪扫入，或输入号码').fill(code)
  await page.keyboard.press('Enter')
}

export async function two_people_count_one_list_and_the_office_approves(scene) {
  const { server, api, site, goods, bring, levels, green } = await shop(scene)
  const cola = await goods('cola', '可乐', 'piece', [{ name: '瓶', num: 1, barcodes: [bottle] }, { name: '箱', num: 24, barcodes: [box] }])
  const chips = await goods('chips', '薯片原味', 'piece', [{ name: '袋', num: 1, barcodes: [crisps] }])
  await goods('chips2', '薯片番茄', 'piece')
  await bring([{ product_id: cola.id, qty: '60', cost_fen: 18_000 }, { product_id: chips.id, qty: '20', cost_fen: 10_000 }])
  const role = await api.post('/api/org/roles', { name: '盘点员', permissions: ['goods.read', 'stock.read', 'stock.count'] })
  const person = async (name, display_name) => {
    const who = { name, password: 'count-Mondkuchen-7' }
    const made = await api.post('/api/org/staff', { ...who, display_name, site_id: site })
    await api.put(`/api/org/staff/${made.id}/grants`, [{ role_id: role.id, scope_kind: 'site', scope_id: site }])
    return who
  }
  const people = [await person('xiaoli', '小李'), await person('xiaowang', '小王')]
  const count = await api.post('/api/stock/counts', { site_id: site, product_ids: [cola.id, chips.id], limit_fen: 500, blind: true, note: '月底盘点' })
  const line = async (code) => (await api.get(`/api/stock/counts/${count.id}/lines`)).items.find((l) => l.code === code)

  const [li, wang] = [scene.page(await openPage(scene.browser, phone)), scene.page(await openPage(scene.browser, phone))]
  await Promise.all([signIn(li, `${server.url}/staff/count/${count.id}`, people[0]), signIn(wang, `${server.url}/staff/count/${count.id}`, people[1])])
  await Promise.all([li, wang].map((p) => p.getByText('还没盘的').waitFor()))
  await picture(li, 'count-phone-zh')

  // A box is counted in boxes; what is on the shelf besides, in bottles, by somebody else.
  const amount = (p) => p.getByRole('textbox', { name: '有多少' })
  await scan(li, box)
  await amount(li).waitFor()
  await li.locator('.ant-select').getByText('箱').waitFor()
  await picture(li, 'count-phone-box-zh')
  await li.keyboard.type('2')
  await li.keyboard.press('Enter')
  await until('48 bottles to be counted', async () => (await line('cola')).counted === '48')
  await scan(wang, bottle)
  await amount(wang).waitFor()
  await wang.keyboard.type('58')
  await wang.keyboard.press('Enter')
  await wang.getByText(/和别人盘的不一样，要复盘/).waitFor()
  equal((await line('cola')).state, 'count_again', 'the cola')

  // Words that fit two products name none of them; a code that nobody knows counts nothing.
  await scan(wang, '薯片')
  await wang.getByText('是哪一种？').waitFor()
  await picture(wang, 'count-phone-which-zh')
  await scan(wang, '6900000000991')
  await wang.getByText('没有找到 6900000000991').waitFor()
  await scan(wang, crisps)
  await amount(wang).waitFor()
  await wang.keyboard.type('18')
  await wang.keyboard.press('Enter')
  await until('18 bags to be counted', async () => (await line('chips')).counted === '18')

  // It stands on 小李's phone as to be counted again; he goes and looks, and both agree.
  await li.reload()
  await li.getByText('要复盘的').waitFor()
  await picture(li, 'count-phone-again-zh')
  await li.getByRole('button', { name: '盘这个' }).click()
  await amount(li).fill('58')
  await li.keyboard.press('Enter')
  await until('the cola to be agreed on', async () => (await line('cola')).state === 'counted')

  // Two bottles and two bags are missing, each worth more than anybody may decide for himself.
  const mine = await apiAs(server.url, people[0])
  equal(await mine.post(`/api/stock/counts/${count.id}/approve`, { lines: [1] }).then(() => 200, (e) => e.status), 403, 'who counts approves')
  const office = scene.page(await openPage(scene.browser))
  await signIn(office, `${server.url}/admin/stock/counts/${count.id}`)
  await office.getByRole('button', { name: '结束清点' }).click()
  await office.getByText(/有 2 行差异超过审批线/).waitFor()
  await picture(office, 'count-review-zh')
  for (const left of [1, 0]) {
    await office.getByRole('button', { name: '同意差异' }).first().click()
    await until(`${left} differences to be left`, async () => (await office.getByRole('button', { name: '同意差异' }).count()) === left)
  }
  await office.getByRole('button', { name: '过账', exact: true }).click()
  await until('the books to follow', async () => (await api.get(`/api/stock/counts/${count.id}`)).state === 'posted')
  equal(await levels('cola', 'chips'), { chips: '18', cola: '58' }, 'stock after the count')
  await green()
}

export async function goods_become_others_on_the_phone(scene) {
  const { server, api, site, goods, bring, levels, green } = await shop(scene)
  const egg = await goods('egg', '鸡蛋', 'piece', [{ name: '个', num: 1 }, { name: '盒', num: 30, barcodes: [box] }])
  await goods('salted', '咸蛋', 'piece', [{ name: '个', num: 1, barcodes: [bottle] }])
  const hen = await goods('hen', '三黄鸡', 'g')
  await goods('leg', '鸡腿', 'g')
  await goods('breast', '鸡脯', 'g')
  const rice = await goods('rice', '东北大米', 'g')
  const sack = await goods('sack', '空米袋', 'piece')
  await goods('rice2', '大米两公斤装', 'piece')
  await bring([{ product_id: egg.id, qty: '90', cost_fen: 9_000 }, { product_id: hen.id, qty: '2000', cost_fen: 4_000, code: 'HEN-1' }, { product_id: rice.id, qty: '50000', cost_fen: 30_000 }, { product_id: sack.id, qty: '100', cost_fen: 2_000 }])
  const page = scene.page(await openPage(scene.browser, phone))
  await signIn(page, `${server.url}/staff/convert?site=${site}`)
  const amount = (name) => page.getByRole('textbox', { name: `数量 ${name}` })
  const next = () => page.getByRole('button', { name: '下一步：变成什么' }).click()
  const post = async (name) => {
    await picture(page, `convert-phone-${name}-zh`, { fullPage: true })
    check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the phone')
    await page.getByRole('button', { name: '过账' }).click()
    await page.getByText(/^已过账/).waitFor()
  }

  // A box of eggs is salted: the barcode of the box asks for boxes.
  await scan(page, box)
  await amount('鸡蛋').fill('1')
  await page.locator('.ant-select').getByText('盒').waitFor()
  await next()
  await scan(page, bottle)
  await amount('咸蛋').fill('30')
  await post('eggs')
  equal(await levels('egg', 'salted'), { egg: '60', salted: '30' }, 'eggs')
  await page.getByRole('button', { name: '再做一个' }).click()

  // A hen by its batch is cut; what is in neither is trimmed off.
  await page.getByRole('button', { name: '拆分' }).click()
  await scan(page, 'HEN-1')
  await until('the whole batch to be meant', async () => (await amount('三黄鸡').inputValue()) === '2000')
  await next()
  for (const [name, qty] of [['鸡腿', '700'], ['鸡脯', '1000']]) {
    await scan(page, name)
    await amount(name).fill(qty)
  }
  await page.getByRole('button', { name: '按重量' }).click()
  await page.getByText(/还差 300/).waitFor()
  await post('hen')
  equal(await levels('hen', 'leg', 'breast'), { breast: '1000', hen: '0', leg: '700' }, 'the hen')
  await page.getByRole('button', { name: '再做一个' }).click()

  // Rice goes into sacks of two kilograms.
  await page.getByRole('button', { name: '分装' }).click()
  await scan(page, '东北大米')
  await amount('东北大米').fill('20000')
  await scan(page, 'sack')
  await amount('空米袋').fill('10')
  await next()
  await scan(page, 'rice2')
  await amount('大米两公斤装').fill('10')
  await post('rice')
  equal(await levels('rice', 'sack', 'rice2'), { rice: '30000', rice2: '10', sack: '90' }, 'rice')
  equal((await api.get(`/api/conversions?site_id=${site}`)).items.length, 3, 'conversions')
  await green()
}
