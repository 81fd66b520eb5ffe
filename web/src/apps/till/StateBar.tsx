import { Popover } from 'antd'
import { useEffect, useState } from 'react'
import type { Me, Sale } from '@kit/api'
import { LangChoice, ThemeChoiceSwitch } from '@kit/Choices'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { Mark } from '@kit/Mark'
import { useSession } from '@kit/session'
import { shopNow } from '@kit/shopClock'
import { Badge } from '@kit/states'
import { kitText } from '@kit/words'
import { tillText } from './words'

export type Site = Me['sites'][number]

function Clock() {
  const [now, setNow] = useState(() => new Date(shopNow()))
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date(shopNow())), 1_000)
    return () => clearInterval(timer)
  }, [])
  return <time className="state-clock">{String(now.getHours()).padStart(2, '0')}:{String(now.getMinutes()).padStart(2, '0')}</time>
}

export function StateBar(props: {
  site: Site
  sites: Site[]
  chooseSite: (id: string) => void
  register: string
  registers: string[]
  chooseRegister: (code: string) => void
  cashier: string
  online: boolean
  lastSale: Sale | undefined
  locked: boolean
  sales: () => void
  help: () => void
}) {
  const t = useText(tillText)
  const k = useText(kitText)
  const f = useFormat()
  const { me, signOut, can } = useSession()
  return (
    <header className="state">
      <a className="state-mark" href="/admin/" title={t('to_admin')} aria-label={t('to_admin')}><Mark size={28} /></a>
      {props.sites.length > 1
        ? <select className="state-site" aria-label={t('site')} value={props.site.id} disabled={props.locked} onChange={(e) => props.chooseSite(e.target.value)}>{props.sites.map((s) => <option key={s.id} value={s.id}>{s.name}</option>)}</select>
        : <strong className="state-site">{props.site.name}</strong>}
      {props.registers.length > 1
        ? <select aria-label={t('register_label')} value={props.register} disabled={props.locked} onChange={(e) => props.chooseRegister(e.target.value)}>{props.registers.map((r) => <option key={r} value={r}>{t('register', { name: r })}</option>)}</select>
        : <span className="state-register">{t('register', { name: props.register })}</span>}
      <span className="state-wide">{t('cashier', { name: props.cashier })}</span>
      <Badge tone={props.online ? 'green' : 'red'}>{t(props.online ? 'online' : 'offline')}</Badge>
      <span className="state-gap" />
      {props.lastSale && props.lastSale.state === 'paid' && (
        <span className="state-last state-wide">{t('last_slip', { no: props.lastSale.slip_no })} {f.yuan(props.lastSale.total_fen)}{props.lastSale.change_fen > 0 && <> · {t('change_was', { amount: f.yuan(props.lastSale.change_fen) })}</>}</span>
      )}
      {can('sales.read') && <button type="button" className="bar" disabled={props.locked} onClick={props.sales}>{t('sales')} <kbd>F2</kbd></button>}
      <button type="button" className="bar state-wide" onClick={props.help}>{t('help')} <kbd>F1</kbd></button>
      <Popover
        trigger="click" placement="bottomRight"
        content={
          <div className="state-menu">
            <strong>{me.display_name || me.name}</strong>
            <LangChoice />
            <ThemeChoiceSwitch />
            {can('org.read') && <a href="/admin/">{t('to_admin')}</a>}
            <button type="button" className="plain" onClick={() => void signOut()}>{k('sign_out')}</button>
          </div>
        }
      >
        <button type="button" className="bar" aria-label={k('my_account')}>{props.cashier.slice(0, 4)}</button>
      </Popover>
      <Clock />
    </header>
  )
}
