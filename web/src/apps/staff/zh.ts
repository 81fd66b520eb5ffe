export default {
  tasks: '待办',
  more: '更多',
  bar: '主菜单',
} as const
