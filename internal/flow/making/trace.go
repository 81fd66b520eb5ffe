package making

import (
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// Trace is where a batch came from, or what became of it.
type Trace struct {
	Direction string    `json:"direction" enum:"back,forward"`
	Batch     Traced    `json:"batch"`
	Steps     []Step    `json:"steps" doc:"each making and each way from site to site between the batch and the others, nearest first, at most 1000"`
	Sales     []Sold    `json:"sales" doc:"forward: what was sold of the batch and of all that was made of it, at most 1000"`
	Cut       bool      `json:"cut" doc:"there is more than is shown"`
	Hidden    int       `json:"hidden" doc:"steps and sales at sites of other companies, where you may not look"`
	Sums      TraceSums `json:"sums" doc:"of what is shown"`
}

// TraceSums counts what a trace found.
type TraceSums struct {
	Batches int `json:"batches" doc:"others than the batch itself"`
	Sales   int `json:"sales" doc:"different sales slips"`
}

// Traced is a batch in a trace.
type Traced struct {
	BatchID    id.ID    `json:"batch_id"`
	Code       string   `json:"code"`
	ProductID  id.ID    `json:"product_id"`
	Product    string   `json:"product"`
	Unit       string   `json:"unit"`
	MadeOn     cal.Date `json:"made_on"`
	ReceivedAt string   `json:"received_at"`
	ExpiresAt  string   `json:"expires_at" doc:"empty: keeps for ever"`
	Left       qty.Qty  `json:"left" doc:"still in stock"`
	SiteID     id.ID    `json:"site_id"`
	Site       string   `json:"site" doc:"where it is, or was"`
	Kind       string   `json:"kind" doc:"of the document that brought it in, as goods_receipt, opening_stock, output_receipt, transfer_in, conversion"`
	DocumentID id.ID    `json:"document_id" doc:"that brought it in"`
	SupplierID id.ID    `json:"supplier_id" doc:"of the order it came against; empty: none"`
	Supplier   string   `json:"supplier"`
	OrderID    id.ID    `json:"order_id"`
	OrderNo    string   `json:"order_no"`
	Ref        string   `json:"ref" doc:"the supplier's number on the goods receipt"`
	Note       string   `json:"note" doc:"of the goods receipt"`
	Recipe     cal.Date `json:"recipe_from" doc:"of what was made: first day of the version of the recipe; empty: by none"`
	MixID      id.ID    `json:"mix_id" doc:"of what was made: the mix of its materials that was in force; empty: as the recipe says"`
	entity     id.ID
}

// Step is a making: so much of the material batch went into what became the made batch; or a way from site to site: so
// much of a batch arrived as another one.
type Step struct {
	Level           int     `json:"level" doc:"1 is next to the batch that was asked about"`
	TaskID          id.ID   `json:"task_id" doc:"empty: it was not made but sent"`
	TransferID      id.ID   `json:"transfer_id" doc:"the stock transfer; empty: it was not sent but made"`
	ConversionID    id.ID   `json:"conversion_id" doc:"the conversion; empty: it was made or sent"`
	MaterialBatchID id.ID   `json:"material_batch_id" doc:"the material, or the batch that was sent"`
	MadeBatchID     id.ID   `json:"made_batch_id" doc:"what was made, or what it arrived as"`
	Qty             qty.Qty `json:"qty" doc:"of the material, or of what arrived, in its base unit"`
	Other           Traced  `json:"other" doc:"back: the material, or the batch that was sent; forward: what was made, or what it arrived as"`
}

// Sold is a sale of one of the batches.
type Sold struct {
	SaleID  id.ID    `json:"sale_id"`
	SlipNo  string   `json:"slip_no"`
	SiteID  id.ID    `json:"site_id"`
	Site    string   `json:"site"`
	State   string   `json:"state"`
	Date    cal.Date `json:"business_date"`
	SoldAt  string   `json:"sold_at"`
	BatchID id.ID    `json:"batch_id"`
	Product string   `json:"product"`
	Qty     qty.Qty  `json:"qty" doc:"in the base unit"`
	Unit    string   `json:"unit"`
}

const (
	mostSteps = 1000
	mostSales = 1000
)

// What a batch is, and what brought it in. Its number in the ledger names the kind: 101 is an output
// receipt, which is no document of stock.
const (
	tracedColumns = `b.site_id, h.entity_id, h.name, b.id, b.code, k.product_id, p.name, p.base_unit, b.made_on, b.received_at, b.expires_at, a.posted_in - a.posted_out,
	COALESCE(d.kind, 101), b.document_id, COALESCE(d.ref, ''), COALESCE(d.note, ''), COALESCE(po.supplier_id, 0), COALESCE(u.name, ''), COALESCE(po.id, 0), COALESCE(po.no, ''), COALESCE(mr.recipe_from, ''), COALESCE(mr.mix_id, 0)`
	tracedTables = ` JOIN ledger_account a ON a.id = b.id JOIN org_site h ON h.id = b.site_id JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id
	LEFT JOIN stock_document d ON d.id = b.document_id LEFT JOIN purchase_receipt g ON g.id = b.document_id
	LEFT JOIN purchase_order po ON po.id = g.order_id LEFT JOIN party_supplier u ON u.id = po.supplier_id
	LEFT JOIN produce_output mo ON mo.batch_id = b.id AND mo.batch_id > 0 LEFT JOIN produce_task mt ON mt.id = mo.task_id LEFT JOIN produce_requisition mr ON mr.id = mt.requisition_id`

	tracedOne = `SELECT ` + tracedColumns + ` FROM stock_batch b` + tracedTables + ` WHERE b.id = $1`

	// A batch is made of others (a task's issues became its output), or is another one that arrived here from another site
	// (source_id). It is walked once, at the level where it is met first or again: recipes have at most 12 levels and no circle,
	// and what is made or arrives is always a new batch, so the walk ends by itself; the bound is for a broken table.
	back = `WITH RECURSIVE walk (batch_id, level) AS (
	SELECT CAST($1 AS BIGINT), 0
	UNION
	SELECT CASE WHEN n.source_id > 0 THEN n.source_id ELSE COALESCE(i.batch_id, x.batch_id) END, w.level + 1 FROM walk w JOIN stock_batch n ON n.id = w.batch_id
		LEFT JOIN produce_output o ON o.batch_id = w.batch_id AND o.batch_id > 0 LEFT JOIN produce_issue i ON i.task_id = o.task_id
		LEFT JOIN stock_conversion c ON c.document_id = n.document_id AND c.reversed_by = 0 LEFT JOIN stock_document_line x ON x.document_id = c.document_id AND x.qty < 0
	WHERE w.level < 30 AND (n.source_id > 0 OR i.batch_id IS NOT NULL OR x.batch_id IS NOT NULL)),
seen AS (SELECT batch_id, MIN(level) + 1 AS level FROM walk GROUP BY batch_id),
links AS (
	SELECT s.level, o.task_id, 0 AS transfer_id, 0 AS conversion_id, i.batch_id AS from_batch, o.batch_id AS to_batch, i.qty, i.line_no
	FROM seen s JOIN produce_output o ON o.batch_id = s.batch_id AND o.batch_id > 0 JOIN produce_issue i ON i.task_id = o.task_id
	UNION ALL
	SELECT s.level, 0, 0, c.document_id, x.batch_id, s.batch_id, -x.qty, x.line_no
	FROM seen s JOIN stock_batch n ON n.id = s.batch_id JOIN stock_conversion c ON c.document_id = n.document_id AND c.reversed_by = 0 JOIN stock_document_line x ON x.document_id = c.document_id AND x.qty < 0
	UNION ALL
	SELECT s.level, 0, m.transfer_id, 0, m.batch_id, m.to_batch, m.received + m.over, m.line_no
	FROM seen s CROSS JOIN stock_batch n CROSS JOIN stock_document e CROSS JOIN stock_transit m
	WHERE n.id = s.batch_id AND n.source_id > 0 AND e.id = n.document_id AND m.transfer_id = e.cause_id AND m.to_batch = n.id)
SELECT l.level, l.task_id, l.transfer_id, l.conversion_id, l.from_batch, l.to_batch, l.qty, ` + tracedColumns + `
FROM links l CROSS JOIN stock_batch b` + tracedTables + ` WHERE b.id = l.from_batch
ORDER BY l.level, l.task_id, l.transfer_id, l.conversion_id, l.line_no, b.id LIMIT $2`

	// From a batch the walk goes all ways: into what was made of it (1), what it was converted into (2), and to where it was sent (0).
	forwardWalk = `WITH RECURSIVE walk (batch_id, level) AS (
	SELECT CAST($1 AS BIGINT), 0
	UNION
	SELECT COALESCE(n.id, o.batch_id, y.batch_id), w.level + 1 FROM walk w CROSS JOIN (VALUES (0), (1), (2)) AS way
		LEFT JOIN stock_batch n ON way.column1 = 0 AND n.source_id = w.batch_id AND n.source_id > 0
		LEFT JOIN produce_issue i ON way.column1 = 1 AND i.batch_id = w.batch_id LEFT JOIN produce_output o ON o.task_id = i.task_id AND o.batch_id > 0
		LEFT JOIN stock_document_line x ON way.column1 = 2 AND x.batch_id = w.batch_id AND x.qty < 0 LEFT JOIN stock_conversion c ON c.document_id = x.document_id AND c.reversed_by = 0
		LEFT JOIN stock_document_line y ON y.document_id = c.document_id AND y.qty > 0
	WHERE w.level < 30 AND COALESCE(n.id, o.batch_id, y.batch_id) IS NOT NULL),
seen AS (SELECT batch_id, MIN(level) + 1 AS level FROM walk GROUP BY batch_id)
`
	forward = forwardWalk + `, links AS (
	SELECT s.level, o.task_id, 0 AS transfer_id, 0 AS conversion_id, i.batch_id AS from_batch, o.batch_id AS to_batch, i.qty, i.line_no
	FROM seen s JOIN produce_issue i ON i.batch_id = s.batch_id JOIN produce_output o ON o.task_id = i.task_id AND o.batch_id > 0
	UNION ALL
	SELECT s.level, 0, 0, c.document_id, x.batch_id, y.batch_id, -x.qty, y.line_no
	FROM seen s JOIN stock_document_line x ON x.batch_id = s.batch_id AND x.qty < 0 JOIN stock_conversion c ON c.document_id = x.document_id AND c.reversed_by = 0 JOIN stock_document_line y ON y.document_id = c.document_id AND y.qty > 0
	UNION ALL
	SELECT s.level, 0, m.transfer_id, 0, m.batch_id, m.to_batch, m.received + m.over, m.line_no
	FROM seen s CROSS JOIN stock_batch n CROSS JOIN stock_document e CROSS JOIN stock_transit m
	WHERE n.source_id = s.batch_id AND n.source_id > 0 AND e.id = n.document_id AND m.transfer_id = e.cause_id AND m.to_batch = n.id)
SELECT l.level, l.task_id, l.transfer_id, l.conversion_id, l.from_batch, l.to_batch, l.qty, ` + tracedColumns + `
FROM links l CROSS JOIN stock_batch b` + tracedTables + ` WHERE b.id = l.to_batch
ORDER BY l.level, l.task_id, l.transfer_id, l.conversion_id, l.line_no, b.id LIMIT $2`

	// The ledger finds the sales of a batch by its account: document 40 is a sale, flow -101 sold.
	sales = forwardWalk + `SELECT s.id, r.prefix, s.slip_no, b.site_id, h.entity_id, h.name, s.state, s.business_date, s.sold_at, b.id, p.name, t.amount, p.base_unit
FROM seen w JOIN ledger_transfer t ON t.from_id = w.batch_id AND t.from_id > 0 AND t.to_id = -101 AND t.doc_kind = 40
JOIN till_sale s ON s.id = t.doc_id JOIN till_register r ON r.id = s.register_id JOIN stock_batch b ON b.id = w.batch_id JOIN org_site h ON h.id = b.site_id JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id
ORDER BY s.sold_at, s.id, t.leg LIMIT $2`
)

func (b *Traced) targets(received, expires *time.Time, kind *ledger.Kind) []any {
	return []any{&b.SiteID, &b.entity, &b.Site, &b.BatchID, &b.Code, &b.ProductID, &b.Product, &b.Unit, &b.MadeOn, received, expires, &b.Left, kind, &b.DocumentID, &b.Ref, &b.Note, &b.SupplierID, &b.Supplier, &b.OrderID, &b.OrderNo, &b.Recipe, &b.MixID}
}

// Follow traces a batch back to its materials and their receipts, or forward to what was made of it and
// sold. may gives the batch's site to a caller who may see it; a foreign batch is unknown.
func Follow(tx *db.Tx, batch id.ID, toMaterials bool, may func(site id.ID) (*org.Site, error)) (*Trace, error) {
	t := &Trace{Direction: "forward", Steps: []Step{}, Sales: []Sold{}}
	var received, expires time.Time
	var kind ledger.Kind
	if err := tx.QueryRow(tracedOne, batch).Scan(t.Batch.targets(&received, &expires, &kind)...); err != nil {
		if err == db.ErrNoRow {
			err = stock.ErrNoBatch
		}
		return nil, err
	}
	site, err := may(t.Batch.SiteID)
	if err != nil {
		return nil, stock.ErrNoBatch
	}
	t.Batch.ReceivedAt, t.Batch.ExpiresAt, t.Batch.Kind = at(received, site), at(expires, site), kind.String()
	var steps, sold *db.Rows
	if toMaterials {
		t.Direction = "back"
		steps = tx.Query(back, batch, mostSteps+1)
	} else {
		steps, sold = tx.Query(forward, batch, mostSteps+1), tx.Query(sales, batch, mostSales+1)
	}
	defer steps.Close()
	others := map[id.ID]bool{}
	for steps.Next() {
		if len(t.Steps) == mostSteps {
			t.Cut = true
			break
		}
		var s Step
		if err := steps.Scan(append([]any{&s.Level, &s.TaskID, &s.TransferID, &s.ConversionID, &s.MaterialBatchID, &s.MadeBatchID, &s.Qty}, s.Other.targets(&received, &expires, &kind)...)...); err != nil {
			return nil, err
		}
		if !t.near(s.Other.SiteID, s.Other.entity, may) {
			t.Hidden++
			continue
		}
		s.Other.ReceivedAt, s.Other.ExpiresAt, s.Other.Kind = at(received, site), at(expires, site), kind.String()
		others[s.Other.BatchID] = true
		t.Steps = append(t.Steps, s)
	}
	if err := steps.Err(); err != nil {
		return nil, err
	}
	steps.Close()
	t.Sums.Batches = len(others)
	if sold == nil {
		return t, nil
	}
	return t, t.readSales(sold, site, may)
}

// near tells whether the caller may know of what is at a site: where he may look himself, and all over the company whose batch
// he traces, as a recall must.
func (t *Trace) near(site, entity id.ID, may func(site id.ID) (*org.Site, error)) bool {
	if entity == t.Batch.entity {
		return true
	}
	_, err := may(site)
	return err == nil
}

func (t *Trace) readSales(rows *db.Rows, site *org.Site, may func(site id.ID) (*org.Site, error)) error {
	defer rows.Close()
	slips := map[id.ID]bool{}
	for rows.Next() {
		if len(t.Sales) == mostSales {
			t.Cut = true
			break
		}
		var s Sold
		var soldAt time.Time
		var prefix string
		var slip int64
		var entity id.ID
		if err := rows.Scan(&s.SaleID, &prefix, &slip, &s.SiteID, &entity, &s.Site, &s.State, &s.Date, &soldAt, &s.BatchID, &s.Product, &s.Qty, &s.Unit); err != nil {
			return err
		}
		if !t.near(s.SiteID, entity, may) {
			t.Hidden++
			continue
		}
		s.SlipNo, s.SoldAt = till.SlipNumber(prefix, s.Date, slip), at(soldAt, site)
		slips[s.SaleID] = true
		t.Sales = append(t.Sales, s)
	}
	t.Sums.Sales = len(slips)
	return rows.Err()
}
