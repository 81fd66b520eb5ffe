import { Bars, Mark, useFormat, useSession, useText } from '@kit'
import { stockText } from './shared'

/** The head of a document on paper: of which house and site, what it is, its number as bars. */
export function PrintHead(props: { no: string; site: string; title: string }) {
  const { me } = useSession()
  const site = me.sites.find((s) => s.id === props.site)
  return (
    <header className="zg-paper-head" aria-hidden>
      <div><Mark size={28} /><div><strong>{props.title}</strong><span>{site ? `${site.name} ${site.code}` : ''}</span></div></div>
      <Bars code={props.no} height={56} />
    </header>
  )
}

/** Who stands for it, by hand; and when it was printed. */
export function PrintFoot(props: { signatures: readonly ('made' | 'checked' | 'handed' | 'taken')[] }) {
  const t = useText(stockText)
  const f = useFormat()
  return (
    <footer className="zg-paper-foot" aria-hidden>
      {props.signatures.map((s) => <span key={s}>{t(`sign_${s}`)}</span>)}
      <small>{t('printed', { at: f.exact(new Date().toISOString()) })}</small>
    </footer>
  )
}
