import { describe, expect, test } from 'vitest'
import { addDays, cost, decimal, formatter, money, number, ofThousandths, parseMoney, percent, signed, thousandths, weekdayOf, yuan } from './format'

const zh = formatter('zh')
const en = formatter('en')

describe('money', () => {
  test.each([
    [0, '0.00'], [5, '0.05'], [100, '1.00'], [123456789, '1,234,567.89'], [-1205, '\u221212.05'],
  ])('%i fen is written %s: the fen are never hidden', (fen, written) => expect(money(fen)).toBe(written))
  test('the sign stands before the ¥', () => {
    expect(yuan(1200)).toBe('¥12.00')
    expect(yuan(-1200)).toBe('\u2212¥12.00')
  })
  test('a unit cost keeps what it has, at least two decimals', () => {
    expect(cost(12_345_678)).toBe('12.345678')
    expect(cost(3_500_000)).toBe('3.50')
    expect(cost(3_512_000)).toBe('3.512')
  })
  test.each([
    ['12', 1200], ['12.5', 1250], ['1,200.05', 120005], [' ¥3。20 ', 320], ['0.07', 7], ['-1.5', -150],
  ])('typed %s is %i fen', (typed, fen) => expect(parseMoney(typed)).toBe(fen))
  test.each(['', '.5', '1.234', 'abc', '1e3', '--1', '1.2.3'])('typed "%s" is refused', (typed) => expect(parseMoney(typed)).toBeUndefined())
})

test('quantities keep every digit that says something', () => {
  expect(decimal('1234.250')).toBe('1,234.25')
  expect(decimal('-0.005')).toBe('\u22120.005')
  expect(decimal('12.000')).toBe('12')
  expect(zh.qty({ qty: '0.250', unit: 'kg' })).toBe('0.25\u202f千克')
  expect(en.qty({ qty: '3', unit: 'piece' })).toBe('3\u202fpcs')
  expect(en.qty({ qty: '2', unit: 'tray' })).toBe('2\u202ftray')
})

test('quantities are added in whole thousandths', () => {
  expect(thousandths('-1.25')).toBe(-1250)
  expect(thousandths('0.1') + thousandths('0.2')).toBe(thousandths('0.3'))
  expect(thousandths('1.2345')).toBeNaN()
  expect(ofThousandths(-1250)).toBe('-1.250')
})

test('figures and shares', () => {
  expect(number(1234567.891, 1)).toBe('1,234,567.9')
  expect(number(-0.04, 1)).toBe('0.0')
  expect(percent(0.1234)).toBe('12.3\u202f%')
  expect(signed(percent(0.032))).toBe('+3.2\u202f%')
  expect(signed(percent(-0.032))).toBe('\u22123.2\u202f%')
  expect(signed(number(0, 1))).toBe('0.0')
  expect(signed('0\u202fkg')).toBe('0\u202fkg')
  expect(signed('0.05\u202fkg')).toBe('+0.05\u202fkg')
  expect(signed('1,000')).toBe('+1,000')
})

describe('times are said as people say them', () => {
  const now = new Date('2026-03-05T15:40:00+08:00')
  test('in the site’s own clock, whatever the reader’s zone', () => {
    expect(zh.clock('2026-03-05T16:20:00+08:00')).toBe('16:20')
    expect(en.clock('2026-03-05T16:20:00-05:00')).toBe('16:20')
  })
  test('near', () => {
    expect(zh.when('2026-03-05T16:20:00+08:00', now)).toBe('40 分钟后，16:20')
    expect(en.when('2026-03-05T16:20:00+08:00', now)).toBe('in 40 min, 16:20')
    expect(en.when('2026-03-05T15:39:40+08:00', now)).toBe('just now, 15:39')
    expect(en.when('2026-03-05T13:10:00+08:00', now)).toBe('2 h 30 min ago, 13:10')
  })
  test('another day', () => {
    expect(zh.at('2026-03-04T23:59:00+08:00', now)).toBe('昨天 23:59')
    expect(en.at('2026-03-06T00:01:00+08:00', now)).toBe('tomorrow 00:01')
    expect(en.at('2026-03-01T08:05:00+08:00', now)).toBe('1 Mar 08:05')
    expect(zh.at('2025-12-31T08:05:00+08:00', now)).toBe('2025年12月31日 08:05')
  })
  test('exactly', () => expect(en.exact('2026-03-05T16:20:31.123+08:00')).toBe('2026-03-05 16:20:31 +08:00'))
  test('spans', () => {
    expect(en.duration(59)).toBe('59 s')
    expect(en.duration(200)).toBe('3 min 20 s')
    expect(zh.duration(7260)).toBe('2 小时 1 分')
  })
})

test('days of the calendar', () => {
  expect(weekdayOf('2026-03-05')).toBe(4)
  expect(addDays('2026-02-28', 1)).toBe('2026-03-01')
  expect(en.day('2024-03-05')).toBe('Tue 5 Mar 2024')
})
