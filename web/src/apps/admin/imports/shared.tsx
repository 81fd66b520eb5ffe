import { Badge, client, defineText, must, useRead, useText, type Import, type ImportKind, type Tone } from '@kit'
import en from './en'
import zh from './zh'

export const importsText = defineText(zh, en)
export const kinds = ['stores', 'products', 'styles', 'recipes', 'suppliers', 'stock', 'sales', 'weather', 'holidays'] as const satisfies readonly ImportKind[]

const tones: Record<Import['state'], Tone> = {
  uploading: 'plain', ready: 'amber', reading: 'plain', checking: 'plain', applying: 'plain', applied: 'green', checked: 'plain', refused: 'red', failed: 'red', cancelled: 'plain',
}

export function ImportState(props: { state: Import['state'] }) {
  const t = useText(importsText)
  return <Badge tone={tones[props.state]}>{t(`state_${props.state}`)}</Badge>
}

export const isRunning = (state: Import['state']): boolean => state === 'reading' || state === 'checking' || state === 'applying' || state === 'uploading'

/** The kinds that the caller may import, with their columns in his language. */
export const useKinds = (lang: string) => useRead(['imports', 'kinds', lang], (signal) => must(client.GET('/api/imports/kinds', { signal })))

/** Where the result of an import is seen. */
export const resultOf: Record<ImportKind, string> = { stores: '/settings/sites', products: '/goods', styles: '/goods/styles', recipes: '/goods', suppliers: '/goods', stock: '/stock', sales: '/plan', weather: '/plan', holidays: '/plan' }
