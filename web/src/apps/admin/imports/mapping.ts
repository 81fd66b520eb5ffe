import type { ImportColumn } from '@kit'

/** For each column of the file: our column, '-' to leave it out, '' not chosen yet. */
export type Choices = Record<string, string>

/** The server's mapping (ours → theirs, theirs → "-") as a choice per column of the file. */
export function choicesOf(columns: readonly string[], mapping: Readonly<Record<string, string>>, ours: readonly ImportColumn[]): Choices {
  const choices: Choices = Object.fromEntries(columns.map((c) => [c, '']))
  for (const [key, value] of Object.entries(mapping)) {
    if (value === '-' && key in choices) choices[key] = '-'
    else if (value in choices && ours.some((o) => o.name === key)) choices[value] = key
  }
  // A column that has our own name needs no mapping, so the server names none.
  const used = new Set(Object.values(choices))
  for (const c of columns) if (choices[c] === '' && !used.has(c) && mapping[c] === undefined && ours.some((o) => o.name === c)) choices[c] = c
  return choices
}

/** One of our columns comes from one of theirs: choosing it again takes it from where it was. */
export function choose(choices: Choices, theirs: string, ours: string): Choices {
  const next = { ...choices }
  if (ours !== '-' && ours !== '') for (const [other, was] of Object.entries(next)) if (was === ours) next[other] = ''
  next[theirs] = ours
  return next
}

/** What is sent: also that a column of ours is left out on purpose. */
export function mappingOf(choices: Choices, ours: readonly ImportColumn[]): Record<string, string> {
  const mapping: Record<string, string> = {}
  const used = new Set(Object.values(choices))
  for (const o of ours) if (o.need === 'unless_dropped' && !used.has(o.name)) mapping[o.name] = '-'
  for (const [theirs, chosen] of Object.entries(choices)) {
    if (chosen === '-') mapping[theirs] = '-'
    else if (chosen !== '') mapping[chosen] = theirs
  }
  return mapping
}

export interface Gaps {
  missing: ImportColumn[] // needed, and not there
  left: ImportColumn[] // would be good, left to defaults
  unchosen: string[] // columns of the file without an answer
}

export function gapsOf(choices: Choices, ours: readonly ImportColumn[]): Gaps {
  const used = new Set(Object.values(choices))
  return {
    missing: ours.filter((o) => o.need === 'must' && !used.has(o.name)),
    left: ours.filter((o) => o.need === 'unless_dropped' && !used.has(o.name)),
    unchosen: Object.entries(choices).filter(([, chosen]) => chosen === '').map(([theirs]) => theirs),
  }
}
