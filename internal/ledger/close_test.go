package ledger

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// Stories book one after another, and this process knows at once what it has closed: there is nobody to wait for. The
// test of a close under load waits as the product does.
func init() { settleAfter = 0 }

const branch = site + 1

// months books a year of movements on jar, tin, sack and till, also from the branch, and returns its last day.
func (s shop) months(days int) cal.Date {
	s.t.Helper()
	r := rand.New(rand.NewPCG(7, 11))
	doc := int64(1)
	for n := range days {
		if n%7 == 6 { // closed on Sundays: a day without a movement
			continue
		}
		s.must(func(tx *db.Tx) error {
			for range 2 {
				d := on(doc)
				d.Date = day.AddDays(n)
				if doc%5 == 0 {
					d.Site = branch // an account of the shop moved by a document of the branch
				}
				doc++
				if err := Apply(tx, d, in(jar, tea, 20+r.Int64N(50)), out(jar, tea, 1+r.Int64N(9)), in(sack, rice, 1+r.Int64N(5)),
					Transfer{From: jar, To: tin, Unit: tea, Amount: 1}, Transfer{From: income, To: till, Unit: CNY, Amount: 1 + r.Int64N(900)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return day.AddDays(days - 1)
}

func (s shop) closeDays(through, today cal.Date) int {
	s.t.Helper()
	n, err := CloseDays(s.t.Context(), s.d.DB, site, through, today, 7)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// answers is everything that statements and sums say over many ranges.
func (s shop) answers(last cal.Date) map[string]any {
	s.t.Helper()
	all := map[string]any{}
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		clear(all)
		for from := 0; from <= last.Sub(day)+2; from += 9 {
			for to := from; to <= last.Sub(day)+4; to += 13 {
				a, b := day.AddDays(from-1), day.AddDays(to)
				key := string(a) + " to " + string(b)
				for _, account := range []Account{jar, tin, sack, till} {
					st, err := ReadStatement(tx, account, a, b, Place{}, 5)
					if err != nil {
						return err
					}
					all[key+" account "+account.String()] = *st
				}
				for _, u := range []Unit{tea, rice, CNY} {
					sums, err := Sums(tx, site, a, b, u)
					if err != nil {
						return err
					}
					if sums == nil {
						sums = []Sum{}
					}
					all[key+" unit "+Account(u).String()] = sums
				}
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func TestAnswersAreTheSameWithAndWithoutWhatIsStored(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		last := s.months(70)
		today := last.AddDays(1)
		before := s.answers(last)
		same := func(when string) {
			t.Helper()
			after := s.answers(last)
			for k, want := range before {
				if !reflect.DeepEqual(after[k], want) {
					t.Fatalf("%s, %s: %+v, before it was %+v", when, k, after[k], want)
				}
			}
			if len(before) < 100 || len(after) != len(before) {
				t.Fatalf("%d answers", len(before))
			}
			s.green()
		}
		if n := s.closeDays(day.AddDays(50), today); n != 51 {
			t.Fatalf("%d days were closed", n)
		}
		same("with days closed")
		if err := CloseMonth(t.Context(), s.d.DB, site, "2026-04", today, 7); err != nil {
			t.Fatal(err)
		}
		same("with months closed")
		s.closeDays(last, today)
		same("with everything closed")
		if n := s.closeDays(last, today); n != 0 {
			t.Errorf("%d days were closed twice", n)
		}
		if _, err := (Sealer{}).SealDays(t.Context(), s.d.DB, site); err != nil {
			t.Fatal(err)
		}
		same("sealed")
	})
}

func TestAClosedDayCanNotChange(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100))
		s.held(50, out(jar, tea, 5))
		yesterday := on(9)
		yesterday.Date = day.AddDays(-1)
		s.booked(yesterday, in(tin, tea, 3))
		s.closeDays(day, day.AddDays(1))

		s.refused(ErrPeriodClosed, func(tx *db.Tx) error { return Apply(tx, on(2), in(jar, tea, 1)) })
		s.refused(ErrPeriodClosed, func(tx *db.Tx) error {
			l, err := Lock(tx, jar)
			if err != nil {
				return err
			}
			return l.Apply(tx, on(3), in(jar, tea, 1))
		})
		s.refused(ErrPeriodClosed, func(tx *db.Tx) error {
			l, err := Lock(tx, jar)
			if err != nil {
				return err
			}
			return l.Hold(tx, on(4), Never, Transfer{From: jar, To: gone, Unit: tea, Amount: 1, Leg: 1})
		})
		s.refused(ErrPeriodClosed, func(tx *db.Tx) error { return Reverse(tx, Document{Kind: undo, ID: 1, Site: site, Date: day}, slip, 1) })
		s.refused(ErrPeriodClosed, func(tx *db.Tx) error { return Capture(tx, slip, 50, on(51), nil) })
		foreign := on(5)
		foreign.Site = branch
		s.refused(ErrPeriodClosed, func(tx *db.Tx) error { return Apply(tx, foreign, in(jar, tea, 1)) })

		// What was booked may be asked for again; another site's day is open; a correction is dated today.
		s.booked(on(1), in(jar, tea, 100))
		elsewhere := Document{Kind: slip, ID: 6, Site: branch, Date: day}
		s.booked(elsewhere, Transfer{From: arrived, To: gone, Unit: tea, Amount: 1})
		tomorrow := Document{Kind: undo, ID: 1, Site: site, Date: day.AddDays(1)}
		s.must(func(tx *db.Tx) error {
			late, err := Forward(tx, site, day.AddDays(-20))
			if err != nil || late != day.AddDays(1) {
				t.Errorf("what is late is dated %s: %v", late, err)
			}
			if early, _ := Forward(tx, site, day.AddDays(3)); early != day.AddDays(3) {
				t.Errorf("an open day became %s", early)
			}
			tomorrow.Date = late
			return Capture(tx, slip, 50, Document{Kind: slip, ID: 52, Site: site, Date: late}, nil)
		})
		s.has(jar, 95, 95)
		s.must(func(tx *db.Tx) error {
			if err := Apply(tx, Document{Kind: slip, ID: 53, Site: site, Date: tomorrow.Date}, in(jar, tea, 5)); err != nil {
				return err
			}
			return Reverse(tx, tomorrow, slip, 1)
		})
		s.has(jar, 0, 0)
		s.must(func(tx *db.Tx) error {
			st, err := ReadStatement(tx, jar, "", day, Place{}, 10)
			if err == nil && (st.Closing != 100 || len(st.Movements) != 1) {
				t.Errorf("the closed day ends with %d after %d movements", st.Closing, len(st.Movements))
			}
			return err
		})
	})
}

func TestADayIsClosedOnlyWhenItIsOver(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100))
		for _, through := range []cal.Date{day, day.AddDays(1), "", "2026-02-30"} {
			if _, err := CloseDays(t.Context(), s.d.DB, site, through, day, 7); !errors.Is(err, ErrDayNotOver) {
				t.Errorf("%q: %v", through, err)
			}
		}
		for month, want := range map[string]error{"2026-03": ErrMonthNotOver, "2026-3": ErrMonth, "": ErrMonth, "2026-13": ErrMonth, "2027-01": ErrMonthNotOver} {
			if err := CloseMonth(t.Context(), s.d.DB, site, month, day, 7); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", month, err, want)
			}
		}
		// Where nothing has happened there is nothing to close, and nothing is refused later.
		if n, err := CloseDays(t.Context(), s.d.DB, branch, day, day.AddDays(1), 7); n != 0 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		if err := CloseMonth(t.Context(), s.d.DB, branch, "2026-02", day, 7); err != nil {
			t.Error(err)
		}
		elsewhere := Document{Kind: slip, ID: 6, Site: branch, Date: day.AddDays(-60)}
		s.booked(elsewhere, Transfer{From: arrived, To: gone, Unit: tea, Amount: 1})
	})
}

func TestNobodySlipsIntoADayThatIsBeingClosed(t *testing.T) {
	settleAfter = maxAge + 200*time.Millisecond
	defer func() { settleAfter = 0 }()
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 1_000_000))
		ctx, stop := context.WithCancel(t.Context())
		var sellers sync.WaitGroup
		booked := make([]int64, 6)
		open := make(chan struct{}, 1000) // somebody has sold
		for k := range booked {
			sellers.Go(func() {
				for n := int64(0); ctx.Err() == nil; n++ {
					err := s.d.Write(t.Context(), func(tx *db.Tx) error { return Apply(tx, on(1000+int64(k)*1_000_000+n), out(jar, tea, 1)) })
					switch {
					case err == nil:
						booked[k]++
						select {
						case open <- struct{}{}:
						default:
						}
					case !errors.Is(err, ErrPeriodClosed):
						t.Error(err)
						return
					default:
						return
					}
				}
			})
		}
		for range 12 {
			<-open
		}
		n := s.closeDays(day, day.AddDays(1))
		stop()
		sellers.Wait()
		var total int64
		for _, n := range booked {
			total += n
		}
		s.must(func(tx *db.Tx) error {
			st, err := ReadStatement(tx, jar, "", day, Place{}, 1)
			if err == nil && (n != 1 || total == 0 || st.Closing != 1_000_000-total) {
				t.Errorf("%d days closed with %d in the jar, %d were sold", n, st.Closing, total)
			}
			return err
		})
	})
}

func TestABrokenOffCloseIsFinishedByTheNext(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		last := s.months(20)
		before := s.answers(last)
		if err := refuseDays(t.Context(), s.d.DB, site, last, 7); err != nil {
			t.Fatal(err)
		}
		// Half of a day is stored when the power fails: nobody reads it.
		s.must(func(tx *db.Tx) error {
			return tx.ExecMany(insertBalances, int64(jar), string(day), int64(1), int64(1))
		})
		if after := s.answers(last); !reflect.DeepEqual(after, before) {
			t.Error("what is stored and not valid yet was read")
		}
		s.must(func(tx *db.Tx) error { return tx.Exec(`DELETE FROM ledger_balance`) })
		if n := s.closeDays(last, last.AddDays(1)); n != 20 {
			t.Errorf("%d days", n)
		}
		if after := s.answers(last); !reflect.DeepEqual(after, before) {
			t.Error("answers changed")
		}
	})
}

func TestASealedDayGivesItsTamperingAway(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		last := s.months(12)
		s.closeDays(last, last.AddDays(1))
		sealer := Sealer{Sources: []SealSource{func(tx *db.Tx, site id.ID, day cal.Date, row func(string)) error {
			row("paper of " + string(day))
			return nil
		}}}
		if n, err := sealer.SealDays(t.Context(), s.d.DB, site); n != 12 || err != nil {
			t.Fatalf("%d days sealed: %v", n, err)
		}
		if n, err := sealer.SealDays(t.Context(), s.d.DB, site); n != 0 || err != nil {
			t.Fatalf("%d days sealed again: %v", n, err)
		}
		finds := func() string {
			t.Helper()
			r, err := proof.Run(t.Context(), s.d.DB, []proof.Proof{sealer.Proof()})
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(r.Proofs[0].Evidence, "\n")
		}
		if got := finds(); got != "" {
			t.Fatal(got)
		}
		fourth := day.AddDays(3)
		for what, damage := range map[string]struct{ do, undo string }{
			"an amount":       {`UPDATE ledger_transfer SET amount = amount + 1 WHERE business_date = '` + string(fourth) + `' AND site_id = 5000001 AND leg = 1`, `UPDATE ledger_transfer SET amount = amount - 1 WHERE business_date = '` + string(fourth) + `' AND site_id = 5000001 AND leg = 1`},
			"the time":        {`UPDATE ledger_transfer SET booked_at = booked_at + 1 WHERE business_date = '` + string(fourth) + `'`, `UPDATE ledger_transfer SET booked_at = booked_at - 1 WHERE business_date = '` + string(fourth) + `'`},
			"the seal itself": {`UPDATE ledger_period SET seal = 'x' || seal WHERE period = '` + string(fourth) + `'`, `UPDATE ledger_period SET seal = SUBSTR(seal, 2) WHERE period = '` + string(fourth) + `'`},
		} {
			s.must(func(tx *db.Tx) error { return tx.Exec(damage.do) })
			if got := finds(); !strings.Contains(got, "site 5000001, "+string(fourth)) {
				t.Errorf("%s was changed: %q", what, got)
			}
			s.must(func(tx *db.Tx) error { return tx.Exec(damage.undo) })
		}
		if got := finds(); got != "" {
			t.Fatal(got)
		}
		// A paper that was changed after it was sealed.
		sealer.Sources[0] = func(tx *db.Tx, site id.ID, day cal.Date, row func(string)) error {
			row("forged paper of " + string(day))
			return nil
		}
		if got := finds(); !strings.Contains(got, string(day)) {
			t.Errorf("a forged paper: %q", got)
		}
		s.must(func(tx *db.Tx) error { // the stories end with a chain of transfers alone
			if err := tx.Exec(`UPDATE ledger_period SET seal = ''`); err != nil {
				return err
			}
			return tx.Exec(`UPDATE ledger_close SET sealed = '2026-03-01'`)
		})
		if _, err := (Sealer{}).SealDays(t.Context(), s.d.DB, site); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatIsStoredIsProved(t *testing.T) {
	for what, damage := range map[string]struct{ sql, proof string }{
		"a sum of a day":    {`UPDATE ledger_flow_sum SET amount = amount + 1 WHERE span = 1 AND period = '2026-03-05'`, "ledger_stored_sums_match_transfers"},
		"a sum of a month":  {`UPDATE ledger_flow_sum SET transfers = transfers + 1 WHERE span = 2`, "ledger_stored_sums_match_transfers"},
		"a missing sum":     {`DELETE FROM ledger_flow_sum WHERE span = 1 AND period = '2026-03-05'`, "ledger_stored_sums_match_transfers"},
		"a balance":         {`UPDATE ledger_balance SET total_out = total_out + 1 WHERE business_date = '2026-03-05'`, "ledger_stored_balances_match_transfers"},
		"a missing balance": {`DELETE FROM ledger_balance WHERE account_id = 1000002 AND business_date = '2026-03-05'`, "ledger_stored_balances_match_transfers"},
		"a free negative":   {`UPDATE ledger_account SET low = -1 WHERE id = 1000001`, "ledger_negatives_are_allowed"},
	} {
		t.Run(what, func(t *testing.T) {
			each(t, func(t *testing.T, s shop) {
				s.months(31)
				if err := CloseMonth(t.Context(), s.d.DB, site, "2026-03", "2026-04-05", 7); err != nil {
					t.Fatal(err)
				}
				s.green()
				s.must(func(tx *db.Tx) error { return tx.Exec(damage.sql) })
				if red := s.red(); len(red) != 1 || red[0] != damage.proof {
					t.Errorf("red: %v", red)
				}
				s.must(func(tx *db.Tx) error { // each proves all again
					if err := tx.Exec(`DELETE FROM ledger_flow_sum`); err != nil {
						return err
					}
					if err := tx.Exec(`DELETE FROM ledger_balance`); err != nil {
						return err
					}
					if err := tx.Exec(`UPDATE ledger_account SET low = 0 WHERE id = 1000001`); err != nil {
						return err
					}
					return tx.Exec(`DELETE FROM ledger_close`)
				})
			})
		})
	}
}

func TestAnAccountMayBeNegativeForAReasonAndForATime(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		allow := func(a Account, low int64, reason string, until time.Time) error {
			return s.try(func(tx *db.Tx) error { _, err := Allow(tx, a, low, reason, 7, until); return err })
		}
		now := func() (at time.Time) { s.must(func(tx *db.Tx) error { at = tx.Now(); return nil }); return at }
		soon := now().Add(time.Hour)
		s.booked(on(1), in(jar, tea, 10))
		s.refused(ErrFloor, func(tx *db.Tx) error { return Apply(tx, on(2), out(jar, tea, 30)) })
		for _, c := range []struct {
			low    int64
			reason string
			until  time.Time
			want   error
		}{{-50, "", soon, ErrReason}, {-50, "  ", soon, ErrReason}, {0, "count is late", soon, ErrAllowLow}, {5, "count is late", soon, ErrAllowLow},
			{-50, "count is late", now().Add(-time.Second), ErrAllowUntil}} {
			if err := allow(jar, c.low, c.reason, c.until); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if err := allow(jar, -50, "count is late", soon); err != nil {
			t.Fatal(err)
		}
		if err := allow(jar, -90, "again", soon); !errors.Is(err, ErrAllowed) {
			t.Errorf("a second allowance: %v", err)
		}
		s.booked(on(2), out(jar, tea, 30))
		s.has(jar, -20, -20)
		list := func(rules, past bool, before id.ID) (all []AllowanceAt) {
			s.must(func(tx *db.Tx) (err error) {
				all, err = AllowancesAt(tx, s.state(jar).Site, rules, past, before, 50)
				return err
			})
			return all
		}
		if all := list(false, false, math.MaxInt64); len(all) != 1 || all[0].Account != jar || all[0].Available != -20 || all[0].By != 7 || all[0].Low != -50 || all[0].Over {
			t.Errorf("allowed by a person: %+v", all)
		}
		if all := list(true, false, math.MaxInt64); len(all) < 2 || len(list(true, false, all[0].ID)) != len(all)-1 {
			t.Errorf("with those by rule: %+v", all)
		}
		s.must(func(tx *db.Tx) error {
			all, err := AllowancesAt(tx, 99, true, true, math.MaxInt64, 50)
			if len(all) != 0 {
				t.Errorf("of a site that has none: %+v", all)
			}
			return err
		})
		s.refused(ErrFloor, func(tx *db.Tx) error { return Apply(tx, on(3), out(jar, tea, 31)) })
		s.refused(ErrFixedByRule, func(tx *db.Tx) error { return EndAllowance(tx, till, 7) })
		s.refused(ErrNotAllowed, func(tx *db.Tx) error { return EndAllowance(tx, tin, 7) })

		// It ends while the account is below its floor: from now on it may only rise.
		s.must(func(tx *db.Tx) error { return EndAllowance(tx, jar, 7) })
		s.refused(ErrFloor, func(tx *db.Tx) error { return Apply(tx, on(3), out(jar, tea, 1)) })
		s.booked(on(4), in(jar, tea, 15))
		end := func() {
			t.Helper()
			if err := EndAllowances(t.Context(), s.d.DB); err != nil {
				t.Fatal(err)
			}
		}
		end()
		if low := s.state(jar).Low; low != -5 {
			t.Errorf("the floor is %d", low)
		}
		s.green()
		s.booked(on(5), in(jar, tea, 15))
		end()
		if low := s.state(jar).Low; low != 0 {
			t.Errorf("the floor is %d", low)
		}
		s.refused(ErrFloor, func(tx *db.Tx) error { return Apply(tx, on(6), out(jar, tea, 11)) })
		s.must(func(tx *db.Tx) error {
			if a, err := AllowanceOf(tx, jar); err != nil || a != nil {
				t.Errorf("%+v %v", a, err)
			}
			return nil
		})
		if now, all := list(false, false, math.MaxInt64), list(false, true, math.MaxInt64); len(now) != 0 || len(all) != 1 || !all[0].Over {
			t.Errorf("when it is over: %+v, with the past %+v", now, all)
		}

		// Or by itself, when its time has passed.
		if err := allow(tin, -5, "transfer on the way", soon); err != nil {
			t.Fatal(err)
		}
		end()
		if low := s.state(tin).Low; low != -5 {
			t.Errorf("it ended early: %d", low)
		}
		s.d.Clock.Add(2 * time.Hour)
		end()
		if low := s.state(tin).Low; low != 0 {
			t.Errorf("it has not ended: %d", low)
		}
	})
}

func TestARedProofStopsItsKindUntilSomebodyReleasesIt(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100), in(tin, tea, 100))
		s.booked(Document{Kind: undo, ID: 1, Site: site, Date: day}, in(sack, rice, 5))
		check := func() (stopped []string) {
			t.Helper()
			report, err := proof.Run(t.Context(), s.d.DB, Proofs())
			if err == nil {
				stopped, err = Judge(t.Context(), s.d.DB, report.Proofs)
			}
			if err != nil {
				t.Fatal(err)
			}
			return stopped
		}
		if got := check(); len(got) != 0 {
			t.Fatalf("stopped %v", got)
		}
		damage := func(n string) {
			s.must(func(tx *db.Tx) error {
				return tx.Exec(`UPDATE ledger_account SET posted_in = posted_in + ` + n + ` WHERE id = 1000001`)
			})
		}
		damage("3")
		if got := check(); !reflect.DeepEqual(got, []string{"test_slip"}) {
			t.Fatalf("stopped %v", got)
		}
		s.refused(ErrStopped, func(tx *db.Tx) error { return Apply(tx, on(2), out(tin, tea, 1)) })
		if err := s.hold(60, out(tin, tea, 1)); !errors.Is(err, ErrStopped) {
			t.Errorf("held: %v", err)
		}
		s.booked(Document{Kind: undo, ID: 2, Site: site, Date: day}, in(sack, rice, 5))    // other kinds go on
		s.booked(Document{Kind: slip, ID: 61, Site: branch, Date: day}, in(sack, rice, 1)) // and other sites
		if got := check(); len(got) != 0 {
			t.Errorf("stopped twice: %v", got)
		}

		stop := func() Stop {
			t.Helper()
			var all []Stop
			s.must(func(tx *db.Tx) (err error) { all, err = Stops(tx, false); return err })
			if len(all) != 1 || all[0].Proof != "ledger_totals_match_transfers" || all[0].Kind != slip {
				t.Fatalf("%+v", all)
			}
			return all[0]
		}
		var now time.Time
		s.must(func(tx *db.Tx) error { now = tx.Now(); return nil })
		week := now.Add(7 * 24 * time.Hour)
		release := func(of id.ID, reason string, until time.Time) error {
			return s.try(func(tx *db.Tx) error { _, err := Release(tx, of, reason, 7, until); return err })
		}
		first := stop()
		for _, c := range []struct {
			of     id.ID
			reason string
			until  time.Time
			want   error
		}{{first.ID, "", week, ErrStopReason}, {first.ID, " ok ", week, ErrStopReason}, {first.ID, "counted, all there", now, ErrAllowUntil},
			{first.ID, "counted, all there", now.Add(40 * 24 * time.Hour), ErrAllowUntil}, {first.ID + 1, "counted, all there", week, ErrNoStop}} {
			if err := release(c.of, c.reason, c.until); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		s.refused(ErrStopped, func(tx *db.Tx) error { return Apply(tx, on(2), out(tin, tea, 1)) })
		if err := release(first.ID, "counted, all there", week); err != nil {
			t.Fatal(err)
		}
		if err := release(first.ID, "counted, all there", week); !errors.Is(err, ErrReleased) {
			t.Errorf("released twice: %v", err)
		}
		s.booked(on(2), out(tin, tea, 1))
		if got := check(); len(got) != 0 {
			t.Errorf("what was released stops again: %v", got)
		}
		// The release ends: by its time, and by more damage than was released.
		s.d.Clock.Add(8 * 24 * time.Hour)
		if got := check(); len(got) != 1 {
			t.Errorf("a release without end: %v", got)
		}
		if err := release(stop().ID, "the auditor is coming", now.Add(20*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		s.must(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE ledger_account SET posted_in = posted_in + 1 WHERE id = 1000002`)
		})
		if got := check(); len(got) != 1 {
			t.Errorf("more damage passed: %v", got)
		}
		// Mended: it stands until somebody has looked, and then it is over.
		s.must(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE ledger_account SET posted_in = posted_in - 1 WHERE id = 1000002`)
		})
		damage("-3")
		check()
		s.refused(ErrStopped, func(tx *db.Tx) error { return Apply(tx, on(3), out(tin, tea, 1)) })
		if err := release(stop().ID, "mended by hand", now.Add(20*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		s.booked(on(3), out(tin, tea, 1))
		check()
		s.must(func(tx *db.Tx) error {
			open, err := Stops(tx, false)
			if err != nil || len(open) != 0 {
				t.Errorf("still open: %+v %v", open, err)
			}
			past, err := Stops(tx, true)
			if err == nil && (len(past) != 3 || !past[2].Over || past[2].Reason != "counted, all there" || past[2].ReleasedBy != 7) {
				t.Errorf("the trail: %+v", past)
			}
			return err
		})
	})
}

func TestAFlowIsReadDayByDay(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		last := s.months(12)
		read := func() (all [2]FlowStatement) {
			t.Helper()
			s.must(func(tx *db.Tx) error {
				for i, unit := range []Unit{CNY, tea} {
					flow := income
					if unit == tea {
						flow = gone
					}
					f, err := ReadFlow(tx, flow, site, unit, day.AddDays(3), last)
					if err != nil {
						return err
					}
					for k := range f.Days {
						f.Days[k].Closed = false
					}
					all[i] = *f
				}
				return nil
			})
			return all
		}
		before := read()
		if f := before[0]; f.Opening >= 0 || f.Closing >= f.Opening || len(f.Days) < 7 || f.Days[0].Date <= f.Days[1].Date || f.Days[0].Balance != f.Closing {
			t.Errorf("%+v", f)
		}
		s.closeDays(day.AddDays(8), last.AddDays(1))
		if after := read(); !reflect.DeepEqual(before, after) {
			t.Errorf("with what is stored %+v, before it was %+v", after, before)
		}
		for _, c := range [][2]cal.Date{{"", last}, {day, ""}, {last, day}, {"2020-01-01", last}, {"2026-02-30", last}} {
			s.refused(ErrFlowDays, func(tx *db.Tx) error { _, err := ReadFlow(tx, income, site, CNY, c[0], c[1]); return err })
		}
		if _, ok := FlowNamed("test_income"); !ok {
			t.Error("a flow is not found by its name")
		}
		if a, ok := FlowNamed("nothing"); ok {
			t.Errorf("nothing is %s", a)
		}
	})
}
