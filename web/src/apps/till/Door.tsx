import { useEffect, useState } from 'react'
import { act, client, must, useAct, useRead } from '@kit/api'
import { useText } from '@kit/i18n'
import { useSession } from '@kit/session'
import { Empty, ProblemBox, SkeletonLines } from '@kit/states'
import { kept } from '@kit/kept'
import { Till } from './Till'
import { tillText } from './words'

/** Which store and which register this screen is; kept on the machine. */
export function Door() {
  const t = useText(tillText)
  const { me, can } = useSession()
  const [siteId, setSiteId] = useState(() => kept.read('zg.till.site') ?? '')
  const [code, setCode] = useState(() => kept.read('zg.till.register') ?? '')

  const sites = can('till.sell') ? me.sites.filter((s) => s.kind === 'store') : []
  const site = sites.find((s) => s.id === siteId) ?? sites[0]
  const registers = useRead(['till', 'registers', site?.id], () =>
    must(client.GET('/api/till/registers', { params: { query: { site_id: site?.id ?? '' } } })), { skip: !site })

  useEffect(() => {
    document.title = site ? `${t('title')} · ${site.name}` : t('title')
  }, [site, t])

  const addRegister = useAct(
    (to: string) => act(['add register', to], (header) => client.POST('/api/till/registers', { params: { header }, body: { site_id: to, code: '1' } })),
    ['till'],
  )

  const office = <a className="door-act" href="/admin/">{t('to_admin')}</a>
  if (!site) return <div className="zg-center"><Empty title={t('no_site_title')} action={office}>{t('no_site')}</Empty></div>
  if (registers.problem && !registers.data) return <div className="zg-center"><ProblemBox problem={registers.problem} again={registers.again} /></div>
  if (!registers.data) return <div className="zg-center"><SkeletonLines lines={6} /></div>
  const codes = (registers.data.items ?? []).filter((r) => r.site_id === site.id && !r.closed).map((r) => r.code)
  const register = codes.includes(code) ? code : codes[0]
  const chooseSite = (id: string) => {
    kept.write('zg.till.site', id)
    setSiteId(id)
  }
  if (!register) {
    const action = (
      <div className="door-acts">
        {sites.length > 1 && <select aria-label={t('site')} value={site.id} onChange={(e) => chooseSite(e.target.value)}>{sites.map((x) => <option key={x.id} value={x.id}>{x.name}</option>)}</select>}
        {can('org.manage') && <button type="button" className="door-act door-primary" disabled={addRegister.busy} onClick={() => void addRegister.run(site.id)}>{t('add_register')}</button>}
        {office}
      </div>
    )
    return (
      <div className="zg-center">
        <Empty title={t('no_register_title', { site: site.name })} action={action}>{t('no_register')}</Empty>
        {addRegister.problem && <ProblemBox problem={addRegister.problem} />}
      </div>
    )
  }
  const chooseRegister = (value: string) => {
    kept.write('zg.till.register', value)
    setCode(value)
  }
  return <Till key={`${site.id}/${register}`} site={site} sites={sites} chooseSite={chooseSite} register={register} registers={codes} chooseRegister={chooseRegister} />
}
