import { shopNow } from '@kit/shopClock'

/** The group's day, as the server has it. */
export const groupToday = (): string => new Date(shopNow() + 8 * 3_600_000).toISOString().slice(0, 10)

/** The lines that are shown when some are folded: what is deeper than a folded line, up to the next that is not. */
export function unfolded<L extends { level: number }>(lines: readonly L[], folded: ReadonlySet<number>): { line: L; at: number }[] {
  const shown: { line: L; at: number }[] = []
  let under = Infinity
  lines.forEach((line, at) => {
    if (line.level > under) return
    under = folded.has(at) ? line.level : Infinity
    shown.push({ line, at })
  })
  return shown
}

/** The version that holds on a day; versions come newest first. */
export const versionOn = <V extends { valid_from: string }>(versions: readonly V[], day: string): V | undefined => versions.find((v) => v.valid_from <= day)

/** What was typed as a quantity, as the server reads it: up to three decimals, above zero; else nothing. */
export function quantityOf(typed: string): string | undefined {
  const plain = typed.trim().replace(/,/g, '')
  return /^\d{1,9}(\.\d{1,3})?$/.test(plain) && Number(plain) > 0 ? plain : undefined
}
