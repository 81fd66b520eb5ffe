export default {
  tasks: '待办',
  kitchen: '后厨',
  scan: '扫码',
  tray: '临期',
  plan: '计划',
  receive: '收货',
  convert: '转换',
  discard: '废弃登记',
  count: '盘点',
  more: '更多',
  bar: '主菜单',
} as const
