import { createContext } from 'react'
import type { Lang, Text } from './i18n'
import type { PageDef } from './Shell'

/** The pages that the finder can go to; given by the shell. */
export const FinderPages = createContext<{ pages: readonly PageDef[]; text: Text; lang: Lang }>({ pages: [], text: { zh: {}, en: {} }, lang: 'zh' })
