import { useText } from '@kit/i18n'
import { tillText } from './words'

const rows = [
  ['Enter', 'key_scan'], ['3 *', 'key_times'], ['+ −', 'key_step'], ['↑ ↓', 'key_move'], ['Del', 'key_remove'], ['Ctrl Z', 'key_undo'],
  ['F4', 'key_line'], ['F8', 'key_mobile'], ['F9', 'key_cash'], ['F10', 'key_exact'], ['F2', 'key_sales'], ['Ctrl P', 'key_print'], ['Esc', 'key_escape'], ['F1', 'key_help'],
] as const

export function HelpPanel() {
  const t = useText(tillText)
  return (
    <div className="help">
      <h2>{t('help')}</h2>
      <dl>{rows.map(([key, word]) => <div key={key}><dt>{key.split(' ').map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{t(word)}</dd></div>)}</dl>
    </div>
  )
}
