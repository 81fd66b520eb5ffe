package replenish

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// What screens see of plans. Quantities are in the unit beside them, a product's base unit.

// PlanView is a plan as a whole.
type PlanView struct {
	ID            id.ID     `json:"id"`
	SiteID        id.ID     `json:"site_id"`
	SiteCode      string    `json:"site_code"`
	SiteName      string    `json:"site_name"`
	Date          cal.Date  `json:"date"`
	MadeAt        time.Time `json:"made_at"`
	DataUntil     cal.Date  `json:"data_until" doc:"the last day with sales that the forecast knew; empty: there was no forecast"`
	Rounds        int64     `json:"rounds" doc:"of making"`
	RoundsOpen    int64     `json:"rounds_open" doc:"that nobody decided on"`
	RoundsApprove int64     `json:"rounds_approve" doc:"of them those that only an approver can decide on"`
	RoundsDone    int64     `json:"rounds_done"`
	Proposals     int64     `json:"proposals" doc:"lines to be ordered"`
	ProposalsOpen int64     `json:"proposals_open" doc:"that nobody decided on"`
	ToApprove     int64     `json:"proposals_approve" doc:"of them those that only an approver can confirm, many at once or one"`
	HeldLines     int64     `json:"proposals_held" doc:"of them those that are held: an approver releases each with a reason"`
	ProposalsLate int64     `json:"proposals_late" doc:"open, and the last moment to order has passed"`
	Lacking       int64     `json:"lacking" doc:"needs that nobody supplies"`
	AmountFen     money.Fen `json:"amount_fen" doc:"of all lines to be ordered"`
	AmountOpenFen money.Fen `json:"amount_open_fen"`
}

// PlanSearch is the input of the list of plans.
type PlanSearch struct {
	web.Paging
	SiteID id.ID    `query:"site_id"`
	Date   cal.Date `query:"date"`
}

const (
	planView = `SELECT p.id, p.site_id, t.code, t.name, t.time_zone, p.date, p.made_at, p.data_until,
		(SELECT COUNT(*) FROM replenish_production l WHERE l.plan_id = p.id AND l.version = p.version),
		(SELECT COUNT(*) FROM replenish_production l WHERE l.plan_id = p.id AND l.version = p.version AND l.state = 'proposed'),
		(SELECT COUNT(*) FROM replenish_production l WHERE l.plan_id = p.id AND l.version = p.version AND l.state = 'proposed' AND l.execution = 'approve'),
		(SELECT COUNT(*) FROM replenish_production l WHERE l.plan_id = p.id AND l.version = p.version AND l.state = 'done'),
		(SELECT COUNT(*) FROM replenish_proposal l WHERE l.plan_id = p.id AND l.version = p.version),
		(SELECT COUNT(*) FROM replenish_proposal l WHERE l.plan_id = p.id AND l.version = p.version AND l.state = 'proposed'),
		(SELECT COUNT(*) FROM replenish_proposal l WHERE l.plan_id = p.id AND l.version = p.version AND l.state = 'proposed' AND l.execution = 'approve' AND l.held = ''),
		(SELECT COUNT(*) FROM replenish_proposal l WHERE l.plan_id = p.id AND l.version = p.version AND l.state = 'proposed' AND l.held <> ''),
		(SELECT COUNT(*) FROM replenish_proposal l WHERE l.plan_id = p.id AND l.version = p.version AND l.state = 'proposed' AND l.late = 1),
		(SELECT COUNT(*) FROM replenish_requirement l WHERE l.plan_id = p.id AND l.version = p.version AND l.lacking = 1),
		(SELECT COALESCE(SUM(l.amount_fen), 0) FROM replenish_proposal l WHERE l.plan_id = p.id AND l.version = p.version),
		(SELECT COALESCE(SUM(l.amount_fen), 0) FROM replenish_proposal l WHERE l.plan_id = p.id AND l.version = p.version AND l.state = 'proposed')
	FROM replenish_plan p JOIN org_site t ON t.id = p.site_id `
	onePlan   = planView + `WHERE p.id = $1 AND p.version > 0`
	listPlans = planView + `WHERE p.version > 0 AND (CAST($1 AS BIGINT) = 1 OR p.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
		AND (CAST($4 AS BIGINT) = 0 OR p.site_id = $4) AND (CAST($5 AS TEXT) = '' OR p.date = $5)
		AND (p.date < $6 OR p.date = $6 AND t.code > $7) ORDER BY p.date DESC, t.code LIMIT $8`
)

func scanPlan(scan func(...any) error) (v PlanView, err error) {
	var there org.Site
	err = scan(&v.ID, &v.SiteID, &v.SiteCode, &v.SiteName, &there.TimeZone, &v.Date, &v.MadeAt, &v.DataUntil, &v.Rounds, &v.RoundsOpen, &v.RoundsApprove, &v.RoundsDone, &v.Proposals, &v.ProposalsOpen, &v.ToApprove, &v.HeldLines, &v.ProposalsLate,
		&v.Lacking, &v.AmountFen, &v.AmountOpenFen)
	v.MadeAt = v.MadeAt.In(there.Location())
	return v, err
}

// View shows one plan.
func View(tx *db.Tx, plan id.ID) (*PlanView, error) {
	v, err := scanPlan(tx.QueryRow(onePlan, plan).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoPlan
	}
	return &v, err
}

// ListPlans lists the plans of the sites within reach, the latest date first.
func ListPlans(tx *db.Tx, reach org.Sites, in PlanSearch) (*web.Page[PlanView], error) {
	before, code := cal.Date("9999-12-31"), ""
	if _, err := in.Seek(&before, &code); err != nil {
		return nil, err
	}
	if in.Date != "" && !in.Date.Valid() {
		return nil, cal.ErrDate.With("text", in.Date).At("date")
	}
	rows := tx.Query(listPlans, append(reach.Args(), in.SiteID, in.Date, before, code, in.Limit+1)...)
	defer rows.Close()
	var all []PlanView
	for rows.Next() {
		v, err := scanPlan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v PlanView) string { return web.Cursor(v.Date, v.SiteCode) }), rows.Err()
}

// ProductionView is a round of making.
type ProductionView struct {
	ID        id.ID      `json:"id"`
	ProductID id.ID      `json:"product_id"`
	Code      string     `json:"code"`
	Name      string     `json:"name"`
	Unit      string     `json:"unit"`
	Round     int64      `json:"round" doc:"1 morning, 2 noon, 3 afternoon, 4 evening"`
	From      string     `json:"from" doc:"it is sold from here, as in 10:30"`
	To        string     `json:"to" doc:"until here; empty: the end of the business day"`
	ReadyBy   string     `json:"ready_by"`
	ReadyAt   string     `json:"ready_at" doc:"the same as an instant, on the clock of the site"`
	Mean      qty.Qty    `json:"mean" doc:"expected to be asked for"`
	Quantile  qty.Qty    `json:"quantile" doc:"wanted on the tray"`
	OnHand    qty.Qty    `json:"on_hand" doc:"of it there already, or expected to be left from the round before"`
	Proposed  qty.Qty    `json:"proposed"`
	Make      qty.Qty    `json:"make"`
	Made      qty.Qty    `json:"made"`
	Level     Level      `json:"level" enum:"automatic,dynamic,strategy,exception" doc:"why it is made so; exception: it waits for an approver"`
	Execution Execution  `json:"execution" enum:"act,suggest,approve" doc:"how: confirmed by nobody as the plan is made, by whoever plans, by an approver"`
	Short     qty.Qty    `json:"short" doc:"wanted as well, but the equipment can't take it; the line's reasons say which"`
	State     State      `json:"state" enum:"proposed,confirmed,changed,done"`
	DecidedBy string     `json:"decided_by"`
	DecidedAt *time.Time `json:"decided_at,omitempty"`
	Reason    string     `json:"reason"`
}

const productionColumns = `SELECT p.date, l.id, l.product_id, c.code, c.name, c.base_unit, l.round_no, l.from_slot, l.to_slot, l.ready_slot, l.mean, l.quantile, l.on_hand, l.proposed, l.make, l.made,
	l.state, COALESCE(s.display_name, ''), l.decided_at, l.reason, l.short, l.level, l.execution, l.why
	FROM replenish_production l JOIN replenish_plan p ON p.id = l.plan_id AND p.version = l.version JOIN catalog_product c ON c.id = l.product_id LEFT JOIN org_staff s ON s.id = l.staff_id `

func scanProduction(site *org.Site, scan func(...any) error) (v ProductionView, ready int64, why string, err error) {
	var date cal.Date
	var from, to int64
	err = scan(&date, &v.ID, &v.ProductID, &v.Code, &v.Name, &v.Unit, &v.Round, &from, &to, &ready, &v.Mean, &v.Quantile, &v.OnHand, &v.Proposed, &v.Make, &v.Made,
		&v.State, &v.DecidedBy, &v.DecidedAt, &v.Reason, &v.Short, &v.Level, &v.Execution, &why)
	v.From, v.To, v.ReadyBy = slotText(from), slotText(to), slotText(ready)
	if err == nil {
		d := date.Time()
		v.ReadyAt = time.Date(d.Year(), d.Month(), d.Day(), 0, int(ready)*30, 0, 0, site.Location()).Format(time.RFC3339)
	}
	return v, ready, why, err
}

// slotText is a half hour after midnight on the clock; the end of the business day is empty.
func slotText(slot int64) string {
	if slot >= 96 {
		return ""
	}
	return fmt.Sprintf("%02d:%02d", slot/2%24, slot%2*30)
}

// LineSearch is the input of the lists of a plan's lines.
type LineSearch struct {
	web.Paging
	ID id.ID  `path:"id"`
	Q  string `query:"q" maxLength:"60" doc:"part of the code or name"`
}

// ProductionSearch is the input of the list of rounds.
type ProductionSearch struct {
	LineSearch
	State State `query:"state" enum:"proposed,confirmed,changed,done"`
	Round int64 `query:"round" minimum:"0" maximum:"4"`
	All   bool  `query:"all" doc:"also rounds in which nothing is to be made"`
	Open  bool  `query:"open" doc:"only what is still to be made"`
}

// A round of which nothing fits its equipment is to be seen as well: it is what lacks most.
const listProduction = productionColumns + `WHERE l.plan_id = $1 AND (l.ready_slot, c.code, l.round_no) > ($2, $3, $4) AND (CAST($5 AS TEXT) = '' OR l.state = $5)
	AND (CAST($6 AS BIGINT) = 0 OR l.round_no = $6) AND (CAST($7 AS BIGINT) = 1 OR l.make > 0 OR l.proposed > 0 OR l.short > 0) AND (CAST($8 AS BIGINT) = 0 OR l.state <> 'done' AND l.make > l.made)
	AND (CAST($9 AS TEXT) = '' OR c.search LIKE $10 ESCAPE '!')
	ORDER BY l.ready_slot, c.code, l.round_no LIMIT $11`

// ListProduction lists the rounds of a plan of a site in the order in which they must be ready.
func ListProduction(tx *db.Tx, site *org.Site, in ProductionSearch) (*web.Page[ProductionView], error) {
	ready, code, round := int64(-1), "", int64(0)
	if _, err := in.Seek(&ready, &code, &round); err != nil {
		return nil, err
	}
	q, like := pattern(in.Q)
	rows := tx.Query(listProduction, in.ID, ready, code, round, in.State, in.Round, in.All, in.Open, q, like, in.Limit+1)
	defer rows.Close()
	var all []ProductionView
	at := map[id.ID]int64{}
	for rows.Next() {
		v, ready, _, err := scanProduction(site, rows.Scan)
		if err != nil {
			return nil, err
		}
		at[v.ID] = ready
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v ProductionView) string { return web.Cursor(at[v.ID], v.Code, v.Round) }), rows.Err()
}

// RequirementView is the need of one product on one day.
type RequirementView struct {
	ID        id.ID    `json:"id"`
	ProductID id.ID    `json:"product_id"`
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	Unit      string   `json:"unit"`
	Date      cal.Date `json:"date" doc:"when it is needed"`
	Gross     qty.Qty  `json:"gross"`
	LossPPM   int64    `json:"loss_ppm" doc:"the whole compensation, in millionths of gross"`
	Need      qty.Qty  `json:"need"`
	OnHand    qty.Qty  `json:"on_hand" doc:"in date when it is used"`
	InTransit qty.Qty  `json:"in_transit" doc:"due by then"`
	Safety    qty.Qty  `json:"safety" doc:"held beyond the need, for what is made as it sells"`
	Net       qty.Qty  `json:"net" doc:"missing of both"`
	Made      bool     `json:"made" doc:"it is made here, of what it needs itself"`
	Lacking   bool     `json:"lacking" doc:"nobody supplies it"`
}

const requirementColumns = `SELECT l.id, l.product_id, c.code, c.name, c.base_unit, l.date, l.gross, l.loss, l.need, l.on_hand, l.in_transit, l.net, l.made, l.lacking, l.why, l.safety
	FROM replenish_requirement l JOIN replenish_plan p ON p.id = l.plan_id AND p.version = l.version JOIN catalog_product c ON c.id = l.product_id `

func scanRequirement(scan func(...any) error) (v RequirementView, why string, err error) {
	err = scan(&v.ID, &v.ProductID, &v.Code, &v.Name, &v.Unit, &v.Date, &v.Gross, &v.LossPPM, &v.Need, &v.OnHand, &v.InTransit, &v.Net, &v.Made, &v.Lacking, &why, &v.Safety)
	return v, why, err
}

// RequirementSearch is the input of the list of requirements.
type RequirementSearch struct {
	LineSearch
	Missing bool `query:"missing" doc:"only what is not there"`
}

const listRequirements = requirementColumns + `WHERE l.plan_id = $1 AND (c.code, l.date) > ($2, $3) AND (CAST($4 AS BIGINT) = 0 OR l.net > 0) AND (CAST($5 AS TEXT) = '' OR c.search LIKE $6 ESCAPE '!')
	ORDER BY c.code, l.date LIMIT $7`

// ListRequirements lists what a plan needs, by product and day.
func ListRequirements(tx *db.Tx, in RequirementSearch) (*web.Page[RequirementView], error) {
	var code, date string
	if _, err := in.Seek(&code, &date); err != nil {
		return nil, err
	}
	q, like := pattern(in.Q)
	rows := tx.Query(listRequirements, in.ID, code, date, in.Missing, q, like, in.Limit+1)
	defer rows.Close()
	var all []RequirementView
	for rows.Next() {
		v, _, err := scanRequirement(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v RequirementView) string { return web.Cursor(v.Code, v.Date) }), rows.Err()
}

// ProposalView is a line to be ordered, from a supplier or from a site of the group.
type ProposalView struct {
	ID           id.ID      `json:"id"`
	Kind         string     `json:"kind" enum:"purchase,requisition"`
	ProductID    id.ID      `json:"product_id"`
	Code         string     `json:"code"`
	Name         string     `json:"name"`
	Unit         string     `json:"unit"`
	SupplierID   id.ID      `json:"supplier_id" doc:"empty: asked from a site of the group"`
	SupplierCode string     `json:"supplier_code"`
	SupplierName string     `json:"supplier_name"`
	SourceID     id.ID      `json:"source_id" doc:"the site it is asked from; empty: bought"`
	SourceName   string     `json:"source_name"`
	Due          cal.Date   `json:"due"`
	OrderBy      string     `json:"order_by" doc:"on the clock of the site, as in 2026-03-02 16:00"`
	Late         bool       `json:"late" doc:"the last moment to order has passed"`
	Net          qty.Qty    `json:"net" doc:"what is missing"`
	Packs        int64      `json:"packs"`
	PackQty      qty.Qty    `json:"pack_qty"`
	PackUnit     string     `json:"pack_unit"`
	MinPacks     int64      `json:"min_packs"`
	Proposed     qty.Qty    `json:"proposed"`
	Qty          qty.Qty    `json:"qty"`
	Over         qty.Qty    `json:"over" doc:"beyond what is missing"`
	PriceFen4    money.Fen4 `json:"price_fen4" doc:"of one pack_unit, in ten-thousandths of a fen"`
	AmountFen    money.Fen  `json:"amount_fen"`
	State        State      `json:"state" enum:"proposed,confirmed,changed"`
	DecidedBy    string     `json:"decided_by"`
	DecidedAt    *time.Time `json:"decided_at,omitempty"`
	Reason       string     `json:"reason"`
	DocumentID   id.ID      `json:"document_id" doc:"the purchase order or requisition it became; empty: none"`
	Mode         Mode       `json:"mode" enum:"static,dynamic,strategy,dms"`
	Level        Level      `json:"level" enum:"automatic,dynamic,strategy,exception" doc:"why we act; exception: it waits for an approver"`
	Execution    Execution  `json:"execution" enum:"act,suggest,approve" doc:"how"`
	Held         Held       `json:"held,omitempty" enum:"quantity,amount,sales" doc:"why it waits for an approver; empty: it does not"`
	Factor       qty.Qty    `json:"factor" doc:"what its target was raised by, as in 1.5"`
}

const proposalColumns = `SELECT l.id, l.product_id, c.code, c.name, c.base_unit, l.supplier_id, COALESCE(u.code, ''), COALESCE(u.name, ''), l.source_id, COALESCE(t.name, ''), l.due, l.order_by, l.late,
	l.net, l.packs, l.pack, l.unit, l.min_packs, l.proposed, l.qty, l.price_fen4, l.amount_fen, l.state, COALESCE(s.display_name, ''), l.decided_at, l.reason, l.document_id, l.mode, l.level, l.execution, l.held, l.factor, l.why
	FROM replenish_proposal l JOIN replenish_plan p ON p.id = l.plan_id AND p.version = l.version JOIN catalog_product c ON c.id = l.product_id
	LEFT JOIN party_supplier u ON u.id = l.supplier_id LEFT JOIN org_site t ON t.id = l.source_id LEFT JOIN org_staff s ON s.id = l.staff_id `

func scanProposal(scan func(...any) error) (v ProposalView, why string, err error) {
	err = scan(&v.ID, &v.ProductID, &v.Code, &v.Name, &v.Unit, &v.SupplierID, &v.SupplierCode, &v.SupplierName, &v.SourceID, &v.SourceName, &v.Due, &v.OrderBy, &v.Late,
		&v.Net, &v.Packs, &v.PackQty, &v.PackUnit, &v.MinPacks, &v.Proposed, &v.Qty, &v.PriceFen4, &v.AmountFen, &v.State, &v.DecidedBy, &v.DecidedAt, &v.Reason, &v.DocumentID, &v.Mode, &v.Level, &v.Execution, &v.Held, &v.Factor, &why)
	v.Kind, v.Over = "purchase", max(0, v.Qty-v.Net)
	if v.Held != HeldNot {
		v.Level = Exception
	}
	if v.SupplierID == 0 {
		v.Kind = "requisition"
	}
	return v, why, err
}

// ProposalSearch is the input of the list of proposals.
type ProposalSearch struct {
	LineSearch
	State      State `query:"state" enum:"proposed,confirmed,changed"`
	SupplierID id.ID `query:"supplier_id"`
	Level      Level `query:"level" enum:"automatic,dynamic,strategy,exception"`
	Wants      bool  `query:"wants" doc:"only exceptions that nobody decided on: held, late, in a hurry, raised, or to be approved"`
}

const listProposals = proposalColumns + `WHERE l.plan_id = $1 AND (l.order_by, c.code, l.id) > ($2, $3, $4) AND (CAST($5 AS TEXT) = '' OR l.state = $5)
	AND (CAST($6 AS BIGINT) = 0 OR l.supplier_id = $6) AND (CAST($7 AS TEXT) = '' OR c.search LIKE $8 ESCAPE '!')
	AND (CAST($9 AS TEXT) = '' OR l.level = $9 AND l.held = '' OR CAST($9 AS TEXT) = 'exception' AND l.held <> '')
	AND (CAST($10 AS BIGINT) = 0 OR l.state = 'proposed' AND (l.held <> '' OR l.late = 1 OR l.level <> 'automatic' OR l.execution = 'approve'))
	ORDER BY l.order_by, c.code, l.id LIMIT $11`

// ListProposals lists what a plan orders, the most urgent first.
func ListProposals(tx *db.Tx, in ProposalSearch) (*web.Page[ProposalView], error) {
	var by, code string
	var after id.ID
	if _, err := in.Seek(&by, &code, &after); err != nil {
		return nil, err
	}
	q, like := pattern(in.Q)
	rows := tx.Query(listProposals, in.ID, by, code, after, in.State, in.SupplierID, q, like, in.Level, in.Wants, in.Limit+1)
	defer rows.Close()
	var all []ProposalView
	for rows.Next() {
		v, _, err := scanProposal(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v ProposalView) string { return web.Cursor(v.OrderBy, v.Code, v.ID) }), rows.Err()
}

// LineView is one line of a plan, opened: one of the three, with why it is so.
type LineView struct {
	Kind           string           `json:"kind" enum:"production,requirement,proposal"`
	Production     *ProductionView  `json:"production,omitempty"`
	ProductionWhy  *ProductionWhy   `json:"production_why,omitempty"`
	Requirement    *RequirementView `json:"requirement,omitempty"`
	RequirementWhy *RequirementWhy  `json:"requirement_why,omitempty"`
	Proposal       *ProposalView    `json:"proposal,omitempty"`
	ProposalWhy    *ProposalWhy     `json:"proposal_why,omitempty"`
}

// Line opens a line of a site's plan in force.
func Line(tx *db.Tx, site *org.Site, plan, line id.ID) (*LineView, error) {
	round, need, order := tx.QueryRow(productionColumns+`WHERE l.id = $1 AND l.plan_id = $2`, line, plan),
		tx.QueryRow(requirementColumns+`WHERE l.id = $1 AND l.plan_id = $2`, line, plan), tx.QueryRow(proposalColumns+`WHERE l.id = $1 AND l.plan_id = $2`, line, plan)
	p, _, why, err := scanProduction(site, round.Scan)
	if err == nil {
		v := &LineView{Kind: "production", Production: &p, ProductionWhy: &ProductionWhy{}}
		return v, json.Unmarshal([]byte(why), v.ProductionWhy)
	}
	if !errors.Is(err, db.ErrNoRow) {
		return nil, err
	}
	r, why, err := scanRequirement(need.Scan)
	if err == nil {
		v := &LineView{Kind: "requirement", Requirement: &r, RequirementWhy: &RequirementWhy{}}
		return v, json.Unmarshal([]byte(why), v.RequirementWhy)
	}
	if !errors.Is(err, db.ErrNoRow) {
		return nil, err
	}
	o, why, err := scanProposal(order.Scan)
	if err != nil {
		return nil, lineOf(err)
	}
	v := &LineView{Kind: "proposal", Proposal: &o, ProposalWhy: &ProposalWhy{}}
	return v, json.Unmarshal([]byte(why), v.ProposalWhy)
}

// RequisitionView is what one site of the group asks of another.
type RequisitionView struct {
	ID         id.ID                 `json:"id"`
	No         string                `json:"no"`
	SiteID     id.ID                 `json:"site_id"`
	SiteName   string                `json:"site_name"`
	SourceID   id.ID                 `json:"source_id"`
	SourceName string                `json:"source_name"`
	Due        cal.Date              `json:"due"`
	State      string                `json:"state" enum:"confirmed,closed"`
	MadeBy     string                `json:"made_by"`
	MadeAt     time.Time             `json:"made_at"`
	ClosedBy   string                `json:"closed_by"`
	ClosedAt   *time.Time            `json:"closed_at,omitempty"`
	Reason     string                `json:"reason" doc:"why it was closed; empty: its goods were received"`
	LineCount  int64                 `json:"line_count"`
	Lines      []RequisitionLineView `json:"lines" doc:"only of a single one"`
}

// RequisitionLineView is a line of it.
type RequisitionLineView struct {
	LineNo    int64   `json:"line_no"`
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit"`
}

// RequisitionSearch is the input of the list of requisitions.
type RequisitionSearch struct {
	web.Paging
	SiteID   id.ID    `query:"site_id" doc:"that asks"`
	SourceID id.ID    `query:"source_id" doc:"that is asked"`
	State    string   `query:"state" enum:"confirmed,closed"`
	Due      cal.Date `query:"due"`
}

const (
	requisitionColumns = `SELECT r.id, r.no, r.site_id, a.name, a.time_zone, r.source_id, b.name, r.due, r.state, COALESCE(f.display_name, ''), r.made_at, COALESCE(g.display_name, ''), NULLIF(r.closed_at, 0), r.close_reason, r.lines
		FROM replenish_requisition r JOIN org_site a ON a.id = r.site_id JOIN org_site b ON b.id = r.source_id LEFT JOIN org_staff f ON f.id = r.staff_id LEFT JOIN org_staff g ON g.id = r.closed_by `
	oneRequisition   = requisitionColumns + `WHERE r.id = $1`
	listRequisitions = requisitionColumns + `WHERE (CAST($1 AS BIGINT) = 1 OR r.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3)
		OR r.source_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
		AND (CAST($4 AS BIGINT) = 0 OR r.site_id = $4) AND (CAST($5 AS BIGINT) = 0 OR r.source_id = $5) AND (CAST($6 AS TEXT) = '' OR r.state = $6) AND (CAST($7 AS TEXT) = '' OR r.due = $7) AND r.id < $8 ORDER BY r.id DESC LIMIT $9`
	requisitionLines = `SELECT l.line_no, l.product_id, c.code, c.name, l.qty, c.base_unit FROM replenish_requisition_line l JOIN catalog_product c ON c.id = l.product_id
		WHERE l.requisition_id = $1 ORDER BY l.line_no`
)

func scanRequisition(scan func(...any) error) (v RequisitionView, err error) {
	v.Lines = []RequisitionLineView{}
	var there org.Site
	err = scan(&v.ID, &v.No, &v.SiteID, &v.SiteName, &there.TimeZone, &v.SourceID, &v.SourceName, &v.Due, &v.State, &v.MadeBy, &v.MadeAt, &v.ClosedBy, &v.ClosedAt, &v.Reason, &v.LineCount)
	v.MadeAt = v.MadeAt.In(there.Location())
	if v.ClosedAt != nil {
		*v.ClosedAt = v.ClosedAt.In(there.Location())
	}
	return v, err
}

// ListRequisitions lists what sites ask of each other, where one of the two is within reach, newest first.
func ListRequisitions(tx *db.Tx, reach org.Sites, in RequisitionSearch) (*web.Page[RequisitionView], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	rows := tx.Query(listRequisitions, append(reach.Args(), in.SiteID, in.SourceID, in.State, in.Due, before, in.Limit+1)...)
	defer rows.Close()
	var all []RequisitionView
	for rows.Next() {
		v, err := scanRequisition(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v RequisitionView) string { return web.Cursor(v.ID) }), rows.Err()
}

// LockRequisition is RequisitionByID, and what is decided of it until the end of the transaction is decided by one.
func LockRequisition(tx *db.Tx, requisition id.ID) (*RequisitionView, error) {
	if tx.ForUpdate() != "" {
		var one id.ID
		if err := tx.QueryRow(`SELECT id FROM replenish_requisition WHERE id = $1 FOR UPDATE`, requisition).Scan(&one); err != nil && !errors.Is(err, db.ErrNoRow) {
			return nil, err
		}
	}
	return RequisitionByID(tx, requisition)
}

// RequisitionByID shows one with its lines, whoever asks.
func RequisitionByID(tx *db.Tx, requisition id.ID) (*RequisitionView, error) {
	lines := tx.Query(requisitionLines, requisition)
	defer lines.Close()
	v, err := scanRequisition(tx.QueryRow(oneRequisition, requisition).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrRequested
	}
	if err != nil {
		return nil, err
	}
	for lines.Next() {
		var l RequisitionLineView
		if err := lines.Scan(&l.LineNo, &l.ProductID, &l.Code, &l.Name, &l.Qty, &l.Unit); err != nil {
			return nil, err
		}
		v.Lines = append(v.Lines, l)
	}
	return &v, lines.Err()
}
