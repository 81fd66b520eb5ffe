package report

import (
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// Proofs of reports: what is stored of materials is what the ledger and the documents say.
func Proofs() []proof.Proof {
	return []proof.Proof{{Name: "report_materials_add_up", Run: proveMaterials}}
}

// provenDays of each site, the newest that can't change any more, are reckoned again.
const (
	settledDays   = `SELECT h.business_date, h.recipes FROM report_material_day h WHERE h.site_id = $1 AND h.settled = 1 AND h.stale = 0 ORDER BY h.business_date DESC LIMIT 7`
	materialsOn   = `SELECT m.product_id, m.bought, m.bought_fen, m.arrived, m.arrived_fen, m.own, m.own_costed, m.own_fen, m.sold, m.sold_costed, m.sold_fen FROM report_material m WHERE m.site_id = $1 AND m.business_date = $2`
	strayMaterial = `SELECT COUNT(*) FROM report_material m WHERE NOT EXISTS (SELECT 1 FROM report_material_day h WHERE h.site_id = m.site_id AND h.business_date = m.business_date)`
)

func proveMaterials(tx *db.Tx) (r proof.Result, err error) {
	sites, err := org.AllSites(tx)
	if err != nil {
		return r, err
	}
	var stray int64
	if err := tx.QueryRow(strayMaterial).Scan(&stray); err != nil {
		return r, err
	}
	if stray > 0 {
		r.Add("%d rows of materials are of no day", stray)
	}
	p, err := newPantry(tx)
	if err != nil {
		return r, err
	}
	for i := range sites {
		type head struct {
			date    cal.Date
			recipes int64
		}
		var heads []head
		rows := tx.Query(settledDays, sites[i].ID)
		for rows.Next() {
			var h head
			if err := rows.Scan(&h.date, &h.recipes); err != nil {
				return r, err
			}
			heads = append(heads, h)
		}
		if err := rows.Err(); err != nil {
			return r, err
		}
		for _, h := range heads {
			again, err := p.reckon(&sites[i], h.date, h.date)
			if err != nil {
				return r, err
			}
			kept := map[id.ID]materialDay{}
			rows := tx.Query(materialsOn, sites[i].ID, h.date)
			for rows.Next() {
				var product id.ID
				var d materialDay
				if err := scanMaterial(rows.Scan, &d, &product); err != nil {
					return r, err
				}
				kept[product] = d
			}
			if err := rows.Err(); err != nil {
				return r, err
			}
			for product, d := range kept {
				r.Rows++
				want := again.days[product]
				if want == nil {
					want = &materialDay{}
				}
				// What other recipes say of goods that nobody made on record may be something else; what came may not.
				if h.recipes == p.recipes && d != *want || p.materials[product] && (d.bought != want.bought || d.boughtC != want.boughtC || d.arrived != want.arrived || d.arrivedC != want.arrivedC) {
					r.AddAt(sites[i].ID, "site %s, %s, material %d: stored %+v, reckoned %+v", sites[i].Code, h.date, product, d, *want)
				}
			}
			for product, d := range again.days {
				if _, ok := kept[product]; !ok && h.recipes == p.recipes {
					r.AddAt(sites[i].ID, "site %s, %s, material %d: not stored, reckoned %+v", sites[i].Code, h.date, product, *d)
				}
			}
		}
	}
	return r, nil
}
