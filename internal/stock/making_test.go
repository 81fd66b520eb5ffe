package stock

import (
	"errors"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

var (
	testTaking = ledger.DefineKind(910, "test_taking")
	testMaking = ledger.DefineKind(911, "test_making")
)

// making takes 300 of tea that cost 100 fen per 1,000 and books what the story says.
func (s shop) making(t *testing.T, book func(tx *db.Tx, order ledger.Account, doc ledger.Document) error) error {
	t.Helper()
	order := ledger.Account(id.New())
	s.must(func(tx *db.Tx) error {
		if _, err := Receive(tx, Receipt{Header: Header{Site: bakery}, Lines: []Arrival{{SKU: tea, Qty: 1000, Cost: 100}}}); err != nil {
			return err
		}
		picked, err := Pick(tx, bakery.ID, []Want{{SKU: tea, Qty: 300}})
		if err != nil {
			return err
		}
		return picked.Consume(tx, ledger.Document{Kind: testTaking, ID: id.New(), Site: bakery.ID, Date: bakery.BusinessDate(tx.Now())}, order)
	})
	return s.try(func(tx *db.Tx) error {
		return book(tx, order, ledger.Document{Kind: testMaking, ID: id.New(), Site: bakery.ID, Date: bakery.BusinessDate(tx.Now())})
	})
}

func TestWhatIsMadeTakesTheValueOfItsMaterials(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		err := s.making(t, func(tx *db.Tx, order ledger.Account, doc ledger.Document) error {
			batch, code, err := Make(tx, bakery, doc, order, Arrival{SKU: bun, Qty: 2 * qty.Scale, Cost: 20, ExpiresAt: tx.Now().Add(time.Hour)},
				[]LostInMaking{{SKU: tea, Qty: 100, Value: 10}})
			if err != nil {
				return err
			}
			b, err := batchByID(tx, batch)
			if err != nil {
				return err
			}
			if b.Code != code || b.Qty != 2*qty.Scale || b.ValueFen != 20 || !b.Open {
				t.Errorf("%+v", b)
			}
			if left, err := ledger.Balance(tx, order); err != nil || left.Balance() != 0 {
				t.Errorf("%+v %v", left, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestAWorkOrderIsEmptiedOrNothingIsMade(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		for name, made := range map[string]Arrival{"too little": {SKU: bun, Qty: 1000, Cost: 29}, "too much": {SKU: bun, Qty: 1000, Cost: 31},
			"value without goods": {SKU: bun, Cost: 30}} {
			if err := s.making(t, func(tx *db.Tx, order ledger.Account, doc ledger.Document) error {
				_, _, err := Make(tx, bakery, doc, order, made, nil)
				return err
			}); !errors.Is(err, ledger.ErrBadDocument) {
				t.Errorf("%s: %v", name, err)
			}
		}
		err := s.making(t, func(tx *db.Tx, order ledger.Account, doc ledger.Document) error {
			_, _, err := Make(tx, bakery, doc, order, Arrival{SKU: bun, Qty: 1000, Cost: 30, ExpiresAt: tx.Now()}, nil)
			return err
		})
		if !errors.Is(err, ErrAlreadyPast) {
			t.Errorf("made past its time: %v", err)
		}
	})
}

func TestAllMaterialMayBeLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		if err := s.making(t, func(tx *db.Tx, order ledger.Account, doc ledger.Document) error {
			batch, _, err := Make(tx, bakery, doc, order, Arrival{SKU: bun}, []LostInMaking{{SKU: tea, Qty: 300, Value: 30}})
			if batch != 0 {
				t.Errorf("made batch %v of nothing", batch)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}
