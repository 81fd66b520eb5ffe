import { expect, test } from 'vitest'
import { toMeasure } from './Landed'

test('a cost shared by weight or volume asks for what is not counted in it', () => {
  const lines = ['g', 'piece', 'ml'].map((unit) => ({ unit }))
  expect(toMeasure('weight', lines).map((l) => l.unit)).toEqual(['piece', 'ml'])
  expect(toMeasure('volume', lines).map((l) => l.unit)).toEqual(['g', 'piece'])
  expect(toMeasure('value', lines)).toEqual([])
  expect(toMeasure('count', lines)).toEqual([])
})
