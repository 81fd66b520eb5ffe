package supplyday

import (
	"fmt"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/web"
)

// One request goes through so many receipts and no more: what is rare is found window by window, nothing twice, nothing left out.
func TestRareReceiptsAreFoundWindowByWindow(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		line := []m{{"product_id": c.p["breast"].ID.String(), "qty": "100", "cost_fen": 50}}
		for i := range 9 {
			ref := "COMMON"
			if i == 1 || i == 6 {
				ref = fmt.Sprint("Rare-", i)
			}
			c.done(c.manager, "POST", "/api/stock/receipts", m{"site_id": c.site.ID.String(), "ref": ref, "lines": line})
		}
		through := func(in ReceiptSearch, window int) (refs []string, pages int) {
			t.Helper()
			for in.SiteID = c.site.ID; ; pages++ {
				var page *web.Page[ReceiptRow]
				if err := c.d.Read(t.Context(), func(tx *db.Tx) (err error) {
					page, err = receiptPage(tx, &c.site, &in, window)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Items {
					refs = append(refs, r.Ref)
				}
				if page.Next == "" {
					return refs, pages + 1
				}
				in.After = page.Next
			}
		}
		for _, limit := range []int{1, 2, 50} {
			refs, pages := through(ReceiptSearch{Q: "rare", Paging: web.Paging{Limit: limit}}, 2)
			if fmt.Sprint(refs) != "[Rare-6 Rare-1]" || pages < 4 {
				t.Errorf("%d a page: %v on %d pages", limit, refs, pages)
			}
		}
		for _, in := range []ReceiptSearch{{}, {Against: "nothing"}, {Q: "com"}, {From: "2026-03-02", To: "2026-03-02"}} {
			for _, limit := range []int{1, 4, 50} {
				in.Limit = limit
				refs, _ := through(in, 3)
				want := 9
				if in.Q != "" {
					want = 7
				}
				if len(refs) != want {
					t.Errorf("%+v: %v", in, refs)
				}
			}
		}
		for _, in := range []ReceiptSearch{{Against: "order"}, {Q: "nobody"}, {From: "2026-03-03"}, {To: "2026-03-01"}} {
			in.Limit = 2
			if refs, _ := through(in, 4); len(refs) != 0 {
				t.Errorf("%+v: %v", in, refs)
			}
		}
	})
}
