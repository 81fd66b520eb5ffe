import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fillIn, firstLang } from './i18n'

const root = join(import.meta.dirname, '..')
const han = /[\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef]/

function files(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name)
    return statSync(path).isDirectory() ? files(path) : [path]
  })
}

const sources = files(root).filter((f) => /\.tsx?$/.test(f) && !/\.test\.tsx?$/.test(f))
const isWords = (lang: string) => (f: string) => f.endsWith(`/${lang}.ts`) || f.endsWith(`.${lang}.ts`)
const modules = import.meta.glob<{ default: Record<string, string> }>(['../**/zh.ts', '../**/*.zh.ts', '../**/en.ts', '../**/*.en.ts'], { eager: true })
const chinese = Object.keys(modules).filter(isWords('zh'))

const names = (s: string) => [...s.matchAll(/\{(\w+)/g)].map((m) => m[1]).sort().filter((n, i, all) => all.indexOf(n) === i)

test('there are words to look at', () => {
  expect(chinese.length).toBeGreaterThan(3)
  expect(sources.filter(isWords('zh')).length).toBe(chinese.length)
})

describe.each(chinese)('%s', (path) => {
  const zh = modules[path]!.default
  const en = modules[path.replace(/zh\.ts$/, 'en.ts')]?.default

  test('has an English twin with the same keys', () => {
    expect(en, 'no en.ts beside it').toBeDefined()
    expect(Object.keys(en ?? {}).sort()).toEqual(Object.keys(zh).sort())
  })

  test('says something everywhere, and fills in the same names', () => {
    for (const key of Object.keys(zh)) {
      expect(zh[key]?.trim(), key).not.toBe('')
      expect(en?.[key]?.trim(), key).not.toBe('')
      expect(names(en?.[key] ?? ''), key).toEqual(names(zh[key] ?? ''))
    }
  })

  test('English has no Chinese in it', () => {
    expect(Object.entries(en ?? {}).filter(([, word]) => han.test(word))).toEqual([])
  })

  test('Chinese is set with Chinese punctuation', () => {
    expect(Object.entries(zh).filter(([, word]) => /[\u4e00-\u9fff][,:;?!]|[,;?!][\u4e00-\u9fff]/.test(word))).toEqual([])
  })
})

test('every word on the screens comes from a words file', () => {
  const strays = sources
    .filter((f) => !isWords('zh')(f))
    .filter((f) => han.test(readFileSync(f, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')))
    .map((f) => relative(root, f))
    // not words of a screen: the characters that people may type for a number
    .filter((f) => f !== 'kit/format.ts')
  expect(strays).toEqual([])
})

test('a number chooses its English plural', () => {
  expect(fillIn('{n} {n:day|days}', { n: 1 })).toBe('1 day')
  expect(fillIn('{n} {n:day|days}', { n: 0 })).toBe('0 days')
  expect(fillIn('{a} and {b}', { a: 'x' })).toBe('x and {b}')
})

test('the language of the house is Chinese, unless chosen or the browser has none', () => {
  expect(firstLang(null, [])).toBe('zh')
  expect(firstLang(null, ['en-GB', 'zh-HK'])).toBe('zh')
  expect(firstLang(null, ['en-US', 'de'])).toBe('en')
  expect(firstLang(null, ['de'])).toBe('zh')
  expect(firstLang('en', ['zh-CN'])).toBe('en')
})
