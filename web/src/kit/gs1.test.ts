import { expect, test } from 'vitest'
import { isSeparatorKey, sendable } from './gs1'

test('what separates the fields of a GS1 symbol is sent as its picture, which an address can carry', () => {
  expect(sendable(']C1010690123456789210L1\x1d21SN7')).toBe(']C1010690123456789210L1\u241d21SN7')
  expect(sendable('6901234567892')).toBe('6901234567892')
})

test('scanners that type press Ctrl and ] for it', () => {
  const key = (key: string, ctrlKey = false, altKey = false) => isSeparatorKey({ key, ctrlKey, altKey, metaKey: false })
  expect([key(']', true), key('\x1d')]).toEqual([true, true])
  expect([key(']'), key(']', true, true), key('z', true)]).toEqual([false, false, false])
})
