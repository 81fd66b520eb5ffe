import { Button, Input } from 'antd'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { client, must, useAct, type Me } from './api'
import { LangChoice, ThemeChoiceSwitch } from './Choices'
import { useText } from './i18n'
import { Mark } from './Mark'
import { Strip } from './states'
import { kitText } from './words'

export function SignIn(props: { onDone: (me: Me) => void; again?: boolean; account?: string }) {
  const t = useText(kitText)
  const [name, setName] = useState(props.account ?? '')
  const [password, setPassword] = useState('')
  const form = useRef<HTMLFormElement>(null)
  const signIn = useAct((body: { name: string; password: string }) =>
    must(client.POST('/api/sign-in', { body })))

  useEffect(() => {
    const first = props.account ? 'password' : 'name'
    form.current?.querySelector<HTMLInputElement>(`input[name=${first}]`)?.focus()
    document.title = `${t('sign_in')} · ${t('name')}`
  }, [props.account, t])

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const me = await signIn.run({ name: name.trim(), password })
    if (me) props.onDone(me)
    else form.current?.querySelector<HTMLInputElement>('input[name=password]')?.select()
  }

  return (
    <main className="zg-sign-in">
      <form ref={form} onSubmit={submit} aria-labelledby="zg-sign-in-title">
        <div className="zg-sign-in-head">
          <Mark size={40} />
          <h1 id="zg-sign-in-title">{t('sign_in_title')}</h1>
        </div>
        {props.again && <Strip tone="amber">{t('session_over')}</Strip>}
        {signIn.problem && <Strip tone="red">{signIn.problem.code === 'offline' ? t('offline_detail') : signIn.problem.message}</Strip>}
        <label className="zg-field">
          <span>{t('account')}</span>
          <Input name="name" size="large" autoComplete="username" autoCapitalize="none" spellCheck={false} required maxLength={64} value={name} onChange={(e) => setName(e.target.value)} />
        </label>
        <label className="zg-field">
          <span>{t('password')}</span>
          <Input.Password name="password" size="large" autoComplete="current-password" required maxLength={128} value={password} onChange={(e) => setPassword(e.target.value)} />
        </label>
        <Button type="primary" htmlType="submit" size="large" block loading={signIn.busy}>{t('sign_in')}</Button>
        {!props.again && <p className="zg-note">{t('first_password_note')}</p>}
      </form>
      <div className="zg-sign-in-foot"><LangChoice /><ThemeChoiceSwitch /></div>
    </main>
  )
}
