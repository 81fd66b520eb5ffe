package stock

import (
	"strconv"
	"strings"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// FindIn asks for what has a code or number.
type FindIn struct {
	Q string `query:"q" required:"true" minLength:"1" maxLength:"40" doc:"the whole code of a batch, or the whole number of a document"`
}

// Found is a batch or document, for who wants to go there.
type Found struct {
	Kind   string `json:"kind" enum:"batch,document,transfer,count"`
	ID     id.ID  `json:"id"`
	SiteID id.ID  `json:"site_id"`
	Site   string `json:"site"`
	What   string `json:"what" doc:"batch: the name of the product; document: its kind; else its state"`
	Code   string `json:"code" doc:"of a batch; else empty"`
	At     string `json:"at" doc:"when it came in or was made"`
}

const (
	reached      = `(CAST($1 AS BIGINT) = 1 OR s.id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))`
	findBatches  = `SELECT 'batch', b.id, s.id, s.name, s.time_zone, p.name, 0, b.code, b.received_at FROM stock_batch b JOIN org_site s ON s.id = b.site_id JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id WHERE ` + reached
	findByCode   = findBatches + ` AND b.code = $4 ORDER BY b.id DESC LIMIT 10`
	findByNumber = findBatches + ` AND b.id = $4
UNION ALL SELECT 'document', d.id, s.id, s.name, s.time_zone, '', d.kind, '', d.made_at FROM stock_document d JOIN org_site s ON s.id = d.site_id WHERE ` + reached + ` AND d.id = $4
UNION ALL SELECT 'count', c.id, s.id, s.name, s.time_zone, c.state, 0, '', c.made_at FROM stock_count c JOIN org_site s ON s.id = c.site_id WHERE ` + reached + ` AND c.id = $4
UNION ALL SELECT 'transfer', x.id, s.id, s.name, s.time_zone, x.state, 0, '', x.made_at FROM stock_transfer x JOIN org_site s ON s.id = x.from_site WHERE ` + reached + ` AND x.id = $4
UNION ALL SELECT 'transfer', x.id, s.id, s.name, s.time_zone, x.state, 0, '', x.made_at FROM stock_transfer x JOIN org_site s ON s.id = x.to_site WHERE ` + reached + ` AND x.id = $4`
)

// Find gives the batches of a code, and the batch or document of a number, at the sites that the caller sees: at most
// eleven. A transfer is found from either end, and shown once.
func Find(tx *db.Tx, sites org.Sites, q string) ([]Found, error) {
	q = strings.TrimSpace(q)
	all := []Found{}
	gather := func(rows *db.Rows) error {
		defer rows.Close()
		for rows.Next() {
			var f Found
			var zone string
			var kind ledger.Kind
			var at time.Time
			if err := rows.Scan(&f.Kind, &f.ID, &f.SiteID, &f.Site, &zone, &f.What, &kind, &f.Code, &at); err != nil {
				return err
			}
			if f.Kind == "document" {
				f.What = kind.String()
			}
			f.At = shown(at, &org.Site{TimeZone: zone})
			if len(all) == 0 || all[len(all)-1].ID != f.ID {
				all = append(all, f)
			}
		}
		return rows.Err()
	}
	if err := gather(tx.Query(findByCode, append(sites.Args(), q)...)); err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(q, 10, 64); err == nil && n > 0 {
		if err := gather(tx.Query(findByNumber, append(sites.Args(), n)...)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func find(tx *db.Tx, sites org.Sites, in *FindIn) (*web.Page[Found], error) {
	all, err := Find(tx, sites, in.Q)
	return &web.Page[Found]{Items: all}, err
}
