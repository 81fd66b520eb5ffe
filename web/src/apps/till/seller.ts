import { useCallback, useEffect, useRef, useState } from 'react'
import { act, asProblem, client, newKey, type Problem, type Sale, type SaleLineIn, type Tender } from '@kit/api'
import { kept } from '@kit/kept'

// One sale on its way to the server. Its key and content are kept before it is sent and until the server has said
// yes or no, so that a lost answer, a reload or a dead battery leads to the same question again, never to a second sale.

export interface SaleIn {
  site_id: string
  register: string
  lines: SaleLineIn[]
  tenders: Tender[]
  expect_total_fen: number
}

export interface Pending {
  key: string
  who: string // keys belong to the person who made them
  whoName: string
  at: number
  sale: SaleIn
}

const tryEvery = 5_000

const send = (p: Pending): Promise<Sale> =>
  act(undefined, (header) => client.POST('/api/till/sales', { params: { header }, body: p.sale }), p.key)

export interface Seller {
  pending: Pending | undefined
  /** sent and not yet answered */
  busy: boolean
  /** there was no answer: it is asked again by itself */
  lost: boolean
  sell: (sale: SaleIn) => Promise<Sale | Problem | undefined>
  again: () => void
}

export function readPending(text: string | null): Pending | undefined {
  if (!text) return undefined
  try {
    const p = JSON.parse(text) as Pending
    return typeof p.key === 'string' && p.key !== '' && typeof p.sale?.site_id === 'string' ? p : undefined
  } catch {
    return undefined
  }
}

export function useSeller(options: {
  slot: string // site and register
  me: { id: string; name: string }
  /** the answer of a sale that had been lost */
  onSettled: (answer: Sale | Problem, pending: Pending) => void
}): Seller {
  const place = `zg.till.pending.${options.slot}`
  const [pending, setPending] = useState<Pending | undefined>(() => readPending(kept.read(place)))
  const [busy, setBusy] = useState(false)
  const [lost, setLost] = useState(pending !== undefined)
  const latest = useRef(options)
  latest.current = options
  const flying = useRef(false)

  const attempt = useCallback(async (p: Pending): Promise<Sale | Problem | undefined> => {
    if (flying.current) return undefined
    flying.current = true
    setBusy(true)
    try {
      const sale = await send(p)
      kept.write(place, null)
      setPending(undefined)
      setLost(false)
      return sale
    } catch (error) {
      const problem = asProblem(error)
      // 401: the sign-in ran out, which says nothing about a try before this one.
      if (problem.unknown || problem.status === 401) {
        setLost(true)
        return undefined
      }
      kept.write(place, null)
      setPending(undefined)
      setLost(false)
      return problem
    } finally {
      flying.current = false
      setBusy(false)
    }
  }, [place])

  const sell = useCallback(async (sale: SaleIn) => {
    const { me } = latest.current
    const p: Pending = { key: newKey(), who: me.id, whoName: me.name, at: Date.now(), sale }
    kept.write(place, JSON.stringify(p))
    setPending(p)
    setLost(false)
    return attempt(p)
  }, [attempt, place])

  const again = useCallback(async () => {
    if (!pending || pending.who !== latest.current.me.id) return
    const answer = await attempt(pending)
    if (answer) latest.current.onSettled(answer, pending)
  }, [attempt, pending])

  useEffect(() => {
    if (!lost || !pending) return
    const timer = setInterval(() => void again(), tryEvery)
    const soon = () => void again()
    addEventListener('online', soon)
    return () => {
      clearInterval(timer)
      removeEventListener('online', soon)
    }
  }, [lost, pending, again])

  // What an earlier page left behind is asked for at once.
  const first = useRef(true)
  useEffect(() => {
    if (!first.current) return
    first.current = false
    if (pending) void again()
  }, [pending, again])

  return { pending, busy, lost, sell, again: () => void again() }
}
