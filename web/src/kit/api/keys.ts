// The Idempotency-Key of an act is made and kept before the act is sent, and kept until the server
// has said yes or no. Until then the same act, tried again, even after a reload, carries the same
// key, so that it is done once. Kept per tab: two tabs are two people.

const prefix = 'zg.key.'
const keepFor = 24 * 3_600_000

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)) // randomUUID is missing on plain http in a shop's LAN
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
}

// FNV-1a, twice, to name an act in storage; the server compares the content itself.
function print(s: string): string {
  let a = 0x811c9dc5
  let b = 0x9e3779b1
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i)
    a = Math.imul(a ^ c, 0x01000193)
    b = Math.imul(b ^ c, 0x85ebca6b)
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36)
}

const memory = new Map<string, string>() // where storage is refused

function read(name: string): string | null {
  try {
    return sessionStorage.getItem(name)
  } catch {
    return memory.get(name) ?? null
  }
}

function write(name: string, value: string | null): void {
  try {
    if (value === null) sessionStorage.removeItem(name)
    else sessionStorage.setItem(name, value)
  } catch {
    if (value === null) memory.delete(name)
    else memory.set(name, value)
  }
}

/** The key of this act (who + route + content): the one that is still open, else a new one, kept. */
export function keyFor(act: string, now = Date.now()): { key: string; settle: () => void } {
  const name = prefix + print(act)
  const [kept, since] = (read(name) ?? '').split('@')
  const key = kept && now - Number(since) < keepFor ? kept : newKey()
  write(name, `${key}@${now}`)
  return { key, settle: () => write(name, null) }
}
