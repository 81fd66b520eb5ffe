import { Segmented } from 'antd'
import { langName, langs, useLang, useText, type Lang } from './i18n'
import { useTheme, type ThemeChoice } from './theme'
import { kitText } from './words'

/** `chosen` hears of a choice, to keep it for the person beyond this browser. */
export function LangChoice(props: { chosen?: (lang: Lang) => void }) {
  const { lang, setLang } = useLang()
  const t = useText(kitText)
  return <Segmented<Lang> size="small" aria-label={t('language')} value={lang} onChange={(next) => { setLang(next); props.chosen?.(next) }} options={langs.map((value) => ({ value, label: langName[value] }))} />
}

export function ThemeChoiceSwitch() {
  const { choice, choose } = useTheme()
  const t = useText(kitText)
  return (
    <Segmented<ThemeChoice>
      size="small" aria-label={t('theme')} value={choice} onChange={choose}
      options={[
        { value: 'system', label: t('theme_system') },
        { value: 'light', label: t('theme_light') },
        { value: 'dark', label: t('theme_dark') },
      ]}
    />
  )
}
