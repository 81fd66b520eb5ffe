import { defineText } from '@kit'
import en from './en'
import zh from './zh'

export const materialText = defineText(zh, en)
