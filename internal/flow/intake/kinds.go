package intake

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// kindWork makes what takes in files of the kind.
func (s *Service) kindWork(k Kind) kindWork {
	switch k {
	case Sales:
		return &salesWork{s: s}
	case Stores:
		return &stagedWork{s.stores()}
	case Products:
		return &stagedWork{s.products()}
	case Styles:
		return &stagedWork{s.styles()}
	case Recipes:
		return &stagedWork{s.recipes()}
	case Suppliers:
		return &stagedWork{s.suppliers()}
	case Stock:
		return &stagedWork{s.openingStock()}
	case Weather:
		return &stagedWork{s.weather()}
	case Holidays:
		return &stagedWork{s.holidays()}
	}
	panic("intake: kind " + string(k))
}

// --- stores

func (s *Service) stores() ops {
	return ops{
		rows:  50,
		parse: func(c *cells) any { return parseStore(c) },
		resolve: func(ctx context.Context, w *work, rows []readRow) ([]resolved, error) {
			found := make([]resolved, len(rows))
			for i, r := range rows {
				row := r.row.(StoreRow)
				found[i] = resolved{subject: row.Store, body: row}
			}
			return found, nil
		},
		check: func(tx *db.Tx, rows []staged) error {
			return s.eachStore(tx, rows, func(r *staged, row StoreRow, now *org.Site) error {
				r.same = now != nil && storeRowOf(now) == row
				return nil
			})
		},
		apply: func(tx *db.Tx, w *work, rows []staged) error {
			ctx := org.WithSystem(tx.Context())
			var entity id.ID
			if err := tx.QueryRow(`SELECT id FROM org_entity ORDER BY code LIMIT 1`).Scan(&entity); err != nil {
				return err
			}
			return s.eachStore(tx, rows, func(r *staged, row StoreRow, now *org.Site) error {
				f := org.SiteFields{Code: row.Store, Name: row.Name, Kind: "store", TimeZone: row.TimeZone, DayStart: row.DayStart,
					Open: row.Open, Close: row.Close, EntityID: entity}
				if now == nil {
					_, err := s.org.CreateSite(ctx, tx, f)
					return err
				}
				if storeRowOf(now) == row {
					return nil
				}
				f.Kind, f.Business, f.Address, f.EntityID = now.Kind, now.Business, now.Address, now.EntityID
				_, err := s.org.UpdateSite(ctx, tx, now.ID, f)
				return err
			})
		},
	}
}

func storeRowOf(s *org.Site) StoreRow {
	return StoreRow{Store: s.Code, Name: s.Name, TimeZone: s.TimeZone, DayStart: s.DayStart, Open: s.Open, Close: s.Close}
}

func (s *Service) eachStore(tx *db.Tx, rows []staged, do func(r *staged, row StoreRow, now *org.Site) error) error {
	sites, err := org.AllSites(tx)
	if err != nil {
		return err
	}
	byCode := make(map[string]*org.Site, len(sites))
	for i := range sites {
		byCode[sites[i].Code] = &sites[i]
	}
	for i := range rows {
		var row StoreRow
		if err := rows[i].read(&row); err != nil {
			return err
		}
		if err := do(&rows[i], row, byCode[row.Store]); err != nil {
			return err
		}
	}
	return nil
}

// --- weather

// weatherAhead is how far a weather forecast may reach.
const weatherAhead = 30

func (s *Service) weather() ops {
	var b *book
	read := func(rows []staged) ([]forecast.WeatherDay, error) {
		days := make([]forecast.WeatherDay, len(rows))
		for i := range rows {
			if err := rows[i].read(&days[i]); err != nil {
				return nil, err
			}
		}
		return days, nil
	}
	return ops{
		rows:  stepRows,
		parse: func(c *cells) any { return parseWeather(c) },
		resolve: func(ctx context.Context, w *work, rows []readRow) (found []resolved, err error) {
			if b == nil {
				if b, err = newBook(ctx, s.d, w.reach, false); err != nil {
					return nil, err
				}
			}
			var last cal.Date
			err = s.d.Read(ctx, func(tx *db.Tx) error {
				last = cal.On(tx.Now()).AddDays(weatherAhead)
				return nil
			})
			found = make([]resolved, len(rows))
			for i, r := range rows {
				row := r.row.(WeatherRow)
				day := forecast.WeatherDay{SiteID: forecast.AllSites, Date: row.Date, TMax: row.TMax, TMin: row.TMin, Rain: row.Rain, Text: row.Text}
				switch {
				case row.Date > last:
					found[i].refused = ErrFar.With("last", last).At("date")
				case row.Store != "":
					site, e := b.site(row.Store)
					if e != nil {
						found[i].refused = e.At("store")
						continue
					}
					day.SiteID = site.ID
				case w.reach != nil: // weather everywhere is for those who answer for everywhere
					found[i].refused = ErrStoreWhich.At("store")
				}
				found[i].subject, found[i].part, found[i].body = fmt.Sprintf("%d", day.SiteID), string(day.Date), day
			}
			return found, err
		},
		check: func(tx *db.Tx, rows []staged) error {
			days, err := read(rows)
			if err != nil {
				return err
			}
			for from := 0; from < len(days); {
				to := from
				first, last := days[from].Date, days[from].Date
				for ; to < len(days) && days[to].SiteID == days[from].SiteID; to++ {
					first, last = min(first, days[to].Date), max(last, days[to].Date)
				}
				known, err := forecast.WeatherBetween(tx, days[from].SiteID, first, last)
				if err != nil {
					return err
				}
				for i := from; i < to; i++ {
					at, ok := slices.BinarySearchFunc(known, days[i].Date, func(k forecast.WeatherDay, d cal.Date) int { return cmp.Compare(k.Date, d) })
					rows[i].same = ok && sameWeather(known[at], days[i])
				}
				from = to
			}
			return nil
		},
		apply: func(tx *db.Tx, w *work, rows []staged) error {
			days, err := read(rows)
			if err != nil {
				return err
			}
			return forecast.PutWeather(tx, days)
		},
	}
}

func sameWeather(a, b forecast.WeatherDay) bool {
	return a.SiteID == b.SiteID && a.Date == b.Date && a.TMax == b.TMax && a.TMin == b.TMin && a.Text == b.Text &&
		(a.Rain == b.Rain || a.Rain != nil && b.Rain != nil && *a.Rain == *b.Rain)
}

// --- holidays

func (s *Service) holidays() ops {
	read := func(rows []staged) ([]cal.Holiday, error) {
		days := make([]cal.Holiday, len(rows))
		for i := range rows {
			if err := rows[i].read(&days[i]); err != nil {
				return nil, err
			}
		}
		return days, nil
	}
	return ops{
		rows:  stepRows,
		parse: func(c *cells) any { return parseHoliday(c) },
		resolve: func(ctx context.Context, w *work, rows []readRow) ([]resolved, error) {
			found := make([]resolved, len(rows))
			for i, r := range rows {
				day := r.row.(cal.Holiday)
				found[i] = resolved{subject: string(day.Date), body: day}
			}
			return found, nil
		},
		check: func(tx *db.Tx, rows []staged) error {
			days, err := read(rows)
			if err != nil {
				return err
			}
			known, err := forecast.HolidaysBetween(tx, days[0].Date, days[len(days)-1].Date)
			if err != nil {
				return err
			}
			set := cal.NewHolidays(known)
			for i, d := range days {
				now, ok := set.On(d.Date)
				rows[i].same = ok && now == d
			}
			return nil
		},
		apply: func(tx *db.Tx, w *work, rows []staged) error {
			days, err := read(rows)
			if err != nil {
				return err
			}
			return forecast.PutHolidays(tx, days)
		},
	}
}

// fieldOf gives a refusal from a capability the name of our column.
func fieldOf(err error, field string) error {
	if err == nil || !isRefusal(err) {
		return err
	}
	return errs.As(err).At(field)
}
