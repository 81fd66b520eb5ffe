import { CheckSquareOutlined, DeleteOutlined, EllipsisOutlined, FireOutlined, FormOutlined, HourglassOutlined, InboxOutlined, ScanOutlined, SolutionOutlined, SwapOutlined } from '@ant-design/icons'
import type { PageDef } from '@kit/Shell'
import type zh from './zh'

/** A page of the phone. `bar`: it stands in the bottom bar, in the order of this list; with an icon only: under "more". */
export type StaffPage = PageDef<keyof typeof zh> & { bar?: boolean }

export const pages: StaffPage[] = [
  { path: '/tasks', title: 'tasks', perm: '', icon: CheckSquareOutlined, bar: true, load: () => import('./tasks/Tasks') },
  { path: '/kitchen', title: 'kitchen', perm: 'make.read', icon: FireOutlined, bar: true, load: () => import('./kitchen/Kitchen') },
  { path: '/scan', title: 'scan', perm: 'stock.read', icon: ScanOutlined, bar: true, load: () => import('./scan/Scan') },
  { path: '/tray', title: 'tray', perm: 'clear.read', icon: HourglassOutlined, bar: true, load: () => import('./tray/Tray') },
  { path: '/more', title: 'more', perm: '', icon: EllipsisOutlined, bar: true, load: () => import('./more/More') },
  { path: '/plan', title: 'plan', perm: 'plan.read', under: '/more', icon: FormOutlined, load: () => import('./plan/MyPlan') },
  { path: '/receive', title: 'receive', perm: 'purchase.read', under: '/more', icon: InboxOutlined, load: () => import('./receive/Receive') },
  { path: '/receive/:id', title: 'receive', perm: 'stock.manage', under: '/more', load: () => import('./receive/OneOrder') },
  { path: '/count', title: 'count', perm: 'stock.count', under: '/more', icon: SolutionOutlined, load: () => import('./count/Counts') },
  { path: '/count/:id', title: 'count', perm: 'stock.count', under: '/more', load: () => import('./count/OneCount') },
  { path: '/convert', title: 'convert', perm: 'make.work', under: '/more', icon: SwapOutlined, load: () => import('./convert/Convert') },
  { path: '/discard', title: 'discard', perm: 'stock.manage', under: '/more', icon: DeleteOutlined, load: () => import('./discard/Discard') },
]
