import { afterEach, describe, expect, test } from 'vitest'
import { formatter } from './format'
import { dayOf, instantOf, setSiteZone, siteZone, timeOf, wallOf } from './zone'

afterEach(() => setSiteZone('Asia/Shanghai'))

describe('times are those of the shop, not of the browser', () => {
  const at = Date.parse('2026-03-05T20:15:00Z')
  test.each([
    ['Asia/Shanghai', '2026-03-06', '04:15', 480], ['America/New_York', '2026-03-05', '15:15', -300], ['Asia/Kathmandu', '2026-03-06', '02:00', 345],
    ['Pacific/Kiritimati', '2026-03-06', '10:15', 840], ['UTC', '2026-03-05', '20:15', 0],
  ])('in %s it is %s %s', (zone, day, time, offset) => {
    expect([dayOf(at, zone), timeOf(at, zone), wallOf(at, zone).offset]).toEqual([day, time, offset])
    expect(instantOf(`${day}T${time}`, zone)).toBe('2026-03-05T20:15:00.000Z')
  })
  test('midnight is the hour 0', () => expect(timeOf(Date.parse('2026-03-05T16:00:00Z'), 'Asia/Shanghai')).toBe('00:00'))
  test('an instant of no site is told in the zone of the site that is looked at', () => {
    const f = formatter('en')
    expect(f.exact('2026-03-05T20:15:31Z')).toBe('2026-03-06 04:15:31 +08:00')
    setSiteZone('America/New_York')
    expect(f.exact('2026-03-05T20:15:31Z')).toBe('2026-03-05 15:15:31 -05:00')
    expect(f.clock('2026-03-05T20:15:31.250Z')).toBe('15:15')
    expect(f.clock('2026-03-06T04:15:31+08:00')).toBe('04:15') // what carries its site's offset stays
  })
  test('a zone that nobody knows changes nothing', () => {
    setSiteZone('Mars/Olympus')
    setSiteZone('')
    setSiteZone(undefined)
    expect(siteZone()).toBe('Asia/Shanghai')
  })
})

describe('what is typed is the time at the site', () => {
  test.each([
    ['2026-01-15T08:00', '2026-01-15T13:00:00.000Z'], ['2026-07-15T08:00', '2026-07-15T12:00:00.000Z'],
    ['2026-03-08T02:30', '2026-03-08T07:30:00.000Z'], // clocks leap over it
    ['2026-11-01T01:30', '2026-11-01T05:30:00.000Z'], // clocks pass it twice
    ['2026-03-08T03:30', '2026-03-08T07:30:00.000Z'], ['2026-11-01T02:30', '2026-11-01T07:30:00.000Z'],
  ])('%s in New York is %s', (local, utc) => expect(instantOf(local, 'America/New_York')).toBe(utc))
  test.each(['', '2026-02-30T08:00', '2026-03-05', '08:00', 'soon'])('"%s" is no time', (local) => expect(instantOf(local)).toBeUndefined())
})
