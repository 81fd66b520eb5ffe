import { Button } from 'antd'
import { act, client, must, useAct, useRead } from './api'
import { useFormat } from './format'
import { useText } from './i18n'
import { ProblemBox } from './states'
import { kitText } from './words'

/** Clocking in and out at the chosen site. */
export function Clock(props: { site: string }) {
  const { site } = props
  const t = useText(kitText)
  const f = useFormat()
  const mine = useRead(['attendance', 'me'], (signal) => must(client.GET('/api/attendance/me', { params: { query: { limit: 1 } }, signal })))
  const last = mine.data?.items[0]
  const there = last && !last.out_at && !last.cut ? last : undefined
  const come = useAct(() => act(['clock-in', site, last?.id ?? ''], (header) => client.POST('/api/attendance/in', { params: { header }, body: { site_id: site } })), ['attendance', 'report'])
  const leave = useAct(() => act(['clock-out', there?.id ?? ''], (header) => client.POST('/api/attendance/out', { params: { header }, body: { site_id: there?.site_id ?? site } })), ['attendance', 'report'])
  const problem = come.problem ?? leave.problem
  if (!mine.data) return null
  return (
    <>
      {there
        ? <Button loading={leave.busy} onClick={() => void leave.run(undefined)} title={f.exact(there.in_at)}>{t('clock_out', { at: f.clock(there.in_at) })}</Button>
        : <Button loading={come.busy} onClick={() => void come.run(undefined)}>{t('clock_in')}</Button>}
      {problem && <ProblemBox problem={problem} />}
    </>
  )
}
