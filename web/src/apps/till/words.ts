import { defineText } from '@kit/i18n'
import zh from './zh'
import en from './en'

export const tillText = defineText(zh, en)
