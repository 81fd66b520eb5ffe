import { expect, test } from 'vitest'
import { inForce, minutesOf } from './policy'

test('the shortest life left is typed in hours', () => {
  for (const [typed, minutes] of [['', 0], ['0', 0], ['24', 1440], ['0.5', 30], [' 1.25 ', 75], ['87600', 5_256_000]] as const) expect(minutesOf(typed), typed).toBe(minutes)
  for (const bad of ['-1', '1h', '1.234', '87601', '.', '1,5']) expect(minutesOf(bad), bad).toBeUndefined()
})

test('a new rule replaces the one of the same goods, site and channel, and no other', () => {
  const scope = { product_id: '1', category_id: '', site_id: '7', channel: '' }
  const rows = [
    { ...scope, id: 'ended', ended_at: '2026-01-01T00:00:00Z' }, { ...scope, id: 'till', channel: 'till', ended_at: '' }, { ...scope, id: 'everywhere', site_id: '', ended_at: '' },
    { ...scope, id: 'other', product_id: '2', ended_at: '' }, { ...scope, id: 'it', ended_at: '' },
  ]
  expect(inForce(rows, scope)?.id).toBe('it')
  expect(inForce(rows, { ...scope, channel: 'phone' })).toBeUndefined()
  expect(inForce(rows.slice(0, 1), scope)).toBeUndefined()
})
