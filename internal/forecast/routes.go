package forecast

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Routes registers the routes of forecasts.
func (s *Service) Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/forecasts", Name: "list-forecasts", Summary: "What the products of a site will sell, by code", Perm: permRead, Scope: web.Sites}, s.list)
	web.Get(api, web.Route{Path: "/api/forecasts/accuracy", Name: "forecast-accuracy", Summary: "How wrong past forecasts were, beside the simple rules and what chance alone costs", Perm: permRead, Scope: web.Sites}, s.accuracy)
	web.Get(api, web.Route{Path: "/api/forecasts/kept", Name: "kept-forecasts", Summary: "What the nights really said, 1 to 7 days before, beside what was sold", Perm: permRead, Scope: web.Sites}, s.kept)
	web.Get(api, web.Route{Path: "/api/forecasts/drift", Name: "forecast-drift", Summary: "Sites, categories and products whose forecasts have been off in one direction for a fortnight, or further off than before", Perm: permRead, Scope: web.Sites}, s.drifts)
	web.Get(api, web.Route{Path: "/api/forecasts/{site_id}/{product_id}", Name: "get-forecast", Summary: "The days of one product, opened into their parts, beside its history", Perm: permRead, Scope: web.Sites}, s.get)
	web.Post(api, web.Route{Path: "/api/forecasts/{site_id}/{product_id}/overrides", Name: "override-forecast", Summary: "Put a person's figure in the place of the machine's", Perm: permRun, Scope: web.Sites}, s.override)
	web.Post(api, web.Route{Path: "/api/forecasts/run", Name: "run-forecasts", Summary: "Forecast one site, or all within reach, anew", Perm: permRun, Scope: web.Sites}, s.ask)
}

// ListIn is the input of the list.
type ListIn struct {
	web.Paging
	SiteID id.ID    `query:"site_id" required:"true"`
	From   cal.Date `query:"from" doc:"first day shown; empty: the first of the forecast"`
	Q      string   `query:"q" maxLength:"60" doc:"part of the code or name"`
}

// Line is one product in the list. Quantities are decimal strings in the unit.
type Line struct {
	ProductID id.ID     `json:"product_id"`
	Code      string    `json:"code"`
	Name      string    `json:"name"`
	Unit      string    `json:"unit"`
	Days      []DayMean `json:"days"`
	Sum       qty.Qty   `json:"sum"`
	Wape      *float64  `json:"wape" doc:"error of the last twelve weekly forecasts: Σ|error| ÷ Σ sold"`
	WapeNaive *float64  `json:"wape_snaive" doc:"the same for: as on the same weekday last week"`
	WapeMean4 *float64  `json:"wape_mean4" doc:"the same for: mean of the last four same weekdays"`
}

// DayMean is one day in the list.
type DayMean struct {
	Date     cal.Date `json:"date"`
	Mean     qty.Qty  `json:"mean"`
	Override *qty.Qty `json:"override,omitempty" doc:"a person's figure that holds instead"`
}

// ListOut is a page of products.
type ListOut struct {
	Items     []Line   `json:"items"`
	Next      string   `json:"next"`
	MadeAt    string   `json:"made_at" doc:"empty: there is no forecast yet"`
	DataUntil cal.Date `json:"data_until" doc:"the last day with sales"`
}

const listProducts = `SELECT f.product_id, p.code, f.days, f.tally FROM forecast_product f JOIN catalog_product p ON p.id = f.product_id
	WHERE f.run_id = $1 AND p.code > $2 AND (CAST($3 AS TEXT) = '' OR p.search LIKE $4 ESCAPE '!') ORDER BY p.code LIMIT $5`

func (s *Service) list(ctx context.Context, tx *db.Tx, in *ListIn) (*ListOut, error) {
	site, err := siteOf(ctx, permRead, in.SiteID)
	if err != nil {
		return nil, err
	}
	var after string
	if _, err := in.Seek(&after); err != nil {
		return nil, err
	}
	if in.From != "" && !in.From.Valid() {
		return nil, cal.ErrDate.With("text", in.From).At("from")
	}
	run, err := inForce(tx, site.ID)
	if errors.Is(err, ErrNone) {
		return &ListOut{Items: []Line{}}, nil
	}
	if err != nil {
		return nil, err
	}
	q := strings.ToLower(strings.TrimSpace(in.Q))
	rows := tx.Query(listProducts, run.ID, after, q, "%"+escapeLike(q)+"%", in.Limit+1)
	defer rows.Close()
	type found struct {
		product     id.ID
		code        string
		days, tally string
	}
	var all []found
	for rows.Next() {
		var f found
		if err := rows.Scan(&f.product, &f.code, &f.days, &f.tally); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(all))
	for i, f := range all {
		ids[i] = f.product
	}
	goods, err := s.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	said, err := overridesOf(tx, site.ID, ids, run.First(), run.Last())
	if err != nil {
		return nil, err
	}
	lines := make([]Line, 0, len(all))
	for _, f := range all {
		g := goods[f.product]
		if g == nil {
			continue
		}
		u := salesUnit(g)
		l := Line{ProductID: f.product, Code: f.code, Name: g.Name, Unit: u.Name, Days: []DayMean{}}
		var days []storedDay
		var tally Tally
		if err := errors.Join(unpack(f.days, &days), unpack(f.tally, &tally)); err != nil {
			return nil, err
		}
		for i := range days {
			d := DayMean{Date: run.Origin.AddDays(1 + i), Mean: inUnit(days[i].mean(), u)}
			if in.From != "" && d.Date < in.From {
				continue
			}
			holds := d.Mean
			if o, ok := said[dayKey{f.product, d.Date}]; ok {
				v := inUnit(o.Qty, u)
				d.Override, holds = &v, v
			}
			l.Sum += holds
			l.Days = append(l.Days, d)
		}
		l.Wape, l.WapeNaive, l.WapeMean4 = share(tally.Err, tally.Actual), share(tally.Naive, tally.Actual), share(tally.Mean4, tally.Actual)
		lines = append(lines, l)
	}
	page := web.PageOf(in.Paging, lines, func(l Line) string { return web.Cursor(l.Code) })
	return &ListOut{Items: page.Items, Next: page.Next, MadeAt: instant(run.MadeAt, site), DataUntil: run.DataUntil}, nil
}

func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

func instant(ms int64, site *org.Site) string {
	return time.UnixMilli(ms).In(site.Location()).Format(time.RFC3339)
}

// inUnit turns thousandths of the base unit into thousandths of a sales unit, to the nearest.
func inUnit(q qty.Qty, u catalog.Unit) qty.Qty {
	return qty.Nearest(q.Approx() * float64(u.Den) / float64(u.Num))
}

// share of a sum, to six decimals; nil of nothing.
func share(v, of float64) *float64 {
	if of == 0 || math.IsNaN(v/of) {
		return nil
	}
	x := math.Round(v/of*1e6) / 1e6
	return &x
}

// GetIn names one product at one site.
type GetIn struct {
	SiteID    id.ID `path:"site_id"`
	ProductID id.ID `path:"product_id"`
}

// Opened is a product's forecast with all that is behind it. Quantities are decimal strings in the unit.
type Opened struct {
	SiteID    id.ID        `json:"site_id"`
	ProductID id.ID        `json:"product_id"`
	Code      string       `json:"code"`
	Name      string       `json:"name"`
	Unit      string       `json:"unit"`
	MadeAt    string       `json:"made_at"`
	DataUntil cal.Date     `json:"data_until"`
	Days      []OpenedDay  `json:"days"`
	History   []HistoryDay `json:"history" doc:"the last 91 days"`
	Accuracy  Figures      `json:"accuracy" doc:"of the last twelve weekly forecasts"`
}

// OpenedDay is one day ahead. Parts add up to the mean exactly.
type OpenedDay struct {
	Date     cal.Date    `json:"date"`
	Mean     qty.Qty     `json:"mean"`
	Q50      qty.Qty     `json:"q50"`
	Q70      qty.Qty     `json:"q70"`
	Q80      qty.Qty     `json:"q80"`
	Q90      qty.Qty     `json:"q90"`
	Q95      qty.Qty     `json:"q95"`
	Parts    OpenedParts `json:"parts"`
	Slots    []Slot      `json:"slots" doc:"the mean by half hour; half hours with nothing are left out"`
	Override *Said       `json:"override,omitempty"`
}

// OpenedParts are why the mean is what it is, in units.
type OpenedParts struct {
	Base       qty.Qty `json:"base" doc:"the level of an average day"`
	Weekday    qty.Qty `json:"weekday"`
	Trend      qty.Qty `json:"trend" doc:"growth, decline and season"`
	Holiday    qty.Qty `json:"holiday"`
	Weather    qty.Qty `json:"weather"`
	Promotion  qty.Qty `json:"promotion"`
	Correction qty.Qty `json:"correction" doc:"what last weeks' errors of all products said"`
}

// Slot is what half an hour will sell.
type Slot struct {
	At   string  `json:"at"`
	Mean qty.Qty `json:"mean"`
}

// Said is a person's figure.
type Said struct {
	Qty     qty.Qty `json:"qty"`
	Reason  string  `json:"reason"`
	StaffID id.ID   `json:"staff_id"`
	MadeAt  string  `json:"made_at"`
}

// HistoryDay is one day of the past. Demand is what was wanted: more than was sold where the shelf was empty.
type HistoryDay struct {
	Date      cal.Date `json:"date"`
	Sold      qty.Qty  `json:"sold"`
	Demand    qty.Qty  `json:"demand"`
	SoldOutAt string   `json:"sold_out_at,omitempty"`
	Open      bool     `json:"open"`
}

const shownDays = 91

func (s *Service) get(ctx context.Context, tx *db.Tx, in *GetIn) (*Opened, error) {
	site, err := siteOf(ctx, permRead, in.SiteID)
	if err != nil {
		return nil, err
	}
	run, err := inForce(tx, site.ID)
	if err != nil {
		return nil, err
	}
	var daysText, profileText, tallyText string
	err = tx.QueryRow(`SELECT days, profile, tally FROM forecast_product WHERE run_id = $1 AND product_id = $2`, run.ID, in.ProductID).Scan(&daysText, &profileText, &tallyText)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	goods, err := s.goods.Products(tx, []id.ID{in.ProductID})
	if err != nil {
		return nil, err
	}
	g := goods[in.ProductID]
	if g == nil {
		return nil, ErrNone
	}
	u := salesUnit(g)
	var days []storedDay
	var profile [2][]int
	var tally Tally
	if err := errors.Join(unpack(daysText, &days), unpack(profileText, &profile), unpack(tallyText, &tally)); err != nil {
		return nil, err
	}
	said, err := overrides(tx, site.ID, in.ProductID, run.First(), run.Last())
	if err != nil {
		return nil, err
	}
	out := &Opened{SiteID: site.ID, ProductID: g.ID, Code: g.Code, Name: g.Name, Unit: u.Name,
		MadeAt: instant(run.MadeAt, site), DataUntil: run.DataUntil, Days: []OpenedDay{}, Accuracy: tally.figures()}
	for i := range days {
		d := OpenedDay{Date: run.Origin.AddDays(1 + i), Mean: inUnit(days[i].mean(), u), Slots: []Slot{}}
		q := days[i].quantiles()
		for k, to := range []*qty.Qty{&d.Q50, &d.Q70, &d.Q80, &d.Q90, &d.Q95} {
			*to = inUnit(q[k], u)
		}
		parts := days[i].parts()
		rest := d.Mean
		for k, to := range []*qty.Qty{&d.Parts.Weekday, &d.Parts.Trend, &d.Parts.Holiday, &d.Parts.Weather, &d.Parts.Promotion, &d.Parts.Correction} {
			*to = inUnit(parts[1+k], u)
			rest -= *to
		}
		d.Parts.Base = rest // takes what rounding to the unit left over
		shares := profile[0]
		if wd := d.Date.Weekday(); wd == time.Saturday || wd == time.Sunday {
			shares = profile[1]
		}
		d.Slots = slotsOf(d.Mean, shares)
		if o, ok := said[d.Date]; ok {
			d.Override = &Said{Qty: inUnit(o.Qty, u), Reason: o.Reason, StaffID: o.Staff, MadeAt: instant(o.MadeAt, site)}
		}
		out.Days = append(out.Days, d)
	}
	out.History, err = s.past(tx, site, g, u, run)
	return out, err
}

// slotsOf splits a day's mean by shares; the parts add up to it.
func slotsOf(mean qty.Qty, shares []int) []Slot {
	slots := []Slot{}
	total := 0
	for _, v := range shares {
		total += v
	}
	if total == 0 {
		return slots
	}
	var sum int
	var given qty.Qty
	for h, v := range shares {
		if v == 0 {
			continue
		}
		sum += v
		upTo := qty.Nearest(mean.Approx() * float64(sum) / float64(total))
		if part := upTo - given; part > 0 {
			slots = append(slots, Slot{At: fmt.Sprintf("%02d:%02d", h/2%24, h%2*30), Mean: part})
		}
		given = upTo
	}
	return slots
}

// past is the history shown beside a forecast, with the demand behind days that sold out.
func (s *Service) past(tx *db.Tx, site *org.Site, g *catalog.Product, u catalog.Unit, run *Run) ([]HistoryDay, error) {
	h := &history{site: *site, origin: run.Origin, first: run.Origin.AddDays(-2*shownDays + 1)}
	sold, err := productDays(g.ID, tx.Query(salesOfProduct, site.ID, g.ID, h.first, h.origin), h.origin)
	if err != nil {
		return nil, err
	}
	h.add(g, &sold)
	out := []HistoryDay{}
	if len(h.series) == 0 {
		return out, nil
	}
	open := make([]bool, 2*shownDays)
	rows := tx.Query(`SELECT DISTINCT d.date FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.date >= $2 AND d.date <= $3 AND d.qty > 0`, site.ID, h.first, h.origin)
	defer rows.Close()
	for rows.Next() {
		var d cal.Date
		if err := rows.Scan(&d); err != nil {
			return nil, err
		}
		open[d.Sub(h.first)] = true
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	p := &Panel{First: h.first, Days: len(open), Shops: []Shop{{Open: open}}, Series: h.series}
	x := &p.Series[0]
	wanted := x.learnDemand(open, newProfiles(p), p.weekday)
	for t := shownDays; t < len(open); t++ {
		d := HistoryDay{Date: h.first.AddDays(t), Sold: qty.Nearest(x.Sold[t]), Open: open[t]}
		d.Demand = d.Sold
		if wanted.weight[t] == .5 {
			d.Demand = qty.Nearest(wanted.qty[t])
		}
		if x.SoldOut != nil && x.SoldOut[t] >= 0 {
			d.SoldOutAt = fmt.Sprintf("%02d:%02d", x.SoldOut[t]/60%24, x.SoldOut[t]%60)
		}
		out = append(out, d)
	}
	return out, nil
}

// OverrideIn is a person's figure for a day.
type OverrideIn struct {
	GetIn
	Body struct {
		Date   cal.Date `json:"date"`
		Qty    *qty.Qty `json:"qty,omitempty" doc:"in the unit of the forecast; left out: the machine's figure again"`
		Reason string   `json:"reason" minLength:"1" maxLength:"200"`
	}
}

func (s *Service) override(ctx context.Context, tx *db.Tx, in *OverrideIn) (*Opened, error) {
	site, err := siteOf(ctx, permRun, in.SiteID)
	if err != nil {
		return nil, err
	}
	goods, err := s.goods.Products(tx, []id.ID{in.ProductID})
	if err != nil {
		return nil, err
	}
	g := goods[in.ProductID]
	if g == nil {
		return nil, ErrNone
	}
	u := salesUnit(g)
	var base *qty.Qty
	if in.Body.Qty != nil {
		if *in.Body.Qty < 0 {
			return nil, qty.ErrBad.At("qty")
		}
		v, err := u.Qty().ToBase(*in.Body.Qty)
		if err != nil {
			return nil, err
		}
		base = &v
	}
	var staff id.ID
	if c := org.CallerOf(ctx); c != nil {
		staff = c.ID
	}
	if err := Override(tx, site.ID, g.ID, in.Body.Date, base, in.Body.Reason, staff); err != nil {
		return nil, err
	}
	return s.get(ctx, tx, &in.GetIn)
}

// AskIn asks for new forecasts.
type AskIn struct {
	Body struct {
		SiteID id.ID `json:"site_id,omitempty" doc:"left out: every site within reach"`
	}
}

func (s *Service) ask(ctx context.Context, tx *db.Tx, in *AskIn) (*jobs.Status, error) {
	var sites []id.ID
	if in.Body.SiteID != 0 {
		site, err := siteOf(ctx, permRun, in.Body.SiteID)
		if err != nil {
			return nil, err
		}
		sites = []id.ID{site.ID}
	} else if reach := org.SitesOf(ctx, permRun); !reach.All {
		sites = reach.IDs()
		if len(sites) == 0 {
			return nil, org.ErrNotFound
		}
	}
	job, err := Enqueue(tx, sites...)
	if err != nil {
		return nil, err
	}
	st, err := jobs.Get(tx, job)
	return &st, err
}

type dayKey struct {
	product id.ID
	date    cal.Date
}

var overridesOfMany = db.NewMany(`SELECT o.product_id, o.date, o.qty FROM forecast_override o
	WHERE o.site_id = $1 AND o.date >= $2 AND o.date <= $3
		AND o.id = (SELECT MAX(n.id) FROM forecast_override n WHERE n.site_id = o.site_id AND n.product_id = o.product_id AND n.date = o.date)
		AND o.product_id IN (`, `?`, `)`)

// overridesOf are the figures that hold for some products' days.
func overridesOf(tx *db.Tx, site id.ID, products []id.ID, from, to cal.Date) (map[dayKey]override, error) {
	args := []any{site, from, to}
	for _, p := range products {
		args = append(args, p)
	}
	all := map[dayKey]override{}
	if len(products) == 0 {
		return all, nil
	}
	rows := tx.QueryMany(overridesOfMany, args...)
	defer rows.Close()
	for rows.Next() {
		var k dayKey
		var q *qty.Qty
		if err := rows.Scan(&k.product, &k.date, &q); err != nil {
			return nil, err
		}
		if q != nil {
			all[k] = override{Qty: *q}
		}
	}
	return all, rows.Err()
}
