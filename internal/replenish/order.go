// Package replenish works out what to make and what to buy: production rounds from a forecast, materials
// by the reverse bill of material, purchase orders by the suppliers' terms. It proposes; stock and money
// move elsewhere.
package replenish

import (
	"errors"
	"fmt"
	"sort"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Proposal is one line of a purchase order to be confirmed by a person.
type Proposal struct {
	Terms   party.Terms
	OrderBy party.Moment
	Due     cal.Date
	Packs   int64
	Qty     qty.Qty // base unit
	Over    qty.Qty // bought beyond the need, for whole packs or the minimum
	Amount  money.Fen
	Late    bool // the last moment to order has passed
	Others  []Other
}

// Lacking is a need nobody supplies.
type Lacking struct {
	Product id.ID
	Net     qty.Qty
}

// Propose turns net requirements of materials into purchase lines: of several suppliers the one that is
// cheapest for the quantity and can still deliver; a need that nobody can deliver in time is proposed
// from the fastest and marked late, so that a person decides. now is the moment of planning there.
func Propose(needs []catalog.Requirement, terms map[id.ID][]party.Terms, due cal.Date, now party.Moment) ([]Proposal, []Lacking, error) {
	var out []Proposal
	var lacking []Lacking
	for _, n := range needs {
		if n.Made || n.Net <= 0 {
			continue
		}
		var best *Proposal
		var all []Proposal
		for _, t := range terms[n.Product] {
			p := Proposal{Terms: t, OrderBy: t.OrderBy(due), Due: due}
			var err error
			if p.Packs, p.Qty, p.Over, err = t.Packs(n.Net); err == nil {
				p.Amount, err = t.Amount(p.Packs)
			}
			if errors.Is(err, qty.ErrTooLarge) || errors.Is(err, money.ErrTooLarge) {
				continue // nobody can order so much; the other goods of the site can be
			}
			if err != nil {
				return nil, nil, err
			}
			p.Late = p.OrderBy.Before(now)
			all = append(all, p)
			if best == nil || p.better(*best) {
				best = &p
			}
		}
		if best == nil {
			lacking = append(lacking, Lacking{n.Product, n.Net})
			continue
		}
		for _, p := range all {
			if p.Terms.Supplier != best.Terms.Supplier {
				best.Others = append(best.Others, Other{p.Terms.Supplier, p.Packs, p.Amount, p.OrderBy.String(), p.Late})
			}
		}
		out = append(out, *best)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Terms.Product < out[j].Terms.Product })
	return out, lacking, nil
}

func (p Proposal) better(q Proposal) bool {
	switch {
	case p.Late != q.Late:
		return q.Late
	case p.Late && p.OrderBy != q.OrderBy:
		return q.OrderBy.Before(p.OrderBy)
	case p.Amount != q.Amount:
		return p.Amount < q.Amount
	}
	return p.Terms.Supplier < q.Terms.Supplier
}

// Reason says in a few words why the line is as it is; the same in every language of numbers.
func (p Proposal) Reason(net qty.Qty) string {
	s := fmt.Sprintf("net %s; %s lead %d h", net, p.Terms.Class, p.lead())
	if p.Terms.MinPacks > 1 && p.Packs == p.Terms.MinPacks {
		s += fmt.Sprintf("; minimum %d packs", p.Terms.MinPacks)
	}
	if p.Late {
		s += "; too late: last moment to order has passed"
	}
	return s
}

func (p Proposal) lead() int64 {
	if p.Terms.LeadHours > 0 {
		return p.Terms.LeadHours
	}
	return p.Terms.Class.LeadHours()
}
