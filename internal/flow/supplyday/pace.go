package supplyday

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/replenish"
)

// PaceJob is the kind of the job that compares each store's sales with its forecast, every half hour.
const PaceJob = "supplyday.pace"

// paceArgs name the stores to look at; none: all.
type paceArgs struct {
	Sites []id.ID `json:"sites,omitempty"`
}

// watch goes from store to store; one that was looked at already in a run that was cut off is looked at again, which
// finds the same.
func (s *Service) watch(ctx context.Context, run *jobs.Run) error {
	d := run.DB()
	var args paceArgs
	if err := run.Args(&args); err != nil {
		return err
	}
	var stores []org.Site
	if err := d.Read(ctx, func(tx *db.Tx) error {
		all, err := org.AllSites(tx)
		stores = slices.DeleteFunc(all, func(x org.Site) bool {
			return x.Kind != "store" || !openNow(&x, tx.Now()) || len(args.Sites) > 0 && !slices.Contains(args.Sites, x.ID)
		})
		return err
	}); err != nil {
		return err
	}
	if len(stores) == 0 {
		return nil
	}
	all, err := s.common(ctx, d)
	if err != nil {
		return err
	}
	var changed []id.ID
	for i := range stores {
		run.Progress(ctx, int64(i), int64(len(stores)), stores[i].Name)
		moved, err := s.watchStore(ctx, d, &stores[i], all)
		if err != nil {
			return err
		}
		if moved {
			changed = append(changed, stores[i].ID)
		}
	}
	for _, site := range changed { // what is still to be made follows what was sold
		if err := d.Write(ctx, func(tx *db.Tx) error { _, err := Enqueue(tx, PlanArgs{Sites: []id.ID{site}}); return err }); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// openNow tells whether a store is open at an instant; without hours it always is.
func openNow(s *org.Site, now time.Time) bool {
	local := now.In(s.Location())
	minute := int64(local.Hour()*60 + local.Minute())
	if minute < int64(s.DayStart) {
		minute += 24 * 60
	}
	return minute >= int64(s.Open) && minute < closing(s)
}

// closing is when a store closes, in minutes after midnight of its business date.
func closing(s *org.Site) int64 {
	switch {
	case s.Close == s.Open:
		return int64(s.DayStart) + 24*60
	case s.Close < s.Open:
		return int64(s.Close) + 24*60
	}
	return int64(s.Close)
}

// pacing is what a test of one store looks at.
type pacing struct {
	*situation
	plan  *replenish.Site
	now   party.Moment
	close int64 // minutes after midnight
}

// watchStore tests each product with a forecast for today, and does what comes of it. moved: something is out of bounds,
// or was until now.
func (s *Service) watchStore(ctx context.Context, d *db.DB, site *org.Site, all *shared) (moved bool, err error) {
	x, err := s.look(ctx, d, site.ID, "", all)
	if err != nil || x == nil || x.run == nil {
		return false, err
	}
	if x.sold == nil {
		if err := d.Read(ctx, func(tx *db.Tx) (err error) { x.sold, err = soldToday(tx, &x.site, x.now); return err }); err != nil {
			return false, err
		}
	}
	if len(x.sold) == 0 {
		return false, nil // its tills tell nothing
	}
	loc := x.site.Location()
	clock := x.now.In(loc)
	p := &pacing{situation: x, close: closing(&x.site), now: party.Moment{Date: cal.On(clock), Minute: int64(clock.Hour()*60 + clock.Minute())},
		plan: &replenish.Site{Book: all.book, Good: x.good, Terms: all.terms, Sources: x.source, Loc: loc, DayStart: time.Duration(x.site.DayStart) * time.Minute}}
	var before map[id.ID]replenish.Outcome
	var stronger []id.ID
	var near []replenish.Near
	if err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if before, err = replenish.TunedOf(tx, site.ID, x.today); err != nil {
			return err
		}
		if near, err = replenish.NearTo(tx, site.ID); err != nil {
			return err
		}
		stronger, err = replenish.Stronger(tx, site.ID, x.today)
		return err
	}); err != nil {
		return false, err
	}
	var found []replenish.Tuned
	var blocks []replenish.Block
	for i := range x.ahead {
		a := &x.ahead[i]
		g := all.goods[a.Product]
		e := a.On(x.today)
		if g == nil || e == nil {
			continue
		}
		if rule := x.policy(a.Product); replenish.SoldTooMuch(x.sold[a.Product], rule.Sales) {
			blocks = append(blocks, replenish.Block{Product: a.Product, Sold: x.sold[a.Product], Threshold: rule.Sales})
			if !x.blocked[a.Product] {
				x.blocked[a.Product] = true
			}
		}
		t := p.test(a, e, g)
		was := before[a.Product]
		if t.Reach == replenish.Within || t.Reach == replenish.Early {
			if was != "" && was != replenish.Past {
				t.Outcome, t.Reach = replenish.Past, replenish.Within
				found = append(found, t)
			}
			continue
		}
		switch {
		case t.Reach == replenish.Over && (slices.Contains(stronger, a.Product) || x.blocked[a.Product]):
			t.Outcome = replenish.Outranked
		case t.Reach == replenish.Over && x.madeHere(a.Product, x.today):
			t.Outcome = replenish.MadeMore
		case t.Reach == replenish.Over:
			t.Outcome = replenish.Enough
			if t.Qty > 0 {
				t.Outcome = replenish.Unobtainable
			}
		default:
			t.Outcome = replenish.Cut
			t.Qty = 0
		}
		if t.Outcome != replenish.Cut {
			t.Spare = 0
		}
		found = append(found, t)
	}
	if len(blocks) > 0 {
		if err := d.Write(ctx, func(tx *db.Tx) error { return replenish.PutBlocks(tx, site.ID, x.today, blocks) }); err != nil {
			return false, err
		}
	}
	if len(found) == 0 {
		return false, nil
	}
	rows, err := p.rescue(ctx, d, found, near)
	if err != nil {
		return false, err
	}
	return true, s.tune(ctx, d, p, found, rows)
}

// test compares one product's sales with its forecast.
func (p *pacing) test(a *forecast.AheadOf, e *forecast.Expected, g *catalog.Product) replenish.Tuned {
	d := replenish.DemandOfLife(e.Mean, e.At, replenish.Life(g.ShelfLifeH), a.Shares(p.today.Weekday()))
	if moved := p.moved(a.Product, p.plan, p.now, p.today); moved.Event != nil && !e.Override {
		d = d.Moved(effect(moved, e), moved.Factor)
	}
	var available, arriving qty.Qty
	for _, l := range p.lots[a.Product] {
		if l.Until.After(p.situation.now) {
			available += l.Qty
		}
	}
	for _, c := range p.coming[a.Product] {
		if c.Due == p.today {
			arriving += c.Qty
		}
	}
	return replenish.Test(d, a.Product, p.sold[a.Product], available, arriving, p.minute())
}

// clockOf is a minute after midnight on the clock.
func clockOf(minute int64) string { return fmt.Sprintf("%02d:%02d", minute/60%24, minute%60) }

// rescue finds for what is missing who can still bring it today, and makes lines of it.
func (p *pacing) rescue(ctx context.Context, d *db.DB, found []replenish.Tuned, near []replenish.Near) (map[id.ID]replenish.ProposalRow, error) {
	var missing []id.ID
	for _, t := range found {
		if t.Outcome == replenish.Unobtainable {
			missing = append(missing, t.Product)
		}
	}
	rows := map[id.ID]replenish.ProposalRow{}
	if len(missing) == 0 {
		return rows, nil
	}
	var rush map[id.ID][]replenish.Rush
	moves := map[id.ID][]replenish.Move{}
	for part := range slices.Chunk(missing, 200) {
		if err := d.Read(ctx, func(tx *db.Tx) error {
			some, err := replenish.RushOf(tx, part)
			if err != nil {
				return err
			}
			if rush == nil {
				rush = map[id.ID][]replenish.Rush{}
			}
			for k, v := range some {
				rush[k] = v
			}
			for _, n := range near {
				spare, err := p.spareAt(tx, n, part)
				if err != nil {
					return err
				}
				for product, q := range spare {
					moves[product] = append(moves[product], replenish.Move{Near: n, Spare: q, Arrives: p.minute() + n.Minutes})
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	for i := range found {
		t := &found[i]
		if t.Outcome != replenish.Unobtainable {
			continue
		}
		buys, err := replenish.Buys(t.Qty, p.all.terms[t.Product], rush[t.Product], p.minute(), p.close)
		if err != nil {
			return nil, err
		}
		r := replenish.Choose(t.Qty, buys, moves[t.Product], p.close)
		t.Outcome = r.Outcome
		if r.Outcome == replenish.Unobtainable {
			t.Substitute = p.policy(t.Product).Substitute
			continue
		}
		rows[t.Product] = p.urgentRow(t, r, buys)
	}
	return rows, nil
}

// urgentRow is the line of a rescue.
func (p *pacing) urgentRow(t *replenish.Tuned, r replenish.Rescue, buys []replenish.Buy) replenish.ProposalRow {
	rule := p.policy(t.Product)
	why := &replenish.UrgentWhy{Sold: t.Sold, Expected: t.Expected, FactorPPM: t.FactorPPM, Remaining: t.Remaining, Available: t.Available, Arriving: t.Arriving, ShortPPM: t.ShortPPM, OutAt: t.OutAt}
	if len(buys) > 0 {
		why.BuyFen = buys[0].Amount
	}
	row := replenish.ProposalRow{Product: t.Product, Due: p.today, OrderBy: p.now.String(), Net: t.Qty, Qty: r.Qty, Mode: rule.Mode, Level: replenish.Tuning, Execution: rule.At(replenish.Tuning),
		Factor: replenish.One, Why: replenish.ProposalWhy{Net: t.Qty, Others: []replenish.Other{}, Urgent: why}}
	if b := r.Buy; b != nil {
		row.Supplier, row.Packs, row.Amount, row.Pack, row.Unit, row.Price, row.MinPacks = b.Terms.Supplier, b.Packs, b.Amount, b.Terms.Pack, b.Terms.Unit, b.Price, b.Terms.MinPacks
		row.Why.Over, row.Why.LeadH = b.Qty-t.Qty, (b.Rush.Minutes+59)/60
		why.ArrivesAt, why.SurchargePPM = clockOf(b.Arrives), b.Rush.Surcharge
		for _, o := range buys[1:] {
			row.Why.Others = append(row.Why.Others, replenish.Other{SupplierID: o.Terms.Supplier, Packs: o.Packs, AmountFen: o.Amount, OrderBy: p.now.String()})
		}
	} else {
		row.Source, row.Pack, row.Unit = r.Move.Near.Near, qty.Scale, qty.Unit{Name: p.all.goods[t.Product].BaseUnit, Num: 1, Den: 1}
		why.ArrivesAt, why.TripFen = clockOf(r.Move.Arrives), r.Move.Near.Cost
	}
	row.Held = rule.Ceilings.Hold(row.Qty, row.Amount)
	return row
}

const lotsOf = `SELECT a.posted_in - a.posted_out - a.pending_out, b.expires_at FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN catalog_sku k ON k.id = b.sku_id
	WHERE b.site_id = $1 AND b.open = 1 AND k.product_id = $2`

// spareAt is what another store has to spare of some products: in date until its business day ends, beyond what it is
// nearly sure to sell itself.
func (p *pacing) spareAt(tx *db.Tx, n replenish.Near, products []id.ID) (map[id.ID]qty.Qty, error) {
	site, err := org.SiteByID(tx, n.Near)
	if err != nil {
		return nil, err
	}
	now := tx.Now()
	today := site.BusinessDate(now)
	sold, err := soldToday(tx, site, now)
	if err != nil {
		return nil, err
	}
	ahead, err := forecast.AheadSome(tx, n.Near, products)
	if err != nil {
		return nil, err
	}
	found := map[id.ID]qty.Qty{}
	for _, product := range products {
		var have qty.Qty
		rows := tx.Query(lotsOf, n.Near, product)
		for rows.Next() {
			var q qty.Qty
			var until time.Time
			if err := rows.Scan(&q, &until); err != nil {
				return nil, err
			}
			if until.After(now.Add(time.Duration(n.Minutes) * time.Minute)) {
				have += q
			}
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		if have <= 0 {
			continue
		}
		if a, ok := ahead[product]; ok {
			if e := a.On(today); e != nil {
				d := replenish.DemandOfLife(e.Mean, e.At, replenish.Life(p.all.goods[product].ShelfLifeH), a.Shares(today.Weekday()))
				have = replenish.Spare(d, sold[product], have, int64(now.Sub(clockDay(today, site.Location()))/time.Minute))
			}
		}
		if have = have / qty.Scale * qty.Scale; have > 0 {
			found[product] = have
		}
	}
	return found, nil
}

func clockDay(d cal.Date, loc *time.Location) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
}

// tune writes down what a test found, puts its lines into the plan of the day, and orders those that ask nobody.
func (s *Service) tune(ctx context.Context, d *db.DB, p *pacing, found []replenish.Tuned, rows map[id.ID]replenish.ProposalRow) error {
	var list []replenish.ProposalRow
	for _, t := range found {
		if r, ok := rows[t.Product]; ok {
			list = append(list, r)
		}
	}
	var plan id.ID
	if err := d.Write(ctx, func(tx *db.Tx) error {
		plan = 0
		all := slices.Clone(found)
		if len(list) > 0 {
			h, lines, err := replenish.Hurry(tx, p.site.ID, p.today, list)
			if err != nil {
				return err
			}
			plan = h
			for i := range all {
				for k := range lines {
					if list[k].Product == all[i].Product {
						all[i].Proposal = lines[k]
					}
				}
			}
		}
		for part := range slices.Chunk(all, 500) {
			if err := replenish.PutTuned(tx, p.site.ID, p.today, part); err != nil {
				return err
			}
		}
		return p.offer(tx, found)
	}); err != nil || plan == 0 {
		return err
	}
	_, err := s.act(ctx, d, &p.site, plan)
	return err
}

// BlockIn decides on sales over their threshold.
type BlockIn struct {
	SiteID    id.ID    `json:"site_id"`
	Date      cal.Date `json:"date"`
	ProductID id.ID    `json:"product_id"`
	Release   bool     `json:"release" doc:"they feed forecasts and orders; else they never will"`
	Reason    string   `json:"reason" maxLength:"200"`
}

// PaceIn names a store to look at now.
type PaceIn struct {
	SiteID id.ID `json:"site_id"`
}

func (s *Service) paceRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/plans/pace", Name: "list-pace", Summary: "What sells more than 30 % off its forecast, and what is done about it", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.TuningSearch) (*web.Page[replenish.TuningView], error) {
			if in.Date != "" && !in.Date.Valid() {
				return nil, cal.ErrDate.With("text", in.Date).At("date")
			}
			return replenish.ListTuned(tx, org.SitesOf(ctx, permRead), *in)
		})
	web.Post(api, web.Route{Path: "/api/plans/pace", Name: "test-pace", Summary: "Compare a store's sales with its forecast now, not at the next half hour", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body PaceIn }) (*jobs.Status, error) {
			if _, err := org.SiteFor(ctx, permConfirm, in.Body.SiteID); err != nil {
				return nil, err
			}
			job, err := jobs.Enqueue(tx, jobs.Job{Kind: PaceJob, Only: in.Body.SiteID.String(), Args: paceArgs{Sites: []id.ID{in.Body.SiteID}}})
			if err != nil {
				return nil, err
			}
			st, err := jobs.Get(tx, job)
			return &st, err
		})
	web.Get(api, web.Route{Path: "/api/plans/blocks", Name: "list-sales-blocks", Summary: "Sales of a day over their threshold: they feed no forecast and no order until released", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.BlockSearch) (*web.Page[replenish.BlockView], error) {
			return replenish.ListBlocks(tx, org.SitesOf(ctx, permRead), *in)
		})
	web.Post(api, web.Route{Path: "/api/plans/blocks", Name: "decide-sales-block", Summary: "Release sales over their threshold, or refuse them, and say why", Perm: permApprove, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body BlockIn }) (*web.Page[replenish.BlockView], error) {
			if _, err := org.SiteFor(ctx, permApprove, in.Body.SiteID); err != nil {
				return nil, replenish.ErrNoBlock
			}
			if err := replenish.DecideBlock(tx, org.CallerOf(ctx).ID, in.Body.SiteID, in.Body.Date, in.Body.ProductID, in.Body.Release, strings.TrimSpace(in.Body.Reason)); err != nil {
				return nil, err
			}
			return replenish.ListBlocks(tx, org.SitesOf(ctx, permRead), replenish.BlockSearch{Paging: web.Paging{Limit: 50}, SiteID: in.Body.SiteID})
		})
}
