import { useCallback, useEffect, useRef, useState } from 'react'
import { asProblem, client, must, type Problem, type QuoteLine } from '@kit/api'
import { lineIn, type Cart } from './cart'

export interface Quote {
  of: string // the cart it was made for
  lines: QuoteLine[]
  total_fen: number
  tax_fen: number
}

/** What of a cart decides its price. */
export const printOf = (cart: Cart): string => JSON.stringify(cart.lines.map(lineIn))

/** The server's price of the cart, asked again whenever the cart changes. */
export function useQuote(site: string, cart: Cart): {
  quote: Quote | undefined // of exactly this cart
  problem: Problem | undefined
  /** asks now; for the moment of paying */
  ask: () => Promise<Quote | Problem>
} {
  const print = printOf(cart)
  const [quote, setQuote] = useState<Quote>()
  const [problem, setProblem] = useState<{ of: string; problem: Problem }>()
  const turn = useRef(0)

  const ask = useCallback(async (): Promise<Quote | Problem> => {
    const mine = ++turn.current
    try {
      const body = { site_id: site, lines: JSON.parse(print) as ReturnType<typeof lineIn>[] }
      const data = await must(client.POST('/api/till/quotes', { body }))
      const fresh: Quote = { of: print, lines: data.lines, total_fen: data.total_fen, tax_fen: data.tax_fen }
      if (mine === turn.current) {
        setQuote(fresh)
        setProblem(undefined)
      }
      return fresh
    } catch (error) {
      const p = asProblem(error)
      if (mine === turn.current) setProblem({ of: print, problem: p })
      return p
    }
  }, [site, print])

  useEffect(() => {
    turn.current++ // an answer for another cart is dropped
    if (print === '[]') return
    const timer = setTimeout(() => void ask(), 80) // a burst of scans is one question
    return () => clearTimeout(timer)
  }, [print, ask])

  return {
    quote: quote?.of === print ? quote : undefined,
    problem: problem?.of === print ? problem.problem : undefined,
    ask,
  }
}
