package stock

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Status of goods. Only what is available can be sold or promised.
type Status int16

const (
	Sellable Status = iota + 1
	Frozen
	Inspecting
	Spoilt
)

// Statuses by the names that the API knows, in the order screens show them.
var Statuses = []string{"available", "frozen", "inspecting", "damaged"}

func (s Status) String() string {
	if s < Sellable || int(s) > len(Statuses) {
		return "status" + strconv.Itoa(int(s))
	}
	return Statuses[s-1]
}

func statusOf(name string) Status { return Status(slices.Index(Statuses, name) + 1) }

// Spot is where goods of a batch are within their site. The zero Spot is the ordinary one: available, ours,
// at the site itself, for every channel. Goods there are on the accounts of the batch, and nothing else is
// looked at by a sale; every other spot has accounts of its own, made when it is first used.
type Spot struct {
	Slot    id.ID // 0: the site itself
	Status  Status
	Owner   id.ID  // 0: ours
	Channel string // "": for everybody
}

func (s Spot) ordinary() bool { return s.plain() == (Spot{}) }

func (s Spot) plain() Spot {
	if s.Status == Sellable {
		s.Status = 0
	}
	return s
}

func (s Spot) status() Status { return cmp.Or(s.Status, Sellable) }

// spotOf is a spot of a batch.
type spotOf struct {
	batch id.ID
	Spot
}

var (
	placesOf = db.NewMany(`SELECT id, batch_id, slot_id, status, owner_id, channel FROM stock_place WHERE batch_id IN (`, `?`, `) ORDER BY id`)

	insertPlaces = db.NewMany(`INSERT INTO stock_place (id, value_id, batch_id, site_id, sku_id, slot_id, status, owner_id, channel, open) VALUES `,
		`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
)

// spots locks the batches behind spots and the spots themselves, and makes those that nobody has used yet.
// Whoever makes a spot has locked its batch, so that no two make it at once.
func (m *move) spots(tx *db.Tx, asked []spotOf) (map[spotOf]*lot, error) {
	batches := make([]id.ID, len(asked))
	for i, a := range asked {
		batches[i] = a.batch
	}
	if err := m.lockLots(tx, batches); err != nil {
		return nil, err
	}
	found := map[spotOf]*lot{}
	args := make([]any, 0, len(asked))
	for _, a := range asked {
		b := m.lots[a.batch]
		if b == nil || b.of != 0 {
			return nil, ErrNoBatch
		}
		if a.ordinary() {
			found[spotOf{a.batch, Spot{}}] = b
		} else {
			args = append(args, int64(a.batch))
		}
	}
	there := map[spotOf]id.ID{}
	var known []id.ID
	rows := tx.QueryMany(placesOf, args...)
	for rows.Next() {
		var place id.ID
		var s spotOf
		if err := rows.Scan(&place, &s.batch, &s.Slot, &s.Status, &s.Owner, &s.Channel); err != nil {
			return nil, err
		}
		s.Spot = s.plain()
		there[s] = place
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var accounts []ledger.NewAccount
	var fresh []any
	for _, a := range asked {
		a.Spot = a.plain()
		if found[a] != nil {
			continue
		}
		if place, ok := there[a]; ok {
			known = append(known, place)
			continue
		}
		b := m.lots[a.batch]
		p := &lot{id: id.New(), value: id.New(), of: b.id, sku: b.sku, code: b.code, expires: b.expires, others: -1}
		accounts = append(accounts, ledger.NewAccount{ID: p.account(), Book: Book, Kind: PlaceKind, Unit: p.unit(), Site: m.site},
			ledger.NewAccount{ID: p.valueAccount(), Book: ValueBook, Kind: PlaceKind, Unit: ledger.CNY, Site: m.site})
		fresh = append(fresh, int64(p.id), int64(p.value), int64(b.id), int64(m.site), int64(b.sku), int64(a.Slot), int64(a.status()), int64(a.Owner), a.Channel, int64(0))
		m.lots[p.id], found[a] = p, p
	}
	opened, err := ledger.Open(tx, accounts...)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		s, _ := opened.Get(a.ID)
		m.Locked.Add(s)
	}
	if err := tx.ExecMany(insertPlaces, fresh...); err != nil {
		return nil, err
	}
	if err := m.lockLots(tx, known); err != nil {
		return nil, err
	}
	for s, place := range there {
		if b := m.lots[place]; b != nil {
			found[s] = b
		}
	}
	return found, nil
}

// Relocation changes the spot of goods: they are frozen or released, put into a slot, kept for a channel.
// Goods and their share of the value go from account to account; nothing is sold or lost.
type Relocation struct {
	Header
	Reason string // one of MoveReasons
	Lines  []Shift
}

// Shift is so much of a batch from one spot to another. Qty 0 is all that nobody else has been promised.
type Shift struct {
	Batch    id.ID
	From, To Spot
	Qty      qty.Qty
}

// MoveReasons in the order screens show them.
var MoveReasons = []string{"quality", "recall", "inspection", "damaged", "customer_complaint", "temperature", "passed", "channel", "put_away", "other"}

var (
	ErrSameSpot  = errs.Define("stock_same_place", errs.Invalid, "已经是这个状态,无需变更", "The goods are in this state already")
	ErrNothing   = errs.Define("stock_nothing_to_move", errs.Conflict, "{product} 批次 {batch} 没有可变更的数量", "There is nothing of batch {batch} of {product} to be moved")
	ErrNoStatus  = errs.Define("stock_status_unknown", errs.Invalid, "没有这个状态", "There is no such state")
	ErrTwiceSame = errs.Define("stock_line_twice", errs.Invalid, "同一批次同一状态只能写一行", "The same batch in the same state is there twice")
)

// Relocate books a relocation. What is held for somebody stays where it is.
func Relocate(tx *db.Tx, r Relocation) (*Document, error) {
	if err := checkCount(len(r.Lines)); err != nil {
		return nil, err
	}
	if !slices.Contains(MoveReasons, r.Reason) {
		return nil, ErrReason.At("reason")
	}
	kind, asked := MoveDoc, make([]spotOf, 0, 2*len(r.Lines))
	for i, l := range r.Lines {
		switch {
		case l.Qty < 0:
			return nil, ErrQty.At(field(i, "qty"))
		case l.Qty > qty.Max:
			return nil, ErrQtyTooLarge.At(field(i, "qty"))
		case l.From.status() > Spoilt || l.To.status() > Spoilt || l.From.status() < Sellable || l.To.status() < Sellable:
			return nil, ErrNoStatus.At(field(i, "status"))
		case l.From.plain() == l.To.plain():
			return nil, ErrSameSpot.At(field(i, "status"))
		}
		asked = append(asked, spotOf{l.Batch, l.From}, spotOf{l.Batch, l.To})
		if i == 0 && l.From.status() != l.To.status() {
			kind = FreezeDoc
			if l.To.status() == Sellable {
				kind = ReleaseDoc
			}
		}
	}
	there, err := documentExists(tx, r.ID)
	if err != nil || there {
		return nil, cmp.Or(err, error(ErrReceived))
	}
	d := r.document(tx, kind, r.Reason)
	m := newMove(d.Site)
	lots, err := m.spots(tx, asked)
	if err != nil {
		return nil, m.atLine(err, r.Lines)
	}
	for i, l := range r.Lines {
		from, to := lots[spotOf{l.Batch, l.From.plain()}], lots[spotOf{l.Batch, l.To.plain()}]
		if l.Qty == 0 {
			l.Qty = from.free
		}
		if l.Qty <= 0 {
			return nil, refusal(tx, ErrNothing, from.sku).With("batch", from.code).At(field(i, "qty"))
		}
		if from.free < l.Qty {
			return nil, short(tx, from.sku, from.free).At(field(i, "qty"))
		}
		if err := d.shift(m, i, from, to, l.Qty); err != nil {
			return nil, err
		}
	}
	return d, d.book(tx, m, EventMoved)
}

// atLine says which line named a batch that is not there.
func (m *move) atLine(err error, lines []Shift) error {
	if !errors.Is(err, ErrNoBatch) {
		return err
	}
	for i, l := range lines {
		if b := m.lots[l.Batch]; b == nil || b.of != 0 {
			return ErrNoBatch.At(field(i, "batch_id"))
		}
	}
	return err
}

// shift takes q out of one lot into another of the same SKU at its share of the value.
func (d *Document) shift(m *move, i int, from, to *lot, q qty.Qty) error {
	if to.onHand > qty.Max-q {
		return ErrQtyTooLarge.At(field(i, "qty"))
	}
	cost, err := from.issue(q)
	if err != nil {
		return err
	}
	to.onHand += q
	to.free += q
	to.worth += cost
	m.pair(i, from.unit(), q, cost, ends{from.account(), to.account(), from.valueAccount(), to.valueAccount()}, ledger.Ref{})
	l := from.line()
	l.Qty, l.Value, l.To = -q, -cost, to.id
	d.Lines = append(d.Lines, l)
	return nil
}

// line is a document's line about the lot.
func (b *lot) line() Line {
	l := Line{Batch: b.id, SKU: b.sku, Code: b.code}
	if b.of != 0 {
		l.Batch, l.Place = b.of, b.id
	}
	return l
}

// --- at the API

// RelocationIn is a change of state as a person writes it.
type RelocationIn struct {
	SiteID id.ID     `json:"site_id"`
	Reason string    `json:"reason" enum:"quality,recall,inspection,damaged,customer_complaint,temperature,passed,channel,put_away,other"`
	Note   string    `json:"note,omitempty" maxLength:"200"`
	Lines  []ShiftIn `json:"lines" minItems:"1" maxItems:"500"`
}

// ShiftIn is one batch of it.
type ShiftIn struct {
	BatchID id.ID   `json:"batch_id"`
	From    string  `json:"from" enum:"available,frozen,inspecting,damaged"`
	To      string  `json:"to" enum:"available,frozen,inspecting,damaged"`
	Qty     qty.Qty `json:"qty,omitempty" doc:"all that nobody has been promised when left out"`
	Unit    string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
}

func placeRoutes(api *web.API) {
	web.Post(api, web.Route{Path: "/api/stock/states", Name: "change-stock-state", Summary: "Freeze goods, release them, or mark them as inspected or damaged", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body RelocationIn }) (*DocumentView, error) {
			h, err := headerAt(ctx, in.Body.SiteID, "", in.Body.Note)
			if err != nil {
				return nil, err
			}
			asked := make([]IssueIn, len(in.Body.Lines))
			for i, l := range in.Body.Lines {
				asked[i] = IssueIn{BatchID: l.BatchID, Qty: l.Qty, Unit: l.Unit}
			}
			lines, err := wholeIssues(tx, h.Site.ID, asked)
			if err != nil {
				return nil, err
			}
			r := Relocation{Header: h, Reason: in.Body.Reason, Lines: make([]Shift, len(lines))}
			for i, l := range in.Body.Lines {
				r.Lines[i] = Shift{Batch: l.BatchID, From: Spot{Status: statusOf(l.From)}, To: Spot{Status: statusOf(l.To)}, Qty: lines[i].Qty}
			}
			d, err := Relocate(tx, r)
			return viewOf(d, h.Site), err
		})
}
