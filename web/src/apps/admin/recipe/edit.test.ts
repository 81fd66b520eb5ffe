import { expect, test } from 'vitest'
import { faultsOf, lossOf, newPart, newSub, percentOf, rowOnScreen, type Part } from './edit'

const says = { required: 'required', qty: 'qty', loss: 'loss', twice: 'twice', none: 'none', share: 'share', whole: 'whole' }
const part = (key: number, more: Partial<Part> = {}): Part => ({ ...newPart(key), product_id: String(key), qty: '50', unit: 'g', ...more })

test('a loss goes to percent and back without a rounding', () => {
  for (const [share, percent] of [['0', '0'], ['0.03', '3'], ['0.035', '3.5'], ['0.000001', '0.0001'], ['0.999999', '99.9999'], ['0.1', '10'], ['0.3', '30']] as const) {
    expect(percentOf(share), share).toBe(percent)
    expect(lossOf(percent)).toBe(`${percent}%`)
  }
  expect(lossOf(' 3 % ')).toBe('3%')
  for (const bad of ['', '100', '-1', '3.', '1e1', '0.00001', '3,5', '%']) expect(lossOf(bad), bad).toBeUndefined()
})

test('what is wrong with a row is said at its field', () => {
  expect(faultsOf([part(1), part(2)], says)).toEqual({})
  expect(faultsOf([part(1), newPart(9)], says)).toEqual({})
  expect(faultsOf([newPart(9)], says)).toEqual({ components: 'none' })
  expect(faultsOf([part(1), newPart(9), part(1, { qty: '0', loss: '' }), part(3, { qty: '' }), part(4, { product_id: '' })], says)).toEqual({
    'components[2].product_id': 'twice', 'components[2].qty': 'qty', 'components[2].loss': 'loss', 'components[3].qty': 'required', 'components[4].product_id': 'required',
  })
})

test('a refused row is found again among rows that were not sent', () => {
  const parts = [newPart(8), part(1), newPart(9), part(2)]
  expect(rowOnScreen('components[0].qty', parts)).toBe('components[1].qty')
  expect(rowOnScreen('components[1].loss', parts)).toBe('components[3].loss')
  expect(rowOnScreen('components', parts)).toBe('components')
  expect(rowOnScreen('components[7].qty', parts)).toBe('components[7].qty')
})

test('what is wrong with a substitute is said at its field', () => {
  const sub = { ...newSub(7), product_id: '7', unit: 'g' }
  expect(faultsOf([part(1, { options: [sub] })], says)).toEqual({})
  expect(faultsOf([part(1, { share: '60', options: [{ ...sub, share: '40' }] })], says)).toEqual({})
  expect(faultsOf([part(1, { share: '60', options: [{ ...sub, share: '30' }] })], says)).toEqual({ 'components[0].share': 'whole' })
  expect(faultsOf([part(1), part(2, { least: '', options: [sub, { ...sub, product_id: '', qty: '0', for_qty: '', most: '101' }] })], says)).toEqual({
    'components[1].least': 'share', 'components[1].options[1].product_id': 'required', 'components[1].options[1].qty': 'qty', 'components[1].options[1].for_qty': 'required', 'components[1].options[1].most': 'share',
  })
})
