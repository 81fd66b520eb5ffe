import { admin, check, equal, openPage, startServer, until } from './lib.mjs'

export async function a_wrong_password_is_refused_and_the_right_one_opens_the_house(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  const page = scene.page(await openPage(scene.browser))
  await page.goto(server.url)
  await page.locator('input[name=name]').waitFor()

  await page.keyboard.type(admin.name)
  await page.keyboard.press('Tab')
  await page.keyboard.type('not the password')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').waitFor()

  await page.keyboard.type(admin.password) // the wrong one is selected and typed over
  await page.keyboard.press('Enter')
  await until('the house behind the door', async () => new URL(page.url()).pathname !== '/')
}

export async function nothing_is_answered_without_sign_in(scene) {
  const server = await startServer()
  scene.also(server, server.stop)
  for (const path of ['/api/me', '/api/org/sites', '/api/till/sales', '/api/goods/products', '/metrics']) {
    const { status } = await fetch(server.url + path)
    check(status === 401 || status === 403 || (path === '/metrics' && status === 200), `${path} answered ${status} to a stranger`) // metrics: loopback may read them
  }
  const version = await (await fetch(`${server.url}/api/version`)).json()
  check(/^[0-9a-f]{40}$|^unknown$/.test(version.commit), `no commit in ${JSON.stringify(version)}`)
  equal((await fetch(`${server.url}/healthz`)).status, 200, 'health')
}
