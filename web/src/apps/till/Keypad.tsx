import { useText } from '@kit/i18n'
import { tillText } from './words'

const keys = ['7', '8', '9', '4', '5', '6', '1', '2', '3', '00', '0', '.'] as const

/** Types into the entry box for fingers; nothing here that a keyboard has not. */
export function Keypad(props: { type: (key: string) => void; clear: () => void; enter: () => void; enterWord: string; star?: boolean; money?: boolean }) {
  const t = useText(tillText)
  return (
    <div className="keypad">
      {keys.map((key) => <button key={key} type="button" className="key" tabIndex={-1} onClick={() => props.type(key)}>{key}</button>)}
      <button type="button" className="key" tabIndex={-1} onClick={props.clear}>{t('clear')}</button>
      {props.star ? <button type="button" className="key" tabIndex={-1} onClick={() => props.type('*')}>×</button>
        : props.money ? <button type="button" className="key" tabIndex={-1} title={t('by_money')} onClick={() => props.type('¥')}>¥</button> : <span />}
      <button type="button" className="key key-enter" tabIndex={-1} onClick={props.enter}>{props.enterWord}</button>
    </div>
  )
}
