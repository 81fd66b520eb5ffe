// Package produce keeps what a kitchen or workshop makes: the requisition that asks for materials, the
// processing task that its completion creates, and the output receipt. It knows no batches and books
// nothing: flow/making takes materials and books what came of them. See README.md.
package produce

import (
	"embed"
	"math/big"
	"time"

	"zhanggui/internal/ledger"
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

// Migrations are the tables of this package. They refer to those of ledger, org and catalog.
var Migrations = db.Migrations{Package: "produce", FS: files}

// Documents of making in the ledger.
var (
	RequisitionDoc = ledger.DefineKind(100, "material_requisition")
	OutputDoc      = ledger.DefineKind(101, "output_receipt")
)

// States of a requisition and of a task.
const (
	Open      = "open"
	Completed = "completed" // a requisition: its materials are taken
	Cancelled = "cancelled" // a requisition: nothing is taken for it
	Done      = "done"      // a task: its output is booked
)

// Reasons why less came out than was to be made. OverIssue is not chosen: as much came out as was to,
// but more was taken for it than the recipe says.
var Reasons = []string{"made_wrong", "dropped", "material_bad", "equipment", "tasting", "sample", "other"}

// OverIssue is the reason for material lost while nothing was short.
const OverIssue = "over_issue"

var (
	ErrNoRequisition = errs.Define("requisition_unknown", errs.NotFound, "没有这张领用单", "There is no such requisition")
	ErrNoTask        = errs.Define("task_unknown", errs.NotFound, "没有这个加工任务", "There is no such processing task")
	ErrCompleted     = errs.Define("requisition_completed", errs.Conflict, "这张领用单已完成领料", "The materials of this requisition have been taken already")
	ErrCancelled     = errs.Define("requisition_cancelled", errs.Conflict, "这张领用单已取消", "This requisition has been cancelled")
	ErrWhy           = errs.Define("requisition_reason_missing", errs.Invalid, "请写明取消原因", "Say why it is cancelled")
	ErrDone          = errs.Define("task_done", errs.Conflict, "这个加工任务已报完工", "The output of this task has been reported already")
	ErrQty           = errs.Define("make_qty_bad", errs.Invalid, "数量必须大于零", "The quantity must be more than zero")
	ErrQtyTooLarge   = errs.Define("make_qty_too_large", errs.Invalid, "数量太大", "The quantity is too large")
	ErrWholePieces   = errs.Define("make_pieces_whole", errs.Invalid, "按个计的商品数量必须是整数", "What is counted in pieces is made and taken whole")
	ErrNoMaterials   = errs.Define("make_materials_none", errs.Invalid, "{product} 没有有效的配方,请填写原料", "{product} has no recipe valid today: say which materials")
	ErrTwice         = errs.Define("make_material_twice", errs.Invalid, "同一原料只能写一行", "A material is named once")
	ErrOfItself      = errs.Define("make_of_itself", errs.Invalid, "商品不能用自己做原料", "A product is not made of itself")
	ErrTooMuchMade   = errs.Define("make_output_too_large", errs.Invalid, "成品数量超过任务的两倍,请核对", "This is more than twice what was to be made: check the quantity")
	ErrReason        = errs.Define("make_reason_missing", errs.Invalid, "成品少于任务数量,请选择原因", "Less came out than was to be made: choose a reason")
	ErrMadeAt        = errs.Define("make_time_bad", errs.Invalid, "完工时间不能晚于现在,也不能早于领料 12 小时以上", "It can't have been made later than now, or more than 12 hours before its materials were taken")
	ErrLines         = errs.Define("make_lines_too_many", errs.Invalid, "最多 {most} 种原料", "At most {most} materials")
)

// MostMaterials is how many materials a requisition has at most.
const MostMaterials = 200

// EventMade says that a task's output is booked; its subject is the output.
const EventMade = "produce.made.v1"

// MadeEvent is its body, quantities in thousandths of base units.
type MadeEvent struct {
	Output  id.ID     `json:"output_id"`
	Task    id.ID     `json:"task_id"`
	Site    id.ID     `json:"site_id"`
	Product id.ID     `json:"product_id"`
	Batch   id.ID     `json:"batch_id"` // 0: all was lost
	Qty     int64     `json:"qty_milli"`
	Planned int64     `json:"planned_milli"`
	MadeAt  time.Time `json:"made_at"`
	For     Round     `json:"for"` // of the plan; without a date: none
	Cost    money.Fen `json:"cost_fen"`
	Lost    money.Fen `json:"lost_fen"`
}

// Need is so much of a material, in thousandths of its base unit.
type Need struct {
	Product id.ID
	Qty     qty.Qty
	Piece   bool // counted in whole pieces

	// Of a need by a recipe, what its loss is learned from; see learned.go.
	Bare qty.Qty // without the loss of the line, rounded up to thousandths; 0: it is by no recipe
	Over qty.Qty // of Qty, what rounding to whole pieces added
	Loss int64   // of the line, in millionths
	Rule string  // markup or yield
	// Where its recipe leaves a choice, what it was chosen for; see catalog.Ingredient.
	Of       id.ID   // the component in whose line it is; 0: it is by no recipe
	Per      qty.Qty // of that component for one yield
	Share    int64   // of the line, in millionths
	Num, Den int64
}

// Requisition (领用单) asks for the materials of so much of a product.
type Requisition struct {
	ID      id.ID
	Site    id.ID
	Product id.ID
	Qty     qty.Qty
	State   string
	Date    cal.Date
	Note    string
	Staff   id.ID
	MadeAt  time.Time
	Needs   []Need
	For     Round
	Recipe  cal.Date // the first day of the version that gave the needs; "": somebody named them
	Mix     id.ID    // that was in force (replenish); 0: as the recipe says
	Yield   qty.Qty  // of the recipe

	CancelReason string // of a cancelled one
}

// Round names a round of a day's plan; without a date: none.
type Round struct {
	Date  cal.Date `json:"date" doc:"the business date of the plan"`
	Round int64    `json:"round" minimum:"1" maximum:"4"`
}

// Issue is what a task got from a batch, and what that cost.
type Issue struct {
	Product id.ID
	SKU     id.ID
	Batch   id.ID
	Qty     qty.Qty
	Cost    money.Fen
}

// Task (加工任务) is so much of a product to be made, with the materials that were taken for it. Its id is
// also that of its work order's account.
type Task struct {
	ID          id.ID
	Requisition id.ID
	Site        id.ID
	Product     id.ID
	Planned     qty.Qty
	State       string
	Date        cal.Date
	Cost        money.Fen
	Staff       id.ID
	MadeAt      time.Time
	Issues      []Issue
	Needs       []Need
	Mix         id.ID    // of the requisition
	Recipe      cal.Date // of the requisition
	Output      *Output  // of a done task
}

// Order is the account of the task's work order.
func (t *Task) Order() ledger.Account { return ledger.Account(t.ID) }

// Output (成品回单) is what came of a task.
type Output struct {
	ID       id.ID
	Task     id.ID
	Site     id.ID
	Date     cal.Date
	Batch    id.ID // 0: all was lost
	SKU      id.ID
	Qty      qty.Qty
	Cost     money.Fen
	Reason   string
	MadeAt   time.Time
	Staff    id.ID
	PostedAt time.Time
	Losses   []Loss
}

// Loss is material that was used beyond what the recipe takes for what came out.
type Loss struct {
	Product id.ID
	SKU     id.ID
	Qty     qty.Qty
	Cost    money.Fen
}

// Lost is what was taken of each material beyond what the recipe takes for what came out: the need of the
// planned quantity × made ÷ planned, rounded up to whole thousandths or pieces. Of materials that share a line,
// more of one is no loss as far as less of another was taken for it. Its cost is its share of what the
// material cost, half up. Rows come in the order of the needs.
func (t *Task) Lost(made qty.Qty) ([]Loss, error) {
	all := make([]Loss, len(t.Needs))
	took := make([]qty.Qty, len(t.Needs))
	costs := make([]money.Fen, len(t.Needs))
	over, under := map[id.ID]*big.Rat{}, map[id.ID]*big.Rat{} // by line, in what its component does
	for i, n := range t.Needs {
		l := &all[i]
		l.Product = n.Product
		for _, of := range t.Issues {
			if of.Product == n.Product {
				l.SKU, took[i], costs[i] = of.SKU, took[i]+of.Qty, costs[i]+of.Cost
			}
		}
		need, err := n.scaled(made, t.Planned)
		if err != nil {
			return nil, err
		}
		if l.Qty = took[i] - need; n.Of == 0 {
			continue
		}
		if over[n.Of] == nil {
			over[n.Of], under[n.Of] = new(big.Rat), new(big.Rat)
		}
		sum := over
		if l.Qty < 0 {
			sum = under
		}
		sum[n.Of].Add(sum[n.Of], new(big.Rat).Mul(big.NewRat(max(int64(l.Qty), -int64(l.Qty)), 1), big.NewRat(n.Den, n.Num)))
	}
	var lost []Loss
	for i, n := range t.Needs {
		l := all[i]
		if n.Of != 0 && l.Qty > 0 && under[n.Of].Sign() > 0 {
			part := new(big.Rat).Sub(over[n.Of], under[n.Of])
			if part.Sign() <= 0 {
				continue
			}
			l.Qty = n.down(part.Mul(part.Quo(part, over[n.Of]), big.NewRat(int64(l.Qty), 1)))
		}
		if l.Qty <= 0 {
			continue
		}
		share, err := money.MulDiv(int64(costs[i]), int64(l.Qty), int64(took[i]))
		if err != nil {
			return nil, err
		}
		l.Cost = money.Fen(share)
		lost = append(lost, l)
	}
	return lost, nil
}

// down is the whole thousandths, or pieces, of a quantity.
func (n Need) down(r *big.Rat) qty.Qty {
	q := qty.Qty(new(big.Int).Quo(r.Num(), r.Denom()).Int64())
	if n.Piece {
		q -= q % qty.Scale
	}
	return q
}

// Made tells everybody.
func (o *Output) Made(tx *db.Tx, t *Task) error {
	var round Round
	if err := tx.QueryRow(`SELECT for_date, for_round FROM produce_requisition WHERE id = $1`, t.Requisition).Scan(&round.Date, &round.Round); err != nil {
		return err
	}
	body := MadeEvent{MadeAt: o.MadeAt, For: round, Output: o.ID, Task: t.ID, Site: t.Site, Product: t.Product, Batch: o.Batch, Qty: int64(o.Qty), Planned: int64(t.Planned), Cost: o.Cost}
	for _, l := range o.Losses {
		body.Lost += l.Cost
	}
	return outbox.Emit(tx, outbox.Event{Type: EventMade, Subject: o.ID, Site: t.Site, Body: body})
}
