package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Figures of a day. Every rate comes with what it is made of; one without a base is missing.
type Figures struct {
	OutRate       *float64 `json:"out_rate" doc:"slots_out ÷ slots_on_sale"`
	OutRateEarly  *float64 `json:"out_rate_early" doc:"the same before the clearance window alone: slots_early_out ÷ slots_early"`
	LossRate      *float64 `json:"loss_rate" doc:"(wasted_fen + making_loss_fen) ÷ (received_fen + made_fen)"`
	PerHourFen    *float64 `json:"per_hour_fen" doc:"labour efficiency: net_fen ÷ hours worked"`
	TicketFen     *float64 `json:"ticket_fen" doc:"mean of a slip: sales_fen ÷ slips"`
	SlotsOnSale   int64    `json:"slots_on_sale" doc:"half hours × products on sale"`
	SlotsOut      int64    `json:"slots_out" doc:"of them with nothing available"`
	SlotsEarly    int64    `json:"slots_early" doc:"half hours × products before the clearance window"`
	SlotsEarlyOut int64    `json:"slots_early_out"`
	WastedFen     int64    `json:"wasted_fen" doc:"cost of goods written off"`
	MakingLossFen int64    `json:"making_loss_fen" doc:"cost of material lost in making beyond the recipe"`
	CountLossFen  int64    `json:"count_loss_fen" doc:"cost of what counts did not find, less what they found; not in the loss rate"`
	ReceivedFen   int64    `json:"received_fen" doc:"cost of goods received"`
	MadeFen       int64    `json:"made_fen" doc:"cost of goods made"`
	SalesFen      int64    `json:"sales_fen" doc:"before refunds, VAT included"`
	RefundsFen    int64    `json:"refunds_fen"`
	NetFen        int64    `json:"net_fen" doc:"sales less refunds"`
	Slips         int64    `json:"slips" doc:"paid, voided ones not counted"`
	Pieces        qty.Qty  `json:"pieces" doc:"sold before refunds; a line by weight or volume is one"`
	WorkedMin     int64    `json:"worked_min" doc:"minutes from clocking in to clocking out, until now of those present"`
	Present       int64    `json:"present" doc:"people clocked in now"`
	Cut           int64    `json:"cut" doc:"presences that ended with the day because nobody clocked out"`
	PlanFen       int64    `json:"plan_fen" doc:"forecast of the whole day, at today's prices"`
	PlanSoFarFen  int64    `json:"plan_so_far_fen" doc:"of the half hours that are over, and the share of the one under way"`
	WeekSoFarFen  int64    `json:"week_so_far_fen" doc:"sold a week before until this time of day"`
	WeekFen       int64    `json:"week_fen" doc:"sold on the whole day a week before"`
	OutNow        int64    `json:"out_now" doc:"products on sale with nothing available at this moment"`
	OnSaleNow     int64    `json:"on_sale_now"`
	Rounds        int64    `json:"rounds" doc:"rounds of making planned for the day"`
	RoundsDone    int64    `json:"rounds_done"`
	RoundsLate    int64    `json:"rounds_late" doc:"should be ready by now and are not"`
	ToMakeFen     int64    `json:"to_make_fen" doc:"what is planned to be made, at sales prices"`
	DoneFen       int64    `json:"done_fen" doc:"of it made, each product up to its plan"`
	Cleared       Cleared  `json:"cleared"`
}

func (f *Figures) take(s sums, c slotCount) {
	f.SlotsOnSale += c.onSale
	f.SlotsOut += c.out
	f.SlotsEarly += c.early
	f.SlotsEarlyOut += c.earlyOut
	f.WastedFen += s.wastedC
	f.MakingLossFen += s.makingC
	f.CountLossFen += s.countC
	f.ReceivedFen += s.receivedC
	f.MadeFen += s.madeC
	f.SalesFen += s.sales
	f.RefundsFen += s.refunds
	f.Pieces += qty.Qty(s.pieces)
}

func (f *Figures) join(o *Figures) {
	f.SlotsOnSale += o.SlotsOnSale
	f.SlotsOut += o.SlotsOut
	f.SlotsEarly += o.SlotsEarly
	f.SlotsEarlyOut += o.SlotsEarlyOut
	f.WastedFen += o.WastedFen
	f.MakingLossFen += o.MakingLossFen
	f.CountLossFen += o.CountLossFen
	f.ReceivedFen += o.ReceivedFen
	f.MadeFen += o.MadeFen
	f.SalesFen += o.SalesFen
	f.RefundsFen += o.RefundsFen
	f.Slips += o.Slips
	f.Pieces += o.Pieces
	f.WorkedMin += o.WorkedMin
	f.Present += o.Present
	f.Cut += o.Cut
	f.PlanFen += o.PlanFen
	f.PlanSoFarFen += o.PlanSoFarFen
	f.WeekSoFarFen += o.WeekSoFarFen
	f.WeekFen += o.WeekFen
	f.OutNow += o.OutNow
	f.OnSaleNow += o.OnSaleNow
	f.Rounds += o.Rounds
	f.RoundsDone += o.RoundsDone
	f.RoundsLate += o.RoundsLate
	f.ToMakeFen += o.ToMakeFen
	f.DoneFen += o.DoneFen
	f.Cleared.join(o.Cleared)
}

// finish works out the rates.
func (f *Figures) finish() {
	f.NetFen = f.SalesFen - f.RefundsFen
	f.OutRate = ratio(f.SlotsOut, f.SlotsOnSale)
	f.OutRateEarly = ratio(f.SlotsEarlyOut, f.SlotsEarly)
	f.LossRate = ratio(f.WastedFen+f.MakingLossFen, f.ReceivedFen+f.MadeFen)
	f.PerHourFen = ratio(f.NetFen*60, f.WorkedMin)
	f.TicketFen = ratio(f.SalesFen, f.Slips)
}

func ratio(part, of int64) *float64 {
	if of <= 0 {
		return nil
	}
	v := float64(part) / float64(of)
	return &v
}

// Store is a site's day.
type Store struct {
	SiteID id.ID    `json:"site_id"`
	Code   string   `json:"code"`
	Name   string   `json:"name"`
	Entity id.ID    `json:"entity_id"`
	Date   cal.Date `json:"date"`
	Open   bool     `json:"open" doc:"open at this moment"`
	Figures
	Fault float64 `json:"fault" doc:"how much goes wrong, for ranking: out-of-stock rate + loss rate + share of rounds late"`
}

// Half is a half hour.
type Half struct {
	At      string `json:"at" doc:"HH:MM, the site's clock"`
	NetFen  *int64 `json:"net_fen" doc:"sales less refunds; missing for what is still to come"`
	Slips   int64  `json:"slips"`
	PlanFen int64  `json:"plan_fen" doc:"the forecast's mean"`
	WeekFen int64  `json:"week_fen" doc:"a week before"`
}

// Alarm is something that somebody should see to now. Seen over several sites, the like of one site stand together: the one
// that most money is at stake for, and how many more.
type Alarm struct {
	Kind      string     `json:"kind" enum:"sold_out,round_late,expired,expires_soon,not_clocked_out"`
	Red       bool       `json:"red" doc:"now; else soon"`
	SiteID    id.ID      `json:"site_id"`
	SiteName  string     `json:"site_name"`
	ProductID id.ID      `json:"product_id"`
	Product   string     `json:"product"`
	N         int64      `json:"n" doc:"how many, where it is a number of things"`
	At        *time.Time `json:"at,omitempty" doc:"since when, or until when"`
	Fen       money.Fen  `json:"fen" doc:"what is at stake, of all that stand together: goods at cost, or what the product has sold today, or what the round would sell for"`
	More      int64      `json:"more" doc:"of the same kind at this site, besides"`
}

// Board is everything the big screen shows.
type Board struct {
	AsOf      time.Time `json:"as_of" doc:"the moment at which everything here was read"`
	RolledAt  time.Time `json:"rolled_at" doc:"when half hours that are over were added up, at the site where it is longest ago"`
	Date      cal.Date  `json:"date"`
	Total     Figures   `json:"total"`
	Stores    []Store   `json:"stores" doc:"the worst first"`
	Halves    []Half    `json:"halves" doc:"of all sites together"`
	Trend     []Trend   `json:"trend" doc:"the days before, the oldest first, and this one"`
	Alarms    []Alarm   `json:"alarms" doc:"the worst kind first, in it what most money is at stake for, at most 60"`
	AlarmsAll int64     `json:"alarms_all" doc:"how many there are, each for itself"`
}

// Trend is a day beside others.
type Trend struct {
	Date        cal.Date `json:"date"`
	OutRate     *float64 `json:"out_rate"`
	LossRate    *float64 `json:"loss_rate"`
	PerHourFen  *float64 `json:"per_hour_fen"`
	NetFen      int64    `json:"net_fen"`
	SlotsOut    int64    `json:"slots_out"`
	SlotsOnSale int64    `json:"slots_on_sale"`
	LostFen     int64    `json:"lost_fen"`
	BaseFen     int64    `json:"base_fen"`
	WorkedMin   int64    `json:"worked_min"`
}

// trendDays are shown beside a day.
const trendDays = 14

// BoardIn chooses a day and sites.
type BoardIn struct {
	SiteID id.ID    `query:"site_id" doc:"left out: every site within reach"`
	Date   cal.Date `query:"date" doc:"business date; left out: today"`
}

func (s *Service) boardRoute(api *web.API) {
	web.Get(api, web.Route{Path: "/api/report/board", Name: "report-board", Summary: "A day's figures, by site, half hour and alarm, from the ledger", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *BoardIn) (*Board, error) {
			sites, err := sitesFor(ctx, tx, in.SiteID)
			if err != nil {
				return nil, err
			}
			if err := checkDate(tx, sites, in.Date); err != nil {
				return nil, err
			}
			return s.Board(tx, sites, in.Date)
		})
}

// sitesFor are the sites within the caller's reach that sell or have sold: all, or the one that is named.
func sitesFor(ctx context.Context, tx *db.Tx, one id.ID) ([]*org.Site, error) {
	if one != 0 {
		site, err := org.SiteFor(ctx, permRead, one)
		if err != nil {
			return nil, org.ErrNotFound.At("site_id")
		}
		return []*org.Site{site}, nil
	}
	reach := org.SitesOf(ctx, permRead)
	all, err := org.AllSites(tx)
	if err != nil {
		return nil, err
	}
	var found []*org.Site
	for i := range all {
		if reach.Has(all[i].ID) && all[i].Kind != "office" {
			found = append(found, &all[i])
		}
	}
	return found, nil
}

func checkDate(tx *db.Tx, sites []*org.Site, date cal.Date) error {
	if date == "" {
		return nil
	}
	if !date.Valid() {
		return ErrDate.At("date")
	}
	for _, s := range sites {
		switch today := s.BusinessDate(tx.Now()); {
		case date > today:
			return ErrDate.At("date")
		case today.Sub(date) > keepBack:
			return ErrTooOld.With("most", keepBack).At("date")
		}
	}
	return nil
}

// Board adds a day up for the sites; an empty date is today.
func (s *Service) Board(tx *db.Tx, sites []*org.Site, date cal.Date) (*Board, error) {
	b := &Board{AsOf: tx.Now(), RolledAt: tx.Now(), Date: date, Stores: []Store{}, Halves: []Half{}, Trend: []Trend{}, Alarms: []Alarm{}}
	if len(sites) == 0 {
		b.Date = cal.On(tx.Now())
		b.Total.finish()
		return b, nil
	}
	if b.Date == "" {
		b.Date = sites[0].BusinessDate(tx.Now())
	}
	b.AsOf = b.AsOf.In(sites[0].Location())
	days, err := s.see(tx, sites, date)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(sites))
	for i, one := range sites {
		ids[i] = one.ID
	}
	worked, err := org.WorkedAt(tx, ids, b.Date.AddDays(-trendDays), b.Date.AddDays(1))
	if err != nil {
		return nil, err
	}
	rounds, err := s.rounds(tx, days)
	if err != nil {
		return nil, err
	}
	ended, err := cleared(tx, sites, date)
	if err != nil {
		return nil, err
	}
	bySite := clearedBySite(ended)
	for _, d := range days {
		one := Store{SiteID: d.site.ID, Code: d.site.Code, Name: d.site.Name, Entity: d.site.EntityID, Date: d.date, Open: d.open}
		one.Figures = d.figures(tx.Now())
		w := worked[d.site.ID][d.date]
		one.WorkedMin, one.Present, one.Cut = w.Minutes, w.Present, w.Cut
		one.Cleared = bySite[d.site.ID]
		rounds.count(&one.Figures, d, tx.Now())
		one.finish()
		one.Fault = orZero(one.OutRate) + orZero(one.LossRate) + orZero(ratio(one.RoundsLate, one.Rounds))
		b.Stores = append(b.Stores, one)
		b.Total.join(&one.Figures)
		b.RolledAt = earliest(b.RolledAt, d.madeAt)
	}
	b.Total.finish()
	slices.SortStableFunc(b.Stores, func(x, y Store) int { return cmp.Or(cmp.Compare(y.Fault, x.Fault), cmp.Compare(x.Code, y.Code)) })
	b.Halves = halvesOf(days, tx.Now())
	if b.Trend, err = trend(tx, ids, b, worked); err != nil {
		return nil, err
	}
	if date == "" {
		err = s.alarms(tx, b, days, rounds)
	}
	return b, err
}

func orZero(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// figures of what the day itself knows.
func (d *seen) figures(now time.Time) (f Figures) {
	s, c := d.total()
	f.take(s, c)
	f.Slips, f.PlanFen = d.slips, d.plan
	for k, h := range d.halves {
		begins := slotStart(d.site, d.date, k)
		part := min(slotLen, max(0, now.Sub(begins))) // of the half hour that is over
		f.WeekFen += h.week
		f.PlanSoFarFen += h.plan * int64(part/time.Second) / int64(slotLen/time.Second)
		f.WeekSoFarFen += h.week * int64(part/time.Second) / int64(slotLen/time.Second)
	}
	f.OutNow = int64(len(d.outNow()))
	if d.open {
		for p := range d.products {
			if d.ranged(p) {
				f.OnSaleNow++
			}
		}
	}
	return f
}

// halvesOf adds the half hours of sites up by the clock, from the first to the last in which anything was sold,
// expected or sold a week before.
func halvesOf(days []*seen, now time.Time) []Half {
	byClock := map[int]*half{} // half hours after midnight of the business date
	begun := map[int]bool{}
	for _, d := range days {
		first := int(d.site.DayStart) / 30
		for k, h := range d.halves {
			begun[first+k] = begun[first+k] || !slotStart(d.site, d.date, k).After(now)
			if h == (half{}) {
				continue
			}
			o := byClock[first+k]
			if o == nil {
				o = &half{}
				byClock[first+k] = o
			}
			o.sales += h.sales
			o.slips += h.slips
			o.plan += h.plan
			o.week += h.week
		}
	}
	all := []Half{}
	if len(byClock) == 0 {
		return all
	}
	from, to := 1<<30, 0
	for k := range byClock {
		from, to = min(from, k), max(to, k)
	}
	for k := from; k <= to; k++ {
		o := byClock[k]
		if o == nil {
			o = &half{}
		}
		h := Half{At: fmt.Sprintf("%02d:%02d", k/2%24, k%2*30), Slips: o.slips, PlanFen: o.plan, WeekFen: o.week}
		if begun[k] {
			h.NetFen = &o.sales
		}
		all = append(all, h)
	}
	return all
}

var trendOf = db.NewMany(`SELECT h.business_date, SUM(h.on_sale), SUM(h.out_of_stock), SUM(h.wasted_fen + h.making_loss_fen), SUM(h.received_fen + h.made_fen), SUM(h.sales_fen - h.refunds_fen)
	FROM report_day h WHERE h.business_date >= $1 AND h.business_date < $2 AND h.site_id IN (`, `?`, `) GROUP BY h.business_date ORDER BY h.business_date`)

func trend(tx *db.Tx, sites []id.ID, b *Board, worked map[id.ID]map[cal.Date]org.Worked) ([]Trend, error) {
	args := []any{b.Date.AddDays(-trendDays), b.Date}
	for _, s := range sites {
		args = append(args, s)
	}
	rows := tx.QueryMany(trendOf, args...)
	defer rows.Close()
	all := []Trend{}
	for rows.Next() {
		var t Trend
		if err := rows.Scan(&t.Date, &t.SlotsOnSale, &t.SlotsOut, &t.LostFen, &t.BaseFen, &t.NetFen); err != nil {
			return nil, err
		}
		for _, dates := range worked {
			t.WorkedMin += dates[t.Date].Minutes
		}
		all = append(all, t)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	f := &b.Total
	all = append(all, Trend{Date: b.Date, SlotsOnSale: f.SlotsOnSale, SlotsOut: f.SlotsOut, LostFen: f.WastedFen + f.MakingLossFen, BaseFen: f.ReceivedFen + f.MadeFen, NetFen: f.NetFen, WorkedMin: f.WorkedMin})
	for i := range all {
		t := &all[i]
		t.OutRate, t.LossRate, t.PerHourFen = ratio(t.SlotsOut, t.SlotsOnSale), ratio(t.LostFen, t.BaseFen), ratio(t.NetFen*60, t.WorkedMin)
	}
	return all, nil
}

// --- making against its plan

type round struct {
	product    id.ID
	no         int64
	ready      int64 // half hour after midnight
	make, made int64
	done       bool
}

type siteRounds struct {
	rounds map[id.ID][]round
	prices map[id.ID]map[id.ID]perBase
}

var roundsOf = db.NewMany(`SELECT h.site_id, r.product_id, r.round_no, r.ready_slot, r.make, r.made, r.state FROM replenish_plan h JOIN replenish_production r ON r.plan_id = h.id AND r.version = h.version
	WHERE h.date = $1 AND h.version > 0 AND r.make > 0 AND h.site_id IN (`, `?`, `) ORDER BY h.site_id, r.ready_slot, r.product_id, r.round_no`)

func (s *Service) rounds(tx *db.Tx, days []*seen) (*siteRounds, error) {
	all := &siteRounds{map[id.ID][]round{}, map[id.ID]map[id.ID]perBase{}}
	byDate := map[cal.Date][]any{}
	for _, d := range days {
		byDate[d.date] = append(byDate[d.date], d.site.ID)
	}
	for date, sites := range byDate {
		rows := tx.QueryMany(roundsOf, append([]any{date}, sites...)...)
		for rows.Next() {
			var site id.ID
			var r round
			var state string
			if err := rows.Scan(&site, &r.product, &r.no, &r.ready, &r.make, &r.made, &state); err != nil {
				rows.Close()
				return nil, err
			}
			r.done = state == "done" || r.made >= r.make
			all.rounds[site] = append(all.rounds[site], r)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	for _, d := range days {
		var products []id.ID
		for _, r := range all.rounds[d.site.ID] {
			products = append(products, r.product)
		}
		slices.Sort(products)
		priced, err := s.priced(tx, d.site.ID, d.date, slices.Compact(products))
		if err != nil {
			return nil, err
		}
		all.prices[d.site.ID] = priced
	}
	return all, nil
}

func (r *round) late(site *org.Site, date cal.Date, now time.Time) bool {
	t := date.Time()
	ready := time.Date(t.Year(), t.Month(), t.Day(), 0, int(r.ready)*30, 0, 0, site.Location())
	return !r.done && now.After(ready)
}

func (a *siteRounds) count(f *Figures, d *seen, now time.Time) {
	for i := range a.rounds[d.site.ID] {
		r := &a.rounds[d.site.ID][i]
		f.Rounds++
		if r.done {
			f.RoundsDone++
		}
		if r.late(d.site, d.date, now) {
			f.RoundsLate++
		}
		worth := a.prices[d.site.ID][r.product]
		f.ToMakeFen += worth.worth(r.make)
		f.DoneFen += worth.worth(min(r.make, r.made))
	}
}

// --- alarms

const (
	maxAlarms = 60
	soon      = 2 * time.Hour
)

var expiring = db.NewMany(`SELECT b.site_id, k.product_id, MIN(b.expires_at), COUNT(*), COALESCE(SUM(v.posted_in - v.posted_out), 0) FROM stock_batch b JOIN catalog_sku k ON k.id = b.sku_id JOIN ledger_account v ON v.id = b.value_id
	WHERE b.open = 1 AND b.expires_at <= $1 AND b.site_id IN (`, `?`, `) GROUP BY b.site_id, k.product_id`)

func (s *Service) alarms(tx *db.Tx, b *Board, days []*seen, rounds *siteRounds) error {
	names, zones := map[id.ID]string{}, map[id.ID]*time.Location{}
	var ids []any
	var all []Alarm
	for _, d := range days {
		zones[d.site.ID] = d.site.Location()
		ids = append(ids, d.site.ID)
		names[d.site.ID] = d.site.Name
		for _, p := range d.outNow() {
			all = append(all, Alarm{Kind: "sold_out", Red: true, SiteID: d.site.ID, ProductID: p, Fen: money.Fen(d.products[p].sales)})
		}
		for i := range rounds.rounds[d.site.ID] {
			if r := &rounds.rounds[d.site.ID][i]; r.late(d.site, d.date, tx.Now()) {
				t := d.date.Time()
				ready := time.Date(t.Year(), t.Month(), t.Day(), 0, int(r.ready)*30, 0, 0, d.site.Location())
				all = append(all, Alarm{Kind: "round_late", Red: true, SiteID: d.site.ID, ProductID: r.product, N: r.no, At: &ready, Fen: money.Fen(rounds.prices[d.site.ID][r.product].worth(r.make - r.made))})
			}
		}
	}
	for i := range b.Stores {
		if n := b.Stores[i].Cut; n > 0 {
			all = append(all, Alarm{Kind: "not_clocked_out", SiteID: b.Stores[i].SiteID, N: n})
		}
	}
	rows := tx.QueryMany(expiring, append([]any{tx.Now().Add(soon)}, ids...)...)
	defer rows.Close()
	for rows.Next() {
		a := Alarm{Kind: "expires_soon"}
		var at time.Time
		if err := rows.Scan(&a.SiteID, &a.ProductID, &at, &a.N, &a.Fen); err != nil {
			return err
		}
		at = at.In(zones[a.SiteID])
		if a.At = &at; !at.After(tx.Now()) {
			a.Kind, a.Red = "expired", true
		}
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rank := map[string]int{"expired": 1, "sold_out": 2, "round_late": 3, "expires_soon": 4, "not_clocked_out": 5}
	worst := func(x, y Alarm) int {
		return cmp.Or(cmp.Compare(rank[x.Kind], rank[y.Kind]), cmp.Compare(y.Fen, x.Fen), compareTimes(x.At, y.At), cmp.Compare(x.SiteID, y.SiteID), cmp.Compare(x.ProductID, y.ProductID))
	}
	slices.SortFunc(all, worst)
	b.AlarmsAll = int64(len(all))
	if len(days) > 1 {
		all = together(all)
		slices.SortFunc(all, worst)
	}
	all = all[:min(len(all), maxAlarms)]
	var products []id.ID
	for _, a := range all {
		if a.ProductID != 0 {
			products = append(products, a.ProductID)
		}
	}
	goods, err := s.named(tx, products)
	if err != nil {
		return err
	}
	for i := range all {
		all[i].SiteName = names[all[i].SiteID]
		if g := goods[all[i].ProductID]; g != nil {
			all[i].Product = g.Name
		}
	}
	b.Alarms = append(b.Alarms, all...)
	return nil
}

// together puts the like of one site into one; the first of them speaks for all.
func together(all []Alarm) []Alarm {
	type like struct {
		kind string
		site id.ID
	}
	at := map[like]int{}
	var out []Alarm
	for _, a := range all {
		if i, ok := at[like{a.Kind, a.SiteID}]; ok {
			out[i].More++
			out[i].Fen += a.Fen
			continue
		}
		at[like{a.Kind, a.SiteID}] = len(out)
		out = append(out, a)
	}
	return out
}

func compareTimes(a, b *time.Time) int {
	if a == nil || b == nil {
		return 0
	}
	return a.Compare(*b)
}

func (s *Service) named(tx *db.Tx, products []id.ID) (map[id.ID]*catalog.Product, error) {
	slices.Sort(products)
	return s.goods.Products(tx, slices.Compact(products))
}
