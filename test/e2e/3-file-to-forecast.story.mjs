// The first day of a shopkeeper, without a mouse: sign in, import a sales file with bad rows, correct it, open a
// forecast, sell, take something back, and find the same figures on the page and in the ledger.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { admin, apiAs, check, equal, openPage, picture, run, startServer, until } from './lib.mjs'

const day = 86_400_000
const iso = (t) => new Date(t + 8 * 3_600_000).toISOString().slice(0, 10) // the store is in Shanghai

/** Half a year of two products with a weekly rhythm; `bad` breaks three rows. */
function salesFile(bad) {
  const rows = ['date,store,product,quantity']
  const today = Date.now()
  for (let back = 190; back >= 1; back--) {
    const date = iso(today - back * day)
    const weekday = new Date(`${date}T00:00:00Z`).getUTCDay()
    const wobble = (back * 7919) % 11
    rows.push(`${date},S001,1001,${30 + [18, 0, 2, 1, 4, 9, 20][weekday] + wobble}`)
    rows.push(`${date},S001,2001,${12000 + [6000, 0, 500, 400, 900, 2500, 7000][weekday] + wobble * 150}`)
  }
  if (bad) {
    rows[10] = rows[10].replace(/,[^,]*$/, ',many')
    rows[20] = rows[20].replace(/^\d{4}-\d{2}-\d{2}/, '2026-13-40')
    rows[31] = rows[31].replace(/,(1001|2001),/, ',9999,')
  }
  return `${rows.join('\n')}\n`
}

/** Tab until the thing has the focus: what a keyboard cannot reach fails the story. */
async function tabTo(page, what, most = 120) {
  await until(`${what} that can be used`, () => what.isEnabled())
  for (let i = 0; i < most; i++) {
    if (await what.evaluate((el) => el === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the keyboard does not reach ${what}`)
}
async function press(page, what, key = 'Enter') {
  await tabTo(page, what)
  await page.keyboard.press(key)
}
async function goTo(page, name) {
  await page.keyboard.press('Control+k')
  await page.locator('.zg-finder input').waitFor()
  await page.keyboard.type(name)
  await page.locator('.zg-finder').getByText(name, { exact: true }).first().waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name }).waitFor()
}
/** A table is one stop of the Tab key; the arrows choose its row, Enter opens it. */
async function openRow(page, row, most = 20) {
  await row.waitFor({ timeout: 60_000 })
  await tabTo(page, page.locator('tr[data-row][tabindex="0"]').first())
  for (let i = 0; i < most && !(await row.evaluate((el) => el === document.activeElement)); i++) await page.keyboard.press('ArrowDown')
  check(await row.evaluate((el) => el === document.activeElement), `the arrows do not reach ${row}`)
  await page.keyboard.press('Enter')
}
async function chooseFile(page, button, path) {
  const chooser = page.waitForEvent('filechooser')
  await press(page, button)
  await (await chooser).setFiles(path)
}

export async function from_a_sales_file_to_a_forecast_and_a_sale_by_keyboard_only(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const page = scene.page(await openPage(scene.browser, { viewport: { width: 1440, height: 900 } }))
  const bad = join(server.dir, 'sales-bad.csv')
  const good = join(server.dir, 'sales-good.csv')
  writeFileSync(bad, salesFile(true))
  writeFileSync(good, salesFile(false))

  await page.goto(server.url)
  await page.locator('input[name=name]').waitFor()
  await page.keyboard.type(admin.name)
  await page.keyboard.press('Tab')
  await page.keyboard.type(admin.password)
  await page.keyboard.press('Enter')
  await page.locator('.zg-nav').first().waitFor()
  const api = await apiAs(server.url)
  const site = (await api.get('/api/me')).sites.find((s) => s.code === 'S001').id

  // a file with three bad rows: nothing of it is taken
  await goTo(page, '导入')
  const sales = page.getByRole('radio', { name: /销售历史/ })
  const kinds = page.getByRole('radio', { name: /门店|商品和售价|期初库存|销售历史|天气|节假日/ })
  await tabTo(page, kinds.locator('visible=true').and(page.locator(':checked')))
  for (let i = 0; i < 7 && !(await sales.isChecked()); i++) {
    await page.keyboard.press('ArrowDown')
    // the page follows its address: the next key must not overtake it on a slow machine
    await until('a choice that the page has taken', () => page.evaluate(() => {
      const radio = document.activeElement
      return radio.checked && radio.closest('.zg-card-on') !== null
    }))
  }
  check(await sales.isChecked(), 'the arrows do not choose sales')
  await chooseFile(page, page.getByRole('button', { name: '选择文件' }), bad)
  await picture(page, 'import-map-zh')
  await press(page, page.getByRole('button', { name: '导入', exact: true }))
  await page.getByText('没有导入任何一行').waitFor()
  const refused = page.getByRole('table', { name: '被拒绝的行' })
  await refused.waitFor()
  for (const line of ['11', '21', '32']) await refused.getByRole('cell', { name: line, exact: true }).first().waitFor()
  await picture(page, 'import-refused-zh', { docs: true })
  equal((await api.get(`/api/forecasts?site_id=${site}`)).items.length, 0, 'forecasts before there are sales')

  // corrected: taken whole
  await chooseFile(page, page.getByRole('button', { name: '上传改好的文件' }), good)
  await press(page, page.getByRole('button', { name: '导入', exact: true }))
  await page.getByText('导入完成').waitFor()
  const [imported] = (await api.get('/api/imports?limit=1')).items
  equal([imported.rows_new, imported.rows_refused, imported.state], [380, 0, 'applied'], 'the import')
  await picture(page, 'import-done-zh')

  // a forecast, opened into its parts
  await goTo(page, '预测')
  await press(page, page.getByRole('button', { name: '重新预测' }))
  const row = page.locator('tr[data-row]', { hasText: '矿泉水' })
  await row.waitFor({ timeout: 60_000 })
  await until('the end of the run', async () => (await page.getByText('正在预测').count()) === 0)
  await picture(page, 'products-zh')
  await openRow(page, row)
  await page.getByRole('heading', { level: 1, name: /矿泉水/ }).waitFor()
  const { items } = await api.get(`/api/forecasts?site_id=${site}`)
  const water = items.find((i) => i.code === '1001')
  const forecast = await api.get(`/api/forecasts/${site}/${water.product_id}`)
  equal(forecast.days.length, 14, 'days ahead')
  for (const d of forecast.days) {
    const sum = Object.values(d.parts).reduce((a, b) => a + Math.round(Number(b) * 1000), 0)
    equal(sum, Math.round(Number(d.mean) * 1000), `the parts of ${d.date}, in thousandths`)
  }
  check(forecast.accuracy.wape > 0 && forecast.accuracy.wape < 1, `a measured error, not ${forecast.accuracy.wape}`)
  await picture(page, 'forecast-zh', { docs: true })
  await openRow(page, page.locator('tr[data-row]').nth(2))
  const why = page.getByRole('dialog')
  await why.waitFor()
  const shown = await why.innerText()
  check(shown.includes('平常一天') && shown.includes('星期几'), `the forecast does not open: ${shown}`)
  await picture(page, 'forecast-why-zh', { docs: true })
  await page.keyboard.press('Escape')

  const here = page.url()
  const speak = async (lang) => {
    await page.evaluate((l) => localStorage.setItem('zg.lang', l), lang)
    await page.goto(here)
    await page.locator('.zg-parts').first().waitFor()
  }
  await speak('en')
  await page.getByText('Same weekday last week').first().waitFor()
  await picture(page, 'forecast-en', { docs: true })
  await speak('zh')

  // a sale of 4 × 2.00 and 0.5 × 12.80, of which one bottle comes back
  await page.goto(`${server.url}/till/`)
  await page.locator('.card').first().waitFor()
  const scan = async (code) => {
    await page.keyboard.type(code, { delay: 2 })
    await page.keyboard.press('Enter')
  }
  await scan('4*6900000000014')
  await scan('0.5*2001')
  await until('the total', async () => (await page.locator('.cart-total output:not(.rough)').innerText()) === '¥14.40')
  await page.keyboard.press('F9')
  await page.keyboard.type('20')
  await page.keyboard.press('Enter')
  await page.locator('.result .slip').waitFor()
  await page.keyboard.press('F2')
  await page.locator('.sales-list button').first().waitFor()
  await page.keyboard.press('Enter')
  await press(page, page.getByRole('button', { name: '退货…' }))
  await tabTo(page, page.getByLabel('数量 矿泉水'))
  await page.keyboard.type('1')
  await press(page, page.getByRole('button', { name: '质量问题' }))
  await press(page, page.getByRole('button', { name: '退款' }))
  await page.locator('.strip-row').getByText('已退 ¥2.00').waitFor()

  // the same figures on the page, in the ledger, and proved
  const ledger = await api.get(`/api/sales/day?site_id=${site}`)
  equal([ledger.sales_fen, ledger.refunds_fen, ledger.net_fen, ledger.cash_fen, ledger.agree], [1440, 200, 1240, 1240, true], 'the day in the ledger')
  await page.goto(`${server.url}/admin/`)
  await page.locator('.zg-nav').first().waitFor()
  await goTo(page, '销售')
  const yuan = (fen) => `¥${(fen / 100).toFixed(2)}`
  await page.getByText(yuan(ledger.net_fen)).first().waitFor()
  const open = page.locator('.zg-figure', { hasText: '净销售额' }).getByRole('button')
  await press(page, open)
  const book = page.getByRole('dialog')
  await book.waitFor()
  for (const [word, fen] of [['净销售额', ledger.net_fen], ['商品成本', ledger.cost_fen], ['现金', ledger.cash_fen], ['退款', ledger.refunds_fen]]) {
    const line = book.getByRole('row', { name: new RegExp(`^${word}`) }).last()
    check((await line.innerText()).includes((fen / 100).toFixed(2)), `${word} on the page is not the ledger's ${fen}: ${await line.innerText()}`)
  }
  await picture(page, 'sales-why-zh', { docs: true })
  await page.keyboard.press('Escape')

  await goTo(page, '核对')
  await picture(page, 'checks-zh')
  const proved = await run(['check', '--db', server.db, '--json'])
  equal([proved.code, JSON.parse(proved.out).ok], [0, true], 'check')
}
