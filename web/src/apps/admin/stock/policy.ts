interface Scope { product_id: string; category_id: string; site_id: string; channel: string }

/** The rule in force for exactly these goods, this site and this channel: a new one takes its place. */
export const inForce = <P extends Scope & { ended_at: string }>(rows: readonly P[], s: Scope): P | undefined =>
  rows.find((p) => !p.ended_at && (p.product_id || '') === s.product_id && (p.category_id || '') === s.category_id && (p.site_id || '') === s.site_id && p.channel === s.channel)

/** Hours as typed ("36", "0.5"), in whole minutes up to ten years; nothing typed is none; else undefined. */
export function minutesOf(hours: string): number | undefined {
  const typed = hours.trim()
  if (typed === '') return 0
  if (!/^\d{1,5}(\.\d{1,2})?$/.test(typed)) return undefined
  const minutes = Math.round(Number(typed) * 60)
  return minutes <= 3650 * 24 * 60 ? minutes : undefined
}
