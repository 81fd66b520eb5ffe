// The one source of every colour, size and space. CSS reads them as --zg-*, antd through theme.tsx,
// charts through useTokens(). Contrast is held by tokens.test.ts (WCAG AA).

const light = {
  // paper: behind everything; sheet: what is written on; sunk: heads, wells; float: menus, panels
  paper: '#F8F5F1',
  sheet: '#FFFFFF',
  sunk: '#F2EEE8',
  float: '#FFFFFF',
  hover: '#F5F1EB',
  line: '#E5DFD6',
  lineStrong: '#8E8578',
  ink: '#26221E',
  ink2: '#574F46',
  ink3: '#6E665B',
  // vermilion marks the one primary action and the current place, nothing else
  accent: '#C23B22',
  accentHover: '#A9321C',
  accentInk: '#FFFFFF',
  // green = in order, amber = soon, red = now; always with an icon or a word beside
  green: '#2A7348',
  greenSoft: '#E7F3EB',
  amber: '#865800',
  amberSoft: '#FBF1DB',
  red: '#A8201A',
  redSoft: '#FBE9E6',
  // chart series, in order of use; the comparison is always drawn in `compare`
  series1: '#226A8F',
  series2: '#8A6418',
  series3: '#4F7440',
  series4: '#7A5486',
  compare: '#857C70',
  band: '#226A8F26',
  shadow: '0 6px 24px rgb(38 34 30 / 14%), 0 1px 3px rgb(38 34 30 / 10%)',
}

export type Palette = typeof light

const dark: Palette = {
  paper: '#161412',
  sheet: '#1F1C19',
  sunk: '#191714',
  float: '#282420',
  hover: '#282420',
  line: '#37322C',
  lineStrong: '#857C70',
  ink: '#F1EDE7',
  ink2: '#C6BEB2',
  ink3: '#A1988B',
  accent: '#C23B22',
  accentHover: '#D4492F',
  accentInk: '#FFFFFF',
  green: '#74C594',
  greenSoft: '#1B2E22',
  amber: '#E2B34F',
  amberSoft: '#33290F',
  red: '#F18D83',
  redSoft: '#3C1C19',
  series1: '#6FB4D6',
  series2: '#D3A95A',
  series3: '#9BC28A',
  series4: '#C49AD1',
  compare: '#9A9184',
  band: '#6FB4D62E',
  shadow: '0 8px 28px rgb(0 0 0 / 55%), 0 1px 3px rgb(0 0 0 / 40%)',
}

export const palettes = { light, dark }
export type ThemeName = keyof typeof palettes

export const space = { xs: 4, s: 8, m: 12, l: 16, xl: 24 } as const
export const size = { note: 12, body: 14, lead: 16, title: 20, figure: 28 } as const
export const radius = 6
export const row = { office: 36, phone: 44, till: 48 } as const

export const fontFamily =
  '-apple-system, BlinkMacSystemFont, "PingFang SC", "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei UI", "Microsoft YaHei", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
export const monoFamily = 'ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "Noto Sans Mono CJK SC", monospace'

const kebab = (name: string) => name.replace(/([A-Z]|\d)/g, '-$1').toLowerCase()

function block(selector: string, palette: Palette): string {
  const lines = Object.entries(palette).map(([name, value]) => `--zg-${kebab(name)}:${value}`)
  return `${selector}{${lines.join(';')}}`
}

/** CSS text of all tokens; both palettes have the same names. */
export function tokenSheet(): string {
  const sizes = [
    ...Object.entries(space).map(([name, px]) => `--zg-space-${name}:${px}px`),
    ...Object.entries(size).map(([name, px]) => `--zg-size-${name}:${px}px`),
    ...Object.entries(row).map(([name, px]) => `--zg-row-${name}:${px}px`),
    `--zg-radius:${radius}px`,
    `--zg-font:${fontFamily}`,
    `--zg-mono:${monoFamily}`,
  ]
  return `:root{${sizes.join(';')}}${block(':root', light)}${block(':root[data-theme="dark"]', dark)}`
}

/** Puts the tokens into the page once. */
export function installTokens(): void {
  if (document.getElementById('zg-tokens')) return
  const style = document.createElement('style')
  style.id = 'zg-tokens'
  style.textContent = tokenSheet()
  document.head.prepend(style)
}
