package stock

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Goods become other goods in one act: a case is opened, tea is filled into cans, a gift box is put together, a carcass is
// cut. What goes in leaves its batches at its cost; all of that is in what comes out and in what was lost, to the fen.

// Shape is what kind of conversion it is.
type Shape string

const (
	ConvertShape  Shape = "convert"  // one product becomes another
	SplitShape    Shape = "split"    // one becomes several
	CombineShape  Shape = "combine"  // several become one
	RepackShape   Shape = "repack"   // one is packed otherwise, perhaps with packaging, perhaps into several packs
	AssembleShape Shape = "assemble" // several are put together into one
)

// Basis is how the cost is shared over what comes out.
type Basis string

const (
	ByWeight Basis = "weight" // by quantity; all in grams, or all in millilitres
	ByValue  Basis = "value"  // by what it would be sold for
	ByShare  Basis = "share"  // by shares that a person says
)

// Output is a batch that comes out. Weight is its part in the sharing of the cost. Inherit: it expires when the first of what
// went in would, whatever ExpiresAt says.
type Output struct {
	Arrival
	Weight  int64
	Inherit bool
}

// LostOnTheWay is how much of an input line did not get into any output. Absorbed: it is expected, and what comes out bears its
// cost; else its cost is a loss.
type LostOnTheWay struct {
	Line     int
	Qty      qty.Qty
	Reason   string
	Absorbed bool
}

// Conversion is what is to be done. Key is the caller's, unique for ever.
type Conversion struct {
	Header
	Key    string
	Shape  Shape
	Basis  Basis
	In     []Want // Line is the place of the input in the caller's list
	Out    []Output
	Losses []LostOnTheWay
}

const maxConverted = 50 // inputs, and outputs

// LossReasons are why something was lost on the way.
var LossReasons = []string{"trim", "evaporated", "spilled", "broken", "tasting", "other"}

var (
	ErrShape              = errs.Define("conversion_shape_bad", errs.Invalid, "转换类型应为 convert、split、combine、repack 或 assemble", "The kind must be convert, split, combine, repack or assemble")
	ErrShapeLines         = errs.Define("conversion_lines_bad", errs.Invalid, "“{shape}”的投入或产出行数不对:转换一进一出,拆分一进多出,合并和组装多进一出", "The lines do not fit {shape}: convert takes one into one, split one into several, combine and assemble several into one")
	ErrConvertedMany      = errs.Define("conversion_lines_many", errs.Limit, "投入和产出各 1 到 {most} 行", "There are 1 to {most} lines in and as many out")
	ErrConvertedSame      = errs.Define("conversion_same", errs.Invalid, "投入和产出是同一个商品,没有转换", "What goes in is what comes out: nothing is converted")
	ErrSharedBy           = errs.Define("conversion_basis_bad", errs.Invalid, "成本分摊应为按重量、按售价或按比例", "The cost is shared by weight, by value or by share")
	ErrConvertedWeight    = errs.Define("conversion_weights_none", errs.Invalid, "产出里没有一行有分摊的份额", "No line that comes out has a part in the cost")
	ErrConversionLoss     = errs.Define("conversion_loss_bad", errs.Invalid, "损耗应大于 0 且不超过投入,每行投入只写一次,并选原因", "A loss is above 0 and at most what went in, once for a line, with a reason")
	ErrConversionNothing  = errs.Define("conversion_all_lost", errs.Invalid, "投入全部写成了损耗,就不会有产出;全部损坏请用报损", "All that goes in is lost, so nothing can come out of it; write it off instead")
	ErrConversionUnknown  = errs.Define("conversion_unknown", errs.NotFound, "没有这张转换单", "There is no such conversion")
	ErrConversionReversed = errs.Define("conversion_reversed", errs.Conflict, "这张转换单已经冲销", "This conversion has been taken back already")
	ErrConversionUsed     = errs.Define("conversion_used", errs.Conflict, "{product} 批次 {batch} 已动用、被预留或成本已变,不能冲销;请另做一张转换单", "Batch {batch} of {product} has been used or promised, or its cost has changed: the conversion can't be taken back; make another one")
	ErrConversionPast     = errs.Define("conversion_input_expired", errs.Conflict, "投入的 {product} 批次 {batch} 已过期,不能退回;请报废产出", "Batch {batch} of {product}, which went in, has expired and can't come back; discard what came out")
	ErrConversionReason   = errs.Define("conversion_reason_missing", errs.Invalid, "请写明冲销原因(最多 {most} 字)", "Say why it is taken back, in at most {most} characters")
)

func (c *Conversion) check() error {
	in, out := len(c.In), len(c.Out)
	switch {
	case c.Shape != ConvertShape && c.Shape != SplitShape && c.Shape != CombineShape && c.Shape != RepackShape && c.Shape != AssembleShape:
		return ErrShape.At("shape")
	case c.Basis != ByWeight && c.Basis != ByValue && c.Basis != ByShare:
		return ErrSharedBy.At("basis")
	case in == 0 || in > maxConverted:
		return ErrConvertedMany.With("most", maxConverted).At("lines")
	case out == 0 || out > maxConverted:
		return ErrConvertedMany.With("most", maxConverted).At("outputs")
	case c.Shape == ConvertShape && (in != 1 || out != 1) || c.Shape == SplitShape && (in != 1 || out < 2) || (c.Shape == CombineShape || c.Shape == AssembleShape) && (in < 2 || out != 1):
		return ErrShapeLines.With("shape", string(c.Shape)).At("shape")
	case in == 1 && out == 1 && c.In[0].SKU == c.Out[0].SKU:
		return ErrConvertedSame.At("outputs[0].product_id")
	}
	var all int64
	for i := range c.Out {
		if w := c.Out[i].Weight; w < 0 || w > int64(qty.Max) {
			return ErrConvertedWeight.At(fmt.Sprintf("outputs[%d].share", i))
		}
		all += c.Out[i].Weight // 50 of at most qty.Max
	}
	if all == 0 && out > 1 {
		return ErrConvertedWeight.At("outputs")
	}
	seen := map[int]bool{}
	for i, l := range c.Losses {
		at := slices.IndexFunc(c.In, func(w Want) bool { return w.Line == l.Line })
		if at < 0 || l.Qty <= 0 || l.Qty > c.In[at].Qty || seen[l.Line] || !slices.Contains(LossReasons, l.Reason) {
			return ErrConversionLoss.At(fmt.Sprintf("losses[%d].qty", i))
		}
		seen[l.Line] = true
	}
	whole := func(w Want) bool { // is lost
		return slices.ContainsFunc(c.Losses, func(l LostOnTheWay) bool { return l.Line == w.Line && l.Qty == w.Qty })
	}
	if !slices.ContainsFunc(c.In, func(w Want) bool { return !whole(w) }) {
		return ErrConversionNothing.At("losses")
	}
	return nil
}

// asOutput says that a refusal of an arrival is about an output.
func asOutput(err error) error {
	if e := errs.As(err); err != nil && strings.HasPrefix(e.Field, "lines") {
		return e.At("outputs" + strings.TrimPrefix(e.Field, "lines"))
	}
	return err
}

// Convert takes goods out of their batches and books what they became, in one document. Inputs that name no batch are
// taken by earliest expiry. It returns the document: first what went in, below 0, then what came out.
func Convert(tx *db.Tx, c Conversion) (*Document, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	picked, err := Pick(tx, c.Site.ID, c.In)
	if err != nil {
		return nil, err
	}
	first, spent := Never, make([]money.Fen, len(c.In))
	var total money.Fen
	for _, t := range picked.Takes {
		if t.ExpiresAt.Before(first) {
			first = t.ExpiresAt
		}
		spent[slices.IndexFunc(c.In, func(w Want) bool { return w.Line == t.Line })] += t.Cost
		total += t.Cost
	}
	d := c.document(tx, ConversionDoc, string(c.Shape))
	m := picked.move
	for i, t := range picked.Takes {
		b := m.lots[t.Batch]
		m.pair(i, b.unit(), t.Qty, t.Cost, b.out(Consumed, Converting), ledger.Ref{})
		d.Lines = append(d.Lines, Line{Batch: b.id, SKU: b.sku, Code: b.code, Qty: -t.Qty, Value: -t.Cost})
	}
	// What is lost takes its part of the cost of its line before the rest is shared.
	rest, lost := total, make([]money.Fen, len(c.Losses))
	for i, l := range c.Losses {
		at := slices.IndexFunc(c.In, func(w Want) bool { return w.Line == l.Line })
		if l.Absorbed {
			continue
		}
		if lost[i], err = share(spent[at], l.Qty, c.In[at].Qty); err != nil {
			return nil, err
		}
		rest -= lost[i]
	}
	weights := make([]int64, len(c.Out))
	r := Receipt{Header: c.Header, Lines: make([]Arrival, len(c.Out))}
	for i := range c.Out {
		weights[i] = c.Out[i].Weight
	}
	for i, part := range money.Split(rest, weights) {
		r.Lines[i] = c.Out[i].Arrival
		r.Lines[i].Cost = part
		if c.Out[i].Inherit {
			r.Lines[i].ExpiresAt = first
		}
	}
	r.Header.ID = 0
	if err := r.check(tx); err != nil {
		return nil, asOutput(err)
	}
	if err := r.ask(tx); err != nil {
		return nil, asOutput(err)
	}
	came, err := m.make(tx, d, r.Lines)
	if err != nil {
		return nil, err
	}
	losses := make([]any, 0, 6*len(c.Losses))
	for i, l := range c.Losses {
		no := len(d.Lines) + i
		sku := c.In[slices.IndexFunc(c.In, func(w Want) bool { return w.Line == l.Line })].SKU
		m.pair(no, ledger.Unit(sku), l.Qty, lost[i], ends{Consumed, Wasted, Converting, WastedValue}, ledger.Ref{})
		losses = append(losses, int64(d.ID), int64(no+1), int64(sku), int64(l.Qty), int64(lost[i]), l.Reason)
	}
	if err := d.insert(tx); err != nil {
		return nil, err
	}
	if err := tx.Exec(`INSERT INTO stock_conversion (document_id, shape, basis, caller_key) VALUES ($1, $2, $3, $4)`, d.ID, string(c.Shape), string(c.Basis), c.Key); err != nil {
		return nil, err
	}
	if err := tx.ExecMany(insertLosses, losses...); err != nil {
		return nil, err
	}
	if err := m.book(tx, d.posting(), nil); err != nil {
		return nil, err
	}
	return d, emitMoved(tx, EventReceived, came)
}

var insertLosses = db.NewMany(`INSERT INTO stock_conversion_loss (document_id, line_no, sku_id, qty, value_fen, reason) VALUES `, `(?, ?, ?, ?, ?, ?)`, ``)

// make opens a batch for each arrival, after the lines that the document has, and adds its legs. What it returns is the
// document as the news of what came in tells it.
func (m *move) make(tx *db.Tx, d *Document, arrivals []Arrival) (*Document, error) {
	accounts := make([]ledger.NewAccount, 0, 2*len(arrivals))
	batches := make([]any, 0, 10*len(arrivals))
	came := &Document{ID: d.ID, Site: d.Site, Reason: d.Reason}
	for _, l := range arrivals {
		b := &lot{id: id.New(), value: id.New(), sku: l.SKU, code: l.Code}
		if b.code == "" {
			b.code = freshCode(d.Date, b.id)
		}
		accounts = append(accounts, ledger.NewAccount{ID: b.account(), Book: Book, Unit: b.unit(), Site: d.Site},
			ledger.NewAccount{ID: b.valueAccount(), Book: ValueBook, Unit: ledger.CNY, Site: d.Site})
		batches = append(batches, int64(b.id), int64(b.value), int64(d.Site), int64(b.sku), b.code, string(l.MadeOn), l.ExpiresAt, d.MadeAt, int64(d.ID), 1)
		m.pair(len(d.Lines), b.unit(), l.Qty, l.Cost, b.in(Made, Converting), ledger.Ref{})
		line := Line{Batch: b.id, SKU: b.sku, Code: b.code, Qty: l.Qty, Value: l.Cost}
		d.Lines, came.Lines = append(d.Lines, line), append(came.Lines, line)
	}
	opened, err := ledger.Open(tx, accounts...)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		s, _ := opened.Get(a.ID)
		m.Locked.Add(s)
	}
	return came, tx.ExecMany(insertBatches, batches...)
}

// TakeBack reverses a conversion: what came out goes away, what went in is back in its batches at the cost that it left
// with, by transfers that name those they correct. It needs everything that came out, as it was.
func TakeBack(tx *db.Tx, site *org.Site, staff, conversion id.ID, reason string) (*Document, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || len([]rune(reason)) > 200 {
		return nil, ErrConversionReason.With("most", 200).At("reason")
	}
	d := Header{Site: site, Staff: staff, Note: reason}.document(tx, ConversionBackDoc, "")
	d.Cause = conversion
	if err := tx.ExecExactly(1, ErrConversionReversed, `UPDATE stock_conversion SET reversed_by = $1 WHERE document_id = $2 AND reversed_by = 0`, d.ID, conversion); err != nil {
		return nil, err
	}
	lines, losses, err := converted(tx, conversion)
	if err != nil {
		return nil, err
	}
	m := newMove(site.ID)
	lots := make([]id.ID, len(lines))
	for i := range lines {
		lots[i] = lines[i].Batch
	}
	if err := m.lockLots(tx, lots); err != nil {
		return nil, err
	}
	for i, l := range lines {
		b := m.lots[l.Batch]
		of := ledger.Ref{Kind: ConversionDoc, ID: conversion, Leg: 2*i + 1}
		switch {
		case b == nil:
			return nil, ErrConversionUnknown
		case l.Qty < 0 && b.expired(tx.Now()):
			return nil, refusal(tx, ErrConversionPast, b.sku).With("batch", b.code)
		case l.Qty < 0:
			m.pair(i, b.unit(), -l.Qty, -l.Value, b.in(Consumed, Converting), of)
		case b.onHand != l.Qty || b.free != l.Qty || b.worth != l.Value:
			return nil, refusal(tx, ErrConversionUsed, b.sku).With("batch", b.code)
		default:
			m.pair(i, b.unit(), l.Qty, l.Value, b.out(Made, Converting), of)
		}
		d.Lines = append(d.Lines, Line{Batch: l.Batch, SKU: b.sku, Code: b.code, Qty: -l.Qty, Value: -l.Value})
	}
	for i, l := range losses {
		m.pair(len(lines)+i, ledger.Unit(l.SKU), l.Qty, l.Value, ends{Wasted, Consumed, WastedValue, Converting}, ledger.Ref{Kind: ConversionDoc, ID: conversion, Leg: 2*(len(lines)+i) + 1})
	}
	if err := d.insert(tx); err != nil {
		return nil, err
	}
	return d, m.book(tx, d.posting(), nil)
}

// converted reads the lines of a conversion and what was lost in it.
func converted(tx *db.Tx, conversion id.ID) ([]Line, []Line, error) {
	rows := tx.Query(`SELECT l.batch_id, l.qty, l.value_fen FROM stock_document_line l WHERE l.document_id = $1 ORDER BY l.line_no`, conversion)
	gone := tx.Query(`SELECT l.sku_id, l.qty, l.value_fen FROM stock_conversion_loss l WHERE l.document_id = $1 ORDER BY l.line_no`, conversion)
	defer rows.Close()
	defer gone.Close()
	var lines, losses []Line
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.Batch, &l.Qty, &l.Value); err != nil {
			return nil, nil, err
		}
		lines = append(lines, l)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	for gone.Next() {
		var l Line
		if err := gone.Scan(&l.SKU, &l.Qty, &l.Value); err != nil {
			return nil, nil, err
		}
		losses = append(losses, l)
	}
	return lines, losses, gone.Err()
}

// ConversionRow is a conversion in a list.
type ConversionRow struct {
	ID         id.ID     `json:"id"`
	SiteID     id.ID     `json:"site_id"`
	Shape      Shape     `json:"shape" enum:"convert,split,combine,repack,assemble"`
	Basis      Basis     `json:"basis" enum:"weight,value,share"`
	Date       cal.Date  `json:"business_date"`
	MadeAt     string    `json:"made_at"`
	Staff      string    `json:"staff"`
	Note       string    `json:"note"`
	From       string    `json:"from" doc:"products that went in"`
	To         string    `json:"to" doc:"products that came out"`
	InFen      money.Fen `json:"in_fen" doc:"what went in was worth; what came out and what was lost add up to it"`
	OutFen     money.Fen `json:"out_fen"`
	LostFen    money.Fen `json:"lost_fen"`
	ReversedBy id.ID     `json:"reversed_by" doc:"the document that took it back; empty: none"`
}

// ConversionStory is a conversion whole.
type ConversionStory struct {
	ConversionRow
	Items      []DocumentItem `json:"items" doc:"what went in, below 0, then what came out"`
	Losses     []LostItem     `json:"losses"`
	ReversedAt string         `json:"reversed_at" doc:"empty: not taken back"`
	Reverser   string         `json:"reverser"`
	Why        string         `json:"why" doc:"it was taken back"`
}

// LostItem is what was lost on the way, in the base unit.
type LostItem struct {
	Product  string    `json:"product"`
	Qty      qty.Qty   `json:"qty"`
	Unit     string    `json:"unit"`
	ValueFen money.Fen `json:"value_fen" doc:"0: what came out bears its cost"`
	Reason   string    `json:"reason" enum:"trim,evaporated,spilled,broken,tasting,other"`
}

const (
	conversionColumns = `SELECT d.id, d.site_id, c.shape, c.basis, d.business_date, d.made_at, COALESCE(f.display_name, ''), d.note,
	COALESCE((SELECT -SUM(l.value_fen) FROM stock_document_line l WHERE l.document_id = d.id AND l.qty < 0), 0),
	COALESCE((SELECT SUM(l.value_fen) FROM stock_document_line l WHERE l.document_id = d.id AND l.qty > 0), 0),
	COALESCE((SELECT SUM(l.value_fen) FROM stock_conversion_loss l WHERE l.document_id = d.id), 0), c.reversed_by
FROM stock_conversion c JOIN stock_document d ON d.id = c.document_id LEFT JOIN org_staff f ON f.id = d.staff_id `
	listConversions = conversionColumns + `WHERE d.kind = 32 AND d.site_id = $1` + inDays + `ORDER BY d.business_date DESC, d.id DESC LIMIT $5`
	oneConversion   = conversionColumns + `WHERE d.id = $1`
)

var convertedNames = db.NewMany(`SELECT DISTINCT l.document_id, CASE WHEN l.qty < 0 THEN 0 ELSE 1 END, p.name FROM stock_document_line l JOIN stock_batch b ON b.id = l.batch_id
JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id WHERE l.document_id IN (`, `?`, `) ORDER BY 1, 2, 3`)

func (c *ConversionRow) scan(scan func(...any) error) (time.Time, error) {
	var at time.Time
	err := scan(&c.ID, &c.SiteID, &c.Shape, &c.Basis, &c.Date, &at, &c.Staff, &c.Note, &c.InFen, &c.OutFen, &c.LostFen, &c.ReversedBy)
	return at, err
}

// Conversions lists those of a site from newest to oldest, before a day and an id: one more than limit.
func Conversions(tx *db.Tx, site *org.Site, day cal.Date, before id.ID, limit int) ([]ConversionRow, error) {
	rows := tx.Query(listConversions, site.ID, "", day, before, limit+1)
	defer rows.Close()
	all := []ConversionRow{}
	at, args := map[id.ID]int{}, []any{}
	for rows.Next() {
		var c ConversionRow
		made, err := c.scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		c.MadeAt = shown(made, site)
		at[c.ID] = len(all)
		args = append(args, int64(c.ID))
		all = append(all, c)
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		return all, err
	}
	names := tx.QueryMany(convertedNames, args...)
	defer names.Close()
	for names.Next() {
		var doc id.ID
		var out int64
		var name string
		if err := names.Scan(&doc, &out, &name); err != nil {
			return nil, err
		}
		c := &all[at[doc]]
		to := &c.From
		if out == 1 {
			to = &c.To
		}
		if *to != "" {
			*to += "、"
		}
		*to += name
	}
	return all, names.Err()
}

// ConversionSite is where a conversion was made.
func ConversionSite(tx *db.Tx, conversion id.ID) (id.ID, error) {
	var site id.ID
	err := tx.QueryRow(`SELECT d.site_id FROM stock_conversion c JOIN stock_document d ON d.id = c.document_id WHERE c.document_id = $1`, conversion).Scan(&site)
	if err == db.ErrNoRow {
		err = ErrConversionUnknown
	}
	return site, err
}

// ShowConversion reads a conversion whole.
func ShowConversion(tx *db.Tx, site *org.Site, conversion id.ID) (*ConversionStory, error) {
	c := &ConversionStory{Items: []DocumentItem{}, Losses: []LostItem{}}
	made, err := c.scan(tx.QueryRow(oneConversion, conversion).Scan)
	if err == db.ErrNoRow {
		return nil, ErrConversionUnknown
	}
	if err != nil {
		return nil, err
	}
	c.MadeAt = shown(made, site)
	if c.Items, err = documentItemsOf(tx, site, conversion); err != nil {
		return nil, err
	}
	for _, l := range c.Items {
		to := &c.From
		if l.Qty > 0 {
			to = &c.To
		}
		if !strings.Contains(*to, l.Product) {
			if *to != "" {
				*to += "、"
			}
			*to += l.Product
		}
	}
	rows := tx.Query(`SELECT p.name, l.qty, p.base_unit, l.value_fen, l.reason FROM stock_conversion_loss l JOIN catalog_sku k ON k.id = l.sku_id JOIN catalog_product p ON p.id = k.product_id
		WHERE l.document_id = $1 ORDER BY l.line_no`, conversion)
	defer rows.Close()
	for rows.Next() {
		var l LostItem
		if err := rows.Scan(&l.Product, &l.Qty, &l.Unit, &l.ValueFen, &l.Reason); err != nil {
			return nil, err
		}
		c.Losses = append(c.Losses, l)
	}
	if err := rows.Err(); err != nil || c.ReversedBy == 0 {
		return c, err
	}
	var at time.Time
	if err := tx.QueryRow(`SELECT d.made_at, COALESCE(f.display_name, ''), d.note FROM stock_document d LEFT JOIN org_staff f ON f.id = d.staff_id WHERE d.id = $1`, c.ReversedBy).
		Scan(&at, &c.Reverser, &c.Why); err != nil {
		return nil, err
	}
	c.ReversedAt = shown(at, site)
	return c, nil
}
