import { expect, test } from 'vitest'
import { choicesOf, choose, gapsOf, mappingOf } from './mapping'

const ours = [
  { name: 'product', label: 'Product code', need: 'must' },
  { name: 'name', label: 'Name', need: 'must' },
  { name: 'barcode', label: 'Barcode', need: 'unless_dropped' },
  { name: 'tax_pct', label: 'VAT', need: 'may' },
] as const

const theirs = ['SKU', 'Title', 'EAN', 'colour']

test('the guess of the server fills the choices; what it did not know stays open', () => {
  expect(choicesOf(theirs, { product: 'SKU', barcode: 'EAN' }, ours)).toEqual({ SKU: 'product', Title: '', EAN: 'barcode', colour: '' })
  expect(choicesOf(theirs, { product: 'SKU', colour: '-' }, ours)).toMatchObject({ colour: '-' })
})

test('a column with our own name is that column, unless the mapping says otherwise', () => {
  expect(choicesOf(['product', 'name', 'colour'], {}, ours)).toEqual({ product: 'product', name: 'name', colour: '' })
  expect(choicesOf(['product', 'name', 'barcode'], { product: 'name', barcode: '-' }, ours)).toEqual({ product: '', name: 'product', barcode: '-' })
})

test('one of our columns comes from one of theirs only', () => {
  const choices = choose({ SKU: 'product', Title: '', EAN: '', colour: '' }, 'EAN', 'product')
  expect(choices).toEqual({ SKU: '', Title: '', EAN: 'product', colour: '' })
  expect(choose(choose(choices, 'SKU', '-'), 'Title', '-')).toMatchObject({ SKU: '-', Title: '-' })
})

test('says what is missing, what is left to defaults, and what has no answer yet', () => {
  const gaps = gapsOf({ SKU: 'product', Title: '', EAN: '', colour: '-' }, ours)
  expect(gaps.missing.map((c) => c.name)).toEqual(['name'])
  expect(gaps.left.map((c) => c.name)).toEqual(['barcode'])
  expect(gaps.unchosen).toEqual(['Title', 'EAN'])
})

test('sends ours → theirs, and what is left out on either side', () => {
  expect(mappingOf({ SKU: 'product', Title: 'name', EAN: '-', colour: '-' }, ours)).toEqual({ product: 'SKU', name: 'Title', EAN: '-', colour: '-', barcode: '-' })
})

test('a column of theirs that has the name of another one of ours is mapped, not dropped', () => {
  // their "name" holds the code, and our "barcode" is theirs too
  expect(mappingOf({ name: 'product', barcode: 'name' }, ours)).toEqual({ product: 'name', name: 'barcode', barcode: '-' })
})
