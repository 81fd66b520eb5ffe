import { describe, expect, test } from 'vitest'
import { quantityOf, unfolded, versionOn } from './tree'

const lines = [1, 2, 3, 2, 1, 2].map((level, i) => ({ level, name: 'abcdef'[i] }))
const names = (folded: number[]) => unfolded(lines, new Set(folded)).map((s) => s.line.name).join('')

describe('a tree of lines', () => {
  test('shows all, and with a line folded not what goes into it', () => {
    expect(names([])).toBe('abcdef')
    expect(names([0])).toBe('aef')
    expect(names([1])).toBe('abdef')
    expect(names([0, 4])).toBe('ae')
  })
  test('a line folded within a folded one stays folded when that is opened', () => {
    expect(names([0, 1])).toBe('aef')
    expect(names([1])).not.toContain('c')
  })
  test('folding what is bought hides nothing', () => expect(names([2, 5])).toBe('abcdef'))
})

test('the version of a day is the newest that has begun', () => {
  const versions = ['2026-06-01', '2026-01-01'].map((valid_from) => ({ valid_from }))
  expect(versionOn(versions, '2026-06-01')?.valid_from).toBe('2026-06-01')
  expect(versionOn(versions, '2026-05-31')?.valid_from).toBe('2026-01-01')
  expect(versionOn(versions, '2025-12-31')).toBeUndefined()
})

test('a quantity is more than nothing, with at most three decimals', () => {
  expect(quantityOf(' 1,000.5 ')).toBe('1000.5')
  for (const bad of ['', '0', '0.000', '-1', 'x', '1.2345', '1e3']) expect(quantityOf(bad), bad).toBeUndefined()
})
