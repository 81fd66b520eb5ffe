import { expect, test } from 'vitest'
import { changes } from './changes'

const plain = (_: string, value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))

test('only what differs is shown', () => {
  expect(changes({ id: '1', name: 'North', open: '08:00' }, { id: '1', name: 'North Gate', open: '08:00' }, plain)).toEqual([{ field: 'name', before: 'North', after: 'North Gate' }])
})

test('a new document shows what it has, a gone one what it had', () => {
  expect(changes(undefined, { id: '1', code: 'S1' }, plain)).toEqual([{ field: 'code', before: '', after: 'S1' }])
  expect(changes({ code: 'S1' }, null, plain)).toEqual([{ field: 'code', before: 'S1', after: '' }])
})

test('rights are one field, compared as a whole', () => {
  expect(changes([], [{ role_id: '7' }], plain)).toEqual([{ field: 'grants', before: '[]', after: '[{"role_id":"7"}]' }])
  expect(changes([{ role_id: '7' }], [{ role_id: '7' }], plain)).toEqual([])
})

test('what cannot be said is left out', () => {
  expect(changes({ secret: 1, name: 'a' }, { secret: 2, name: 'b' }, (f, v) => (f === 'secret' ? undefined : String(v)))).toEqual([{ field: 'name', before: 'a', after: 'b' }])
})
