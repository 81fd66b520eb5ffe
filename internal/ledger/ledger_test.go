package ledger

import (
	"errors"
	"math"
	"testing"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

var (
	shelf   = DefineBook(91, "test_shelf")
	purse   = DefineBook(92, "test_purse")
	slip    = DefineKind(91, "test_slip")
	undo    = DefineKind(92, "test_undo")
	gone    = DefineFlow(9001, shelf, "test_gone")
	arrived = DefineFlow(9002, shelf, "test_arrived")
	income  = DefineFlow(9003, purse, "test_income")
)

const (
	tea  Unit    = 7_000_001
	rice Unit    = 7_000_002
	site         = id.ID(5_000_001)
	day          = cal.Date("2026-03-02")
	jar  Account = 1_000_001 // tea
	tin  Account = 1_000_002 // tea
	sack Account = 1_000_003 // rice
	till Account = 1_000_004 // fen
)

func on(n int64) Document { return Document{Kind: slip, ID: id.ID(n), Site: site, Date: day} }

// each gives a story a shop with three shelves and a purse, and proves the ledger after it.
func each(t *testing.T, story func(t *testing.T, s shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := shop{t, d}
		s.must(func(tx *db.Tx) error {
			_, err := Open(tx,
				NewAccount{ID: jar, Book: shelf, Unit: tea, Site: site},
				NewAccount{ID: tin, Book: shelf, Unit: tea, Site: site},
				NewAccount{ID: sack, Book: shelf, Unit: rice, Site: site},
				NewAccount{ID: till, Book: purse, Unit: CNY, Site: site, Low: -500, Why: "test"})
			return err
		})
		story(t, s)
		if !t.Failed() {
			s.green()
		}
	}, dbtest.With(Migrations))
}

type shop struct {
	t *testing.T
	d *dbtest.DB
}

func (s shop) try(fn func(tx *db.Tx) error) error { return s.d.Write(s.t.Context(), fn) }

func (s shop) must(fn func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.try(fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s shop) refused(want *errs.Error, fn func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.try(fn); !errors.Is(err, want) {
		s.t.Errorf("want %s, got %v", want.Code, err)
	}
}

func (s shop) apply(doc Document, ts ...Transfer) error {
	return s.try(func(tx *db.Tx) error { return Apply(tx, doc, ts...) })
}

func (s shop) booked(doc Document, ts ...Transfer) {
	s.t.Helper()
	if err := s.apply(doc, ts...); err != nil {
		s.t.Fatal(err)
	}
}

func (s shop) state(a Account) (st State) {
	s.t.Helper()
	if err := s.d.Read(s.t.Context(), func(tx *db.Tx) (err error) {
		st, err = Balance(tx, a)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return st
}

func (s shop) has(a Account, balance, available int64) {
	s.t.Helper()
	if st := s.state(a); st.Balance() != balance || st.Available() != available {
		s.t.Errorf("account %d has %d, %d of it available; want %d and %d", a, st.Balance(), st.Available(), balance, available)
	}
}

func (s shop) red() []string {
	s.t.Helper()
	report, err := proof.Run(s.t.Context(), s.d.DB, append(Proofs(), Sealer{}.Proof()))
	if err != nil {
		s.t.Fatal(err)
	}
	var red []string
	for _, p := range report.Proofs {
		if p.Bad > 0 {
			red = append(red, p.Name)
			for _, e := range p.Evidence {
				s.t.Log(p.Name, e)
			}
		}
	}
	return red
}

func (s shop) green() {
	s.t.Helper()
	if red := s.red(); len(red) > 0 {
		s.t.Errorf("red: %v", red)
	}
}

func in(a Account, u Unit, n int64) Transfer {
	return Transfer{From: arrived, To: a, Unit: u, Amount: n}
}
func out(a Account, u Unit, n int64) Transfer { return Transfer{From: a, To: gone, Unit: u, Amount: n} }

func TestGoodsMoveFromOneAccountToAnother(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 1000), in(sack, rice, 500))
		s.booked(on(2), Transfer{From: jar, To: tin, Unit: tea, Amount: 300}, out(sack, rice, 500), Transfer{From: income, To: till, Unit: CNY, Amount: 1280})
		s.has(jar, 700, 700)
		s.has(tin, 300, 300)
		s.has(sack, 0, 0)
		s.has(till, 1280, 1280)
	})
}

func TestADocumentBooksAllOfItsTransfersOrNone(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 1000))
		err := s.apply(on(2), out(jar, tea, 400), out(sack, rice, 1))
		if !errors.Is(err, ErrFloor) {
			t.Fatalf("got %v", err)
		}
		s.has(jar, 1000, 1000)
		if legs := s.legs(2); len(legs) != 0 {
			t.Errorf("a refused document left %v", legs)
		}
	})
}

func (s shop) legs(n int64) (legs []Posted) {
	s.t.Helper()
	if err := s.d.Read(s.t.Context(), func(tx *db.Tx) (err error) {
		legs, err = Legs(tx, slip, id.ID(n))
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return legs
}

func TestWhatIsTakenAndGivenInOneDocumentIsNetted(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		// Out before in: only the outcome must be above the floor.
		s.booked(on(1), out(jar, tea, 400), in(jar, tea, 1000), out(jar, tea, 600))
		if st := s.state(jar); st.In != 1000 || st.Out != 1000 {
			t.Errorf("totals %d and %d", st.In, st.Out)
		}
	})
}

func TestEveryFloorIsKept(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 10))
		err := s.apply(on(2), out(jar, tea, 11))
		if e := errs.As(err); e == nil || e.Code != "ledger_floor" || e.Arg("left") != "10" {
			t.Errorf("got %v", err)
		}
		s.booked(on(3), out(jar, tea, 10))
		s.refused(ErrFloor, func(tx *db.Tx) error { return Apply(tx, on(4), out(jar, tea, 1)) })
		// The purse may go to -5.00 and not a fen below.
		s.booked(on(5), Transfer{From: till, To: income, Unit: CNY, Amount: 500})
		s.refused(ErrFloor, func(tx *db.Tx) error {
			return Apply(tx, on(6), Transfer{From: till, To: income, Unit: CNY, Amount: 1})
		})
	})
}

func TestTheDatabaseItselfHoldsTheFloor(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		err := s.try(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE ledger_account SET posted_out = posted_out + $1 WHERE id = $2`, 1, int64(jar))
		})
		if !db.Violates(err, "ledger_account_floor") {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheSameDocumentAgainChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 1000))
		for range 3 {
			s.booked(on(2), out(jar, tea, 400), Transfer{From: income, To: till, Unit: CNY, Amount: 90})
		}
		s.has(jar, 600, 600)
		s.has(till, 90, 90)
		// Later legs of the same document are booked, those before are not booked again.
		s.booked(on(2), out(jar, tea, 400), Transfer{From: income, To: till, Unit: CNY, Amount: 90}, out(jar, tea, 50))
		s.has(jar, 550, 550)
		if legs := s.legs(2); len(legs) != 3 {
			t.Errorf("%d legs", len(legs))
		}
	})
}

func TestTheSameDocumentWithOtherContentIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 1000))
		s.booked(on(2), out(jar, tea, 400))
		other := on(2)
		other.Date = "2026-03-03"
		elsewhere := on(2)
		elsewhere.Site = site + 1
		for name, try := range map[string]func() error{
			"amount":  func() error { return s.apply(on(2), out(jar, tea, 401)) },
			"account": func() error { return s.apply(on(2), out(tin, tea, 400)) },
			"flow": func() error {
				return s.apply(on(2), Transfer{From: jar, To: arrived, Unit: tea, Amount: 400})
			},
			"date": func() error { return s.apply(other, out(jar, tea, 400)) },
			"site": func() error { return s.apply(elsewhere, out(jar, tea, 400)) },
			"corrects": func() error {
				return s.apply(on(2), Transfer{From: jar, To: gone, Unit: tea, Amount: 400, Corrects: on(1).Ref(1)})
			},
			"new beside": func() error { return s.apply(on(2), out(jar, tea, 1), out(jar, tea, 5)) },
		} {
			if err := try(); !errors.Is(err, ErrDiffers) {
				t.Errorf("other %s: got %v", name, err)
			}
		}
		s.has(jar, 600, 600)
	})
}

func TestOneNumberInTwoKindsOfDocumentIsTwoDocuments(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 10))
		s.booked(Document{Kind: undo, ID: 1, Site: site, Date: day}, out(jar, tea, 10))
		s.has(jar, 0, 0)
		if r := on(1).Ref(3).String(); r != "test_slip:1/3" {
			t.Errorf("it prints as %s", r)
		}
	})
}

func TestPorkCanNotBeBookedAsTea(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 10), in(sack, rice, 10))
		s.refused(ErrUnit, func(tx *db.Tx) error { return Apply(tx, on(2), Transfer{From: jar, To: sack, Unit: tea, Amount: 1}) })
		s.refused(ErrUnit, func(tx *db.Tx) error { return Apply(tx, on(2), Transfer{From: jar, To: sack, Unit: rice, Amount: 1}) })
		s.refused(ErrUnit, func(tx *db.Tx) error { return Apply(tx, on(2), out(jar, rice, 1)) })
		s.refused(ErrUnit, func(tx *db.Tx) error { return Apply(tx, on(2), in(till, tea, 1)) })
	})
}

func TestBadTransfersAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 10))
		nowhere, kindless, undated, siteless := on(2), on(2), on(2), on(0)
		nowhere.Site, kindless.Kind, undated.Date = 0, 0, "2026-02-30"
		for _, c := range []struct {
			what string
			want *errs.Error
			doc  Document
			ts   []Transfer
		}{
			{"nothing moved", ErrAmount, on(2), []Transfer{out(jar, tea, 0)}},
			{"less than nothing", ErrAmount, on(2), []Transfer{out(jar, tea, -5)}},
			{"to itself", ErrBadDocument, on(2), []Transfer{{From: jar, To: jar, Unit: tea, Amount: 1}}},
			{"from nowhere", ErrBadDocument, on(2), []Transfer{{To: jar, Unit: tea, Amount: 1}}},
			{"to nowhere", ErrBadDocument, on(2), []Transfer{{From: jar, Unit: tea, Amount: 1}}},
			{"of nothing", ErrBadDocument, on(2), []Transfer{{From: jar, To: gone, Amount: 1}}},
			{"unknown account", ErrNoAccount, on(2), []Transfer{out(999, tea, 1)}},
			{"leg twice", ErrBadDocument, on(2), []Transfer{{From: jar, To: gone, Unit: tea, Amount: 1, Leg: 1}, {From: jar, To: gone, Unit: tea, Amount: 1, Leg: 1}}},
			{"leg too big", ErrBadDocument, on(2), []Transfer{{From: jar, To: gone, Unit: tea, Amount: 1, Leg: 40000}}},
			{"no site", ErrBadDocument, nowhere, []Transfer{out(jar, tea, 1)}},
			{"no kind", ErrBadDocument, kindless, []Transfer{out(jar, tea, 1)}},
			{"no such day", ErrBadDocument, undated, []Transfer{out(jar, tea, 1)}},
			{"no document", ErrBadDocument, siteless, []Transfer{out(jar, tea, 1)}},
			{"too many", ErrBadDocument, on(2), make([]Transfer, maxTransfers+1)},
		} {
			if err := s.apply(c.doc, c.ts...); !errors.Is(err, c.want) {
				t.Errorf("%s: want %s, got %v", c.what, c.want.Code, err)
			}
		}
		s.booked(on(3)) // a document that moves nothing is none
		s.has(jar, 10, 10)
	})
}

func TestNumbersThatDoNotFitAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, math.MaxInt64-10))
		s.refused(ErrTooLarge, func(tx *db.Tx) error { return Apply(tx, on(2), in(jar, tea, 11)) })
		s.refused(ErrTooLarge, func(tx *db.Tx) error { return Apply(tx, on(2), in(tin, tea, math.MaxInt64), in(tin, tea, 1)) })
		s.booked(on(2), in(jar, tea, 10))
		s.booked(on(3), out(jar, tea, math.MaxInt64))
		s.refused(ErrTooLarge, func(tx *db.Tx) error { return Apply(tx, on(4), in(jar, tea, 1)) })
		s.has(jar, 0, 0)
	})
}

func TestABornDocumentIsBookedWithoutAsking(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100))
		s.must(func(tx *db.Tx) error {
			l, err := Lock(tx, jar, tin, gone)
			if err != nil {
				return err
			}
			if err := l.Apply(tx, on(2), out(jar, tea, 30)); err != nil {
				return err
			}
			if st, _ := l.Get(jar); st.Balance() != 70 {
				t.Errorf("the set says %d", st.Balance())
			}
			// What the first booking took is not there for the second.
			if err := l.Apply(tx, on(3), out(jar, tea, 71)); !errors.Is(err, ErrFloor) {
				t.Errorf("got %v", err)
			}
			return l.Apply(tx, on(3), Transfer{From: jar, To: tin, Unit: tea, Amount: 70})
		})
		s.has(jar, 0, 0)
		s.has(tin, 70, 70)
		if err := s.try(func(tx *db.Tx) error {
			l, err := Lock(tx, tin)
			if err != nil {
				return err
			}
			return l.Apply(tx, on(3), out(tin, tea, 1))
		}); !db.Violates(err, "ledger_transfer_pkey") {
			t.Errorf("a second booking: got %v", err)
		}
		s.refused(ErrNoAccount, func(tx *db.Tx) error {
			l, err := Lock(tx, jar)
			if err != nil {
				return err
			}
			return l.Apply(tx, on(4), out(tin, tea, 1))
		})
		s.refused(ErrNoAccount, func(tx *db.Tx) error {
			_, err := Lock(tx, jar, 999)
			return err
		})
	})
}

func TestManyTransfersInOneDocument(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		var ts []Transfer
		for n := range int64(1000) {
			ts = append(ts, in(jar, tea, n+1))
		}
		s.booked(on(1), ts...)
		s.has(jar, 500_500, 500_500)
		s.booked(on(1), ts...)
		s.has(jar, 500_500, 500_500)
	})
}

func TestACorrectionTakesBackAndNamesWhatItCorrects(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 1000), in(sack, rice, 50))
		s.booked(on(2), out(jar, tea, 400), out(sack, rice, 20), Transfer{From: income, To: till, Unit: CNY, Amount: 990})
		back := Document{Kind: undo, ID: 77, Site: site, Date: "2026-03-03"}
		part := Document{Kind: undo, ID: 78, Site: site, Date: "2026-03-03"}
		legs := s.legs(2)
		s.booked(part, legs[0].Back(100))
		s.has(jar, 700, 700)
		reverse := func() error { return s.try(func(tx *db.Tx) error { return Reverse(tx, back, slip, 2) }) }
		if err := reverse(); err != nil {
			t.Fatal(err)
		}
		s.has(jar, 1000, 1000)
		s.has(sack, 50, 50)
		s.has(till, 0, 0)
		if err := reverse(); err != nil {
			t.Errorf("the same reversal again: %v", err)
		}
		s.has(jar, 1000, 1000)
		s.refused(ErrDiffers, func(tx *db.Tx) error {
			return Reverse(tx, Document{Kind: undo, ID: 79, Site: site, Date: day}, slip, 2)
		})
		var st *Statement
		s.must(func(tx *db.Tx) (err error) {
			st, err = ReadStatement(tx, jar, "", "", Place{}, 1)
			return err
		})
		if c := st.Movements[0].Corrects; c != on(2).Ref(1) {
			t.Errorf("it corrects %s", c)
		}
	})
}

func TestWhatIsGoneCanNotBeTakenBackFromWhoeverGotIt(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100))
		s.booked(on(2), out(jar, tea, 60))
		s.refused(ErrFloor, func(tx *db.Tx) error {
			return Reverse(tx, Document{Kind: undo, ID: 1, Site: site, Date: day}, slip, 1)
		})
	})
}

func TestStatementsAddUp(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		want := []int64{}
		for n := range int64(30) {
			doc := on(n + 1)
			doc.Date = day.AddDays(int(n / 10))
			if n%3 == 2 {
				s.booked(doc, out(jar, tea, 5), in(tin, tea, 1))
				want = append(want, -5)
			} else {
				s.booked(doc, in(jar, tea, 100+n))
				want = append(want, 100+n)
			}
		}
		var total int64
		for _, n := range want {
			total += n
		}
		read := func(from, to cal.Date, after Place, limit int) (st *Statement) {
			t.Helper()
			s.must(func(tx *db.Tx) (err error) {
				st, err = ReadStatement(tx, jar, from, to, after, limit)
				return err
			})
			return st
		}
		var pages []Movement
		st := read("", "", Place{}, 7)
		for {
			pages = append(pages, st.Movements...)
			if !st.More {
				break
			}
			st = read("", "", st.Next(), 7)
		}
		if len(pages) != 30 || st.Closing != total || st.Opening != 0 {
			t.Fatalf("%d movements, from %d to %d, want 30, 0, %d", len(pages), st.Opening, st.Closing, total)
		}
		balance := total
		for i, m := range pages {
			if m.Amount != want[29-i] || m.Balance != balance || m.ID != id.ID(30-i) {
				t.Fatalf("movement %d is %+v, want %d and balance %d", i, m, want[29-i], balance)
			}
			balance -= m.Amount
		}
		mid := read(day.AddDays(1), day.AddDays(1), Place{}, 50)
		first, second := sum(want[:10]), sum(want[10:20])
		if mid.Opening != first || mid.Closing != first+second || len(mid.Movements) != 10 || mid.More {
			t.Errorf("the second day goes from %d to %d with %d movements, want %d, %d, 10", mid.Opening, mid.Closing, len(mid.Movements), first, first+second)
		}
		if got := mid.Movements[9]; got.Balance-got.Amount != first {
			t.Errorf("the oldest movement starts at %d", got.Balance-got.Amount)
		}
	})
}

func sum(ns []int64) (n int64) {
	for _, v := range ns {
		n += v
	}
	return n
}

func TestFlowAccountsAreTheirTransfers(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		elsewhere := on(4)
		elsewhere.Site = site + 1
		tomorrow := on(5)
		tomorrow.Date = day.AddDays(1)
		s.booked(on(1), in(jar, tea, 1000), in(sack, rice, 1000))
		s.booked(on(2), out(jar, tea, 30), out(sack, rice, 7))
		s.booked(on(3), out(jar, tea, 12), Transfer{From: gone, To: jar, Unit: tea, Amount: 2})
		s.booked(elsewhere, out(jar, tea, 500))
		s.booked(tomorrow, out(jar, tea, 3))
		for _, c := range []struct {
			from, to cal.Date
			unit     Unit
			want     int64
		}{{day, day, tea, 40}, {day, day, rice, 7}, {day, day.AddDays(1), tea, 43}, {day.AddDays(1), day.AddDays(1), tea, 3}, {day.AddDays(2), day.AddDays(9), tea, 0}} {
			s.must(func(tx *db.Tx) error {
				got, err := FlowSum(tx, gone, site, c.from, c.to, c.unit)
				if err == nil && got != c.want {
					t.Errorf("gone of %d from %s to %s is %d, want %d", c.unit, c.from, c.to, got, c.want)
				}
				return err
			})
		}
	})
}

func TestEveryStatementIsUnderstoodByBothEngines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		texts := []string{updateOne, statementPage, netBetween, daySums, dayMoves, transferSums, storedSums, sealedLegs, flowStoredDays, flowOpenDays, flowMovements}
		for _, m := range []*db.Many{insertAccounts, readAccounts, updatePosted, updateAll, insertTransfers, insertCorrections, insertHolds, settleHolds,
			insertPeriods, insertSums, insertBalances, insertForeign, insertAllowances} {
			texts = append(texts, m.Texts()...)
		}
		if d.Engine() == db.Postgres {
			texts = append(texts, lockAccounts.Texts()...)
		}
		dbtest.PrepareAll(t, d, texts...)
	}, dbtest.With(Migrations))
}

func TestANameIsGivenOnce(t *testing.T) {
	for what, define := range map[string]func(){
		"kind number": func() { DefineKind(91, "test_other") },
		"kind name":   func() { DefineKind(93, "test_slip") },
		"book number": func() { DefineBook(91, "test_other") },
		"flow number": func() { DefineFlow(9001, shelf, "test_other") },
		"flow name":   func() { DefineFlow(9009, shelf, "test_gone") },
		"flow zero":   func() { DefineFlow(0, shelf, "test_zero") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a second %s passed", what)
				}
			}()
			define()
		}()
	}
}
