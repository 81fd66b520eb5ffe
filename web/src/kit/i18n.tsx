import { createContext, useContext, useMemo, type ReactNode } from 'react'

// Words of a page live beside it: zh.ts (the master) and en.ts (typed to have the same keys and
// the same {names}). Chinese is the language of the house; English is complete.

export type Lang = 'zh' | 'en'
export const langs: readonly Lang[] = ['zh', 'en']
export const langTag: Record<Lang, string> = { zh: 'zh-CN', en: 'en' }
/** Each language named in itself, so that a lost reader finds the way back. */
export const langName: Record<Lang, string> = { zh: '\u4e2d\u6587', en: 'English' }

export type Words = Record<string, string>
/** What en.ts must look like: every key of zh.ts. */
export type SameKeys<W extends Words> = { [K in keyof W]: string }
export interface Text<W extends Words = Words> {
  zh: W
  en: SameKeys<W>
}

export function defineText<const W extends Words>(zh: W, en: SameKeys<W>): Text<W> {
  return { zh, en }
}

// "{n} {n:product|products}": {n} is filled in; {n:one|many} picks a word by number (English plurals).
type Name<S extends string> = S extends `${infer N}:${string}` ? N : S
type Names<S extends string> = S extends `${string}{${infer P}}${infer Rest}` ? Name<P> | Names<Rest> : never
type Fill<S extends string> = { [N in Names<S>]: string | number }
type Args<S extends string> = string extends S ? [fill?: Record<string, string | number>] : [Names<S>] extends [never] ? [] : [fill: Fill<S>]

export type T<W extends Words> = <K extends keyof W & string>(key: K, ...args: Args<W[K]>) => string

export function fillIn(pattern: string, fill: Record<string, string | number> = {}): string {
  return pattern.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = fill[name]
    if (value === undefined) return whole
    if (one === undefined) return String(value)
    return Number(value) === 1 ? one : (many ?? '')
  })
}

export function translator<W extends Words>(text: Text<W>, lang: Lang): T<W> {
  const words: Words = text[lang]
  return (key, ...args) => fillIn(words[key] ?? key, args[0])
}

interface LangValue {
  lang: Lang
  /** a choice made here, which stays */
  setLang: (lang: Lang) => void
  /** the person's own, where nothing was chosen here */
  adoptLang: (lang: Lang) => void
}
const LangContext = createContext<LangValue>({ lang: 'zh', setLang: () => {}, adoptLang: () => {} })

export function LangProvider(props: { lang: Lang; setLang: (lang: Lang) => void; adoptLang?: (lang: Lang) => void; children: ReactNode }) {
  const { lang, setLang, adoptLang = setLang } = props
  const value = useMemo(() => ({ lang, setLang, adoptLang }), [lang, setLang, adoptLang])
  return <LangContext.Provider value={value}>{props.children}</LangContext.Provider>
}

export const useLang = () => useContext(LangContext)

/** const t = useText(text); t('saved'), t('left', { n: 3 }): keys and names are checked by the compiler. */
export function useText<W extends Words>(text: Text<W>): T<W> {
  const { lang } = useLang()
  return useMemo(() => translator(text, lang), [text, lang])
}

/** zh unless the person chose otherwise, or the browser speaks no Chinese at all. */
export function firstLang(stored: string | null, browser: readonly string[]): Lang {
  if (stored === 'zh' || stored === 'en') return stored
  if (browser.length === 0 || browser.some((tag) => tag.toLowerCase().startsWith('zh'))) return 'zh'
  return browser.some((tag) => tag.toLowerCase().startsWith('en')) ? 'en' : 'zh'
}
