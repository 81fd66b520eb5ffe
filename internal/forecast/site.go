package forecast

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

const freshDays = 14 // a site whose last sale is older is forecast from there, not from today

// product is a series of a run with what is needed to store it.
type product struct {
	id, unit, category id.ID
	perUnit            float64 // base units in one sales unit
	price              float64 // fen for a sales unit, 0 unknown
}

// history is the sales of one site as series.
type history struct {
	site     org.Site
	origin   cal.Date
	until    cal.Date
	first    cal.Date
	products []product
	series   []Series
	weather  []WeatherDay
	holidays *cal.Holidays
	lunar    bool
	packed   bool // read from a pack and the days after it
}

// chinese tells whether the site's town keeps the Chinese calendar.
func chinese(zone string) bool {
	switch zone {
	case "Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "Asia/Urumqi", "Asia/Kashgar", "PRC",
		"Asia/Hong_Kong", "Asia/Macau", "Asia/Taipei":
		return true
	}
	return false
}

// read gives a site's sales as series; nil for a site that never sold.
func (s *Service) read(ctx context.Context, d *db.DB, siteID id.ID) (*history, error) {
	h := &history{}
	var ids []id.ID
	var known *past          // the pack that holds
	var before []pastProduct // what it and the days after it say
	now := &past{}           // the pack that could be made now
	err := d.Read(ctx, func(tx *db.Tx) error {
		h.products, h.series, ids, known = nil, nil, nil, nil
		site, err := org.SiteByID(tx, siteID)
		if err != nil {
			return err
		}
		h.site = *site
		today := site.BusinessDate(tx.Now())
		h.until = ""
		err = tx.QueryRow(lastSale, siteID, today).Scan(&h.until)
		if errors.Is(err, db.ErrNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
		h.origin = today.AddDays(-1)
		if h.origin.Sub(h.until) > freshDays {
			h.origin = h.until
		}
		h.first = firstDay(h.origin)
		last := h.origin.AddDays(MaxHorizon)
		common, err := WeatherBetween(tx, AllSites, h.first, last)
		if err != nil {
			return err
		}
		own, err := WeatherBetween(tx, siteID, h.first, last)
		if err != nil {
			return err
		}
		h.weather = append(common, own...)
		named, err := HolidaysBetween(tx, h.first, last)
		if h.lunar = chinese(site.TimeZone); h.lunar {
			h.holidays = cal.CN().With(named)
		} else {
			h.holidays = cal.NewHolidays(named)
		}
		if err != nil {
			return err
		}
		now.first, now.until = h.first, h.origin.AddDays(-openDays)
		if now.till, now.loads, err = marks(tx, siteID, now.until); err != nil {
			return err
		}
		if known, err = packed(tx, siteID, h.first, h.origin); err != nil {
			return err
		}
		if known == nil {
			ids, err = idsOf(tx, soldProducts, siteID)
			return err
		}
		before, err = known.recent(tx, siteID, h.origin)
		return err
	})
	if err != nil || h.until == "" {
		return nil, err
	}
	if known != nil {
		for part := range slices.Chunk(before, 200) {
			err := d.Read(ctx, func(tx *db.Tx) error { return s.addAll(tx, h, part) })
			if err != nil {
				return nil, err
			}
		}
	}
	for part := range slices.Chunk(ids, 20) { // short reads, so that no snapshot is held for long
		var read []pastProduct
		if err := d.Read(ctx, func(tx *db.Tx) error { // which may run again
			read = read[:0]
			answers := make([]*db.Rows, len(part))
			for i, p := range part {
				answers[i] = tx.Query(salesOfProduct, siteID, p, h.first, h.origin)
			}
			for i, p := range part {
				x, err := productDays(p, answers[i], now.until)
				if err != nil {
					return err
				}
				read = append(read, x)
			}
			return s.addAll(tx, h, read)
		}); err != nil {
			return nil, err
		}
		before = append(before, read...)
	}
	if known == nil || now.until.Sub(known.until) >= packDays {
		from, to := now.first.Number(), now.until.Number()
		for _, x := range before {
			if x = x.between(from, to); len(x.days) > 0 {
				now.products = append(now.products, x)
			}
		}
		if err := now.put(ctx, d, siteID); err != nil {
			return nil, err
		}
	}
	h.packed = known != nil
	if len(h.series) == 0 {
		return nil, nil
	}
	return h, nil
}

// idsOf reads a list of ids.
func idsOf(tx *db.Tx, text string, args ...any) (found []id.ID, err error) {
	rows := tx.Query(text, args...)
	defer rows.Close()
	for rows.Next() {
		var x id.ID
		if err := rows.Scan(&x); err != nil {
			return nil, err
		}
		found = append(found, x)
	}
	return found, rows.Err()
}

// addAll makes series of what products sold, as far as they are still sold.
func (s *Service) addAll(tx *db.Tx, h *history, known []pastProduct) error {
	n := len(known)
	ids := make([]id.ID, n)
	for i := range known {
		ids[i] = known[i].id
	}
	goods, err := s.goods.Products(tx, ids)
	if err != nil {
		return err
	}
	done := len(h.products)
	if done > 0 && n > 0 { // a read that runs again begins anew
		at, _ := slices.BinarySearchFunc(h.products, ids[0], func(p product, x id.ID) int { return cmp.Compare(p.id, x) })
		h.products, h.series = h.products[:at:at], h.series[:at:at]
	}
	for i := range known {
		if g := goods[known[i].id]; g != nil && g.State.Sold() && !g.IsBundle() { // what a bundle sells is asked of its parts
			h.add(g, &known[i])
		}
	}
	return nil
}

// add makes a series of what one product sold.
func (h *history) add(g *catalog.Product, known *pastProduct) {
	u := salesUnit(g)
	p := product{id: g.ID, unit: u.ID, category: g.CategoryID, perUnit: float64(u.Num) / float64(u.Den)}
	days := h.origin.Sub(h.first) + 1
	s := Series{Product: g.Name, Group: int(uint64(g.CategoryID) % (1 << 20)), Start: days, Sold: make([]float64, days)}
	var fen, priced float64
	recent := days - 84
	base := h.first.Number()
	for i := range known.days {
		d := &known.days[i]
		t := d.day - base
		if t < 0 {
			continue
		}
		units := qty.Qty(d.qty).Approx() / p.perUnit
		s.Sold[t] = units
		if units > 0 {
			s.Start = min(s.Start, t)
		}
		if d.amount >= 0 && units > 0 {
			if s.Price == nil {
				s.Price = repeat(math.NaN(), days)
			}
			s.Price[t] = float64(d.amount) / units
			if t >= recent || priced == 0 {
				fen, priced = fen+float64(d.amount), priced+units
			}
		}
		if d.promo {
			if s.Promo == nil {
				s.Promo = make([]float64, days)
			}
			s.Promo[t] = 1
		}
		if d.soldOut >= 0 {
			if s.SoldOut == nil {
				s.SoldOut = repeat(int16(-1), days)
			}
			s.SoldOut[t] = d.soldOut
		}
	}
	if s.Start == days {
		return
	}
	slots := map[slotKey]*slotShares{}
	for k := range known.slots {
		slots[k] = nil
	}
	for k := range known.late {
		slots[k] = nil
	}
	for k := range slots {
		if k.period*slotPeriod < base {
			delete(slots, k)
			continue
		}
		var sum slotShares
		early, late := known.slots[k], known.late[k]
		for h := range sum {
			n := int64(0)
			if early != nil {
				n += early[h]
			}
			if late != nil {
				n += late[h]
			}
			sum[h] = float32(qty.Qty(n).Approx() / p.perUnit)
		}
		slots[k] = &sum
	}
	s.setSlots(slots)
	s.fillPrices()
	if priced > 0 {
		p.price = fen / priced
	}
	h.products = append(h.products, p)
	h.series = append(h.series, s)
}

// salesUnit is the unit a product is forecast in: the first in use that is not the bare gram or millilitre.
func salesUnit(g *catalog.Product) catalog.Unit {
	for _, u := range g.Units {
		if !u.Retired && (g.BaseUnit == "piece" || u.Name != g.BaseUnit) {
			return u
		}
	}
	return catalog.Unit{Name: g.BaseUnit, Num: 1, Den: 1}
}

const (
	lastSale = `SELECT d.date FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.date < $2 ORDER BY d.date DESC LIMIT 1`
	// soldProducts jumps from product to product through the primary key, instead of reading every day of each.
	soldProducts = `WITH RECURSIVE p (product_id) AS (SELECT MIN(product_id) FROM forecast_sale_day WHERE site_id = $1
		UNION ALL SELECT (SELECT MIN(d.product_id) FROM forecast_sale_day d WHERE d.site_id = $1 AND d.product_id > p.product_id) FROM p WHERE p.product_id IS NOT NULL)
		SELECT product_id FROM p WHERE product_id IS NOT NULL`
	salesOfProduct = `SELECT ` + pastColumns + `
		FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.product_id = $2 AND d.date >= $3 AND d.date <= $4 ORDER BY d.date, l.applied_no`
)
