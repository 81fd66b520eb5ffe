package intake

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// ErrDuplicate refuses a row that a row before it has said already.
var ErrDuplicate = errs.Define("duplicate_row", errs.Invalid,
	"与第 {line} 行重复", "This repeats line {line}")

// runRows is how many rows are sorted in memory before they are staged. Files come by date and are kept by
// product, so unsorted they would touch a page for each row.
const runRows = 128 << 10

// sale is one row with everything found out, or several of one half hour added up.
type sale struct {
	site, product id.ID
	day           int32 // business date, counted from 1970-01-01
	part          int32
	line          int64
	lines         int64
	qty           qty.Qty
	amount        money.Fen // -1: unknown
	soldOut       int64     // minutes after local midnight; -1: not said
	promo         bool
}

func bySeries(a, b sale) int {
	return cmp.Or(cmp.Compare(a.site, b.site), cmp.Compare(a.product, b.product), cmp.Compare(a.day, b.day), cmp.Compare(a.part, b.part), cmp.Compare(a.line, b.line))
}

func sameKey(a, b sale) bool {
	return a.site == b.site && a.product == b.product && a.day == b.day && a.part == b.part
}

// salesWork takes in sales. A file by days says what a day came to: two rows for one day, store, product and
// unit are a mistake. A file by times has single sales, which are added up by half hours.
type salesWork struct {
	s     *Service
	timed bool
	book  *book
	now   time.Time
	today map[id.ID]cal.Date // by site
	days  map[cal.Date]int32
	run   []sale
}

func (s *salesWork) row(c *cells) any { return parseSale(c) }

func (s *salesWork) start(ctx context.Context, w *work) error {
	at, err := match(Sales, w.im.Head.Columns, w.im.Run.Mapping)
	if err != nil {
		return err
	}
	s.timed = at[saleTime] >= 0
	if s.book != nil {
		return nil
	}
	s.today, s.days = map[id.ID]cal.Date{}, map[cal.Date]int32{}
	if s.book, err = newBook(ctx, w.s.d, w.reach, w.im.Run.CreateMissing); err != nil {
		return err
	}
	return w.s.d.Read(ctx, func(tx *db.Tx) error {
		s.now = tx.Now()
		return nil
	})
}

func (s *salesWork) flush(ctx context.Context, w *work, rows []readRow, last bool) error {
	if err := s.start(ctx, w); err != nil {
		return err
	}
	names := map[string]bool{}
	for _, r := range rows {
		names[r.row.(SaleRow).Product] = true
	}
	if err := s.book.learn(ctx, names); err != nil {
		return err
	}
	var refused []refusal
	for _, r := range rows {
		v, bad := s.resolve(r.row.(SaleRow))
		if bad != nil {
			if bad.Is(ErrTooManyNew) {
				return bad
			}
			refused = append(refused, refusal{r.line, []*errs.Error{bad}, r.cells})
			continue
		}
		v.line, v.lines = r.line, 1
		s.run = append(s.run, v)
	}
	if err := w.refuseRows(ctx, refused); err != nil {
		return err
	}
	if len(s.run) >= s.s.runRows || last {
		if err := s.stage(ctx, w); err != nil {
			return err
		}
	}
	if last {
		return s.stageMissing(ctx, w)
	}
	return nil
}

// resolve finds what a row names and puts it on the site's calendar and into base units.
func (s *salesWork) resolve(r SaleRow) (v sale, bad *errs.Error) {
	site, e := s.book.site(r.Store)
	if e != nil {
		return v, e.At("store")
	}
	v.site = site.ID
	date, e := s.when(site, r, &v)
	if e != nil {
		return v, e
	}
	var ok bool
	if v.day, ok = s.days[date]; !ok {
		v.day = int32(date.Number())
		s.days[date] = v.day
	}
	if v.soldOut = -1; r.SoldOut != nil {
		if v.soldOut, ok = minuteOf(site, date, *r.SoldOut); !ok {
			return v, ErrSoldOut.At("sold_out_at")
		}
	}
	p, e := s.book.product(r.Product, r.Unit)
	if e != nil {
		return v, e.At("product")
	}
	base, _, place, e := p.baseQty(r.Qty, r.Unit)
	if e != nil {
		if e.Field == "" {
			e = e.At("quantity")
		}
		return v, e
	}
	if !s.timed {
		v.part = int32(place)
	}
	v.product, v.qty, v.promo, v.amount = p.ID, base, r.Promo, -1
	if r.Price != nil {
		amount, err := money.Times(*r.Price, r.Qty)
		if err != nil {
			return v, errs.As(err).At("price_fen")
		}
		v.amount = amount
	}
	s.book.use(site.ID)
	s.book.use(p.ID)
	return v, nil
}

// when is the business date of a row, and for a time its half hour as part.
func (s *salesWork) when(site *org.Site, r SaleRow, v *sale) (cal.Date, *errs.Error) {
	if r.Timed {
		at := r.At.In(site.Location())
		if at.After(s.now) {
			return "", ErrFuture.At("time")
		}
		date := site.BusinessDate(at)
		local := at.In(site.Location())
		v.part = int32((cal.On(local).Sub(date)*24*60 + local.Hour()*60 + local.Minute()) / 30)
		return date, nil
	}
	today, ok := s.today[site.ID]
	if !ok {
		today = site.BusinessDate(s.now)
		s.today[site.ID] = today
	}
	if r.At.Date > today {
		return "", ErrFuture.At("date")
	}
	return r.At.Date, nil
}

// minuteOf counts minutes from local midnight of a business date; false for a moment of another date.
func minuteOf(site *org.Site, date cal.Date, m Moment) (int64, bool) {
	if m.Date == "" {
		minute := int64(m.Second / 60)
		if minute < int64(site.DayStart) {
			minute += 24 * 60 // after midnight, before the next business day
		}
		return minute, true
	}
	at := m.In(site.Location())
	if site.BusinessDate(at) != date {
		return 0, false
	}
	local := at.In(site.Location())
	return int64(cal.On(local).Sub(date)*24*60 + local.Hour()*60 + local.Minute()), true
}

const stageColumns = `INSERT INTO intake_sale_stage (import_id, site_id, product_id, day, part, line, lines, qty, amount_fen, promo, sold_out_min) VALUES `

var (
	stageDays = db.NewMany(stageColumns, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		` ON CONFLICT (import_id, site_id, product_id, day, part) DO NOTHING RETURNING line`)
	stageTimes = db.NewMany(stageColumns, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		` ON CONFLICT (import_id, site_id, product_id, day, part) DO UPDATE SET lines = intake_sale_stage.lines + excluded.lines,
		qty = intake_sale_stage.qty + excluded.qty, amount_fen = intake_sale_stage.amount_fen + excluded.amount_fen,
		promo = CASE WHEN excluded.promo = 1 THEN 1 ELSE intake_sale_stage.promo END,
		sold_out_min = CASE WHEN excluded.sold_out_min IS NULL OR intake_sale_stage.sold_out_min > excluded.sold_out_min
			THEN intake_sale_stage.sold_out_min ELSE excluded.sold_out_min END`)
)

const stagedLine = `SELECT line FROM intake_sale_stage WHERE import_id = $1 AND site_id = $2 AND product_id = $3 AND day = $4 AND part = $5`

// stage sorts the rows read so far and writes them in steps.
func (s *salesWork) stage(ctx context.Context, w *work) error {
	run := s.run
	s.run = s.run[:0]
	slices.SortFunc(run, bySeries)
	var repeats []refusal
	n := 0
	for i := range run {
		switch {
		case n == 0 || !sameKey(run[n-1], run[i]):
			run[n] = run[i]
			n++
		case s.timed:
			run[n-1].add(run[i])
		default:
			repeats = append(repeats, w.repeat(run[i].line, run[n-1].line))
		}
	}
	run = run[:n]
	if err := w.refuseRows(ctx, repeats); err != nil {
		return err
	}
	if w.pointless() {
		return nil
	}
	for len(run) > 0 {
		part := run[:min(len(run), stepRows)]
		run = run[len(part):]
		repeats = repeats[:0]
		err := w.step(ctx, func(tx *db.Tx, c *counters) error {
			repeats = repeats[:0]
			args := make([]any, 0, len(part)*11)
			for i := range part {
				v := &part[i]
				args = append(args, w.im.ID, v.site, v.product, int64(v.day), int64(v.part), v.line, v.lines, v.qty, known(v.amount), v.promo, known(v.soldOut))
				c.done += v.lines
			}
			if s.timed {
				return tx.ExecMany(stageTimes, args...)
			}
			staged, err := linesOf(tx, stageDays, 11, args)
			if err != nil {
				return err
			}
			for i := range part {
				v := &part[i]
				if staged[v.line] {
					continue
				}
				var first int64
				if err := tx.QueryRow(stagedLine, w.im.ID, v.site, v.product, int64(v.day), int64(v.part)).Scan(&first); err != nil {
					return err
				}
				repeats = append(repeats, w.repeat(v.line, first))
			}
			return putRefusals(tx, w.im.ID, c, repeats)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pointless tells that nothing of the file can come into force any more.
func (w *work) pointless() bool {
	return w.im.Run.Mode == All && !w.im.Run.DryRun && w.now.Refused > 0
}

// repeat refuses a row that repeats another.
func (w *work) repeat(line, first int64) refusal {
	return w.blindly(line, ErrDuplicate.With("line", first))
}

// add adds a sale of the same half hour.
func (v *sale) add(o sale) {
	v.lines += o.lines
	v.qty += o.qty
	v.promo = v.promo || o.promo
	v.soldOut = max(v.soldOut, o.soldOut)
	if v.amount >= 0 && o.amount >= 0 {
		v.amount += o.amount
	} else {
		v.amount = -1
	}
}

// known is NULL for what is not known.
func known[T ~int64](v T) *T {
	if v < 0 {
		return nil
	}
	return &v
}

func (s *salesWork) check(ctx context.Context, w *work) error {
	if !w.im.Run.DryRun {
		return nil // applying compares as it goes
	}
	if err := w.enter(ctx, Checking, w.now.Read-w.now.Refused, nil); err != nil {
		return err
	}
	return s.settle(ctx, w, false)
}

func (s *salesWork) begin(tx *db.Tx, w *work) (int64, error) {
	return w.now.Read - w.now.Refused, forecast.OpenLoad(tx, w.im.ID)
}

const (
	// Compared and ordered by the whole key: with import_id = $1 PostgreSQL, which knows nothing yet of so young a table,
	// believes in a handful of rows and sorts them all for each page.
	stagedSales = `SELECT import_id, site_id, product_id, day, part, lines, qty, amount_fen, promo, sold_out_min FROM intake_sale_stage
		WHERE (import_id, site_id, product_id, day, part) > ($1, $2, $3, $4, $5) ORDER BY import_id, site_id, product_id, day, part LIMIT $6`
	// Bounded below as well: PostgreSQL would walk over all that was deleted before.
	settledSales = `DELETE FROM intake_sale_stage WHERE (import_id, site_id, product_id, day, part) > ($1, $2, $3, $4, $5)
		AND (import_id, site_id, product_id, day, part) <= ($1, $6, $7, $8, $9)`
)

// day is one day of a series with the file's rows it came from.
type day struct {
	forecast.SaleDay
	lines int64
}

// settle goes through what is staged, series by series: a day that is news goes to the forecast's history, under a
// load that is not in force yet (or, in a dry run, is only counted).
func (s *salesWork) settle(ctx context.Context, w *work, put bool) error {
	var at sale
	for {
		var days []day
		var next sale
		var inForce map[forecast.SaleKey]forecast.SaleDay
		err := w.s.d.Read(ctx, func(tx *db.Tx) (err error) {
			mindGrowth(tx)
			if days, next, err = s.page(tx, w.im.ID, at); err != nil || len(days) == 0 {
				return err
			}
			keys := make([]forecast.SaleKey, len(days))
			for i := range days {
				keys[i] = days[i].SaleKey
			}
			inForce, err = forecast.SalesInForce(tx, keys)
			return err
		})
		if err != nil || len(days) == 0 {
			return err
		}
		var news []forecast.SaleDay
		var isNew, same int64
		for _, d := range days {
			if now, ok := inForce[d.SaleKey]; ok && now.Equal(d.SaleDay) {
				same += d.lines
			} else {
				isNew += d.lines
				news = append(news, d.SaleDay)
			}
		}
		err = w.step(ctx, func(tx *db.Tx, c *counters) error {
			c.New, c.Same, c.done = c.New+isNew, c.Same+same, c.done+isNew+same
			if !put {
				return nil
			}
			if err := forecast.PutSales(tx, w.im.ID, news); err != nil {
				return err
			}
			return tx.Exec(settledSales, w.im.ID, at.site, at.product, int64(at.day), int64(at.part), next.site, next.product, int64(next.day), int64(next.part))
		})
		if err != nil {
			return err
		}
		at = next
	}
}

// page reads whole days behind at, and tells where they end.
func (s *salesWork) page(tx *db.Tx, importID id.ID, at sale) (days []day, next sale, err error) {
	const limit = stepRows // more than the parts of one day
	rows := tx.Query(stagedSales, importID, at.site, at.product, int64(at.day), int64(at.part), limit)
	defer rows.Close()
	var all []sale
	for rows.Next() {
		var v sale
		var of id.ID
		var amount *money.Fen
		var soldOut *int64
		if err := rows.Scan(&of, &v.site, &v.product, &v.day, &v.part, &v.lines, &v.qty, &amount, &v.promo, &soldOut); err != nil {
			return nil, at, err
		}
		if of != importID {
			break
		}
		v.amount, v.soldOut = -1, -1
		if amount != nil {
			v.amount = *amount
		}
		if soldOut != nil {
			v.soldOut = *soldOut
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		return nil, at, err
	}
	if len(all) == limit { // the last day may go on behind the page
		end := limit
		last := all[limit-1]
		for end > 0 && all[end-1].site == last.site && all[end-1].product == last.product && all[end-1].day == last.day {
			end--
		}
		all = all[:end]
	}
	for i := 0; i < len(all); {
		sum := all[i]
		var slots []forecast.SlotQty
		j := i
		for ; j < len(all) && all[j].site == sum.site && all[j].product == sum.product && all[j].day == sum.day; j++ {
			if j > i {
				sum.add(all[j])
			}
			if s.timed {
				slots = append(slots, forecast.SlotQty{Slot: int64(all[j].part), Qty: all[j].qty})
			}
		}
		days = append(days, day{forecast.SaleDay{
			SaleKey: forecast.SaleKey{SiteID: sum.site, ProductID: sum.product, Date: cal.FromNumber(int(sum.day))},
			Qty:     sum.qty, Amount: known(sum.amount), Promo: sum.promo, SoldOut: known(sum.soldOut), Slots: slots,
		}, sum.lines})
		i = j
	}
	return days, all[len(all)-1], nil
}

// --- what sales name and nobody has entered

// use marks a store or product that a good row names; only these are made.
func (b *book) use(what id.ID) {
	if at, ok := b.missingAt[what]; ok {
		b.missing[at].used = true
	}
}

var addMissing = db.NewMany(`INSERT INTO intake_missing_stage (import_id, id, kind, code, name, base_unit, unit, num) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?)`, ``)

func (s *salesWork) stageMissing(ctx context.Context, w *work) error {
	var args []any
	flush := func() error {
		err := w.step(ctx, func(tx *db.Tx, c *counters) error { return tx.ExecMany(addMissing, args...) })
		args = args[:0]
		return err
	}
	for _, m := range s.book.missing {
		if !m.used {
			continue
		}
		if args = append(args, w.im.ID, m.ID, m.Kind, m.Code, m.Name, m.BaseUnit, m.Unit, m.Num); len(args) == 8*stepRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(args) == 0 {
		return nil
	}
	return flush()
}

// missingStep is how many stores and products one step makes: each is a dozen statements.
const missingStep = 20

const (
	nextMissing = `SELECT id, kind, code, name, base_unit, unit, num FROM intake_missing_stage WHERE import_id = $1 ORDER BY id LIMIT $2`
	doneMissing = `DELETE FROM intake_missing_stage WHERE import_id = $1 AND id = $2`
)

// apply settles, makes what is missing, and puts the load in force: the last step is the one row that readers
// look at.
func (s *salesWork) apply(ctx context.Context, w *work) error {
	if err := s.start(ctx, w); err != nil {
		return err
	}
	if err := s.settle(ctx, w, true); err != nil {
		return err
	}
	for ended := false; !ended; {
		err := w.step(ctx, func(tx *db.Tx, c *counters) error {
			var todo []missing
			rows := tx.Query(nextMissing, w.im.ID, missingStep+1)
			for rows.Next() {
				var m missing
				if err := rows.Scan(&m.ID, &m.Kind, &m.Code, &m.Name, &m.BaseUnit, &m.Unit, &m.Num); err != nil {
					return err
				}
				todo = append(todo, m)
			}
			if err := rows.Err(); err != nil {
				return err
			}
			ended = len(todo) <= missingStep
			for _, m := range todo[:min(len(todo), missingStep)] {
				if err := w.s.make(tx, m); err != nil {
					return err
				}
				if err := tx.Exec(doneMissing, w.im.ID, m.ID); err != nil {
					return err
				}
			}
			if !ended {
				return nil
			}
			if err := forecast.ApplyLoad(tx, w.im.ID); err != nil {
				return err
			}
			return w.applied(tx, c)
		})
		switch {
		case errors.Is(err, ErrMissingTaken):
			return w.end(ctx, Failed, err)
		case err != nil:
			return err
		}
	}
	w.im.State = Applied
	return nil
}

// applied is the end of an import that came into force, as part of its last step.
func (w *work) applied(tx *db.Tx, c *counters) error {
	c.done = c.total
	if err := tx.Exec(`UPDATE intake_import SET state = 'applied', ended_at = $1 WHERE id = $2`, tx.Wall(), w.im.ID); err != nil || c.New == 0 {
		return err
	}
	return emitDone(tx, w.im, c.New)
}

// make makes one store or product that sales name.
func (s *Service) make(tx *db.Tx, m missing) error {
	ctx := org.WithSystem(tx.Context())
	var err error
	if m.Kind == Stores {
		var entity id.ID
		err = tx.QueryRow(`SELECT id FROM org_entity ORDER BY code LIMIT 1`).Scan(&entity)
		if err == nil {
			_, err = s.org.CreateSite(ctx, tx, org.SiteFields{ID: m.ID, Code: m.Code, Name: m.Name, Kind: "store", TimeZone: "Asia/Shanghai",
				DayStart: 4 * 60, Open: 8 * 60, Close: 22 * 60, EntityID: entity})
		}
	} else {
		var category id.ID
		if category, err = s.category(tx, "imported"); err != nil {
			return err
		}
		draft := catalog.Draft{ID: m.ID, Code: m.Code, Name: m.Name, CategoryID: category, BaseUnit: m.BaseUnit, TaxPct: 1300}
		if m.Unit != m.BaseUnit {
			draft.Units = []catalog.UnitDraft{{Name: m.Unit, Num: m.Num, Den: 1}}
		}
		_, err = s.goods.Create(tx, draft)
	}
	if errors.Is(err, catalog.ErrCodeTaken) || errors.Is(err, org.ErrSiteCode) {
		return ErrMissingTaken.With("code", m.Code).Wrap(err)
	}
	return err
}

// category finds a category at the top of the tree, or makes it.
func (s *Service) category(tx *db.Tx, name string) (id.ID, error) {
	all, err := catalog.Categories(tx)
	if err != nil {
		return 0, err
	}
	var below id.ID
	for _, c := range all {
		if c.Name != name {
			continue
		}
		if c.ParentID == 0 {
			return c.ID, nil
		}
		below = c.ID
	}
	if below != 0 {
		return below, nil
	}
	c, err := s.goods.CreateCategory(tx, catalog.CategoryDraft{Name: name})
	if err != nil {
		return 0, err
	}
	return c.ID, nil
}
