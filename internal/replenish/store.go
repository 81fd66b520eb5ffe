package replenish

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package. They refer to those of org and catalog.
var Migrations = db.Migrations{Package: "replenish", FS: files}

var (
	ErrNoPlan  = errs.Define("plan_unknown", errs.NotFound, "没有这个计划", "There is no such plan")
	ErrNoLine  = errs.Define("plan_line_unknown", errs.NotFound, "计划里没有这一行", "The plan has no such line")
	ErrDecided = errs.Define("plan_line_decided", errs.Conflict, "这一行已经处理过了", "This line has been decided already")
	// ErrApprover refuses a line to who may not approve.
	ErrApprover = errs.Define("plan_line_approver", errs.Forbidden, "这一行要由有审批权限的人处理", "This line is decided by an approver")
	ErrDone     = errs.Define("plan_line_done", errs.Conflict, "这一行已经做完了", "This line is made already")
	ErrStale    = errs.Define("plan_changed", errs.Conflict, "计划刚刚变了,请刷新", "The plan has just changed; reload")
	ErrQty      = errs.Define("plan_qty_bad", errs.Invalid, "数量应为 0 到 {most}", "The quantity must be from 0 to {most}")
	ErrPieces   = errs.Define("plan_pieces_whole", errs.Invalid, "按个计的商品数量必须是整数", "What is counted in pieces is planned in whole pieces")
	ErrPacks    = errs.Define("plan_packs_whole", errs.Invalid, "订货数量必须是整包({pack} {unit} 一包),且不少于 {least} 包", "Order whole packs of {pack} {unit}, at least {least}")
	ErrReason   = errs.Define("plan_reason_missing", errs.Invalid, "请写明修改原因", "Say why it is changed")
)

// State of a line.
type State string

const (
	Proposed  State = "proposed"
	Confirmed State = "confirmed"
	Changed   State = "changed" // to another quantity, by a person
	Done      State = "done"    // of production: made
)

// EventMade says that a plan has new lines in force; its subject is the plan.
const EventMade = "plan.made.v1"

// EventDecided says that a person decided on lines of a plan, or that some are made; its subject is the plan.
const EventDecided = "plan.decided.v1"

// MadeBody is the body of both.
type MadeBody struct {
	PlanID id.ID    `json:"plan_id"`
	SiteID id.ID    `json:"site_id"`
	Date   cal.Date `json:"date"`
	Rounds bool     `json:"rounds,omitempty"` // another quantity of a round is or will be there than was planned
}

// Head is a plan as a whole.
type Head struct {
	ID          id.ID
	Site        id.ID
	Date        cal.Date
	Version     id.ID // of the lines in force; 0: none
	Decisions   int64
	Fingerprint string
	Run         id.ID // the forecast it was made from
	DataUntil   cal.Date
	MadeAt      time.Time
}

const headColumns = `SELECT p.id, p.site_id, p.date, p.version, p.decisions, p.fingerprint, p.run_id, p.data_until, p.made_at FROM replenish_plan p `

func scanHead(scan func(...any) error) (*Head, error) {
	h := &Head{}
	return h, scan(&h.ID, &h.Site, &h.Date, &h.Version, &h.Decisions, &h.Fingerprint, &h.Run, &h.DataUntil, &h.MadeAt)
}

// Open finds the plan of a site and date, or makes one without lines.
func Open(tx *db.Tx, site id.ID, date cal.Date) (*Head, error) {
	if err := tx.Exec(`INSERT INTO replenish_plan (id, site_id, date, version, decisions, fingerprint, run_id, data_until, made_at) VALUES ($1, $2, $3, 0, 0, '', 0, '', $4)
		ON CONFLICT (site_id, date) DO NOTHING`, id.New(), site, date, tx.Now()); err != nil {
		return nil, err
	}
	return scanHead(tx.QueryRow(headColumns+`WHERE p.site_id = $1 AND p.date = $2`, site, date).Scan)
}

// Find is the plan of a site and date; nil: nobody has opened it.
func Find(tx *db.Tx, site id.ID, date cal.Date) (*Head, error) {
	h, err := scanHead(tx.QueryRow(headColumns+`WHERE p.site_id = $1 AND p.date = $2`, site, date).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	return h, err
}

// Planned are the dates from one to another on which a site has a plan in force, in their order.
func Planned(tx *db.Tx, site id.ID, from, to cal.Date) ([]cal.Date, error) {
	rows := tx.Query(`SELECT date FROM replenish_plan WHERE site_id = $1 AND date >= $2 AND date <= $3 AND version > 0 ORDER BY date`, site, from, to)
	defer rows.Close()
	var all []cal.Date
	for rows.Next() {
		var d cal.Date
		if err := rows.Scan(&d); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

// ByID reads a plan that has lines in force, whoever asks.
func ByID(tx *db.Tx, plan id.ID) (*Head, error) {
	h, err := scanHead(tx.QueryRow(headColumns+`WHERE p.id = $1`, plan).Scan)
	if errors.Is(err, db.ErrNoRow) || err == nil && h.Version == 0 {
		return nil, ErrNoPlan
	}
	return h, err
}

// lock takes the row of a plan, so that what people decide and what planning replaces happen one after another.
func lock(tx *db.Tx, plan id.ID) (*Head, error) {
	h, err := scanHead(tx.QueryRow(headColumns+`WHERE p.id = $1`+tx.ForUpdate(), plan).Scan)
	if errors.Is(err, db.ErrNoRow) || err == nil && h.Version == 0 {
		return nil, ErrNoPlan
	}
	return h, err
}

// --- what a plan is worked out to

// Made is a plan worked out: rows for its tables.
type Made struct {
	Production []ProductionRow
	Needs      []RequirementRow
	Orders     []ProposalRow
}

// ProductionRow is one round of one product.
type ProductionRow struct {
	Product                      id.ID
	Round, From, To, Ready       int64
	Mean, Quantile, OnHand, Make qty.Qty
	Level                        Level
	Execution                    Execution
	Why                          ProductionWhy
}

// ProductionWhy is what a round was worked out from. Quantities are in base units.
type ProductionWhy struct {
	Forecast *ForecastWhy `json:"forecast,omitempty" doc:"missing where other sites have asked for it"`
	LifeH    int64        `json:"life_h" doc:"hours; 0 keeps for ever"`
	Batch    qty.Qty      `json:"batch" doc:"made in multiples of it; 0: of whole units"`
	Wanted   qty.Qty      `json:"wanted" doc:"quantile less what is on hand, before rounding to the nearest batch"`
	Stock    []Age        `json:"stock" doc:"what is there by age"`
	Rounding *RoundingWhy `json:"rounding,omitempty" doc:"left out: to the nearest batch"`
	Capacity *CapacityWhy `json:"capacity,omitempty" doc:"of equipment; left out: it fits"`
	Event    *EventWhy    `json:"event,omitempty" doc:"of the calendar, what moved the forecast"`
}

// short is what of the round does not fit its equipment.
func (w ProductionWhy) short() qty.Qty {
	if w.Capacity == nil {
		return 0
	}
	return w.Capacity.Short
}

// ForecastWhy is the forecast of the day behind a figure.
type ForecastWhy struct {
	RunID     id.ID    `json:"run_id"`
	DataUntil cal.Date `json:"data_until" doc:"the last day with sales that it knew"`
	Mean      qty.Qty  `json:"mean"`
	Quantile  qty.Qty  `json:"quantile"`
	Tau       float64  `json:"tau" doc:"the quantile taken: how often it should be enough"`
	Override  bool     `json:"override" doc:"a person's figure"`
}

// RequirementRow is the need of one product on one day.
type RequirementRow struct {
	Product                id.ID
	Date                   cal.Date
	Gross, Need            qty.Qty
	Loss                   int64
	OnHand, InTransit, Net qty.Qty
	Safety                 qty.Qty // beyond the need; Net covers both
	Made, Lacking          bool
	Why                    RequirementWhy
}

// RequirementWhy is where a need comes from and what counts against it. Quantities are in base units.
type RequirementWhy struct {
	Uses     []UseWhy     `json:"uses" doc:"what takes it"`
	Direct   qty.Qty      `json:"direct" doc:"to be sold as it is"`
	Forecast *ForecastWhy `json:"forecast,omitempty" doc:"behind direct"`
	Stock    []Age        `json:"stock"`
	Arriving []Coming     `json:"arriving"`
	Word     *WordWhy     `json:"word,omitempty" doc:"of whoever would supply it; left out: it is taken as it is given"`
	DMS      *DMSWhy      `json:"dms,omitempty" doc:"of a product by daily mean sales that is wanted and not ordered"`
	Used     qty.Qty      `json:"used" doc:"of what is on hand and arriving, what counts against the need and the safety"`
	Pooled   *PooledWhy   `json:"pooled,omitempty" doc:"what is held beyond the need; left out: nothing"`
}

// UseWhy is what one product takes of a component.
type UseWhy struct {
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	Makes     qty.Qty `json:"makes"`
	Yield     qty.Qty `json:"yield"`
	Qty       qty.Qty `json:"qty" doc:"for one yield"`
	Loss      string  `json:"loss" doc:"what is reckoned with, as in 0.03"`
	Rule      string  `json:"rule"`
	Set       string  `json:"set_loss,omitempty" doc:"what the recipe says, where the loss was learned from what the store made; left out: the loss is that of the recipe"`
	Batches   int64   `json:"loss_batches,omitempty" doc:"that the loss was learned from"`
	Gross     qty.Qty `json:"gross"`
	Need      qty.Qty `json:"need"`
	Share     string  `json:"share,omitempty" doc:"of its line, as in 0.4, where the recipe leaves a choice"`
	Instead   string  `json:"instead,omitempty" doc:"the component that it stands in for"`
}

// ProposalRow is a line to be ordered.
type ProposalRow struct {
	Product, Supplier, Source id.ID
	Due                       cal.Date
	OrderBy                   string
	Late                      bool
	Net                       qty.Qty
	Packs                     int64
	Qty                       qty.Qty
	Amount                    money.Fen
	Pack                      qty.Qty // of Unit
	Unit                      qty.Unit
	Price                     money.Fen4
	MinPacks                  int64
	Mode                      Mode
	Level                     Level
	Execution                 Execution
	Held                      Held
	Factor                    int64 // thousandths its target was raised by
	Why                       ProposalWhy
}

// Fingerprint is the same for two plans that say the same. What is ordered by its level without asking anybody is left
// out: it is an order when the plan is made, and planning again finds it on its way.
func (m *Made) Fingerprint() (string, error) {
	said := *m
	said.Orders = slices.DeleteFunc(slices.Clone(m.Orders), ProposalRow.actsAtOnce)
	text, err := json.Marshal(said)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// actsAtOnce tells of a line that becomes an order as the plan is made, and leaves no other trace in the plan.
func (r ProposalRow) actsAtOnce() bool {
	return r.Mode.Stocked() && r.Execution == Act && r.Held == HeldNot
}

// Acts tells whether any line is ordered at once.
func (m *Made) Acts() bool {
	return slices.ContainsFunc(m.Orders, func(r ProposalRow) bool { return r.Execution == Act && r.Held == HeldNot })
}

var (
	putProduction = db.NewMany(`INSERT INTO replenish_production (id, plan_id, version, product_id, round_no, from_slot, to_slot, ready_slot, mean, quantile, on_hand, proposed, make, made,
		state, staff_id, decided_at, reason, why, short, level, execution) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	putRequirements = db.NewMany(`INSERT INTO replenish_requirement (id, plan_id, version, product_id, date, gross, loss, need, on_hand, in_transit, net, made, lacking, why, safety) VALUES `,
		`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	putProposals = db.NewMany(`INSERT INTO replenish_proposal (id, plan_id, version, product_id, supplier_id, source_id, due, order_by, late, net, packs, proposed, qty, amount_fen, pack, unit,
		unit_num, unit_den, price_fen4, min_packs, state, staff_id, decided_at, reason, document_id, document_line, why, mode, level, execution, held, factor) VALUES `,
		`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
)

// values are the columns of a proposal that nobody has decided on.
func (r *ProposalRow) values(line, plan, version id.ID) ([]any, error) {
	why, err := json.Marshal(r.Why)
	return []any{line, plan, version, r.Product, r.Supplier, r.Source, r.Due, r.OrderBy, r.Late, r.Net, r.Packs, r.Qty, r.Qty, r.Amount, r.Pack, r.Unit.Name,
		r.Unit.Num, r.Unit.Den, r.Price, r.MinPacks, Proposed, 0, nil, "", 0, 0, string(why), r.Mode, r.Level, r.Execution, r.Held, r.Factor}, err
}

// stepRows is how many lines one step writes.
const stepRows = 250

// Steps write the lines under a version that nobody reads yet, each a short act.
func (m *Made) Steps(plan, version id.ID, now time.Time) ([]func(tx *db.Tx) error, error) {
	type batch struct {
		many *db.Many
		rows [][]any
	}
	batches := []batch{{many: putProduction}, {many: putRequirements}, {many: putProposals}}
	for _, r := range m.Production {
		why, err := json.Marshal(r.Why)
		if err != nil {
			return nil, err
		}
		state, at := Proposed, any(nil)
		if r.Execution == Act { // nobody is asked
			state, at = Confirmed, now
		}
		batches[0].rows = append(batches[0].rows, []any{id.New(), plan, version, r.Product, r.Round, r.From, r.To, r.Ready, r.Mean, r.Quantile, r.OnHand, r.Make, r.Make, 0,
			state, 0, at, "", string(why), r.Why.short(), r.Level, r.Execution})
	}
	for _, r := range m.Needs {
		why, err := json.Marshal(r.Why)
		if err != nil {
			return nil, err
		}
		batches[1].rows = append(batches[1].rows, []any{id.New(), plan, version, r.Product, r.Date, r.Gross, r.Loss, r.Need, r.OnHand, r.InTransit, r.Net, r.Made, r.Lacking, string(why), r.Safety})
	}
	for _, r := range m.Orders {
		row, err := r.values(id.New(), plan, version)
		if err != nil {
			return nil, err
		}
		batches[2].rows = append(batches[2].rows, row)
	}
	var steps []func(tx *db.Tx) error
	for _, b := range batches {
		for len(b.rows) > 0 {
			n := min(len(b.rows), stepRows)
			var args []any
			for _, r := range b.rows[:n] {
				args = append(args, r...)
			}
			steps = append(steps, func(tx *db.Tx) error { return tx.ExecMany(b.many, args...) })
			b.rows = b.rows[n:]
		}
	}
	return steps, nil
}

// PutInForce makes the lines of a version those that count, if all of them are there and nobody has decided anything
// since head was read; else ErrStale. What people decided stays, and so do the rounds that KeptRounds kept with the same from and fixed.
func (m *Made) PutInForce(tx *db.Tx, head *Head, version id.ID, from, fixed int64, fingerprint string, run id.ID, dataUntil cal.Date) error {
	var locked id.ID
	if err := tx.QueryRow(`SELECT id FROM replenish_plan WHERE id = $1`+tx.ForUpdate(), head.ID).Scan(&locked); err != nil {
		return err
	}
	if err := tx.ExecExactly(1, ErrStale, `UPDATE replenish_plan SET version = $1, fingerprint = $2, run_id = $3, data_until = $4, made_at = $5
		WHERE id = $6 AND version = $7 AND decisions = $8
			AND (SELECT COUNT(*) FROM replenish_production WHERE plan_id = $6 AND version = $1) = $9
			AND (SELECT COUNT(*) FROM replenish_requirement WHERE plan_id = $6 AND version = $1) = $10
			AND (SELECT COUNT(*) FROM replenish_proposal WHERE plan_id = $6 AND version = $1) = $11`,
		version, fingerprint, run, dataUntil, tx.Now(), head.ID, head.Version, head.Decisions, len(m.Production), len(m.Needs), len(m.Orders)); err != nil {
		return err
	}
	if err := tx.Exec(`UPDATE replenish_production SET version = $1 WHERE plan_id = $2 AND version = $3
		AND (state <> 'proposed' AND (staff_id <> 0 OR state = 'done' OR ready_slot <= $4) OR made > 0 OR to_slot <= $5)`, version, head.ID, head.Version, fixed, from); err != nil {
		return err
	}
	if err := tx.Exec(`UPDATE replenish_proposal SET version = $1 WHERE plan_id = $2 AND version = $3 AND (state <> 'proposed' OR level = 'dynamic')`, version, head.ID, head.Version); err != nil {
		return err
	}
	return emit(tx, EventMade, head, false)
}

func emit(tx *db.Tx, event string, h *Head, rounds bool) error {
	return outbox.Emit(tx, outbox.Event{Type: event, Subject: h.ID, Site: h.Site, Body: MadeBody{h.ID, h.Site, h.Date, rounds}})
}

var sweeps = []string{
	`DELETE FROM replenish_production WHERE plan_id = $1 AND id IN (SELECT l.id FROM replenish_production l JOIN replenish_plan p ON p.id = l.plan_id
		WHERE l.plan_id = $1 AND l.version <> p.version LIMIT 500)`,
	`DELETE FROM replenish_requirement WHERE plan_id = $1 AND id IN (SELECT l.id FROM replenish_requirement l JOIN replenish_plan p ON p.id = l.plan_id
		WHERE l.plan_id = $1 AND l.version <> p.version LIMIT 500)`,
	`DELETE FROM replenish_proposal WHERE plan_id = $1 AND id IN (SELECT l.id FROM replenish_proposal l JOIN replenish_plan p ON p.id = l.plan_id
		WHERE l.plan_id = $1 AND l.version <> p.version LIMIT 500)`,
}

// Sweep removes up to some hundreds of lines that are not in force, and says whether there may be more. It waits for
// whoever puts lines in force; whose lines it removes before finds that some are missing.
func Sweep(tx *db.Tx, plan id.ID) (more bool, err error) {
	var locked id.ID
	if err := tx.QueryRow(`SELECT id FROM replenish_plan WHERE id = $1`+tx.ForUpdate(), plan).Scan(&locked); err != nil {
		return false, err
	}
	for _, s := range sweeps {
		n, err := tx.ExecN(s, plan)
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// keepLines is how many days the lines of a plan are kept that nobody decided on.
const keepLines = 35

const oldPlans = `SELECT p.id FROM replenish_plan p WHERE p.site_id = $1 AND p.date < $2 AND p.fingerprint <> 'tidied' ORDER BY p.date LIMIT 1`

// Tidy forgets of old plans what nobody decided on, and says whether there may be more.
func Tidy(tx *db.Tx, site id.ID, today cal.Date) (more bool, err error) {
	rows := tx.Query(oldPlans, site, today.AddDays(-keepLines))
	var plans []id.ID
	for rows.Next() {
		var p id.ID
		if err := rows.Scan(&p); err != nil {
			return false, err
		}
		plans = append(plans, p)
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	for _, p := range plans {
		for _, drop := range []string{`DELETE FROM replenish_production WHERE plan_id = $1 AND made = 0 AND (state = 'proposed' OR state = 'confirmed' AND staff_id = 0)`, `DELETE FROM replenish_requirement WHERE plan_id = $1`,
			`DELETE FROM replenish_proposal WHERE plan_id = $1 AND state = 'proposed'`, `UPDATE replenish_plan SET fingerprint = 'tidied' WHERE id = $1`} {
			if err := tx.Exec(drop, p); err != nil {
				return false, err
			}
		}
	}
	return len(plans) > 0, nil
}

// --- decisions

// lineOf says that a line is not there.
func lineOf(err error) error {
	if errors.Is(err, db.ErrNoRow) {
		return ErrNoLine
	}
	return err
}

// decided counts a decision, so that planning under way begins again. rounds: what later rounds find on the tray is another
// quantity now.
func decided(tx *db.Tx, h *Head, rounds bool) error {
	if err := tx.Exec(`UPDATE replenish_plan SET decisions = decisions + 1 WHERE id = $1`, h.ID); err != nil {
		return err
	}
	return emit(tx, EventDecided, h, rounds)
}

// Stored is a line to be ordered as it is stored.
type Stored struct {
	ProposalRow
	ID       id.ID
	Plan     id.ID
	State    State
	Proposed qty.Qty
}

const storedColumns = `SELECT l.id, l.plan_id, l.product_id, l.supplier_id, l.source_id, l.due, l.order_by, l.late, l.net, l.packs, l.proposed, l.qty, l.amount_fen, l.pack, l.unit, l.unit_num, l.unit_den,
	l.price_fen4, l.min_packs, l.state, l.mode, l.level, l.execution, l.held, l.factor FROM replenish_proposal l `

func scanStored(rows *db.Rows) (all []Stored, err error) {
	defer rows.Close()
	for rows.Next() {
		var s Stored
		if err := rows.Scan(&s.ID, &s.Plan, &s.Product, &s.Supplier, &s.Source, &s.Due, &s.OrderBy, &s.Late, &s.Net, &s.Packs, &s.Proposed, &s.Qty, &s.Amount, &s.Pack, &s.Unit.Name, &s.Unit.Num, &s.Unit.Den,
			&s.Price, &s.MinPacks, &s.State, &s.Mode, &s.Level, &s.Execution, &s.Held, &s.Factor); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// Undecided locks a plan and reads its proposals that nobody has decided on: all (at most most of them), or those named.
// A named one that was decided already is left out, and so are those that wait for an approver, held ones always.
func Undecided(tx *db.Tx, plan id.ID, lines []id.ID, approver bool, most int) (*Head, []Stored, error) {
	h, err := lock(tx, plan)
	if err != nil {
		return nil, nil, err
	}
	if lines == nil {
		all, err := scanStored(tx.Query(storedColumns+`WHERE l.plan_id = $1 AND l.version = $2 AND l.state = 'proposed' AND l.held = '' AND (CAST($3 AS BIGINT) = 1 OR l.execution <> 'approve') ORDER BY l.id LIMIT $4`,
			plan, h.Version, approver, most))
		return h, all, err
	}
	args := []any{plan, h.Version}
	for _, l := range lines {
		args = append(args, l)
	}
	all, err := scanStored(tx.QueryMany(proposalsNamed, args...))
	all = slices.DeleteFunc(all, func(s Stored) bool { return s.Held != HeldNot || s.Execution == Approve && !approver })
	return h, all, err
}

// ToAct locks a plan and reads the lines that are ordered without asking anybody, at most most of them.
func ToAct(tx *db.Tx, plan id.ID, most int) (*Head, []Stored, error) {
	h, err := lock(tx, plan)
	if err != nil {
		return nil, nil, err
	}
	all, err := scanStored(tx.Query(storedColumns+`WHERE l.plan_id = $1 AND l.version = $2 AND l.state = 'proposed' AND l.execution = 'act' AND l.held = '' ORDER BY l.id LIMIT $3`, plan, h.Version, most))
	return h, all, err
}

var proposalsNamed = db.NewMany(storedColumns+`WHERE l.plan_id = $1 AND l.version = $2 AND l.state = 'proposed' AND l.id IN (`, `?`, `) ORDER BY l.id`)

// OneProposal locks a plan and reads a proposal of it, decided or not; ErrNoLine when there is none.
func OneProposal(tx *db.Tx, plan, line id.ID) (*Head, *Stored, error) {
	h, err := lock(tx, plan)
	if err != nil {
		return nil, nil, err
	}
	all, err := scanStored(tx.Query(storedColumns+`WHERE l.id = $1 AND l.plan_id = $2 AND l.version = $3`, line, plan, h.Version))
	if err == nil && len(all) == 0 {
		err = ErrNoLine
	}
	if err != nil {
		return nil, nil, err
	}
	return h, &all[0], nil
}

// Decision is what becomes of a proposal: the document and line it is ordered by, 0 where nothing is ordered.
type Decision struct {
	Stored
	Document id.ID
	Line     int64
}

var decideProposals = db.NewMany(`UPDATE replenish_proposal SET state = v.column2, packs = v.column3, qty = v.column4, amount_fen = v.column5, document_id = v.column6, document_line = v.column7,
	reason = v.column8, staff_id = v.column9, decided_at = v.column10 FROM (VALUES `, `(BIGINT, TEXT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, TEXT, BIGINT, BIGINT)`,
	`) AS v WHERE replenish_proposal.id = v.column1 AND replenish_proposal.state = 'proposed'`)

// Decide writes decisions on proposals of a plan that the caller has locked by Undecided or OneProposal.
func Decide(tx *db.Tx, h *Head, staff id.ID, reason string, all []Decision) error {
	if len(all) == 0 {
		return nil
	}
	args := make([]any, 0, 10*len(all))
	for _, d := range all {
		state := Confirmed
		if d.Qty != d.Proposed {
			state = Changed
		}
		args = append(args, d.ID, state, d.Packs, d.Qty, d.Amount, d.Document, d.Line, reason, staff, tx.Now().UnixMilli())
	}
	if err := tx.ExecManyExactly(decideProposals, ErrDecided, args...); err != nil {
		return err
	}
	return decided(tx, h, false)
}

// Rounded is a fraction to the nearest thousandth.
func Rounded(r *big.Rat) qty.Qty {
	n, _ := new(big.Int).SetString(r.FloatString(0), 10)
	return qty.Qty(n.Int64())
}

// --- sources and requisitions

var (
	ErrSource    = errs.Define("source_bad", errs.Invalid, "来源机构必须是另一家仓库或厨房", "The source must be another site, a warehouse or a kitchen")
	ErrNoSource  = errs.Define("source_unknown", errs.NotFound, "没有这条货源规则", "There is no such source rule")
	ErrEnded     = errs.Define("store_requisition_closed", errs.Conflict, "这张要货单已经结束", "This requisition has ended already")
	ErrEndReason = errs.Define("store_requisition_reason_missing", errs.Invalid, "请写明为什么结束", "Say why it ends")
	ErrRequested = errs.Define("store_requisition_unknown", errs.NotFound, "没有这张要货单", "There is no such requisition")
)

// Rule says which site makes a product for another; product 0: all that have a recipe and no rule of their own.
type Rule struct {
	Site, Product, Source id.ID
	LeadHours             int64
}

const rulesOfSite = `SELECT site_id, product_id, source_id, lead_h FROM replenish_source WHERE site_id = $1 ORDER BY product_id`

// Rules are the source rules of a site.
func Rules(tx *db.Tx, site id.ID) ([]Rule, error) {
	rows := tx.Query(rulesOfSite, site)
	defer rows.Close()
	var all []Rule
	for rows.Next() {
		var r Rule
		if err := rows.Scan(&r.Site, &r.Product, &r.Source, &r.LeadHours); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// PutRule sets a source rule. The source is a warehouse or kitchen that asks nobody for the same product itself.
func PutRule(tx *db.Tx, staff id.ID, r Rule) error {
	source, err := org.SiteByID(tx, r.Source)
	if err != nil {
		return errs.As(err).At("source_id")
	}
	if r.Site == r.Source || source.Kind != "kitchen" && source.Kind != "warehouse" {
		return ErrSource.At("source_id")
	}
	var n int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM replenish_source WHERE site_id = $1 OR source_id = $2`, r.Source, r.Site).Scan(&n); err != nil {
		return err
	}
	if n > 0 { // one level: a site that is asked asks nobody
		return ErrSource.At("source_id")
	}
	if r.Product != 0 {
		if err := tx.QueryRow(`SELECT COUNT(*) FROM catalog_product WHERE id = $1`, r.Product).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return ErrNoProduct.At("product_id")
		}
	}
	return tx.Exec(`INSERT INTO replenish_source (site_id, product_id, source_id, lead_h, staff_id, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (site_id, product_id) DO UPDATE SET source_id = excluded.source_id, lead_h = excluded.lead_h, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		r.Site, r.Product, r.Source, r.LeadHours, staff, tx.Now())
}

// ErrNoProduct says that a rule names a product nobody has.
var ErrNoProduct = errs.Define("plan_rule_product_unknown", errs.Invalid, "没有这个商品", "There is no such product")

// DropRule removes a source rule.
func DropRule(tx *db.Tx, site, product id.ID) error {
	n, err := tx.ExecN(`DELETE FROM replenish_source WHERE site_id = $1 AND product_id = $2`, site, product)
	if err == nil && n == 0 {
		err = ErrNoSource
	}
	return err
}

const askedOfSite = `SELECT l.due, l.product_id, SUM(l.qty) FROM replenish_proposal l JOIN replenish_plan p ON p.id = l.plan_id AND p.version = l.version
	WHERE l.source_id = $1 AND l.source_id > 0 AND l.due >= $2 AND l.due <= $3 AND (l.state <> 'proposed' OR p.date >= $2) GROUP BY l.due, l.product_id ORDER BY l.due, l.product_id`

// AskedOf is what other sites want from a site, by day: what they have ordered, and what their plans from the first day on
// propose.
func AskedOf(tx *db.Tx, site id.ID, from, to cal.Date) (map[cal.Date]map[id.ID]qty.Qty, error) {
	rows := tx.Query(askedOfSite, site, from, to)
	defer rows.Close()
	all := map[cal.Date]map[id.ID]qty.Qty{}
	for rows.Next() {
		var d cal.Date
		var p id.ID
		var q qty.Qty
		if err := rows.Scan(&d, &p, &q); err != nil {
			return nil, err
		}
		if q <= 0 {
			continue
		}
		if all[d] == nil {
			all[d] = map[id.ID]qty.Qty{}
		}
		all[d][p] = q
	}
	return all, rows.Err()
}

const requested = `SELECT l.product_id, r.id, r.no, r.due, l.qty FROM replenish_requisition r JOIN replenish_requisition_line l ON l.requisition_id = r.id
	WHERE r.site_id = $1 AND r.due >= $2 AND r.state = 'confirmed' ORDER BY r.id, l.line_no`

// Requested is what a site has asked others for and expects from a day on.
func Requested(tx *db.Tx, site id.ID, from cal.Date) (map[id.ID][]Coming, error) {
	rows := tx.Query(requested, site, from)
	defer rows.Close()
	all := map[id.ID][]Coming{}
	for rows.Next() {
		var p id.ID
		var c Coming
		if err := rows.Scan(&p, &c.Order, &c.No, &c.Due, &c.Qty); err != nil {
			return nil, err
		}
		all[p] = append(all[p], c)
	}
	return all, rows.Err()
}

// Request puts proposals that ask one site of the group into a requisition of their plan, and gives them their lines.
// All have the same source and due date.
func Request(tx *db.Tx, site *org.Site, staff id.ID, all []Decision) error {
	first := all[0]
	var doc id.ID
	var lines int64
	err := tx.QueryRow(`SELECT id, lines FROM replenish_requisition WHERE plan_id = $1 AND source_id = $2 AND due = $3 AND state = 'confirmed' AND promised_at = 0`+tx.ForUpdate(),
		first.Plan, first.Source, first.Due).Scan(&doc, &lines)
	if errors.Is(err, db.ErrNoRow) {
		doc = id.New()
		var no int64
		date := site.BusinessDate(tx.Now())
		if err := tx.QueryRow(`INSERT INTO replenish_series (site_id, date, last) VALUES ($1, $2, 1)
			ON CONFLICT (site_id, date) DO UPDATE SET last = replenish_series.last + 1 RETURNING last`, site.ID, date).Scan(&no); err != nil {
			return err
		}
		err = tx.Exec(`INSERT INTO replenish_requisition (id, no, site_id, source_id, due, plan_id, state, staff_id, made_at, lines) VALUES ($1, $2, $3, $4, $5, $6, 'confirmed', $7, $8, 0)`,
			doc, fmt.Sprintf("SR-%s-%s-%d", site.Code, compact(date), no), site.ID, first.Source, first.Due, first.Plan, staff, tx.Now())
	}
	if err != nil {
		return err
	}
	var args []any
	for i := range all {
		lines++
		all[i].Document, all[i].Line = doc, lines
		args = append(args, doc, lines, all[i].Product, all[i].Qty, all[i].ID)
	}
	if err := tx.ExecMany(putRequested, args...); err != nil {
		return err
	}
	return tx.Exec(`UPDATE replenish_requisition SET lines = $1 WHERE id = $2`, lines, doc)
}

// End closes a requisition: it is delivered, or will not be. Nothing is expected of it any more.
func End(tx *db.Tx, requisition, staff id.ID, reason string) error {
	if reason == "" {
		return ErrEndReason.At("reason")
	}
	n, err := tx.ExecN(`UPDATE replenish_requisition SET state = 'closed', closed_at = $1, closed_by = $2, close_reason = $3 WHERE id = $4 AND state = 'confirmed'`, tx.Now(), staff, reason, requisition)
	if err == nil && n == 0 {
		err = ErrEnded
	}
	return err
}

// Promise notes that the site that is asked will deliver a requisition, and that no line is added to it from now on. ErrEnded
// when nobody expects it any more.
func Promise(tx *db.Tx, requisition id.ID) error {
	return tx.ExecExactly(1, ErrEnded, `UPDATE replenish_requisition SET promised_at = $1 WHERE id = $2 AND state = 'confirmed'`, tx.Now(), requisition)
}

// Delivered ends a requisition whose goods have come; one that has ended already stays as it is.
func Delivered(tx *db.Tx, requisition id.ID) error {
	return tx.Exec(`UPDATE replenish_requisition SET state = 'closed', closed_at = $1 WHERE id = $2 AND state = 'confirmed'`, tx.Now(), requisition)
}

var putRequested = db.NewMany(`INSERT INTO replenish_requisition_line (requisition_id, line_no, product_id, qty, proposal_id) VALUES `, `(?, ?, ?, ?, ?)`, ``)

// compact is a date without its lines: 260302.
func compact(d cal.Date) string { return string(d[2:4] + d[5:7] + d[8:10]) }

// PPM is a share in millionths, rounded.
func PPM(r *big.Rat) int64 {
	n, _ := new(big.Int).SetString(new(big.Rat).Mul(r, big.NewRat(1_000_000, 1)).FloatString(0), 10)
	return n.Int64()
}

// WhyOf is what a demand says of the forecast behind it.
func WhyOf(d Demand) *ForecastWhy {
	return &ForecastWhy{Mean: qty.Nearest(d.Mean), Quantile: qty.Nearest(d.Quantile), Tau: d.Tau}
}
