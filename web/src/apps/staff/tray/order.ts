import type { Clearance, Tone } from '@kit'

/** What a batch needs of the person at the shelf. */
export type Need = 'take_off' | 'off' | 'free_one' | 'markdown' | 'watch'

export const needs: readonly Need[] = ['take_off', 'free_one', 'markdown', 'watch', 'off']

/** Over its time and still counted here: to be taken off and written off. Over and written off: only gone from the shelf. */
export function needOf(b: Pick<Clearance, 'phase' | 'free_one' | 'depth' | 'expires_at' | 'left' | 'held' | 'write_off_id'>, now: number): Need {
  if (b.phase === 'expired' || Date.parse(b.expires_at) <= now) return b.write_off_id === '' && Number(b.left) + Number(b.held) > 0 ? 'take_off' : 'off'
  if (b.free_one) return 'free_one'
  return b.depth > 0 ? 'markdown' : 'watch'
}

/** Red: now, or gone within the last fifth of an hour; amber: the last two hours, or for less; else in order. */
export function toneOf(b: Parameters<typeof needOf>[0], now: number): Tone {
  const need = needOf(b, now)
  const left = Date.parse(b.expires_at) - now
  if (need === 'off') return 'plain'
  if (need === 'take_off' || left <= 12 * 60_000) return 'red'
  return left <= 2 * 3_600_000 || need !== 'watch' ? 'amber' : 'green'
}

/** Of a list of the most urgent first: those that sold out are nobody's business, those just written off come last. */
export function onTray<B extends Parameters<typeof needOf>[0]>(batches: readonly B[], now: number): B[] {
  const open = batches.filter((b) => needOf(b, now) !== 'off' && Number(b.left) + Number(b.held) > 0)
  return open.sort((a, b) => Date.parse(a.expires_at) - Date.parse(b.expires_at))
}

/** Taken off by the clock within the last hour, the latest first. */
export function justOff<B extends Parameters<typeof needOf>[0]>(batches: readonly B[], now: number): B[] {
  return batches.filter((b) => needOf(b, now) === 'off' && b.write_off_id !== '' && now - Date.parse(b.expires_at) <= 3_600_000)
    .sort((a, b) => Date.parse(b.expires_at) - Date.parse(a.expires_at))
}

/** What comes next of a batch, and when. */
export function nextOf(b: Pick<Clearance, 'next_at' | 'expires_at' | 'free_at' | 'first_at' | 'phase' | 'reason'>): { step: 'end' | 'free' | 'first' | 'look'; at: string } | undefined {
  if (!b.next_at || b.phase === 'expired') return undefined
  if (b.reason === 'no_price') return { step: 'end', at: b.expires_at } // what is not sold has no price to look at
  const same = (other: string) => other !== '' && Date.parse(other) === Date.parse(b.next_at)
  if (same(b.expires_at)) return { step: 'end', at: b.next_at }
  if (same(b.free_at)) return { step: 'free', at: b.next_at }
  return { step: same(b.first_at) ? 'first' : 'look', at: b.next_at }
}
