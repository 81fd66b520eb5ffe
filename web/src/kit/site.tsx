import { Select } from 'antd'
import { useCallback, useEffect } from 'react'
import { useSearchParams } from 'react-router-dom'
import type { Me } from './api'
import { useText } from './i18n'
import { lastSite, rememberSite } from './lastSite'
import { useSession } from './session'
import { kitText } from './words'
import { setSiteZone } from './zone'

type MySite = Me['sites'][number]

/** The site a page is about: of the address, else the one looked at last, else the first. */
export function useSite(kinds?: readonly string[]): { site: MySite | undefined; sites: MySite[]; choose: (id: string) => void } {
  const { me } = useSession()
  const [params, setParams] = useSearchParams()
  const sites = kinds ? me.sites.filter((s) => kinds.includes(s.kind)) : me.sites
  const site = sites.find((s) => s.id === params.get('site')) ?? sites.find((s) => s.id === lastSite()) ?? sites[0]
  const id = site?.id
  const zone = site?.time_zone
  useEffect(() => setSiteZone(zone), [zone])
  useEffect(() => {
    if (id) rememberSite(id)
  }, [id])
  const choose = useCallback(
    (next: string) =>
      setParams((old) => {
        const now = new URLSearchParams(old)
        now.set('site', next)
        return now
      }),
    [setParams],
  )
  return { site, sites, choose }
}

export function SitePick(props: { site: MySite | undefined; sites: readonly MySite[]; choose: (id: string) => void }) {
  const t = useText(kitText)
  if (props.sites.length < 2) return props.site ? <span className="zg-note">{props.site.name}</span> : null
  return (
    <Select className="zg-site-pick" aria-label={t('site')} value={props.site?.id} onChange={props.choose} showSearch={{ optionFilterProp: 'label' }} popupMatchSelectWidth={false}
      options={props.sites.map((s) => ({ value: s.id, label: `${s.name} ${s.code}` }))} />
  )
}
