import type zh from './format.zh'
import type { SameKeys } from '../i18n'

export default {
  unit_g: 'g', unit_kg: 'kg', unit_jin: 'jin', unit_ml: 'ml', unit_l: 'l', unit_piece: 'pcs',
  month_1: 'Jan', month_2: 'Feb', month_3: 'Mar', month_4: 'Apr', month_5: 'May', month_6: 'Jun',
  month_7: 'Jul', month_8: 'Aug', month_9: 'Sep', month_10: 'Oct', month_11: 'Nov', month_12: 'Dec',
  weekday_0: 'Sun', weekday_1: 'Mon', weekday_2: 'Tue', weekday_3: 'Wed', weekday_4: 'Thu', weekday_5: 'Fri', weekday_6: 'Sat',
  date: '{d} {mm}',
  date_year: '{d} {mm} {y}',
  day: '{weekday} {date}',
  date_time: '{date} {time}',
  yesterday: 'yesterday {time}',
  tomorrow: 'tomorrow {time}',
  now: 'just now, {time}',
  in: 'in {span}, {at}',
  ago: '{span} ago, {at}',
  under_second: 'under 1 s',
  seconds: '{n} s',
  minutes: '{n} min',
  minutes_seconds: '{m} min {s} s',
  hours: '{n} h',
  hours_minutes: '{h} h {m} min',
  days: '{n} {n:day|days}',
} satisfies SameKeys<typeof zh>
