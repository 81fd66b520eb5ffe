package stock

import (
	"fmt"
	"testing"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

func (s shop) finds(sites org.Sites, q string) (said []string) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		all, err := Find(tx, sites, q)
		for _, f := range all {
			said = append(said, fmt.Sprintf("%s %d at %d: %s", f.Kind, f.ID, f.SiteID, f.What))
		}
		return err
	})
	return said
}

func TestWhatHasANumberIsFound(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		batch := s.receive(bun, 10, 1000, 9*time.Hour)
		var code string
		var receipt id.ID
		s.must(func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT code, document_id FROM stock_batch WHERE id = $1`, batch).Scan(&code, &receipt)
		})
		transfer := s.ask(buns(2))
		count := s.startCount(NewCount{})
		everywhere := org.Sites{All: true}
		for _, look := range []struct {
			what, q, want string
		}{
			{"a batch by its code", " " + code + " ", fmt.Sprintf("[batch %d at %d: Bun]", batch, bakery.ID)},
			{"a batch by its number", batch.String(), fmt.Sprintf("[batch %d at %d: Bun]", batch, bakery.ID)},
			{"a goods receipt", receipt.String(), fmt.Sprintf("[document %d at %d: goods_receipt]", receipt, bakery.ID)},
			{"a transfer, once for both its ends", transfer.String(), fmt.Sprintf("[transfer %d at %d: requested]", transfer, bakery.ID)},
			{"a count", count.ID.String(), fmt.Sprintf("[count %d at %d: open]", count.ID, bakery.ID)},
			{"part of a code", code[:len(code)-1], "[]"},
			{"a number of nobody", "77", "[]"},
			{"less than nothing", "-" + batch.String(), "[]"},
			{"more than a number", batch.String() + "00000000000000000000", "[]"},
			{"a pattern", "%", "[]"},
		} {
			if got := fmt.Sprint(s.finds(everywhere, look.q)); got != look.want {
				t.Errorf("%s (%q): got %s, want %s", look.what, look.q, got, look.want)
			}
		}
		// Who sees no site finds nothing of it.
		for _, q := range []string{code, batch.String(), receipt.String(), transfer.String(), count.ID.String()} {
			if got := s.finds(org.Sites{}, q); len(got) != 0 {
				t.Errorf("%q is shown to somebody without a site: %v", q, got)
			}
		}
	})
}
