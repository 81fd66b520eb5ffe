import { act, asProblem, client, newKey, Problem } from '@kit/api'
import { kept } from '@kit/kept'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'

// What a person of the kitchen has said and the server has not yet heard. One tap is up to four acts: ask for the
// materials, take them, report what came out, let the rest of the round be. Each has a key of its own, made and kept
// before the first is sent, so that nothing is lost or done twice when the network or the phone goes.

export interface Making {
  id: string
  site: string
  product: string
  name: string
  unit: string
  /** what is to be made, a decimal in the base unit */
  qty: string
  /** what came out; left out: only the materials are taken, the output is reported later */
  made?: string
  fewer?: FewerReason
  /** when it was made, on the shop's clock */
  at?: string
  round?: { plan: string; line: string; date?: string; no?: number }
  /** the round is changed to this quantity afterwards: what was not made is let be */
  settle?: { qty: string; reason: string }
  requisition?: string
  task?: string
  output?: boolean
  keys: { ask: string; take: string; report: string; settle: string }
  /** refused: what the server said, and at which step */
  refused?: { step: Step; message: string }
}

export type FewerReason = 'made_wrong' | 'dropped' | 'material_bad' | 'equipment' | 'tasting' | 'sample' | 'other'
export type Step = 'ask' | 'take' | 'report' | 'settle'

/** The next thing to be sent; undefined: all is said. */
export function nextStep(m: Making): Step | undefined {
  if (!m.requisition && !m.task) return 'ask'
  if (!m.task) return 'take'
  if (m.made !== undefined && !m.output) return 'report'
  return m.settle ? 'settle' : undefined
}

let who = ''
let all: Making[] = []
const listeners = new Set<() => void>()
const running = new Set<string>()

const place = () => `zg.makings.${who}`

function change(next: Making[]): void {
  all = next
  kept.write(place(), next.length === 0 ? null : JSON.stringify(next))
  listeners.forEach((tell) => tell())
}

function open(person: string): void {
  if (who === person) return
  who = person
  try {
    all = JSON.parse(kept.read(place()) ?? '[]') as Making[]
  } catch {
    all = []
  }
}

const put = (m: Making) => change(all.some((o) => o.id === m.id) ? all.map((o) => (o.id === m.id ? m : o)) : [...all, m])
const drop = (id: string) => change(all.filter((o) => o.id !== id))

async function send(m: Making, step: Step): Promise<Making> {
  switch (step) {
    case 'ask': {
      const r = await act([step], (header) => client.POST('/api/making/requisitions', { params: { header }, body: { site_id: m.site, product_id: m.product, qty: m.qty, ...(m.round?.date && m.round.no ? { for: { date: m.round.date, round: m.round.no } } : {}) } }), m.keys.ask)
      return { ...m, requisition: r.id }
    }
    case 'take': {
      const t = await act([step], (header) => client.POST('/api/making/requisitions/{id}/complete', { params: { path: { id: m.requisition! }, header }, body: {} }), m.keys.take)
      return { ...m, task: t.id }
    }
    case 'report': {
      await act([step], (header) => client.POST('/api/making/tasks/{id}/output', { params: { path: { id: m.task! }, header },
        body: { qty: m.made!, ...(m.at ? { made_at: m.at } : {}), ...(m.fewer ? { fewer_reason: m.fewer } : {}) } }), m.keys.report)
      return { ...m, output: true }
    }
    case 'settle': {
      await act([step], (header) => client.POST('/api/plans/{id}/lines/{line}/change', { params: { path: { id: m.round!.plan, line: m.round!.line }, header }, body: m.settle! }), m.keys.settle)
      const { settle: _, ...rest } = m
      return rest
    }
  }
}

async function run(id: string, done: () => void): Promise<void> {
  if (running.has(id)) return
  running.add(id)
  const person = who
  try {
    for (;;) {
      const m = all.find((o) => o.id === id)
      if (!m || who !== person) return
      const step = nextStep(m)
      if (!step) {
        drop(id)
        return
      }
      try {
        const next = await send(m, step)
        if (who === person) put(next)
      } catch (error) {
        const problem = asProblem(error)
        if (!problem.unknown && problem.status !== 401 && who === person) put({ ...m, refused: { step, message: problem.message } })
        return
      }
    }
  } finally {
    running.delete(id)
    listeners.forEach((tell) => tell())
    done()
  }
}

/** What waits, and the ways to add to it; sends again when the network is back. */
export function useMakings(person: string) {
  const queries = useQueryClient()
  open(person)
  const makings = useSyncExternalStore((tell) => {
    listeners.add(tell)
    return () => listeners.delete(tell)
  }, () => all)
  const done = () => ['produce', 'plan', 'stock'].forEach((subject) => void queries.invalidateQueries({ queryKey: [subject] }))
  const start = (m: Omit<Making, 'id' | 'keys'>) => {
    const next: Making = { ...m, id: newKey(), keys: { ask: newKey(), take: newKey(), report: newKey(), settle: newKey() } }
    put(next)
    return run(next.id, done)
  }
  const again = (id: string) => {
    const m = all.find((o) => o.id === id)
    if (!m) return
    const { refused: _, ...rest } = m
    put(rest)
    void run(id, done)
  }
  /** Lets go of what was refused; materials that were only asked for are not waited for. */
  const forget = async (id: string, reason: string) => {
    const m = all.find((o) => o.id === id)
    if (!m) return
    if (m.requisition && !m.task) {
      try {
        await act(['cancel', m.requisition], (header) => client.POST('/api/making/requisitions/{id}/cancel', { params: { path: { id: m.requisition! }, header }, body: { reason } }))
      } catch (error) {
        if (error instanceof Problem && error.unknown) return // not known: it stays
      }
    }
    drop(id)
    done()
  }
  useEffect(() => {
    const resume = () => all.filter((m) => !m.refused).forEach((m) => void run(m.id, done))
    resume()
    const timer = setInterval(resume, 10_000)
    addEventListener('online', resume)
    return () => {
      clearInterval(timer)
      removeEventListener('online', resume)
    }
    // once per person: what waits is read from the store each time
  }, [person])
  return { makings, start, again, forget, isRunning: (id: string) => running.has(id) }
}
