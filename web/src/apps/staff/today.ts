import { client, must, useRead } from '@kit/api'
import { useEffect, useState } from 'react'

/** The business day of a site and its plan; the shop's clock, which is not always the phone's. */
export function useToday(site: string | undefined) {
  const read = useRead(['plan', 'today', site], async (signal) => {
    const today = await must(client.GET('/api/plans/today', { params: { query: { site_id: site ?? '' } }, signal }))
    return { ...today, ahead: Date.parse(today.now) - Date.now() }
  }, { skip: !site, every: 30_000 })
  return read
}

/** The shop's clock in ms, moving each second; `ahead` is how far it is before the phone's. */
export function useClock(ahead: number | undefined): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now + (ahead ?? 0)
}
