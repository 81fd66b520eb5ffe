import { describe, expect, it } from 'vitest'
import { bundlesOf, wholeIn, withWhole } from './bundleBack'

const line = (line_no: number, qty: string) => ({ line_no, qty })
const bundle = (more: object = {}) => ({ bundle_no: 1, name: 'breakfast', qty: '2', unit: 'piece', first_line: 2, line_count: 2, ...more })
const slip = (bundles: object[], lines = [line(1, '1'), line(2, '4'), line(3, '0.5'), line(4, '1')]) => ({ lines, bundles }) as unknown as Parameters<typeof bundlesOf>[0]

describe('bundles that come back', () => {
  const [breakfast] = bundlesOf(slip([bundle()]))
  it('are counted from their parts', () => {
    expect(breakfast).toMatchObject({ first: 1, parts: [{ line: 1, per: 2000 }, { line: 2, per: 250 }] })
    expect(wholeIn(breakfast!, [0, 4000, 500, 0])).toBe(2)
    expect(wholeIn(breakfast!, [1000, 3999, 500, 1000])).toBe(1)
    expect(wholeIn(breakfast!, [1000, 4000, 249, 1000])).toBe(0)
  })
  it('take all their parts and nothing of other lines', () => {
    expect(withWhole(breakfast!, 1, [0, 0, 0, 0], [1000, 4000, 500, 1000])).toEqual([0, 2000, 250, 0])
    expect(withWhole(breakfast!, 9, [1000, 0, 0, 0], [1000, 4000, 500, 1000])).toEqual([1000, 4000, 500, 0])
    expect(withWhole(breakfast!, -1, [0, 2000, 250, 1000], [1000, 4000, 500, 1000])).toEqual([0, 0, 0, 1000])
  })
  it('leave a single part that is chosen besides', () => {
    expect(withWhole(breakfast!, 1, [0, 1000, 0, 0], [1000, 4000, 500, 1000])).toEqual([0, 3000, 250, 0])
    expect(withWhole(breakfast!, 0, [0, 3000, 250, 0], [1000, 4000, 500, 1000])).toEqual([0, 1000, 0, 0])
    expect(withWhole(breakfast!, 2, [0, 1000, 0, 0], [1000, 4000, 500, 1000])).toEqual([0, 4000, 500, 0])
  })
  it('come back as far as no part is back already', () => {
    expect(withWhole(breakfast!, 2, [0, 0, 0, 0], [1000, 4000, 250, 1000])).toEqual([0, 2000, 250, 0])
  })
  it('come back by their parts when one cannot be counted alone', () => {
    expect(bundlesOf(slip([bundle({ qty: '3' })]))).toEqual([])
    expect(bundlesOf(slip([bundle({ qty: '0.5' })]))).toEqual([])
    expect(bundlesOf(slip([bundle({ first_line: 9 })]))).toEqual([])
  })
})
