import { QueryClientProvider } from '@tanstack/react-query'
import { act as done, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppShell, defineText, newQueryClient, type PageDef } from '.'
import { ThemeProvider } from './theme'

// The shell against a server that is made of answers.

const text = defineText({ today: 'Jinri', plan: 'Yuce' }, { today: 'Today', plan: 'Forecast' })
const Icon = () => null
const pages: PageDef<'today' | 'plan'>[] = [
  { path: '/today', title: 'today', perm: '', icon: Icon, load: () => Promise.resolve({ default: () => <h1>What there is to do</h1> }) },
  { path: '/plan', title: 'plan', perm: 'forecast.read', icon: Icon, load: () => Promise.resolve({ default: () => <h1>What will be sold</h1> }) },
]
const me = { id: '1', name: 'ann', display_name: 'Ann', lang: '', permissions: ['till.sell'], sites: [], demo: false }
const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })

let signedIn: boolean
const asked: string[] = []

beforeEach(() => {
  signedIn = true
  asked.length = 0
  localStorage.clear()
  localStorage.setItem('zg.lang', 'en')
  vi.stubGlobal('EventSource', class { close() {} addEventListener() {} })
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {} }))
  vi.stubGlobal('scrollTo', () => {})
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url)
    asked.push(`${request.method} ${url.pathname}`)
    if (url.pathname === '/api/sign-in') {
      const body = (await request.json()) as { password: string }
      signedIn = body.password === 'right'
      return signedIn ? json(200, me) : json(401, { status: 401, code: 'sign_in_wrong', detail: 'Wrong name or password' })
    }
    if (!signedIn) return json(401, { status: 401, code: 'sign_in_required', detail: 'Please sign in first' })
    return json(200, me)
  })
})
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

async function open(path: string) {
  history.replaceState(null, '', `/admin${path}`)
  await done(async () => void render(<QueryClientProvider client={newQueryClient()}><ThemeProvider><AppShell basename="/admin" text={text} pages={pages} /></ThemeProvider></QueryClientProvider>))
}

describe('the shell', () => {
  test('shows only what the person may open', async () => {
    await open('/today')
    expect(await screen.findByText('What there is to do')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Today' }).className).toContain('zg-here')
    expect(screen.queryByRole('link', { name: 'Forecast' })).toBeNull()
  })

  test('says so where a person may not go, and whom to ask', async () => {
    await open('/plan')
    expect(await screen.findByRole('heading', { name: 'No permission' })).toBeTruthy()
    expect(screen.queryByText('What will be sold')).toBeNull()
  })

  test('an address that is nowhere is no crash', async () => {
    await open('/nowhere')
    expect(await screen.findByRole('heading', { name: 'No such page' })).toBeTruthy()
  })

  test('asks who is there first; a wrong password is told, the right one opens the page', async () => {
    signedIn = false
    await open('/today')
    const enter = async (password: string) => {
      fireEvent.change(screen.getByLabelText('Account'), { target: { value: ' ann ' } })
      fireEvent.change(screen.getByLabelText('Password'), { target: { value: password } })
      await done(async () => void fireEvent.submit(document.querySelector('form')!))
    }
    await screen.findByRole('heading', { name: 'Sign in to Zhanggui' })
    await enter('wrong')
    expect((await screen.findByRole('alert')).textContent).toContain('Wrong name or password')
    await enter('right')
    expect(await screen.findByText('What there is to do')).toBeTruthy()
  })

  test('the first thing the keyboard reaches leads to the content', async () => {
    await open('/today')
    const skip = await screen.findByText('Skip to content')
    expect(skip.getAttribute('href')).toBe('#zg-main')
    expect(document.querySelector('a, button, input')).toBe(skip)
  })
})
