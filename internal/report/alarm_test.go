package report

import (
	"testing"

	"zhanggui/internal/platform/money"
)

// Whoever looks at twelve shops sees a line for each shop and trouble, with what it costs, not each product for itself.
func TestTheLikeOfAShopStandTogether(t *testing.T) {
	all := together([]Alarm{
		{Kind: "sold_out", SiteID: 1, ProductID: 11, Fen: 900}, {Kind: "sold_out", SiteID: 2, ProductID: 11, Fen: 700},
		{Kind: "sold_out", SiteID: 1, ProductID: 12, Fen: 300}, {Kind: "expired", SiteID: 1, ProductID: 12, Fen: 50}, {Kind: "sold_out", SiteID: 1, ProductID: 13},
	})
	want := []Alarm{{Kind: "sold_out", SiteID: 1, ProductID: 11, Fen: 1200, More: 2}, {Kind: "sold_out", SiteID: 2, ProductID: 11, Fen: 700}, {Kind: "expired", SiteID: 1, ProductID: 12, Fen: 50}}
	if len(all) != len(want) {
		t.Fatalf("%d lines: %+v", len(all), all)
	}
	var n, at int64
	for i, a := range all {
		if a != want[i] {
			t.Errorf("line %d: %+v, want %+v", i, a, want[i])
		}
		n, at = n+1+a.More, at+int64(a.Fen)
	}
	if n != 5 || money.Fen(at) != 1950 {
		t.Errorf("%d alarms over %d fen: some are lost", n, at)
	}
	if got := together(nil); len(got) != 0 {
		t.Errorf("from nothing: %v", got)
	}
}
