package stock

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// together lets n act at the same moment and returns their errors.
func together(n int, act func(k int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() {
			<-start
			errs[k] = act(k)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// shelves are ways in which 30 pieces can lie there.
var shelves = map[string]func(s shop){
	"one batch": func(s shop) { s.receive(bun, 30, 1001, time.Hour) },
	"thirty batches": func(s shop) {
		s.must(func(tx *db.Tx) error {
			r := Receipt{Header: Header{Site: bakery}}
			for i := range 30 { // ids rise against expiry
				r.Lines = append(r.Lines, Arrival{SKU: bun, Qty: pieces(1), Cost: 33, ExpiresAt: tx.Now().Add(time.Duration(90-i) * time.Minute)})
			}
			_, err := Receive(tx, r)
			return err
		})
	},
	"three batches and an expired one": func(s shop) {
		s.receive(bun, 5, 50, time.Minute)
		s.d.Clock.Add(time.Minute)
		for i := range 3 {
			s.receive(bun, 10, 333, time.Duration(i+1)*time.Hour)
		}
	},
}

func TestThirtyBuyersAskForExactlyThirtyPieces(t *testing.T) {
	t.Parallel()
	for name, fill := range shelves {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s shop) {
				fill(s)
				for k, err := range together(30, func(int) error { _, err := s.sell(buns(1)); return err }) {
					if err != nil {
						t.Errorf("buyer %d: %v", k, err)
					}
				}
				if _, err := s.sell(buns(1)); !errors.Is(err, ErrShort) {
					t.Errorf("the 31st piece: %v", err)
				}
				if n := s.events(EventSoldOut); len(n) != 1 {
					t.Errorf("sold out %d times", len(n))
				}
			})
		})
	}
}

func TestFortyBuyersAskForThirtyPieces(t *testing.T) {
	t.Parallel()
	for name, fill := range shelves {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s shop) {
				fill(s)
				got := 0
				for k, err := range together(40, func(int) error { _, err := s.sell(buns(1)); return err }) {
					switch {
					case err == nil:
						got++
					case !errors.Is(err, ErrShort):
						t.Errorf("buyer %d: %v", k, err)
					}
				}
				if got != 30 {
					t.Errorf("%d of 30 pieces were sold", got)
				}
			})
		})
	}
}

// Without the row lock the buyers read what others are about to take, and some are refused although there
// is enough: the test above must see that.
func TestAForgottenRowLockIsSeen(t *testing.T) {
	defer dbtest.Swap(&pickLock, pickRead)()
	for range 10 {
		s := open(t, dbtest.New(t, db.Postgres, schema))
		s.receive(bun, 30, 1001, time.Hour)
		for _, err := range together(30, func(int) error { _, err := s.sell(buns(1)); return err }) {
			if err != nil {
				return
			}
		}
		if len(s.red()) > 0 {
			return
		}
	}
	t.Error("30 buyers without a lock got 30 pieces ten times and the books agree: the race is not tested")
}

func TestCrowdsOnFewShelves(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		const tills, rounds = 8, 12
		for range 3 {
			for _, sku := range modelSKUs {
				s.receive(sku, 200, 7777, time.Hour)
			}
		}
		batches := map[id.ID]bool{}
		var mu sync.Mutex
		sold := map[id.ID]qty.Qty{}
		for k, err := range together(tills, func(k int) error {
			r := rand.New(rand.NewPCG(1, uint64(k)))
			for n := range rounds {
				var wants []Want
				for i, p := range r.Perm(3) { // in any order: locks must not depend on it
					wants = append(wants, Want{Line: i, SKU: modelSKUs[p], Qty: pieces(1 + r.Int64N(20))})
				}
				doc := doc(testSale, bakery, id.New())
				var takes []Take
				if n%3 == 2 { // by phone: held, then captured, released or left to expire
					if err := s.try(func(tx *db.Tx) error {
						p, err := Pick(tx, bakery.ID, wants)
						if err != nil {
							return err
						}
						return p.Hold(tx, doc, tx.Now().Add(time.Minute))
					}); err != nil {
						return err
					}
					switch r.IntN(3) {
					case 0:
						if err := s.try(func(tx *db.Tx) error { return Release(tx, testSale, doc.ID) }); err != nil {
							return err
						}
					case 1:
						if err := s.try(func(tx *db.Tx) error {
							p, err := Capture(tx, bakery.ID, testSale, doc.ID, nil)
							if err != nil {
								return err
							}
							takes = p.Takes
							return p.Sell(tx, doc, takings(5))
						}); err != nil {
							return err
						}
					}
				} else if err := s.try(func(tx *db.Tx) error {
					p, err := Pick(tx, bakery.ID, wants)
					if err != nil {
						return err
					}
					takes = p.Takes
					return p.Sell(tx, doc, takings(5))
				}); err != nil {
					return err
				}
				mu.Lock()
				for _, t := range takes {
					batches[t.Batch] = true
					sold[t.SKU] += t.Qty
				}
				mu.Unlock()
				if n == rounds/2 {
					if err := s.try(func(tx *db.Tx) error {
						r := Receipt{Header: Header{Site: bakery}}
						for _, sku := range modelSKUs {
							r.Lines = append(r.Lines, Arrival{SKU: sku, Qty: pieces(300), Cost: 9999, ExpiresAt: tx.Now().Add(30 * time.Minute)})
						}
						_, err := Receive(tx, r)
						return err
					}); err != nil {
						return err
					}
				}
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("till %d: %v", k, err)
			}
		}
		s.d.Clock.Add(2 * time.Minute)
		s.must(func(tx *db.Tx) error { _, err := ledger.Expire(tx); return err })
		s.must(func(tx *db.Tx) error {
			left, err := Available(tx, bakery.ID, modelSKUs)
			for _, sku := range modelSKUs {
				if all := pieces(3*200 + tills*300); left[sku]+sold[sku] != all {
					t.Errorf("SKU %d: %s sold and %s left of %s", sku, sold[sku], left[sku], all)
				}
			}
			return err
		})
		if len(batches) < 6 {
			t.Errorf("only %d batches were touched", len(batches))
		}
	})
}

// The last piece goes while another comes back: whether the batch is open must follow what is in it.
func TestTheLastPieceGoesWhileOneComesBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		for range 12 {
			b := s.receive(bun, 3, 100, time.Hour)
			sale := doc(testSale, bakery, id.New())
			s.must(func(tx *db.Tx) error {
				p, err := Pick(tx, bakery.ID, []Want{buns(2)})
				if err != nil {
					return err
				}
				return p.Sell(tx, sale)
			})
			s.batch(b, 1, 0, 33)
			sold := 0
			for k, err := range together(6, func(k int) error {
				if k%3 == 0 {
					return s.try(func(tx *db.Tx) error {
						c, err := Return(tx, bakery.ID, []Back{{Batch: b, Qty: pieces(1), Cost: 33, Of: sale.Ref(1)}})
						if err != nil {
							return err
						}
						return c.Book(tx, doc(testRefund, bakery, id.New()))
					})
				}
				return s.try(func(tx *db.Tx) error {
					p, err := Pick(tx, bakery.ID, []Want{{SKU: bun, Qty: pieces(1), Batch: b}})
					if err != nil {
						return err
					}
					return p.Sell(tx, doc(testSale, bakery, id.New()))
				})
			}) {
				switch {
				case err == nil && k%3 != 0:
					sold++
				case err != nil && !errors.Is(err, ErrShort):
					t.Errorf("%d: %v", k, err)
				}
			}
			s.batch(b, int64(3-sold), 0, [...]money.Fen{99, 66, 33, 0}[sold])
			s.green()
			for range 3 - sold {
				if takes := s.sold(buns(1)); takes[0].Batch != b {
					t.Errorf("what came back is not found again: sold from %d", takes[0].Batch)
				}
			}
		}
	})
}
