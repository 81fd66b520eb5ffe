import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { act, client, must, onSignedOut, setClientCaller } from './client'
import { keyFor } from './keys'
import { fieldPath, Problem, problemOf } from './problem'

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
const refusal = (status: number, body: object) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/problem+json' } })

let sent: Request[]

/** The network, answer by answer; an Error is a broken line. */
function network(...answers: (Response | Error)[]) {
  sent = []
  vi.stubGlobal('fetch', vi.fn(async (request: Request) => {
    sent.push(request)
    const next = answers.shift()
    if (next === undefined) throw new Error('nothing more was expected to be sent')
    if (next instanceof Error) throw next
    return next
  }))
}

const price = { product_id: '7', unit: 'piece', price_fen: 250, valid_from: '2026-03-05' }
const savePrice = (body = price) =>
  act(['prices', body], (header) => client.POST('/api/prices', { params: { header }, body } as never) as Promise<{ data?: unknown; response: Response }>)
const keyOf = (request: Request | undefined) => request?.headers.get('Idempotency-Key') ?? ''

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
  setClientCaller('1')
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function settled<X>(promise: Promise<X>): Promise<X> {
  promise.catch(() => undefined)
  await vi.runAllTimersAsync()
  return promise
}

describe('an act is done once', () => {
  test('a blinking network sends the same key and the same words again', async () => {
    network(new TypeError('Failed to fetch'), refusal(503, {}), answer(200, { id: '9' }))
    await expect(settled(savePrice())).resolves.toEqual({ id: '9' })
    expect(sent).toHaveLength(3)
    expect(new Set(sent.map(keyOf)).size).toBe(1)
    expect(keyOf(sent[0])).toMatch(/^[0-9a-f]{32}$/)
    expect(await sent[2]?.json()).toEqual(price)
  })

  test('given up and tried again by hand, even after a reload, it is still the same key', async () => {
    network(...Array.from({ length: 4 }, () => new TypeError('Failed to fetch')))
    await expect(settled(savePrice())).rejects.toMatchObject({ status: 0, code: 'offline', unknown: true })
    const first = keyOf(sent[0])
    network(answer(200, {}))
    await settled(savePrice())
    expect(keyOf(sent[0])).toBe(first)
  })

  test('once it is done, doing the same again is a new act', async () => {
    network(answer(200, {}), answer(200, {}))
    await settled(savePrice())
    await settled(savePrice())
    expect(keyOf(sent[0])).not.toBe(keyOf(sent[1]))
  })

  test('a refusal changed nothing: the next try is a new act', async () => {
    network(refusal(422, { code: 'price_low', detail: 'Too low' }), answer(200, {}))
    await expect(settled(savePrice())).rejects.toMatchObject({ code: 'price_low', unknown: false })
    await settled(savePrice())
    expect(keyOf(sent[0])).not.toBe(keyOf(sent[1]))
  })

  test('a server that fell over may have done it: the key stays', async () => {
    network(refusal(500, { code: 'internal' }), answer(200, {}))
    await expect(settled(savePrice())).rejects.toMatchObject({ status: 500, unknown: true })
    await settled(savePrice())
    expect(keyOf(sent[0])).toBe(keyOf(sent[1]))
  })

  test('another person at the same screen never gets the key of the one before', () => {
    expect(keyFor('1["x"]').key).not.toBe(keyFor('2["x"]').key)
    expect(keyFor('1["x"]').key).toBe(keyFor('1["x"]').key)
  })

  test('a key is not kept for ever', () => {
    const old = keyFor('1["y"]', 0).key
    expect(keyFor('1["y"]', 25 * 3_600_000).key).not.toBe(old)
  })
})

describe('what was refused, and where', () => {
  test('fields are named as the form names them', async () => {
    const p = await problemOf(refusal(422, { code: 'invalid', detail: 'Not valid', errors: [{ location: 'body.lines[2].qty', message: 'Too many' }, { field: 'name', code: 'taken', detail: 'Taken' }] }))
    expect(p.fields).toEqual([{ field: 'lines[2].qty', code: 'invalid', detail: 'Too many' }, { field: 'name', code: 'taken', detail: 'Taken' }])
    expect(fieldPath('/units/0/barcodes/1')).toBe('units[0].barcodes[1]')
  })
  test('a single field counts as one of the fields', async () => {
    const p = await problemOf(refusal(409, { code: 'stock_short', detail: 'Not enough', field: 'lines[0].qty' }))
    expect(p.message).toBe('Not enough')
    expect(p.fields).toEqual([{ field: 'lines[0].qty', code: 'stock_short', detail: 'Not enough' }])
  })
  test('an answer nobody can read says so', async () => {
    const p = await problemOf(new Response('<html>', { status: 502, statusText: 'Bad Gateway' }))
    expect(p).toBeInstanceOf(Problem)
    expect(p).toMatchObject({ status: 502, code: 'broken_answer', unknown: true })
  })
})

test('a session that has ended is told once, and not for a wrong password', async () => {
  const told = vi.fn()
  onSignedOut(told)
  network(refusal(401, { code: 'signed_out' }))
  await expect(settled(must(client.GET('/api/me')))).rejects.toMatchObject({ status: 401 })
  expect(told).toHaveBeenCalledTimes(1)
})
