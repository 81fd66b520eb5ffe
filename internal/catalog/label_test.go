package catalog

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/gs1"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

func TestTheCheckDigitOfAValue(t *testing.T) {
	for value, want := range map[string]byte{"2875": '9', "14685": '6', "0000": '0', "00000": '0'} { // the first two are worked examples of the standard
		if got := valueCheck(value); got != want {
			t.Errorf("%s has %c, want %c", value, got, want)
		}
	}
}

func TestEveryLabelReadsAsItWasPrinted(t *testing.T) {
	layouts := []Layout{{Prefix: "20", ItemDigits: 5, ValueDigits: 5, ValueKind: "price", Decimals: 2}, {Prefix: "21", ItemDigits: 5, ValueCheck: true, ValueDigits: 4, ValueKind: "price", Decimals: 1},
		{Prefix: "29", ItemDigits: 4, ValueCheck: true, ValueDigits: 5, ValueKind: "weight", Decimals: 3}, {Prefix: "25", ItemDigits: 4, ValueDigits: 6, ValueKind: "weight", Decimals: 3}}
	rapid.Check(t, func(t *rapid.T) {
		l := layouts[rapid.IntRange(0, len(layouts)-1).Draw(t, "layout")]
		item := strconv.Itoa(rapid.IntRange(1, 9999).Draw(t, "item"))
		value := rapid.Int64Range(0, 9999).Draw(t, "value")
		code, ok := l.Write(item, value)
		if !ok || len(code) != 13 || !strings.HasPrefix(code, l.Prefix) || !gs1.Checked(code) {
			t.Fatalf("%s for item %s of %d", code, item, value)
		}
		if got, err := l.read(code); err != nil || got != (Label{item, value}) {
			t.Fatalf("%s is read as %+v, %v", code, got, err)
		}
		if l.ValueCheck { // a wrong digit in the value, with the last digit made right again, is seen by its own check digit
			at := rapid.IntRange(12-l.ValueDigits, 11).Draw(t, "at")
			wrong := []byte(code[:12])
			wrong[at] = '0' + (wrong[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
			check, _ := gs1.CheckDigit(string(wrong))
			if _, err := l.read(string(wrong) + string(check)); !errors.Is(err, ErrLabelValue) {
				t.Fatalf("%s: %v", wrong, err)
			}
		}
	})
	if _, ok := layouts[0].Write("123456", 1); ok {
		t.Error("an item number with too many digits")
	}
	if _, ok := layouts[1].Write("1", 12345); ok {
		t.Error("a value with too many digits")
	}
}

func TestLayoutsAreRefusedWithTheirReason(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		put := func(layout id.ID, draft LayoutDraft) (l *Layout, err error) {
			err = d.Write(context.Background(), func(tx *db.Tx) error {
				l, err = PutLayout(tx, 7, layout, draft)
				return err
			})
			return l, err
		}
		good := LayoutDraft{Prefix: "21", Name: "大华", ItemDigits: 5, ValueDigits: 5, ValueKind: "price", Decimals: 2}
		first, err := put(0, good)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			what   string
			want   error
			change func(*LayoutDraft)
		}{
			{"a prefix of goods", ErrLayoutPrefix, func(l *LayoutDraft) { l.Prefix = "69" }},
			{"a prefix of one digit", ErrLayoutPrefix, func(l *LayoutDraft) { l.Prefix = "2" }},
			{"the same prefix", ErrLayoutTaken, func(l *LayoutDraft) {}},
			{"eleven digits", ErrLayoutLength, func(l *LayoutDraft) { l.Prefix, l.ValueDigits = "22", 6 }},
			{"eleven with the check digit", ErrLayoutLength, func(l *LayoutDraft) { l.Prefix, l.ValueCheck = "22", true }},
			{"a check digit over six", ErrLayoutCheck, func(l *LayoutDraft) { l.Prefix, l.ItemDigits, l.ValueDigits, l.ValueCheck = "22", 3, 6, true }},
			{"a tenth of a fen", ErrLayoutDigits, func(l *LayoutDraft) { l.Prefix, l.Decimals = "22", 3 }},
			{"four decimals", ErrLayoutDigits, func(l *LayoutDraft) { l.Prefix, l.ValueKind, l.Decimals = "22", "weight", 4 }},
			{"a colour", ErrLayoutKind, func(l *LayoutDraft) { l.Prefix, l.ValueKind = "22", "colour" }},
			{"no name", ErrName, func(l *LayoutDraft) { l.Prefix, l.Name = "22", " " }},
		} {
			draft := good
			c.change(&draft)
			if _, err := put(0, draft); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		good.Name = "renamed"
		if l, err := put(first.ID, good); err != nil || l.Name != "renamed" {
			t.Error("a layout keeps its own prefix:", err)
		}
		if _, err := put(99, LayoutDraft{Prefix: "23", Name: "x", ItemDigits: 5, ValueDigits: 5, ValueKind: "price"}); !errors.Is(err, ErrNoLayout) {
			t.Error("an unknown layout:", err)
		}
		if err := d.Write(context.Background(), func(tx *db.Tx) error { return DropLayout(tx, first.ID) }); err != nil {
			t.Error(err)
		}
		if err := d.Write(context.Background(), func(tx *db.Tx) error { return DropLayout(tx, first.ID) }); !errors.Is(err, ErrNoLayout) {
			t.Error("dropped twice:", err)
		}
	}, dbtest.With(outbox.Migrations, Migrations))
}

func TestAnAmountBuysWholeStepsOfTheScale(t *testing.T) {
	kg := &Unit{Name: "kg", Num: 1000, Den: 1, Weighed: true, Step: 1000}
	coarse := &Unit{Name: "kg", Num: 1000, Den: 1, Weighed: true, Step: 5000}
	jin := &Unit{Name: "斤", Num: 500, Den: 1, Weighed: true, Step: 1000}
	for _, c := range []struct {
		unit          *Unit
		amount, price money.Fen
		base, in      qty.Qty
	}{
		{kg, 1000, 38000, 26_000, 26}, // 26.3 g, the rule of the trade
		{kg, 500, 38000, 13_000, 13},
		{kg, 19, 38000, 1000, 1}, // exactly half a gram goes up
		{kg, 18, 38000, 0, 0},
		{coarse, 1000, 38000, 25_000, 25},
		{jin, 1000, 19000, 26_000, 52},
		{kg, 1000, 0, 0, 0}, // what is free can't be bought by money
	} {
		base, in, err := c.unit.ByAmount(c.amount, c.price)
		if err != nil || base != c.base || in != c.in {
			t.Errorf("%d at %d a %s buys %v, %v, %v", c.amount, c.price, c.unit.Name, base, in, err)
		}
	}
	if _, _, err := kg.ByAmount(money.Max, 1); !errors.Is(err, qty.ErrTooLarge) {
		t.Error("a mountain of tea:", err)
	}
}

func FuzzLabel(f *testing.F) {
	f.Add("2100012012348", 5, false, 5, 2)
	f.Add("2200127012345", 4, true, 5, 3)
	f.Fuzz(func(t *testing.T, code string, item int, check bool, value, decimals int) {
		d := LayoutDraft{Prefix: "21", Name: "x", ItemDigits: item, ValueCheck: check, ValueDigits: value, ValueKind: "weight", Decimals: decimals}
		if d.check() != nil || len(code) != 13 || strings.Trim(code, "0123456789") != "" {
			return
		}
		l := &Layout{Prefix: code[:2], ItemDigits: item, ValueCheck: check, ValueDigits: value, Decimals: decimals}
		read, err := l.read(code)
		if err != nil {
			return
		}
		if back, ok := l.Write(read.Item, read.Value); !ok || back != code {
			t.Fatalf("%s was read as %+v and printed as %s", code, read, back)
		}
		r := &Scanned{Unit: &Unit{Name: "kg", Num: 1000, Den: 1}}
		_ = r.weight(read.Value, decimals)
		_, _ = fen(read.Value, decimals)
	})
}

func FuzzBarcode(f *testing.F) {
	for _, s := range []string{"6901234567892", "96385074", "036000291452", "16901234567899", "00000000000000", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, code string) {
		g, ok := gs1.GTIN(code)
		if ok && (len(g) != 14 || !strings.HasSuffix(g, code) || !gs1.Checked(g)) {
			t.Fatalf("%q became %q", code, g)
		}
		if goodBarcode(code) && (len(code) < 4 || strings.ContainsAny(code, " \x00")) {
			t.Fatalf("%q is no barcode", code)
		}
	})
}
