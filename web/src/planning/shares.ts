/** "0.035" → "3.5", exactly. */
export function percentOf(share: string): string {
  const [whole = '', frac = ''] = share.split('.')
  const digits = frac.padEnd(2, '0')
  const tail = digits.slice(2).replace(/0+$/, '')
  return `${(whole + digits.slice(0, 2)).replace(/^0+(?=\d)/, '')}${tail ? `.${tail}` : ''}`
}

/** A share as typed, in percent with up to four decimals and at most a hundred, as the server reads it; else nothing. */
export function shareOf(typed: string): string | undefined {
  const plain = typed.trim().replace(/\s*%$/, '')
  if (/^100(\.0{1,4})?$/.test(plain)) return '100%'
  return /^\d{1,2}(\.\d{1,4})?$/.test(plain) ? `${plain}%` : undefined
}
