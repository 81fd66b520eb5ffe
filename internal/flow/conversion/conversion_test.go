package conversion_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/conversion"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
)

// shop has a case of tea, loose tea, cans of it, ribbons and gift boxes, and a pig with what it is cut into.
type shop struct {
	t     *testing.T
	d     *dbtest.DB
	flow  *conversion.Service
	goods *catalog.Service
	site  *org.Site
	staff id.ID
	keys  int
	by    map[string]*catalog.Product
}

var sets = []db.Migrations{once.Migrations, outbox.Migrations, org.Migrations, ledger.Migrations, catalog.Migrations, stock.Migrations, price.Migrations}

func each(t *testing.T, story func(s *shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) { story(open(t, d)) }, dbtest.With(sets...))
}

func open(t *testing.T, d *dbtest.DB) *shop {
	s := &shop{t: t, d: d, goods: catalog.New(d.DB), staff: id.New(), by: map[string]*catalog.Product{}}
	prices := price.New(d.DB, s.goods)
	s.flow = conversion.New(s.goods, prices)
	s.write(func(tx *db.Tx) error {
		o := org.New(org.Options{})
		e, err := o.CreateEntity(context.Background(), tx, org.EntityFields{Code: "E1", Name: "Company"})
		if err != nil {
			return err
		}
		if s.site, err = o.CreateSite(context.Background(), tx, org.SiteFields{Code: "S1", Name: "First shop", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, Open: 480, Close: 1320, EntityID: e.ID}); err != nil {
			return err
		}
		for _, p := range []catalog.Draft{
			{Code: "CASE", Name: "整箱茶", BaseUnit: "piece"},
			{Code: "TEA", Name: "散茶", BaseUnit: "g", ShelfLifeH: 24 * 365, Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}}},
			{Code: "DUST", Name: "茶末", BaseUnit: "g"},
			{Code: "CAN", Name: "罐茶", BaseUnit: "piece", ShelfLifeH: 240},
			{Code: "RIBBON", Name: "丝带", BaseUnit: "piece"},
			{Code: "MOTE", Name: "茶尘", BaseUnit: "g", Units: []catalog.UnitDraft{{Name: "粒", Num: 1, Den: 1_000_000_000_000}}},
			{Code: "GIFT", Name: "礼盒", BaseUnit: "piece"},
			{Code: "OLD", Name: "旧礼盒", BaseUnit: "piece", State: catalog.StopSelling},
		} {
			made, err := s.goods.Create(tx, p)
			if err != nil {
				return err
			}
			s.by[p.Code] = made
		}
		set := catalog.Draft{Code: "SET", Name: "组合", BaseUnit: "piece", Parts: []catalog.PartDraft{{ProductID: s.by["CAN"].ID, Unit: "piece", Qty: qty.Scale}}}
		if s.by["SET"], err = s.goods.Create(tx, set); err != nil {
			return err
		}
		for _, p := range []struct {
			code, unit string
			fen        money.Fen
		}{{"TEA", "kg", 30000}, {"CAN", "piece", 9900}, {"GIFT", "piece", 25000}, {"DUST", "g", 0}, {"MOTE", "粒", 18_446_745}} {
			if _, err := prices.Set(tx, s.staff, price.Draft{ProductID: s.by[p.code].ID, Unit: p.unit, Price: &p.fen}); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func (s *shop) write(act func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.d.Write(context.Background(), act); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) arrive(code string, base int64, cost money.Fen, lasts time.Duration) id.ID {
	s.t.Helper()
	var batch id.ID
	s.write(func(tx *db.Tx) error {
		a := stock.Arrival{SKU: s.by[code].SKU, Qty: qty.Qty(base) * qty.Scale, Cost: cost}
		if lasts > 0 {
			a.ExpiresAt = tx.Now().Add(lasts)
		}
		d, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: s.site, Staff: s.staff}, Lines: []stock.Arrival{a}})
		if err == nil {
			batch = d.Lines[0].Batch
		}
		return err
	})
	return batch
}

func (s *shop) key() string { s.keys++; return fmt.Sprint("key", s.keys) }

func (s *shop) in(code string, base int64) conversion.LineIn {
	return conversion.LineIn{ProductID: s.by[code].ID, Qty: qty.Qty(base) * qty.Scale}
}

func (s *shop) out(code string, base, share int64) conversion.OutputIn {
	return conversion.OutputIn{ProductID: s.by[code].ID, Qty: qty.Qty(base) * qty.Scale, Share: share}
}

func (s *shop) try(in conversion.In) (*stock.ConversionStory, error) {
	var v *stock.ConversionStory
	key := s.key()
	err := s.d.Write(context.Background(), func(tx *db.Tx) error {
		d, err := s.flow.Convert(tx, s.site, s.staff, key, in)
		if err != nil {
			return err
		}
		v, err = stock.ShowConversion(tx, s.site, d.ID)
		return err
	})
	return v, err
}

func (s *shop) convert(in conversion.In) *stock.ConversionStory {
	s.t.Helper()
	v, err := s.try(in)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *shop) back(c id.ID) error {
	return s.d.Write(context.Background(), func(tx *db.Tx) error {
		_, err := stock.TakeBack(tx, s.site, s.staff, c, "wrong product")
		return err
	})
}

// left is what a batch holds and is worth.
func (s *shop) left(batch id.ID) (string, int64) {
	s.t.Helper()
	var q, worth int64
	s.write(func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT a.posted_in - a.posted_out, v.posted_in - v.posted_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN ledger_account v ON v.id = b.value_id WHERE b.id = $1`, batch).Scan(&q, &worth)
	})
	return qty.Qty(q).String(), worth
}

func (s *shop) red() map[string]string {
	s.t.Helper()
	report, err := proof.Run(context.Background(), s.d.DB, append(ledger.Proofs(), stock.Proofs()...))
	if err != nil {
		s.t.Fatal(err)
	}
	red := map[string]string{}
	for _, p := range report.Proofs {
		if p.Bad > 0 {
			red[p.Name] = p.Evidence[0]
		}
	}
	return red
}

func (s *shop) green() {
	s.t.Helper()
	for name, evidence := range s.red() {
		s.t.Errorf("%s: %s", name, evidence)
	}
}

func TestACaseIsOpenedAndItsCostIsInTheTea(t *testing.T) {
	each(t, func(s *shop) {
		cases := s.arrive("CASE", 3, 100_001, 48*time.Hour)
		v := s.convert(conversion.In{Shape: stock.ConvertShape, Basis: stock.ByShare, Lines: []conversion.LineIn{s.in("CASE", 1)}, Outputs: []conversion.OutputIn{s.out("TEA", 5000, 0)}})
		if v.InFen != 33334 || v.OutFen != 33334 || v.LostFen != 0 || len(v.Items) != 2 || v.From != "整箱茶" || v.To != "散茶" {
			t.Errorf("%+v", v)
		}
		if v.Items[0].ExpiresAt != v.Items[1].ExpiresAt || v.Items[1].ExpiresAt == "" {
			t.Errorf("the tea outlives its case: %+v", v.Items)
		}
		if q, worth := s.left(cases); q != "2" || worth != 66667 {
			t.Errorf("left %s worth %d", q, worth)
		}
		s.green()
		// It was the wrong case: taken back, everything is as it was, and only once.
		if err := s.back(v.ID); err != nil {
			t.Fatal(err)
		}
		if q, worth := s.left(cases); q != "3" || worth != 100_001 {
			t.Errorf("back: %s worth %d", q, worth)
		}
		if q, worth := s.left(v.Items[1].BatchID); q != "0" || worth != 0 {
			t.Errorf("tea: %s worth %d", q, worth)
		}
		refused(t, "twice", s.back(v.ID), stock.ErrConversionReversed, "")
		refused(t, "what is none", s.back(9), stock.ErrConversionReversed, "")
		s.green()
	})
}

func TestTeaIsFilledIntoCansWithLossAndDust(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive("TEA", 10_000, 300_001, 24*time.Hour)
		s.arrive("TEA", 10_000, 310_000, 90*24*time.Hour)
		// 12 kg: 11.5 kg are sorted, 300 g dust, 200 g evaporate: 50 g expected, the rest is no line of its own.
		v := s.convert(conversion.In{Shape: stock.SplitShape, Basis: stock.ByWeight, Lines: []conversion.LineIn{s.in("TEA", 12_000)},
			Outputs: []conversion.OutputIn{s.out("TEA", 11_500, 0), s.out("DUST", 300, 0)}, Losses: []conversion.LossIn{{Line: 0, Qty: 200 * qty.Scale, Reason: "evaporated"}}})
		if v.InFen != 362_001 || v.LostFen != 6033 || v.OutFen != 362_001-6033 || len(v.Items) != 4 || v.Items[2].ValueFen != 346_918 || v.Items[3].ValueFen != 9050 {
			t.Errorf("%+v", v)
		}
		if v.Items[2].ExpiresAt != v.Items[0].ExpiresAt {
			t.Errorf("expiry: %+v", v.Items)
		}
		s.green()
		// The same with the loss in the cost.
		v = s.convert(conversion.In{Shape: stock.SplitShape, Basis: stock.ByWeight, Lines: []conversion.LineIn{{ProductID: s.by["TEA"].ID, Qty: 1 * qty.Scale, Unit: "kg"}},
			Outputs: []conversion.OutputIn{s.out("TEA", 900, 0), s.out("DUST", 50, 0)}, Losses: []conversion.LossIn{{Line: 0, Qty: 50 * qty.Scale, Reason: "trim", Absorbed: true}}})
		if v.LostFen != 0 || v.OutFen != v.InFen || len(v.Losses) != 1 || v.Losses[0].Qty != 50*qty.Scale {
			t.Errorf("%+v", v)
		}
		if err := s.back(v.ID); err != nil {
			t.Fatal(err)
		}
		s.green()
	})
}

func TestTheCostIsSharedByWhatItSellsForToTheFen(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive("CASE", 1, 10_000, 0)
		// 1 kg of tea sells for 300.00, two cans for 198.00, dust for nothing.
		v := s.convert(conversion.In{Shape: stock.SplitShape, Basis: stock.ByValue, Lines: []conversion.LineIn{s.in("CASE", 1)},
			Outputs: []conversion.OutputIn{s.out("TEA", 1000, 0), s.out("CAN", 2, 0), s.out("DUST", 7, 0)}})
		if v.Items[1].ValueFen != 6024 || v.Items[2].ValueFen != 3976 || v.Items[3].ValueFen != 0 {
			t.Errorf("%+v", v.Items)
		}
		s.arrive("CASE", 1, 1, 0)
		v = s.convert(conversion.In{Shape: stock.SplitShape, Basis: stock.ByShare, Lines: []conversion.LineIn{s.in("CASE", 1)},
			Outputs: []conversion.OutputIn{s.out("TEA", 1000, 1), s.out("CAN", 2, 1), s.out("RIBBON", 7, 1)}})
		if v.Items[1].ValueFen != 1 || v.Items[2].ValueFen != 0 {
			t.Errorf("one fen in three: %+v", v.Items)
		}
		s.arrive("CASE", 1, 0, 0)
		s.convert(conversion.In{Shape: stock.SplitShape, Basis: stock.ByShare, Lines: []conversion.LineIn{s.in("CASE", 1)}, Outputs: []conversion.OutputIn{s.out("TEA", 1000, 1), s.out("CAN", 2, 1)}})
		s.green()
	})
}

func TestAGiftBoxIsPutTogetherAndLivesAsLongAsItsFirstPart(t *testing.T) {
	each(t, func(s *shop) {
		cans, _ := s.arrive("CAN", 10, 10_007, 72*time.Hour), s.arrive("RIBBON", 10, 500, 0)
		boxes := s.out("GIFT", 2, 0)
		boxes.Code = "G-1"
		named := s.in("CAN", 4)
		named.BatchID = cans
		in := conversion.In{Shape: stock.AssembleShape, Basis: stock.ByValue, Note: "中秋", Lines: []conversion.LineIn{named, s.in("RIBBON", 3)}, Outputs: []conversion.OutputIn{boxes},
			Losses: []conversion.LossIn{{Line: 1, Qty: qty.Scale, Reason: "broken"}}}
		v := s.convert(in)
		if v.OutFen != 4003+100 || v.LostFen != 50 || v.Items[2].Batch != "G-1" || v.Items[2].ExpiresAt != v.Items[0].ExpiresAt {
			t.Errorf("%+v", v)
		}
		again, err := s.try(in)
		refused(t, "the batch code again", err, stock.ErrCodeTaken, "outputs[0].code")
		_ = again
		// By its own shelf life instead.
		fresh := s.out("CAN", 1, 0)
		fresh.Expiry = "shelf_life"
		s.arrive("TEA", 1000, 30000, time.Hour)
		w := s.convert(conversion.In{Shape: stock.RepackShape, Basis: stock.ByShare, Lines: []conversion.LineIn{s.in("TEA", 250), s.in("RIBBON", 1)}, Outputs: []conversion.OutputIn{fresh}})
		if w.Items[2].ExpiresAt <= w.Items[0].ExpiresAt {
			t.Errorf("%+v", w.Items)
		}
		s.green()
		// A box is gone: the conversion can't be taken back any more.
		s.write(func(tx *db.Tx) error {
			_, err := stock.WriteOff(tx, stock.Discard{Header: stock.Header{Site: s.site, Staff: s.staff}, Reason: stock.Damaged, Lines: []stock.Issue{{Batch: v.Items[2].BatchID, Qty: qty.Scale}}})
			return err
		})
		refused(t, "used", s.back(v.ID), stock.ErrConversionUsed, "")
		s.d.Clock.Add(2 * time.Hour)
		refused(t, "the tea has expired", s.back(w.ID), stock.ErrConversionPast, "")
		s.green()
	})
}

func TestWhatCanNotBeConverted(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive("CASE", 2, 10_000, 0)
		tea := s.arrive("TEA", 5000, 10_000, time.Hour)
		s.arrive("CAN", 5, 500, 0)
		base := func() conversion.In {
			return conversion.In{Shape: stock.SplitShape, Basis: stock.ByShare, Lines: []conversion.LineIn{s.in("CASE", 1)}, Outputs: []conversion.OutputIn{s.out("TEA", 10, 1), s.out("CAN", 1, 2)}}
		}
		for what, c := range map[string]struct {
			change func(*conversion.In)
			want   error
			field  string
		}{
			"no such shape":      {func(in *conversion.In) { in.Shape = "melt" }, stock.ErrShape, "shape"},
			"a split into one":   {func(in *conversion.In) { in.Outputs = in.Outputs[:1] }, stock.ErrShapeLines, "shape"},
			"one combined":       {func(in *conversion.In) { in.Shape, in.Outputs = stock.CombineShape, in.Outputs[:1] }, stock.ErrShapeLines, "shape"},
			"assembled into two": {func(in *conversion.In) { in.Shape, in.Lines = stock.AssembleShape, append(in.Lines, s.in("CAN", 1)) }, stock.ErrShapeLines, "shape"},
			"converted into two": {func(in *conversion.In) { in.Shape = stock.ConvertShape }, stock.ErrShapeLines, "shape"},
			"itself": {func(in *conversion.In) {
				in.Shape, in.Outputs = stock.ConvertShape, []conversion.OutputIn{s.out("CASE", 1, 1)}
			}, stock.ErrConvertedSame, "outputs[0].product_id"},
			"no basis":         {func(in *conversion.In) { in.Basis = "mood" }, stock.ErrSharedBy, "basis"},
			"no shares":        {func(in *conversion.In) { in.Outputs[0].Share, in.Outputs[1].Share = 0, 0 }, stock.ErrConvertedWeight, "outputs"},
			"pieces by weight": {func(in *conversion.In) { in.Basis = stock.ByWeight }, conversion.ErrByWeight, "outputs[1].product_id"},
			// 18,446,745 fen × 10¹² is a little more than 2⁶⁴: it must not come out as a little.
			"worth more than 64 bits": {func(in *conversion.In) { in.Basis, in.Outputs[1] = stock.ByValue, s.out("MOTE", 1, 0) }, stock.ErrQtyTooLarge, "outputs[1].qty"},
			"no price":                {func(in *conversion.In) { in.Basis, in.Outputs[1] = stock.ByValue, s.out("RIBBON", 1, 0) }, conversion.ErrNoPrice, "outputs[1].product_id"},
			"nothing":                 {func(in *conversion.In) { in.Lines[0].Qty = 0 }, stock.ErrQty, "lines[0].qty"},
			"half a case":             {func(in *conversion.In) { in.Lines[0].Qty = 500 }, conversion.ErrPieces, "lines[0].qty"},
			"half a can":              {func(in *conversion.In) { in.Outputs[1].Qty = 500 }, conversion.ErrPieces, "outputs[1].qty"},
			"more than there is":      {func(in *conversion.In) { in.Lines[0].Qty = 3 * qty.Scale }, stock.ErrShort, "lines[0].qty"},
			"an unknown product":      {func(in *conversion.In) { in.Lines[0].ProductID = 9 }, stock.ErrNoSKU, "lines[0].product_id"},
			"an unknown output":       {func(in *conversion.In) { in.Outputs[1].ProductID = 9 }, stock.ErrNoSKU, "outputs[1].product_id"},
			"an unknown unit":         {func(in *conversion.In) { in.Outputs[1].Unit = "box" }, catalog.ErrNoUnit, "outputs[1].unit"},
			"a bundle":                {func(in *conversion.In) { in.Lines[0].ProductID = s.by["SET"].ID }, catalog.ErrBundleStock, "lines[0].product_id"},
			"into a bundle":           {func(in *conversion.In) { in.Outputs[0].ProductID = s.by["SET"].ID }, catalog.ErrBundleStock, "outputs[0].product_id"},
			"what is not sold":        {func(in *conversion.In) { in.Outputs[1] = s.out("OLD", 1, 1) }, conversion.ErrLife, "outputs[1].product_id"},
			"another product's lot":   {func(in *conversion.In) { in.Lines[0].BatchID = tea }, stock.ErrNoBatch, "lines[0].batch_id"},
			"a code with a blank":     {func(in *conversion.In) { in.Outputs[0].Code = "a b" }, stock.ErrCode, "outputs[0].code"},
			"no such expiry":          {func(in *conversion.In) { in.Outputs[0].Expiry = "never" }, conversion.ErrExpiry, "outputs[0].expiry"},
			"a loss of no line":       {func(in *conversion.In) { in.Losses = []conversion.LossIn{{Line: 1, Qty: 1000, Reason: "trim"}} }, stock.ErrConversionLoss, "losses[0].line"},
			"more lost than went in":  {func(in *conversion.In) { in.Losses = []conversion.LossIn{{Line: 0, Qty: 2000, Reason: "trim"}} }, stock.ErrConversionLoss, "losses[0].qty"},
			"all of it lost":          {func(in *conversion.In) { in.Losses = []conversion.LossIn{{Line: 0, Qty: 1000, Reason: "broken"}} }, stock.ErrConversionNothing, "losses"},
			"lost for no reason":      {func(in *conversion.In) { in.Losses = []conversion.LossIn{{Line: 0, Qty: 1000}} }, stock.ErrConversionLoss, "losses[0].qty"},
			"lost twice": {func(in *conversion.In) {
				in.Losses = []conversion.LossIn{{Qty: 1000, Reason: "trim"}, {Qty: 1000, Reason: "trim"}}
			}, stock.ErrConversionLoss, "losses[1].qty"},
			"more out than in": {func(in *conversion.In) {
				in.Lines, in.Outputs = []conversion.LineIn{s.in("TEA", 100)}, []conversion.OutputIn{s.out("TEA", 60, 1), s.out("DUST", 41, 1)}
			}, conversion.ErrWeighed, "outputs"},
			"less out than in": {func(in *conversion.In) {
				in.Lines, in.Outputs = []conversion.LineIn{s.in("TEA", 100)}, []conversion.OutputIn{s.out("TEA", 60, 1), s.out("DUST", 30, 1)}
			}, conversion.ErrWeighed, "outputs"},
		} {
			in := base()
			c.change(&in)
			_, err := s.try(in)
			refused(t, what, err, c.want, c.field)
		}
		s.d.Clock.Add(2 * time.Hour)
		expired := base()
		expired.Lines = []conversion.LineIn{{ProductID: s.by["TEA"].ID, BatchID: tea, Qty: qty.Scale}}
		_, err := s.try(expired)
		refused(t, "expired tea", err, stock.ErrExpired, "lines[0].batch_id")
		if err := s.d.Write(context.Background(), func(tx *db.Tx) error { _, err := stock.TakeBack(tx, s.site, s.staff, 9, " "); return err }); errs.As(err).Code != errs.Code(stock.ErrConversionReason) {
			t.Errorf("no reason: %v", err)
		}
		s.green()
	})
}

func TestThirtyPeopleConvertTheLastThirtyCases(t *testing.T) {
	each(t, func(s *shop) {
		cases := s.arrive("CASE", 30, 3001, 0)
		in := conversion.In{Shape: stock.ConvertShape, Basis: stock.ByShare, Lines: []conversion.LineIn{s.in("CASE", 1)}, Outputs: []conversion.OutputIn{s.out("TEA", 5000, 0)}}
		var keys []string
		for range 31 {
			keys = append(keys, s.key())
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		done := 0
		var one id.ID
		for _, key := range keys {
			group.Go(func() {
				var doc *stock.Document
				err := s.d.Write(context.Background(), func(tx *db.Tx) (err error) {
					doc, err = s.flow.Convert(tx, s.site, s.staff, key, in)
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
					one = doc.ID
				}
			})
		}
		group.Wait()
		if q, worth := s.left(cases); done != 30 || q != "0" || worth != 0 {
			t.Errorf("%d converted, %s left worth %d", done, q, worth)
		}
		// Six take one of them back: one can.
		back := 0
		for range 6 {
			group.Go(func() {
				err := s.back(one)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					back++
				}
			})
		}
		group.Wait()
		if q, _ := s.left(cases); back != 1 || q != "1" {
			t.Errorf("taken back %d times, %s cases", back, q)
		}
		s.green()
	})
}

func TestADamagedConversionIsFound(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive("CASE", 9, 90_000, 0)
		in := conversion.In{Shape: stock.SplitShape, Basis: stock.ByShare, Lines: []conversion.LineIn{s.in("CASE", 2)}, Outputs: []conversion.OutputIn{s.out("TEA", 5000, 1), s.out("CAN", 3, 1)},
			Losses: []conversion.LossIn{{Line: 0, Qty: qty.Scale, Reason: "broken"}}}
		kept, back := s.convert(in), s.convert(in)
		if err := s.back(back.ID); err != nil {
			t.Fatal(err)
		}
		s.green()
		for _, damage := range []string{
			`UPDATE stock_document_line SET value_fen = value_fen + 1 WHERE document_id = $1 AND qty > 0 AND line_no = 2`,
			`UPDATE stock_conversion_loss SET value_fen = value_fen + 1 WHERE document_id = $1`,
			`UPDATE stock_conversion_loss SET qty = qty + 1 WHERE document_id = $1`,
			`DELETE FROM stock_conversion_loss WHERE document_id = $1`,
			`DELETE FROM stock_conversion WHERE document_id = $1`,
			`DELETE FROM ledger_transfer WHERE doc_kind = 32 AND doc_id = $1 AND leg = 2`,
			`UPDATE stock_conversion SET reversed_by = 5 WHERE document_id = $1`,
		} {
			for _, of := range []id.ID{kept.ID, back.ID} {
				err := s.d.Write(context.Background(), func(tx *db.Tx) error {
					if err := tx.Exec(damage, of); err != nil {
						return err
					}
					var sum proof.Result
					for _, p := range stock.Proofs() {
						if p.Name == "stock_conversions_keep_their_value" {
							r, err := p.Run(tx)
							if err != nil {
								return err
							}
							sum = r
						}
					}
					if sum.Bad == 0 && len(sum.Evidence) == 0 {
						t.Errorf("%s was not seen", damage)
					}
					return errUndo
				})
				if err != errUndo {
					t.Fatal(err)
				}
			}
		}
		s.green()
	})
}

var errUndo = fmt.Errorf("the damage is undone")

func refused(t testing.TB, what string, err, want error, field string) {
	t.Helper()
	if e := errs.As(err); err == nil || e.Code != errs.Code(want) || e.Field != field {
		t.Errorf("%s: got %v, want %s at %q", what, err, errs.Code(want), field)
	}
}
