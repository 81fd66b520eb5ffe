package forecast

import (
	"testing"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

func TestALoadCountsWholeOrNotAtAllAndTheLastOneHolds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		key := func(day int) SaleKey { return SaleKey{1, 2, cal.Date("2024-05-01").AddDays(day)} }
		paid, out := money.Fen(350), int64(14*60)
		act := func(want string, fn func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), fn); errs.Code(err) != want {
				t.Fatalf("got %v, want %q", err, want)
			}
		}
		holds := func(day int, want qty.Qty) {
			t.Helper()
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				found, err := SalesInForce(tx, []SaleKey{key(day), key(day), key(99)})
				if err != nil {
					return err
				}
				got, ok := found[key(day)]
				if ok != (want >= 0) || ok && got.Qty != want || len(found) > 1 {
					t.Errorf("day %d: %+v, want %d", day, found, want)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		full := SaleDay{SaleKey: key(0), Qty: 5000, Amount: &paid, Promo: true, SoldOut: &out, Slots: []SlotQty{{20, 2000}, {28, 3000}}}
		act("", func(tx *db.Tx) error { return OpenLoad(tx, 11) })
		act("", func(tx *db.Tx) error { return PutSales(tx, 11, []SaleDay{full, {SaleKey: key(1), Qty: 7000}}) })
		holds(0, -1)
		act("", func(tx *db.Tx) error { return ApplyLoad(tx, 11) })
		holds(0, 5000)
		holds(1, 7000)
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			found, err := SalesInForce(tx, []SaleKey{key(0)})
			if got := found[key(0)]; !got.Equal(full) {
				t.Errorf("got %+v back", got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}

		// A later file corrects one day and leaves the other.
		act("", func(tx *db.Tx) error { return OpenLoad(tx, 5) }) // its id is not what counts
		act("", func(tx *db.Tx) error { return PutSales(tx, 5, []SaleDay{{SaleKey: key(0), Qty: 6000}}) })
		holds(0, 5000)
		act("", func(tx *db.Tx) error { return ApplyLoad(tx, 5) })
		holds(0, 6000)
		holds(1, 7000)

		act("history_load_closed", func(tx *db.Tx) error { return PutSales(tx, 5, []SaleDay{{SaleKey: key(1)}}) })
		act("history_load_closed", func(tx *db.Tx) error { return PutSales(tx, 6, []SaleDay{{SaleKey: key(1)}}) })
		act("history_load_closed", func(tx *db.Tx) error { return ApplyLoad(tx, 5) })
		act("history_load_closed", func(tx *db.Tx) error { return ApplyLoad(tx, TillLoad) })
	}, dbtest.With(Migrations))
}
