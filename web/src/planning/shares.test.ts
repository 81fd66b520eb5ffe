import { expect, test } from 'vitest'
import { percentOf, shareOf } from './shares'

test('a share goes to percent and back without a rounding', () => {
  for (const [share, percent] of [['0', '0'], ['1', '100'], ['0.5', '50'], ['0.333333', '33.3333'], ['0.000001', '0.0001']] as const) {
    expect(percentOf(share), share).toBe(percent)
    expect(shareOf(percent)).toBe(`${percent}%`)
  }
  expect(shareOf(' 40 % ')).toBe('40%')
  expect(shareOf('100.00')).toBe('100%')
  for (const bad of ['', '101', '-1', '100.1', '1e1', '0.00001', '3,5', '%']) expect(shareOf(bad), bad).toBeUndefined()
})
