package report

import (
	"context"
	"slices"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

const (
	materialBack  = 63 // days that are reckoned on their own, so that nine weeks can be looked at
	materialDays  = 7  // of a site in one run
	materialAgain = 28 // days that are reckoned again when there are other materials
)

const (
	staleMaterials = `UPDATE report_material_day SET stale = 1 WHERE site_id = $1 AND business_date >= $2`
	materialHeads  = `SELECT h.business_date, h.settled, h.stale, h.materials FROM report_material_day h WHERE h.site_id = $1 AND h.business_date >= $2`
	putMaterialDay = `INSERT INTO report_material_day (site_id, business_date, settled, stale, materials, recipes, made_at) VALUES ($1, $2, $3, 0, $4, $5, $6)
		ON CONFLICT (site_id, business_date) DO UPDATE SET settled = excluded.settled, stale = 0, materials = excluded.materials, recipes = excluded.recipes, made_at = excluded.made_at WHERE report_material_day.made_at <= excluded.made_at`
	dropMaterials = `DELETE FROM report_material WHERE site_id = $1 AND business_date = $2`
)

var putMaterials = db.NewMany(`INSERT INTO report_material (site_id, business_date, product_id, bought, bought_fen, arrived, arrived_fen, own, own_costed, own_fen, sold, sold_costed, sold_fen) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)

// rollMaterials reckons the materials of days that are over and not reckoned yet, and once more of those that could still change
// then: the newest first, some in one run.
func rollMaterials(ctx context.Context, d *db.DB, site *org.Site) error {
	var due []cal.Date
	var today cal.Date
	if err := d.Read(ctx, func(tx *db.Tx) error {
		today = site.BusinessDate(tx.Now())
		p, err := newPantry(tx)
		if err == nil {
			due, err = materialsDue(tx, site, today, p.set)
		}
		return err
	}); err != nil {
		return err
	}
	for _, date := range due {
		var days *siteDays
		var p *pantry
		var at time.Time
		if err := d.Read(ctx, func(tx *db.Tx) (err error) {
			at = tx.Now()
			if p, err = newPantry(tx); err != nil {
				return err
			}
			days, err = p.reckon(site, date, date)
			return err
		}); err != nil {
			return err
		}
		if err := d.Write(ctx, func(tx *db.Tx) error {
			n, err := tx.ExecN(putMaterialDay, site.ID, date, today.Sub(date) > lateDays, p.set, p.recipes, at)
			if err != nil || n == 0 {
				return err
			}
			if err := tx.Exec(dropMaterials, site.ID, date); err != nil {
				return err
			}
			products := make([]id.ID, 0, len(days.days))
			for product := range days.days {
				products = append(products, product)
			}
			slices.Sort(products)
			var args []any
			for _, product := range products {
				m := days.days[product]
				args = append(args, site.ID, date, product, m.bought, m.boughtC, m.arrived, m.arrivedC, m.own.qty, m.own.costed, m.own.fen, m.sold.qty, m.sold.costed, m.sold.fen)
			}
			return tx.ExecMany(putMaterials, args...)
		}); err != nil {
			return err
		}
	}
	return nil
}

// materialsDue are the days of a site to be reckoned, the newest first. Where other goods have become materials since, those of the
// last weeks are reckoned again.
func materialsDue(tx *db.Tx, site *org.Site, today cal.Date, set int64) ([]cal.Date, error) {
	type head struct {
		settled, stale bool
		set            int64
	}
	oldest := today.AddDays(-materialBack)
	var first cal.Date
	begun, rows := tx.QueryRow(firstDay, site.ID), tx.Query(materialHeads, site.ID, oldest)
	defer rows.Close()
	heads := map[cal.Date]head{}
	for rows.Next() {
		var date cal.Date
		var h head
		if err := rows.Scan(&date, &h.settled, &h.stale, &h.set); err != nil {
			return nil, err
		}
		heads[date] = h
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := begun.Scan(&first); err != nil || first == "" {
		return nil, err
	}
	var due []cal.Date
	for date := today.AddDays(-1); date >= max(first, oldest) && len(due) < materialDays; date = date.AddDays(-1) {
		if h, ok := heads[date]; !ok || h.stale || !h.settled && today.Sub(date) > lateDays || h.set != set && today.Sub(date) <= materialAgain {
			due = append(due, date)
		}
	}
	return due, nil
}

// --- reading what is stored

var materialRows = db.NewMany(`SELECT m.business_date, m.product_id, SUM(m.bought), SUM(m.bought_fen), SUM(m.arrived), SUM(m.arrived_fen), SUM(m.own), SUM(m.own_costed), SUM(m.own_fen), SUM(m.sold), SUM(m.sold_costed), SUM(m.sold_fen)
	FROM report_material m JOIN report_material_day h ON h.site_id = m.site_id AND h.business_date = m.business_date AND h.stale = 0
	WHERE m.business_date >= $1 AND m.business_date <= $2 AND m.site_id IN (`, `?`, `) GROUP BY m.business_date, m.product_id`)

var materialSites = db.NewMany(`SELECT m.site_id, SUM(m.bought), SUM(m.bought_fen), SUM(m.arrived), SUM(m.arrived_fen), SUM(m.own), SUM(m.own_costed), SUM(m.own_fen), SUM(m.sold), SUM(m.sold_costed), SUM(m.sold_fen)
	FROM report_material m JOIN report_material_day h ON h.site_id = m.site_id AND h.business_date = m.business_date AND h.stale = 0
	WHERE m.product_id = $1 AND m.business_date >= $2 AND m.business_date <= $3 AND m.site_id IN (`, `?`, `) GROUP BY m.site_id`)

var materialHave = db.NewMany(`SELECT h.site_id, h.business_date FROM report_material_day h WHERE h.stale = 0 AND h.business_date >= $1 AND h.business_date <= $2 AND h.site_id IN (`, `?`, `)`)

// scanMaterial reads the sums of a row after its keys.
func scanMaterial(scan func(...any) error, d *materialDay, keys ...any) error {
	return scan(append(keys, &d.bought, &d.boughtC, &d.arrived, &d.arrivedC, &d.own.qty, &d.own.costed, &d.own.fen, &d.sold.qty, &d.sold.costed, &d.sold.fen)...)
}

func (d *materialDay) add(o *materialDay) {
	d.bought += o.bought
	d.boughtC += o.boughtC
	d.arrived += o.arrived
	d.arrivedC += o.arrivedC
	d.own.add(o.own)
	d.sold.add(o.sold)
}

// onTheSpot is how many days of sites are reckoned for whoever asks; what is beyond is not counted until the job has come by.
const onTheSpot = 40

// aligned are days by date and product, over sites.
type aligned struct {
	days    map[cal.Date]map[id.ID]*materialDay
	sites   map[id.ID]map[id.ID]*materialDay // reckoned on the spot, by site and product
	counted int64                            // days of sites
	missing int64                            // … that are not reckoned yet
}

// readMaterials gives the days of sites from one date to another.
func readMaterials(tx *db.Tx, sites []*org.Site, from, to cal.Date) (*aligned, error) {
	a := &aligned{days: map[cal.Date]map[id.ID]*materialDay{}, sites: map[id.ID]map[id.ID]*materialDay{}}
	if len(sites) == 0 {
		return a, nil
	}
	args := []any{from, to}
	for _, s := range sites {
		args = append(args, s.ID)
	}
	heads, rows := tx.QueryMany(materialHave, args...), tx.QueryMany(materialRows, args...)
	defer heads.Close()
	defer rows.Close()
	begun := make([]*db.Row, len(sites))
	for i, s := range sites {
		begun[i] = tx.QueryRow(firstDay, s.ID)
	}
	type key struct {
		site id.ID
		date cal.Date
	}
	have := map[key]bool{}
	for heads.Next() {
		var k key
		if err := heads.Scan(&k.site, &k.date); err != nil {
			return nil, err
		}
		have[k] = true
	}
	if err := heads.Err(); err != nil {
		return nil, err
	}
	a.counted = int64(len(have))
	for rows.Next() {
		var date cal.Date
		var product id.ID
		d := &materialDay{}
		if err := scanMaterial(rows.Scan, d, &date, &product); err != nil {
			return nil, err
		}
		a.of(date, product).add(d)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var p *pantry
	for i, site := range sites {
		var first cal.Date
		if err := begun[i].Scan(&first); err != nil {
			return nil, err
		}
		if first == "" {
			continue
		}
		for date := max(from, first); date <= min(to, site.BusinessDate(tx.Now())); date = date.AddDays(1) {
			if have[key{site.ID, date}] {
				continue
			}
			if a.counted-int64(len(have)) >= onTheSpot {
				a.missing++
				continue
			}
			var err error
			if p == nil {
				if p, err = newPantry(tx); err != nil {
					return nil, err
				}
			}
			days, err := p.reckon(site, date, date)
			if err != nil {
				return nil, err
			}
			a.counted++
			if a.sites[site.ID] == nil {
				a.sites[site.ID] = map[id.ID]*materialDay{}
			}
			for product, d := range days.days {
				a.of(date, product).add(d)
				if a.sites[site.ID][product] == nil {
					a.sites[site.ID][product] = &materialDay{}
				}
				a.sites[site.ID][product].add(d)
			}
		}
	}
	return a, nil
}

func (a *aligned) of(date cal.Date, product id.ID) *materialDay {
	if a.days[date] == nil {
		a.days[date] = map[id.ID]*materialDay{}
	}
	if a.days[date][product] == nil {
		a.days[date][product] = &materialDay{}
	}
	return a.days[date][product]
}
