import { describe, expect, it } from 'vitest'
import { ean13 } from './ean'

describe('the bars of a label', () => {
  it('are those of the standard for a known code', () => {
    // 4006381333931: parity of a leading 4 is LGLLGG
    expect(ean13('4006381333931')).toBe(
      '101' + '0001101' + '0100111' + '0101111' + '0111101' + '0001001' + '0110011' + '01010' + '1000010' + '1000010' + '1000010' + '1110100' + '1000010' + '1100110' + '101')
  })
  it('are none for what is no code', () => {
    expect(ean13('29123')).toBe('')
  })
  it('are 95 wide', () => {
    expect(ean13('2900000000018')).toHaveLength(95)
  })
})
