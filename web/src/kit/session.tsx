import { useQueryClient } from '@tanstack/react-query'
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { act, client, must, onSignedOut, setClientCaller, useRead, type Me } from './api'
import { useLang, type Lang } from './i18n'
import { SignIn } from './SignIn'
import { lastSite } from './lastSite'
import { ProblemBox, SkeletonLines } from './states'
import { setSiteZone } from './zone'

interface Session {
  me: Me
  can: (perm: string) => boolean
  signOut: () => Promise<void>
  /** keeps the language for the person, on every machine */
  keepLang: (lang: Lang) => void
  reload: () => void
}

const SessionContext = createContext<Session | undefined>(undefined)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('useSession outside <SignedIn>')
  return session
}

export const useCan = () => useSession().can

/** Shows its children to a signed-in person; otherwise the sign-in, in the same place. */
export function SignedIn(props: { children: ReactNode }) {
  const queries = useQueryClient()
  const [over, setOver] = useState(false) // signed out by the server while at work
  const me = useRead(['me'], () => must(client.GET('/api/me')))

  useEffect(() => {
    onSignedOut(() => setOver(true))
    return () => onSignedOut(() => {})
  }, [])
  if (me.data) setClientCaller(me.data.id)
  // A page that is about no site tells times by the site looked at last.
  const mine = me.data?.sites
  useEffect(() => setSiteZone((mine?.find((s) => s.id === lastSite()) ?? mine?.[0])?.time_zone), [mine])

  const signOut = useCallback(async () => {
    await must(client.POST('/api/sign-out')).catch(() => undefined)
    queries.clear()
    location.assign('/')
  }, [queries])

  const keepLang = useCallback((next: Lang) => {
    // Not worth a word when it fails: the choice holds in this browser all the same.
    void act(['lang', next, Date.now()], (header) => client.PUT('/api/me/lang', { params: { header }, body: { lang: next } })).catch(() => undefined)
  }, [])

  // Whoever has chosen a language elsewhere finds it here, unless this browser has a choice of its own.
  const { adoptLang } = useLang()
  const theirs = me.data?.lang
  useEffect(() => {
    if (theirs === 'zh' || theirs === 'en') adoptLang(theirs)
  }, [theirs, adoptLang])

  const session = useMemo<Session | undefined>(() => {
    if (!me.data) return undefined
    const permissions = new Set(me.data.permissions)
    return { me: me.data, can: (perm) => perm === '' || permissions.has(perm), signOut, keepLang, reload: me.again }
  }, [me.data, me.again, signOut, keepLang])

  const entered = (next: Me) => {
    const samePerson = me.data?.id === next.id
    if (!samePerson) queries.clear()
    queries.setQueryData(['me'], next)
    setOver(false)
    void queries.invalidateQueries()
  }

  if (!session) {
    if (me.problem?.status === 401) return <SignIn onDone={entered} />
    if (me.problem) return <div className="zg-center"><ProblemBox problem={me.problem} again={me.again} /></div>
    return <div className="zg-center"><SkeletonLines lines={4} /></div>
  }
  // The page below stays mounted: nothing typed is lost when a sign-in runs out.
  return (
    <SessionContext.Provider value={session}>
      {props.children}
      {over && <div className="zg-over" role="dialog" aria-modal="true"><SignIn onDone={entered} again account={session.me.name} /></div>}
    </SessionContext.Provider>
  )
}
