import { useText } from '@kit/i18n'
import { AccountPanel, PageHead } from '@kit/Shell'
import { useCan } from '@kit/session'
import { Link } from 'react-router-dom'
import { pages } from '../pages'
import { staffText } from '../text'

/** What does not fit into the bar, and the person's own things. */
export default function More() {
  const t = useText(staffText)
  const can = useCan()
  const others = pages.filter((page) => page.icon && !page.bar && can(page.perm))
  return (
    <>
      <PageHead title={t('more')} />
      <div className="zg-stack">
        {others.length > 0 && (
          <nav className="st-list" aria-label={t('more')}>
            {others.map((page) => {
              const Icon = page.icon!
              return <Link key={page.path} to={page.path}><Icon aria-hidden /><span>{t(page.title)}</span></Link>
            })}
          </nav>
        )}
        <div className="zg-sheet st-account"><AccountPanel /></div>
      </div>
    </>
  )
}
