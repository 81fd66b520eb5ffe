package catalog

import (
	"errors"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/outbox"
)

// One digit wrong, or two neighbours swapped, is told when the barcode is written down and not when a scanner stays silent.
func TestAMistypedBarcodeIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := New(d.DB)
		n := 0
		add := func(code string) error {
			n++
			return d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := s.Create(tx, Draft{Code: "P" + string(rune('A'+n/26)) + string(rune('A'+n%26)), Name: "x", BaseUnit: "piece", TaxPct: 1300, Units: []UnitDraft{{Name: "piece", Num: 1, Barcodes: []string{"SHELF-" + code, code}}}})
				return err
			})
		}
		for _, code := range []string{
			"6901234567892", "012345678905", "96385074", "16901234567899", // GTIN-13, -12, -8, -14
			"2000000000001", "0212345678901", "0412345678901", "212345678901", "412345678901", "20000001", "01234567", "02000000000001", // the shop's own
			"6901", "690123456789123", "69012345678", "ABCD12345678", "6901234-5678", // other lengths, letters
		} {
			if err := add(code); err != nil {
				t.Errorf("%s: %v", code, err)
			}
		}
		for code, want := range map[string]string{"6901234567893": "2", "6901234567829": "3", "012345678904": "5", "96385075": "4", "16901234567892": "9", "5901234123450": "7", "06901234567893": "2"} {
			err := add(code)
			if e := errs.As(err); !errors.Is(err, ErrBarcodeDigit) || e.Field != "units[0].barcodes[1]" {
				t.Errorf("%s: %v at %q", code, err, e.Field)
			}
			if got := CheckBarcode(code[:len(code)-1] + want); got != nil {
				t.Errorf("%s with %s: %v", code, want, got)
			}
		}
	}, dbtest.With(outbox.Migrations, Migrations))
}

// A barcode that an older release took stays; it hinders nobody who changes something else, and may not come back.
func TestAnOldMistypedBarcodeHindersNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := New(d.DB)
		draft := Draft{Code: "OLD", Name: "x", BaseUnit: "piece", TaxPct: 1300, Units: []UnitDraft{{Name: "piece", Num: 1, Barcodes: []string{"6901234567892"}}}}
		var p *Product
		write := func(fn func(tx *db.Tx) error) error { return d.Write(t.Context(), fn) }
		if err := write(func(tx *db.Tx) (err error) { p, err = s.Create(tx, draft); return err }); err != nil {
			t.Fatal(err)
		}
		if err := write(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE catalog_barcode SET code = '6901234567893' WHERE product_id = $1`, p.ID)
		}); err != nil {
			t.Fatal(err)
		}
		change := func(name string, codes ...string) error {
			draft.Name, draft.Units = name, []UnitDraft{{Name: "piece", Num: 1, Barcodes: codes}}
			return write(func(tx *db.Tx) error {
				now, err := read(tx, p.ID)
				if err == nil {
					_, err = s.Change(tx, p.ID, Change{draft, now.Revision})
				}
				return err
			})
		}
		if err := change("renamed", "6901234567893", "6901234567892"); err != nil {
			t.Error(err)
		}
		if err := change("without", "6901234567892"); err != nil {
			t.Error(err)
		}
		if err := change("again", "6901234567892", "6901234567893"); !errors.Is(err, ErrBarcodeDigit) {
			t.Errorf("it comes back: %v", err)
		}
	}, dbtest.With(outbox.Migrations, Migrations))
}

// A scanner sends one barcode with twelve, thirteen or fourteen digits, as it likes: written down in two ways it would ring one of
// two goods, with the one's price. Q29
func TestABarcodeWithOtherZerosIsTheSame(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := New(d.DB)
		n := 0
		add := func(units ...UnitDraft) (p *Product, err error) {
			n++
			err = d.Write(t.Context(), func(tx *db.Tx) error {
				p, err = s.Create(tx, Draft{Code: "Z" + string(rune('A'+n)), Name: "x", BaseUnit: "piece", TaxPct: 1300, Units: units})
				return err
			})
			return p, err
		}
		one := func(codes ...string) UnitDraft { return UnitDraft{Name: "piece", Num: 1, Barcodes: codes} }
		if _, err := add(one("012345678905", "96385074", "SHELF-7")); err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{"012345678905", "0012345678905", "00012345678905", "96385074", "000096385074", "00000096385074", "SHELF-7"} {
			_, err := add(one("16901234567899", code))
			if e := errs.As(err); !errors.Is(err, ErrBarcodeTaken) || e.Field != "units[0].barcodes[1]" {
				t.Errorf("%s: %v", code, err)
			}
		}
		// a case has a number of its own, also where it begins as that of the piece does
		p, err := add(one("0036000291452"), UnitDraft{Name: "case", Num: 12, Barcodes: []string{"10036000291459"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = add(one("4006381333931"), UnitDraft{Name: "case", Num: 12, Barcodes: []string{"04006381333931"}}); !errors.Is(err, ErrBarcodeTaken) {
			t.Errorf("the piece and the case: %v", err)
		}
		// of one unit both ways are no harm
		if _, err = add(one("4006381333931", "04006381333931")); err != nil {
			t.Error(err)
		}
		// what an older release took hinders nobody who changes something else
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := tx.Exec(`UPDATE catalog_barcode SET code = '0012345678905' WHERE code = '0036000291452'`); err != nil {
				return err
			}
			c := Change{Draft: Draft{Code: p.Code, Name: "renamed", BaseUnit: "piece", TaxPct: 1300, Units: []UnitDraft{one("0012345678905"), {Name: "case", Num: 12, Barcodes: []string{"10036000291459"}}}}, Revision: p.Revision}
			_, err := s.Change(tx, p.ID, c)
			return err
		}); err != nil {
			t.Errorf("an old one: %v", err)
		}
	}, dbtest.With(outbox.Migrations, Migrations))
}
