package replenish

import (
	"errors"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// What becomes of rounds once they are planned: kept, decided, made.

// Kept is a round that planning leaves as it is.
type Kept struct {
	Product id.ID
	Round   int64
	Open    qty.Qty // still to be made
}

// KeptRounds are the rounds of a plan that people decided on or that are begun, those that nobody is asked about and that must be ready
// by half hour fixed, and those that were over at half hour from.
func KeptRounds(tx *db.Tx, h *Head, from, fixed int64) ([]Kept, error) {
	rows := tx.Query(`SELECT product_id, round_no, to_slot, make, made, state FROM replenish_production WHERE plan_id = $1 AND version = $2
		AND (state <> 'proposed' AND (staff_id <> 0 OR state = 'done' OR ready_slot <= $3) OR made > 0 OR to_slot <= $4) ORDER BY product_id, round_no`, h.ID, h.Version, fixed, from)
	defer rows.Close()
	var all []Kept
	for rows.Next() {
		var k Kept
		var to int64
		var make, made qty.Qty
		var state State
		if err := rows.Scan(&k.Product, &k.Round, &to, &make, &made, &state); err != nil {
			return nil, err
		}
		if state != Done && (state != Proposed || to > from) && make > made {
			k.Open = make - made
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// DecideRound confirms a round of production as it is proposed, or with q changes it to another quantity. A round that
// is made already stays. One that waits for an approver is decided by one; less than was approved may be made by anybody.
func DecideRound(tx *db.Tx, plan, line, staff id.ID, approver bool, q *qty.Qty, reason string) error {
	h, err := lock(tx, plan)
	if err != nil {
		return err
	}
	var state State
	var execution Execution
	var now, made qty.Qty
	err = tx.QueryRow(`SELECT state, execution, make, made FROM replenish_production WHERE id = $1 AND plan_id = $2 AND version = $3`, line, plan, h.Version).Scan(&state, &execution, &now, &made)
	if err != nil {
		return lineOf(err)
	}
	next := Confirmed
	switch {
	case state == Done:
		return ErrDone
	case q == nil && state != Proposed:
		return ErrDecided
	case execution == Approve && !approver && (state == Proposed || *q > now):
		return ErrApprover
	case q != nil && *q < made:
		return ErrDone.At("qty")
	case q != nil:
		now, next = *q, Changed
	}
	if err := tx.Exec(`UPDATE replenish_production SET state = $1, make = $2, staff_id = $3, decided_at = $4, reason = $5 WHERE id = $6`,
		next, now, staff, tx.Now(), reason, line); err != nil {
		return err
	}
	return decided(tx, h, q != nil)
}

// ConfirmRounds confirms all rounds of a plan that nobody has decided on, or of them those named (at most 500), and
// says how many that were. Those that wait for an approver are left to one.
func ConfirmRounds(tx *db.Tx, plan, staff id.ID, approver bool, lines []id.ID) (n int64, err error) {
	h, err := lock(tx, plan)
	if err != nil {
		return 0, err
	}
	if lines == nil {
		n, err = tx.ExecN(`UPDATE replenish_production SET state = 'confirmed', staff_id = $1, decided_at = $2 WHERE plan_id = $3 AND version = $4 AND state = 'proposed'
			AND (CAST($5 AS BIGINT) = 1 OR execution <> 'approve')`, staff, tx.Now(), plan, h.Version, approver)
	} else {
		args := []any{staff, tx.Now(), plan, h.Version, approver}
		for _, l := range lines {
			args = append(args, l)
		}
		rows := tx.QueryMany(confirmRounds, args...)
		for rows.Next() {
			n++
		}
		err = rows.Err()
	}
	if err != nil || n == 0 {
		return n, err
	}
	return n, decided(tx, h, false)
}

var confirmRounds = db.NewMany(`UPDATE replenish_production SET state = 'confirmed', staff_id = $1, decided_at = $2 WHERE plan_id = $3 AND version = $4 AND state = 'proposed'
	AND (CAST($5 AS BIGINT) = 1 OR execution <> 'approve') AND id IN (`,
	`?`, `) RETURNING id`)

// NoteMade takes note of what a kitchen has made of a product for a date: it fills the round it was made for and those after it,
// in their order; made for none (0), from the first; for one that the plan no longer has, the next after it, or the last of all,
// so that no goods are made of which the plan does not know. planned is what it had set out to make: where somebody made
// fewer and said why, the round is done with that, and nobody waits for more. What is beyond them belongs to the last.
// Making decides nothing: a round that nobody has confirmed still waits for that until it is made.
func NoteMade(tx *db.Tx, site id.ID, date cal.Date, product id.ID, of int64, q, planned qty.Qty) error {
	var plan id.ID
	err := tx.QueryRow(`SELECT id FROM replenish_plan WHERE site_id = $1 AND date = $2 AND version > 0`, site, date).Scan(&plan)
	if errors.Is(err, db.ErrNoRow) {
		return nil // made without a plan
	}
	if err != nil {
		return err
	}
	h, err := lock(tx, plan)
	if err != nil {
		return err
	}
	type round struct {
		id         id.ID
		no         int64
		make, made qty.Qty
		state      State
	}
	var rounds []round
	rows := tx.Query(`SELECT id, round_no, make, made, state FROM replenish_production WHERE plan_id = $1 AND version = $2 AND product_id = $3 ORDER BY round_no`, plan, h.Version, product)
	for rows.Next() {
		var r round
		if err := rows.Scan(&r.id, &r.no, &r.make, &r.made, &r.state); err != nil {
			return err
		}
		rounds = append(rounds, r)
	}
	if err := rows.Err(); err != nil || len(rounds) == 0 {
		return err
	}
	for len(rounds) > 1 && rounds[0].no < of {
		rounds = rounds[1:]
	}
	gone := max(0, planned-q)
	for i, r := range rounds {
		left := max(r.make-r.made, 0)
		if r.state == Done {
			left = 0
		}
		part := min(q, left)
		if i == len(rounds)-1 {
			part = q
		}
		short := qty.Qty(0) // will not be made
		if part < left && left-part <= gone {
			short = left - part
		}
		if part <= 0 && short == 0 {
			continue
		}
		q -= part
		gone -= short
		if err := tx.Exec(`UPDATE replenish_production SET made = made + $1, state = CASE WHEN made + $1 + $2 >= make THEN 'done' ELSE state END,
			decided_at = CASE WHEN made + $1 + $2 >= make THEN COALESCE(decided_at, $3) ELSE decided_at END WHERE id = $4`, part, short, tx.Now(), r.id); err != nil {
			return err
		}
	}
	return decided(tx, h, true)
}

// RoundState is a round of a plan as the kitchen is bound by it.
type RoundState struct {
	No        int64
	State     State
	Execution Execution
}

// RoundsOf are the rounds that the plan in force of a site and date has of a product, by number; plan: there is one.
func RoundsOf(tx *db.Tx, site id.ID, date cal.Date, product id.ID) (rounds []RoundState, plan bool, err error) {
	rows := tx.Query(`SELECT COALESCE(l.round_no, 0), COALESCE(l.state, ''), COALESCE(l.execution, '') FROM replenish_plan p LEFT JOIN replenish_production l ON l.plan_id = p.id AND l.version = p.version AND l.product_id = $1
		WHERE p.site_id = $2 AND p.date = $3 AND p.version > 0 ORDER BY 1`, product, site, date)
	defer rows.Close()
	for rows.Next() {
		var r RoundState
		if err := rows.Scan(&r.No, &r.State, &r.Execution); err != nil {
			return nil, false, err
		}
		if plan = true; r.No > 0 {
			rounds = append(rounds, r)
		}
	}
	return rounds, plan, rows.Err()
}
