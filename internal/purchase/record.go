package purchase

import (
	"cmp"
	"context"
	"slices"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// RecordJob is the kind of the job that adds up, each morning, how suppliers kept their word.
const RecordJob = "purchase.record"

const (
	recordDays = 90 // days of due dates that a record covers
	patience   = 14 // days after its due date that goods are waited for; what comes later has not come
	keepRecord = 400
)

// Jobs registers the record, made when the first site's day has begun.
func Jobs(r *jobs.Runner) {
	r.Handle(RecordJob, recordRun)
	r.DailyAt(RecordJob, org.EachMorning("record", 20*time.Minute))
}

const (
	recordSpan = `SELECT COALESCE((SELECT MAX(due) FROM purchase_record), (SELECT MIN(due) FROM purchase_order), '')`
	dropRecord = `DELETE FROM purchase_record WHERE due = $1`
	oldRecord  = `DELETE FROM purchase_record WHERE due < $1`
	// Of a line counts what came within the patience and no more than was ordered; a line counts that the
	// supplier was told of in that time, or that came.
	makeRecord = `INSERT INTO purchase_record (supplier_id, due, product_id, lines, full_lines, timely_lines, ordered, in_time, in_one, in_two, came, ordered_fen, came_fen) ` + recordOf
	recordOf   = `SELECT x.supplier_id, x.due, x.product_id, COUNT(*), SUM(CASE WHEN x.came >= x.qty THEN 1 ELSE 0 END), SUM(CASE WHEN x.in_time >= x.qty THEN 1 ELSE 0 END),
		SUM(x.qty), SUM(CASE WHEN x.in_time > x.qty THEN x.qty ELSE x.in_time END), SUM(CASE WHEN x.in_one > x.qty THEN x.qty ELSE x.in_one END),
		SUM(CASE WHEN x.in_two > x.qty THEN x.qty ELSE x.in_two END), SUM(CASE WHEN x.came > x.qty THEN x.qty ELSE x.came END),
		SUM(x.amount_fen), SUM(CASE WHEN x.cost > x.amount_fen THEN x.amount_fen ELSE x.cost END)
	FROM (SELECT o.supplier_id, o.due, l.product_id, l.order_id, l.line_no, l.qty, l.amount_fen, o.sent_at,
			SUM(CASE WHEN p.business_date <= $1 THEN COALESCE(r.qty, 0) ELSE 0 END) AS in_time, SUM(CASE WHEN p.business_date <= $2 THEN COALESCE(r.qty, 0) ELSE 0 END) AS in_one,
			SUM(CASE WHEN p.business_date <= $3 THEN COALESCE(r.qty, 0) ELSE 0 END) AS in_two, SUM(CASE WHEN p.business_date <= $4 THEN COALESCE(r.qty, 0) ELSE 0 END) AS came,
			SUM(CASE WHEN p.business_date <= $4 THEN COALESCE(r.cost_fen, 0) ELSE 0 END) AS cost
		FROM purchase_order o JOIN purchase_line l ON l.order_id = o.id
		LEFT JOIN purchase_receipt p ON p.order_id = o.id LEFT JOIN purchase_receipt_line r ON r.receipt_id = p.id AND r.order_line = l.line_no
		WHERE o.due = $1
		GROUP BY o.supplier_id, o.due, l.product_id, l.order_id, l.line_no, l.qty, l.amount_fen, o.sent_at) AS x
	WHERE x.came > 0 OR x.sent_at <= $5 GROUP BY x.supplier_id, x.due, x.product_id`
)

// recordStep is where a run is: the next due date and, when all are done, the supplier whose word was made last.
type recordStep struct {
	First, Next cal.Date
	Word        id.ID `json:",omitempty"`
}

func recordRun(ctx context.Context, run *jobs.Run) error {
	d := run.DB()
	var at recordStep
	resumed, err := run.Load(&at)
	if err != nil {
		return err
	}
	var last cal.Date
	if err := d.Read(ctx, func(tx *db.Tx) error {
		last = cal.On(tx.Now()).AddDays(-1)
		if resumed {
			return nil
		}
		var known cal.Date
		if err := tx.QueryRow(recordSpan).Scan(&known); err != nil || known == "" {
			at.Next = ""
			return err
		}
		at.Next = max(min(known, last).AddDays(-patience), last.AddDays(-keepRecord))
		at.First = at.Next
		return nil
	}); err != nil || at.Next == "" {
		return err
	}
	total := int64(last.Sub(at.First) + 1)
	for at.Next <= last {
		if err := ctx.Err(); err != nil {
			return err
		}
		next := recordStep{First: at.First, Next: at.Next.AddDays(1)}
		if err := d.Write(ctx, func(tx *db.Tx) error {
			if err := MakeRecord(tx, at.Next); err != nil {
				return err
			}
			return run.Save(tx, next)
		}); err != nil {
			return err
		}
		at = next
		run.Progress(ctx, int64(at.Next.Sub(at.First)), total, string(at.Next))
	}
	until := at.Next.AddDays(-1 - patience) // what was due since may still come
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		next := at
		if err := d.Write(ctx, func(tx *db.Tx) (err error) {
			if next.Word, err = makeWords(tx, at.Word, until); err != nil || next.Word == 0 {
				return err
			}
			return run.Save(tx, next)
		}); err != nil {
			return err
		}
		more, at = next.Word != 0, next
	}
	return d.Write(ctx, func(tx *db.Tx) error { return tx.Exec(oldRecord, last.AddDays(-keepRecord)) })
}

// MakeRecord adds up, again, what came of all that was due on a day.
func MakeRecord(tx *db.Tx, due cal.Date) error {
	if err := tx.Exec(dropRecord, due); err != nil {
		return err
	}
	return tx.Exec(makeRecord, recordArgs(due)...)
}

func recordArgs(due cal.Date) []any {
	last := due.AddDays(patience)
	return []any{due, due.AddDays(1), due.AddDays(2), last, last.AddDays(1).Time()}
}

// Kept is how a supplier kept its word for a product, or for all of them, over the days of a record.
type Kept struct {
	Lines, Full, Timely        int64   // lines due; of them come in full, and in full by the day they were due
	Ordered                    qty.Qty // of one product; 0 of all of them, whose units differ
	InTime, InOne, InTwo, Came qty.Qty // by the due date, one and two days after, at all
	OrderedFen, CameFen        money.Fen
}

// Fill is the share of what is ordered that comes at all, in ten-thousandths: what came ÷ what was ordered, drawn to what
// is known otherwise by as many lines of average size (the mean of a beta prior of that weight), as few lines tell little.
func (k *Kept) Fill(known, lines int64) int64 {
	ordered, came := int64(k.Ordered), int64(k.Came)
	if ordered == 0 {
		ordered, came = int64(k.OrderedFen), int64(k.CameFen)
	}
	if k.Lines == 0 || ordered == 0 {
		return known
	}
	for ordered > 1<<40 { // shares of what is that large need no more figures
		ordered, came = ordered>>1, came>>1
	}
	prior := max(1, ordered/k.Lines) * lines
	return (came*10_000 + prior*known) / (ordered + prior)
}

// Late is by how many days after its due date nine tenths of what came were there: 0 to 2, or 3 for more.
func (k *Kept) Late() int64 {
	for days, q := range []qty.Qty{k.InTime, k.InOne, k.InTwo} {
		if q >= k.Came-k.Came/10 {
			return int64(days)
		}
	}
	return 3
}

// Lines that weigh as much as a product's own, or a supplier's own.
const (
	productLines  = 10 // a product is drawn to its supplier
	supplierLines = 20 // a supplier is drawn to a promise that is kept
	promised      = 10_000
)

func (k *Kept) add(o *Kept) {
	k.Lines, k.Full, k.Timely = k.Lines+o.Lines, k.Full+o.Full, k.Timely+o.Timely
	k.OrderedFen, k.CameFen = k.OrderedFen+o.OrderedFen, k.CameFen+o.CameFen
}

// RecordView is how a supplier kept its word on the wire.
type RecordView struct {
	SupplierID  id.ID        `json:"supplier_id"`
	From        cal.Date     `json:"from" doc:"due dates from this day"`
	To          cal.Date     `json:"to" doc:"to this one; what was due in the last 14 days may still come"`
	Lines       int64        `json:"lines" doc:"lines of orders that were due"`
	FullLines   int64        `json:"full_lines" doc:"that came in full within 14 days"`
	TimelyLines int64        `json:"timely_lines" doc:"that came in full by the day they were due"`
	OrderedFen  money.Fen    `json:"ordered_fen"`
	CameFen     money.Fen    `json:"came_fen"`
	FillBP      int64        `json:"fill_bp" doc:"share of an order that is expected to come, in ten-thousandths: what came, drawn to a kept promise while there are few lines"`
	Weeks       []WeekKept   `json:"weeks" doc:"oldest first; from Monday"`
	Products    []RecordLine `json:"products" doc:"worst first: what is missing costs most"`
}

// WeekKept is a week of due dates.
type WeekKept struct {
	Monday      cal.Date `json:"monday"`
	Lines       int64    `json:"lines"`
	FullLines   int64    `json:"full_lines"`
	TimelyLines int64    `json:"timely_lines"`
}

// RecordLine is a product of a record.
type RecordLine struct {
	ProductID   id.ID     `json:"product_id"`
	Code        string    `json:"code"`
	Name        string    `json:"name"`
	Unit        string    `json:"unit"`
	Lines       int64     `json:"lines"`
	FullLines   int64     `json:"full_lines"`
	TimelyLines int64     `json:"timely_lines"`
	Ordered     qty.Qty   `json:"ordered"`
	Came        qty.Qty   `json:"came"`
	MissingFen  money.Fen `json:"missing_fen"`
	FillBP      int64     `json:"fill_bp" doc:"expected, drawn to the supplier's while there are few lines"`
	PlanFillBP  int64     `json:"plan_fill_bp" doc:"share of what is under way that plans count on, from what was due more than 14 days ago"`
	PlanDays    int64     `json:"plan_days" doc:"days that plans reckon it late, drawn to on time while there are few lines"`
	LateDays    int64     `json:"late_days" doc:"by which nine tenths of what came were there; 3: more than two"`
}

const (
	recordDue = `SELECT r.due, r.lines, r.full_lines, r.timely_lines, r.ordered_fen, r.came_fen, r.product_id, r.ordered, r.in_time, r.in_one, r.in_two, r.came FROM purchase_record r
	WHERE r.supplier_id = $1 AND r.due >= $2 AND r.due <= $3 ORDER BY r.due, r.product_id`
	recordGoods = `SELECT DISTINCT c.id, c.code, c.name, c.base_unit FROM purchase_record r JOIN catalog_product c ON c.id = r.product_id WHERE r.supplier_id = $1 AND r.due >= $2 AND r.due <= $3`
)

// RecordOf shows how a supplier kept its word over the last 90 days.
func RecordOf(tx *db.Tx, supplier id.ID) (*RecordView, error) {
	to := cal.On(tx.Now()).AddDays(-1)
	v := &RecordView{SupplierID: supplier, From: to.AddDays(1 - recordDays), To: to, Weeks: []WeekKept{}, Products: []RecordLine{}}
	var found id.ID
	if err := tx.QueryRow(`SELECT id FROM party_supplier WHERE id = $1`, supplier).Scan(&found); err == db.ErrNoRow {
		return nil, party.ErrNoSupplier
	} else if err != nil {
		return nil, err
	}
	rows, goods := tx.Query(recordDue, supplier, v.From, v.To), tx.Query(recordGoods, supplier, v.From, v.To)
	defer rows.Close()
	defer goods.Close()
	var all Kept
	of := map[id.ID]*Kept{}
	for rows.Next() {
		var due cal.Date
		var product id.ID
		var k Kept
		if err := rows.Scan(&due, &k.Lines, &k.Full, &k.Timely, &k.OrderedFen, &k.CameFen, &product, &k.Ordered, &k.InTime, &k.InOne, &k.InTwo, &k.Came); err != nil {
			return nil, err
		}
		all.add(&k)
		monday := due.AddDays(-(int(due.Weekday()) + 6) % 7)
		if n := len(v.Weeks); n == 0 || v.Weeks[n-1].Monday != monday {
			v.Weeks = append(v.Weeks, WeekKept{Monday: monday})
		}
		w := &v.Weeks[len(v.Weeks)-1]
		w.Lines, w.FullLines, w.TimelyLines = w.Lines+k.Lines, w.FullLines+k.Full, w.TimelyLines+k.Timely
		sum := of[product]
		if sum == nil {
			sum = &Kept{}
			of[product] = sum
		}
		sum.add(&k)
		sum.Ordered, sum.InTime, sum.InOne, sum.InTwo, sum.Came = sum.Ordered+k.Ordered, sum.InTime+k.InTime, sum.InOne+k.InOne, sum.InTwo+k.InTwo, sum.Came+k.Came
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	v.Lines, v.FullLines, v.TimelyLines, v.OrderedFen, v.CameFen = all.Lines, all.Full, all.Timely, all.OrderedFen, all.CameFen
	v.FillBP = all.Fill(promised, supplierLines)
	words, err := wordsOfSupplier(tx, supplier)
	if err != nil {
		return nil, err
	}
	for goods.Next() {
		var l RecordLine
		if err := goods.Scan(&l.ProductID, &l.Code, &l.Name, &l.Unit); err != nil {
			return nil, err
		}
		k := of[l.ProductID]
		l.PlanDays, l.PlanFillBP = 0, promised
		if w, ok := words[l.ProductID]; ok {
			l.PlanDays, l.PlanFillBP = w.LateDays, w.Fill
		}
		l.Lines, l.FullLines, l.TimelyLines, l.Ordered, l.Came, l.MissingFen = k.Lines, k.Full, k.Timely, k.Ordered, k.Came, k.OrderedFen-k.CameFen
		l.FillBP, l.LateDays = k.Fill(v.FillBP, productLines), k.Late()
		v.Products = append(v.Products, l)
	}
	slices.SortFunc(v.Products, func(a, b RecordLine) int {
		return cmp.Or(cmp.Compare(b.MissingFen, a.MissingFen), cmp.Compare(a.FillBP, b.FillBP), cmp.Compare(a.Code, b.Code))
	})
	return v, goods.Err()
}

// SupplierKept is one supplier of the list.
type SupplierKept struct {
	SupplierID  id.ID `json:"supplier_id"`
	Lines       int64 `json:"lines"`
	FullLines   int64 `json:"full_lines"`
	TimelyLines int64 `json:"timely_lines"`
	FillBP      int64 `json:"fill_bp"`
}

const recordSums = `SELECT r.supplier_id, SUM(r.lines), SUM(r.full_lines), SUM(r.timely_lines), SUM(r.ordered_fen), SUM(r.came_fen) FROM purchase_record r
	WHERE r.due >= $1 AND r.due <= $2 AND r.supplier_id > $3 GROUP BY r.supplier_id ORDER BY r.supplier_id LIMIT $4`

func recordRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/suppliers/records", Name: "list-supplier-records", Summary: "How suppliers kept their word over the last 90 days", Perm: permRead, Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *web.Paging) (*web.Page[SupplierKept], error) {
			var after id.ID
			if _, err := in.Seek(&after); err != nil {
				return nil, err
			}
			to := cal.On(tx.Now()).AddDays(-1)
			rows := tx.Query(recordSums, to.AddDays(1-recordDays), to, after, in.Limit+1)
			defer rows.Close()
			all := []SupplierKept{}
			for rows.Next() {
				var v SupplierKept
				var k Kept
				if err := rows.Scan(&v.SupplierID, &k.Lines, &k.Full, &k.Timely, &k.OrderedFen, &k.CameFen); err != nil {
					return nil, err
				}
				v.Lines, v.FullLines, v.TimelyLines, v.FillBP = k.Lines, k.Full, k.Timely, k.Fill(promised, supplierLines)
				all = append(all, v)
			}
			if err := rows.Err(); err != nil {
				return nil, err
			}
			return web.PageOf(*in, all, func(v SupplierKept) string { return web.Cursor(v.SupplierID) }), nil
		})
	web.Get(api, web.Route{Path: "/api/suppliers/{id}/record", Name: "get-supplier-record", Summary: "How a supplier kept its word, by week and product", Perm: permRead, Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*RecordView, error) {
			return RecordOf(tx, in.ID)
		})
}
