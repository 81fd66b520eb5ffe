import { CheckSquareOutlined, EllipsisOutlined } from '@ant-design/icons'
import type { PageDef } from '@kit/Shell'
import type zh from './zh'

/** A page of the phone. `bar`: it stands in the bottom bar, in the order of this list; with an icon only: under "more". */
export type StaffPage = PageDef<keyof typeof zh> & { bar?: boolean }

export const pages: StaffPage[] = [
  { path: '/tasks', title: 'tasks', perm: '', icon: CheckSquareOutlined, bar: true, load: () => import('./tasks/Tasks') },
  { path: '/more', title: 'more', perm: '', icon: EllipsisOutlined, bar: true, load: () => import('./more/More') },
]
