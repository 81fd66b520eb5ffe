package ledger

import (
	"context"
	"errors"
	"strings"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// An account that may go below zero has an allowance: how far, who allowed it, why and until when. The account's low
// follows it, so that bookings look at one row as ever.

var (
	ErrReason      = errs.Define("ledger_reason_missing", errs.Invalid, "请写明原因", "Please give a reason")
	ErrAllowUntil  = errs.Define("ledger_until_bad", errs.Invalid, "截止时间必须在现在之后", "It must end in the future")
	ErrAllowLow    = errs.Define("ledger_low_bad", errs.Invalid, "允许的透支必须大于零", "What is allowed must be more than zero")
	ErrAllowed     = errs.Define("ledger_allowed_already", errs.Conflict, "这个账户已有透支许可,请先结束它", "This account already has an allowance; please end it first")
	ErrNotAllowed  = errs.Define("ledger_not_allowed", errs.Conflict, "这个账户没有透支许可", "This account has no allowance")
	ErrFixedByRule = errs.Define("ledger_allowed_by_rule", errs.Conflict, "这类账户按规则允许为负,不能结束", "Accounts of this kind may be negative by rule; that can't be ended")
)

// Allowance is how far below zero an account may go.
type Allowance struct {
	ID      id.ID
	Account Account
	Low     int64 // Available may not fall below
	Base    int64 // the floor before, and after
	Reason  string
	By      id.ID // 0: the program itself, when it opened the account
	At      time.Time
	Until   time.Time
	Ending  bool // over, but the account is still below its floor: it may only rise
}

var insertAllowances = db.NewMany(`INSERT INTO ledger_allowance (id, account_id, low, base_low, reason, allowed_by, allowed_at, until_at, state) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)

// Allow lets an account go down to low (below its floor) until an instant. An account has one allowance at a time.
func Allow(tx *db.Tx, account Account, low int64, reason string, by id.ID, until time.Time) (*Allowance, error) {
	if reason = strings.TrimSpace(reason); reason == "" {
		return nil, ErrReason.At("reason")
	}
	if !until.After(tx.Now()) {
		return nil, ErrAllowUntil.At("until")
	}
	l, err := Lock(tx, account)
	if err != nil {
		return nil, err
	}
	s, _ := l.Get(account)
	if low >= s.Low || low >= 0 {
		return nil, ErrAllowLow.At("low")
	}
	a := &Allowance{ID: id.New(), Account: account, Low: low, Base: s.Low, Reason: reason, By: by, At: tx.Now(), Until: until}
	n, err := tx.ExecN(`INSERT INTO ledger_allowance (id, account_id, low, base_low, reason, allowed_by, allowed_at, until_at, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)
		ON CONFLICT DO NOTHING`, a.ID, int64(account), low, s.Low, reason, by, a.At, until)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrAllowed
	}
	return a, tx.Exec(`UPDATE ledger_account SET low = $1 WHERE id = $2`, low, int64(account))
}

// EndAllowance ends an allowance before its time. Where the account is below its floor, it may only rise from now on.
func EndAllowance(tx *db.Tx, account Account, by id.ID) error {
	l, err := Lock(tx, account)
	if err != nil {
		return err
	}
	a, err := AllowanceOf(tx, account)
	switch {
	case err != nil:
		return err
	case a == nil:
		return ErrNotAllowed
	case a.By == 0:
		return ErrFixedByRule
	}
	s, _ := l.Get(account)
	if err := tx.Exec(`UPDATE ledger_allowance SET until_at = $1, ended_by = $2 WHERE id = $3 AND until_at > $1`, tx.Now(), by, a.ID); err != nil {
		return err
	}
	return endOne(tx, a, &s)
}

// endOne raises the floor of a locked account to where it was, or as far as the account allows.
func endOne(tx *db.Tx, a *Allowance, s *State) error {
	low, state := a.Base, 3
	if s.Available() < a.Base {
		low, state = s.Available(), 2
	}
	if err := tx.Exec(`UPDATE ledger_allowance SET state = $1, ended_at = $2 WHERE id = $3 AND state < 3`, state, tx.Now(), a.ID); err != nil {
		return err
	}
	return tx.Exec(`UPDATE ledger_account SET low = $1 WHERE id = $2`, low, int64(a.Account))
}

const allowanceColumns = `id, account_id, low, base_low, reason, allowed_by, allowed_at, until_at, state`

func scanAllowances(rows *db.Rows) ([]Allowance, error) {
	var all []Allowance
	err := over(rows, func(rows *db.Rows) error {
		var a Allowance
		var state int
		if err := rows.Scan(&a.ID, (*int64)(&a.Account), &a.Low, &a.Base, &a.Reason, &a.By, &a.At, &a.Until, &state); err != nil {
			return err
		}
		a.Ending = state == 2
		all = append(all, a)
		return nil
	})
	return all, err
}

// AllowanceOf is the allowance that is in force for an account; nil when there is none.
func AllowanceOf(tx *db.Tx, account Account) (*Allowance, error) {
	all, err := scanAllowances(tx.Query(`SELECT `+allowanceColumns+` FROM ledger_allowance WHERE account_id = $1 AND state < 3`, int64(account)))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// AllowanceAt is an allowance with the account as it stands, for lists.
type AllowanceAt struct {
	Allowance
	Book      Book
	Unit      Unit
	Available int64
	Over      bool // not in force any more
}

// AllowancesAt lists what accounts of a site are allowed, newest first, from before an id on: only what persons
// allowed, or also what holds by rule; only what is in force, or also what is over.
func AllowancesAt(tx *db.Tx, site id.ID, rules, past bool, before id.ID, limit int) ([]AllowanceAt, error) {
	const list = `SELECT a.id, a.account_id, a.low, a.base_low, a.reason, a.allowed_by, a.allowed_at, a.until_at, a.state, c.book, c.unit, c.posted_in - c.posted_out - c.pending_out
		FROM ledger_allowance a JOIN ledger_account c ON c.id = a.account_id
		WHERE c.site_id = $1 AND (a.allowed_by > 0 OR $2 = 1) AND (a.state < 3 OR $3 = 1) AND a.id < $4 ORDER BY a.id DESC LIMIT $5`
	var all []AllowanceAt
	err := over(tx.Query(list, site, bit(rules), bit(past), before, limit), func(rows *db.Rows) error {
		var a AllowanceAt
		var state int
		if err := rows.Scan(&a.ID, (*int64)(&a.Account), &a.Low, &a.Base, &a.Reason, &a.By, &a.At, &a.Until, &state, (*int16)(&a.Book), (*int64)(&a.Unit), &a.Available); err != nil {
			return err
		}
		a.Ending, a.Over = state == 2, state == 3
		all = append(all, a)
		return nil
	})
	return all, err
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

// EndAllowances ends the allowances whose time has passed, and raises the floors of accounts that have risen since.
func EndAllowances(ctx context.Context, d *db.DB) error {
	const step = 200
	for last := Account(0); ; {
		var due []Allowance
		// Those that wait to rise stay due: account by account, so that they never hide the others.
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			due, err = scanAllowances(tx.Query(`SELECT `+allowanceColumns+` FROM ledger_allowance WHERE state < 3 AND until_at <= $1 AND account_id > $2 ORDER BY account_id LIMIT $3`,
				tx.Now(), int64(last), step))
			return err
		})
		if err != nil {
			return err
		}
		for _, a := range due {
			last = a.Account
			if err := d.Write(ctx, func(tx *db.Tx) error { return endDue(tx, a) }); err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
		}
		if len(due) < step {
			return nil
		}
	}
}

// endDue ends an allowance that was found due without a lock, unless it has changed meanwhile.
func endDue(tx *db.Tx, a Allowance) error {
	l, err := Lock(tx, a.Account)
	if err != nil {
		return err
	}
	now, err := AllowanceOf(tx, a.Account)
	if err != nil || now == nil || now.ID != a.ID || now.Until.After(tx.Now()) {
		return err
	}
	s, _ := l.Get(a.Account)
	if now.Ending && s.Available() == s.Low { // nothing has changed
		return nil
	}
	return endOne(tx, now, &s)
}
