package checkout_test

import (
	"testing"
	"time"

	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

func TestWhatADaySoldOfEachProductIsTheLedgersFigure(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "buns", 60, 6000, 6*time.Hour)
		s.arrive(s.tea, "tea", 10_000, 50_000, 0)
		sold := func(in checkout.SoldIn) *web.Page[checkout.Sold] {
			s.t.Helper()
			var page *web.Page[checkout.Sold]
			if in.Limit == 0 {
				in.Limit = 50
			}
			s.read(func(tx *db.Tx) (err error) {
				page, err = s.flow.SoldOn(tx, &in)
				return err
			})
			return page
		}
		today := checkout.SoldIn{SiteID: s.site.ID, Date: "2026-03-02"}
		if page := sold(today); len(page.Items) != 0 || page.Items == nil {
			s.t.Errorf("before the first sale: %+v", page)
		}

		s.sell(line(s.bun, "piece", "7"), line(s.tea, "kg", "0.25"))
		s.sell(line(s.bun, "box", "2"), line(s.bun, "piece", "1"))
		page := sold(today)
		if len(page.Items) != 2 || page.Items[0].Code != "BUN" || page.Items[0].Qty.String() != "32" || page.Items[1].Qty.String() != "250" || page.Items[1].BaseUnit != "g" {
			s.t.Errorf("7 + 2 × 12 + 1 buns and 250 g of tea, got %+v", page.Items)
		}
		if u := page.Items[0].Units; len(u) != 2 || u[1] != (checkout.Unit{Name: "box", Num: 12, Den: 1}) {
			s.t.Errorf("units %+v", u)
		}

		first := sold(checkout.SoldIn{SiteID: s.site.ID, Date: today.Date, Paging: web.Paging{Limit: 1}})
		second := sold(checkout.SoldIn{SiteID: s.site.ID, Date: today.Date, Paging: web.Paging{Limit: 1, After: first.Next}})
		if len(first.Items) != 1 || first.Next == "" || len(second.Items) != 1 || second.Items[0].Code != "TEA" || second.Next != "" {
			s.t.Errorf("page by page: %+v, %+v", first, second)
		}
		if page := sold(checkout.SoldIn{SiteID: s.site.ID, Date: "2026-03-01"}); len(page.Items) != 0 {
			s.t.Errorf("the day before: %+v", page.Items)
		}
		if page := sold(checkout.SoldIn{SiteID: id.New(), Date: today.Date}); len(page.Items) != 0 {
			s.t.Errorf("elsewhere: %+v", page.Items)
		}
	})
}
