import type { Me, MeAnswer } from './types'

/** Lists are lists, also when the server has nothing to put in. */
export const meOf = (answer: MeAnswer): Me => ({ ...answer, permissions: answer.permissions ?? [], sites: answer.sites ?? [] })
