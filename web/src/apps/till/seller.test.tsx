import { act as rendered, renderHook } from '@testing-library/react'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem, type Sale } from '@kit/api'
import { readPending, useSeller, type SaleIn } from './seller'

// The server of these stories: it books a key once, and can lose the answer on its way back.
const server = vi.hoisted(() => ({ booked: new Map<string, string>(), asked: [] as string[], loseAnswers: 0, refuse: '' }))

vi.mock('@kit/api', async (original) => {
  const api = await original<typeof import('@kit/api')>()
  return {
    ...api,
    act: async (_what: unknown, call: (h: { 'Idempotency-Key': string }) => Promise<unknown>, key: string) => {
      server.asked.push(key)
      if (server.refuse) throw new api.Problem(409, server.refuse, server.refuse)
      await call({ 'Idempotency-Key': key })
      if (server.loseAnswers-- > 0) throw new api.Problem(0, 'offline', '')
      return { id: server.booked.get(key), state: 'paid' }
    },
    client: {
      POST: async (_path: string, init: { params: { header: { 'Idempotency-Key': string } } }) => {
        const key = init.params.header['Idempotency-Key']
        if (!server.booked.has(key)) server.booked.set(key, `sale ${server.booked.size + 1}`)
      },
    },
  }
})

const sale: SaleIn = { site_id: '1', register: '1', lines: [{ product_id: '9', unit: 'piece', qty: '2' }], tenders: [{ kind: 'cash', amount_fen: 700 }], expect_total_fen: 700 }
const li = { id: '5', name: 'Li' }

function till(me = li) {
  const settled: (Sale | Problem)[] = []
  const hook = renderHook(() => useSeller({ slot: '1/1', me, onSettled: (answer) => settled.push(answer) }))
  return { ...hook, settled }
}

beforeEach(() => {
  localStorage.clear()
  server.booked.clear()
  server.asked.length = 0
  server.loseAnswers = 0
  server.refuse = ''
  vi.useFakeTimers()
})

describe('a sale', () => {
  it('is sold once and leaves nothing behind', async () => {
    const { result } = till()
    const answer = await rendered(() => result.current.sell(sale))
    expect(answer).toMatchObject({ id: 'sale 1' })
    expect(result.current.pending).toBeUndefined()
    expect(localStorage.length).toBe(0)
  })

  it('whose answer is lost is asked again with its key, and is still one sale', async () => {
    server.loseAnswers = 2
    const { result, settled } = till()
    expect(await rendered(() => result.current.sell(sale))).toBeUndefined()
    expect(result.current.lost).toBe(true)
    await rendered(() => vi.advanceTimersByTimeAsync(11_000))
    expect(settled).toMatchObject([{ id: 'sale 1' }])
    expect(new Set(server.asked).size).toBe(1)
    expect(server.asked.length).toBe(3)
    expect(server.booked.size).toBe(1)
    expect(localStorage.length).toBe(0)
  })

  it('is kept before it is sent, so a page that dies asks again when it comes back', async () => {
    server.loseAnswers = 1
    const before = till()
    await rendered(() => before.result.current.sell(sale))
    expect(readPending(localStorage.getItem('zg.till.pending.1/1'))?.sale).toEqual(sale)
    before.unmount()

    const after = till()
    await rendered(() => vi.advanceTimersByTimeAsync(0))
    expect(after.settled).toMatchObject([{ id: 'sale 1' }])
    expect(server.booked.size).toBe(1)
  })

  it('is not asked again in the name of somebody else', async () => {
    server.loseAnswers = 1
    const before = till()
    await rendered(() => before.result.current.sell(sale))
    before.unmount()

    const other = till({ id: '6', name: 'Wang' })
    await rendered(() => vi.advanceTimersByTimeAsync(20_000))
    expect(server.asked.length).toBe(1)
    expect(other.result.current.pending?.whoName).toBe('Li')
  })

  it('that is refused is over: the next try is another act', async () => {
    server.refuse = 'price_changed'
    const { result } = till()
    expect(await rendered(() => result.current.sell(sale))).toBeInstanceOf(Problem)
    expect(result.current.pending).toBeUndefined()
    server.refuse = ''
    await rendered(() => result.current.sell(sale))
    expect(new Set(server.asked).size).toBe(2)
  })

  it('that was kept damaged is no sale', () => {
    for (const bad of [null, '', '{', '{}', '{"key":""}', '{"key":"k","sale":{}}']) expect(readPending(bad)).toBeUndefined()
  })
})
