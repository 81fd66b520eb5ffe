import { useEffect, useState, useSyncExternalStore } from 'react'

// What a shop does has the shop's time: the wall's, unless this device's clock is wrong or the shop is a demo, whose
// days pass on a clock of their own. How long a batch still keeps is told by this clock, never by the device's.

interface Setting {
  /** ms on this device's clock when it was read */
  device: number
  /** ms on the shop's clock at that moment */
  shop: number
  speed: number
}

let setting: Setting = { device: 0, shop: 0, speed: 1 }
const listeners = new Set<() => void>()

/** The shop's clock in ms. */
export const shopNow = (): number => setting.shop + (Date.now() - setting.device) * setting.speed

/** The server said what time it is at the shop; a speed that is left out stays. */
export function setShopClock(shop: number, speed = setting.speed): void {
  const now = Date.now()
  // seconds of lag are no news; nothing is drawn again for them
  const same = speed === setting.speed && Math.abs(shopNow() - shop) < 2_000 * Math.max(1, speed)
  if (same) return
  setting = { device: now, shop, speed }
  listeners.forEach((tell) => tell())
}

/** Changes when the clock was set, so that what is shown is said again. */
export function useShopClockSetting(): unknown {
  return useSyncExternalStore((tell) => {
    listeners.add(tell)
    return () => listeners.delete(tell)
  }, () => setting)
}

/** The shop's clock in ms, moving each second. */
export function useShopClock(): number {
  useShopClockSetting()
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  return shopNow()
}
