package ledger

import (
	"math"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// Movement is a transfer as one of its accounts sees it.
type Movement struct {
	Ref
	Other    Account // where it came from or went to
	Amount   int64   // in above 0, out below
	Balance  int64   // after it
	Date     cal.Date
	At       time.Time
	Corrects Ref
}

// Statement is what happened to a kept account in a range of business dates, newest first.
type Statement struct {
	Account   State
	From, To  cal.Date
	Opening   int64 // before the first movement of the range
	Closing   int64 // after its last
	Movements []Movement
	More      bool // there are older ones in the range
}

// Place is where a page of a statement ended; the zero Place starts at the newest.
type Place struct {
	Date    cal.Date
	Doc     id.ID
	Kind    Kind
	Leg     int
	Balance int64 // after the next older movement
}

// Next is the place after the last movement shown.
func (s *Statement) Next() Place {
	m := s.Movements[len(s.Movements)-1]
	return Place{m.Date, m.ID, m.Kind, m.Leg, m.Balance - m.Amount}
}

const (
	firstDate cal.Date = "0001-01-01"
	lastDate  cal.Date = "9999-12-31"
)

const statementPage = `
SELECT doc_kind, doc_id, leg, other, amount, business_date, booked_at, corrects_kind, corrects_id, corrects_leg FROM (
	SELECT * FROM (SELECT doc_kind, doc_id, leg, to_id AS other, -amount AS amount, business_date, booked_at, corrects_kind, corrects_id, corrects_leg
		FROM ledger_transfer WHERE from_id = $1 AND from_id > 0 AND business_date >= $2 AND (business_date, doc_id, doc_kind, leg) < ($3, $4, $5, $6)
		ORDER BY business_date DESC, doc_id DESC, doc_kind DESC, leg DESC LIMIT $7) AS o
	UNION ALL
	SELECT * FROM (SELECT doc_kind, doc_id, leg, from_id AS other, amount, business_date, booked_at, corrects_kind, corrects_id, corrects_leg
		FROM ledger_transfer WHERE to_id = $1 AND to_id > 0 AND business_date >= $2 AND (business_date, doc_id, doc_kind, leg) < ($3, $4, $5, $6)
		ORDER BY business_date DESC, doc_id DESC, doc_kind DESC, leg DESC LIMIT $7) AS i
) AS m ORDER BY business_date DESC, doc_id DESC, doc_kind DESC, leg DESC LIMIT $7`

const netBetween = `
SELECT COALESCE((SELECT SUM(amount) FROM ledger_transfer WHERE to_id = $1 AND to_id > 0 AND business_date >= $2 AND business_date <= $3), 0)
     - COALESCE((SELECT SUM(amount) FROM ledger_transfer WHERE from_id = $1 AND from_id > 0 AND business_date >= $2 AND business_date <= $3), 0)`

// ReadStatement reads at most limit movements of a kept account between two business dates ("" for no
// bound), newest first, from a place on. It reads the movements shown; the opening and closing of days that are
// closed are stored, those of open days take what was booked later off the balance of now.
func ReadStatement(tx *db.Tx, account Account, from, to cal.Date, after Place, limit int) (*Statement, error) {
	state, err := Balance(tx, account)
	if err != nil {
		return nil, err
	}
	s := &Statement{Account: state, From: from, To: to}
	if from == "" {
		from = firstDate
	}
	if to == "" {
		to = lastDate
	}
	closed, err := ClosedDays(tx, state.Site)
	if err != nil {
		return nil, err
	}
	if s.Closing, err = balanceAt(tx, &state, to, closed.Stored); err != nil {
		return nil, err
	}
	if from > firstDate {
		if s.Opening, err = balanceAt(tx, &state, from.AddDays(-1), closed.Stored); err != nil {
			return nil, err
		}
	}
	balance := s.Closing
	if after == (Place{}) {
		after = Place{Date: to, Doc: math.MaxInt64, Kind: math.MaxInt16, Leg: math.MaxInt16}
	} else {
		balance = after.Balance
	}
	rows := tx.Query(statementPage, int64(account), from, after.Date, after.Doc, after.Kind, after.Leg, limit+1)
	for rows.Next() {
		if len(s.Movements) == limit {
			s.More = true
			continue
		}
		var m Movement
		var ck *Kind
		var ci *id.ID
		var cl *int
		if err := rows.Scan(&m.Kind, &m.ID, &m.Leg, &m.Other, &m.Amount, &m.Date, &m.At, &ck, &ci, &cl); err != nil {
			return nil, err
		}
		if ci != nil {
			m.Corrects = Ref{*ck, *ci, *cl}
		}
		m.Balance = balance
		balance -= m.Amount
		s.Movements = append(s.Movements, m)
	}
	return s, rows.Err()
}

// Sum is what went between two sides of a site's ledger in one unit: the accounts are kinds of flow, or
// 0 for kept accounts of any kind.
type Sum struct {
	From, To Account
	Amount   int64
	Count    int64
}

// FlowSum is what a flow account has taken in less what it gave out, at a site over business dates.
func FlowSum(tx *db.Tx, kind Account, site id.ID, from, to cal.Date, unit Unit) (int64, error) {
	sums, err := Sums(tx, site, from, to, unit)
	return NetOf(sums, kind), err
}

// NetOf is what a kind of flow took in less what it gave out.
func NetOf(sums []Sum, kind Account) int64 {
	var n int64
	for _, s := range sums {
		if s.To == kind {
			n += s.Amount
		}
		if s.From == kind {
			n -= s.Amount
		}
	}
	return n
}
