import { translator, type Lang } from '@kit'
import { stockText } from './text'
import zh from './zh'

/** The flow that an account of the ledger is, whatever its reason or rate: "waste_cost_expired" is waste. */
export const flowOf = (account: string): string =>
  (account.split(/[:/ ]/)[0] ?? account).replace(/^(waste|revenue|output_tax)_.*$/, '$1').replace(/_value$/, '')

/** The words of documents of stock, where there is no page around. */
export function movementWords(lang: Lang) {
  const t = translator(stockText, lang)
  return {
    reason: (reason: string): string => (`reason_${reason}` in zh ? t(`reason_${reason}` as 'reason_other') : reason),
    document: (kind: string): string => (`kind_${kind}` in zh ? t(`kind_${kind}` as 'kind_sale') : kind),
    kind: (kind: 'batch' | 'document' | 'transfer' | 'count'): string => t(kind),
    state: (kind: 'transfer' | 'count', state: string): string => { const key = `${kind}_${state}`; return key in zh ? t(key as 'count_open') : state },
    // an account of goods has a number; the kind of the document tells what stands behind it
    other: (account: string, kind = ''): string => {
      if (/^\d+$/.test(account)) return t(/^(freeze|release|stock_move|channel_order)$/.test(kind) ? 'other_place' : /^transfer_/.test(kind) ? 'other_way' : 'other_account')
      const key = `other_${flowOf(account)}`
      return key in zh ? t(key as 'other_sold') : account
    },
  }
}
