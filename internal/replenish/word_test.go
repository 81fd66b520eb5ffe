package replenish

import (
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// A product is bought for 10 a day, in packs of one. Its supplier is two days late; 12 lie there.
func TestGoodsOfALateSupplierMustLastSoManyDaysLonger(t *testing.T) {
	const milk, slow, quick id.ID = 7, 20, 21
	day := time.Hour * 24
	for _, c := range []struct {
		name   string
		life   time.Duration
		late   int64
		lots   qty.Qty
		coming Coming
		quick  bool // another supplier for less, at its word
		net    qty.Qty
		held   qty.Qty
	}{
		{"on time", Forever, 0, 4, Coming{}, false, 6, 0},
		{"two days late", Forever, 2, 4, Coming{}, false, 26, 20},
		{"enough for all three days", Forever, 2, 30, Coming{}, false, 0, 20},
		{"keeps for three days", 3 * day, 2, 4, Coming{}, false, 26, 20},
		{"keeps for two", 2 * day, 2, 4, Coming{}, false, 16, 10},
		{"keeps for one", day, 2, 4, Coming{}, false, 6, 0},
		{"eight of ten under way are expected", Forever, 2, 4, Coming{Due: "2026-03-02", Qty: 8 * piece, Promised: 10 * piece}, false, 18, 20},
		{"somebody else is cheaper and in time", Forever, 2, 4, Coming{}, true, 6, 0},
	} {
		book, err := catalog.NewCookbook(nil, func(p id.ID) string { return p.String() })
		if err != nil {
			t.Fatal(err)
		}
		terms := func(supplier id.ID, least int64) party.Terms {
			return party.Terms{Supplier: supplier, Product: milk, Pack: 1000, Unit: qty.Unit{Name: "piece", Num: 1, Den: 1}, Price: 1_000_000, MinPacks: least, Class: party.Fresh, Days: party.EveryDay, CutOff: 1439}
		}
		s := &Site{Book: book, Loc: time.UTC, Lots: map[id.ID][]Lot{milk: {{Qty: c.lots * piece, Until: cal.Date("2027-01-01").Time()}}}, Coming: map[id.ID][]Coming{}, Terms: map[id.ID][]party.Terms{milk: {terms(slow, 1)}},
			Good: func(id.ID) Good { return Good{Life: c.life, Piece: true} }, Words: map[Word]WordWhy{{slow, milk}: {SupplierID: slow, Lines: 30, FillBP: 8200, LateDays: c.late}}}
		if c.quick {
			s.Terms[milk] = []party.Terms{terms(slow, 50), terms(quick, 1)}
		}
		if c.coming.Due != "" {
			s.Coming[milk] = []Coming{c.coming}
		}
		ten := qty.Qty(10 * piece)
		p, err := s.Plan(Day{Date: "2026-03-02", Now: party.Moment{Date: "2026-03-01", Minute: 600}, Wanted: []Wanted{{Product: milk, Firm: &ten}}})
		if err != nil {
			t.Fatal(err)
		}
		n := p.Needs[0]
		if n.Net != c.net*piece || n.Safety != c.held*piece {
			t.Errorf("%s: net %v held %v, want %d and %d", c.name, n.Net, n.Safety, c.net, c.held)
		}
		var ordered qty.Qty
		for _, o := range p.Orders {
			ordered += o.Qty
		}
		if ordered < n.Net || c.quick && len(p.Orders) == 1 && p.Orders[0].Terms.Supplier != quick {
			t.Errorf("%s: %v is ordered of %v", c.name, ordered, n.Net)
		}
		if (n.Word != nil) == c.quick || n.Word != nil && n.Word.Cushion != c.held*piece {
			t.Errorf("%s: %+v", c.name, n.Word)
		}
	}
}

// The level rule stays exact: what was promised counts as it was ordered, so that one line is open, once. The days that a
// computed level protects are so many more.
func TestALevelCountsWhatWasPromisedAndProtectsLonger(t *testing.T) {
	const rice, slow, quick id.ID = 7, 20, 21
	terms := func(supplier id.ID, hours int64) party.Terms {
		return party.Terms{Supplier: supplier, Product: rice, Pack: 1000, Unit: qty.Unit{Name: "piece", Num: 1, Den: 1}, Price: 1, MinPacks: 1, Class: party.Fresh, LeadHours: hours, Days: party.EveryDay, CutOff: 1439}
	}
	s := &Site{Loc: time.UTC, Lots: map[id.ID][]Lot{}, Coming: map[id.ID][]Coming{rice: {{Due: "2026-03-03", Qty: 82 * piece, Promised: 100 * piece}}}, Terms: map[id.ID][]party.Terms{rice: {terms(slow, 48)}},
		Good: func(id.ID) Good { return Good{Life: Forever} }, Words: map[Word]WordWhy{{slow, rice}: {LateDays: 2}}}
	now := party.Moment{Date: "2026-03-02", Minute: 600}
	lines, err := s.Below("2026-03-02", now, []Stocked{{Product: rice, Safety: 100 * piece, Most: 150 * piece}})
	if err != nil || len(lines) != 0 {
		t.Errorf("a hundred are promised: %+v %v", lines, err)
	}
	lines, err = s.Below("2026-03-02", now, []Stocked{{Product: rice, Safety: 100*piece + 1, Most: 150 * piece}})
	if err != nil || len(lines) != 1 || lines[0].InTransit != 100*piece || lines[0].Need != 50*piece {
		t.Errorf("a thousandth below: %+v %v", lines, err)
	}
	if got := s.Protected(rice, "2026-03-02", now); got != 1+2+2 {
		t.Errorf("%d days", got)
	}
	s.Terms[rice] = append(s.Terms[rice], terms(quick, 48))
	if got := s.Protected(rice, "2026-03-02", now); got != 1+2 {
		t.Errorf("somebody as quick keeps his word: %d days", got)
	}
	s.Words = nil
	if got := s.Protected(rice, "2026-03-02", now); got != 1+2 {
		t.Errorf("without a record: %d days", got)
	}
}
