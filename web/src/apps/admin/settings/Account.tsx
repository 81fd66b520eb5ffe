import { act, client, Form, FormActs, PageHead, PasswordField, Sheet, useAct, useForm, useText } from '@kit'
import { App } from 'antd'
import { settingsText, SettingsTabs } from './shared'

export default function Account() {
  const t = useText(settingsText)
  const { message } = App.useApp()
  // The key is not made of the passwords: they are not to be kept anywhere.
  const change = useAct((body: { old: string; new: string }) => act(['password', Date.now()], (header) => client.POST('/api/me/password', { params: { header }, body })))
  const form = useForm({
    initial: { old: '', new: '' }, doing: change, required: ['old', 'new'], body: (v) => v,
    done: () => {
      void message.success(t('password_changed'))
      form.reset({ old: '', new: '' })
    },
  })
  return (
    <>
      <PageHead title={t('account')} />
      <SettingsTabs />
      <Sheet>
        <Form form={form} label={t('account')}>
          <PasswordField form={form} name="old" label={t('old_password')} autoComplete="current-password" />
          <PasswordField form={form} name="new" label={t('new_password')} hint={t('password_hint')} />
          <FormActs form={form} save={t('change_password')} />
        </Form>
      </Sheet>
    </>
  )
}
