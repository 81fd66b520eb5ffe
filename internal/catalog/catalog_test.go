package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

func each(t *testing.T, story func(t *testing.T, d *dbtest.DB, s *catalog.Service)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) { story(t, d, catalog.New(d.DB)) }, dbtest.With(outbox.Migrations, catalog.Migrations))
}

func write[T any](t *testing.T, d *dbtest.DB, act func(tx *db.Tx) (T, error)) (T, error) {
	t.Helper()
	var got T
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		var err error
		got, err = act(tx)
		return err
	})
	return got, err
}

func must[T any](t *testing.T, d *dbtest.DB, act func(tx *db.Tx) (T, error)) T {
	t.Helper()
	got, err := write(t, d, act)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func bun() catalog.Draft {
	return catalog.Draft{Code: "B001", Name: "鲜肉包 Pork bun", BaseUnit: "piece", ShelfLifeH: 6, BatchSize: 12 * qty.Scale, TaxPct: 1300,
		Units: []catalog.UnitDraft{{Name: "piece", Num: 1, Barcodes: []string{"6900000000014"}}, {Name: "box", Num: 12, Barcodes: []string{"6900000000021", "2200001"}}}}
}

func create(t *testing.T, d *dbtest.DB, s *catalog.Service, draft catalog.Draft) *catalog.Product {
	t.Helper()
	return must(t, d, func(tx *db.Tx) (*catalog.Product, error) { return s.Create(tx, draft) })
}

func load(t *testing.T, d *dbtest.DB, s *catalog.Service, product id.ID) *catalog.Product {
	t.Helper()
	var p *catalog.Product
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		found, err := s.Products(tx, []id.ID{product})
		p = found[product]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAProductIsFoundByCodeBarcodeAndName(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		p := create(t, d, s, bun())
		other := bun()
		other.Code, other.Name, other.Units = "Z9", "100% juice_", nil
		create(t, d, s, other)
		for code, unit := range map[string]string{"6900000000014": "piece", "2200001": "box", "B001": ""} {
			err := d.Read(context.Background(), func(tx *db.Tx) error {
				r, err := s.Read(tx, code, tx.Now(), time.UTC)
				if err == nil && (r.Product.ID != p.ID || (r.Unit == nil) != (unit == "") || r.Unit != nil && r.Unit.Name != unit) {
					t.Errorf("%s: %+v", code, r)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		for q, want := range map[string]int{"": 2, "b001": 1, "鲜肉": 1, "PORK": 1, "6900000000021": 1, "%": 1, "_": 1, "nothing": 0, "69000": 0, "!": 0} {
			if got := list(t, d, s, catalog.Search{Q: q}); len(got) != want {
				t.Errorf("%q found %d, want %d", q, len(got), want)
			}
		}
		err := d.Read(context.Background(), func(tx *db.Tx) error { _, err := s.Read(tx, "404", tx.Now(), time.UTC); return err })
		if !errors.Is(err, catalog.ErrNoBarcode) {
			t.Errorf("an unknown code: %v", err)
		}
		var events int
		if err := d.Read(context.Background(), func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT COUNT(*) FROM outbox_event WHERE type = 'catalog.product_saved.v1'`).Scan(&events)
		}); err != nil || events != 2 {
			t.Errorf("%d events, %v", events, err)
		}
	})
}

func list(t *testing.T, d *dbtest.DB, s *catalog.Service, in catalog.Search) []*catalog.Product {
	t.Helper()
	if in.Limit == 0 {
		in.Limit = 50
	}
	var got []*catalog.Product
	if err := d.Read(context.Background(), func(tx *db.Tx) error {
		var err error
		got, err = s.List(tx, in)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPagesShowEveryProductOnce(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		for i := range 7 {
			p := bun()
			p.Code, p.Units = fmt.Sprintf("P%d", i), nil
			create(t, d, s, p)
		}
		seen := map[string]bool{}
		in := catalog.Search{Paging: web.Paging{Limit: 3}}
		for page := 1; ; page++ {
			got := list(t, d, s, in)
			for _, p := range got[:min(3, len(got))] {
				if seen[p.Code] {
					t.Fatalf("%s twice", p.Code)
				}
				seen[p.Code] = true
			}
			if len(got) <= 3 {
				break
			}
			in.After = web.Cursor(got[2].Code)
		}
		if len(seen) != 7 {
			t.Errorf("saw %d", len(seen))
		}
	})
}

func TestWhatIsWrongWithAProductIsSaidByField(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		create(t, d, s, bun())
		fresh := func(change func(*catalog.Draft)) catalog.Draft {
			p := bun()
			p.Code = "NEW"
			p.Units = []catalog.UnitDraft{{Name: "piece", Num: 1}, {Name: "tray", Num: 6, Den: 1, Barcodes: []string{"7777"}}}
			change(&p)
			return p
		}
		for _, c := range []struct {
			name, field string
			want        error
			draft       catalog.Draft
		}{
			{"no code", "code", catalog.ErrCode, fresh(func(p *catalog.Draft) { p.Code = "  " })},
			{"a code with a space", "code", catalog.ErrCode, fresh(func(p *catalog.Draft) { p.Code = "A B" })},
			{"a long code", "code", catalog.ErrCode, fresh(func(p *catalog.Draft) { p.Code = strings.Repeat("x", 33) })},
			{"a code in use", "code", catalog.ErrCodeTaken, fresh(func(p *catalog.Draft) { p.Code = "B001" })},
			{"no name", "name", catalog.ErrName, fresh(func(p *catalog.Draft) { p.Name = "" })},
			{"a control character", "name", catalog.ErrName, fresh(func(p *catalog.Draft) { p.Name = "a\x07b" })},
			{"a long name", "name", catalog.ErrName, fresh(func(p *catalog.Draft) { p.Name = strings.Repeat("包", 121) })},
			{"a strange base unit", "base_unit", catalog.ErrBaseUnit, fresh(func(p *catalog.Draft) { p.BaseUnit = "kg" })},
			{"a life below zero", "shelf_life_h", catalog.ErrShelfLife, fresh(func(p *catalog.Draft) { p.ShelfLifeH = -1 })},
			{"a life of a thousand years", "shelf_life_h", catalog.ErrShelfLife, fresh(func(p *catalog.Draft) { p.ShelfLifeH = 9_000_000 })},
			{"a batch below zero", "batch_size", catalog.ErrBatchSize, fresh(func(p *catalog.Draft) { p.BatchSize = -1 })},
			{"a tax of 51 %", "tax_pct", catalog.ErrTax, fresh(func(p *catalog.Draft) { p.TaxPct = 5100 })},
			{"an unknown category", "category_id", catalog.ErrNoCategory, fresh(func(p *catalog.Draft) { p.CategoryID = 5 })},
			{"an unknown state", "state", catalog.ErrState, fresh(func(p *catalog.Draft) { p.State = "asleep" })},
			{"weighing pieces", "units[1].step", catalog.ErrStep, fresh(func(p *catalog.Draft) { p.Units[1].Weighed = true })},
			{"a step that the unit can't write", "units[1].step", catalog.ErrStep, fresh(func(p *catalog.Draft) {
				p.BaseUnit, p.Units = "g", []catalog.UnitDraft{{Name: "g", Num: 1}, {Name: "bag", Num: 300, Weighed: true}}
			})},
			{"a tare below zero", "units[1].tare", catalog.ErrTare, fresh(func(p *catalog.Draft) { p.Units[1].Tare = -1 })},
			{"an item number of letters", "units[1].item_no", catalog.ErrItemNo, fresh(func(p *catalog.Draft) { p.Units[1].ItemNo = "12a" })},
			{"the item number 0", "units[1].item_no", catalog.ErrItemNo, fresh(func(p *catalog.Draft) { p.Units[1].ItemNo = "000" })},
			{"an item number twice", "units[1].item_no", catalog.ErrItemNoTaken, fresh(func(p *catalog.Draft) { p.Units[0].ItemNo, p.Units[1].ItemNo = "77", "077" })},
			{"a unit of nothing", "units[1].num", catalog.ErrUnitRatio, fresh(func(p *catalog.Draft) { p.Units[1].Num = 0 })},
			{"a unit below zero", "units[1].num", catalog.ErrUnitRatio, fresh(func(p *catalog.Draft) { p.Units[1].Den = -3 })},
			{"a base unit that is not one", "units[0].num", catalog.ErrUnitRatio, fresh(func(p *catalog.Draft) { p.Units[0].Num = 2 })},
			{"a unit twice", "units[1].name", catalog.ErrUnitTwice, fresh(func(p *catalog.Draft) { p.Units[1].Name = "piece" })},
			{"a unit without name", "units[1].name", catalog.ErrName, fresh(func(p *catalog.Draft) { p.Units[1].Name = " " })},
			{"a short barcode", "units[1].barcodes[0]", catalog.ErrBarcode, fresh(func(p *catalog.Draft) { p.Units[1].Barcodes = []string{"12"} })},
			{"a barcode with a blank", "units[1].barcodes[0]", catalog.ErrBarcode, fresh(func(p *catalog.Draft) { p.Units[1].Barcodes = []string{"69 00"} })},
			{"a barcode of another product", "units[1].barcodes[0]", catalog.ErrBarcodeTaken, fresh(func(p *catalog.Draft) { p.Units[1].Barcodes = []string{"6900000000014"} })},
			{"a barcode for two units", "units[1].barcodes[0]", catalog.ErrBarcodeTaken, fresh(func(p *catalog.Draft) { p.Units[0].Barcodes = []string{"7777"} })},
		} {
			_, err := write(t, d, func(tx *db.Tx) (*catalog.Product, error) { return s.Create(tx, c.draft) })
			if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field {
				t.Errorf("%s: got %v at %q, want %s at %q", c.name, err, e.Field, errs.Code(c.want), c.field)
			}
		}
		if got := list(t, d, s, catalog.Search{}); len(got) != 1 {
			t.Errorf("a refused product was kept: %d products", len(got))
		}
	})
}

func TestEveryProductCanBeCountedInItsBaseUnit(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		p := bun()
		p.BaseUnit, p.Units = "g", []catalog.UnitDraft{{Name: "kg", Num: 2000, Den: 2}, {Name: "bag", Num: 250}}
		made := load(t, d, s, create(t, d, s, p).ID)
		base, kg := made.Unit("g"), made.Unit("kg")
		if base == nil || base.Num != 1 || base.Den != 1 || kg.Num != 1000 || kg.Den != 1 || made.SKU != made.ID {
			t.Errorf("got %+v", made)
		}
		if q, err := kg.Qty().ToBase(250); err != nil || q != 250*qty.Scale {
			t.Errorf("0.250 kg = %s g, %v", q, err)
		}
	})
}

func TestAChangeKeepsConversionsAndRetiresUnits(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		p := create(t, d, s, bun())
		box := p.Unit("box").ID
		change := func(revision int64, edit func(*catalog.Draft)) (*catalog.Product, error) {
			draft := bun()
			edit(&draft)
			return write(t, d, func(tx *db.Tx) (*catalog.Product, error) {
				return s.Change(tx, p.ID, catalog.Change{Draft: draft, Revision: revision})
			})
		}
		if _, err := change(p.Revision, func(d *catalog.Draft) { d.Units[1].Num = 10 }); !errors.Is(err, catalog.ErrUnitFixed) {
			t.Errorf("another conversion: %v", err)
		}
		if _, err := change(p.Revision, func(d *catalog.Draft) { d.BaseUnit, d.Units = "g", nil }); !errors.Is(err, catalog.ErrBaseFixed) {
			t.Errorf("another base unit: %v", err)
		}
		changed, err := change(p.Revision, func(d *catalog.Draft) {
			d.Name, d.State, d.Units = "大肉包", catalog.StopSelling, []catalog.UnitDraft{{Name: "piece", Num: 1, Barcodes: []string{"2200001"}}}
		})
		if err != nil {
			t.Fatal(err)
		}
		got := load(t, d, s, p.ID)
		if got.Name != "大肉包" || got.State != catalog.StopSelling || !got.Unit("box").Retired || got.Unit("piece").Barcodes[0] != "2200001" || len(got.Unit("box").Barcodes) != 0 {
			t.Errorf("got %+v", got)
		}
		if _, err := change(p.Revision, func(*catalog.Draft) {}); !errors.Is(err, catalog.ErrChanged) {
			t.Errorf("a change of what was read before: %v", err)
		}
		if _, err := change(changed.Revision, func(*catalog.Draft) {}); err != nil {
			t.Fatal(err)
		}
		if u := load(t, d, s, p.ID).Unit("box"); u.Retired || u.ID != box {
			t.Errorf("the box came back as %+v", u)
		}
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Product, error) {
			return s.Change(tx, 42, catalog.Change{Draft: bun(), Revision: 1})
		}); !errors.Is(err, catalog.ErrNoProduct) {
			t.Errorf("a product that is not there: %v", err)
		}
	})
}

func TestTheCopyInMemoryIsNeverBehindThisProcess(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		p := create(t, d, s, bun())
		if err := s.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := load(t, d, s, p.ID); got.Name != bun().Name || len(got.Unit("box").Barcodes) != 2 {
			t.Fatalf("got %+v", got)
		}
		draft := bun()
		draft.Name = "new name"
		must(t, d, func(tx *db.Tx) (*catalog.Product, error) {
			return s.Change(tx, p.ID, catalog.Change{Draft: draft, Revision: p.Revision})
		})
		if got := load(t, d, s, p.ID); got.Name != "new name" {
			t.Errorf("right after the change: %s", got.Name)
		}
		if err := s.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := load(t, d, s, p.ID); got.Name != "new name" || len(got.Units) != 2 {
			t.Errorf("after the refresh: %+v", got)
		}
		// Another node's change arrives with the refresh, and a product it never saw is read through.
		elsewhere := catalog.New(d.DB)
		second := bun()
		second.Code, second.Units = "B002", nil
		q := create(t, d, elsewhere, second)
		if got := load(t, d, s, q.ID); got == nil || got.Code != "B002" {
			t.Errorf("a product of another node: %+v", got)
		}
		// A change that fails leaves no trace in the copy.
		boom := errors.New("boom")
		draft.Name = "never"
		revision := load(t, d, s, p.ID).Revision
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			if _, err := s.Change(tx, p.ID, catalog.Change{Draft: draft, Revision: revision}); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if got := load(t, d, s, p.ID); got.Name != "new name" {
			t.Errorf("a change that failed is seen: %s", got.Name)
		}
	})
}

func TestCategoriesAreATree(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		add := func(parent id.ID, name string) (*catalog.Category, error) {
			return write(t, d, func(tx *db.Tx) (*catalog.Category, error) {
				return s.CreateCategory(tx, catalog.CategoryDraft{ParentID: parent, Name: name})
			})
		}
		move := func(c, parent id.ID, name string) error {
			_, err := write(t, d, func(tx *db.Tx) (*catalog.Category, error) {
				return s.ChangeCategory(tx, c, catalog.CategoryDraft{ParentID: parent, Name: name})
			})
			return err
		}
		fresh, err := add(0, "鲜食")
		if err != nil {
			t.Fatal(err)
		}
		buns, err := add(fresh.ID, "包点")
		if err != nil {
			t.Fatal(err)
		}
		p := bun()
		p.CategoryID = buns.ID
		create(t, d, s, p)
		if got := list(t, d, s, catalog.Search{CategoryID: fresh.ID}); len(got) != 1 {
			t.Errorf("the upper category shows %d products", len(got))
		}
		other, err := add(0, "饮料")
		if err != nil {
			t.Fatal(err)
		}
		if got := list(t, d, s, catalog.Search{CategoryID: other.ID}); len(got) != 0 {
			t.Errorf("another category shows %d products", len(got))
		}
		if _, err := add(0, "饮料"); !errors.Is(err, catalog.ErrCategoryTaken) {
			t.Errorf("the same name twice: %v", err)
		}
		if _, err := add(404, "x"); !errors.Is(err, catalog.ErrNoCategory) {
			t.Errorf("below nothing: %v", err)
		}
		if err := move(fresh.ID, buns.ID, "鲜食"); !errors.Is(err, catalog.ErrCategoryCycle) {
			t.Errorf("below its own child: %v", err)
		}
		if err := move(fresh.ID, fresh.ID, "鲜食"); !errors.Is(err, catalog.ErrCategoryCycle) {
			t.Errorf("below itself: %v", err)
		}
		if err := move(buns.ID, other.ID, "包点"); err != nil {
			t.Error(err)
		}
		up := buns.ID
		for i := 3; i <= 6; i++ {
			c, err := add(up, fmt.Sprint("level ", i))
			if err != nil {
				t.Fatal(err)
			}
			up = c.ID
		}
		if _, err := add(up, "level 7"); !errors.Is(err, catalog.ErrCategoryDepth) {
			t.Errorf("a seventh level: %v", err)
		}
		if err := move(other.ID, fresh.ID, "饮料"); !errors.Is(err, catalog.ErrCategoryDepth) {
			t.Errorf("a deep branch moved down: %v", err)
		}
	})
}
