import { defineText } from '@kit/i18n'
import en from './en'
import zh from './zh'

export const stockText = defineText(zh, en)
