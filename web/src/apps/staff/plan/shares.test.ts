import { expect, test } from 'vitest'
import { shares } from './shares'

const plan = { rounds_open: 5, rounds_approve: 2, proposals_open: 9, proposals_approve: 3, proposals_held: 1 }

test('who may not approve confirms the rest, and is told what waits', () => {
  expect(shares(plan, false)).toEqual({ mine: 8, others: 6 })
  expect(shares({ ...plan, rounds_open: 2, proposals_open: 4 }, false)).toEqual({ mine: 0, others: 6 })
})

test('an approver confirms all at once but what is held: that is released line by line', () => {
  expect(shares(plan, true)).toEqual({ mine: 13, others: 1 })
  expect(shares({ ...plan, proposals_held: 0 }, true)).toEqual({ mine: 14, others: 0 })
})

test('nothing is open, or there is no plan', () => {
  expect(shares({ rounds_open: 0, rounds_approve: 0, proposals_open: 0, proposals_approve: 0, proposals_held: 0 }, false)).toEqual({ mine: 0, others: 0 })
  expect(shares(undefined, true)).toEqual({ mine: 0, others: 0 })
})
