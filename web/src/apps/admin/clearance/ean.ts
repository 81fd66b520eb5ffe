// The bars of an EAN-13 (GS1 General Specifications, 5.2.1): 95 modules as 0 and 1.
const left = ['0001101', '0011001', '0010011', '0111101', '0100011', '0110001', '0101111', '0111011', '0110111', '0001011']
const parity = ['000000', '001011', '001101', '001110', '010011', '011001', '011100', '010101', '010110', '011010']

const inverted = (bits: string): string => bits.replace(/[01]/g, (b) => (b === '0' ? '1' : '0'))
const reversed = (bits: string): string => [...bits].reverse().join('')

export function ean13(code: string): string {
  if (!/^\d{13}$/.test(code)) return ''
  const digits = [...code].map(Number)
  const odd = parity[digits[0]!]!
  const first = digits.slice(1, 7).map((d, i) => (odd[i] === '0' ? left[d]! : reversed(inverted(left[d]!))))
  const second = digits.slice(7).map((d) => inverted(left[d]!))
  return `101${first.join('')}01010${second.join('')}101`
}
