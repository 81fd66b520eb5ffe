import { expect, test } from 'vitest'
import { palettes, tokenSheet, type Palette } from './tokens'

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

// [what, on what, at least]: 4.5 for words, 3 for lines that carry meaning (WCAG 2.1 AA)
const pairs: [keyof Palette, (keyof Palette)[], number][] = [
  ['ink', ['paper', 'sheet', 'sunk', 'float', 'hover', 'greenSoft', 'amberSoft', 'redSoft'], 4.5],
  ['ink2', ['paper', 'sheet', 'sunk', 'float', 'hover'], 4.5],
  ['ink3', ['paper', 'sheet', 'sunk', 'float', 'hover'], 4.5],
  ['accentInk', ['accent'], 4.5],
  ['accent', ['sheet', 'sunk'], 3],
  ['green', ['sheet', 'paper', 'greenSoft'], 4.5],
  ['amber', ['sheet', 'paper', 'amberSoft'], 4.5],
  ['red', ['sheet', 'paper', 'redSoft'], 4.5],
  ['series1', ['sheet'], 4.5],
  ['series2', ['sheet'], 4.5],
  ['series3', ['sheet'], 4.5],
  ['series4', ['sheet'], 4.5],
  ['compare', ['sheet'], 3],
  ['lineStrong', ['sheet', 'paper'], 3],
]

test.each(['light', 'dark'] as const)('every word can be read: %s', (theme) => {
  const p = palettes[theme]
  const bad = pairs.flatMap(([what, grounds, least]) =>
    grounds.filter((on) => contrast(p[what], p[on]) < least).map((on) => `${what} on ${on}: ${contrast(p[what], p[on]).toFixed(2)} < ${least}`))
  expect(bad).toEqual([])
})

test('the accent is the same vermilion by day and by night', () => {
  expect(palettes.light.accent).toBe('#C23B22')
  expect(palettes.dark.accent).toBe('#C23B22')
})

test('both themes fill the same names', () => {
  expect(Object.keys(palettes.dark)).toEqual(Object.keys(palettes.light))
  expect(tokenSheet()).toContain('--zg-series-1:')
  expect(tokenSheet()).toContain('--zg-line-strong:')
})
