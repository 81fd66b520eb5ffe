import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { paperTable, stamp } from './Paper'
import { sumOf } from './papers'

test('a paper says every time whole, in the time of its site', () => {
  expect(stamp('2026-03-05T23:59:31+08:00')).toBe('2026-03-05 23:59')
  expect(stamp('')).toBe('')
})

test('quantities of one unit add up exactly, and of several not at all', () => {
  const qty = (l: { qty: string }) => l.qty
  expect(sumOf([{ qty: '0.1', unit: 'g' }, { qty: '0.2', unit: 'g' }], qty)).toEqual({ qty: '0.300', unit: 'g' })
  expect(sumOf([{ qty: '-1', unit: 'piece' }, { qty: '1', unit: 'piece' }], qty)).toEqual({ qty: '0.000', unit: 'piece' })
  expect(sumOf([{ qty: '1', unit: 'g' }, { qty: '1', unit: 'piece' }], qty)).toBeUndefined()
  expect(sumOf([], qty)).toBeUndefined()
})

test('lines are numbered, hands have rows of their own, and what adds up is the last row', () => {
  const rows = renderToStaticMarkup(paperTable(['bun', 'tea'], [
    { key: 'name', head: 'goods', cell: (x) => x, total: 'sum' },
    { key: 'n', head: 'n', right: true, cell: () => '', total: '2' },
  ], { blank: 2 }).body).match(/<tr.*?<\/tr>/g) ?? []
  expect(rows).toHaveLength(1 + 2 + 2 + 1)
  expect(rows[1]).toContain('<td>1</td><td>bun</td>')
  expect(rows[4]).toContain('<td>4</td>')
  expect(rows.at(-1)).toBe('<tr class="total"><td></td><td>sum</td><td class="right">2</td></tr>')
})
