package supplyday

import (
	"context"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// What past years say of the festivals of the calendar.

// occasion is a festival of a year that an entry of the calendar is.
type occasion struct {
	festival cal.Festival
	year     int
}

// festive is what years before an occasion say of it.
type festive map[occasion][]forecast.FestivalYear

// festiveOf reads what a site (forecast.AllSites: all of them) has seen of the festivals that entries of the calendar are.
func festiveOf(tx *db.Tx, site id.ID, events []replenish.Event) (festive, error) {
	found := festive{}
	for i := range events {
		f, day, ok := events[i].FestivalDay()
		o := occasion{f, day.Year()}
		if _, read := found[o]; !ok || read {
			continue
		}
		years, err := forecast.FestivalYears(tx, site, f, o.year)
		if err != nil {
			return nil, err
		}
		found[o] = years
	}
	return found, nil
}

// learned is what past years say of a product on a day of a festival, from its category in this shop, else in all shops, else
// from everything in all shops; nil: nothing.
func (x *situation) learned(e *replenish.Event, product id.ID, site *replenish.Site, date cal.Date) *replenish.Learned {
	f, day, ok := e.FestivalDay()
	if !ok {
		return nil
	}
	var category id.ID
	if g := x.all.goods[product]; g != nil {
		category = g.CategoryID
	}
	return learnedOf(e, occasion{f, day.Year()}, day, date, e.SetOn(site.Start(date), site.Loc), category, x.festive, x.all.festive)
}

func learnedOf(e *replenish.Event, o occasion, day, date cal.Date, set int64, category id.ID, own, all festive) *replenish.Learned {
	before, after := forecast.FestivalReach(o.festival)
	offset := date.Sub(day)
	if offset < -before || offset > after {
		return nil
	}
	l := &replenish.Learned{Festival: o.festival.Key(), Day: day, Offset: int64(offset), Set: qty.Qty(set), Used: !e.ByHand}
	for _, from := range []struct {
		of       replenish.LearnedOf
		years    []forecast.FestivalYear
		category id.ID
	}{{replenish.OfShop, own[o], category}, {replenish.OfGroup, all[o], category}, {replenish.OfAll, all[o], 0}} {
		if from.category == 0 && from.of != replenish.OfAll {
			continue
		}
		for i := range from.years {
			y := &from.years[i]
			if ratio, demand, level, ok := y.On(from.category, offset); ok {
				l.Years = append(l.Years, replenish.LearnedYear{Year: y.Year, Ratio: qty.Qty(ratio), DemandFen: money.Fen(demand), LevelFen: money.Fen(level)})
			}
		}
		if len(l.Years) > 0 {
			l.Of, l.Factor = from.of, qty.Qty(replenish.Shrunk(set, l.Years))
			return l
		}
	}
	return nil
}

// movedAhead is what the calendar does to a product that is ordered for the shelf: on this day, or on the one of so many days
// that it must last of which past years say the most.
func (x *situation) movedAhead(product id.ID, site *replenish.Site, now party.Moment, days int) replenish.Moved {
	best := x.moved(product, site, now, x.date)
	for day := 1; day < days; day++ {
		if m := x.moved(product, site, now, x.date.AddDays(day)); m.Learned != nil && m.Learned.Used && m.Factor > best.Factor {
			best = m
		}
	}
	return best
}

// eventWhy says what the calendar does to a line and from when its goods are ordered; what the target would be without it is
// left to the caller.
func (x *situation) eventWhy(moved replenish.Moved, product id.ID, site *replenish.Site, date cal.Date) *replenish.EventWhy {
	e := moved.Event
	why := &replenish.EventWhy{ID: e.ID, Kind: e.Kind, Name: e.Name, Factor: qty.Qty(moved.Factor), Learned: moved.Learned}
	if e.Kind != replenish.WeatherBy {
		from, earlier := x.stocksUpFrom(e, product, site, date)
		why.OrderFrom, why.Earlier = from.In(site.Loc).Format("2006-01-02 15:04"), earlier
	}
	return why
}

// LearnedIn asks what is learned of an entry of the calendar at a site.
type LearnedIn struct {
	EventID id.ID `query:"event_id" required:"true"`
	SiteID  id.ID `query:"site_id" required:"true"`
}

// LearnedView is what past years say of a festival of the calendar, beside what is set.
type LearnedView struct {
	EventID  id.ID          `json:"event_id"`
	Festival string         `json:"festival" doc:"as in spring_festival; empty: the entry is none of the year's festivals"`
	Day      cal.Date       `json:"festival_day"`
	Factor   qty.Qty        `json:"factor" doc:"set"`
	ByHand   bool           `json:"by_hand" doc:"the set one counts, what is learned is only shown"`
	Curves   []LearnedCurve `json:"curves" doc:"by category of its products"`
}

// LearnedCurve is a category, day by day.
type LearnedCurve struct {
	CategoryID id.ID               `json:"category_id" doc:"empty: products without one"`
	Category   string              `json:"category"`
	Products   int64               `json:"products" doc:"of the entry, in this category"`
	Of         replenish.LearnedOf `json:"of,omitempty" enum:"shop,group,all" doc:"whose past it is from; empty: nobody's, the set factor counts"`
	Days       []LearnedDay        `json:"days"`
}

// LearnedDay is one day of a curve.
type LearnedDay struct {
	Date    cal.Date                `json:"date"`
	Offset  int64                   `json:"offset" doc:"days from the festival; negative: before"`
	Set     qty.Qty                 `json:"set"`
	Learned *qty.Qty                `json:"learned,omitempty" doc:"left out: nothing is known of the day"`
	Used    qty.Qty                 `json:"used" doc:"what plans raise the day by; after the end of the entry 1"`
	Years   []replenish.LearnedYear `json:"years"`
}

const categoriesOfEvent = `SELECT COALESCE(c.id, 0), COALESCE(c.name, ''), COUNT(*) FROM replenish_event_product e JOIN catalog_product p ON p.id = e.product_id LEFT JOIN catalog_category c ON c.id = p.category_id
	WHERE e.event_id = $1 GROUP BY COALESCE(c.id, 0), COALESCE(c.name, '') ORDER BY COUNT(*) DESC, COALESCE(c.id, 0) LIMIT 12`

// learnedView shows the curves of an entry at a site.
func learnedView(ctx context.Context, tx *db.Tx, in *LearnedIn) (*LearnedView, error) {
	site, err := org.SiteFor(ctx, permRead, in.SiteID)
	if err != nil {
		return nil, err
	}
	e, err := replenish.EventByID(tx, in.EventID)
	if err != nil {
		return nil, err
	}
	if e.Site != replenish.AllSites && e.Site != site.ID {
		return nil, replenish.ErrNoEvent
	}
	v := &LearnedView{EventID: e.ID, Factor: qty.Qty(e.Factor), ByHand: e.ByHand, Curves: []LearnedCurve{}}
	f, day, ok := e.FestivalDay()
	if !ok {
		return v, nil
	}
	v.Festival, v.Day = f.Key(), day
	own, err := festiveOf(tx, site.ID, []replenish.Event{*e})
	if err != nil {
		return nil, err
	}
	all, err := festiveOf(tx, forecast.AllSites, []replenish.Event{*e})
	if err != nil {
		return nil, err
	}
	rows := tx.Query(categoriesOfEvent, e.ID)
	defer rows.Close()
	ground := &replenish.Site{Loc: site.Location(), DayStart: time.Duration(site.DayStart) * time.Minute}
	before, after := forecast.FestivalReach(f)
	for rows.Next() {
		c := LearnedCurve{Days: []LearnedDay{}}
		if err := rows.Scan(&c.CategoryID, &c.Category, &c.Products); err != nil {
			return nil, err
		}
		for k := -before; k <= after; k++ {
			date := day.AddDays(k)
			start := ground.Start(date)
			set := e.SetOn(start, ground.Loc)
			d := LearnedDay{Date: date, Offset: int64(k), Set: qty.Qty(set), Used: qty.Qty(set), Years: []replenish.LearnedYear{}}
			if l := learnedOf(e, occasion{f, day.Year()}, day, date, set, c.CategoryID, own, all); l != nil {
				d.Learned, d.Years, c.Of = &l.Factor, l.Years, l.Of
				if l.Used {
					d.Used = l.Factor
				}
			}
			if !start.Before(e.Ends(ground.Loc)) {
				d.Used = qty.Qty(replenish.One)
			}
			c.Days = append(c.Days, d)
		}
		v.Curves = append(v.Curves, c)
	}
	return v, rows.Err()
}
