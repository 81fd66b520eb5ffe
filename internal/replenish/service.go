package replenish

import (
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// How often goods should be enough. The life of a product says it (Tau) where nobody has set it.

// The service levels a forecast has quantiles for, in ten-thousandths.
const (
	LeastService int64 = 5000
	MostService  int64 = 9500
	bp                 = 10_000
)

var (
	ErrService     = errs.Define("plan_service_range", errs.Invalid, "现货率应在 50% 到 95% 之间", "The service level must be from 50 % to 95 %")
	ErrServiceWhat = errs.Define("plan_service_what", errs.Invalid, "请选一个商品或一个分类,不能两个都选", "Choose a product or a category, not both")
	ErrNoService   = errs.Define("plan_service_unknown", errs.NotFound, "这里没有单独设置现货率", "No service level is set here")
)

// ServiceKey says what a service level is for: a product, a category with all below it, or everything; at a site or at all.
type ServiceKey struct{ Site, Category, Product id.ID }

// ServiceLevel is one that somebody set.
type ServiceLevel struct {
	ServiceKey
	BP     int64
	Reason string
}

// Services are the levels that hold at a site.
type Services struct {
	set    map[ServiceKey]int64
	parent map[id.ID]id.ID // of categories
}

// ServicesAt are the levels set for a site and for all. parent leads from a category to the one above it.
func ServicesAt(tx *db.Tx, site id.ID, parent map[id.ID]id.ID) (*Services, error) {
	s := &Services{map[ServiceKey]int64{}, parent}
	rows := tx.Query(`SELECT site_id, category_id, product_id, level_bp FROM replenish_service WHERE site_id IN (0, $1)`, site)
	defer rows.Close()
	for rows.Next() {
		var k ServiceKey
		var level int64
		if err := rows.Scan(&k.Site, &k.Category, &k.Product, &level); err != nil {
			return nil, err
		}
		s.set[k] = level
	}
	return s, rows.Err()
}

// At is the level of a product at a site: what is set for the product, else for its category or the nearest above, else for
// everything, each time the site's own before that of all sites; else what its life says.
func (s *Services) At(site, product, category id.ID, life time.Duration) int64 {
	for _, k := range s.chain(product, category) {
		for _, at := range []id.ID{site, AllSites} {
			k.Site = at
			if level, ok := s.set[k]; ok {
				return level
			}
		}
	}
	return DefaultService(life)
}

func (s *Services) chain(product, category id.ID) []ServiceKey {
	all := []ServiceKey{{Product: product}}
	for range 100 { // a tree of categories is not so deep
		if category == 0 {
			break
		}
		all = append(all, ServiceKey{Category: category})
		category = s.parent[category]
	}
	return append(all, ServiceKey{})
}

// DefaultService is what the life of a product says, in ten-thousandths.
func DefaultService(life time.Duration) int64 { return int64(Tau(life)*bp + .5) }

// Below tells whether a category is another, or under it; every one is under 0.
func (s *Services) Below(category, top id.ID) bool {
	for range 100 {
		if category == top || top == 0 {
			return true
		}
		if category == 0 {
			break
		}
		category = s.parent[category]
	}
	return false
}

// DemandAt is a forecast as demand, at a service level in ten-thousandths.
func DemandAt(mean qty.Qty, quantile func(tau float64) qty.Qty, level int64, shares []float64) Demand {
	tau := float64(level) / bp
	return DemandOf(mean, quantile(tau), tau, shares)
}

// PutService sets a level; 0 takes it away.
func PutService(tx *db.Tx, staff id.ID, s ServiceLevel) error {
	if s.Category != 0 && s.Product != 0 {
		return ErrServiceWhat.At("category_id")
	}
	if s.BP == 0 {
		return tx.ExecExactly(1, ErrNoService, `DELETE FROM replenish_service WHERE site_id = $1 AND category_id = $2 AND product_id = $3`, s.Site, s.Category, s.Product)
	}
	if s.BP < LeastService || s.BP > MostService {
		return ErrService.At("level_bp")
	}
	if s.Product != 0 {
		if err := knownProduct(tx, s.Product, "product_id"); err != nil {
			return err
		}
	}
	return tx.Exec(`INSERT INTO replenish_service (site_id, category_id, product_id, level_bp, reason, staff_id, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (site_id, category_id, product_id) DO UPDATE SET level_bp = excluded.level_bp, reason = excluded.reason, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		s.Site, s.Category, s.Product, s.BP, s.Reason, staff, tx.Now())
}

// ServiceView is a level that somebody set, on the wire.
type ServiceView struct {
	SiteID     id.ID     `json:"site_id" doc:"empty: all sites without one of their own"`
	CategoryID id.ID     `json:"category_id"`
	Category   string    `json:"category"`
	ProductID  id.ID     `json:"product_id" doc:"empty, as the category is: of everything"`
	Product    string    `json:"product"`
	LevelBP    int64     `json:"level_bp" doc:"ten-thousandths: 7000 is enough on seven days of ten"`
	Reason     string    `json:"reason"`
	By         string    `json:"by"`
	At         time.Time `json:"at"`
}

const listServices = `SELECT v.site_id, v.category_id, COALESCE(c.name, ''), v.product_id, COALESCE(p.name, ''), v.level_bp, v.reason, COALESCE(s.display_name, ''), v.changed_at
	FROM replenish_service v LEFT JOIN catalog_category c ON c.id = v.category_id LEFT JOIN catalog_product p ON p.id = v.product_id LEFT JOIN org_staff s ON s.id = v.staff_id
	WHERE v.site_id IN (0, $1) ORDER BY v.site_id DESC, v.product_id DESC, v.category_id DESC LIMIT 2000`

// ListServices lists what is set for a site and for all.
func ListServices(tx *db.Tx, site id.ID) ([]ServiceView, error) {
	rows := tx.Query(listServices, site)
	defer rows.Close()
	all := []ServiceView{}
	for rows.Next() {
		var v ServiceView
		if err := rows.Scan(&v.SiteID, &v.CategoryID, &v.Category, &v.ProductID, &v.Product, &v.LevelBP, &v.Reason, &v.By, &v.At); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// ServiceOf is the level set for exactly that; nil: none.
func ServiceOf(tx *db.Tx, k ServiceKey) (*ServiceView, error) {
	all, err := ListServices(tx, k.Site)
	for i := range all {
		if v := &all[i]; v.SiteID == k.Site && v.CategoryID == k.Category && v.ProductID == k.Product {
			return v, err
		}
	}
	return nil, err
}
