// Package clearance takes batches to their end: it looks at each every half hour from its first step on, lowers its
// price when it would not sell otherwise, and writes off at expiry what is left.
package clearance

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/clear"
	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// Service clears.
type Service struct {
	goods  *catalog.Service
	prices *price.Service
	log    *slog.Logger

	mu     sync.Mutex
	looked time.Time // business instant at which new batches were looked for last
}

// New returns the flow.
func New(goods *catalog.Service, prices *price.Service, log *slog.Logger) *Service {
	if log == nil {
		log = slog.Default()
	}
	return &Service{goods: goods, prices: prices, log: log}
}

// Kinds of jobs.
const (
	WatchJob = "clear.watch" // takes batches into view whose end comes near
	SiteJob  = "clear.site"  // looks at the batches of a site whose time has come
	LearnJob = "clear.learn" // each night, how people answer to lower prices
)

const (
	lookAhead = time.Hour   // batches are taken into view so long before the earliest step there can be
	newEvery  = time.Minute // of business time: how often new batches are looked for
	batchStep = 200         // batches taken into view in one transaction
	siteStep  = 50
	maxSites  = 500
)

// Jobs registers the work. A batch is looked at by the second, so what is due is asked for each second; there is a job
// only when something is.
func (s *Service) Jobs(r *jobs.Runner) {
	r.Handle(WatchJob, s.runWatch)
	r.Handle(SiteJob, s.runSite)
	r.Watch(s.due)
	r.Handle(LearnJob, func(ctx context.Context, run *jobs.Run) error { return run.DB().Write(ctx, clear.Learn) })
	r.DailyAt(LearnJob, org.EachMorning("night", 20*time.Minute))
}

type siteArgs struct {
	Site id.ID `json:"site_id"`
}

// due names the jobs that there is something for.
func (s *Service) due(tx *db.Tx) ([]jobs.Job, error) {
	sites, err := clear.DueSites(tx, maxSites)
	if err != nil {
		return nil, err
	}
	var all []jobs.Job
	for _, site := range sites {
		all = append(all, jobs.Job{Kind: SiteJob, Only: site.String(), Args: siteArgs{site}})
	}
	if !s.timeToLook(tx.Now()) {
		return all, nil
	}
	fresh, err := unwatched(tx, 1)
	if err == nil && len(fresh) > 0 {
		all = append(all, jobs.Job{Kind: WatchJob, Only: "watch"})
	}
	return all, err
}

func (s *Service) timeToLook(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if since := now.Sub(s.looked); since >= 0 && since < newEvery {
		return false
	}
	s.looked = now
	return true
}

const unwatchedBatches = `SELECT b.id, b.site_id, b.sku_id, k.product_id, COALESCE(p.category_id, 0), p.shelf_life_h, b.received_at, b.expires_at
	FROM stock_batch b JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id
	WHERE b.open = 1 AND b.expires_at <= $1 AND NOT EXISTS (SELECT 1 FROM clear_markdown m WHERE m.batch_id = b.id) ORDER BY b.expires_at, b.id LIMIT $2`

// unwatched are batches near their end that nobody looks at yet, with their steps.
func unwatched(tx *db.Tx, limit int) ([]clear.Batch, error) {
	policies, err := clear.LoadPolicies(tx)
	if err != nil {
		return nil, err
	}
	rows := tx.Query(unwatchedBatches, tx.Now().Add(policies.Longest()+lookAhead), limit)
	defer rows.Close()
	var all []clear.Batch
	for rows.Next() {
		var b clear.Batch
		var hours int64
		if err := rows.Scan(&b.ID, &b.Site, &b.SKU, &b.Product, &b.Category, &hours, &b.Made, &b.Expires); err != nil {
			return nil, err
		}
		// The life is the product's, where it says one: part of it may have gone by before the goods came here.
		if hours > 0 {
			b.Made = b.Expires.Add(-time.Duration(hours) * time.Hour)
		}
		p := policies.Of(b.Category)
		b.Plan(&p)
		all = append(all, b)
	}
	return all, rows.Err()
}

func (s *Service) runWatch(ctx context.Context, run *jobs.Run) error {
	for ctx.Err() == nil {
		n := 0
		if err := run.DB().Write(ctx, func(tx *db.Tx) error {
			fresh, err := unwatched(tx, batchStep)
			if err != nil {
				return err
			}
			n = len(fresh)
			if err := clear.Watch(tx, fresh); err != nil {
				return err
			}
			return run.Save(tx, n)
		}); err != nil {
			return err
		}
		if n < batchStep {
			break
		}
	}
	return ctx.Err()
}

func (s *Service) runSite(ctx context.Context, run *jobs.Run) error {
	var args siteArgs
	if err := run.Args(&args); err != nil {
		return err
	}
	seen := map[id.ID]bool{}
	var failed []error
	for ctx.Err() == nil {
		var due []id.ID
		if err := run.DB().Read(ctx, func(tx *db.Tx) (err error) {
			due, err = clear.Due(tx, args.Site, siteStep+len(seen))
			return err
		}); err != nil {
			return err
		}
		n := 0
		for _, b := range due {
			if seen[b] {
				continue
			}
			seen[b] = true
			n++
			if err := run.DB().Write(ctx, func(tx *db.Tx) error { // each batch for itself: one that can't be looked at does not keep the others
				if err := s.look(tx, b); err != nil {
					return err
				}
				return run.Save(tx, len(seen))
			}); err != nil {
				failed = append(failed, err)
			}
		}
		if n == 0 {
			break
		}
		run.Progress(ctx, int64(len(seen)), 0, "")
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// Now looks at once at every batch of a site whose time has come. For tests and a person who does not want to wait.
func (s *Service) Now(tx *db.Tx, site id.ID) (id.ID, error) {
	fresh, err := unwatched(tx, batchStep)
	if err != nil {
		return 0, err
	}
	if err := clear.Watch(tx, fresh); err != nil {
		return 0, err
	}
	return jobs.Enqueue(tx, jobs.Job{Kind: SiteJob, Only: site.String(), Args: siteArgs{site}})
}

const (
	quantities = `SELECT a.posted_in - a.posted_out - a.pending_out, a.pending_out FROM ledger_account a WHERE a.id = $1`
	soldSince  = `SELECT COALESCE(SUM(t.amount), 0) FROM ledger_transfer t WHERE t.from_id = $1 AND t.from_id > 0 AND t.business_date >= $2 AND t.doc_kind = $3 AND t.booked_at > $4`
	before     = `SELECT COALESCE(SUM(a.posted_in - a.posted_out - a.pending_out), 0) FROM stock_batch b JOIN ledger_account a ON a.id = b.id
		WHERE b.site_id = $1 AND b.sku_id = $2 AND b.open = 1 AND b.expires_at > $3 AND (b.expires_at, b.id) < ($4, $5)`
	soldUnder = `SELECT COALESCE(SUM(l.base_qty), 0), COALESCE(SUM(l.amount_fen), 0) FROM till_line l JOIN till_sale s ON s.id = l.sale_id AND s.state = 'paid' WHERE l.markdown_id = $1 AND l.markdown_id > 0`
	soldBack  = `SELECT COALESCE(SUM(b.base_qty), 0), COALESCE(SUM(b.amount_fen), 0) FROM till_line l JOIN till_refund f ON f.sale_id = l.sale_id
		JOIN till_refund_line b ON b.refund_id = f.id AND b.line_no = l.line_no WHERE l.markdown_id = $1 AND l.markdown_id > 0`
	paceOf = `SELECT COALESCE(SUM(CASE WHEN t.to_id = $1 THEN t.amount ELSE -t.amount END), 0) FROM ledger_transfer t
		WHERE t.site_id = $2 AND t.business_date >= $3 AND t.business_date < $4 AND (t.to_id = $1 OR t.from_id = $1) AND t.unit = $5`
)

// look looks at a batch, if its time has come.
func (s *Service) look(tx *db.Tx, batch id.ID) error {
	b, err := clear.Lock(tx, batch)
	if err != nil || b == nil {
		return err
	}
	var free, held qty.Qty
	if err := tx.QueryRow(quantities, b.ID).Scan(&free, &held); err != nil {
		return err
	}
	site, err := org.SiteByID(tx, b.Site)
	if err != nil {
		return err
	}
	found, err := s.goods.Products(tx, []id.ID{b.Product})
	if err != nil {
		return err
	}
	p := found[b.Product]
	unit, full, err := s.priceOf(tx, site, p)
	if err != nil {
		return err
	}
	if b.MarkedDown() {
		unit = p.UnitByID(b.Unit) // the one its label says
	}
	var sold qty.Qty
	since := b.LookedAt
	if since.UnixMilli() == 0 {
		since = b.First
	}
	if err := tx.QueryRow(soldSince, b.ID, site.BusinessDate(since), till.SaleDoc, since).Scan(&sold); err != nil {
		return err
	}
	if unit != nil {
		sold = inUnit(unit, sold)
	}
	now := tx.Now()
	if !now.Before(b.Expires) {
		return s.expire(tx, b, site, unit, free, held, sold)
	}
	if site.Kind != "store" || unit == nil || full == 0 || !p.State.Sold() {
		return clear.Skip(tx, b, clear.FullPrice, clear.ReasonNoPrice)
	}
	if free <= 0 {
		return clear.Skip(tx, b, b.Phase, clear.ReasonGone)
	}
	policies, err := clear.LoadPolicies(tx)
	if err != nil {
		return err
	}
	stopped, err := stoppedAt(tx, policies, b)
	if err != nil {
		return err
	}
	facts := clear.Facts{Full: full, Unit: unit.ID, Left: inUnit(unit, free), Sold: sold, Stopped: stopped, Weighed: p.BaseUnit != "piece",
		HourBand: clear.HourBand(now.In(site.Location()))}
	if facts.Uses, err = clear.Uses(tx, b.Category, facts.HourBand); err != nil {
		return err
	}
	if facts.Demand, err = demand(tx, site, b, unit); err != nil {
		return err
	}
	if err := tx.QueryRow(before, b.Site, b.SKU, now, b.Expires, b.ID).Scan(&facts.Before); err != nil {
		return err
	}
	facts.Before = inUnit(unit, facts.Before)
	policy := policies.Of(b.Category)
	first, last := !b.MarkedDown(), b.Step
	l := b.Look(&policy, policies.Answer(b.Category), now, facts)
	if l.Changed && !first {
		if err := endStep(tx, last, unit); err != nil {
			return err
		}
	}
	if _, err := clear.Record(tx, b, l); err != nil {
		return err
	}
	if l.Changed && first {
		return stock.Reduce(tx, b.Site, b.ID)
	}
	return nil
}

// priceOf is the unit that a product is priced by at a site, and its price in the book; nil without one.
func (s *Service) priceOf(tx *db.Tx, site *org.Site, p *catalog.Product) (*catalog.Unit, money.Fen, error) {
	var units []id.ID
	for i := range p.Units {
		if !p.Units[i].Retired {
			units = append(units, p.Units[i].ID)
		}
	}
	prices, err := s.prices.At(tx, site.ID, site.BusinessDate(tx.Now()), units)
	if err != nil {
		return nil, 0, err
	}
	for i := range p.Units {
		if fen, ok := prices[p.Units[i].ID]; ok && !p.Units[i].Retired {
			return &p.Units[i], fen, nil
		}
	}
	return nil, 0, nil
}

// inUnit is a quantity of the base unit in a sales unit, to the nearest thousandth.
func inUnit(u *catalog.Unit, base qty.Qty) qty.Qty {
	if u.Num == u.Den {
		return base
	}
	n, err := money.MulDiv(int64(base), u.Den, u.Num)
	if err != nil {
		return base
	}
	return qty.Qty(n)
}

func stoppedAt(tx *db.Tx, policies *clear.Policies, b *clear.Batch) (bool, error) {
	stops, err := clear.Stops(tx, b.Site)
	for _, c := range policies.Above(b.Category) {
		if stops[c] {
			return true, err
		}
	}
	return false, err
}

// paceDays are looked at where there is no forecast.
const paceDays = 7

// demand is what is expected to be asked for of a product on the days until its batch expires: by the forecast, or
// where there is none by the pace of the last seven days.
func demand(tx *db.Tx, site *org.Site, b *clear.Batch, unit *catalog.Unit) ([]clear.Day, error) {
	ahead, err := forecast.AheadSome(tx, site.ID, []id.ID{b.Product})
	if err != nil {
		return nil, err
	}
	today, last := site.BusinessDate(tx.Now()), site.BusinessDate(b.Expires)
	var days []clear.Day
	if a, ok := ahead[b.Product]; ok {
		for _, x := range a.Days {
			if x.Date >= today && x.Date <= last {
				d := dayAt(site, x.Date)
				d.Mean, d.Shares = inUnit(unit, x.Mean), a.Shares(x.Date.Weekday())
				days = append(days, d)
			}
		}
		if len(days) > 0 {
			return days, nil
		}
	}
	var sold qty.Qty
	if err := tx.QueryRow(paceOf, stock.Sold, site.ID, today.AddDays(-paceDays), today, b.SKU).Scan(&sold); err != nil {
		return nil, err
	}
	for date := today; date <= last; date = date.AddDays(1) {
		d := dayAt(site, date)
		d.Mean = inUnit(unit, sold/paceDays)
		days = append(days, d)
	}
	return days, nil
}

func dayAt(site *org.Site, date cal.Date) clear.Day {
	y, m, day := date.Time().Date()
	d := clear.Day{Midnight: time.Date(y, m, day, 0, 0, 0, 0, site.Location()), Open: time.Duration(site.Open) * time.Minute, Close: time.Duration(site.Close) * time.Minute}
	if d.Close <= d.Open {
		d.Close += 24 * time.Hour
	}
	return d
}

// endStep ends the price of a decision with what was sold under it.
func endStep(tx *db.Tx, step id.ID, unit *catalog.Unit) error {
	var sold, back qty.Qty
	var fen, given money.Fen
	if err := tx.QueryRow(soldUnder, step).Scan(&sold, &fen); err != nil {
		return err
	}
	if err := tx.QueryRow(soldBack, step).Scan(&back, &given); err != nil {
		return err
	}
	return clear.EndStep(tx, step, inUnit(unit, sold-back), fen-given)
}

// expire takes a batch off sale and writes off what is left of it. What somebody holds, whose payment is open, is
// theirs: it is looked at again until it is sold or free.
func (s *Service) expire(tx *db.Tx, b *clear.Batch, site *org.Site, unit *catalog.Unit, free, held, sold qty.Qty) error {
	if b.MarkedDown() && held == 0 {
		if err := endStep(tx, b.Step, unit); err != nil {
			return err
		}
	}
	if free <= 0 {
		return clear.End(tx, b, 0, 0, 0, sold, held == 0)
	}
	d, err := stock.WriteOff(tx, stock.Discard{Header: stock.Header{Site: site}, Reason: stock.Expired, Lines: []stock.Issue{{Batch: b.ID, Qty: free}}})
	if err != nil {
		return err
	}
	lost := free
	if unit != nil {
		lost = inUnit(unit, free)
	}
	return clear.End(tx, b, d.ID, lost, -d.Lines[0].Value, sold, held == 0)
}
