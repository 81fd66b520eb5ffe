import { defineText } from './i18n'
import zh from './words/kit.zh'
import en from './words/kit.en'

export const kitText = defineText(zh, en)
