import { GlobalOutlined, LogoutOutlined, MenuOutlined, SearchOutlined, UserOutlined } from '@ant-design/icons'
import { Button, Drawer, Popover } from 'antd'
import { createContext, lazy, Suspense, useContext, useEffect, useMemo, useState, type ComponentType, type LazyExoticComponent, type ReactNode } from 'react'
import { createBrowserRouter, Link, NavLink, Navigate, Outlet, RouterProvider, useLocation, useMatches } from 'react-router-dom'
import { LangChoice, ThemeChoiceSwitch } from './Choices'
import { Finder, type FindSource } from './Finder'
import { FinderPages } from './finderPages'
import { useLang, useText, type T, type Text, type Words } from './i18n'
import { LiveDot, LiveUpdates } from './live'
import { Mark } from './Mark'
import { SignedIn, useSession } from './session'
import { Badge, ErrorBoundary, NoPermission, NotFound, SkeletonLines } from './states'
import { kitText } from './words'

/** A page: its place, the key of its title, the permission that opens it. With an icon it is in the navigation. */
export interface PageDef<K extends string = string> {
  path: string
  title: K
  perm: string
  icon?: ComponentType
  /** starts a new group in the navigation */
  group?: boolean
  /** the navigation entry that is marked while a page that is not in it is open */
  under?: string
  load: () => Promise<{ default: ComponentType }>
}

interface ShellProps<W extends Words> {
  basename: string
  text: Text<W>
  pages: readonly PageDef<keyof W & string>[]
  find?: readonly FindSource[]
  /** what stands around the pages; left out: the desk's side navigation, top bar and finder */
  frame?: ComponentType
}

interface Handle {
  page: PageDef
}

interface ShellContextValue {
  text: Text
  pages: readonly PageDef[]
  find: readonly FindSource[]
}

const ShellContext = createContext<ShellContextValue>({ text: { zh: {}, en: {} }, pages: [], find: [] })
const TitleContext = createContext<(title: string | undefined) => void>(() => {})

/** A page that knows better than its route what it is ("Pork bun") says so here. */
export function usePageTitle(title: string | undefined): void {
  const say = useContext(TitleContext)
  useEffect(() => {
    say(title)
    return () => say(undefined)
  }, [say, title])
}

function usePage(): PageDef | undefined {
  const matches = useMatches()
  return (matches[matches.length - 1]?.handle as Handle | undefined)?.page
}

function Guarded(props: { page: PageDef; Body: LazyExoticComponent<ComponentType> }) {
  const { can } = useSession()
  const t = useText(useContext(ShellContext).text) as T<Words>
  const location = useLocation()
  if (!can(props.page.perm)) return <NoPermission what={t(props.page.title)} />
  return (
    <ErrorBoundary name={location.pathname}>
      <Suspense fallback={<SkeletonLines lines={6} />}><props.Body /></Suspense>
    </ErrorBoundary>
  )
}

function Nav(props: { onGo?: () => void }) {
  const { text, pages } = useContext(ShellContext)
  const t = useText(text) as T<Words>
  const k = useText(kitText)
  const { can } = useSession()
  const here = usePage()
  return (
    <nav className="zg-nav" aria-label={k('menu')}>
      <ul>
        {pages.filter((page) => page.icon && can(page.perm)).map((page) => {
          const Icon = page.icon!
          return (
            <li key={page.path} className={page.group ? 'zg-nav-group' : undefined}>
              <NavLink to={page.path} {...(props.onGo ? { onClick: props.onGo } : {})}
                className={({ isActive }) => (isActive || here?.under === page.path ? 'zg-here' : '')}>
                <Icon aria-hidden /><span>{t(page.title)}</span>
              </NavLink>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

/** Who is signed in, the switches, and the way out. */
export function AccountPanel() {
  const { me, signOut, keepLang } = useSession()
  const k = useText(kitText)
  return (
    <div className="zg-account">
      <strong>{me.display_name || me.name}</strong>
      <span className="zg-note">{me.name}</span>
      <label><GlobalOutlined aria-hidden /> {k('language')}</label>
      <LangChoice chosen={keepLang} />
      <label>{k('theme')}</label>
      <ThemeChoiceSwitch />
      <Button icon={<LogoutOutlined />} onClick={() => void signOut()} block>{k('sign_out')}</Button>
    </div>
  )
}

function AccountMenu() {
  const { me } = useSession()
  const k = useText(kitText)
  return (
    <Popover content={<AccountPanel />} trigger="click" placement="bottomRight" arrow={false}>
      <Button type="text" icon={<UserOutlined />} aria-label={`${k('my_account')}: ${me.display_name || me.name}`}><span className="zg-wide">{me.display_name || me.name}</span></Button>
    </Popover>
  )
}

/** For every frame: names the document after the page that is open, and begins each page at its top. */
export function Titled(props: { children: (title: string, page: PageDef | undefined) => ReactNode }) {
  const t = useText(useContext(ShellContext).text) as T<Words>
  const k = useText(kitText)
  const page = usePage()
  const location = useLocation()
  const [own, setOwn] = useState<string>()
  const title = own ?? (page ? t(page.title) : k('not_found_title'))

  useEffect(() => {
    document.title = `${title} · ${k('name')}`
  }, [title, k])
  useEffect(() => {
    window.scrollTo(0, 0)
  }, [location.pathname])
  return <TitleContext.Provider value={setOwn}>{props.children(title, page)}</TitleContext.Provider>
}

function Frame() {
  const { text, pages, find } = useContext(ShellContext)
  const { lang } = useLang()
  const finderPages = useMemo(() => ({ pages, text, lang }), [pages, text, lang])
  const k = useText(kitText)
  const { me } = useSession()
  const [drawer, setDrawer] = useState(false)
  const [finding, setFinding] = useState(false)

  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') {
        e.preventDefault()
        setFinding((open) => !open)
      }
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])

  return (
    <Titled>{() => <>
      <a className="zg-skip" href="#zg-main">{k('skip')}</a>
      <div className="zg-shell">
        <aside className="zg-side">
          <Link to="/" className="zg-brand"><Mark size={24} /><span>{k('name')}</span></Link>
          <Nav />
        </aside>
        <header className="zg-top">
          <Button className="zg-narrow" type="text" icon={<MenuOutlined />} aria-label={k('menu')} onClick={() => setDrawer(true)} />
          <span className="zg-narrow"><Mark size={22} /></span>
          <Button className="zg-find" icon={<SearchOutlined />} onClick={() => setFinding(true)}>
            <span className="zg-find-word">{k('find')}</span><kbd className="zg-wide">{/Mac|iPhone|iPad/.test(navigator.platform) ? '⌘K' : 'Ctrl K'}</kbd>
          </Button>
          <span className="zg-grow" />
          {me.demo && <Badge tone="amber">{k('demo')}</Badge>}
          <LiveDot />
          <AccountMenu />
        </header>
        <main id="zg-main" className="zg-main" tabIndex={-1}><Outlet /></main>
      </div>
      <Drawer open={drawer} onClose={() => setDrawer(false)} placement="left" size={260} title={k('name')}>
        <Nav onGo={() => setDrawer(false)} />
      </Drawer>
      <FinderPages.Provider value={finderPages}><Finder open={finding} onClose={() => setFinding(false)} sources={find} /></FinderPages.Provider>
    </>}</Titled>
  )
}

/** The whole app: sign-in, navigation by the day's work, pages behind their permissions. */
export function AppShell<W extends Words>(props: ShellProps<W>) {
  const value = useMemo<ShellContextValue>(
    () => ({ text: props.text as unknown as Text, pages: props.pages, find: props.find ?? [] }),
    [props.text, props.pages, props.find],
  )
  const { frame: Around = Frame } = props
  const router = useMemo(() => {
    const routes = props.pages.map((page) => {
      const Body = lazy(page.load)
      return { path: page.path, element: <Guarded page={page} Body={Body} />, handle: { page } satisfies Handle }
    })
    return createBrowserRouter(
      [{ element: <Around />, children: [{ path: '/', element: <FirstPage pages={props.pages} /> }, ...routes, { path: '*', element: <NotFound /> }] }],
      { basename: props.basename },
    )
  }, [props.pages, props.basename, Around])
  // Once the first page stands, the others are fetched quietly: they open at once, also without network.
  useEffect(() => {
    const timer = setTimeout(() => props.pages.forEach((page) => void page.load().catch(() => undefined)), 3000)
    return () => clearTimeout(timer)
  }, [props.pages])
  return (
    <SignedIn>
      <ShellContext.Provider value={value}>
        <LiveUpdates><RouterProvider router={router} /></LiveUpdates>
      </ShellContext.Provider>
    </SignedIn>
  )
}

function FirstPage(props: { pages: readonly PageDef[] }) {
  const { can } = useSession()
  const first = props.pages.find((page) => page.icon && can(page.perm))
  const t = useText(useContext(ShellContext).text) as T<Words>
  const [page] = props.pages
  return first ? <Navigate to={first.path} replace /> : page ? <NoPermission what={t(page.title)} /> : null
}

/** The head of a page: what it is, how many, the one primary action. */
export function PageHead(props: { title: ReactNode; note?: ReactNode; back?: { to: string; label: string }; children?: ReactNode }) {
  return (
    <div className="zg-head">
      <div>
        {props.back && <Link className="zg-back" to={props.back.to}>‹ {props.back.label}</Link>}
        <h1>{props.title}</h1>
        {props.note && <p className="zg-note">{props.note}</p>}
      </div>
      {props.children && <div className="zg-head-acts">{props.children}</div>}
    </div>
  )
}
