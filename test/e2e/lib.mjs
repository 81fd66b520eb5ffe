// What every browser story needs: a server of its own on a free port with its own database, a browser, and words to
// speak in. A server is ended by its own process id; nothing else on the machine is touched.

import { spawn } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
export const root = join(here, '..', '..')
export const out = join(here, 'out')
export const binary = join(root, 'bin', 'zhanggui')
const { chromium } = createRequire(join(root, 'web', 'package.json'))('playwright-core')

export const admin = { name: 'admin', password: 'e2e-Mondkuchen-2026' }

export async function freePort() {
  const server = createServer()
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  await new Promise((done) => server.close(done))
  return port
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** Asks again until the answer is truthy; stories wait for what they mean, never for a time. */
export async function until(what, ask, ms = 20_000) {
  const end = Date.now() + ms
  let last
  for (;;) {
    try {
      last = await ask()
      if (last) return last
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}; last: ${last?.stack ?? JSON.stringify(last)}`)
    await pause(60)
  }
}

/** Runs the binary to its end: {code, out, err}. */
export function run(args, options = {}) {
  return new Promise((done, failed) => {
    const child = spawn(binary, args, { cwd: options.cwd ?? root, env: { ...process.env, ...options.env } })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (b) => (stdout += b))
    child.stderr.on('data', (b) => (stderr += b))
    child.on('error', failed)
    child.on('close', (code) => done({ code, out: stdout, err: stderr }))
  })
}

/** A server with an empty database, and the folder that holds it. */
export async function startServer(options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'zhanggui-e2e-'))
  const db = `sqlite:${join(dir, 'shop.db')}`
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let log = ''
  const child = spawn(binary, ['serve', '--db', db, '--addr', `127.0.0.1:${port}`, ...(options.args ?? [])], {
    cwd: dir,
    env: { ...process.env, ZHANGGUI_ADMIN_PASSWORD: admin.password, ...options.env },
  })
  let ended
  const end = new Promise((done) => child.on('close', (code) => { ended = code ?? -1; done(ended) }))
  child.stdout.on('data', (b) => (log += b))
  child.stderr.on('data', (b) => (log += b))
  const stop = async () => {
    if (ended === undefined) {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 8_000)
      await end
      clearTimeout(late)
    }
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await until('the server', async () => {
      if (ended !== undefined) throw new Error(`the server ended with ${ended}:\n${log}`)
      return (await fetch(`${url}/readyz`)).ok
    })
  } catch (error) {
    await stop()
    throw new Error(`${error.message}\n${log}`)
  }
  return { url, db, dir, stop, log: () => log }
}

export async function openBrowser() {
  if (!process.env.CHROMIUM) throw new Error('CHROMIUM is not set: run `make e2e`')
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--force-color-profile=srgb', '--font-render-hinting=none'],
  })
}

/** The API as a program would use it, signed in by cookie. */
export async function apiAs(url, who = admin) {
  let cookie = ''
  let n = 0
  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        'Accept-Language': 'en',
        ...(cookie ? { Cookie: cookie } : {}),
        ...(method === 'GET' ? {} : { 'Idempotency-Key': `e2e-${Date.now()}-${n++}` }),
        ...(body === undefined || typeof body === 'string' ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    })
    const set = response.headers.getSetCookie()
    if (set.length > 0) cookie = set.map((c) => c.split(';')[0]).join('; ')
    const text = await response.text()
    let data
    try {
      data = text === '' ? undefined : JSON.parse(text)
    } catch {
      data = text
    }
    if (!response.ok) throw Object.assign(new Error(`${method} ${path}: ${response.status} ${text}`), { status: response.status, problem: data })
    return data
  }
  await call('POST', '/api/sign-in', who)
  return {
    get: (path) => call('GET', path),
    post: (path, body = {}, headers) => call('POST', path, body, headers),
    put: (path, body = {}) => call('PUT', path, body),
  }
}

/** A page that fails the story when something is wrong behind it. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: options.viewport ?? { width: 1280, height: 800 },
    locale: options.locale ?? 'zh-CN',
    colorScheme: options.colorScheme ?? 'light',
    timezoneId: 'Asia/Shanghai',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const wrong = []
  page.on('pageerror', (error) => wrong.push(`uncaught: ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    // what the network log says of a refused request is part of stories about refusals
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) wrong.push(`console: ${message.text()}`)
  })
  page.setDefaultTimeout(20_000)
  return { page, context, wrong, close: () => context.close() }
}

mkdirSync(out, { recursive: true })

/** A picture into test/e2e/out; into docs/img as well when the run was asked for pictures. */
export async function picture(page, name, options = {}) {
  const png = await page.screenshot({ animations: 'disabled', caret: 'hide', ...options })
  writeFileSync(join(out, `${name}.png`), png)
  if (process.env.PICTURES && options.docs) {
    mkdirSync(join(root, 'docs', 'img'), { recursive: true })
    writeFileSync(join(root, 'docs', 'img', `${name}.png`), png)
  }
}

export function equal(got, want, what) {
  const a = JSON.stringify(got)
  const b = JSON.stringify(want)
  if (a !== b) throw new Error(`${what}: got ${a}, want ${b}`)
}

export function check(good, what) {
  if (!good) throw new Error(what)
}

/** A page that opens at an address and asks who is there. */
export async function signIn(page, url, who = admin) {
  await page.goto(url)
  await page.locator('input[name=name]').fill(who.name)
  await page.locator('input[name=password]').fill(who.password)
  await page.keyboard.press('Enter')
}
