// The office receives a style against its order by the grid: less than ordered, then more. A freight bill comes later, a part
// goes back to its supplier, and the receipt is printed.

import { apiAs, check, equal, openPage, picture, run, signIn, startServer, until } from './lib.mjs'

/** 白 M, 白 L, 黑 M, 黑 L at ¥20.00 apiece, forty of each ordered and the order confirmed. */
async function ordered() {
  const server = await startServer()
  const api = await apiAs(server.url)
  const site = (await api.get('/api/me')).sites.find((s) => s.code === 'S001').id
  const style = await api.post('/api/goods/styles', {
    code: 'TX', name: '纯棉T恤', base_unit: 'piece', tax_pct: 13,
    axes: [{ name: '颜色', values: [{ name: '白', code: 'W' }, { name: '黑', code: 'B' }] }, { name: '尺码', values: [{ name: 'M', code: 'M' }, { name: 'L', code: 'L' }] }],
  })
  const { variants } = (await api.post(`/api/goods/styles/${style.id}/combinations`, { all: true })).style
  const supplier = await api.post('/api/suppliers', { code: 'MF', name: '明飞服饰' })
  for (const v of variants) await api.put(`/api/suppliers/${supplier.id}/terms/${v.product_id}`, { pack_qty: '1', price_fen4: 20_000_000, lead_class: 'ambient' })
  const due = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
  const order = await api.post('/api/purchase/orders', { site_id: site, supplier_id: supplier.id, due, lines: variants.map((v) => ({ product_id: v.product_id, packs: 40 })) })
  await api.post(`/api/purchase/orders/${order.id}/confirm`)
  return { server, api, site, variants, order }
}

/** Fills the grid of a style, row by row, from its first place. */
async function grid(page, rows) {
  await page.getByRole('button', { name: '填数量表' }).first().click()
  const cells = page.getByRole('dialog').getByRole('textbox')
  for (const [r, row] of rows.entries()) {
    for (const [c, qty] of row.entries()) {
      const cell = cells.nth(r * row.length + c)
      await cell.fill(qty)
    }
  }
  return page.getByRole('button', { name: '用这些数量' })
}

export async function an_order_comes_by_the_grid_short_and_then_over(scene) {
  const { server, api, site, variants, order } = await ordered()
  scene.also(server, server.stop)
  const page = scene.page(await openPage(scene.browser))
  const levels = async () => {
    const of = Object.fromEntries((await api.get(`/api/stock/levels?site_id=${site}&limit=100`)).items.map((l) => [l.product_id, l.qty]))
    return variants.map((v) => of[v.product_id] ?? '0')
  }

  // It is expected; it is opened from there. Thirty-eight of 白 M came, none of 黑 L.
  await signIn(page, `${server.url}/admin/stock/receipts?site=${site}`)
  await page.getByText('等着收的').waitFor()
  await page.getByRole('row', { name: /明飞服饰/ }).first().waitFor()
  await picture(page, 'receipts-expected-zh')
  await page.getByRole('link', { name: '收货', exact: true }).last().click()
  await page.getByText('还要收 40').first().waitFor()
  const take = await grid(page, [['38', '40'], ['40', '']])
  await picture(page, 'receive-grid-zh')
  await take.click()
  await until('the quantities to be taken over', async () => (await page.getByRole('textbox', { name: /^数量/ }).first().inputValue()) === '38')
  equal((await api.get(`/api/receipts?site_id=${site}`)).items, [], 'receipts while nobody has said that it is one')
  await page.getByText('少 2').waitFor()
  await page.getByText('少 40').waitFor()
  await page.getByLabel('对方单号').fill('SH-20261129')
  await picture(page, 'receive-against-zh')
  await page.getByRole('button', { name: '收货入库' }).click()
  await page.waitForURL(/receipts\/\d+$/)
  const first = page.url().match(/receipts\/(\d+)/)[1]
  const by = async () => Object.fromEntries((await api.get(`/api/receipts/${first}`)).items.map((l) => [l.product_id, l.qty]))
  const matrix = (of) => variants.map((v) => of[v.product_id] ?? '')
  const short = matrix(await by())
  equal([...short].sort(), ['', '38', '40', '40'], 'what came')
  const one = await api.get(`/api/receipts/${first}`)
  equal([one.value_fen, one.order_id, one.ref, one.state], [236_000, order.id, 'SH-20261129', 'received'], 'the receipt')
  equal(await levels(), short.map((q) => q || '0'), 'stock after the first van')
  equal((await api.get(`/api/purchase/orders/${order.id}`)).state, 'part_received', 'the order')

  // The rest comes with three too many of one: two may be kept, not three.
  await page.goto(`${server.url}/admin/stock/receipts/new?site=${site}&order=${order.id}`)
  await page.getByRole('textbox', { name: /^数量/ }).first().waitFor()
  const rest = page.getByRole('textbox', { name: /^数量/ })
  equal([(await rest.count()), await rest.nth(0).inputValue(), await rest.nth(1).inputValue()], [2, '2', '40'], 'what is filled in')
  await rest.nth(1).fill('43')
  await page.getByText('多 3').waitFor()
  await page.getByRole('button', { name: '收货入库' }).click()
  await page.getByText(/最多还能收 42/).first().waitFor()
  await picture(page, 'receive-over-zh')
  await rest.nth(1).fill('42')
  await page.getByRole('button', { name: '收货入库' }).click()
  await page.waitForURL((u) => /receipts\/\d+$/.test(u.pathname))
  const second = page.url().match(/receipts\/(\d+)/)[1]
  equal((await api.get(`/api/receipts/${second}`)).value_fen, 88_000, 'what the second van brought')
  equal((await api.get(`/api/purchase/orders/${order.id}`)).state, 'received', 'the order after the second van')

  const proofs = await run(['check', '--db', server.db])
  check(proofs.code === 0, `check is red:\n${proofs.out}${proofs.err}`)
}

export async function a_receipt_costs_more_later_goes_back_in_part_and_is_printed(scene) {
  const { server, api, site, order } = await ordered()
  scene.also(server, server.stop)
  const came = await api.post(`/api/purchase/orders/${order.id}/receipts`, { ref: 'SH-20261129', lines: [{ line: 1, qty: '38' }, { line: 2, qty: '40' }, { line: 3, qty: '40' }] })
  const first = came.id
  const page = scene.page(await openPage(scene.browser))

  // Freight of ¥118.00 over the first receipt, by count: a yuan for each shirt.
  await signIn(page, `${server.url}/admin/stock/receipts/${first}`)
  await page.getByRole('button', { name: '加费用' }).click()
  await page.getByLabel('费用金额').fill('118')
  await page.getByLabel('按什么摊').click()
  await page.locator('.ant-select-item-option').filter({ visible: true, hasText: '数量' }).click()
  await page.getByRole('button', { name: '摊到批次' }).click()
  await page.getByText('已摊完').waitFor()
  const landed = await api.get(`/api/receipts/${first}`)
  equal([landed.landed_fen, landed.items.map((l) => l.landed_fen - Number(l.qty) * 100)], [11_800, [0, 0, 0]], 'the freight')

  // Three of a batch go back, at the price they came in for.
  const batch = landed.items[0]
  await page.goto(`${server.url}/admin/stock/batches/${batch.batch_id}`)
  await page.getByRole('button', { name: '退供应商' }).click()
  const form = page.getByRole('form', { name: '退供应商' })
  await form.getByLabel('数量').fill('41')
  await form.getByRole('button', { name: '退货' }).click()
  await page.getByRole('dialog').getByRole('button', { name: '退货' }).click()
  await form.getByText(/只剩 38/).waitFor()
  await picture(page, 'return-too-much-zh')
  await form.getByLabel('数量').fill('3')
  await form.getByRole('button', { name: '退货' }).click()
  await page.getByRole('dialog').getByRole('button', { name: '退货' }).click()
  await page.getByText('已退，供应商应退 ¥60.00').waitFor()

  // The receipt tells all of it, on the screen and on paper.
  await page.goto(`${server.url}/admin/stock/receipts/${first}`)
  await page.getByText('退了一部分').first().waitFor()
  await page.getByText(/退了货，供应商应退 ¥60.00/).locator('visible=true').first().waitFor()
  await page.getByText(/摊了费用，¥118.00/).locator('visible=true').first().waitFor()
  await picture(page, 'receipt-zh', { fullPage: true })
  await page.emulateMedia({ media: 'print' })
  check(await page.locator('.zg-paper > header').isVisible() && await page.locator('.zg-paper footer').first().isVisible(), 'the paper has no head or no foot')
  check(!(await page.getByRole('button', { name: '打印' }).isVisible()) && !(await page.locator('nav').first().isVisible()), 'buttons or menus are on the paper')
  await picture(page, 'receipt-paper-zh', { fullPage: true })
  const pdf = await page.pdf({ format: 'A4' })
  check(pdf.subarray(0, 5).toString() === '%PDF-' && /Noto|CJK|Identity-H/.test(pdf.toString('latin1')), 'the PDF has no Chinese font')
  await page.emulateMedia({ media: 'screen' })

  // Found again by the supplier's number.
  await page.goto(`${server.url}/admin/stock/receipts?site=${site}&q=SH-2026`)
  await page.getByRole('row', { name: /退了一部分/ }).waitFor()
  await picture(page, 'receipts-zh')

  const proofs = await run(['check', '--db', server.db])
  check(proofs.code === 0, `check is red:\n${proofs.out}${proofs.err}`)
}
