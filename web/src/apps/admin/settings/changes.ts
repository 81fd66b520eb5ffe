/** What differs between two states of a document, field by field; nested ones by their path. */
export function changes(before: unknown, after: unknown): { field: string; before: string; after: string }[] {
  const a = flat(before)
  const b = flat(after)
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((field) => a.get(field) !== b.get(field))
    .map((field) => ({ field, before: a.get(field) ?? '', after: b.get(field) ?? '' }))
}

function flat(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (value === null || value === undefined) return into
  if (Array.isArray(value) && value.every((v) => typeof v !== 'object')) into.set(path, value.join(' '))
  else if (typeof value === 'object') for (const [key, v] of Object.entries(value)) flat(v, path === '' ? key : `${path}.${key}`, into)
  else into.set(path, String(value))
  return into
}
