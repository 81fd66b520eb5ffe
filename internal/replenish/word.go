package replenish

import (
	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// A supplier that is late makes the days longer that goods must last until the next come. Goods ordered by their level are
// protected for so many days more. Of what is planned by need, so many days' more are held: the days to come are taken to need
// what the day needs. Goods that would not keep so long are ordered as ever, since nothing is gained by holding them.

// Word names a supplier's word for a product.
type Word struct{ Supplier, Product id.ID }

// WordWhy is what a supplier's word is taken for, and what that does to a line.
type WordWhy struct {
	SupplierID id.ID   `json:"supplier_id"`
	Lines      int64   `json:"lines" doc:"orders' lines of 90 days that it is learned from"`
	FillBP     int64   `json:"fill_bp" doc:"share of what is under way that is expected to come, in ten-thousandths; at least half"`
	LateDays   int64   `json:"late_days" doc:"days after its due date by which nine tenths are there; 3: or more"`
	Cushion    qty.Qty `json:"cushion" doc:"held beyond the need for them; 0 of goods ordered by their level, which are protected for so many days more"`
}

const day24 = 24

// lasts is how many days of a supplier's lateness goods may be held for: they must keep them and the day they are needed.
func (s *Site) lasts(product id.ID, days int64) int64 {
	return max(0, min(days, int64(s.Good(product).Life.Hours())/day24-1))
}

// heldFor is whether lateness makes more of a product to be held on a day: it is bought, not from a tray, and not by its level.
func (s *Site) heldFor(product id.ID, made bool, trays map[id.ID]bool) bool {
	_, sourced := s.Sources[product]
	return len(s.Words) > 0 && !made && !sourced && !trays[product] && (s.Static == nil || !s.Static(product))
}

// cushion is what is held of a product for the lateness of whoever would supply the day's need; nil: nothing is known of it.
func (s *Site) cushion(r catalog.Requirement, day Day, trays map[id.ID]bool) *WordWhy {
	if !s.heldFor(r.Product, r.Made, trays) || !s.anyWord(r.Product) {
		return nil
	}
	need := up(r.Need)
	if s.Good(r.Product).Piece {
		need = (need + qty.Scale - 1) / qty.Scale * qty.Scale
	}
	orders, _, err := Propose([]catalog.Requirement{{Product: r.Product, Net: need}}, s.Terms, day.Date, day.Now)
	if err != nil || len(orders) == 0 {
		return nil
	}
	w, ok := s.Words[Word{orders[0].Terms.Supplier, r.Product}]
	if !ok {
		return nil
	}
	w.Cushion = need * qty.Qty(s.lasts(r.Product, w.LateDays))
	return &w
}

func (s *Site) anyWord(product id.ID) bool {
	for _, t := range s.Terms[product] {
		if _, ok := s.Words[Word{t.Supplier, product}]; ok {
			return true
		}
	}
	return false
}

// held is what is held beyond the need: for what is made as it sells, and for suppliers that are late.
func (s *Site) held(day Day, trays map[id.ID]bool, pooled func(catalog.Requirement) qty.Qty) func(catalog.Requirement) qty.Qty {
	if len(s.Words) == 0 {
		return pooled
	}
	return func(r catalog.Requirement) (held qty.Qty) {
		if pooled != nil {
			held = pooled(r)
		}
		if w := s.cushion(r, day, trays); w != nil {
			held += w.Cushion
		}
		return held
	}
}

// firstWord is the word of the least late of the suppliers that can deliver first; nil: one of them is taken at its word.
func (s *Site) firstWord(product id.ID, due cal.Date, now party.Moment) *WordWhy {
	var best *WordWhy
	for _, t := range s.Terms[product] {
		if t.OrderBy(due).Before(now) {
			continue
		}
		w, ok := s.Words[Word{t.Supplier, product}]
		if !ok || w.LateDays == 0 {
			return nil
		}
		if best == nil || w.LateDays < best.LateDays {
			best = &w
		}
	}
	return best
}
