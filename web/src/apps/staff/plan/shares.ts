import type { components } from '@kit/api/schema'

type Plan = Pick<components['schemas']['ReplenishPlanView'], 'rounds_open' | 'rounds_approve' | 'proposals_open' | 'proposals_approve' | 'proposals_held'>

/** Of what nobody has decided on: how much a person may confirm at once, and how much waits for somebody else, or for one line after the other. */
export function shares(plan: Plan | undefined, approver: boolean): { mine: number; others: number } {
  if (!plan) return { mine: 0, others: 0 }
  const open = plan.rounds_open + plan.proposals_open
  const others = plan.proposals_held + (approver ? 0 : plan.rounds_approve + plan.proposals_approve)
  return { mine: Math.max(0, open - others), others }
}
