package making_test

import (
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/making"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// The page of what lines lose shows of a mixed line each of its materials, and its batches come to what was learned.
func TestThePageOfLossesOfAMixedLineComesToItsBatches(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		r := k.choice()
		if err := k.approve(k.proposed(r, 500_000, 1_000_000, 28)); err != nil {
			t.Fatal(err)
		}
		// 50 g more of the breast each time, and 55 g less of the thigh that stands in for it.
		for range 10 {
			k.report(k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: k.by["breast"].ID, Qty: 307_500}, making.IssueIn{ProductID: k.by["thigh"].ID, Qty: 228_250}), making.OutputIn{Qty: 10 * piece})
		}
		k.night()
		k.must(func(tx *db.Tx) error {
			page, err := k.flow.Losses(tx, making.LossesIn{ID: k.by["wrap"].ID, SiteID: k.site.ID, Date: k.today()})
			if err != nil {
				return err
			}
			shown := ""
			for _, l := range page.Items {
				shown += l.Code + " "
				var taken, net qty.Qty
				for _, b := range l.From {
					taken, net = taken+b.Taken, net+b.Net
				}
				if len(l.From) != 10 || taken != l.Taken || net != l.Net {
					t.Errorf("%s: ten batches come to %s of %s, learned of %s of %s: %+v", l.Code, taken, net, l.Taken, l.Net, l.From)
				}
			}
			if shown != "breast thigh sheet lettuce " {
				t.Errorf("shown: %s", shown)
			}
			return nil
		})
	})
}

// Two plans have read the same proposal: the second one to write leaves what the first one wrote, so that a version has one content.
func TestTwoPlansLeaveOneContentOfAVersion(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		m := k.proposed(k.choice(), 400_000, 1_000_000, 5)
		breast, thigh := k.by["breast"].ID, k.by["thigh"].ID
		for _, share := range []int64{300_000, 200_000} {
			again := *m
			again.Seen, again.Version = m.Version, m.Version+1
			again.Shares = catalog.Mix{}
			for p, s := range m.Shares {
				again.Shares[p] = s
			}
			again.Shares[breast], again.Shares[thigh] = share, 1_000_000-share
			k.must(func(tx *db.Tx) error {
				return replenish.PutMixes(tx, k.site.ID, replenish.MixesToDo{Propose: []replenish.Mix{again}})
			})
		}
		k.must(func(tx *db.Tx) error {
			now, err := replenish.LockMix(tx, m.ID)
			if err == nil && (now.Version != m.Version+1 || now.Shares[breast] != 300_000) {
				t.Errorf("version %d says %v", now.Version, now.Shares)
			}
			return err
		})
		k.green()
	})
}
