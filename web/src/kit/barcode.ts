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

// Code 128 (ISO/IEC 15417): widths of bar, space, bar, space, bar, space of the values 0 to 105, then the stop.
const widths = ('212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 123221 ' +
  '223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 ' +
  '132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 ' +
  '312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 ' +
  '241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 ' +
  '411311 113141 114131 311141 411131 211412 211214 211232 2331112').split(' ')
const startB = 104
const startC = 105
const toC = 99
const stop = 106

/** The bars of printable ASCII as 0 and 1; digits in pairs where that is shorter. Empty for anything else. */
export function code128(text: string): string {
  if (!/^[ -~]{1,80}$/.test(text)) return ''
  const values: number[] = []
  const run = (from: number) => /^\d*/.exec(text.slice(from))![0].length
  let at = 0
  let pairs = run(0) === text.length ? text.length % 2 === 0 : run(0) >= 4
  values.push(pairs ? startC : startB)
  while (at < text.length) {
    if (pairs && run(at) >= 2) {
      values.push(Number(text.slice(at, at + 2)))
      at += 2
    } else if (pairs) {
      values.push(100) // to set B
      pairs = false
    } else if (run(at) >= 6 && run(at) % 2 === 0) {
      values.push(toC)
      pairs = true
    } else {
      values.push(text.charCodeAt(at) - 32)
      at++
    }
  }
  const check = values.reduce((sum, v, i) => sum + v * Math.max(1, i), 0) % 103
  return [...values, check, stop].map((v) => [...widths[v]!].map((w, i) => (i % 2 === 0 ? '1' : '0').repeat(Number(w))).join('')).join('')
}
