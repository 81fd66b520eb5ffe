import { useText } from '@kit/i18n'
import { LiveDot } from '@kit/live'
import { Mark } from '@kit/Mark'
import { Titled } from '@kit/Shell'
import { useSession } from '@kit/session'
import { SitePick, useSite } from '@kit/site'
import { Badge } from '@kit/states'
import { kitText } from '@kit/words'
import { Link, NavLink, Outlet } from 'react-router-dom'
import { pages } from './pages'
import { staffText } from './text'

/** Around every page of the phone: where one is on top, the ways to go at the thumb. */
export function PhoneFrame() {
  const t = useText(staffText)
  const k = useText(kitText)
  const { me, can } = useSession()
  const place = useSite()
  return (
    <Titled>{(_, here) => (
      <div className="st-frame">
        <a className="zg-skip" href="#zg-main">{k('skip')}</a>
        <header className="st-top">
          <Link to="/" aria-label={k('home')}><Mark size={22} /></Link>
          <SitePick {...place} />
          <span className="zg-grow" />
          {me.demo && <Badge tone="amber">{k('demo')}</Badge>}
          <LiveDot />
        </header>
        <main id="zg-main" className="st-main" tabIndex={-1}><Outlet /></main>
        <nav className="st-bar" aria-label={t('bar')}>
          {pages.filter((page) => page.bar && page.icon && can(page.perm)).map((page) => {
            const Icon = page.icon!
            return (
              <NavLink key={page.path} to={page.path} className={({ isActive }) => (isActive || here?.under === page.path ? 'st-here' : '')}>
                <Icon aria-hidden /><span>{t(page.title)}</span>
              </NavLink>
            )
          })}
        </nav>
      </div>
    )}</Titled>
  )
}
