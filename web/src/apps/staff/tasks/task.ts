import type { Problem } from '@kit/api'

/** One thing to do now, with one button. */
export interface Task {
  key: string
  title: string
  note?: string
  /** by when, as an instant; red when past, amber within half an hour */
  due?: string
  /** urgent without a time */
  urgent?: boolean
  to: string
  act: string
}

/** What one part of the work has to do at a site; a hook, so that it reads what it needs. */
export interface TaskSource {
  tasks: Task[]
  loading: boolean
  problem: Problem | undefined
  again: () => void
}
