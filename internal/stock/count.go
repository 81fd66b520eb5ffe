package stock

import (
	"context"
	"fmt"
	"slices"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

// A count goes on while the shop sells: what the books said is kept for each line at the moment it was
// counted, and only the difference is posted. Several people count one list at once; a line that two people
// counted differently is counted again until two agree.

// CountState is how far a count has come.
type CountState string

const (
	Counting     CountState = "open"
	Reviewing    CountState = "review"
	Posting      CountState = "posting"
	Posted       CountState = "posted"
	CountDropped CountState = "cancelled"
)

// LineState of a line of a count.
type LineState int

const (
	NotCounted LineState = iota + 1
	IsCounted
	CountAgain
	Approved
	LinePosted
	NotPosted // less was free than is missing: somebody has been promised it
)

// LineStates by the names that the API knows.
var LineStates = []string{"not_counted", "counted", "count_again", "approved", "posted", "not_posted"}

func (s LineState) String() string { return LineStates[s-1] }

var (
	ErrNoCount       = errs.Define("stock_count_unknown", errs.NotFound, "没有这张盘点单", "There is no such stock count")
	ErrNoCountLine   = errs.Define("stock_count_line_unknown", errs.NotFound, "盘点单里没有这一行", "The stock count has no such line")
	ErrCountState    = errs.Define("stock_count_state", errs.Conflict, "盘点单的状态已经变了,请刷新", "The stock count has moved on; reload")
	ErrCountLineDone = errs.Define("stock_count_line_done", errs.Conflict, "这一行已经确认,不能再盘", "This line is approved; it can't be counted any more")
	ErrCountEmpty    = errs.Define("stock_count_empty", errs.Invalid, "没有可盘点的商品", "There is nothing to count")
	ErrCountTooBig   = errs.Define("stock_count_too_big", errs.Invalid, "一张盘点单最多 {most} 行", "A stock count has at most {most} lines")
	ErrNotCounted    = errs.Define("stock_count_unfinished", errs.Conflict, "还有 {n} 行没有盘点", "{n} lines have not been counted yet")
	ErrDisputed      = errs.Define("stock_count_disputed", errs.Conflict, "还有 {n} 行要复盘", "{n} lines must be counted again")
	ErrUnapproved    = errs.Define("stock_count_unapproved", errs.Conflict, "还有 {n} 行差异要由别人审批", "{n} differences need the approval of somebody else")
	ErrOwnCount      = errs.Define("stock_count_own", errs.Forbidden, "不能审批自己盘点的差异,或者这一行还不能审批", "Nobody approves what he counted himself, and only what has been counted")
	ErrCountTwice    = errs.Define("stock_count_product_twice", errs.Invalid, "同一商品只能写一行", "A product may be there once only")
	ErrCounted       = errs.Define("stock_count_qty_bad", errs.Invalid, "盘点数不能小于零", "What was counted can't be less than zero")
	ErrCountPieces   = errs.Define("stock_count_pieces_whole", errs.Invalid, "按个计的商品要数整数", "What is counted in pieces is counted in whole ones")
	ErrNeverHere     = errs.Define("stock_count_never_here", errs.Conflict, "这家机构从没有过这个商品,请用收货单入库", "This site has never had this product; receive it instead")
)

// EventCounted says that a count changed its state; its subject is the count.
const EventCounted = "stock.count.v1"

// CountBody is its body.
type CountBody struct {
	Count id.ID      `json:"count_id"`
	Site  id.ID      `json:"site_id"`
	State CountState `json:"state"`
}

// Count is a list of goods to be counted at a site.
type Count struct {
	ID        id.ID
	Site      id.ID
	Kind      string // full, cycle
	ByBatch   bool
	Blind     bool
	Limit     money.Fen
	State     CountState
	Note      string
	MadeAt    time.Time
	ChangedAt time.Time

	postedTo int64 // the last line that a step has looked at
}

// NewCount starts one: of all that the site has, or of some products.
type NewCount struct {
	Site     *org.Site
	Staff    id.ID
	Products []id.ID // none: all
	ByBatch  bool
	Blind    bool
	Limit    money.Fen
	Note     string
}

// mostCounted lines of one count.
const mostCounted = 50_000

const (
	// All that a site has something of, by product or by batch; with products, only those.
	countProducts = `INSERT INTO stock_count_line (count_id, line_no, sku_id, batch_id, state, entries, book, counted, value_fen, decided_by, document_id)
SELECT CAST($1 AS BIGINT), ROW_NUMBER() OVER (ORDER BY p.code, k.id), k.id, 0, 1, 0, 0, 0, 0, 0, 0
FROM catalog_sku k JOIN catalog_product p ON p.id = k.product_id
WHERE EXISTS (SELECT 1 FROM stock_batch b WHERE b.site_id = $2 AND b.sku_id = k.id AND b.open = 1) OR EXISTS (SELECT 1 FROM stock_place o WHERE o.site_id = $2 AND o.sku_id = k.id AND o.open = 1)`
	countBatches = `INSERT INTO stock_count_line (count_id, line_no, sku_id, batch_id, state, entries, book, counted, value_fen, decided_by, document_id)
SELECT CAST($1 AS BIGINT), ROW_NUMBER() OVER (ORDER BY p.code, b.expires_at, b.id), b.sku_id, b.id, 1, 0, 0, 0, 0, 0, 0
FROM stock_batch b JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id
WHERE b.id IN (SELECT n.id FROM stock_batch n WHERE n.site_id = $2 AND n.open = 1 UNION SELECT o.batch_id FROM stock_place o WHERE o.site_id = $2 AND o.open = 1)`
)

var (
	someSKUs = db.NewMany(`SELECT k.id FROM catalog_sku k WHERE k.product_id IN (`, `?`, `) ORDER BY k.id`)
	hadHere  = db.NewMany(`SELECT b.id, b.sku_id FROM stock_batch b WHERE b.site_id = $1 AND b.sku_id IN (`, `?`, `) AND (b.open = 1
		OR EXISTS (SELECT 1 FROM stock_place o WHERE o.batch_id = b.id AND o.open = 1)) ORDER BY b.sku_id, b.expires_at, b.id`)
	insertCountLines = db.NewMany(`INSERT INTO stock_count_line (count_id, line_no, sku_id, batch_id, state, entries, book, counted, value_fen, decided_by, document_id) VALUES `,
		`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
)

// StartCount makes the list.
func StartCount(tx *db.Tx, n NewCount) (*Count, error) {
	if n.Limit < 0 || n.Limit > money.Max {
		return nil, ErrCost.At("limit_fen")
	}
	c := &Count{ID: id.New(), Site: n.Site.ID, Kind: "full", ByBatch: n.ByBatch, Blind: n.Blind, Limit: n.Limit, State: Counting, Note: n.Note, MadeAt: tx.Now(), ChangedAt: tx.Now()}
	if len(n.Products) > 0 {
		c.Kind = "cycle"
	}
	if err := tx.Exec(`INSERT INTO stock_count (id, site_id, kind, by_batch, blind, limit_fen, state, note, made_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
		c.ID, c.Site, c.Kind, c.ByBatch, c.Blind, c.Limit, c.State, c.Note, c.MadeAt); err != nil {
		return nil, err
	}
	var lines int64
	var err error
	switch {
	case len(n.Products) > 0:
		lines, err = c.list(tx, n.Products)
	case n.ByBatch:
		lines, err = tx.ExecN(countBatches, c.ID, c.Site)
	default:
		lines, err = tx.ExecN(countProducts, c.ID, c.Site)
	}
	switch {
	case err != nil:
		return nil, err
	case lines == 0:
		return nil, ErrCountEmpty
	case lines > mostCounted:
		return nil, ErrCountTooBig.With("most", mostCounted)
	}
	return c, c.step(tx, n.Staff, 0, "")
}

// list puts some products onto a cycle count.
func (c *Count) list(tx *db.Tx, products []id.ID) (int64, error) {
	if len(products) > maxLines {
		return 0, ErrCountTooBig.With("most", maxLines).At("product_ids")
	}
	args := make([]any, len(products))
	for i, p := range products {
		args[i] = int64(p)
	}
	var skus []any
	rows := tx.QueryMany(someSKUs, args...)
	for rows.Next() {
		var sku int64
		if err := rows.Scan(&sku); err != nil {
			return 0, err
		}
		skus = append(skus, sku)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	var lines []any
	n := int64(0)
	add := func(sku, batch int64) {
		n++
		lines = append(lines, int64(c.ID), n, sku, batch, int64(NotCounted), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0))
	}
	if !c.ByBatch {
		for _, sku := range skus {
			add(sku.(int64), 0)
		}
	} else if len(skus) > 0 {
		rows := tx.QueryMany(hadHere, append([]any{int64(c.Site)}, skus...)...)
		for rows.Next() {
			var batch, sku int64
			if err := rows.Scan(&batch, &sku); err != nil {
				return 0, err
			}
			add(sku, batch)
		}
		if err := rows.Err(); err != nil {
			return 0, err
		}
	}
	return n, tx.ExecMany(insertCountLines, lines...)
}

func (c *Count) step(tx *db.Tx, staff, document id.ID, note string) error {
	if err := trail(tx, c.ID, string(c.State), staff, document, note); err != nil {
		return err
	}
	return outbox.Emit(tx, outbox.Event{Type: EventCounted, Subject: c.ID, Site: c.Site, Body: CountBody{c.ID, c.Site, c.State}})
}

const countColumns = `SELECT id, site_id, kind, by_batch, blind, limit_fen, state, note, made_at, changed_at, posted_to FROM stock_count`

func (c *Count) scan(scan func(...any) error) error {
	return scan(&c.ID, &c.Site, &c.Kind, &c.ByBatch, &c.Blind, &c.Limit, &c.State, &c.Note, &c.MadeAt, &c.ChangedAt, &c.postedTo)
}

// CountByID reads a count; ErrNoCount when there is none.
func CountByID(tx *db.Tx, count id.ID) (*Count, error) {
	c := &Count{}
	err := c.scan(tx.QueryRow(countColumns+` WHERE id = $1`, count).Scan)
	if err == db.ErrNoRow {
		return nil, ErrNoCount
	}
	return c, err
}

// become takes the count from one of two states into another, by one conditional write.
func (c *Count) become(tx *db.Tx, to, from, orFrom CountState) error {
	c.State, c.ChangedAt = to, tx.Now()
	return tx.ExecExactly(1, ErrCountState, `UPDATE stock_count SET state = $1, changed_at = $2 WHERE id = $3 AND state IN ($4, $5)`, to, c.ChangedAt, c.ID, from, orFrom)
}

// AddLine puts one more product, or batch of a count by batches, on the list, and returns its line; it may be
// there already.
func (c *Count) AddLine(tx *db.Tx, sku, batch id.ID) (int64, error) {
	if (batch != 0) != c.ByBatch {
		return 0, ErrNoCountLine.At("batch_id")
	}
	var had int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM (SELECT 1 AS one FROM stock_batch WHERE site_id = $1 AND sku_id = $2 AND (CAST($3 AS BIGINT) = 0 OR id = $3) LIMIT 1) AS b`, c.Site, sku, batch).Scan(&had); err != nil {
		return 0, err
	}
	if had == 0 {
		return 0, ErrNeverHere
	}
	// Whoever adds has the count's row, so that no two lines get one number.
	if err := tx.ExecExactly(1, ErrCountState, `UPDATE stock_count SET changed_at = $1 WHERE id = $2 AND state = 'open'`, tx.Now(), c.ID); err != nil {
		return 0, err
	}
	if err := tx.Exec(`INSERT INTO stock_count_line (count_id, line_no, sku_id, batch_id, state, entries, book, counted, value_fen, decided_by, document_id)
		SELECT CAST($1 AS BIGINT), COALESCE((SELECT MAX(line_no) FROM stock_count_line WHERE count_id = $1), 0) + 1, CAST($2 AS BIGINT), CAST($3 AS BIGINT), 1, 0, 0, 0, 0, 0, 0
		WHERE NOT EXISTS (SELECT 1 FROM stock_count_line WHERE count_id = $1 AND sku_id = $2 AND batch_id = $3)`, c.ID, sku, batch); err != nil {
		return 0, err
	}
	var line int64
	return line, tx.QueryRow(`SELECT line_no FROM stock_count_line WHERE count_id = $1 AND sku_id = $2 AND batch_id = $3`, c.ID, sku, batch).Scan(&line)
}

// What the books say of a line at this moment: goods in whatever state, and what they are worth.
const bookOfLine = `SELECT COALESCE(SUM(x.q), 0), COALESCE(SUM(x.v), 0) FROM (
	SELECT a.posted_in - a.posted_out AS q, v.posted_in - v.posted_out AS v FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN ledger_account v ON v.id = b.value_id
	WHERE b.site_id = $1 AND b.sku_id = $2 AND b.open = 1 AND (CAST($3 AS BIGINT) = 0 OR b.id = $3)
	UNION ALL
	SELECT a.posted_in - a.posted_out, v.posted_in - v.posted_out FROM stock_place o JOIN ledger_account a ON a.id = o.id JOIN ledger_account v ON v.id = o.value_id
	WHERE o.site_id = $1 AND o.sku_id = $2 AND o.open = 1 AND (CAST($3 AS BIGINT) = 0 OR o.batch_id = $3)) AS x`

// Enter notes that somebody counted a line. His own last figure counts; when two people have counted and do
// not find the same difference, the line is to be counted again until two agree.
func (c *Count) Enter(tx *db.Tx, line int64, staff id.ID, counted qty.Qty) (LineState, error) {
	switch {
	case counted < 0:
		return 0, ErrCounted.At("qty")
	case counted > qty.Max:
		return 0, ErrQtyTooLarge.At("qty")
	}
	var sku, batch id.ID
	var entries int64
	var was LineState
	read := `SELECT sku_id, batch_id, entries, state FROM stock_count_line WHERE count_id = $1 AND line_no = $2`
	err := tx.QueryRow(read, c.ID, line).Scan(&sku, &batch, &entries, &was)
	if err == db.ErrNoRow {
		return 0, ErrNoCountLine
	}
	if err != nil {
		return 0, err
	}
	// The conditional write is the lock of the line: two people who count it at once come one after the other.
	if err := tx.ExecExactly(1, ErrCountLineDone, `UPDATE stock_count_line SET entries = entries + 1, state = 3 WHERE count_id = $1 AND line_no = $2 AND state <= 3
		AND EXISTS (SELECT 1 FROM stock_count c WHERE c.id = $1 AND c.state = 'open')`, c.ID, line); err != nil {
		return 0, err
	}
	if err := tx.QueryRow(read, c.ID, line).Scan(&sku, &batch, &entries, &was); err != nil {
		return 0, err
	}
	var book qty.Qty
	var worth money.Fen
	if err := tx.QueryRow(bookOfLine, c.Site, sku, batch).Scan(&book, &worth); err != nil {
		return 0, err
	}
	if err := tx.Exec(`INSERT INTO stock_count_entry (count_id, line_no, entry_no, counted, book, staff_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`, c.ID, line, entries, counted, book, staff, tx.Now()); err != nil {
		return 0, err
	}
	agreed, err := c.agreed(tx, line, staff, counted-book)
	if err != nil {
		return 0, err
	}
	state := CountAgain
	if agreed {
		state = IsCounted
	}
	value, err := c.worth(tx, sku, counted-book, book, worth)
	if err != nil {
		return 0, err
	}
	return state, tx.Exec(`UPDATE stock_count_line SET state = $1, counted = $2, book = $3, value_fen = $4 WHERE count_id = $5 AND line_no = $6`, state, counted, book, value, c.ID, line)
}

// agreed says whether nobody else counted the line, or somebody else found this difference too.
func (c *Count) agreed(tx *db.Tx, line int64, staff id.ID, diff qty.Qty) (bool, error) {
	rows := tx.Query(`SELECT staff_id, counted - book FROM stock_count_entry WHERE count_id = $1 AND line_no = $2 ORDER BY entry_no`, c.ID, line)
	last := map[id.ID]qty.Qty{}
	for rows.Next() {
		var who id.ID
		var d qty.Qty
		if err := rows.Scan(&who, &d); err != nil {
			return false, err
		}
		last[who] = d
	}
	delete(last, staff)
	for _, d := range last {
		if d == diff {
			return true, rows.Err()
		}
	}
	return len(last) == 0, rows.Err()
}

// worth is about what a difference is worth: at what the goods on the books cost, or cost last.
func (c *Count) worth(tx *db.Tx, sku id.ID, diff, book qty.Qty, value money.Fen) (money.Fen, error) {
	worth, of := int64(value), int64(book)
	if of <= 0 {
		err := tx.QueryRow(`SELECT v.posted_in, a.posted_in FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN ledger_account v ON v.id = b.value_id
			WHERE b.site_id = $1 AND b.sku_id = $2 AND a.posted_in > 0 ORDER BY b.received_at DESC, b.id DESC LIMIT 1`, c.Site, sku).Scan(&worth, &of)
		if err == db.ErrNoRow {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
	}
	n, err := money.MulDiv(worth, int64(max(diff, -diff)), of)
	if err != nil || money.Fen(n) > money.Max {
		return 0, ErrQtyTooLarge.At("qty").Wrap(fmt.Errorf("stock: what a difference of %d is worth: %w", diff, err))
	}
	if diff < 0 {
		n = -n
	}
	return money.Fen(n), nil
}

// Again sends lines back to be counted again, and opens the count for that.
func (c *Count) Again(tx *db.Tx, staff id.ID, lines []int64) error {
	if err := c.become(tx, Counting, Counting, Reviewing); err != nil {
		return err
	}
	for _, l := range slices.Sorted(slices.Values(lines)) {
		if err := tx.ExecExactly(1, ErrCountLineDone, `UPDATE stock_count_line SET state = 3, decided_by = 0 WHERE count_id = $1 AND line_no = $2 AND state IN (2, 3, 4)`, c.ID, l); err != nil {
			return err
		}
	}
	return c.step(tx, staff, 0, "")
}

// Review ends the counting.
func (c *Count) Review(tx *db.Tx, staff id.ID) error {
	if err := c.become(tx, Reviewing, Counting, Counting); err != nil {
		return err
	}
	return c.step(tx, staff, 0, "")
}

// Drop ends a count of which nothing is posted.
func (c *Count) Drop(tx *db.Tx, staff id.ID, note string) error {
	if err := c.become(tx, CountDropped, Counting, Reviewing); err != nil {
		return err
	}
	return c.step(tx, staff, 0, note)
}

// Approve lets differences pass. Nobody approves what he counted himself.
func (c *Count) Approve(tx *db.Tx, staff id.ID, lines []int64) error {
	for _, l := range slices.Sorted(slices.Values(lines)) {
		if err := tx.ExecExactly(1, ErrOwnCount, `UPDATE stock_count_line SET state = 4, decided_by = $1 WHERE count_id = $2 AND line_no = $3 AND state = 2
			AND NOT EXISTS (SELECT 1 FROM stock_count_entry e WHERE e.count_id = $2 AND e.line_no = $3 AND e.staff_id = $1)`, staff, c.ID, l); err != nil {
			return err
		}
	}
	return trail(tx, c.ID, "approved", staff, 0, fmt.Sprint(len(lines)))
}

// countSums is how a count stands: lines by state, those with a difference above the limit that nobody has
// approved, and what the differences are worth.
const countSums = `SELECT COUNT(*), COALESCE(SUM(CASE WHEN state = 1 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 3 THEN 1 ELSE 0 END), 0),
	COALESCE(SUM(CASE WHEN state = 2 AND (value_fen > $1 OR value_fen < -$1) AND counted <> book THEN 1 ELSE 0 END), 0),
	COALESCE(SUM(CASE WHEN state IN (5, 6) THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 6 THEN 1 ELSE 0 END), 0),
	COALESCE(SUM(CASE WHEN state IN (2, 3, 4, 5) AND counted <> book THEN 1 ELSE 0 END), 0),
	COALESCE(SUM(CASE WHEN state IN (2, 4, 5) AND value_fen > 0 THEN value_fen ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state IN (2, 4, 5) AND value_fen < 0 THEN value_fen ELSE 0 END), 0)
FROM stock_count_line WHERE count_id = $2`

// CountSums is how a count stands.
type CountSums struct {
	Lines      int64     `json:"lines"`
	Open       int64     `json:"not_counted"`
	Again      int64     `json:"count_again"`
	Unapproved int64     `json:"unapproved" doc:"differences above the limit that somebody else must approve"`
	Posted     int64     `json:"posted"`
	Failed     int64     `json:"not_posted" doc:"less was free than is missing; count them again"`
	Different  int64     `json:"different"`
	GainFen    money.Fen `json:"gain_fen"`
	LossFen    money.Fen `json:"loss_fen" doc:"below 0"`
}

// Sums reads how the count stands.
func (c *Count) Sums(tx *db.Tx) (s CountSums, err error) {
	err = tx.QueryRow(countSums, c.Limit, c.ID).Scan(&s.Lines, &s.Open, &s.Again, &s.Unapproved, &s.Posted, &s.Failed, &s.Different, &s.GainFen, &s.LossFen)
	return s, err
}

// CountJob posts a count.
const CountJob = "stock.count"

type countArgs struct {
	Count id.ID `json:"count_id"`
	Staff id.ID `json:"staff_id"`
}

// Post lets a job bring the books to what was counted. What nobody counted is left as it is when leave says so.
func (c *Count) Post(tx *db.Tx, staff id.ID, leave bool) (id.ID, error) {
	if err := c.become(tx, Posting, Reviewing, Reviewing); err != nil {
		return 0, err
	}
	s, err := c.Sums(tx)
	switch {
	case err != nil:
		return 0, err
	case s.Again > 0:
		return 0, ErrDisputed.With("n", s.Again)
	case s.Unapproved > 0:
		return 0, ErrUnapproved.With("n", s.Unapproved)
	case s.Open > 0 && !leave:
		return 0, ErrNotCounted.With("n", s.Open)
	}
	if err := c.step(tx, staff, 0, ""); err != nil {
		return 0, err
	}
	return jobs.Enqueue(tx, jobs.Job{Kind: CountJob, Args: countArgs{c.ID, staff}, Key: CountJob + ":" + c.ID.String()})
}

// Jobs registers the posting of counts, and the end of promises whose time has passed.
func Jobs(r *jobs.Runner) {
	r.Handle(CountJob, postCount)
	r.Handle(PromiseJob, freeOverdue)
	r.Every(PromiseJob, time.Minute, nil)
}

func postCount(ctx context.Context, run *jobs.Run) error {
	var args countArgs
	if err := run.Args(&args); err != nil {
		return err
	}
	var sums CountSums
	for done := false; !done; {
		err := run.DB().Write(ctx, func(tx *db.Tx) error {
			c, err := CountByID(tx, args.Count)
			if err != nil {
				return err
			}
			if done, err = c.PostStep(tx, args.Staff); err != nil {
				return err
			}
			return run.Save(tx, c.postedTo)
		})
		if err != nil {
			return err
		}
		err = run.DB().Read(ctx, func(tx *db.Tx) error { // beside the tills
			c, err := CountByID(tx, args.Count)
			if err == nil {
				sums, err = c.Sums(tx)
			}
			return err
		})
		if err != nil {
			return err
		}
		run.Progress(ctx, sums.Posted, sums.Lines-sums.Open, "")
	}
	return nil
}

// postStep lines are posted in one transaction: tills come in between, and wait for no more than that.
const postStep = 100

const toPost = `SELECT line_no, sku_id, batch_id, counted - book FROM stock_count_line WHERE count_id = $1 AND line_no > $2 AND state IN (2, 4) AND counted <> book ORDER BY line_no LIMIT $3`

// The batches that may serve the lines of products: what is on the books, the first to expire first; and the one
// that came last, for what was found and nothing is on the books.
var servingLots = db.NewMany(`SELECT b.id, b.sku_id FROM stock_batch b WHERE b.site_id = $1 AND b.open = 1 AND b.sku_id IN (`, `?`, `) ORDER BY b.sku_id, b.expires_at, b.id`)

const lastLot = `SELECT id FROM stock_batch WHERE site_id = $1 AND sku_id = $2 ORDER BY received_at DESC, id DESC LIMIT 1`

var postedLines = db.NewMany(`UPDATE stock_count_line SET state = v.column3, document_id = v.column4 FROM (VALUES `, `(BIGINT, BIGINT, SMALLINT, BIGINT)`,
	`) AS v WHERE stock_count_line.count_id = v.column1 AND stock_count_line.line_no = v.column2 AND stock_count_line.state IN (2, 4)`)

// PostStep posts the next lines of a count as one document and says whether that was all. A step that is
// repeated finds nothing to do.
func (c *Count) PostStep(tx *db.Tx, staff id.ID) (done bool, err error) {
	if c.State != Posting {
		return true, nil
	}
	type line struct {
		no         int64
		sku, batch id.ID
		diff       qty.Qty
	}
	others, err := c.beside(tx)
	if err != nil {
		return false, err
	}
	var lines []line
	var skus []any
	rows := tx.Query(toPost, c.ID, c.postedTo, postStep)
	for rows.Next() {
		var l line
		if err := rows.Scan(&l.no, &l.sku, &l.batch, &l.diff); err != nil {
			return false, err
		}
		lines = append(lines, l)
		if l.batch == 0 {
			skus = append(skus, int64(l.sku))
		}
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	if len(lines) == 0 {
		if err := tx.Exec(`UPDATE stock_count_line SET state = 5 WHERE count_id = $1 AND state IN (2, 4)`, c.ID); err != nil { // as on the books
			return false, err
		}
		if err := c.become(tx, Posted, Posting, Posting); err != nil {
			return false, err
		}
		return true, c.step(tx, staff, 0, "")
	}
	c.postedTo = lines[len(lines)-1].no
	if err := tx.ExecExactly(1, ErrCountState, `UPDATE stock_count SET posted_to = $1 WHERE id = $2 AND state = 'posting'`, c.postedTo, c.ID); err != nil {
		return false, err
	}
	site, err := org.SiteByID(tx, c.Site)
	if err != nil {
		return false, err
	}
	serving := map[id.ID][]id.ID{}
	var all []id.ID
	if len(skus) > 0 {
		rows := tx.QueryMany(servingLots, append([]any{int64(c.Site)}, skus...)...)
		for rows.Next() {
			var batch, sku id.ID
			if err := rows.Scan(&batch, &sku); err != nil {
				return false, err
			}
			serving[sku] = append(serving[sku], batch)
		}
		if err := rows.Err(); err != nil {
			return false, err
		}
	}
	for _, l := range lines {
		switch {
		case l.batch != 0:
			all = append(all, l.batch)
		case len(serving[l.sku]) == 0:
			var batch id.ID
			if err := tx.QueryRow(lastLot, c.Site, l.sku).Scan(&batch); err != nil {
				return false, err
			}
			serving[l.sku] = []id.ID{batch}
		}
		all = append(all, serving[l.sku]...)
	}
	d := Header{Site: site, Staff: staff, Note: c.Note}.document(tx, CountDoc, "count")
	d.Cause = c.ID
	m := newMove(c.Site)
	if err := m.lockLots(tx, all); err != nil {
		return false, err
	}
	var args []any
	for _, l := range lines {
		lots := serving[l.sku]
		if l.batch != 0 {
			lots = []id.ID{l.batch}
		}
		state, document := LinePosted, d.ID
		ok, err := d.counted(tx, m, lots, l.diff)
		if err != nil {
			return false, err
		}
		if !ok {
			state, document = NotPosted, 0
		}
		args = append(args, int64(c.ID), l.no, int64(state), int64(document))
	}
	if err := tx.ExecMany(postedLines, args...); err != nil {
		return false, err
	}
	if len(d.Lines) == 0 {
		return false, nil
	}
	if err := d.book(tx, m, EventAdjusted); err != nil {
		return false, err
	}
	return false, c.setRight(tx, others, d)
}

// counted books a difference over the batches of a line: what is missing is taken from the first to expire, as it was
// most likely sold or thrown away without a note; what was found goes to the last to expire. It is not
// booked when less is free than is missing.
func (d *Document) counted(tx *db.Tx, m *move, lots []id.ID, diff qty.Qty) (bool, error) {
	if diff > 0 {
		return true, d.gain(m, len(d.Lines), Issue{lots[len(lots)-1], diff})
	}
	free := qty.Qty(0)
	for _, b := range lots {
		free += max(0, m.lots[b].free)
	}
	rest := -diff
	if free < rest {
		return false, nil
	}
	for _, b := range lots {
		if n := min(rest, m.lots[b].free); n > 0 {
			if err := d.issue(tx, m, len(d.Lines), Issue{b, n}, Lost, LossValue); err != nil {
				return false, err
			}
			rest -= n
		}
	}
	return true, nil
}
