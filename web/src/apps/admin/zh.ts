export default {
  today: '今日',
} as const
