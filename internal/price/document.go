package price

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/web"
)

// A price change is drafted by one person and approved by another right; from then on the book has its entries, and they
// hold from the date or instant that the document names. Until then it can be cancelled. Of two documents that name one
// moment the one approved later wins; each says which others touch its goods.

var (
	ErrNoDocument = errs.Define("price_document_unknown", errs.NotFound, "没有这张调价单", "There is no such price change")
	ErrDocState   = errs.Define("price_document_state", errs.Conflict, "调价单已经是“{state}”,不能这样做", "The price change is {state}; this can't be done")
	ErrDocLines   = errs.Define("price_document_lines", errs.Invalid, "调价单要有 1 到 {most} 行", "A price change has 1 to {most} lines")
	ErrDocTwice   = errs.Define("price_document_twice", errs.Invalid, "“{product}”({unit})在单里出现了两次", "{product} ({unit}) appears twice in the price change")
	ErrDocBegun   = errs.Define("price_document_begun", errs.Conflict, "调价单已经生效,不能取消;请另开一张调价单", "The price change is in force and can't be cancelled; make another one")
	ErrDocReason  = errs.Define("price_document_reason", errs.Invalid, "请写明取消的原因", "Say why it is cancelled")
)

const maxDocLines = 500

// DocumentIn is what a person says of a price change.
type DocumentIn struct {
	SiteID    id.ID     `json:"site_id,omitempty" doc:"empty: the whole group"`
	ValidFrom cal.Date  `json:"valid_from" doc:"business date"`
	ValidAt   time.Time `json:"valid_at,omitempty" doc:"an instant on that date; from its beginning when left out"`
	Note      string    `json:"note,omitempty" maxLength:"200"`
	Lines     []LineIn  `json:"lines" maxItems:"500"`
	Revision  int64     `json:"revision,omitempty" doc:"as read, when a draft is changed"`
}

// LineIn is a price in a price change.
type LineIn struct {
	ProductID id.ID      `json:"product_id"`
	Unit      string     `json:"unit" maxLength:"20"`
	PriceFen  *money.Fen `json:"price_fen" doc:"for one unit, VAT included; null ends the price"`
}

// DocumentView is a price change on the wire.
type DocumentView struct {
	ID        id.ID       `json:"id"`
	No        string      `json:"no"`
	SiteID    id.ID       `json:"site_id" doc:"empty: the whole group"`
	ValidFrom cal.Date    `json:"valid_from"`
	ValidAt   *time.Time  `json:"valid_at"`
	Note      string      `json:"note"`
	State     string      `json:"state" enum:"draft,approved,in_force,cancelled"`
	Revision  int64       `json:"revision"`
	Count     int64       `json:"count" doc:"lines"`
	StaffID   id.ID       `json:"staff_id"`
	Staff     string      `json:"staff"`
	CreatedAt time.Time   `json:"created_at"`
	Lines     []LineView  `json:"lines" doc:"left out in lists"`
	Trail     []TrailView `json:"trail" doc:"left out in lists"`
}

// LineView is a line of a price change.
type LineView struct {
	ProductID id.ID      `json:"product_id"`
	Code      string     `json:"code"`
	Product   string     `json:"product"`
	Unit      string     `json:"unit"`
	PriceFen  *money.Fen `json:"price_fen"`
	BeforeFen *money.Fen `json:"before_fen" doc:"what it cost when the change was written; null: no price"`
	Overlaps  []Overlap  `json:"overlaps"`
}

// Overlap is another approved price change that touches the same goods now or later.
type Overlap struct {
	DocumentID id.ID      `json:"document_id"`
	No         string     `json:"no"`
	SiteID     id.ID      `json:"site_id"`
	ValidFrom  cal.Date   `json:"valid_from"`
	ValidAt    *time.Time `json:"valid_at"`
	PriceFen   *money.Fen `json:"price_fen"`
	Wins       bool       `json:"wins" doc:"once both have begun, the other's price holds where both apply"`
}

// TrailView is who did what when.
type TrailView struct {
	At    time.Time `json:"at"`
	Staff string    `json:"staff"`
	Act   string    `json:"act" enum:"drafted,changed,approved,cancelled"`
	Note  string    `json:"note"`
}

func number(day cal.Date, n int64) string {
	return fmt.Sprintf("TJ-%s-%03d", strings.ReplaceAll(string(day), "-", ""), n)
}

func instant(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// Document is a price change.
type Document struct {
	ID        id.ID
	Day       cal.Date
	DayNo     int64
	Site      id.ID
	ValidFrom cal.Date
	ValidAt   time.Time
	Note      string
	State     string
	Revision  int64
	Staff     id.ID
	CreatedAt time.Time
}

// lock reads a document and makes everybody who changes documents wait for everybody else.
func (s *Service) lock(tx *db.Tx, doc id.ID) (*Document, error) {
	if err := tx.Exec(`UPDATE price_version SET version = version WHERE id = 1`); err != nil {
		return nil, err
	}
	d := &Document{ID: doc}
	var at int64
	err := tx.QueryRow(`SELECT day, day_no, COALESCE(site_id, 0), valid_from, valid_at, note, state, revision, staff_id, created_at FROM price_document WHERE id = $1`, doc).
		Scan(&d.Day, &d.DayNo, &d.Site, &d.ValidFrom, &at, &d.Note, &d.State, &d.Revision, &d.Staff, &d.CreatedAt)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoDocument
	}
	if at != 0 {
		d.ValidAt = time.UnixMilli(at)
	}
	return d, err
}

func note(tx *db.Tx, doc, staff id.ID, act, text string) error {
	return tx.Exec(`INSERT INTO price_document_trail (id, document_id, at, staff_id, act, note) VALUES ($1, $2, $3, $4, $5, $6)`, id.New(), doc, tx.Now(), staff, act, text)
}

// Write makes a draft, or with an id replaces one. Nothing of it is a price yet.
func (s *Service) Write(tx *db.Tx, staff, doc id.ID, in DocumentIn) (id.ID, error) {
	in.Note = strings.TrimSpace(in.Note)
	if len(in.Lines) == 0 || len(in.Lines) > maxDocLines {
		return 0, ErrDocLines.With("most", maxDocLines).At("lines")
	}
	act := "drafted"
	var d *Document
	if doc == 0 {
		if err := tx.Exec(`UPDATE price_version SET version = version WHERE id = 1`); err != nil { // numbers are given one after another
			return 0, err
		}
	} else {
		var err error
		if d, err = s.lock(tx, doc); err != nil {
			return 0, err
		}
		switch {
		case d.State != "draft":
			return 0, ErrDocState.With("state", d.State)
		case d.Revision != in.Revision:
			return 0, catalog.ErrChanged.At("revision")
		case d.Site != in.SiteID: // who may see it would change
			return 0, ErrNoDocument.At("site_id")
		}
		act = "changed"
	}
	from, err := startOf(tx, in.SiteID, in.ValidFrom, in.ValidAt)
	if err != nil {
		return 0, err
	}
	ids := make([]id.ID, len(in.Lines))
	for i, l := range in.Lines {
		ids[i] = l.ProductID
	}
	products, err := s.goods.Products(tx, ids)
	if err != nil {
		return 0, err
	}
	units := make([]id.ID, len(in.Lines))
	seen := map[id.ID]bool{}
	for i, l := range in.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		p := products[l.ProductID]
		if p == nil {
			return 0, catalog.ErrNoProduct.At(at + "product_id")
		}
		u := p.Unit(l.Unit)
		switch {
		case u == nil || u.Retired:
			return 0, catalog.ErrNoUnit.With("product", p.Name, "unit", l.Unit).At(at + "unit")
		case seen[u.ID]:
			return 0, ErrDocTwice.With("product", p.Name, "unit", l.Unit).At(at + "unit")
		case l.PriceFen != nil && (*l.PriceFen < 0 || *l.PriceFen > MaxPrice):
			return 0, ErrPrice.At(at + "price_fen")
		}
		seen[u.ID], units[i] = true, u.ID
	}
	before, err := s.At(tx, in.SiteID, from, units)
	if err != nil {
		return 0, err
	}
	if doc == 0 {
		doc = id.New()
		day := cal.On(tx.Now())
		if err := tx.Exec(`INSERT INTO price_document (id, day, day_no, site_id, valid_from, valid_at, note, state, revision, staff_id, created_at)
			SELECT $1, CAST($2 AS TEXT), COALESCE(MAX(o.day_no), 0) + 1, CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS TEXT), 'draft', 1, CAST($7 AS BIGINT), CAST($8 AS BIGINT)
			FROM price_document o WHERE o.day = $2`, doc, day, orNull(in.SiteID), from, msOf(in.ValidAt), in.Note, staff, tx.Now()); err != nil {
			return 0, err
		}
	} else {
		if err := tx.Exec(`UPDATE price_document SET valid_from = $1, valid_at = $2, note = $3, revision = revision + 1 WHERE id = $4`, from, msOf(in.ValidAt), in.Note, doc); err != nil {
			return 0, err
		}
		if err := tx.Exec(`DELETE FROM price_document_line WHERE document_id = $1`, doc); err != nil {
			return 0, err
		}
	}
	for i, l := range in.Lines {
		var was *money.Fen
		if fen, ok := before[units[i]]; ok {
			was = &fen
		}
		if err := tx.Exec(`INSERT INTO price_document_line (document_id, line_no, product_id, unit_id, price_fen, before_fen) VALUES ($1, $2, $3, $4, $5, $6)`,
			doc, i+1, l.ProductID, units[i], l.PriceFen, was); err != nil {
			return 0, err
		}
	}
	return doc, note(tx, doc, staff, act, "")
}

// Approve puts the prices of a draft into the book. A date or instant that has passed since it was written is refused.
func (s *Service) Approve(tx *db.Tx, staff, doc id.ID, revision int64) error {
	d, err := s.lock(tx, doc)
	switch {
	case err != nil:
		return err
	case d.State != "draft":
		return ErrDocState.With("state", d.State)
	case d.Revision != revision:
		return catalog.ErrChanged.At("revision")
	}
	rows := tx.Query(`SELECT l.product_id, u.name, l.price_fen FROM price_document_line l JOIN catalog_unit u ON u.id = l.unit_id WHERE l.document_id = $1 ORDER BY l.line_no`, doc)
	defer rows.Close()
	var drafts []Draft
	for rows.Next() {
		p := Draft{SiteID: d.Site, ValidFrom: d.ValidFrom, ValidAt: d.ValidAt, Document: d.ID}
		if err := rows.Scan(&p.ProductID, &p.Unit, &p.Price); err != nil {
			return err
		}
		drafts = append(drafts, p)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for i, p := range drafts {
		if _, err := s.Set(tx, staff, p); err != nil {
			if e := errs.As(err); e.Field == "unit" || e.Field == "price_fen" {
				return e.At(fmt.Sprintf("lines[%d].%s", i, e.Field))
			}
			return err
		}
	}
	if err := tx.Exec(`UPDATE price_document SET state = 'approved', revision = revision + 1 WHERE id = $1`, doc); err != nil {
		return err
	}
	return note(tx, doc, staff, "approved", "")
}

// Cancel ends a draft, or an approved price change that has not begun anywhere: its entries are withdrawn.
func (s *Service) Cancel(tx *db.Tx, staff, doc id.ID, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" {
		return ErrDocReason.At("reason")
	}
	d, err := s.lock(tx, doc)
	if err != nil {
		return err
	}
	begun, err := d.begun(tx)
	switch {
	case err != nil:
		return err
	case d.State == "cancelled":
		return ErrDocState.With("state", d.State)
	case d.State == "approved" && begun:
		return ErrDocBegun
	}
	if d.State == "approved" {
		version, err := s.book.bump(tx)
		if err != nil {
			return err
		}
		if err := tx.Exec(`UPDATE price_entry SET withdrawn = 1, version = $1 WHERE document_id = $2`, version, doc); err != nil {
			return err
		}
	}
	if err := tx.Exec(`UPDATE price_document SET state = 'cancelled', revision = revision + 1 WHERE id = $1`, doc); err != nil {
		return err
	}
	return note(tx, doc, staff, "cancelled", reason)
}

// begun says whether its prices hold already at some site.
func (d *Document) begun(tx *db.Tx) (bool, error) {
	if !d.ValidAt.IsZero() {
		return !tx.Now().Before(d.ValidAt), nil
	}
	today := cal.On(tx.Now().Add(14 * time.Hour)) // somewhere
	if d.Site != 0 {
		site, err := org.SiteByID(tx, d.Site)
		if err != nil {
			return false, err
		}
		today = site.BusinessDate(tx.Now())
	}
	return d.ValidFrom <= today, nil
}

const documentRows = `SELECT d.id, d.day, d.day_no, COALESCE(d.site_id, 0), d.valid_from, d.valid_at, d.note, d.state, d.revision, d.staff_id, COALESCE(f.display_name, ''), d.created_at,
		(SELECT COUNT(*) FROM price_document_line l WHERE l.document_id = d.id)
	FROM price_document d LEFT JOIN org_staff f ON f.id = d.staff_id
	WHERE (d.site_id IS NULL OR CAST($1 AS BIGINT) = 1 OR d.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3)) `

func scanDocument(tx *db.Tx, scan func(...any) error) (DocumentView, error) {
	v := DocumentView{Lines: []LineView{}, Trail: []TrailView{}}
	d := Document{}
	var at int64
	err := scan(&v.ID, &d.Day, &d.DayNo, &v.SiteID, &v.ValidFrom, &at, &v.Note, &v.State, &v.Revision, &v.StaffID, &v.Staff, &v.CreatedAt, &v.Count)
	v.No, v.ValidAt = number(d.Day, d.DayNo), instant(at)
	return v, err
}

// seen turns approved into in force where it has begun.
func (v *DocumentView) seen(tx *db.Tx) error {
	d := Document{Site: v.SiteID, ValidFrom: v.ValidFrom}
	if v.ValidAt != nil {
		d.ValidAt = *v.ValidAt
	}
	begun, err := d.begun(tx)
	if v.State == "approved" && begun {
		v.State = "in_force"
	}
	return err
}

// DocumentSearch is the input of the list of price changes.
type DocumentSearch struct {
	web.Paging
	State string `query:"state" enum:"draft,approved,cancelled"`
}

func (s *Service) documents(ctx context.Context, tx *db.Tx, in *DocumentSearch) (*web.Page[DocumentView], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	rows := tx.Query(documentRows+`AND d.id < $4 AND (CAST($5 AS TEXT) = '' OR d.state = $5) ORDER BY d.id DESC LIMIT $6`,
		append(org.SitesOf(ctx, "goods.read").Args(), before, in.State, in.Limit+1)...)
	defer rows.Close()
	var all []DocumentView
	for rows.Next() {
		v, err := scanDocument(tx, rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].seen(tx); err != nil {
			return nil, err
		}
	}
	return web.PageOf(in.Paging, all, func(v DocumentView) string { return web.Cursor(v.ID) }), nil
}

// document shows a price change to who may see it.
func (s *Service) document(ctx context.Context, tx *db.Tx, doc id.ID) (*DocumentView, error) {
	v, err := scanDocument(tx, tx.QueryRow(documentRows+`AND d.id = $4`, append(org.SitesOf(ctx, "goods.read").Args(), doc)...).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoDocument
	}
	if err != nil {
		return nil, err
	}
	if err := v.seen(tx); err != nil {
		return nil, err
	}
	lines := tx.Query(`SELECT l.product_id, p.code, p.name, u.name, l.unit_id, l.price_fen, l.before_fen FROM price_document_line l
		JOIN catalog_product p ON p.id = l.product_id JOIN catalog_unit u ON u.id = l.unit_id WHERE l.document_id = $1 ORDER BY l.line_no`, doc)
	defer lines.Close()
	at := map[id.ID]int{}
	for lines.Next() {
		l := LineView{Overlaps: []Overlap{}}
		var unit id.ID
		if err := lines.Scan(&l.ProductID, &l.Code, &l.Product, &l.Unit, &unit, &l.PriceFen, &l.BeforeFen); err != nil {
			return nil, err
		}
		at[unit] = len(v.Lines)
		v.Lines = append(v.Lines, l)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	trail := tx.Query(`SELECT t.at, COALESCE(f.display_name, ''), t.act, t.note FROM price_document_trail t LEFT JOIN org_staff f ON f.id = t.staff_id WHERE t.document_id = $1 ORDER BY t.id`, doc)
	defer trail.Close()
	for trail.Next() {
		var t TrailView
		if err := trail.Scan(&t.At, &t.Staff, &t.Act, &t.Note); err != nil {
			return nil, err
		}
		v.Trail = append(v.Trail, t)
	}
	if err := trail.Err(); err != nil {
		return nil, err
	}
	return &v, s.overlaps(ctx, tx, &v, at)
}

// overlaps finds the other approved changes of the same goods that have not been superseded by time: from the date of
// this one on, or still to come.
func (s *Service) overlaps(ctx context.Context, tx *db.Tx, v *DocumentView, at map[id.ID]int) error {
	reach := org.SitesOf(ctx, "goods.read")
	mine := int64(0)
	if err := tx.QueryRow(`SELECT COALESCE(MAX(e.id), 0) FROM price_entry e WHERE e.document_id = $1`, v.ID).Scan(&mine); err != nil {
		return err
	}
	args := append(reach.Args(), v.ID, v.SiteID, v.ValidFrom)
	rows := tx.Query(`SELECT e.unit_id, e.id, d.id, d.day, d.day_no, COALESCE(e.site_id, 0), e.valid_from, e.valid_at, e.price_fen
		FROM price_entry e JOIN price_document d ON d.id = e.document_id
		WHERE (e.site_id IS NULL OR CAST($1 AS BIGINT) = 1 OR e.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
			AND e.document_id <> $4 AND e.withdrawn = 0 AND (CAST($5 AS BIGINT) = 0 OR e.site_id IS NULL OR e.site_id = $5) AND e.valid_from >= $6
			AND e.unit_id IN (SELECT l.unit_id FROM price_document_line l WHERE l.document_id = $4)
		ORDER BY e.valid_from, e.valid_at, e.id LIMIT 500`, args...)
	defer rows.Close()
	own := version{site: v.SiteID, validFrom: v.ValidFrom, entry: id.ID(mine)}
	if v.ValidAt != nil {
		own.at = *v.ValidAt
	}
	if mine == 0 { // approved last, it would win against its equals
		own.entry = 1<<63 - 1
	}
	for rows.Next() {
		var unit, entry id.ID
		var day cal.Date
		var no, ms int64
		o := Overlap{}
		if err := rows.Scan(&unit, &entry, &o.DocumentID, &day, &no, &o.SiteID, &o.ValidFrom, &ms, &o.PriceFen); err != nil {
			return err
		}
		o.No, o.ValidAt = number(day, no), instant(ms)
		other := version{site: o.SiteID, validFrom: o.ValidFrom, entry: entry}
		if o.ValidAt != nil {
			other.at = *o.ValidAt
		}
		o.Wins = weaker(own, other)
		l := &v.Lines[at[unit]]
		l.Overlaps = append(l.Overlaps, o)
	}
	return rows.Err()
}

// may says whether the caller has a right at the place of a document; who does not see it learns nothing.
func may(ctx context.Context, perm string, site id.ID) bool {
	reach := org.SitesOf(ctx, perm)
	return site == 0 && reach.All || site != 0 && reach.Has(site)
}

func (s *Service) documentRoutes(api *web.API) {
	type one struct {
		ID id.ID `path:"id"`
	}
	allowed := func(ctx context.Context, tx *db.Tx, perm string, doc id.ID) error {
		d, err := s.lock(tx, doc)
		if err == nil && !may(ctx, perm, d.Site) {
			return ErrNoDocument
		}
		return err
	}
	web.Get(api, web.Route{Path: "/api/prices/documents", Name: "list-price-documents", Summary: "Price changes, newest first", Perm: "goods.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *DocumentSearch) (*web.Page[DocumentView], error) {
			return s.documents(ctx, tx, in)
		})
	web.Get(api, web.Route{Path: "/api/prices/documents/{id}", Name: "get-price-document", Summary: "A price change with its lines, what else touches them, and who did what", Perm: "goods.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *one) (*DocumentView, error) {
			return s.document(ctx, tx, in.ID)
		})
	web.Post(api, web.Route{Path: "/api/prices/documents", Name: "draft-price-document", Summary: "Write a price change", Perm: "price.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body DocumentIn }) (*DocumentView, error) {
			if !may(ctx, "price.manage", in.Body.SiteID) {
				return nil, org.ErrNotFound.At("site_id")
			}
			doc, err := s.Write(tx, org.CallerOf(ctx).ID, 0, in.Body)
			if err != nil {
				return nil, err
			}
			return s.document(ctx, tx, doc)
		})
	web.Put(api, web.Route{Path: "/api/prices/documents/{id}", Name: "change-price-document", Summary: "Change the draft of a price change", Perm: "price.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body DocumentIn
		}) (*DocumentView, error) {
			if err := allowed(ctx, tx, "price.manage", in.ID); err != nil {
				return nil, err
			}
			if _, err := s.Write(tx, org.CallerOf(ctx).ID, in.ID, in.Body); err != nil {
				return nil, err
			}
			return s.document(ctx, tx, in.ID)
		})
	web.Post(api, web.Route{Path: "/api/prices/documents/{id}/approve", Name: "approve-price-document", Summary: "Put the prices of a price change into the book", Perm: "price.approve", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Revision int64 `json:"revision" doc:"as read"`
			}
		}) (*DocumentView, error) {
			if err := allowed(ctx, tx, "price.approve", in.ID); err != nil {
				return nil, err
			}
			if err := s.Approve(tx, org.CallerOf(ctx).ID, in.ID, in.Body.Revision); err != nil {
				return nil, err
			}
			return s.document(ctx, tx, in.ID)
		})
	web.Post(api, web.Route{Path: "/api/prices/documents/{id}/cancel", Name: "cancel-price-document", Summary: "Cancel a price change that has not begun", Perm: "price.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Reason string `json:"reason" maxLength:"200"`
			}
		}) (*DocumentView, error) {
			if err := allowed(ctx, tx, "price.manage", in.ID); err != nil {
				return nil, err
			}
			if err := s.Cancel(tx, org.CallerOf(ctx).ID, in.ID, in.Body.Reason); err != nil {
				return nil, err
			}
			return s.document(ctx, tx, in.ID)
		})
}
