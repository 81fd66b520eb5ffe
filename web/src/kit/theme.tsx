import { App as AntApp, ConfigProvider, theme as antTheme, type ThemeConfig } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import dayjs from 'dayjs'
import 'dayjs/locale/zh-cn'
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { setClientLang } from './api'
import { firstLang, LangProvider, langTag, type Lang } from './i18n'
import { fontFamily, palettes, radius, row, type Palette, type ThemeName } from './tokens'

export type ThemeChoice = ThemeName | 'system'
/** office: 32 px controls for mouse and keyboard; touch: 48 px targets for the till and tablets. */
export type Density = 'office' | 'touch'

function kept(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    // storage refused: the choice lasts as long as the page
  }
}

const ThemeContext = createContext<{ theme: ThemeName; choice: ThemeChoice; choose: (choice: ThemeChoice) => void; palette: Palette }>({
  theme: 'light', choice: 'system', choose: () => {}, palette: palettes.light,
})

/** The theme on screen, the person's choice, and the colours for what CSS cannot reach (charts). */
export const useTheme = () => useContext(ThemeContext)

// antd paints selected and focused parts in its primary colour. Ours is ink: vermilion is kept for
// the primary button alone (and for the current place, which the shell marks).
function antTokens(theme: ThemeName, density: Density): ThemeConfig {
  const p = palettes[theme]
  const touch = density === 'touch'
  return {
    algorithm: theme === 'dark' ? antTheme.darkAlgorithm : antTheme.defaultAlgorithm,
    cssVar: { key: 'zg' },
    hashed: false,
    token: {
      colorPrimary: p.ink2,
      colorInfo: p.series1,
      colorSuccess: p.green,
      colorWarning: p.amber,
      colorError: p.red,
      colorLink: p.ink,
      colorLinkHover: p.ink2,
      colorText: p.ink,
      colorTextSecondary: p.ink2,
      colorTextTertiary: p.ink3,
      colorTextPlaceholder: p.ink3,
      colorBgLayout: p.paper,
      colorBgContainer: p.sheet,
      colorBgElevated: p.float,
      colorBorder: p.lineStrong,
      colorBorderSecondary: p.line,
      fontFamily,
      fontSize: touch ? 16 : 14,
      borderRadius: radius,
      borderRadiusLG: radius,
      borderRadiusSM: 4,
      controlHeight: touch ? row.till : 32,
      controlHeightLG: touch ? 56 : 40,
      boxShadow: p.shadow,
      boxShadowSecondary: p.shadow,
      // what waits for the end of a movement must not wait where nothing moves
      motion: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      motionDurationMid: '0.12s',
      motionDurationSlow: '0.18s',
      wireframe: false,
    },
    components: {
      Button: {
        colorPrimary: p.accent,
        colorPrimaryHover: p.accentHover,
        colorPrimaryActive: p.accentHover,
        primaryColor: p.accentInk,
        primaryShadow: 'none',
        defaultShadow: 'none',
        dangerShadow: 'none',
        fontWeight: 500,
        defaultHoverColor: p.ink,
        defaultHoverBorderColor: p.ink,
        defaultHoverBg: p.hover,
        defaultActiveColor: p.ink,
        defaultActiveBorderColor: p.ink,
        defaultActiveBg: p.sunk,
      },
      Input: { activeShadow: 'none' },
      Select: { optionSelectedBg: p.sunk, optionActiveBg: p.hover },
      Tooltip: { colorBgSpotlight: p.ink, colorTextLightSolid: p.paper },
    },
  }
}

export function ThemeProvider(props: { density?: Density; fixed?: ThemeName; children: ReactNode }) {
  const [lang, setLangState] = useState<Lang>(() => firstLang(kept('zg.lang'), navigator.languages ?? []))
  const [choice, setChoice] = useState<ThemeChoice>(() => {
    const value = kept('zg.theme')
    return value === 'light' || value === 'dark' ? value : 'system'
  })
  const [systemDark, setSystemDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)

  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const follow = () => setSystemDark(query.matches)
    query.addEventListener('change', follow)
    return () => query.removeEventListener('change', follow)
  }, [])

  const theme: ThemeName = props.fixed ?? (choice === 'system' ? (systemDark ? 'dark' : 'light') : choice)
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
    document.documentElement.style.colorScheme = theme
  }, [theme])

  setClientLang(langTag[lang]) // before any child reads
  useEffect(() => {
    document.documentElement.lang = langTag[lang]
    dayjs.locale(lang === 'zh' ? 'zh-cn' : 'en')
  }, [lang])

  const setLang = useCallback((next: Lang) => {
    keep('zg.lang', next)
    setLangState(next)
  }, [])
  const adoptLang = useCallback((next: Lang) => {
    if (kept('zg.lang') === null) setLangState(next)
  }, [])
  const choose = useCallback((next: ThemeChoice) => {
    keep('zg.theme', next === 'system' ? null : next)
    setChoice(next)
  }, [])

  const value = useMemo(() => ({ theme, choice, choose, palette: palettes[theme] }), [theme, choice, choose])
  const config = useMemo(() => antTokens(theme, props.density ?? 'office'), [theme, props.density])
  return (
    <LangProvider lang={lang} setLang={setLang} adoptLang={adoptLang}>
      <ThemeContext.Provider value={value}>
        <ConfigProvider theme={config} locale={lang === 'zh' ? zhCN : enUS} button={{ autoInsertSpace: false }}>
          <AntApp className="zg-app">{props.children}</AntApp>
        </ConfigProvider>
      </ThemeContext.Provider>
    </LangProvider>
  )
}
