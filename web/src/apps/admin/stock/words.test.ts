import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { movementWords } from './words'

interface Schema { enum?: string[]; properties?: Record<string, Schema>; $ref?: string }

// The reasons that the routes take are the ones that documents show: a new one without words would stand on paper as we spell it.
test('every reason and kind that a route takes has words in both languages', () => {
  const doc = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
    components: { schemas: Record<string, Schema> }
    paths: Record<string, { post?: { requestBody?: { content: Record<string, { schema: Schema }> } }; get?: { parameters?: { name: string; schema: Schema }[] } }>
  }
  const at = (s: Schema | undefined): Schema | undefined => (s?.$ref ? doc.components.schemas[s.$ref.split('/').pop() ?? ''] : s)
  const reasons = new Set<string>()
  const kinds = new Set<string>()
  for (const [path, { post, get }] of Object.entries(doc.paths)) {
    if (!path.startsWith('/api/stock/')) continue
    at(post?.requestBody?.content['application/json']?.schema)?.properties?.['reason']?.enum?.forEach((r) => reasons.add(r))
    if (path === '/api/stock/documents') get?.parameters?.find((p) => p.name === 'kind')?.schema.enum?.forEach((k) => kinds.add(k))
  }
  reasons.delete('')
  kinds.delete('')
  expect(reasons.size).toBeGreaterThan(15)
  for (const lang of ['zh', 'en'] as const) {
    const words = movementWords(lang)
    expect([...reasons].filter((r) => words.reason(r) === r)).toEqual([])
    expect([...kinds].filter((k) => words.document(k) === k)).toEqual([])
  }
})
