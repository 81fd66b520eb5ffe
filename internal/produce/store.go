package produce

import (
	"math/bits"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// scaled is the need for made out of planned, rounded up.
func (n Need) scaled(made, planned qty.Qty) (qty.Qty, error) {
	hi, lo := bits.Mul64(uint64(n.Qty), uint64(made))
	if hi >= uint64(planned) {
		return 0, ErrQtyTooLarge.At("qty")
	}
	quo, rest := bits.Div64(hi, lo, uint64(planned))
	if rest > 0 {
		quo++
	}
	if quo > uint64(qty.Max) {
		return 0, ErrQtyTooLarge.At("qty")
	}
	q := qty.Qty(quo)
	if over := q % qty.Scale; n.Piece && over != 0 {
		q += qty.Scale - over
	}
	return q, nil
}

var insertNeeds = db.NewMany(`INSERT INTO produce_need (requisition_id, line_no, product_id, qty, bare, over_qty, loss, rule, of_id, per_qty, share, num, den) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)

// Request writes a requisition; r.ID is new.
func Request(tx *db.Tx, r *Requisition) error {
	switch {
	case r.Qty <= 0:
		return ErrQty.At("qty")
	case r.Qty > qty.Max:
		return ErrQtyTooLarge.At("qty")
	case len(r.Needs) > MostMaterials:
		return ErrLines.With("most", MostMaterials).At("materials")
	}
	for i, n := range r.Needs {
		switch {
		case n.Product == r.Product:
			return ErrOfItself.At("materials")
		case n.Qty <= 0:
			return ErrQty.At("materials")
		case n.Qty > qty.Max:
			return ErrQtyTooLarge.At("materials")
		case n.Piece && n.Qty%qty.Scale != 0:
			return ErrWholePieces.At("materials")
		case slices.ContainsFunc(r.Needs[:i], func(o Need) bool { return o.Product == n.Product }):
			return ErrTwice.At("materials")
		}
	}
	r.State, r.MadeAt = Open, tx.Now()
	if err := tx.Exec(`INSERT INTO produce_requisition (id, site_id, product_id, qty, state, business_date, note, staff_id, made_at, for_date, for_round, recipe_from, mix_id, yield_qty) VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		r.ID, r.Site, r.Product, r.Qty, r.Date, r.Note, r.Staff, r.MadeAt, r.For.Date, r.For.Round, r.Recipe, r.Mix, r.Yield); err != nil {
		return err
	}
	args := make([]any, 0, 13*len(r.Needs))
	for i, n := range r.Needs {
		if n.Of == 0 {
			n.Share, n.Num, n.Den = catalog.ShareWhole, 1, 1
		}
		args = append(args, int64(r.ID), int64(i+1), int64(n.Product), int64(n.Qty), int64(n.Bare), int64(n.Over), n.Loss, n.Rule, int64(n.Of), int64(n.Per), n.Share, n.Num, n.Den)
	}
	return tx.ExecMany(insertNeeds, args...)
}

// Complete ends an open requisition; of two who try, one is refused with ErrCompleted. Nothing is taken for one that
// was cancelled.
func Complete(tx *db.Tx, requisition id.ID) error {
	n, err := tx.ExecN(`UPDATE produce_requisition SET state = 'completed' WHERE id = $1 AND state = 'open' AND cancelled_at = 0`, requisition)
	if err == nil && n == 0 {
		err = ended(tx, requisition)
	}
	return err
}

// Cancel ends an open requisition for which nothing will be taken.
func Cancel(tx *db.Tx, requisition, staff id.ID, reason string) error {
	if reason == "" {
		return ErrWhy.At("reason")
	}
	n, err := tx.ExecN(`UPDATE produce_requisition SET cancelled_at = $1, cancelled_by = $2, cancel_reason = $3 WHERE id = $4 AND state = 'open' AND cancelled_at = 0`,
		tx.Now(), staff, reason, requisition)
	if err == nil && n == 0 {
		err = ended(tx, requisition)
	}
	return err
}

// ended says why an open requisition is none.
func ended(tx *db.Tx, requisition id.ID) error {
	r, err := RequisitionByID(tx, requisition)
	switch {
	case err != nil:
		return err
	case r.State == Cancelled:
		return ErrCancelled
	}
	return ErrCompleted
}

var insertIssues = db.NewMany(`INSERT INTO produce_issue (task_id, line_no, product_id, sku_id, batch_id, qty, cost_fen) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`, ``)

// Put writes a new task with what was taken for it. The account of its work order is open.
func (t *Task) Put(tx *db.Tx) error {
	t.State, t.MadeAt, t.Cost = Open, tx.Now(), 0
	args := make([]any, 0, 7*len(t.Issues))
	for i, l := range t.Issues {
		t.Cost += l.Cost
		args = append(args, int64(t.ID), int64(i+1), int64(l.Product), int64(l.SKU), int64(l.Batch), int64(l.Qty), int64(l.Cost))
	}
	if err := tx.Exec(`INSERT INTO produce_task (id, requisition_id, site_id, product_id, planned, state, business_date, cost_fen, staff_id, made_at, recipe_from) VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10)`,
		t.ID, t.Requisition, t.Site, t.Product, t.Planned, t.Date, t.Cost, t.Staff, t.MadeAt, t.Recipe); err != nil {
		return err
	}
	return tx.ExecMany(insertIssues, args...)
}

// Finish ends an open task; of two who try, one is refused with ErrDone.
func Finish(tx *db.Tx, task id.ID) error {
	n, err := tx.ExecN(`UPDATE produce_task SET state = 'done' WHERE id = $1 AND state = 'open'`, task)
	if err == nil && n == 0 {
		err = ErrDone
	}
	return err
}

var insertLosses = db.NewMany(`INSERT INTO produce_loss (output_id, line_no, product_id, sku_id, qty, cost_fen) VALUES `, `(?, ?, ?, ?, ?, ?)`, ``)

// Put writes a new output with its losses.
func (o *Output) Put(tx *db.Tx) error {
	o.PostedAt = tx.Now()
	if err := tx.Exec(`INSERT INTO produce_output (id, task_id, site_id, business_date, batch_id, sku_id, qty, cost_fen, reason, made_at, staff_id, posted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		o.ID, o.Task, o.Site, o.Date, o.Batch, o.SKU, o.Qty, o.Cost, o.Reason, o.MadeAt, o.Staff, o.PostedAt); err != nil {
		return err
	}
	args := make([]any, 0, 6*len(o.Losses))
	for i, l := range o.Losses {
		args = append(args, int64(o.ID), int64(i+1), int64(l.Product), int64(l.SKU), int64(l.Qty), int64(l.Cost))
	}
	return tx.ExecMany(insertLosses, args...)
}

// --- reading

const requisitionColumns = `SELECT id, site_id, product_id, qty, CASE WHEN cancelled_at > 0 THEN 'cancelled' ELSE state END, business_date, note, staff_id, made_at, cancel_reason, for_date, for_round, recipe_from, mix_id
	FROM produce_requisition `

func (r *Requisition) scan(scan func(...any) error) error {
	return scan(&r.ID, &r.Site, &r.Product, &r.Qty, &r.State, &r.Date, &r.Note, &r.Staff, &r.MadeAt, &r.CancelReason, &r.For.Date, &r.For.Round, &r.Recipe, &r.Mix)
}

// RequisitionByID reads a requisition with its needs.
func RequisitionByID(tx *db.Tx, requisition id.ID) (*Requisition, error) {
	var r Requisition
	if err := r.scan(tx.QueryRow(requisitionColumns+`WHERE id = $1`, requisition).Scan); err != nil {
		if err == db.ErrNoRow {
			err = ErrNoRequisition
		}
		return nil, err
	}
	err := needs(tx, []*Requisition{&r})
	return &r, err
}

// RequisitionSearch is the input of the list of requisitions.
type RequisitionSearch struct {
	web.Paging
	SiteID id.ID  `query:"site_id" required:"true"`
	State  string `query:"state" enum:"open,completed,cancelled" doc:"all when left out"`
}

// Requisitions lists those of a site, newest first, one more than the limit when there are more.
func Requisitions(tx *db.Tx, in RequisitionSearch) ([]*Requisition, error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	rows := tx.Query(requisitionColumns+`WHERE site_id = $1 AND id < $2 AND (CAST($3 AS TEXT) = '' OR CASE WHEN cancelled_at > 0 THEN 'cancelled' ELSE state END = $3) ORDER BY id DESC LIMIT $4`,
		in.SiteID, before, in.State, in.Limit+1)
	var all []*Requisition
	for rows.Next() {
		var r Requisition
		if err := r.scan(rows.Scan); err != nil {
			return nil, err
		}
		all = append(all, &r)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return all, needs(tx, all)
}

var readNeeds = db.NewMany(`SELECT n.requisition_id, n.product_id, n.qty, CASE WHEN p.base_unit = 'piece' THEN 1 ELSE 0 END, n.of_id, n.share, n.num, n.den
	FROM produce_need n JOIN catalog_product p ON p.id = n.product_id WHERE n.requisition_id IN (`, `?`, `) ORDER BY n.requisition_id, n.line_no`)

// needs fills in the needs of requisitions.
func needs(tx *db.Tx, of []*Requisition) error {
	if len(of) == 0 {
		return nil
	}
	args := make([]any, len(of))
	for i, r := range of {
		args[i] = int64(r.ID)
	}
	rows := tx.QueryMany(readNeeds, args...)
	for rows.Next() {
		var at id.ID
		var n Need
		if err := rows.Scan(&at, &n.Product, &n.Qty, &n.Piece, &n.Of, &n.Share, &n.Num, &n.Den); err != nil {
			return err
		}
		for _, r := range of {
			if r.ID == at {
				r.Needs = append(r.Needs, n)
			}
		}
	}
	return rows.Err()
}

const taskColumns = `SELECT t.id, t.requisition_id, t.site_id, t.product_id, t.planned, t.state, t.business_date, t.cost_fen, t.staff_id, t.made_at, t.recipe_from, q.mix_id,
	COALESCE(o.id, 0), COALESCE(o.business_date, ''), COALESCE(o.batch_id, 0), COALESCE(o.sku_id, 0), COALESCE(o.qty, 0), COALESCE(o.cost_fen, 0),
	COALESCE(o.reason, ''), COALESCE(o.made_at, 0), COALESCE(o.staff_id, 0), COALESCE(o.posted_at, 0)
	FROM produce_task t JOIN produce_requisition q ON q.id = t.requisition_id LEFT JOIN produce_output o ON o.task_id = t.id `

func (t *Task) scan(scan func(...any) error) error {
	var o Output
	if err := scan(&t.ID, &t.Requisition, &t.Site, &t.Product, &t.Planned, &t.State, &t.Date, &t.Cost, &t.Staff, &t.MadeAt, &t.Recipe, &t.Mix,
		&o.ID, &o.Date, &o.Batch, &o.SKU, &o.Qty, &o.Cost, &o.Reason, &o.MadeAt, &o.Staff, &o.PostedAt); err != nil {
		return err
	}
	if o.ID != 0 {
		o.Task, o.Site, t.Output = t.ID, t.Site, &o
	}
	return nil
}

// TaskByID reads a task with what was taken for it.
func TaskByID(tx *db.Tx, task id.ID) (*Task, error) {
	var t Task
	if err := t.scan(tx.QueryRow(taskColumns+`WHERE t.id = $1`, task).Scan); err != nil {
		if err == db.ErrNoRow {
			err = ErrNoTask
		}
		return nil, err
	}
	err := materials(tx, []*Task{&t})
	return &t, err
}

// TaskSearch is the input of the list of tasks.
type TaskSearch struct {
	web.Paging
	SiteID id.ID    `query:"site_id" required:"true"`
	Date   cal.Date `query:"date" doc:"business date on which the materials were taken; all when left out"`
	State  string   `query:"state" enum:"open,done" doc:"all when left out"`
}

// Tasks lists those of a site, newest first, one more than the limit when there are more.
func Tasks(tx *db.Tx, in TaskSearch) ([]*Task, error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	if in.Date != "" && !in.Date.Valid() {
		return nil, cal.ErrDate.With("text", in.Date).At("date")
	}
	rows := tx.Query(taskColumns+`WHERE t.site_id = $1 AND t.id < $2 AND (CAST($3 AS TEXT) = '' OR t.business_date = $3) AND (CAST($4 AS TEXT) = '' OR t.state = $4)
		ORDER BY t.id DESC LIMIT $5`, in.SiteID, before, in.Date, in.State, in.Limit+1)
	var all []*Task
	for rows.Next() {
		var t Task
		if err := t.scan(rows.Scan); err != nil {
			return nil, err
		}
		all = append(all, &t)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return all, materials(tx, all)
}

var (
	readIssues = db.NewMany(`SELECT task_id, product_id, sku_id, batch_id, qty, cost_fen FROM produce_issue WHERE task_id IN (`, `?`, `) ORDER BY task_id, line_no`)
	readLosses = db.NewMany(`SELECT o.task_id, l.product_id, l.sku_id, l.qty, l.cost_fen FROM produce_output o JOIN produce_loss l ON l.output_id = o.id
		WHERE o.task_id IN (`, `?`, `) ORDER BY o.task_id, l.line_no`)
)

// materials fills in what tasks need, got and lost.
func materials(tx *db.Tx, of []*Task) error {
	if len(of) == 0 {
		return nil
	}
	args := make([]any, len(of))
	byID := map[id.ID]*Task{}
	asks := make([]*Requisition, len(of))
	for i, t := range of {
		args[i], byID[t.ID] = int64(t.ID), t
		asks[i] = &Requisition{ID: t.Requisition}
	}
	issued, lost := tx.QueryMany(readIssues, args...), tx.QueryMany(readLosses, args...)
	for issued.Next() {
		var at id.ID
		var l Issue
		if err := issued.Scan(&at, &l.Product, &l.SKU, &l.Batch, &l.Qty, &l.Cost); err != nil {
			return err
		}
		byID[at].Issues = append(byID[at].Issues, l)
	}
	if err := issued.Err(); err != nil {
		return err
	}
	for lost.Next() {
		var at id.ID
		var l Loss
		if err := lost.Scan(&at, &l.Product, &l.SKU, &l.Qty, &l.Cost); err != nil {
			return err
		}
		if o := byID[at].Output; o != nil {
			o.Losses = append(o.Losses, l)
		}
	}
	if err := lost.Err(); err != nil {
		return err
	}
	if err := needs(tx, asks); err != nil {
		return err
	}
	for i, t := range of {
		t.Needs = asks[i].Needs
	}
	return nil
}

// bookedLater is how long after the work materials may be booked: a kitchen whose network was down books at the
// end of the shift, and the shelf life still counts from the making.
const bookedLater = 12 * time.Hour

// InTime says whether something that was made at an instant can be of the task.
func (t *Task) InTime(at, now time.Time) bool {
	return !at.After(now) && !at.Before(t.MadeAt.Add(-bookedLater))
}
