package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"zhanggui/internal/clear"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// windows knows from when goods of each product are cleared, by the rules that hold for their categories.
type windows struct {
	rules    *clear.Policies
	category map[id.ID]id.ID
}

func windowsOf(tx *db.Tx) (*windows, error) {
	rules, err := clear.LoadPolicies(tx)
	if err != nil {
		return nil, err
	}
	w := &windows{rules, map[id.ID]id.ID{}}
	rows := tx.Query(`SELECT id, COALESCE(category_id, 0) FROM catalog_product`)
	defer rows.Close()
	for rows.Next() {
		var product, category id.ID
		if err := rows.Scan(&product, &category); err != nil {
			return nil, err
		}
		w.category[product] = category
	}
	return w, rows.Err()
}

// before tells whether at is before the clearance window of a batch.
func (w *windows) before(product id.ID, received, expires, at time.Time) bool {
	if expires.IsZero() {
		return true
	}
	policy := w.rules.Of(w.category[product])
	begins, _, ok := policy.Rule(0, 1).Window(received, expires)
	return !ok || at.Before(begins)
}

// Cleared is what markdowns did with batches that end on a day.
type Cleared struct {
	Batches    int64    `json:"batches" doc:"marked down, ending on this day"`
	OfferedFen int64    `json:"offered_fen" doc:"what was left of them at their first markdown, at the full price"`
	SoldFen    int64    `json:"sold_fen" doc:"taken for them at the lower price, less what was given back"`
	FullFen    int64    `json:"full_fen" doc:"the same goods at the full price"`
	LostFen    int64    `json:"lost_fen" doc:"cost of what was left of them and written off"`
	SoldRate   *float64 `json:"sold_rate" doc:"full_fen ÷ offered_fen"`
}

func (c *Cleared) join(o Cleared) {
	c.Batches += o.Batches
	c.OfferedFen += o.OfferedFen
	c.SoldFen += o.SoldFen
	c.FullFen += o.FullFen
	c.LostFen += o.LostFen
	c.SoldRate = ratio(c.FullFen, c.OfferedFen)
}

// ClearedBatch is one of them, quantities in the base unit.
type ClearedBatch struct {
	BatchID    id.ID     `json:"batch_id"`
	Code       string    `json:"code"`
	SiteID     id.ID     `json:"site_id"`
	SiteName   string    `json:"site_name"`
	ProductID  id.ID     `json:"product_id"`
	Name       string    `json:"name"`
	Unit       string    `json:"unit" enum:"g,ml,piece"`
	ExpiresAt  time.Time `json:"expires_at"`
	Phase      string    `json:"phase" enum:"full_price,markdown,free_one,expired"`
	FirstLeft  qty.Qty   `json:"first_left" doc:"at its first markdown"`
	OfferedFen int64     `json:"offered_fen" doc:"first_left at the full price"`
	Sold       qty.Qty   `json:"sold" doc:"at a lower price, less what came back"`
	SoldFen    int64     `json:"sold_fen"`
	FullFen    int64     `json:"full_fen" doc:"the same at the full price"`
	Lost       qty.Qty   `json:"lost" doc:"written off"`
	LostFen    int64     `json:"lost_fen" doc:"at cost"`
}

// Quantities of clear_markdown are of the sales unit.
var (
	clearedBatches = db.NewMany(`SELECT m.batch_id, b.code, m.site_id, m.product_id, p.name, p.base_unit, m.expires_at, m.phase, m.list_fen, m.first_left, u.num, u.den, m.lost_qty, m.lost_fen
	FROM clear_markdown m JOIN stock_batch b ON b.id = m.batch_id JOIN catalog_product p ON p.id = m.product_id JOIN catalog_unit u ON u.id = m.unit_id
	WHERE m.step_id > 0 AND m.expires_at >= $1 AND m.expires_at < $2 AND m.site_id IN (`, `?`, `)`)
	clearedSales = db.NewMany(`SELECT c.batch_id, l.base_qty, l.amount_fen, l.amount_fen + l.off_fen,
		COALESCE((SELECT SUM(b.base_qty) FROM till_refund f JOIN till_refund_line b ON b.refund_id = f.id WHERE f.sale_id = l.sale_id AND b.line_no = l.line_no), 0),
		COALESCE((SELECT SUM(b.amount_fen) FROM till_refund f JOIN till_refund_line b ON b.refund_id = f.id WHERE f.sale_id = l.sale_id AND b.line_no = l.line_no), 0)
	FROM clear_markdown m JOIN clear_step c ON c.batch_id = m.batch_id AND c.changed = 1 JOIN till_line l ON l.markdown_id = c.id AND l.markdown_id > 0 JOIN till_sale s ON s.id = l.sale_id AND s.state = 'paid'
	WHERE m.step_id > 0 AND m.expires_at >= $1 AND m.expires_at < $2 AND m.site_id IN (`, `?`, `)`)
)

// cleared finds the batches on markdown that end on a date at the sites, the site's own business date where none is named.
func cleared(tx *db.Tx, sites []*org.Site, date cal.Date) ([]ClearedBatch, error) {
	if len(sites) == 0 {
		return nil, nil
	}
	type span struct {
		site     *org.Site
		from, to time.Time
	}
	by := map[id.ID]span{}
	var from, to time.Time
	args := []any{nil, nil}
	for _, s := range sites {
		on := date
		if on == "" {
			on = s.BusinessDate(tx.Now())
		}
		w := span{s, s.Begins(on), s.Begins(on.AddDays(1))}
		by[s.ID] = w
		if from.IsZero() || w.from.Before(from) {
			from = w.from
		}
		to = latest(to, w.to)
		args = append(args, s.ID)
	}
	args[0], args[1] = from, to
	rows, sold := tx.QueryMany(clearedBatches, args...), tx.QueryMany(clearedSales, args...)
	defer rows.Close()
	defer sold.Close()
	var all []ClearedBatch
	at := map[id.ID]int{}
	for rows.Next() {
		var b ClearedBatch
		var list, num, den, lost int64
		var first qty.Qty
		if err := rows.Scan(&b.BatchID, &b.Code, &b.SiteID, &b.ProductID, &b.Name, &b.Unit, &b.ExpiresAt, &b.Phase, &list, &first, &num, &den, &lost, &b.LostFen); err != nil {
			return nil, err
		}
		w := by[b.SiteID]
		if b.ExpiresAt.Before(w.from) || !b.ExpiresAt.Before(w.to) {
			continue
		}
		b.SiteName, b.ExpiresAt = w.site.Name, b.ExpiresAt.In(w.site.Location())
		var err error
		if b.OfferedFen, err = money.MulDiv(list, int64(first), qty.Scale); err != nil {
			return nil, err
		}
		unit := qty.Unit{Num: num, Den: den}
		if b.FirstLeft, err = unit.ToBase(first); err != nil {
			return nil, err
		}
		b.Lost = qty.Qty(lost)
		at[b.BatchID] = len(all)
		all = append(all, b)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for sold.Next() {
		var batch id.ID
		var q, back, paid, given, full int64
		if err := sold.Scan(&batch, &q, &paid, &full, &back, &given); err != nil {
			return nil, err
		}
		i, ok := at[batch]
		if !ok {
			continue
		}
		stays, err := money.MulDiv(full, q-back, q)
		if err != nil {
			return nil, err
		}
		b := &all[i]
		b.Sold += qty.Qty(q - back)
		b.SoldFen += paid - given
		b.FullFen += stays
	}
	if err := sold.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(x, y ClearedBatch) int {
		return cmp.Or(cmp.Compare(y.LostFen, x.LostFen), cmp.Compare(y.OfferedFen, x.OfferedFen), cmp.Compare(x.BatchID, y.BatchID))
	})
	return all, nil
}

// clearedBySite adds the batches up.
func clearedBySite(all []ClearedBatch) map[id.ID]Cleared {
	by := map[id.ID]Cleared{}
	for _, b := range all {
		c := by[b.SiteID]
		c.join(Cleared{Batches: 1, OfferedFen: b.OfferedFen, SoldFen: b.SoldFen, FullFen: b.FullFen, LostFen: b.LostFen})
		by[b.SiteID] = c
	}
	return by
}

// ClearedIn chooses a day and sites.
type ClearedIn struct {
	web.Paging
	SiteID id.ID    `query:"site_id" doc:"left out: every site within reach"`
	Date   cal.Date `query:"date" doc:"business date; left out: today"`
}

func (s *Service) clearanceRoute(api *web.API) {
	web.Get(api, web.Route{Path: "/api/report/clearance", Name: "report-clearance", Summary: "The batches on markdown that end on a day, the greatest loss first", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *ClearedIn) (*web.Page[ClearedBatch], error) {
			var skip int
			if _, err := in.Seek(&skip); err != nil {
				return nil, err
			}
			sites, err := sitesFor(ctx, tx, in.SiteID)
			if err != nil {
				return nil, err
			}
			if err := checkDate(tx, sites, in.Date); err != nil {
				return nil, err
			}
			all, err := cleared(tx, sites, in.Date)
			if err != nil {
				return nil, err
			}
			all = all[min(max(0, skip), len(all)):]
			page := &web.Page[ClearedBatch]{Items: append([]ClearedBatch{}, all...)}
			if len(all) > in.Limit {
				page.Items, page.Next = all[:in.Limit], web.Cursor(skip+in.Limit)
			}
			return page, nil
		})
}
