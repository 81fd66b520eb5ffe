import { useEffect, useState } from 'react'
import { client, must, useRead } from './api'
import { useText } from './i18n'
import { setShopClock } from './shopClock'
import { kitText } from './words'
import { dayOf, timeOf, useSiteZone } from './zone'

const clockOf = (ms: number, zone: string): string => `${dayOf(ms, zone).slice(5)} ${timeOf(ms, zone)}`

/** Says in every app that all figures are invented, how far the demo is made, and what time it is in it. */
export function DemoBand() {
  const t = useText(kitText)
  const zone = useSiteZone()
  const [every, setEvery] = useState<number | false>(3000)
  const read = useRead(['demo'], async (signal) => ({ ...(await must(client.GET('/api/demo', { signal }))), readAt: Date.now() }), { every })
  const demo = read.data
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (demo?.demo) setShopClock(Date.parse(demo.now), demo.phase === 'live' && demo.running ? demo.speed : 0)
  }, [demo])
  useEffect(() => {
    if (demo) setEvery(!demo.demo ? false : demo.phase === 'live' ? 30_000 : 1500)
  }, [demo])
  const shown = demo?.demo === true
  useEffect(() => {
    if (!shown) return
    document.documentElement.dataset.demo = 'yes'
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => {
      delete document.documentElement.dataset.demo
      clearInterval(timer)
    }
  }, [shown])
  if (!demo?.demo) return null
  const share = demo.total > 0 ? Math.floor((100 * demo.done) / demo.total) : 0
  const time = clockOf(Date.parse(demo.now) + Math.max(0, now - demo.readAt) * (demo.phase === 'live' && demo.running ? demo.speed : 0), zone)
  return (
    <div className="zg-demo" role="note">
      <strong>{t('demo_data')}</strong>
      <span>
        {demo.phase === 'import' ? t('demo_import', { pct: share })
          : demo.phase === 'catch_up' ? t('demo_catch_up', { pct: share })
            : demo.running ? t('demo_live', { time, speed: demo.speed }) : t('demo_still', { time })}
      </span>
    </div>
  )
}
