import { client, must, useRead } from '@kit/api'
import { setShopClock } from '@kit/shopClock'

/** The business day of a site and its plan; the shop's clock, which is not always the phone's. */
export function useToday(site: string | undefined) {
  const read = useRead(['plan', 'today', site], async (signal) => {
    const today = await must(client.GET('/api/plans/today', { params: { query: { site_id: site ?? '' } }, signal }))
    setShopClock(Date.parse(today.now))
    return today
  }, { skip: !site, every: 30_000 })
  return read
}
