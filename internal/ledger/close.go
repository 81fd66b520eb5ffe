package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// A closed day of a site takes no more bookings. Then what the day moved can be stored once for ever: the totals of each
// account that moved, and what went from side to side. Statements and sums read that instead of the transfers, with
// equal results. Days are closed in order, without a gap, and never opened again: what arrives late is posted forward.

var (
	ErrDayNotOver   = errs.Define("ledger_day_not_over", errs.Conflict, "{date} 还没有过完,不能结账", "{date} is not over yet and can't be closed")
	ErrMonthNotOver = errs.Define("ledger_month_not_over", errs.Conflict, "{month} 还没有过完,不能结账", "{month} is not over yet and can't be closed")
	ErrMonth        = errs.Define("ledger_month_bad", errs.Invalid, "月份应写成 2026-11 的样子", "A month is written as in 2026-11")
	errBusy         = errors.New("ledger: bookings that began before the close have not ended")
)

// Spans of a period.
const (
	spanDay   = 1
	spanMonth = 2
)

// Closed tells how far the days of a site are closed; "" where nothing is.
type Closed struct {
	Since   cal.Date // first closed day
	Through cal.Date // nothing is booked on or before it
	Stored  cal.Date // balances and sums are stored up to it
	Sealed  cal.Date // last day of the hash chain
	Months  string   // last closed month, as in 2026-10
}

// ClosedDays tells how far a site is closed.
func ClosedDays(tx *db.Tx, site id.ID) (Closed, error) {
	var c Closed
	err := tx.QueryRow(`SELECT since, through, stored, sealed, months FROM ledger_close WHERE site_id = $1`, site).Scan(&c.Since, &c.Through, &c.Stored, &c.Sealed, &c.Months)
	if errors.Is(err, db.ErrNoRow) {
		return c, nil
	}
	return c, err
}

// Period is a closed day or month of a site.
type Period struct {
	Period    string
	Closed    bool // false: it takes no more bookings, and is being stored
	By        id.ID
	AskedAt   time.Time
	ClosedAt  time.Time
	Transfers int64
	Seal      string
}

// Periods lists the closed days or months of a site before one, newest first.
func Periods(tx *db.Tx, site id.ID, months bool, before string, limit int) ([]Period, error) {
	kind := spanDay
	if months {
		kind = spanMonth
	}
	rows := tx.Query(`SELECT period, state, asked_by, asked_at, COALESCE(closed_at, 0), transfers, seal FROM ledger_period
		WHERE site_id = $1 AND span = $2 AND period < $3 ORDER BY period DESC LIMIT $4`, site, kind, before, limit)
	var all []Period
	err := over(rows, func(rows *db.Rows) error {
		var p Period
		var state int
		if err := rows.Scan(&p.Period, &state, &p.By, &p.AskedAt, &p.ClosedAt, &p.Transfers, &p.Seal); err != nil {
			return err
		}
		p.Closed = state == 2
		all = append(all, p)
		return nil
	})
	return all, err
}

// settleAfter is how long after a close somebody may still be booking who has not heard of it.
var settleAfter = maxAge + 200*time.Millisecond

// CloseDays closes the days of a site up to and with through, for a person (0: the installation itself), stores their
// balances and sums, and returns how many days that were. today is the site's business date; it is still open. It takes
// short steps, and may be broken off and done again at any time.
func CloseDays(ctx context.Context, d *db.DB, site id.ID, through, today cal.Date, by id.ID) (int, error) {
	if !through.Valid() || through >= today {
		return 0, ErrDayNotOver.With("date", through)
	}
	if err := refuseDays(ctx, d, site, through, by); err != nil {
		return 0, err
	}
	var c Closed
	if err := d.Read(ctx, func(tx *db.Tx) (err error) { c, err = ClosedDays(tx, site); return err }); err != nil {
		return 0, err
	}
	if c.Stored >= c.Through { // nothing has ever happened here, or all is stored
		return 0, nil
	}
	if err := settled(ctx, d); err != nil {
		return 0, err
	}
	days := 0
	for day := c.Stored.AddDays(1); day <= c.Through; day = day.AddDays(1) {
		if err := storeDay(ctx, d, site, day); err != nil {
			return days, fmt.Errorf("ledger: closing %s of site %d: %w", day, site, err)
		}
		days++
	}
	return days, nil
}

// refuseDays begins the close: from now on nothing is booked on these days.
func refuseDays(ctx context.Context, d *db.DB, site id.ID, through cal.Date, by id.ID) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		var first *cal.Date
		err := tx.QueryRow(`SELECT MIN(d) FROM (SELECT MIN(business_date) AS d FROM ledger_transfer WHERE site_id = $1
			UNION ALL SELECT MIN(business_date) FROM ledger_foreign WHERE account_site = $1) AS firsts`, site).Scan(&first)
		if err != nil || first == nil || *first > through {
			return err
		}
		before := first.AddDays(-1)
		if err := tx.Exec(`INSERT INTO ledger_close (site_id, since, through, stored, sealed, months) VALUES ($1, $2, $3, $3, $3, '') ON CONFLICT (site_id) DO NOTHING`,
			site, *first, before); err != nil {
			return err
		}
		var from cal.Date
		if err := tx.QueryRow(`SELECT through FROM ledger_close WHERE site_id = $1`+tx.ForUpdate(), site).Scan(&from); err != nil || from >= through {
			return err
		}
		if err := tx.Exec(`UPDATE ledger_close SET through = $1 WHERE site_id = $2`, through, site); err != nil {
			return err
		}
		var rows []any
		for day := from.AddDays(1); day <= through; day = day.AddDays(1) {
			rows = append(rows, int64(site), int64(spanDay), string(day), int64(1), int64(by), tx.Wall().UnixMilli(), int64(0), "")
		}
		changed(tx)
		return tx.ExecMany(insertPeriods, rows...)
	})
}

var insertPeriods = db.NewMany(`INSERT INTO ledger_period (site_id, span, period, state, asked_by, asked_at, transfers, seal) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?)`, ` ON CONFLICT (site_id, span, period) DO NOTHING`)

// settled waits until nobody books who has looked at the closed days before they were closed: what is known of them is
// at most maxAge old, and a transaction that began before that has ended.
func settled(ctx context.Context, d *db.DB) error {
	wait := time.NewTimer(settleAfter)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if d.Engine() == db.SQLite {
		// One writer: when it is our turn, all that began before has ended.
		return d.Write(ctx, func(tx *db.Tx) error { return nil })
	}
	return othersEnded(ctx, d)
}

// side is where a transfer begins or ends in the sums: a kind of flow, or 0 for kept accounts.
const (
	daySums = `
SELECT unit, a, b, SUM(amount), COUNT(*) FROM (
	SELECT unit, CASE WHEN from_id > 0 THEN 0 ELSE from_id END AS a, CASE WHEN to_id > 0 THEN 0 ELSE to_id END AS b, amount
	FROM ledger_transfer WHERE site_id = $1 AND business_date = $2) AS t
GROUP BY unit, a, b ORDER BY unit, a, b`

	// Accounts of the site that moved on the day, wherever, and their totals before it.
	dayMoves = `
SELECT m.account_id, SUM(m.i), SUM(m.o),
	COALESCE((SELECT p.total_in FROM ledger_balance p WHERE p.account_id = m.account_id AND p.business_date < $1 ORDER BY p.business_date DESC LIMIT 1), 0),
	COALESCE((SELECT p.total_out FROM ledger_balance p WHERE p.account_id = m.account_id AND p.business_date < $1 ORDER BY p.business_date DESC LIMIT 1), 0)
FROM (
	SELECT t.to_id AS account_id, t.amount AS i, 0 AS o FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_id
	WHERE t.site_id = $2 AND t.business_date = $1 AND t.to_id > 0 AND a.site_id = $2
	UNION ALL
	SELECT t.from_id, 0, t.amount FROM ledger_transfer t JOIN ledger_account a ON a.id = t.from_id
	WHERE t.site_id = $2 AND t.business_date = $1 AND t.from_id > 0 AND a.site_id = $2
	UNION ALL
	SELECT f.account_id, CASE WHEN t.to_id = f.account_id THEN t.amount ELSE 0 END, CASE WHEN t.from_id = f.account_id THEN t.amount ELSE 0 END
	FROM ledger_foreign f JOIN ledger_transfer t ON t.doc_kind = f.doc_kind AND t.doc_id = f.doc_id AND t.leg = f.leg
	WHERE f.account_site = $2 AND f.business_date = $1
) AS m GROUP BY m.account_id ORDER BY m.account_id`
)

var (
	insertSums     = db.NewMany(`INSERT INTO ledger_flow_sum (site_id, span, unit, period, from_side, to_side, amount, transfers) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?)`, ` ON CONFLICT DO NOTHING`)
	insertBalances = db.NewMany(`INSERT INTO ledger_balance (account_id, business_date, total_in, total_out) VALUES `, `(?, ?, ?, ?)`, ` ON CONFLICT DO NOTHING`)
)

// stepRows is how many rows are written in one transaction, so that tills come in between.
const stepRows = 500

// storeDay stores what a closed day came to. Its rows count when the last step moves stored; doing it again writes the
// same rows, as the day no longer changes.
func storeDay(ctx context.Context, d *db.DB, site id.ID, day cal.Date) error {
	var sums, balances []any
	var transfers int64
	err := d.Read(ctx, func(tx *db.Tx) error {
		sums, balances, transfers = nil, nil, 0
		if err := over(tx.Query(daySums, site, day), func(rows *db.Rows) error {
			var unit, from, to, amount, n int64
			if err := rows.Scan(&unit, &from, &to, &amount, &n); err != nil {
				return err
			}
			transfers += n
			sums = append(sums, int64(site), int64(spanDay), unit, string(day), from, to, amount, n)
			return nil
		}); err != nil {
			return err
		}
		return over(tx.Query(dayMoves, day, site), func(rows *db.Rows) error {
			var account, in, out, wasIn, wasOut int64
			if err := rows.Scan(&account, &in, &out, &wasIn, &wasOut); err != nil {
				return err
			}
			balances = append(balances, account, string(day), wasIn+in, wasOut+out)
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := inSteps(ctx, d, insertSums, sums, 8); err != nil {
		return err
	}
	if err := inSteps(ctx, d, insertBalances, balances, 4); err != nil {
		return err
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Exec(`UPDATE ledger_period SET state = 2, closed_at = $1, transfers = $2 WHERE site_id = $3 AND span = 1 AND period = $4 AND state = 1`,
			tx.Wall().UnixMilli(), transfers, site, day); err != nil {
			return err
		}
		return tx.Exec(`UPDATE ledger_close SET stored = $1 WHERE site_id = $2 AND stored < $1`, day, site)
	})
}

func inSteps(ctx context.Context, d *db.DB, m *db.Many, args []any, columns int) error {
	for part := range slices.Chunk(args, stepRows*columns) {
		if err := d.Write(ctx, func(tx *db.Tx) error { return tx.ExecMany(m, part...) }); err != nil {
			return err
		}
	}
	return nil
}

// monthOf is the month of a day.
func monthOf(day cal.Date) string { return string(day[:7]) }

// LastOf is the last day of a month ('2026-10').
func LastOf(month string) (cal.Date, bool) {
	first := cal.Date(month + "-01")
	if len(month) != 7 || !first.Valid() {
		return "", false
	}
	return cal.On(first.Time().AddDate(0, 1, -1)), true
}

// CloseMonth closes the days of a site up to the end of a month ('2026-10'), and the months up to it.
func CloseMonth(ctx context.Context, d *db.DB, site id.ID, month string, today cal.Date, by id.ID) error {
	last, ok := LastOf(month)
	if !ok {
		return ErrMonth.At("month")
	}
	if last >= today {
		return ErrMonthNotOver.With("month", month).At("month")
	}
	if _, err := CloseDays(ctx, d, site, last, today, by); err != nil {
		return err
	}
	var c Closed
	if err := d.Read(ctx, func(tx *db.Tx) (err error) { c, err = ClosedDays(tx, site); return err }); err != nil || c.Since == "" {
		return err
	}
	next := monthOf(c.Since)
	if c.Months != "" {
		end, _ := LastOf(c.Months)
		next = monthOf(end.AddDays(1))
	}
	for ; next <= month; next = monthOf(last.AddDays(1)) {
		last, _ = LastOf(next)
		if err := storeMonth(ctx, d, site, next, by); err != nil {
			return err
		}
	}
	return nil
}

func storeMonth(ctx context.Context, d *db.DB, site id.ID, month string, by id.ID) error {
	var sums []any
	var transfers int64
	err := d.Read(ctx, func(tx *db.Tx) error {
		sums, transfers = nil, 0
		return over(tx.Query(`SELECT unit, from_side, to_side, SUM(amount), SUM(transfers) FROM ledger_flow_sum
			WHERE site_id = $1 AND span = 1 AND period >= $2 AND period <= $3 GROUP BY unit, from_side, to_side ORDER BY unit, from_side, to_side`,
			site, month+"-01", month+"-31"), func(rows *db.Rows) error {
			var unit, from, to, amount, n int64
			if err := rows.Scan(&unit, &from, &to, &amount, &n); err != nil {
				return err
			}
			transfers += n
			sums = append(sums, int64(site), int64(spanMonth), unit, month, from, to, amount, n)
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := inSteps(ctx, d, insertSums, sums, 8); err != nil {
		return err
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		now := tx.Wall().UnixMilli()
		if err := tx.Exec(`INSERT INTO ledger_period (site_id, span, period, state, asked_by, asked_at, closed_at, transfers, seal) VALUES ($1, 2, $2, 2, $3, $4, $4, $5, '')
			ON CONFLICT (site_id, span, period) DO NOTHING`, site, month, by, now, transfers); err != nil {
			return err
		}
		return tx.Exec(`UPDATE ledger_close SET months = $1 WHERE site_id = $2 AND months < $1`, month, site)
	})
}

var insertForeign = db.NewMany(`INSERT INTO ledger_foreign (account_site, business_date, account_id, doc_kind, doc_id, leg) VALUES `, `(?, ?, ?, ?, ?, ?)`, ``)

// noteForeign notes transfers that move an account of another site than the document's, so that the close of its days
// finds them.
func (l *Locked) noteForeign(tx *db.Tx, doc Document, transfers []Transfer) error {
	var rows []any
	for i := range transfers {
		for _, a := range [2]Account{transfers[i].From, transfers[i].To} {
			if h := l.rows[a]; h != nil && h.Site != doc.Site && h.Site > 0 {
				rows = append(rows, int64(h.Site), string(doc.Date), int64(a), int64(doc.Kind), int64(doc.ID), int64(transfers[i].Leg))
			}
		}
	}
	return tx.ExecMany(insertForeign, rows...)
}

// balanceAt is the balance of an account after a business date. Where its site's days are stored it is one row; else
// what was booked later is taken off the balance of now.
func balanceAt(tx *db.Tx, account *State, date, stored cal.Date) (int64, error) {
	if date <= stored {
		var in, out int64
		err := tx.QueryRow(`SELECT total_in, total_out FROM ledger_balance WHERE account_id = $1 AND business_date <= $2 ORDER BY business_date DESC LIMIT 1`,
			int64(account.ID), date).Scan(&in, &out)
		if errors.Is(err, db.ErrNoRow) {
			return 0, nil
		}
		return in - out, err
	}
	var later int64
	if date < lastDate {
		if err := tx.QueryRow(netBetween, int64(account.ID), date.AddDays(1), lastDate).Scan(&later); err != nil {
			return 0, err
		}
	}
	return account.Balance() - later, nil
}

// span is a run of periods whose stored sums are read, or of days whose transfers are.
type span struct {
	kind     int // spanDay, spanMonth, or 0 for transfers
	from, to string
}

// spans cuts a range of days: whole closed months, closed days around them, and days that are open.
func (c *Closed) spans(from, to cal.Date) []span {
	var all []span
	days := func(a, b cal.Date) {
		if a <= b {
			all = append(all, span{spanDay, string(a), string(b)})
		}
	}
	if c.Since == "" || from > c.Stored || to < c.Since {
		return []span{{0, string(from), string(to)}}
	}
	if to > c.Stored {
		all = append(all, span{0, string(c.Stored.AddDays(1)), string(to)})
		to = c.Stored
	}
	from = max(from, c.Since)
	firstMonth, lastMonth := monthOf(from), monthOf(to)
	if from[8:] != "01" && from != c.Since {
		end, _ := LastOf(firstMonth)
		firstMonth = monthOf(end.AddDays(1))
	}
	if end, _ := LastOf(lastMonth); end != to {
		lastMonth = monthOf(cal.Date(lastMonth + "-01").AddDays(-1))
	}
	if lastMonth = min(lastMonth, c.Months); firstMonth > lastMonth {
		days(from, to)
		return all
	}
	all = append(all, span{spanMonth, firstMonth, lastMonth})
	end, _ := LastOf(lastMonth)
	days(from, cal.Date(firstMonth+"-01").AddDays(-1))
	days(end.AddDays(1), to)
	return all
}

const (
	transferSums = `
SELECT a, b, SUM(amount), COUNT(*) FROM (
	SELECT CASE WHEN from_id > 0 THEN 0 ELSE from_id END AS a, CASE WHEN to_id > 0 THEN 0 ELSE to_id END AS b, amount
	FROM ledger_transfer WHERE site_id = $1 AND business_date >= $2 AND business_date <= $3 AND unit = $4) AS t
GROUP BY a, b`
	storedSums = `
SELECT from_side, to_side, SUM(amount), SUM(transfers) FROM ledger_flow_sum WHERE site_id = $1 AND span = $2 AND unit = $3 AND period >= $4 AND period <= $5
GROUP BY from_side, to_side`
)

// Sums adds up all transfers of a site in one unit over a range of business dates, by where they came from
// and went to. Closed months and days are read from their stored sums, other days from their transfers.
func Sums(tx *db.Tx, site id.ID, from, to cal.Date, unit Unit) ([]Sum, error) {
	closed, err := ClosedDays(tx, site)
	if err != nil {
		return nil, err
	}
	return sums(tx, site, unit, closed.spans(from, to))
}

func sums(tx *db.Tx, site id.ID, unit Unit, spans []span) ([]Sum, error) {
	asked := make([]*db.Rows, len(spans))
	for i, s := range spans {
		if s.kind == 0 {
			asked[i] = tx.Query(transferSums, site, s.from, s.to, unit)
		} else {
			asked[i] = tx.Query(storedSums, site, s.kind, unit, s.from, s.to)
		}
	}
	total := map[[2]Account]*Sum{}
	for _, rows := range asked {
		if err := over(rows, func(rows *db.Rows) error {
			var s Sum
			if err := rows.Scan((*int64)(&s.From), (*int64)(&s.To), &s.Amount, &s.Count); err != nil {
				return err
			}
			if t := total[[2]Account{s.From, s.To}]; t != nil {
				t.Amount, t.Count = t.Amount+s.Amount, t.Count+s.Count
			} else {
				total[[2]Account{s.From, s.To}] = &s
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	all := make([]Sum, 0, len(total))
	for _, s := range total {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Sum) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return all, nil
}
