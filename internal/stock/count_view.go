package stock

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// CountView is a stock count on the wire.
type CountView struct {
	ID        id.ID      `json:"id"`
	SiteID    id.ID      `json:"site_id"`
	Kind      string     `json:"kind" enum:"full,cycle"`
	ByBatch   bool       `json:"by_batch"`
	Blind     bool       `json:"blind" doc:"whoever counts does not see what the books say"`
	LimitFen  money.Fen  `json:"limit_fen" doc:"a difference worth more needs the approval of somebody who did not count it"`
	State     CountState `json:"state" enum:"open,review,posting,posted,cancelled"`
	Note      string     `json:"note"`
	MadeAt    string     `json:"made_at"`
	ChangedAt string     `json:"changed_at"`
	Sums      CountSums  `json:"sums"`
	JobID     id.ID      `json:"job_id" doc:"that posts it, in the answer that starts it; else empty"`
	Trail     []StepView `json:"trail" doc:"only of a single one"`
}

// CountLineView is a line of it, in the base unit. In a blind count, book, diff and value are 0 for those who may
// not approve, while it is open.
type CountLineView struct {
	No        int64     `json:"line_no"`
	ProductID id.ID     `json:"product_id"`
	Code      string    `json:"code"`
	Product   string    `json:"product"`
	Unit      string    `json:"unit"`
	BatchID   id.ID     `json:"batch_id" doc:"empty: the product with all its batches"`
	Batch     string    `json:"batch"`
	State     string    `json:"state" enum:"not_counted,counted,count_again,approved,posted,not_posted"`
	Entries   int64     `json:"entries" doc:"how often it was counted"`
	Counted   qty.Qty   `json:"counted"`
	Book      qty.Qty   `json:"book" doc:"what the books said at the moment it was counted"`
	Diff      qty.Qty   `json:"diff"`
	ValueFen  money.Fen `json:"value_fen" doc:"about what the difference is worth"`
	Document  id.ID     `json:"document_id" doc:"that posted it; empty: none"`
}

// CountIn starts a count.
type CountIn struct {
	SiteID   id.ID     `json:"site_id"`
	Products []id.ID   `json:"product_ids,omitempty" maxItems:"500" doc:"all that the site has when left out"`
	ByBatch  bool      `json:"by_batch,omitempty"`
	Blind    bool      `json:"blind,omitempty"`
	LimitFen money.Fen `json:"limit_fen,omitempty" minimum:"0"`
	Note     string    `json:"note,omitempty" maxLength:"200"`
}

// CountSearch is the input of the list of counts.
type CountSearch struct {
	web.Paging
	SiteID id.ID  `query:"site_id" required:"true"`
	State  string `query:"state" enum:",open,review,posting,posted,cancelled"`
}

// CountLineSearch is the input of the list of lines.
type CountLineSearch struct {
	web.Paging
	ID        id.ID  `path:"id"`
	State     string `query:"state" enum:",not_counted,counted,count_again,approved,posted,not_posted"`
	Different bool   `query:"different" doc:"only those with a difference"`
	ProductID id.ID  `query:"product_id"`
}

const (
	listCounts     = countColumns + ` WHERE site_id = $1 AND (CAST($2 AS TEXT) = '' OR state = $2) AND id < $3 ORDER BY id DESC LIMIT $4`
	countLineTable = `SELECT l.line_no, k.product_id, p.code, p.name, p.base_unit, l.batch_id, COALESCE(b.code, ''), l.state, l.entries, l.counted, l.book, l.value_fen, l.document_id
FROM stock_count_line l JOIN catalog_sku k ON k.id = l.sku_id JOIN catalog_product p ON p.id = k.product_id LEFT JOIN stock_batch b ON b.id = l.batch_id WHERE l.count_id = $1 `
	listCountLines = countLineTable + `AND l.line_no > $2 AND (CAST($3 AS BIGINT) = 0 OR l.state = $3) AND (CAST($4 AS BIGINT) = 0 OR l.counted <> l.book AND l.state <> 1)
	AND (CAST($5 AS BIGINT) = 0 OR k.product_id = $5) ORDER BY l.line_no LIMIT $6`
	oneCountLine = countLineTable + `AND l.line_no = $2`
)

func lineStateOf(name string) LineState {
	for i, s := range LineStates {
		if s == name {
			return LineState(i + 1)
		}
	}
	return 0
}

func (l *CountLineView) scan(scan func(...any) error, hidden bool) error {
	var state LineState
	if err := scan(&l.No, &l.ProductID, &l.Code, &l.Product, &l.Unit, &l.BatchID, &l.Batch, &state, &l.Entries, &l.Counted, &l.Book, &l.ValueFen, &l.Document); err != nil {
		return err
	}
	l.State = state.String()
	if state != NotCounted {
		l.Diff = l.Counted - l.Book
	}
	if hidden {
		l.Book, l.Diff, l.ValueFen = 0, 0, 0
	}
	return nil
}

// hides says whether the caller must not see what the books say.
func (c *Count) hides(ctx context.Context) bool {
	_, err := org.SiteFor(ctx, "stock.approve", c.Site)
	return c.Blind && c.State == Counting && err != nil
}

// countFor reads a count that the caller may see or act on.
func countFor(ctx context.Context, tx *db.Tx, perm string, count id.ID) (*Count, *org.Site, error) {
	c, err := CountByID(tx, count)
	if err != nil {
		return nil, nil, err
	}
	site, err := org.SiteFor(ctx, perm, c.Site)
	if err != nil {
		return nil, nil, ErrNoCount
	}
	return c, site, nil
}

func showCount(tx *db.Tx, c *Count, site *org.Site, hidden bool) (*CountView, error) {
	v := &CountView{ID: c.ID, SiteID: c.Site, Kind: c.Kind, ByBatch: c.ByBatch, Blind: c.Blind, LimitFen: c.Limit, State: c.State, Note: c.Note,
		MadeAt: shown(c.MadeAt, site), ChangedAt: shown(c.ChangedAt, site), Trail: []StepView{}}
	var err error
	if v.Sums, err = c.Sums(tx); hidden {
		v.Sums.Different, v.Sums.Unapproved, v.Sums.GainFen, v.Sums.LossFen = 0, 0, 0, 0
	}
	return v, err
}

func countAct(ctx context.Context, tx *db.Tx, perm string, count id.ID, act func(c *Count, staff id.ID) error) (*CountView, error) {
	c, site, err := countFor(ctx, tx, perm, count)
	if err != nil {
		return nil, err
	}
	if err := act(c, org.CallerOf(ctx).ID); err != nil {
		return nil, err
	}
	v, err := showCount(tx, c, site, c.hides(ctx))
	if err != nil {
		return nil, err
	}
	v.Trail, err = showTrail(tx.Query(trailView, c.ID), site)
	return v, err
}

// CountedIn is how much of a product somebody found.
type CountedIn struct {
	ProductID id.ID   `json:"product_id"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
}

// enterGoods notes how much there is of several products and returns their lines in the order of what was said.
func (c *Count) enterGoods(tx *db.Tx, staff id.ID, in []CountedIn) ([]int64, error) {
	products := make([]id.ID, len(in))
	for i, l := range in {
		if slices.Contains(products[:i], l.ProductID) {
			return nil, ErrCountTwice.At(field(i, "product_id"))
		}
		products[i] = l.ProductID
	}
	units, err := unitsOf(tx, productUnits, products)
	if err != nil {
		return nil, err
	}
	lines, found, order := make([]int64, len(in)), make([]qty.Qty, len(in)), make([]int, len(in))
	for i, l := range in {
		goods := units[l.ProductID]
		if goods == nil {
			return nil, ErrNoSKU.At(field(i, "product_id"))
		}
		if found[i], err = goods.toBase(i, l.Qty, l.Unit); err != nil {
			return nil, err
		}
		if !goods.whole(found[i]) {
			return nil, ErrCountPieces.At(field(i, "qty"))
		}
		if lines[i], err = c.AddLine(tx, goods.sku, 0); err != nil {
			return nil, errs.As(err).At(field(i, "product_id"))
		}
		order[i] = i
	}
	// Lines are locked by rising number, like by anybody else who counts several.
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(lines[a], lines[b]) })
	for _, i := range order {
		if _, err := c.Enter(tx, lines[i], staff, found[i]); err != nil {
			return nil, atQty(err, i)
		}
	}
	return lines, nil
}

func countRoutes(api *web.API) {
	const path = "/api/stock/counts"
	type one struct {
		ID id.ID `path:"id"`
	}
	type some struct {
		ID   id.ID `path:"id"`
		Body struct {
			Lines []int64 `json:"lines" minItems:"1" maxItems:"500"`
		}
	}
	web.Get(api, web.Route{Path: path, Name: "list-counts", Summary: "The stock counts of a site, newest first", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *CountSearch) (*web.Page[CountView], error) {
			site, err := org.SiteFor(ctx, "stock.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			before := id.ID(1<<63 - 1)
			if _, err := in.Seek(&before); err != nil {
				return nil, err
			}
			var counts []Count
			rows := tx.Query(listCounts, in.SiteID, in.State, before, in.Limit+1)
			for rows.Next() {
				var c Count
				if err := c.scan(rows.Scan); err != nil {
					return nil, err
				}
				counts = append(counts, c)
			}
			if err := rows.Err(); err != nil {
				return nil, err
			}
			var all []CountView
			for i := range counts {
				v, err := showCount(tx, &counts[i], site, counts[i].hides(ctx))
				if err != nil {
					return nil, err
				}
				all = append(all, *v)
			}
			return web.PageOf(in.Paging, all, func(v CountView) string { return web.Cursor(v.ID) }), nil
		})
	web.Get(api, web.Route{Path: path + "/{id}", Name: "get-count", Summary: "A stock count and how it stands", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *one) (*CountView, error) {
			return countAct(ctx, tx, "stock.read", in.ID, func(*Count, id.ID) error { return nil })
		})
	web.Get(api, web.Route{Path: path + "/{id}/lines", Name: "list-count-lines", Summary: "The lines of a stock count", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *CountLineSearch) (*web.Page[CountLineView], error) {
			c, _, err := countFor(ctx, tx, "stock.read", in.ID)
			if err != nil {
				return nil, err
			}
			var after int64
			if _, err := in.Seek(&after); err != nil {
				return nil, err
			}
			hidden := c.hides(ctx)
			rows := tx.Query(listCountLines, c.ID, after, lineStateOf(in.State), in.Different && !hidden, in.ProductID, in.Limit+1)
			var all []CountLineView
			for rows.Next() {
				var l CountLineView
				if err := l.scan(rows.Scan, hidden); err != nil {
					return nil, err
				}
				all = append(all, l)
			}
			return web.PageOf(in.Paging, all, func(l CountLineView) string { return web.Cursor(l.No) }), rows.Err()
		})
	web.Post(api, web.Route{Path: path, Name: "start-count", Summary: "Start a stock count", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body CountIn }) (*CountView, error) {
			site, err := org.SiteFor(ctx, "stock.manage", in.Body.SiteID)
			if err != nil {
				return nil, err
			}
			c, err := StartCount(tx, NewCount{Site: site, Staff: org.CallerOf(ctx).ID, Products: in.Body.Products, ByBatch: in.Body.ByBatch, Blind: in.Body.Blind,
				Limit: in.Body.LimitFen, Note: in.Body.Note})
			if err != nil {
				return nil, err
			}
			return showCount(tx, c, site, c.hides(ctx))
		})
	web.Post(api, web.Route{Path: path + "/{id}/lines", Name: "add-count-line", Summary: "Put one more product on the list; it may be there already", Perm: "stock.count", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				ProductID id.ID `json:"product_id"`
				BatchID   id.ID `json:"batch_id,omitempty"`
			}
		}) (*CountLineView, error) {
			c, _, err := countFor(ctx, tx, "stock.count", in.ID)
			if err != nil {
				return nil, err
			}
			units, err := unitsOf(tx, productUnits, []id.ID{in.Body.ProductID})
			if err != nil {
				return nil, err
			}
			goods := units[in.Body.ProductID]
			if goods == nil {
				return nil, ErrNoSKU.At("product_id")
			}
			line, err := c.AddLine(tx, goods.sku, in.Body.BatchID)
			if err != nil {
				return nil, err
			}
			v := &CountLineView{}
			return v, v.scan(tx.QueryRow(oneCountLine, c.ID, line).Scan, c.hides(ctx))
		})
	web.Post(api, web.Route{Path: path + "/{id}/lines/{line}/entries", Name: "count-line", Summary: "Say how much is there", Perm: "stock.count", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Line int64 `path:"line"`
			Body struct {
				Qty  qty.Qty `json:"qty"`
				Unit string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
			}
		}) (*CountLineView, error) {
			c, _, err := countFor(ctx, tx, "stock.count", in.ID)
			if err != nil {
				return nil, err
			}
			v := &CountLineView{}
			err = v.scan(tx.QueryRow(oneCountLine, c.ID, in.Line).Scan, false)
			if err == db.ErrNoRow {
				err = ErrNoCountLine
			}
			if err != nil {
				return nil, err
			}
			units, err := unitsOf(tx, productUnits, []id.ID{v.ProductID})
			if err != nil {
				return nil, err
			}
			q := in.Body.Qty
			if goods := units[v.ProductID]; goods != nil {
				if q, err = goods.toBase(0, q, in.Body.Unit); err != nil {
					at := "qty"
					if errors.Is(err, ErrNoUnit) {
						at = "unit"
					}
					return nil, errs.As(err).At(at)
				}
				if !goods.whole(q) {
					return nil, ErrCountPieces.At("qty")
				}
			}
			if _, err := c.Enter(tx, in.Line, org.CallerOf(ctx).ID, q); err != nil {
				return nil, err
			}
			return v, v.scan(tx.QueryRow(oneCountLine, c.ID, in.Line).Scan, c.hides(ctx))
		})
	web.Post(api, web.Route{Path: path + "/{id}/entries", Name: "count-goods", Summary: "Say how much is there of several products, all or none; what is not on the list yet is put on it", Perm: "stock.count", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Lines []CountedIn `json:"lines" minItems:"1" maxItems:"200"`
			}
		}) (*web.Page[CountLineView], error) {
			c, _, err := countFor(ctx, tx, "stock.count", in.ID)
			if err != nil {
				return nil, err
			}
			lines, err := c.enterGoods(tx, org.CallerOf(ctx).ID, in.Body.Lines)
			if err != nil {
				return nil, err
			}
			out := &web.Page[CountLineView]{Items: make([]CountLineView, len(lines))}
			asked := make([]*db.Row, len(lines)) // together: one round trip
			for i, line := range lines {
				asked[i] = tx.QueryRow(oneCountLine, c.ID, line)
			}
			for i := range asked {
				if err := out.Items[i].scan(asked[i].Scan, c.hides(ctx)); err != nil {
					return nil, err
				}
			}
			return out, nil
		})
	web.Post(api, web.Route{Path: path + "/{id}/review", Name: "review-count", Summary: "End the counting and look at the differences", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *one) (*CountView, error) {
			return countAct(ctx, tx, "stock.manage", in.ID, func(c *Count, staff id.ID) error { return c.Review(tx, staff) })
		})
	web.Post(api, web.Route{Path: path + "/{id}/again", Name: "recount-lines", Summary: "Have lines counted again", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *some) (*CountView, error) {
			return countAct(ctx, tx, "stock.manage", in.ID, func(c *Count, staff id.ID) error { return c.Again(tx, staff, in.Body.Lines) })
		})
	web.Post(api, web.Route{Path: path + "/{id}/approve", Name: "approve-count-lines", Summary: "Approve differences that somebody else counted", Perm: "stock.approve", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *some) (*CountView, error) {
			return countAct(ctx, tx, "stock.approve", in.ID, func(c *Count, staff id.ID) error { return c.Approve(tx, staff, in.Body.Lines) })
		})
	web.Post(api, web.Route{Path: path + "/{id}/post", Name: "post-count", Summary: "Bring the books to what was counted", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Leave bool `json:"leave_uncounted,omitempty" doc:"what nobody counted stays as it is"`
			}
		}) (*CountView, error) {
			var job id.ID
			v, err := countAct(ctx, tx, "stock.manage", in.ID, func(c *Count, staff id.ID) (err error) {
				job, err = c.Post(tx, staff, in.Body.Leave)
				return err
			})
			if err == nil {
				v.JobID = job
			}
			return v, err
		})
	web.Post(api, web.Route{Path: path + "/{id}/cancel", Name: "cancel-count", Summary: "Cancel a stock count", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Note string `json:"note,omitempty" maxLength:"200"`
			}
		}) (*CountView, error) {
			return countAct(ctx, tx, "stock.manage", in.ID, func(c *Count, staff id.ID) error { return c.Drop(tx, staff, in.Body.Note) })
		})
}
