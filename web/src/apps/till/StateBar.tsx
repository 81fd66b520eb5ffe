import { UserOutlined } from '@ant-design/icons'
import { Popover } from 'antd'
import type { Me, Sale } from '@kit/api'
import { LangChoice, ThemeChoiceSwitch } from '@kit/Choices'
import { useFormat } from '@kit/format'
import { useText } from '@kit/i18n'
import { Mark } from '@kit/Mark'
import { useSession } from '@kit/session'
import { useShopClock } from '@kit/shopClock'
import { Badge } from '@kit/states'
import { kitText } from '@kit/words'
import { timeOf } from '@kit/zone'
import { tillText } from './words'

export type Site = Me['sites'][number]

function Clock(props: { zone: string }) {
  return <time className="state-clock">{timeOf(useShopClock(), props.zone)}</time>
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
      <span className={props.online ? 'state-online' : undefined} title={t(props.online ? 'online' : 'offline')}><Badge tone={props.online ? 'green' : 'red'}>{t(props.online ? 'online' : 'offline')}</Badge></span>
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
        <button type="button" className="bar state-me" aria-label={k('my_account')}><UserOutlined aria-hidden /> <span>{props.cashier.slice(0, 4)}</span></button>
      </Popover>
      <Clock zone={props.site.time_zone} />
    </header>
  )
}
