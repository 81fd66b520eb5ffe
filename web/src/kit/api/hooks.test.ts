import { describe, expect, it } from 'vitest'
import { everyPage } from './hooks'

describe('everyPage', () => {
  const shelf = Array.from({ length: 250 }, (_, i) => i)
  const page = (after: string | undefined) => {
    const from = Number(after ?? 0)
    return Promise.resolve({ items: shelf.slice(from, from + 100), ...(from + 100 < shelf.length ? { next: String(from + 100) } : {}) })
  }

  it('gives every row of every page once', async () => {
    expect(await everyPage(page)).toEqual(shelf)
  })

  it('gives nothing for a list without rows', async () => {
    expect(await everyPage(() => Promise.resolve({ items: null }))).toEqual([])
  })

  it('passes on what a page was refused for', async () => {
    await expect(everyPage((after) => (after ? Promise.reject(new Error('closed')) : page(after)))).rejects.toThrow('closed')
  })

  it('ends though a list never would', async () => {
    expect((await everyPage(() => Promise.resolve({ items: [1], next: 'x' }))).length).toBe(50)
  })
})
