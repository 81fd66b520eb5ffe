import { Segmented } from 'antd'
import { langName, langs, useLang, useText } from './i18n'
import { useTheme, type ThemeChoice } from './theme'
import { kitText } from './words'

export function LangChoice() {
  const { lang, setLang } = useLang()
  const t = useText(kitText)
  return <Segmented size="small" aria-label={t('language')} value={lang} onChange={setLang} options={langs.map((value) => ({ value, label: langName[value] }))} />
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
