package replenish

import (
	"errors"
	"slices"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// What a store has too much of goes to stores that it is in reach of, before it is marked down or thrown away.

var (
	ErrNoOffer    = errs.Define("plan_offer_unknown", errs.NotFound, "没有这条转让", "There is no such offer")
	ErrOfferEnded = errs.Define("plan_offer_ended", errs.Conflict, "这条转让已经结束", "This offer has ended")
	ErrOfferLess  = errs.Define("plan_offer_less", errs.Conflict, "只剩 {left} 可调", "Only {left} can still be had")
	ErrOfferNone  = errs.Define("plan_offer_qty", errs.Invalid, "请填要多少", "Say how much is wanted")
)

// Helps tells whether any store has this one in reach.
func Helps(tx *db.Tx, site id.ID) (bool, error) {
	var n int64
	err := tx.QueryRow(`SELECT COUNT(*) FROM replenish_near WHERE near_id = $1`, site).Scan(&n)
	return n > 0, err
}

// OfferState is where an offer is.
type OfferState string

// The states.
const (
	Offered  OfferState = "open"
	OfferAsk OfferState = "proposed" // somebody of the store must agree first
	OfferEnd OfferState = "ended"
)

// Why an offer ended.
const (
	EndTaken     = "taken"     // all of it
	EndSold      = "sold"      // the store sells it after all, or it was made less
	EndFaster    = "faster"    // the store sells as forecast again
	EndExpired   = "expired"   // its time is over
	EndWithdrawn = "withdrawn" // by a person of the store
)

// Surplus is what a test of the pace finds a store has to spare.
type Surplus struct {
	Product   id.ID
	Spare     qty.Qty
	Until     time.Time
	Execution Execution
}

// Offer is one as it is stored.
type Offer struct {
	ID, Site, Product id.ID
	Date              cal.Date
	State             OfferState
	Execution         Execution
	Spare             qty.Qty
	Until             time.Time
}

const openOffers = `SELECT id, site_id, product_id, date, state, execution, spare, until FROM replenish_offer WHERE site_id = $1 AND state <> 'ended' ORDER BY product_id`

// PutSurplus makes the offers of a store what its test found: new ones, more or less of those there are; those of which nothing is to
// spare any more end, and those whose time is over. slow tells whether a product still sells below its forecast. What a person has
// withdrawn is not offered again on that day.
func PutSurplus(tx *db.Tx, site id.ID, date cal.Date, found []Surplus, slow func(id.ID) bool) error {
	rows := tx.Query(openOffers+tx.ForUpdate(), site)
	defer rows.Close()
	var open []Offer
	for rows.Next() {
		var o Offer
		if err := rows.Scan(&o.ID, &o.Site, &o.Product, &o.Date, &o.State, &o.Execution, &o.Spare, &o.Until); err != nil {
			return err
		}
		open = append(open, o)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	kept := map[id.ID]bool{}
	for _, o := range open {
		i := slices.IndexFunc(found, func(s Surplus) bool { return s.Product == o.Product })
		why := ""
		switch {
		case !o.Until.After(tx.Now()) || o.Date != date:
			why = EndExpired
		case i >= 0 && found[i].Spare > 0:
		case slow(o.Product):
			why = EndSold
		default:
			why = EndFaster
		}
		if why != "" {
			if err := tx.Exec(`UPDATE replenish_offer SET state = 'ended', ended_why = $1, ended_at = $2 WHERE id = $3 AND state <> 'ended'`, why, tx.Now(), o.ID); err != nil {
				return err
			}
			continue
		}
		kept[o.Product] = true
		if s := found[i]; s.Spare != o.Spare || !s.Until.Equal(o.Until) {
			if err := tx.Exec(`UPDATE replenish_offer SET spare = $1, until = $2 WHERE id = $3 AND state <> 'ended'`, s.Spare, s.Until, o.ID); err != nil {
				return err
			}
		}
	}
	for _, s := range found {
		if s.Spare <= 0 || kept[s.Product] || !s.Until.After(tx.Now()) {
			continue
		}
		state := OfferAsk
		if s.Execution == Act {
			state = Offered
		}
		if err := tx.Exec(`INSERT INTO replenish_offer (id, site_id, date, product_id, state, execution, spare, taken, until, made_at, opened_by, ended_by, ended_why, reason)
			SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), 0, CAST($8 AS BIGINT), CAST($9 AS BIGINT), 0, 0, '', '' WHERE NOT EXISTS (SELECT 1 FROM replenish_offer WHERE site_id = $2 AND date = $3 AND product_id = $4 AND ended_why = 'withdrawn')
			ON CONFLICT DO NOTHING`, id.New(), site, date, s.Product, state, s.Execution, s.Spare, s.Until.UnixMilli(), tx.Now().UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// LockOffer reads an offer, and what is decided of it until the end of the transaction is decided by one.
func LockOffer(tx *db.Tx, offer id.ID) (*Offer, error) {
	o := &Offer{}
	err := tx.QueryRow(`SELECT id, site_id, product_id, date, state, execution, spare, until FROM replenish_offer WHERE id = $1`+tx.ForUpdate(), offer).
		Scan(&o.ID, &o.Site, &o.Product, &o.Date, &o.State, &o.Execution, &o.Spare, &o.Until)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoOffer
	}
	if err == nil && !o.Until.After(tx.Now()) {
		o.State = OfferEnd // nobody has noted it yet
	}
	return o, err
}

// Agree opens an offer that waited for somebody of its store.
func (o *Offer) Agree(tx *db.Tx, staff id.ID, approver bool) error {
	switch {
	case o.State == OfferEnd:
		return ErrOfferEnded
	case o.State == Offered:
		return ErrDecided
	case o.Execution == Approve && !approver:
		return ErrApprover
	}
	return tx.ExecExactly(1, ErrOfferEnded, `UPDATE replenish_offer SET state = 'open', opened_by = $1 WHERE id = $2 AND state = 'proposed'`, staff, o.ID)
}

// Withdraw ends an offer by a person of its store. What was taken stays taken.
func (o *Offer) Withdraw(tx *db.Tx, staff id.ID, reason string) error {
	if reason == "" {
		return ErrReason.At("reason")
	}
	if o.State == OfferEnd {
		return ErrOfferEnded
	}
	return tx.ExecExactly(1, ErrOfferEnded, `UPDATE replenish_offer SET state = 'ended', ended_why = 'withdrawn', ended_at = $1, ended_by = $2, reason = $3 WHERE id = $4 AND state <> 'ended'`,
		tx.Now(), staff, reason, o.ID)
}

// Take gives so much of an open offer, which the caller has locked, to a store; transfer brings it there. The last of it ends the offer.
func (o *Offer) Take(tx *db.Tx, site, staff, transfer id.ID, q qty.Qty) error {
	switch {
	case o.State != Offered:
		return ErrOfferEnded
	case q > o.Spare:
		return ErrOfferLess.With("left", o.Spare).At("qty")
	}
	if err := tx.ExecExactly(1, ErrOfferEnded, `UPDATE replenish_offer SET spare = spare - $1, taken = taken + $1, state = CASE WHEN spare = $1 THEN 'ended' ELSE state END,
		ended_why = CASE WHEN spare = $1 THEN 'taken' ELSE ended_why END, ended_at = CASE WHEN spare = $1 THEN CAST($2 AS BIGINT) ELSE ended_at END WHERE id = $3 AND state = 'open' AND spare >= $1`,
		q, tx.Now().UnixMilli(), o.ID); err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO replenish_take (id, offer_id, site_id, qty, transfer_id, staff_id, taken_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`, id.New(), o.ID, site, q, transfer, staff, tx.Now())
}

// OfferView is an offer as a store sees it: its own, or one it may take of.
type OfferView struct {
	ID        id.ID      `json:"id"`
	SiteID    id.ID      `json:"site_id" doc:"the store that has too much"`
	SiteName  string     `json:"site_name"`
	Own       bool       `json:"own" doc:"of the store that looks; else it may take of it"`
	ProductID id.ID      `json:"product_id"`
	Code      string     `json:"code"`
	Name      string     `json:"name"`
	Unit      string     `json:"unit"`
	State     OfferState `json:"state" enum:"proposed,open,ended" doc:"proposed: somebody of the store must agree first"`
	Execution Execution  `json:"execution" enum:"act,suggest,approve"`
	Spare     qty.Qty    `json:"spare" doc:"that can still be had"`
	Taken     qty.Qty    `json:"taken" doc:"by all stores"`
	Mine      qty.Qty    `json:"mine" doc:"taken by the store that looks"`
	Until     time.Time  `json:"until" doc:"the store closes, or the last of it is over its time"`
	Minutes   int64      `json:"minutes" doc:"on the way; 0 of one's own"`
	CostFen   money.Fen  `json:"cost_fen" doc:"what the trip costs"`
	EndedWhy  string     `json:"ended_why" enum:",taken,sold,faster,expired,withdrawn"`
	Reason    string     `json:"reason"`
}

const (
	offerColumns = `SELECT o.id, o.site_id, t.name, t.time_zone, o.product_id, c.code, c.name, c.base_unit, o.state, o.execution, o.spare, o.taken, o.until, o.ended_why, o.reason,
		(SELECT COALESCE(SUM(k.qty), 0) FROM replenish_take k WHERE k.offer_id = o.id AND k.site_id = $1), `
	offerJoins = ` JOIN org_site t ON t.id = o.site_id JOIN catalog_product c ON c.id = o.product_id `
	ownOffers  = offerColumns + `0, 0 FROM replenish_offer o` + offerJoins + `WHERE o.site_id = $1 AND o.date = $2 ORDER BY o.id DESC LIMIT 200`
	nearOffers = offerColumns + `n.minutes, n.cost_fen FROM replenish_near n JOIN replenish_offer o ON o.site_id = n.near_id AND o.state <> 'ended'` + offerJoins + `JOIN org_site me ON me.id = n.site_id
		WHERE n.site_id = $1 AND o.state = 'open' AND o.until > $2 AND t.entity_id = me.entity_id ORDER BY n.minutes, o.id DESC LIMIT 200`
	oneOffer = offerColumns + `COALESCE(n.minutes, 0), COALESCE(n.cost_fen, 0) FROM replenish_offer o LEFT JOIN replenish_near n ON n.near_id = o.site_id AND n.site_id = $1` + offerJoins + `WHERE o.id = $2`
)

func (v *OfferView) scan(site id.ID, now time.Time, scan func(...any) error) error {
	var zone string
	err := scan(&v.ID, &v.SiteID, &v.SiteName, &zone, &v.ProductID, &v.Code, &v.Name, &v.Unit, &v.State, &v.Execution, &v.Spare, &v.Taken, &v.Until, &v.EndedWhy, &v.Reason, &v.Mine, &v.Minutes, &v.CostFen)
	v.Own = v.SiteID == site
	if v.State != OfferEnd && !v.Until.After(now) {
		v.State, v.EndedWhy = OfferEnd, EndExpired
	}
	if loc, bad := time.LoadLocation(zone); bad == nil {
		v.Until = v.Until.In(loc)
	}
	return err
}

// Offers are those of a store on a date, and those of stores in reach of which it may take now; at most 200 of each.
func Offers(tx *db.Tx, site id.ID, date cal.Date) ([]OfferView, error) {
	near, own := tx.Query(nearOffers, site, tx.Now()), tx.Query(ownOffers, site, date)
	all := []OfferView{}
	for _, rows := range []*db.Rows{near, own} {
		defer rows.Close()
		for rows.Next() {
			var v OfferView
			if err := v.scan(site, tx.Now(), rows.Scan); err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// OfferFor is an offer as a store sees it.
func OfferFor(tx *db.Tx, site, offer id.ID) (*OfferView, error) {
	v := &OfferView{}
	return v, v.scan(site, tx.Now(), tx.QueryRow(oneOffer, site, offer).Scan)
}

// proveOffers: what was taken of an offer is what stores took of it.
func proveOffers(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM replenish_offer`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT o.id, o.taken, COALESCE(SUM(k.qty), 0) FROM replenish_offer o LEFT JOIN replenish_take k ON k.offer_id = o.id GROUP BY o.id, o.taken HAVING o.taken <> COALESCE(SUM(k.qty), 0)
		UNION ALL SELECT k.offer_id, 0, k.qty FROM replenish_take k LEFT JOIN replenish_offer o ON o.id = k.offer_id WHERE o.id IS NULL`)
	defer rows.Close()
	for rows.Next() {
		var of id.ID
		var says, has int64
		if err := rows.Scan(&of, &says, &has); err != nil {
			return r, err
		}
		r.Add("offer %s says %d thousandths were taken, stores took %d", of, says, has)
	}
	return r, rows.Err()
}
