package party

import (
	"errors"
	"testing"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

var (
	kg  = qty.Unit{Name: "kg", Num: 1000, Den: 1}
	pcs = qty.Unit{Name: "piece", Num: 1, Den: 1}
)

func TestFreshIsOrderedTheDayBeforeAndFrozenThreeDaysBefore(t *testing.T) {
	// 2026-11-23 is a Monday.
	for _, c := range []struct {
		name  string
		terms Terms
		want  cal.Date
	}{
		{"fresh", Terms{Class: Fresh, Days: EveryDay}, "2026-11-22"},
		{"frozen", Terms{Class: Frozen, Days: EveryDay}, "2026-11-20"},
		{"own lead time", Terms{Class: Fresh, LeadHours: 36, Days: EveryDay}, "2026-11-21"},
		{"no orders on weekends", Terms{Class: Fresh, Days: 0b0011111}, "2026-11-20"},
		{"Wednesdays only", Terms{Class: Frozen, Days: 0b0000100}, "2026-11-18"},
	} {
		if got := c.terms.OrderBy("2026-11-23"); got.Date != c.want {
			t.Errorf("%s: order by %s, want %s", c.name, got.Date, c.want)
		}
	}
}

func TestPacksCoverTheNeedAndTheOverIsShown(t *testing.T) {
	box := Terms{Pack: 5_000, Unit: kg, Price: 123_456, MinPacks: 2}
	for _, c := range []struct {
		net, ordered, over qty.Qty
		packs              int64
		amount             money.Fen
	}{
		{0, 0, 0, 0, 0},
		{1, 10_000_000, 9_999_999, 2, 123},
		{10_000_000, 10_000_000, 0, 2, 123},
		{10_000_001, 15_000_000, 4_999_999, 3, 185},
		{25_750_000, 30_000_000, 4_250_000, 6, 370},
	} {
		packs, ordered, over, err := box.Packs(c.net)
		if err != nil || packs != c.packs || ordered != c.ordered || over != c.over {
			t.Errorf("%v: %d packs, %v, %v over, %v", c.net, packs, ordered, over, err)
		}
		if amount, err := box.Amount(packs); err != nil || amount != c.amount {
			t.Errorf("%d packs cost %d fen, %v; want %d", packs, amount, err, c.amount)
		}
	}
}

func TestPacksThatAreNoneAreRefused(t *testing.T) {
	if _, _, _, err := (Terms{Pack: 0, Unit: pcs}).Packs(1); err == nil {
		t.Error("a pack of nothing")
	}
	if _, _, _, err := (Terms{Pack: 1, Unit: qty.Unit{Num: 1, Den: 3}}).Packs(1); !errors.Is(err, qty.ErrNotExact) {
		t.Error("a third of a thousandth:", err)
	}
	if _, _, _, err := (Terms{Pack: 1000, Unit: pcs, MinPacks: 1 << 60}).Packs(1); !errors.Is(err, qty.ErrTooLarge) {
		t.Error("a minimum nobody can buy:", err)
	}
	if _, err := (Terms{Pack: 1000, Price: 1 << 62}).Amount(1 << 40); !errors.Is(err, money.ErrTooLarge) {
		t.Error("a price nobody can pay:", err)
	}
}

func TestOrderDaysAreDigits(t *testing.T) {
	for _, s := range []string{"135", "7", "1234567"} {
		if d, err := ParseOrderDays(s); err != nil || d.String() != s {
			t.Errorf("%s is read as %s, %v", s, d, err)
		}
	}
	if d, err := ParseOrderDays(""); err != nil || d != EveryDay {
		t.Error("no days named:", d, err)
	}
	for _, s := range []string{"0", "8", "11", "1,3", "Mon", "一"} {
		if d, err := ParseOrderDays(s); !errors.Is(err, ErrOrderDays) {
			t.Errorf("%q became %s, %v", s, d, err)
		}
	}
}
