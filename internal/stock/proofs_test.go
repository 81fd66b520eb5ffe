package stock

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

func TestDamageIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	damages := map[string]struct{ sql, want string }{
		"a transfer deleted":        {`DELETE FROM ledger_transfer WHERE doc_kind = 900 AND leg = 1`, "ledger_totals_match_transfers"},
		"a value transfer deleted":  {`DELETE FROM ledger_transfer WHERE doc_kind = 900 AND leg = 2`, "ledger_totals_match_transfers"},
		"a total changed":           {`UPDATE ledger_account SET posted_in = posted_in + 1000 WHERE unit = 7001`, "ledger_totals_match_transfers"},
		"a pending total changed":   {`UPDATE ledger_account SET pending_out = pending_out + 1 WHERE unit = 7001`, "ledger_pending_matches_holds"},
		"a hold deleted":            {`DELETE FROM ledger_hold`, "ledger_pending_matches_holds"},
		"a unit changed":            {`UPDATE ledger_account SET unit = 7002 WHERE unit = 7001`, "ledger_transfers_have_both_ends"},
		"an unknown flow":           {`UPDATE ledger_transfer SET to_id = -77777 WHERE doc_kind = 900 AND leg = 1`, "ledger_transfers_have_both_ends"},
		"an amount changed":         {`UPDATE ledger_transfer SET amount = amount + 1 WHERE doc_kind = 20 AND leg = 1`, "stock_documents_are_complete"},
		"a document line deleted":   {`DELETE FROM stock_document_line`, "stock_documents_are_complete"},
		"both legs of a receipt":    {`DELETE FROM ledger_transfer WHERE doc_kind = 20`, "stock_documents_are_complete"},
		"a full batch closed":       {`UPDATE stock_batch SET open = 0`, "stock_open_batches_are_those_with_goods"},
		"a batch with lost account": {`UPDATE ledger_account SET book = 3 WHERE book = 2`, "stock_batches_match_their_accounts"},
		"a batch moved":             {`UPDATE stock_batch SET site_id = 5002`, "stock_batches_match_their_accounts"},
		"value without goods":       {`UPDATE ledger_account SET posted_out = posted_in, pending_out = 0 WHERE unit = 7001`, "stock_value_ends_with_the_goods"},
	}
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		s.receive(bun, 5, 500, time.Hour)
		s.sold(buns(1))
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(1)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, 1), tx.Now().Add(time.Minute))
		})
		s.green()
		for name, damage := range damages {
			if red := s.redAfter(damage.sql); !slices.Contains(red, damage.want) {
				t.Errorf("%s: %s is not red, but %v", name, damage.want, red)
			}
		}
		s.green()
	}, schema)
}

// redAfter does damage, looks at the proofs, and undoes it.
func TestWhatIsWrongAtASiteStopsItsKindsThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 4, 400, time.Hour)
		here, there := b, id.ID(0)
		s.must(func(tx *db.Tx) error {
			d, err := Receive(tx, Receipt{Header: Header{Site: corner}, Lines: []Arrival{{SKU: bun, Qty: pieces(4), Cost: 400, ExpiresAt: tx.Now().Add(time.Hour)}}})
			if err == nil {
				there = d.Lines[0].Batch
			}
			return err
		})
		waste := func(site *org.Site, batch id.ID) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := WriteOff(tx, Discard{Header{Site: site}, Dropped, []Issue{{batch, pieces(1)}}})
				return err
			}
		}
		judge := func() {
			t.Helper()
			report, err := proof.Run(t.Context(), s.d.DB, Proofs())
			if err == nil {
				_, err = ledger.Judge(t.Context(), s.d.DB, report.Proofs)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		s.must(func(tx *db.Tx) error { return tx.Exec(`UPDATE stock_batch SET open = 0 WHERE id = $1`, here) })
		judge()
		s.refused(ledger.ErrStopped, "", waste(bakery, here))
		s.must(waste(corner, there))
		s.receive(bun, 1, 100, time.Hour) // other kinds go on
		s.must(func(tx *db.Tx) error { return tx.Exec(`UPDATE stock_batch SET open = 1 WHERE id = $1`, here) })
		judge()
		s.refused(ledger.ErrStopped, "", waste(bakery, here)) // until somebody has looked
		s.must(func(tx *db.Tx) error {
			all, err := ledger.Stops(tx, false)
			for _, x := range all {
				if x.Site != bakery.ID {
					t.Errorf("stopped at %d: %+v", x.Site, x)
				}
				if _, err := ledger.Release(tx, x.ID, "it lay there all the time", 7, tx.Now().Add(time.Hour)); err != nil {
					return err
				}
			}
			return err
		})
		s.must(waste(bakery, here))
	})
}

func (s shop) redAfter(sql string) (red []string) {
	s.t.Helper()
	undone := errors.New("undone")
	if err := s.try(func(tx *db.Tx) error {
		red = nil
		if err := tx.Exec(sql); err != nil {
			return err
		}
		for _, p := range append(ledger.Proofs(), Proofs()...) {
			r, err := p.Run(tx)
			if err != nil {
				return err
			}
			if r.Bad > 0 {
				red = append(red, p.Name)
			}
		}
		return undone
	}); !errors.Is(err, undone) {
		s.t.Fatal(err)
	}
	return red
}

func TestEveryStatementIsUnderstoodByBothEngines(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		many := []*db.Many{readLots, widerRead, openBatches, closeBatches, pickRead, insertLines, knownSKUs, takenCodes, insertBatches, availableMany, productUnits, batchUnits, skuUnits, batchesOfPlaces, placesOf, insertPlaces, openPlaces, closePlaces, openPlacesOf,
			insertAskings, insertTransits, insertArrived, updateTransits, someSKUs, hadHere, insertCountLines, servingLots, postedLines, readBounds, insertPromised, expiredBatches, receiptPrices, putClaims, insertLanded, shelvesOf, ruledRead}
		if d.Engine() == db.Postgres {
			many = append(many, lockLots, pickLock, widerLock, lockBounds, ruledLock)
		}
		texts := []string{availableOf, `SELECT ` + batchColumns + batchTables + ` WHERE b.id = $1`, whyRows, whyHeld, whyTransit, documentLegs, transitSums,
			transferColumns, transferLines, transferTransits, listTransfers, transfersInState, transfersOfSite, transferGoods, transferOnTheWay, trailView, listDocuments, documentsOfKind, documentsOfCause, listConversions, listLanded, batchesOfCode, oneDocument, documentItems,
			countProducts, countBatches, bookOfLine, countSums, toPost, lastLot, countsGoingOn, linesOf, listCounts, listCountLines, oneCountLine, countPostings,
			putAside, sellable, takeOfDay, giveBackOfDay, promiseColumns, promisedGoods, promiseHolds, channelDays, receiptBatches, landedSums, policySKUsOfProducts, policySKUsOfCategories, policyNames}
		for _, m := range many {
			texts = append(texts, m.Texts()...)
		}
		dbtest.PrepareAll(t, d, texts...)
	}, schema)
}

// SQLite plans without knowing how much there is; what everybody waits for must begin with what is asked for.
func TestNoLockOfGoodsGoesThroughAllThatThereIs(t *testing.T) {
	scans := regexp.MustCompile(`^SCAN (a|b|n|p|v|x)\b|^SCAN f USING|INDEX \w+ \(site_id=\?\)`)
	d := dbtest.New(t, db.SQLite, schema) // PostgreSQL knows, and plans anew as things grow
	texts := []string{toPost, lastLot, availableOf}
	for _, m := range []*db.Many{readLots, pickRead, widerRead, ruledRead, servingLots, batchUnits} {
		texts = append(texts, m.Texts()...)
	}
	seen := 0
	for _, text := range texts {
		args := []any{}
		for strings.Contains(text, fmt.Sprintf("$%d", len(args)+1)) {
			args = append(args, 1)
		}
		if err := d.Read(context.Background(), func(tx *db.Tx) error {
			//allow:sql the statements of this package, explained
			rows := tx.Query(`EXPLAIN QUERY PLAN `+text, args...)
			for rows.Next() {
				var node, parent, unused int64
				var detail string
				if err := rows.Scan(&node, &parent, &unused, &detail); err != nil {
					return err
				}
				if seen++; scans.MatchString(detail) {
					t.Errorf("%s in\n%s", detail, text)
				}
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
	}
	if seen < len(texts) {
		t.Errorf("%d steps of %d statements", seen, len(texts))
	}
}
