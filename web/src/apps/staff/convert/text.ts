import { defineText } from '@kit/i18n'
import en from './en'
import zh from './zh'

export const convertText = defineText(zh, en)
