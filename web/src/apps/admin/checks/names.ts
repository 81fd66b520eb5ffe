import { defineText, useText } from '@kit'
import en from './en'
import zh from './zh'

export const checksText = defineText(zh, en)

/** What a proof proves, in words; a proof without words yet is shown by its name. */
export function useProofName(): (proof: string) => string {
  const t = useText(checksText)
  return (proof) => {
    const key = `proof_${proof}`
    return key in zh ? t(key as 'proof_ledger_floors_hold') : proof.replaceAll('_', ' ')
  }
}
