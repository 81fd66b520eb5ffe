package stock

import (
	"context"
	"slices"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// --- goods go back to their supplier

// SendBack is goods that go back to whoever supplied them, by batch. They leave the books at their share of what
// is left of the batch's value; the supplier owes what they came in for. The difference is a variance of cost.
type SendBack struct {
	Header
	Lines []Issue
}

// SentBack is a return with what the supplier owes for it.
type SentBack struct {
	*Document
	Claims []money.Fen
}

var (
	ErrNotBought  = errs.Define("stock_not_bought", errs.Invalid, "这个批次不是收货来的,不能退供应商", "This batch did not come from a supplier; it can't go back to one")
	ErrBasis      = errs.Define("stock_basis_unknown", errs.Invalid, "请选择分摊方式:金额、重量、体积或数量", "Choose how to share: by value, weight, volume or count")
	ErrNoMeasure  = errs.Define("stock_measure_missing", errs.Invalid, "请填写每个批次的重量或体积", "Say the weight or volume of every batch")
	ErrNotReceipt = errs.Define("stock_not_a_receipt", errs.Invalid, "费用只能分摊到收货单", "Costs are shared over a goods receipt")
)

var receiptPrices = db.NewMany(`SELECT l.batch_id, l.qty, l.value_fen FROM stock_document_line l JOIN stock_batch b ON b.id = l.batch_id AND b.document_id = l.document_id
	JOIN stock_document d ON d.id = l.document_id AND d.kind = 20 WHERE l.batch_id IN (`, `?`, `)`)

var putClaims = db.NewMany(`UPDATE stock_document_line SET claim_fen = v.column3 FROM (VALUES `, `(BIGINT, BIGINT, BIGINT)`,
	`) AS v WHERE stock_document_line.document_id = v.column1 AND stock_document_line.line_no = v.column2`)

// ReturnToSupplier books it.
func ReturnToSupplier(tx *db.Tx, r SendBack) (*SentBack, error) {
	d := r.document(tx, SupplierReturnDoc, "")
	m, err := d.lock(tx, r.ID, r.Lines)
	if err != nil {
		return nil, err
	}
	type price struct{ qty, fen int64 }
	prices := map[id.ID]price{}
	args := make([]any, len(r.Lines))
	for i, l := range r.Lines {
		args[i] = int64(m.lots[l.Batch].line().Batch)
	}
	rows := tx.QueryMany(receiptPrices, args...)
	for rows.Next() {
		var batch id.ID
		var p price
		if err := rows.Scan(&batch, &p.qty, &p.fen); err != nil {
			return nil, err
		}
		prices[batch] = p
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	back := &SentBack{Document: d}
	var claims []any
	variance := money.Fen(0)
	for i, l := range r.Lines {
		if l.Qty <= 0 {
			return nil, ErrQty.At(field(i, "qty"))
		}
		if err := d.issue(tx, m, i, l, Supplied, Landed); err != nil {
			return nil, err
		}
		p, ok := prices[d.Lines[i].Batch]
		if !ok {
			return nil, ErrNotBought.At(field(i, "batch_id"))
		}
		claim, err := money.MulDiv(p.fen, int64(l.Qty), p.qty)
		if err != nil {
			return nil, ErrQtyTooLarge.At(field(i, "qty")).Wrap(err)
		}
		back.Claims = append(back.Claims, money.Fen(claim))
		claims = append(claims, int64(d.ID), int64(i+1), claim)
		variance += money.Fen(claim) + d.Lines[i].Value // the value is below 0
	}
	var more []ledger.Transfer
	switch {
	case variance > 0: // the supplier owes more than the goods were worth to us
		more = append(more, ledger.Transfer{Leg: m.last + 1, From: CostVariance, To: Landed, Unit: ledger.CNY, Amount: int64(variance)})
	case variance < 0:
		more = append(more, ledger.Transfer{Leg: m.last + 1, From: Landed, To: CostVariance, Unit: ledger.CNY, Amount: int64(-variance)})
	}
	if err := d.insert(tx); err != nil {
		return nil, err
	}
	if err := tx.ExecMany(putClaims, claims...); err != nil {
		return nil, err
	}
	if err := m.book(tx, d.posting(), more); err != nil {
		return nil, err
	}
	return back, emitMoved(tx, EventMoved, d)
}

// --- what it cost to bring goods in

// Charge is a cost of goods that have come in already, shared over the batches of their receipt.
type Charge struct {
	Header
	Receipt  id.ID
	Basis    string // value, weight, volume, count
	Fen      money.Fen
	Measures map[id.ID]int64 // of each batch, when by weight (g) or volume (ml) and its base unit is neither
}

// LandedCost is a charge as it was shared.
type LandedCost struct {
	ID    id.ID        `json:"id"`
	Date  cal.Date     `json:"business_date"`
	Lines []LandedLine `json:"lines"`
}

// LandedLine is the share of a batch: what belongs to what is left of it, and what to what has gone.
type LandedLine struct {
	BatchID  id.ID     `json:"batch_id"`
	Batch    string    `json:"batch"`
	ShareFen money.Fen `json:"share_fen"`
	StockFen money.Fen `json:"stock_fen" doc:"raises the value of what is left"`
	SoldFen  money.Fen `json:"sold_fen" doc:"cost of what has gone"`
}

const receiptBatches = `SELECT l.batch_id, l.qty, l.value_fen, p.base_unit FROM stock_document_line l JOIN stock_batch b ON b.id = l.batch_id
JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id WHERE l.document_id = $1 ORDER BY l.line_no`

var insertLanded = db.NewMany(`INSERT INTO stock_landed_line (landed_id, line_no, batch_id, share_fen, stock_fen) VALUES `, `(?, ?, ?, ?, ?)`, ``)

// Land posts a charge today, however late it comes: closed days are not touched. Each batch's share is split by
// how much of it is still in its ordinary place at the site; goods that were frozen, sent on or sold count as gone.
func Land(tx *db.Tx, c Charge) (*LandedCost, error) {
	if c.Fen <= 0 || c.Fen > money.Max {
		return nil, ErrCost.At("charge_fen")
	}
	var kind ledger.Kind
	var site id.ID
	err := tx.QueryRow(`SELECT kind, site_id FROM stock_document WHERE id = $1`, c.Receipt).Scan(&kind, &site)
	if err == db.ErrNoRow || err == nil && (site != c.Site.ID || kind != ReceiptDoc) {
		return nil, ErrNotReceipt.At("receipt_id")
	}
	if err != nil {
		return nil, err
	}
	var batches []id.ID
	var came, weights []int64
	rows := tx.Query(receiptBatches, c.Receipt)
	for rows.Next() {
		var batch id.ID
		var q, fen int64
		var base string
		if err := rows.Scan(&batch, &q, &fen, &base); err != nil {
			return nil, err
		}
		weight := int64(0)
		switch c.Basis {
		case "value":
			weight = fen
		case "count":
			weight = q
		case "weight", "volume":
			if weight = c.Measures[batch]; weight == 0 && (base == "g" && c.Basis == "weight" || base == "ml" && c.Basis == "volume") {
				weight = q / int64(qty.Scale)
			}
			if weight <= 0 {
				return nil, ErrNoMeasure.At("measures")
			}
		default:
			return nil, ErrBasis.At("basis")
		}
		batches, came, weights = append(batches, batch), append(came, q), append(weights, weight)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(weights, func(w int64) bool { return w > 0 }) { // goods that cost nothing can't share by value
		return nil, ErrNoMeasure.At("basis")
	}
	shares := money.Split(c.Fen, weights)
	d := c.document(tx, LandedDoc, c.Basis)
	m := newMove(d.Site)
	if err := m.lockLots(tx, batches); err != nil {
		return nil, err
	}
	if err := tx.Exec(`INSERT INTO stock_landed (id, site_id, business_date, receipt_id, basis, charge_fen, ref, note, staff_id, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.ID, d.Site, d.Date, c.Receipt, c.Basis, c.Fen, d.Ref, d.Note, d.Staff, d.MadeAt); err != nil {
		return nil, err
	}
	out := &LandedCost{ID: d.ID, Date: d.Date}
	var args []any
	for i, batch := range batches {
		b := m.lots[batch]
		stays := money.Fen(0)
		if left := min(int64(b.onHand), came[i]); left > 0 {
			n, err := money.MulDiv(int64(shares[i]), left, came[i])
			if err != nil {
				return nil, ErrCost.At("charge_fen").Wrap(err)
			}
			stays = money.Fen(n)
		}
		if stays > 0 {
			m.legs = append(m.legs, ledger.Transfer{Leg: 2*i + 1, From: Landed, To: b.valueAccount(), Unit: ledger.CNY, Amount: int64(stays)})
		}
		if gone := shares[i] - stays; gone > 0 {
			m.legs = append(m.legs, ledger.Transfer{Leg: 2*i + 2, From: Landed, To: LateCost, Unit: ledger.CNY, Amount: int64(gone)})
		}
		args = append(args, int64(d.ID), int64(i+1), int64(batch), int64(shares[i]), int64(stays))
		out.Lines = append(out.Lines, LandedLine{batch, b.code, shares[i], stays, shares[i] - stays})
	}
	if err := tx.ExecMany(insertLanded, args...); err != nil {
		return nil, err
	}
	return out, m.book(tx, d.posting(), nil)
}

func costRoutes(api *web.API) {
	web.Post(api, web.Route{Path: "/api/stock/supplier-returns", Name: "return-to-supplier", Summary: "Send goods back to their supplier at the price they came in for", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			Body struct {
				SiteID id.ID     `json:"site_id"`
				Ref    string    `json:"ref,omitempty" maxLength:"60" doc:"the supplier's number"`
				Note   string    `json:"note,omitempty" maxLength:"200"`
				Lines  []IssueIn `json:"lines" minItems:"1" maxItems:"500"`
			}
		}) (*SupplierReturnView, error) {
			h, err := headerAt(ctx, in.Body.SiteID, in.Body.Ref, in.Body.Note)
			if err != nil {
				return nil, err
			}
			lines, err := wholeIssues(tx, h.Site.ID, in.Body.Lines)
			if err != nil {
				return nil, err
			}
			back, err := ReturnToSupplier(tx, SendBack{Header: h, Lines: lines})
			if err != nil {
				return nil, err
			}
			v := &SupplierReturnView{DocumentView: *viewOf(back.Document, h.Site), Claims: back.Claims}
			for _, c := range back.Claims {
				v.ClaimFen += c
			}
			return v, nil
		})
	web.Post(api, web.Route{Path: "/api/stock/landed-costs", Name: "land-cost", Summary: "Share a cost of bringing goods in over their batches, also late", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			Body struct {
				SiteID    id.ID     `json:"site_id"`
				ReceiptID id.ID     `json:"receipt_id"`
				Basis     string    `json:"basis" enum:"value,weight,volume,count"`
				ChargeFen money.Fen `json:"charge_fen" minimum:"1"`
				Ref       string    `json:"ref,omitempty" maxLength:"60"`
				Note      string    `json:"note,omitempty" maxLength:"200"`
				Measures  []struct {
					BatchID id.ID `json:"batch_id"`
					Amount  int64 `json:"amount" minimum:"1" doc:"of the whole batch, in g or ml"`
				} `json:"measures,omitempty" maxItems:"500" doc:"by weight or volume, of goods that are not counted in g or ml"`
			}
		}) (*LandedCost, error) {
			site, err := org.SiteFor(ctx, "stock.manage", in.Body.SiteID)
			if err != nil {
				return nil, err
			}
			c := Charge{Header: Header{Site: site, Staff: org.CallerOf(ctx).ID, Ref: in.Body.Ref, Note: in.Body.Note}, Receipt: in.Body.ReceiptID, Basis: in.Body.Basis, Fen: in.Body.ChargeFen, Measures: map[id.ID]int64{}}
			for _, x := range in.Body.Measures {
				c.Measures[x.BatchID] = x.Amount
			}
			return Land(tx, c)
		})
}

// SupplierReturnView is a return with what the supplier owes.
type SupplierReturnView struct {
	DocumentView
	ClaimFen money.Fen   `json:"claim_fen" doc:"all that the supplier owes for it: at the prices the goods came in for"`
	Claims   []money.Fen `json:"claims_fen" doc:"by line"`
}
