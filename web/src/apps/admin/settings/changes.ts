/** How one value of a document is said; undefined leaves it out. */
export type Say = (field: string, value: unknown) => string | undefined

/** What differs between two states of a document, field by field. Ids of the document itself say nothing. */
export function changes(before: unknown, after: unknown, say: Say): { field: string; before: string; after: string }[] {
  const a = fieldsOf(before)
  const b = fieldsOf(after)
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((field) => field !== 'id').flatMap((field) => {
    const was = a[field] === undefined ? '' : say(field, a[field])
    const is = b[field] === undefined ? '' : say(field, b[field])
    return was === undefined || is === undefined || was === is ? [] : [{ field, before: was, after: is }]
  })
}

/** A list on its own (a person's rights) is the one field "grants". */
function fieldsOf(state: unknown): Record<string, unknown> {
  if (Array.isArray(state)) return { grants: state }
  return typeof state === 'object' && state !== null ? (state as Record<string, unknown>) : {}
}
