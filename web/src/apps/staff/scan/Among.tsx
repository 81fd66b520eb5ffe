import { useText } from '@kit/i18n'
import { Button } from 'antd'
import type { Found } from './lookup'
import { scanText } from './text'

/** Which of several goods was meant. */
export function Among(props: { found: Found | undefined; choose: (code: string) => void }) {
  const t = useText(scanText)
  if (!props.found || props.found.among.length === 0) return null
  return (
    <section>
      <h2>{t('which')}</h2>
      <ul className="st-tasks">{props.found.among.map((p) => <li key={p.id} className="st-task"><div><b>{p.name}</b><span className="zg-note">{p.code}</span></div><Button onClick={() => props.choose(p.code)}>{t('choose')}</Button></li>)}</ul>
    </section>
  )
}
