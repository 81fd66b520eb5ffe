import { describe, expect, it } from 'vitest'
import { pagesOf, papers, readable } from './papers'

const paper = (key: string) => {
  const found = papers.find((p) => p.key === key)
  if (!found) throw new Error(key)
  return found
}

describe('papers', () => {
  it('have labels that fit their page', () => {
    for (const { width, height, page } of papers) {
      if (!page) continue
      expect(page.left + page.columns * width + (page.columns - 1) * page.gapX).toBeLessThanOrEqual(page.width)
      expect(page.top + page.rows * height + (page.rows - 1) * page.gapY).toBeLessThanOrEqual(page.height)
    }
  })
  it('fill pages one after the other, after the places that are used', () => {
    expect(pagesOf(paper('roll_60x40'), ['a', 'b'], 5)).toEqual([['a'], ['b']])
    const pages = pagesOf(paper('a4_24'), Array.from({ length: 25 }, (_, i) => i), 2)
    expect(pages.map((p) => p.length)).toEqual([24, 3])
    expect(pages[0]?.slice(0, 3)).toEqual([undefined, undefined, 0])
    expect(pages[1]?.[2]).toBe(24)
    expect(pagesOf(paper('a4_24'), [], 0)).toEqual([])
    expect(pagesOf(paper('a4_24'), ['a'], 99)[0]).toHaveLength(24)
  })
  it('hold bars that can be read', () => {
    const ean = 95 + 18
    for (const p of papers) expect(readable(p, ean), p.key).toBe(true)
    expect(readable(paper('a4_65'), 35 + 11 * 20)).toBe(false)
  })
})
