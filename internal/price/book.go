package price

import (
	"context"
	"slices"
	"sort"
	"sync"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
)

// maxAge is how old the copy of the book may be when a line is sold from it.
const maxAge = time.Second

// book is a copy of the entries that can still decide a price, by unit. The rules of its freshness are those of
// the goods: at most maxAge old and unchanged by this process, else readers ask the database.
type book struct {
	db *db.DB

	mu      sync.RWMutex
	units   map[id.ID][]version // in order of decide: the later, the stronger
	from    cal.Date            // entries older than what held on this date are left out
	version int64
	checked time.Time
	changes int64
}

type version struct {
	site      id.ID // 0: the whole group
	validFrom cal.Date
	at        time.Time // on that date; zero: from its beginning
	entry     id.ID
	price     money.Fen
	ended     bool
	withdrawn bool // with its document, before it began
}

// weaker orders versions so that the last one that applies decides: a site's own over the group's, then the
// later date, then the later instant of that date, then the later entry.
func weaker(a, b version) bool {
	if (a.site == 0) != (b.site == 0) {
		return a.site == 0
	}
	if a.validFrom != b.validFrom {
		return a.validFrom < b.validFrom
	}
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	return a.entry < b.entry
}

// decide finds the price at a site on a date, as of an instant of that date. An ended price of the site lets the group's hold again.
func decide(versions []version, site id.ID, date cal.Date, now time.Time) (money.Fen, bool) {
	own := true
	for i := len(versions) - 1; i >= 0; i-- {
		v := &versions[i]
		if v.validFrom > date || v.validFrom == date && v.at.After(now) || v.site != 0 && (v.site != site || !own) {
			continue
		}
		if !v.ended {
			return v.price, true
		}
		if v.site == 0 {
			return 0, false
		}
		own = false
	}
	return 0, false
}

// asOf is the instant at which a date is looked at: now, or its end when it lies ahead.
func asOf(tx *db.Tx, date cal.Date) time.Time {
	if date > cal.On(tx.Now().Add(14*time.Hour)) {
		return tx.Now().AddDate(100, 0, 0)
	}
	return tx.Now()
}

// At tells what one of each unit costs at a site on a business date; a unit without a price is missing. Of a date that
// is not over, what holds at this moment.
func (s *Service) At(tx *db.Tx, site id.ID, date cal.Date, units []id.ID) (map[id.ID]money.Fen, error) {
	prices := make(map[id.ID]money.Fen, len(units))
	now := asOf(tx, date)
	if s.book.fresh(site, date, now, units, prices) {
		return prices, nil
	}
	clear(prices)
	args := make([]any, 0, 3+len(units))
	args = append(args, site, date, now)
	for _, u := range units {
		args = append(args, u)
	}
	found := map[id.ID][]version{}
	if err := gather(found, tx.QueryMany(versionsAt, args...)); err != nil {
		return nil, err
	}
	for unit, versions := range found {
		if price, ok := decide(versions, site, date, now); ok {
			prices[unit] = price
		}
	}
	return prices, nil
}

const (
	versionColumns = `SELECT e.unit_id, COALESCE(e.site_id, 0), e.valid_from, e.valid_at, e.id, COALESCE(e.price_fen, 0), CASE WHEN e.price_fen IS NULL THEN 1 ELSE 0 END, e.withdrawn `

	// What began on an earlier date, the last of each; all of the first date of the copy, for one may hold until an instant and
	// another from then on; and what is to come.
	versionsFrom = versionColumns + `FROM (SELECT x.*, ROW_NUMBER() OVER (PARTITION BY x.unit_id, x.site_id ORDER BY x.valid_from DESC, x.valid_at DESC, x.id DESC) AS place
			FROM price_entry x WHERE x.valid_from < $1 AND x.withdrawn = 0) e
		WHERE e.place = 1
		UNION ALL ` + versionColumns + `FROM price_entry e WHERE e.valid_from >= $1 AND e.withdrawn = 0`

	versionsSince = versionColumns + `FROM price_entry e WHERE e.version > $1`
)

var versionsAt = db.NewMany(versionColumns+`FROM (SELECT x.*, ROW_NUMBER() OVER (PARTITION BY x.unit_id, x.site_id ORDER BY x.valid_from DESC, x.valid_at DESC, x.id DESC) AS place
		FROM price_entry x WHERE (x.site_id IS NULL OR x.site_id = $1) AND x.withdrawn = 0 AND (x.valid_from < $2 OR x.valid_from = $2 AND x.valid_at <= $3) AND x.unit_id IN (`, `?`, `)) e
	WHERE e.place = 1`)

func gather(found map[id.ID][]version, rows *db.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var unit id.ID
		var v version
		var at int64
		if err := rows.Scan(&unit, &v.site, &v.validFrom, &at, &v.entry, &v.price, &v.ended, &v.withdrawn); err != nil {
			return err
		}
		if at > 0 {
			v.at = time.UnixMilli(at)
		}
		found[unit] = append(found[unit], v)
	}
	for _, versions := range found {
		sort.Slice(versions, func(i, j int) bool { return weaker(versions[i], versions[j]) })
	}
	return rows.Err()
}

func (b *book) fresh(site id.ID, date cal.Date, now time.Time, units []id.ID, prices map[id.ID]money.Fen) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.units == nil || date < b.from || clock.Wall.Now().Sub(b.checked) > maxAge {
		return false
	}
	for _, u := range units {
		if price, ok := decide(b.units[u], site, date, now); ok {
			prices[u] = price
		}
	}
	return true
}

func (b *book) changed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes++
	b.checked = time.Time{}
}

func (b *book) bump(tx *db.Tx) (int64, error) {
	var v int64
	err := tx.QueryRow(`UPDATE price_version SET version = version + 1 WHERE id = 1 RETURNING version`).Scan(&v)
	tx.AfterCommit(b.changed)
	return v, err
}

// Refresh brings the copy of the book up to date.
func (s *Service) Refresh(ctx context.Context) error {
	b := &s.book
	b.mu.RLock()
	known, changes, full := b.version, b.changes, b.units == nil
	b.mu.RUnlock()
	began := clock.Wall.Now()
	var now int64
	var from cal.Date
	news := map[id.ID][]version{}
	err := b.db.Read(ctx, func(tx *db.Tx) error {
		clear(news)
		if err := tx.QueryRow(`SELECT version FROM price_version WHERE id = 1`).Scan(&now); err != nil {
			return err
		}
		switch {
		case full:
			from = earliestToday(tx.Now())
			return gather(news, tx.Query(versionsFrom, from))
		case now != known:
			return gather(news, tx.Query(versionsSince, known))
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if full {
		b.units, b.from = news, from
	} else if now != known {
		for unit, versions := range news {
			gone := func(v version) bool {
				return slices.ContainsFunc(versions, func(n version) bool { return n.entry == v.entry })
			}
			all := slices.DeleteFunc(slices.Clone(b.units[unit]), gone)
			for _, v := range versions {
				if !v.withdrawn {
					all = append(all, v)
				}
			}
			sort.Slice(all, func(i, j int) bool { return weaker(all[i], all[j]) })
			b.units[unit] = all
		}
	}
	b.version = now
	if b.changes == changes {
		b.checked = began
	}
	return nil
}

// Run keeps the copy fresh until ctx ends. An error leaves it to grow too old, and reads go to the database.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(maxAge / 4)
	defer tick.Stop()
	for {
		_ = s.Refresh(ctx) // the database reports its own trouble; here it only costs speed
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
