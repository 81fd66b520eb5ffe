package replenish

import (
	"math"
	"sort"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// What is done about a product that sells more than 30 % off its forecast.

// Outcome of a test of the pace.
type Outcome string

// The outcomes.
const (
	Enough       Outcome = "enough"       // what is there and comes lasts the day
	Purchase     Outcome = "purchase"     // bought in a hurry
	Transfer     Outcome = "transfer"     // fetched from a store in reach
	Unobtainable Outcome = "unobtainable" // neither comes in time
	MadeMore     Outcome = "make"         // it is made here: the rounds to come are planned again
	Cut          Outcome = "cut"          // it sells below its forecast: less is made, the rest is offered
	Outranked    Outcome = "outranked"    // a stronger level has a line already
	Past         Outcome = "past"         // a later test finds it within bounds again
)

// Buy is a supplier that delivers in a hurry.
type Buy struct {
	Terms   party.Terms
	Rush    Rush
	Arrives int64 // minutes after midnight
	Packs   int64
	Qty     qty.Qty
	Price   money.Fen4 // of one unit, with the surcharge
	Amount  money.Fen
}

// Move is a store in reach that has some to spare.
type Move struct {
	Near    Near
	Spare   qty.Qty // in date when it has come, beyond what it sells itself
	Arrives int64   // minutes after midnight
}

// Rescue is how a need of today is covered.
type Rescue struct {
	Outcome Outcome
	Buy     *Buy
	Move    *Move
	Qty     qty.Qty
}

// Buys prices the suppliers that can deliver a need before closing, the cheapest first. now and closes are minutes after
// midnight.
func Buys(need qty.Qty, terms []party.Terms, rush []Rush, now, closes int64) ([]Buy, error) {
	var all []Buy
	for _, r := range rush {
		for _, t := range terms {
			b := Buy{Terms: t, Rush: r, Arrives: now + r.Minutes}
			if t.Supplier != r.Supplier || b.Arrives >= closes {
				continue
			}
			var err error
			if b.Packs, b.Qty, _, err = t.Packs(need); err != nil {
				return nil, err
			}
			price, err := money.MulDiv(int64(t.Price), 1_000_000+r.Surcharge, 1_000_000)
			if err != nil {
				return nil, err
			}
			b.Price = money.Fen4(price)
			t.Price = b.Price
			if b.Amount, err = t.Amount(b.Packs); err != nil {
				return nil, err
			}
			all = append(all, b)
		}
	}
	sort.Slice(all, func(i, k int) bool {
		if all[i].Amount != all[k].Amount {
			return all[i].Amount < all[k].Amount
		}
		return all[i].Terms.Supplier < all[k].Terms.Supplier
	})
	return all, nil
}

// Choose covers a need: by a store in reach that has all of it to spare when fetching it is cheaper than buying it, else by
// the cheapest supplier, else by the store with most to spare; what comes after closing is too late. Nothing of the
// kind: it can't be had.
func Choose(need qty.Qty, buys []Buy, moves []Move, closes int64) Rescue {
	var best, most *Move
	for i := range moves {
		m := &moves[i]
		if m.Arrives >= closes || m.Spare <= 0 {
			continue
		}
		if m.Spare >= need && (best == nil || m.Near.Cost < best.Near.Cost) {
			best = m
		}
		if most == nil || m.Spare > most.Spare {
			most = m
		}
	}
	switch {
	case best != nil && (len(buys) == 0 || best.Near.Cost < buys[0].Amount):
		return Rescue{Outcome: Transfer, Move: best, Qty: need}
	case len(buys) > 0:
		return Rescue{Outcome: Purchase, Buy: &buys[0], Qty: buys[0].Qty}
	case most != nil:
		return Rescue{Outcome: Transfer, Move: most, Qty: min(need, most.Spare)}
	}
	return Rescue{Outcome: Unobtainable, Qty: need}
}

// Tuned is what a test found for one product and what came of it.
type Tuned struct {
	Product                        id.ID
	Reach                          Reach
	Outcome                        Outcome
	Sold, Expected                 qty.Qty
	FactorPPM                      int64
	Remaining, Available, Arriving qty.Qty
	ShortPPM                       int64
	OutAt                          string
	Qty, Spare                     qty.Qty
	Substitute, Proposal           id.ID
}

// spareTau is how sure a store is to keep enough for itself before it gives away.
const spareTau = .95

// Test compares what was sold of a product by a minute after midnight with the demand forecast for the day.
func Test(d Demand, product id.ID, sold, available, arriving qty.Qty, minute int64) Tuned {
	d = d.settled()
	at := halves(minute)
	t := Tuned{Product: product, Sold: sold, Expected: ExpectedBy(d, at), Available: available, Arriving: arriving}
	t.Reach = Pace(t.Sold, t.Expected)
	o := Posterior(d, sold.Approx(), at)
	have := (available + arriving).Approx()
	t.FactorPPM, t.Remaining, t.ShortPPM = ppm(o.Factor), qty.Nearest(o.Remaining), ppm(o.Short(have))
	if out, ok := o.RunsOut(have); ok {
		t.OutAt = minuteText(int64(out * 30))
	}
	t.Qty, t.Spare = o.Urgent(have, d.Tau), o.spare(available)
	return t
}

func ppm(share float64) int64 { return int64(math.Round(share * 1e6)) }

// spare is what may be given away of what is there, in whole units.
func (o Outlook) spare(have qty.Qty) qty.Qty {
	return max(0, have-qty.Nearest(o.Quantile(spareTau))) / qty.Scale * qty.Scale
}

// Spare is what a store can give away of what it has, when so much was sold by a minute after midnight.
func Spare(d Demand, sold, have qty.Qty, minute int64) qty.Qty {
	d = d.settled()
	return Posterior(d, sold.Approx(), halves(minute)).spare(have)
}

var putTuned = db.NewMany(`INSERT INTO replenish_tuning (id, site_id, date, product_id, reach, outcome, sold, expected, factor_ppm, remaining, available, arriving, short_ppm, out_at, qty, spare, substitute_id,
	proposal_id, tested_at) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ` ON CONFLICT (site_id, date, product_id) DO UPDATE SET reach = excluded.reach, outcome = excluded.outcome,
	sold = excluded.sold, expected = excluded.expected, factor_ppm = excluded.factor_ppm, remaining = excluded.remaining, available = excluded.available, arriving = excluded.arriving,
	short_ppm = excluded.short_ppm, out_at = excluded.out_at, qty = excluded.qty, spare = excluded.spare, substitute_id = excluded.substitute_id,
	proposal_id = CASE WHEN excluded.proposal_id > 0 THEN excluded.proposal_id ELSE replenish_tuning.proposal_id END, tested_at = excluded.tested_at`)

// PutTuned writes what a test of a site found, at most 500.
func PutTuned(tx *db.Tx, site id.ID, date cal.Date, all []Tuned) error {
	if len(all) == 0 {
		return nil
	}
	var args []any
	for _, t := range all {
		args = append(args, id.New(), site, date, t.Product, t.Reach, t.Outcome, t.Sold, t.Expected, t.FactorPPM, t.Remaining, t.Available, t.Arriving, t.ShortPPM, t.OutAt, t.Qty, t.Spare, t.Substitute,
			t.Proposal, tx.Now())
	}
	return tx.ExecMany(putTuned, args...)
}

// TunedOf are the products of a site that an earlier test of the day found out of bounds.
func TunedOf(tx *db.Tx, site id.ID, date cal.Date) (map[id.ID]Outcome, error) {
	rows := tx.Query(`SELECT product_id, outcome FROM replenish_tuning WHERE site_id = $1 AND date = $2`, site, date)
	defer rows.Close()
	found := map[id.ID]Outcome{}
	for rows.Next() {
		var p id.ID
		var o Outcome
		if err := rows.Scan(&p, &o); err != nil {
			return nil, err
		}
		found[p] = o
	}
	return found, rows.Err()
}

// Paced are the products of which more or less is made on a day because of how they sell.
func Paced(tx *db.Tx, site id.ID, date cal.Date) (map[id.ID]bool, error) {
	all, err := idsOf(tx.Query(`SELECT product_id FROM replenish_tuning WHERE site_id = $1 AND date = $2 AND outcome IN ('make', 'cut')`, site, date))
	found := map[id.ID]bool{}
	for _, p := range all {
		found[p] = true
	}
	return found, err
}

const hurriedOf = `SELECT l.product_id FROM replenish_proposal l JOIN replenish_plan p ON p.id = l.plan_id AND p.version = l.version
	WHERE p.site_id = $1 AND p.date = $2 AND l.level = 'dynamic' AND l.state = 'proposed'`

// Hurried are the products with a line in a hurry that nobody has decided on.
func Hurried(tx *db.Tx, site id.ID, date cal.Date) ([]id.ID, error) {
	return idsOf(tx.Query(hurriedOf, site, date))
}

func idsOf(rows *db.Rows) ([]id.ID, error) {
	defer rows.Close()
	var all []id.ID
	for rows.Next() {
		var p id.ID
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// Hurry puts lines in a hurry into the plan of a day that is in force: each takes the place of an undecided line in a hurry
// or by level of its product, one that says the same stays. It gives the lines their ids; without a plan nothing is put.
func Hurry(tx *db.Tx, site id.ID, date cal.Date, rows []ProposalRow) (plan id.ID, lines []id.ID, err error) {
	plans, err := idsOf(tx.Query(`SELECT id FROM replenish_plan WHERE site_id = $1 AND date = $2 AND version > 0`, site, date))
	if err != nil || len(plans) == 0 {
		return 0, nil, err
	}
	h, err := lock(tx, plans[0])
	if err != nil {
		return 0, nil, err
	}
	type has struct {
		line, supplier, source id.ID
		qty                    qty.Qty
	}
	open := map[id.ID]has{}
	there := tx.Query(`SELECT product_id, id, supplier_id, source_id, qty FROM replenish_proposal WHERE plan_id = $1 AND version = $2 AND state = 'proposed' AND level = 'dynamic'`, h.ID, h.Version)
	for there.Next() {
		var p id.ID
		var o has
		if err := there.Scan(&p, &o.line, &o.supplier, &o.source, &o.qty); err != nil {
			return 0, nil, err
		}
		open[p] = o
	}
	if err := there.Err(); err != nil {
		return 0, nil, err
	}
	var args []any
	for i := range rows {
		r := &rows[i]
		if o, ok := open[r.Product]; ok && o.supplier == r.Supplier && o.source == r.Source && o.qty == r.Qty {
			lines = append(lines, o.line) // it says so already
			continue
		}
		if err := tx.Exec(`DELETE FROM replenish_proposal WHERE plan_id = $1 AND version = $2 AND product_id = $3 AND state = 'proposed' AND (level = 'dynamic' OR mode IN ('static', 'dms'))`,
			h.ID, h.Version, rows[i].Product); err != nil {
			return 0, nil, err
		}
		line := id.New()
		values, err := rows[i].values(line, h.ID, h.Version)
		if err != nil {
			return 0, nil, err
		}
		args, lines = append(args, values...), append(lines, line)
	}
	if len(args) == 0 {
		return h.ID, lines, nil
	}
	if err := tx.ExecMany(putProposals, args...); err != nil {
		return 0, nil, err
	}
	return h.ID, lines, decided(tx, h, false)
}

const strongerOf = `SELECT l.product_id FROM replenish_proposal l JOIN replenish_plan p ON p.id = l.plan_id AND p.version = l.version
	WHERE p.site_id = $1 AND p.date = $2 AND l.state = 'proposed' AND (l.level = 'strategy' OR l.held <> '')`

// Stronger are the products with an open line of a level above dynamic tuning.
func Stronger(tx *db.Tx, site id.ID, date cal.Date) ([]id.ID, error) {
	return idsOf(tx.Query(strongerOf, site, date))
}

// --- sales over their threshold

var (
	ErrNoBlock    = errs.Define("sales_block_unknown", errs.NotFound, "没有这条销量拦截", "There is no such block")
	ErrBlockState = errs.Define("sales_block_decided", errs.Conflict, "已经处理过了", "It has been decided already")
)

// Block is sales of a day beyond their threshold.
type Block struct {
	Product         id.ID
	Sold, Threshold qty.Qty
}

var putBlocks = db.NewMany(`INSERT INTO replenish_block (site_id, date, product_id, sold, threshold, state, found_at, staff_id, reason) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	` ON CONFLICT (site_id, date, product_id) DO UPDATE SET sold = excluded.sold`)

// PutBlocks notes sales over their threshold.
func PutBlocks(tx *db.Tx, site id.ID, date cal.Date, all []Block) error {
	if len(all) == 0 {
		return nil
	}
	var args []any
	for _, b := range all {
		args = append(args, site, date, b.Product, b.Sold, b.Threshold, "open", tx.Now(), 0, "")
	}
	return tx.ExecMany(putBlocks, args...)
}

// Blocked are the products whose sales of a day wait for somebody to look at them.
func Blocked(tx *db.Tx, site id.ID, date cal.Date) (map[id.ID]bool, error) {
	all, err := idsOf(tx.Query(`SELECT product_id FROM replenish_block WHERE site_id = $1 AND date = $2 AND state <> 'released'`, site, date))
	found := map[id.ID]bool{}
	for _, p := range all {
		found[p] = true
	}
	return found, err
}

// Counted is how much of a day's sales of products feeds forecasts: up to the threshold where the rest is not released.
func Counted(tx *db.Tx, site id.ID, date cal.Date) (map[id.ID]qty.Qty, error) {
	rows := tx.Query(`SELECT product_id, threshold FROM replenish_block WHERE site_id = $1 AND date = $2 AND state <> 'released'`, site, date)
	defer rows.Close()
	found := map[id.ID]qty.Qty{}
	for rows.Next() {
		var p id.ID
		var q qty.Qty
		if err := rows.Scan(&p, &q); err != nil {
			return nil, err
		}
		found[p] = q
	}
	return found, rows.Err()
}

// DecideBlock releases sales over their threshold, or refuses them for good, and says why.
func DecideBlock(tx *db.Tx, staff, site id.ID, date cal.Date, product id.ID, release bool, reason string) error {
	if reason == "" {
		return ErrReason.At("reason")
	}
	state := "refused"
	if release {
		state = "released"
	}
	var n int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM replenish_block WHERE site_id = $1 AND date = $2 AND product_id = $3`, site, date, product).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return ErrNoBlock
	}
	return tx.ExecExactly(1, ErrBlockState, `UPDATE replenish_block SET state = $1, staff_id = $2, decided_at = $3, reason = $4 WHERE site_id = $5 AND date = $6 AND product_id = $7 AND state = 'open'`,
		state, staff, tx.Now(), reason, site, date, product)
}

// --- what screens see

// TuningView is a product that sells more than 30 % off its forecast today. Quantities are in its base unit.
type TuningView struct {
	ID             id.ID     `json:"id"`
	SiteID         id.ID     `json:"site_id"`
	SiteName       string    `json:"site_name"`
	Date           cal.Date  `json:"date"`
	ProductID      id.ID     `json:"product_id"`
	Code           string    `json:"code"`
	Name           string    `json:"name"`
	Unit           string    `json:"unit"`
	Reach          Reach     `json:"reach" enum:"over,under,within"`
	Outcome        Outcome   `json:"outcome" enum:"enough,purchase,transfer,unobtainable,make,cut,outranked,past"`
	Sold           qty.Qty   `json:"sold" doc:"since opening"`
	Expected       qty.Qty   `json:"expected" doc:"of it by now"`
	FactorPPM      int64     `json:"factor_ppm" doc:"what the day is now believed to be of its forecast, in millionths"`
	Remaining      qty.Qty   `json:"remaining" doc:"still expected today"`
	Available      qty.Qty   `json:"available"`
	Arriving       qty.Qty   `json:"arriving" doc:"still to come today"`
	ShortPPM       int64     `json:"short_ppm" doc:"the probability of running out, in millionths"`
	OutAt          string    `json:"out_at" doc:"when it runs out, as in 15:40; empty: it lasts the day"`
	Qty            qty.Qty   `json:"qty" doc:"missing"`
	Spare          qty.Qty   `json:"spare" doc:"may be given to stores in reach"`
	SubstituteID   id.ID     `json:"substitute_id" doc:"offered instead of what can't be had; empty: none"`
	SubstituteName string    `json:"substitute_name"`
	PlanID         id.ID     `json:"plan_id" doc:"of the line it became; empty: none"`
	ProposalID     id.ID     `json:"proposal_id"`
	TestedAt       time.Time `json:"tested_at"`
}

// TuningSearch is the input of the list of what sells off its forecast.
type TuningSearch struct {
	web.Paging
	SiteID id.ID    `query:"site_id"`
	Date   cal.Date `query:"date" doc:"left out: every day"`
}

const listTuned = `SELECT n.id, n.site_id, t.name, n.date, n.product_id, c.code, c.name, c.base_unit, n.reach, n.outcome, n.sold, n.expected, n.factor_ppm, n.remaining, n.available, n.arriving, n.short_ppm,
	n.out_at, n.qty, n.spare, n.substitute_id, COALESCE(u.name, ''), COALESCE(l.plan_id, 0), COALESCE(l.id, 0), n.tested_at
	FROM replenish_tuning n JOIN org_site t ON t.id = n.site_id JOIN catalog_product c ON c.id = n.product_id LEFT JOIN catalog_product u ON u.id = n.substitute_id
	LEFT JOIN replenish_proposal l ON l.id = n.proposal_id
	WHERE (CAST($1 AS BIGINT) = 1 OR n.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3)) AND (CAST($4 AS BIGINT) = 0 OR n.site_id = $4) AND (CAST($5 AS TEXT) = '' OR n.date = $5)
	AND n.id < $6 ORDER BY n.id DESC LIMIT $7`

// ListTuned lists what sells off its forecast, the newest first.
func ListTuned(tx *db.Tx, reach org.Sites, in TuningSearch) (*web.Page[TuningView], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	rows := tx.Query(listTuned, append(reach.Args(), in.SiteID, in.Date, before, in.Limit+1)...)
	defer rows.Close()
	var all []TuningView
	for rows.Next() {
		var v TuningView
		if err := rows.Scan(&v.ID, &v.SiteID, &v.SiteName, &v.Date, &v.ProductID, &v.Code, &v.Name, &v.Unit, &v.Reach, &v.Outcome, &v.Sold, &v.Expected, &v.FactorPPM, &v.Remaining, &v.Available, &v.Arriving,
			&v.ShortPPM, &v.OutAt, &v.Qty, &v.Spare, &v.SubstituteID, &v.SubstituteName, &v.PlanID, &v.ProposalID, &v.TestedAt); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v TuningView) string { return web.Cursor(v.ID) }), rows.Err()
}

// BlockView is sales of a day beyond their threshold.
type BlockView struct {
	SiteID    id.ID      `json:"site_id"`
	SiteName  string     `json:"site_name"`
	Date      cal.Date   `json:"date"`
	ProductID id.ID      `json:"product_id"`
	Code      string     `json:"code"`
	Name      string     `json:"name"`
	Unit      string     `json:"unit"`
	Sold      qty.Qty    `json:"sold"`
	Threshold qty.Qty    `json:"threshold"`
	State     string     `json:"state" enum:"open,released,refused"`
	DecidedBy string     `json:"decided_by"`
	DecidedAt *time.Time `json:"decided_at,omitempty"`
	Reason    string     `json:"reason"`
}

// BlockSearch is the input of the list of blocked sales.
type BlockSearch struct {
	web.Paging
	SiteID id.ID  `query:"site_id"`
	State  string `query:"state" enum:"open,released,refused"`
}

const listBlocks = `SELECT b.site_id, t.name, b.date, b.product_id, c.code, c.name, c.base_unit, b.sold, b.threshold, b.state, COALESCE(f.display_name, ''), b.decided_at, b.reason
	FROM replenish_block b JOIN org_site t ON t.id = b.site_id JOIN catalog_product c ON c.id = b.product_id LEFT JOIN org_staff f ON f.id = b.staff_id
	WHERE (CAST($1 AS BIGINT) = 1 OR b.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3)) AND (CAST($4 AS BIGINT) = 0 OR b.site_id = $4) AND (CAST($5 AS TEXT) = '' OR b.state = $5)
	AND (b.date < $6 OR b.date = $6 AND (b.site_id, b.product_id) > ($7, $8)) ORDER BY b.date DESC, b.site_id, b.product_id LIMIT $9`

// ListBlocks lists blocked sales, the newest day first.
func ListBlocks(tx *db.Tx, reach org.Sites, in BlockSearch) (*web.Page[BlockView], error) {
	date := cal.Date("9999-12-31")
	var site, product id.ID
	if _, err := in.Seek(&date, &site, &product); err != nil {
		return nil, err
	}
	rows := tx.Query(listBlocks, append(reach.Args(), in.SiteID, in.State, date, site, product, in.Limit+1)...)
	defer rows.Close()
	var all []BlockView
	for rows.Next() {
		var v BlockView
		if err := rows.Scan(&v.SiteID, &v.SiteName, &v.Date, &v.ProductID, &v.Code, &v.Name, &v.Unit, &v.Sold, &v.Threshold, &v.State, &v.DecidedBy, &v.DecidedAt, &v.Reason); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v BlockView) string { return web.Cursor(v.Date, v.SiteID, v.ProductID) }), rows.Err()
}
