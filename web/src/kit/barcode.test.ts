import { describe, expect, it } from 'vitest'
import { code128, ean13 } from './barcode'

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

describe('the bars of a document number', () => {
  // read back as a scanner does: widths to values, values to text, the check digit reckoned again
  const read = (bars: string): string => {
    const runs = bars.match(/1+|0+/g)!.map((r) => r.length)
    expect(runs.splice(-7)).toEqual([2, 3, 3, 1, 1, 1, 2])
    const values: number[] = []
    const known = new Map<string, number>()
    for (let v = 0; v < 95; v++) known.set(code128(String.fromCharCode(v + 32)).slice(11, 22), v)
    for (let i = 0; i < bars.length - 13; i += 11) values.push(known.get(bars.slice(i, i + 11)) ?? -1)
    expect(runs.length % 6).toBe(0)
    return values.slice(1, -1).map((v) => (v < 0 ? '?' : String.fromCharCode(v + 32))).join('')
  }
  it('says what was written', () => {
    expect(read(code128('PO-AB-C'))).toBe('PO-AB-C')
  })
  it('are those of the standard for a known code', () => {
    // set B, "A": value 33, check (104 + 33) mod 103 = 34
    expect(code128('A')).toBe('11010010000' + '10100011000' + '10001011000' + '1100011101011')
  })
  it('takes digits in pairs', () => {
    // set C, 12 34: check (105 + 12 + 2 * 34) mod 103 = 82
    expect(code128('1234')).toBe('11010011100' + '10110011100' + '10001011000' + '10010011110' + '1100011101011')
    expect(code128('385064281077325660')).toHaveLength(11 * (1 + 9 + 1) + 13)
  })
  it('are none for what a scanner cannot say', () => {
    expect(code128('\u5355\u53f7')).toBe('')
    expect(code128('')).toBe('')
  })
})
