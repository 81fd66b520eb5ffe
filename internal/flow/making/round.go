package making

import (
	"slices"
	"strconv"
	"strings"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/produce"
	"zhanggui/internal/replenish"
)

// Making for a round of the day's plan.

// ErrFarRound refuses to make for a day that no kitchen works on now: yesterday's last round may end after midnight, and
// tomorrow's first may begin before it.
var ErrFarRound = errs.Define("making_round_far", errs.Invalid, "现在不能为 {date} 的计划加工", "It is not the time to make for the plan of {date}")

// ErrNoRound refuses to make for a round that the plan of that day does not have: nobody would wait for what is made.
var ErrNoRound = errs.Define("making_round_unknown", errs.Invalid, "{date} 的计划里没有这个商品的第 {round} 轮,现有:{rounds}", "The plan of {date} has no round {round} of this product; it has: {rounds}")

// ErrUnapproved and ErrUnconfirmed refuse to make for a round that waits for somebody.
var (
	ErrUnapproved  = errs.Define("making_round_unapproved", errs.Conflict, "这一轮还没审批,批准后才能做", "This round waits for an approver; it can be made once it is approved")
	ErrUnconfirmed = errs.Define("making_round_unconfirmed", errs.Conflict, "这一轮还没确认,确认后才能做", "This round is not confirmed yet; it can be made once it is")
)

// confirmed refuses a round that nobody has decided on, to who may not confirm it by making it.
func confirmed(tx *db.Tx, site *org.Site, in RequisitionIn) error {
	if in.For == nil {
		return nil
	}
	rounds, _, err := replenish.RoundsOf(tx, site.ID, in.For.Date, in.ProductID)
	if slices.ContainsFunc(rounds, func(p replenish.RoundState) bool {
		return p.No == in.For.Round && p.State == replenish.Proposed && p.Execution != replenish.Approve
	}) {
		return ErrUnconfirmed.At("for")
	}
	return err
}

// planned refuses a round that the plan in force of its day lacks, and one that waits for an approver. Where the day has no plan, making
// is bound by none.
func planned(tx *db.Tx, r *produce.Requisition) error {
	rounds, plan, err := replenish.RoundsOf(tx, r.Site, r.For.Date, r.Product)
	if err != nil || !plan {
		return err
	}
	list := make([]string, len(rounds))
	for i, p := range rounds {
		list[i] = strconv.FormatInt(p.No, 10)
		switch {
		case p.No != r.For.Round:
		case p.State == replenish.Proposed && p.Execution == replenish.Approve:
			return ErrUnapproved.At("for")
		default:
			return nil
		}
	}
	has := strings.Join(list, ", ")
	if has == "" {
		has = "–"
	}
	return ErrNoRound.With("date", r.For.Date, "round", r.For.Round, "rounds", has).At("for")
}
