package supplyday

import (
	"context"
	"errors"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
	"zhanggui/internal/purchase"
	"zhanggui/internal/replenish"
)

// PlanJob is the kind of the job that plans days.
const PlanJob = "supplyday.plan"

const (
	forecastMade = "forecast.made.v1"
	produceMade  = produce.EventMade

	mostAhead = 13 // days that planning looks ahead, for goods that travel long
	overdue   = 2  // days that an order is still expected after it was due
	pageRows  = 100

	fixedAhead = 2 // half hours before it must be ready, a round that nobody is asked about stays as it is
)

// ErrPast refuses a day that is over, or too far ahead.
var ErrPast = errs.Define("plan_date_range", errs.Invalid, "只能计划 {first} 到 {last} 的日子", "Days from {first} to {last} can be planned")

// PlanArgs name the sites to plan (none: all) and the day ("": the business date of each). Ahead: and all days after it that
// have a plan already.
type PlanArgs struct {
	Sites []id.ID  `json:"sites,omitempty"`
	Date  cal.Date `json:"date,omitempty"`
	Ahead bool     `json:"ahead,omitempty"`
}

// Enqueue asks for plans; what waits already is not asked for twice.
func Enqueue(tx *db.Tx, args PlanArgs) (id.ID, error) {
	only := "all"
	if len(args.Sites) == 1 {
		only = args.Sites[0].String() + "/" + string(args.Date)
	} else if len(args.Sites) > 1 {
		only = ""
	}
	if args.Ahead && only != "" {
		only += "/ahead"
	}
	return jobs.Enqueue(tx, jobs.Job{Kind: PlanJob, Only: only, Args: args})
}

func (s *Service) forecastMade(tx *db.Tx, e outbox.Event) error {
	var made forecast.Made
	if err := e.Unmarshal(&made); err != nil {
		return err
	}
	if made.Planned { // by the night that made it
		return nil
	}
	_, err := Enqueue(tx, PlanArgs{Sites: []id.ID{made.SiteID}})
	return err
}

// roundsDecided plans a day again of which a person has cut or raised a round, or the kitchen has made something: rounds that
// nobody has decided on follow what is really there.
func (s *Service) roundsDecided(tx *db.Tx, e outbox.Event) error {
	var of replenish.MadeBody
	if err := e.Unmarshal(&of); err != nil || !of.Rounds {
		return err
	}
	site, err := org.SiteByID(tx, of.SiteID)
	if err != nil {
		return err
	}
	today := site.BusinessDate(tx.Now())
	if of.Date < today { // what an evening has left over is in the stock of the new day
		of.Date = today
	}
	if of.Date == today {
		of.Date = "" // as others ask for it, so that it waits once
	}
	_, err = Enqueue(tx, PlanArgs{Sites: []id.ID{site.ID}, Date: of.Date})
	return err
}

func (s *Service) produced(tx *db.Tx, e outbox.Event) error {
	var made produce.MadeEvent
	if err := e.Unmarshal(&made); err != nil {
		return err
	}
	site, err := org.SiteByID(tx, made.Site)
	if err != nil || made.Qty <= 0 && made.Planned <= 0 {
		return err
	}
	date, round := made.For.Date, made.For.Round
	if date == "" { // for no round: that day's on which it was made, however late somebody says so
		if date = site.BusinessDate(made.MadeAt); made.MadeAt.IsZero() {
			date = site.BusinessDate(e.At)
		}
	}
	return replenish.NoteMade(tx, site.ID, date, made.Product, round, qty.Qty(made.Qty), qty.Qty(made.Planned))
}

// shared is what all sites of a run have in common: read once.
type shared struct {
	book     *catalog.Cookbook
	terms    map[id.ID][]party.Terms
	policies map[id.ID]*replenish.Policy // for all sites
	events   []replenish.Event
	goods    map[id.ID]*catalog.Product       // those that some site needed
	read     map[id.ID]bool                   // of goods, also those that are not there
	parent   map[id.ID]id.ID                  // of categories
	words    map[replenish.Word]purchase.Word // what suppliers' words are taken for, where not as they are given
	festive  festive                          // what all sites have seen of the calendar's festivals
	mixed    []id.ID                          // products whose recipe may be mixed
}

// eventsBack is how many days an event is still read after it ended, whatever the time zone of a site.
const eventsBack = 2

// common reads what all sites share: recipes, suppliers, rules and the calendar.
func (s *Service) common(ctx context.Context, d reader) (*shared, error) {
	all := &shared{terms: map[id.ID][]party.Terms{}, goods: map[id.ID]*catalog.Product{}, read: map[id.ID]bool{}, parent: map[id.ID]id.ID{}}
	var recipes []catalog.Recipe
	if err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if recipes, err = catalog.Recipes(tx); err != nil {
			return err
		}
		categories, err := catalog.Categories(tx)
		if err != nil {
			return err
		}
		for _, c := range categories {
			all.parent[c.ID] = c.ParentID
		}
		if all.events, err = replenish.Events(tx, cal.On(tx.Now()).AddDays(-eventsBack)); err != nil {
			return err
		}
		all.festive, err = festiveOf(tx, forecast.AllSites, all.events)
		return err
	}); err != nil {
		return nil, err
	}
	var err error
	if all.book, err = catalog.NewCookbook(recipes, func(p id.ID) string { return p.String() }); err != nil {
		return nil, err
	}
	all.mixed = all.book.Mixed()
	var last party.Terms
	for more := true; more; {
		var some []party.Terms
		if err := d.Read(ctx, func(tx *db.Tx) (err error) {
			some, err = party.ActiveTerms(tx, last.Product, last.Supplier, 2000)
			return err
		}); err != nil {
			return nil, err
		}
		for _, t := range some {
			all.terms[t.Product] = append(all.terms[t.Product], t)
			last = t
		}
		more = len(some) == 2000
	}
	if all.words, err = readWords(ctx, d); err != nil {
		return nil, err
	}
	all.policies, err = readPolicies(ctx, d, replenish.AllSites)
	return all, err
}

// readPolicies reads the rules written for a site, page by page.
func readPolicies(ctx context.Context, d reader, site id.ID) (map[id.ID]*replenish.Policy, error) {
	found := map[id.ID]*replenish.Policy{}
	var after id.ID
	for more := true; more; {
		var some []replenish.Policy
		if err := d.Read(ctx, func(tx *db.Tx) (err error) {
			some, err = replenish.Policies(tx, site, after, 2000)
			return err
		}); err != nil {
			return nil, err
		}
		for i := range some {
			found[some[i].Product] = &some[i]
			after = some[i].Product
		}
		more = len(some) == 2000
	}
	return found, nil
}

// situation is all that the plan of a site is worked out from.
type situation struct {
	site     org.Site
	now      time.Time
	date     cal.Date // to be planned
	today    cal.Date
	from     int   // half hours of the planned day that are over
	fixed    int64 // half hour of the planned day by which what nobody is asked about stays as it is; 0: it all follows
	head     *replenish.Head
	kept     map[id.ID]map[int64]qty.Qty // rounds that stay as they are, and what of them is still to be made
	rules    []replenish.Rule
	coming   map[id.ID][]replenish.Coming
	ordered  []purchase.Coming            // of suppliers; what is expected of it is in coming
	doubted  map[id.ID][]replenish.Coming // of these, what was promised and is not expected
	lots     map[id.ID][]replenish.Lot
	waived   map[replenish.Waiver]qty.Qty
	asked    map[cal.Date]map[id.ID]qty.Qty
	run      *forecast.Run // nil: none
	ahead    []forecast.AheadOf
	at       map[id.ID]*forecast.AheadOf
	all      *shared
	own      map[id.ID]*replenish.Policy      // rules of the site itself
	losses   map[produce.Line]produce.Learned // what lines of recipes have learned to lose at the site
	safety   map[id.ID]replenish.Safety       // what levels came to last time
	open     map[id.ID]bool                   // products with a line in a hurry that nobody decided on, or that somebody did not want
	sold     map[id.ID]qty.Qty                // today, up to now
	paced    map[id.ID]bool                   // made more or less of today because of how it sells
	blocked  map[id.ID]bool                   // sold so much that somebody must look at it first
	wind     map[cal.Date]replenish.Weather
	festive  festive
	means    map[id.ID]replenish.DailyMean // of products by daily mean sales
	fresh    []replenish.Safety            // levels that came to something else
	source   map[id.ID]replenish.Source
	service  *replenish.Services
	machines map[id.ID]replenish.Machines
	loads    map[id.ID]replenish.Load
	worth    map[id.ID]replenish.Worth // of what is made here by the batch
	trial    *trial                    // tried out instead of what is set; nil: nothing
	mixes    []replenish.Mix           // that say something of today or later
	saving   money.Fen                 // from how much a day one is worth being proposed
	mixing   mixing
	together int64 // how far products of the store move together, in millionths
}

// tries is how often planning begins again when people decide meanwhile.
const tries = 5

// planSite makes the plan of a site for a date, or leaves it as it is when it comes to the same.
func (s *Service) planSite(ctx context.Context, d *db.DB, site id.ID, date cal.Date, all *shared) error {
	for try := 1; ; try++ {
		again, err := s.planOnce(ctx, d, site, date, all)
		if again && try < tries {
			continue // what was ordered at once is on its way now
		}
		if !errors.Is(err, replenish.ErrStale) || try == tries {
			return err
		}
	}
}

// planOnce makes a plan and orders what is ordered at once; again: that changed what there is to plan.
func (s *Service) planOnce(ctx context.Context, d *db.DB, siteID id.ID, date cal.Date, all *shared) (again bool, err error) {
	x, err := s.look(ctx, d, siteID, date, all)
	if err != nil || x == nil {
		return false, err
	}
	made, err := x.plan()
	if err != nil {
		return false, err
	}
	for part := range slices.Chunk(x.fresh, 500) {
		if err := d.Write(ctx, func(tx *db.Tx) error { return replenish.PutSafety(tx, siteID, part) }); err != nil {
			return false, err
		}
	}
	print, err := made.Fingerprint()
	if err != nil {
		return false, err
	}
	if x.head.Version == 0 || x.head.Fingerprint != print || made.Acts() {
		if err := s.keep(ctx, d, x, made, print); err != nil {
			return false, err
		}
	}
	if x.date != x.today {
		return false, ctx.Err()
	}
	if err := s.proposeMixes(ctx, d, x); err != nil {
		return false, err
	}
	return s.act(ctx, d, &x.site, x.head.ID)
}

// act orders the lines of a plan that ask nobody; again: some of them were planned by need, which is covered now.
func (s *Service) act(ctx context.Context, d *db.DB, site *org.Site, plan id.ID) (again bool, err error) {
	for more := true; more; {
		if err := d.Write(ctx, func(tx *db.Tx) error {
			h, lines, err := replenish.ToAct(tx, plan, mostActs)
			if errors.Is(err, replenish.ErrNoPlan) {
				more = false
				return nil
			}
			if err != nil {
				return err
			}
			more = len(lines) == mostActs
			for _, l := range lines {
				again = again || !l.Mode.Stocked()
			}
			if len(lines) == 0 {
				return nil
			}
			return s.order(tx, site, h, 0, "", lines)
		}); err != nil {
			return again, err
		}
	}
	return again, nil
}

// mostActs is how many lines are ordered in one act.
const mostActs = 100

// keep writes a plan down and puts it in force.
func (s *Service) keep(ctx context.Context, d *db.DB, x *situation, made *replenish.Made, print string) error {
	version := id.New()
	steps, err := made.Steps(x.head.ID, version, x.now)
	if err != nil {
		return err
	}
	if err := sweep(ctx, d, x.head.ID); err != nil { // what a killed run has left
		return err
	}
	for _, write := range steps {
		if err := d.Write(ctx, write); err != nil {
			return err
		}
	}
	var run id.ID
	var until cal.Date
	if x.run != nil {
		run, until = x.run.ID, x.run.DataUntil
	}
	if err := d.Write(ctx, func(tx *db.Tx) error {
		return made.PutInForce(tx, x.head, version, int64(x.from), x.fixed, print, run, until)
	}); err != nil {
		return err
	}
	if err := sweep(ctx, d, x.head.ID); err != nil {
		return err
	}
	for more := true; more; {
		if err := d.Write(ctx, func(tx *db.Tx) (err error) {
			more, err = replenish.Tidy(tx, x.site.ID, x.today)
			return err
		}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func sweep(ctx context.Context, d *db.DB, plan id.ID) error {
	for more := true; more; {
		if err := d.Write(ctx, func(tx *db.Tx) (err error) {
			more, err = replenish.Sweep(tx, plan)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

const (
	openLots = `SELECT k.product_id, b.id, b.code, a.posted_in - a.posted_out - a.pending_out, a.pending_out, b.expires_at
		FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN catalog_sku k ON k.id = b.sku_id
		WHERE b.site_id = $1 AND b.open = 1 AND (b.expires_at, b.id) > ($2, $3) ORDER BY b.expires_at, b.id LIMIT $4`
	waivers = `SELECT l.product_id, l.due, l.net - l.qty FROM replenish_proposal l JOIN replenish_plan p ON p.id = l.plan_id AND p.version = l.version
		WHERE p.site_id = $1 AND l.due >= $2 AND l.state = 'changed' AND l.qty < l.net`
)

// look reads all that the plan needs, in short transactions, and opens the plan; nil for a site that has nothing to plan.
func (s *Service) look(ctx context.Context, d *db.DB, siteID id.ID, date cal.Date, all *shared) (*situation, error) {
	x, err := s.gather(ctx, d, siteID, date, all)
	if err != nil || x == nil {
		return nil, err
	}
	if err := d.Write(ctx, func(tx *db.Tx) (err error) {
		if x.head, err = replenish.Open(tx, siteID, x.date); err == nil {
			err = x.keep(tx)
		}
		return err
	}); err != nil {
		return nil, err
	}
	if err := x.readGoods(ctx, d, s.goods); err != nil {
		return nil, err
	}
	return x, s.readWorth(ctx, d, x)
}

// keep reads which rounds stay as they are.
func (x *situation) keep(tx *db.Tx) error {
	kept, err := replenish.KeptRounds(tx, x.head, int64(x.from), x.fixed)
	x.kept = map[id.ID]map[int64]qty.Qty{}
	for _, k := range kept {
		if x.kept[k.Product] == nil {
			x.kept[k.Product] = map[int64]qty.Qty{}
		}
		x.kept[k.Product][k.Round] = k.Open
	}
	return err
}

// gather reads what a plan is worked out from; nil for a site that has nothing to plan. The forecast may be replaced
// between two transactions: then it begins again.
func (s *Service) gather(ctx context.Context, d reader, siteID id.ID, date cal.Date, all *shared) (*situation, error) {
	x := &situation{}
	err := d.Read(ctx, func(tx *db.Tx) error {
		*x = situation{coming: map[id.ID][]replenish.Coming{}, lots: map[id.ID][]replenish.Lot{}, waived: map[replenish.Waiver]qty.Qty{}, all: all, open: map[id.ID]bool{}}
		site, err := org.SiteByID(tx, siteID)
		if err != nil {
			return err
		}
		x.site, x.now = *site, tx.Now()
		x.today = site.BusinessDate(x.now)
		if x.date = date; date == "" {
			x.date = x.today
		}
		if x.date < x.today || x.date > x.today.AddDays(mostAhead) {
			return ErrPast.With("first", x.today, "last", x.today.AddDays(mostAhead)).At("date")
		}
		if x.rules, err = replenish.Rules(tx, siteID); err != nil {
			return err
		}
		if x.asked, err = replenish.AskedOf(tx, siteID, x.today, x.today.AddDays(mostAhead)); err != nil {
			return err
		}
		if err := lessSent(tx, siteID, x.today, x.asked); err != nil {
			return err
		}
		requested, err := replenish.Requested(tx, siteID, x.today.AddDays(-overdue))
		if err != nil {
			return err
		}
		if x.coming, err = underWay(tx, siteID, x.today, requested); err != nil {
			return err
		}
		if x.ordered, err = purchase.Expected(tx, siteID, x.today.AddDays(-overdue)); err != nil {
			return err
		}
		rows := tx.Query(waivers, siteID, x.today)
		for rows.Next() {
			var w replenish.Waiver
			var q qty.Qty
			if err := rows.Scan(&w.Product, &w.Due, &q); err != nil {
				return err
			}
			x.waived[w] += q
			x.open[w.Product] = true
		}
		if err := rows.Err(); err != nil {
			return err
		}
		hurried, err := replenish.Hurried(tx, siteID, x.today)
		if err != nil {
			return err
		}
		for _, p := range hurried {
			x.open[p] = true
		}
		if x.blocked, err = replenish.Blocked(tx, siteID, x.today); err != nil {
			return err
		}
		if x.safety, err = replenish.SafetyOf(tx, siteID); err != nil {
			return err
		}
		if x.machines, x.loads, err = replenish.MachinesOf(tx, siteID); err != nil {
			return err
		}
		if x.service, err = replenish.ServicesAt(tx, siteID, all.parent); err != nil {
			return err
		}
		if len(all.mixed) > 0 {
			if x.mixes, x.saving, err = replenish.MixesOf(tx, siteID, x.today); err != nil {
				return err
			}
		}
		if x.festive, err = festiveOf(tx, siteID, all.events); err != nil {
			return err
		}
		x.wind, err = weather(tx, siteID, x.today)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := d.Read(ctx, func(tx *db.Tx) error {
		seen, days, err := forecast.Together(tx, siteID, x.today)
		x.together = replenish.Together(seen, days)
		return err
	}); err != nil {
		return nil, err
	}
	if err := x.readOwn(ctx, d); err != nil {
		return nil, err
	}
	x.expect()
	if x.date == x.today {
		x.fixed = int64(x.now.Sub(x.midnight(x.today))/(30*time.Minute)) + fixedAhead
		if open := x.midnight(x.today).Add(time.Duration(x.site.Open) * time.Minute); x.now.After(open) {
			x.from = int(x.now.Sub(x.midnight(x.today)) / (30 * time.Minute))
		}
	}
	if x.from > 0 {
		if err := d.Read(ctx, func(tx *db.Tx) (err error) {
			if x.sold, err = soldToday(tx, &x.site, x.now); err != nil {
				return err
			}
			x.paced, err = replenish.Paced(tx, x.site.ID, x.today)
			return err
		}); err != nil {
			return nil, err
		}
	}
	if err := x.readForecast(ctx, d); err != nil {
		return nil, err
	}
	if err := x.readLots(ctx, d); err != nil {
		return nil, err
	}
	x.at = make(map[id.ID]*forecast.AheadOf, len(x.ahead))
	for i := range x.ahead {
		x.at[x.ahead[i].Product] = &x.ahead[i]
	}
	x.source = x.sources(all.book)
	if err := x.readSold(ctx, d); err != nil {
		return nil, err
	}
	if x.run == nil && len(x.asked) == 0 && !x.stocks() {
		return nil, nil
	}
	return x, nil
}

func (x *situation) midnight(d cal.Date) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, x.site.Location())
}

// readForecast reads the forecast in force page by page.
func (x *situation) readForecast(ctx context.Context, d reader) error {
	var after id.ID
	for {
		var run *forecast.Run
		var some []forecast.AheadOf
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			run, some, err = forecast.Products(tx, x.site.ID, after, pageRows)
			return err
		})
		if errors.Is(err, forecast.ErrNone) {
			return nil
		}
		if err != nil {
			return err
		}
		if x.run != nil && x.run.ID != run.ID { // a newer one came
			x.ahead, after = nil, 0
			x.run = nil
			continue
		}
		x.run = run
		x.ahead = append(x.ahead, some...)
		if len(some) < pageRows {
			return nil
		}
		after = some[len(some)-1].Product
	}
}

// readLots reads what lies at the site, page by page.
func (x *situation) readLots(ctx context.Context, d reader) error {
	var expires time.Time = time.UnixMilli(0)
	var after id.ID
	const page = 1000
	for {
		n := 0
		type found struct {
			product id.ID
			lot     replenish.Lot
		}
		var some []found
		if err := d.Read(ctx, func(tx *db.Tx) error {
			n, some = 0, some[:0]
			rows := tx.Query(openLots, x.site.ID, expires, after, page)
			defer rows.Close()
			for rows.Next() {
				var f found
				if err := rows.Scan(&f.product, &f.lot.Batch, &f.lot.Code, &f.lot.Qty, &f.lot.Held, &f.lot.Until); err != nil {
					return err
				}
				n++
				some = append(some, f)
			}
			return rows.Err()
		}); err != nil {
			return err
		}
		for _, f := range some {
			expires, after = f.lot.Until, f.lot.Batch
			x.lots[f.product] = append(x.lots[f.product], f.lot)
		}
		if n < page {
			return nil
		}
	}
}

// readGoods reads every product that the plan may speak of.
func (x *situation) readGoods(ctx context.Context, d reader, goods *catalog.Service) error {
	ids := map[id.ID]bool{}
	for _, a := range x.ahead {
		ids[a.Product] = true
	}
	for _, day := range x.asked {
		for p := range day {
			ids[p] = true
		}
	}
	for _, p := range x.all.book.Products() {
		ids[p] = true
	}
	for p, rule := range x.all.policies {
		ids[p] = ids[p] || rule.Mode.Stocked()
	}
	for p, rule := range x.own {
		ids[p] = ids[p] || rule.Mode.Stocked()
	}
	list := make([]id.ID, 0, len(ids))
	for p, wanted := range ids {
		if wanted && !x.all.read[p] {
			list = append(list, p)
			x.all.read[p] = true
		}
	}
	slices.Sort(list)
	for part := range slices.Chunk(list, 500) {
		if err := d.Read(ctx, func(tx *db.Tx) error {
			some, err := goods.Products(tx, part)
			for i, p := range some {
				x.all.goods[i] = p
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// good is what planning knows of a product.
func (x *situation) good(p id.ID) replenish.Good {
	g := x.all.goods[p]
	if g == nil {
		return replenish.Good{Life: replenish.Forever}
	}
	return replenish.Good{Life: replenish.Life(g.ShelfLifeH), Batch: g.BatchSize, Piece: g.BaseUnit == "piece", Worth: x.worth[p]}
}

// sources are the products that other sites make for this one.
func (x *situation) sources(book *catalog.Cookbook) map[id.ID]replenish.Source {
	found := map[id.ID]replenish.Source{}
	for _, r := range x.rules {
		if r.Product == 0 {
			for _, p := range book.Made() {
				found[p] = replenish.Source{Site: r.Source, LeadHours: r.LeadHours}
			}
		}
	}
	for _, r := range x.rules {
		if r.Product != 0 {
			found[r.Product] = replenish.Source{Site: r.Source, LeadHours: r.LeadHours}
		}
	}
	return found
}

// plan works out what is made and needed on the planned day and what is to be ordered.
func (x *situation) plan() (*replenish.Made, error) {
	site, now := x.ground()
	made := &replenish.Made{}
	var unmet []replenish.RequirementRow
	if x.date == x.today {
		byLevel, err := x.below(made, site, now)
		if err != nil {
			return nil, err
		}
		byMean, err := x.byMean(made, site, now)
		if err != nil {
			return nil, err
		}
		unmet = append(byLevel, byMean...)
	}
	x.mixing.begin(x)
	if err := x.walk(site, now, func(p *replenish.Plan, date cal.Date) {
		x.write(made, p, date == x.date, site, now, date)
		x.mixing.see(x, p, date)
	}); err != nil {
		return nil, err
	}
	addUnmet(made, unmet)
	return made, nil
}

// ground is what the site has and who serves it, and the moment from which it is seen.
func (x *situation) ground() (*replenish.Site, party.Moment) {
	loc := x.site.Location()
	site := &replenish.Site{Book: x.all.book, Good: x.good, Terms: x.all.terms, Sources: x.source, Loc: loc, DayStart: time.Duration(x.site.DayStart) * time.Minute,
		Lots: x.lots, Coming: x.coming, Waived: x.waived, Static: x.static, Machines: x.machines, Loads: x.loads, Words: x.words(), Opens: int(x.site.Open) / 30,
		Service: x.materialService, Together: x.together, Loss: x.loss, Mix: x.mix}
	now := x.moment()
	if x.date > x.today { // seen from the morning of that day
		start := site.Start(x.date)
		now = party.Moment{Date: x.date, Minute: int64(start.Sub(site.Midnight(x.date)) / time.Minute)}
	}
	return site, now
}
