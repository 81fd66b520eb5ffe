// Quantities are decimal strings with at most three decimals; here they are counted in thousandths.

const mostThousandths = 9_999_999_999

/** "0.25" → 250; undefined when it is no quantity above zero with at most three decimals. */
export function parseQty(input: string): number | undefined {
  const match = /^(\d{1,7})(?:\.(\d{0,3}))?$/.exec(plain(input))
  if (!match) return undefined
  const value = Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0'))
  return value > 0 && value <= mostThousandths ? value : undefined
}

/** 250 → "0.25" */
export function qtyText(thousandths: number): string {
  const whole = Math.floor(thousandths / 1000)
  const rest = String(thousandths % 1000).padStart(3, '0').replace(/0+$/, '')
  return rest ? `${whole}.${rest}` : String(whole)
}

/** A quantity of the base unit, as the server writes it ("25350.5"), in thousandths of a unit that is num/den of it. */
export function inUnit(base: string, unit: { num: number; den: number }): number {
  const match = /^(-?)(\d+)(?:\.(\d{1,3}))?$/.exec(base)
  if (!match || match[1]) return 0
  const thousandths = BigInt(match[2] ?? '0') * 1000n + BigInt((match[3] ?? '').padEnd(3, '0'))
  return Number((thousandths * BigInt(unit.den)) / BigInt(unit.num))
}

/** What a line will come to, half up; the server's quote is what counts. */
export function roughAmount(priceFen: number, thousandths: number): number {
  return Number((BigInt(priceFen) * BigInt(thousandths) + 500n) / 1000n)
}

/** Full-width digits and signs, which an input method leaves on, become plain ones. */
export function plain(input: string): string {
  return input.normalize('NFKC').replace(/\u3002/g, '.').trim()
}

/** What an amount will buy, in thousandths of the unit; the server knows the step of the scale. */
export function roughBuys(amountFen: number, priceFen: number): number {
  return priceFen > 0 ? Number((BigInt(amountFen) * 2000n + BigInt(priceFen)) / (2n * BigInt(priceFen))) : 0
}
