// Package till keeps what happens at the counter: registers, sales with their lines and tenders, slip
// numbers, refunds, requests to payment providers. It writes documents; what a document does to stock and
// money is posted by the flows that join it with them.
package till

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package.
var Migrations = db.Migrations{Package: "till", FS: files}

// MaxLines bounds a sale.
const MaxLines = 200

// State of a sale.
type State string

const (
	Paid     State = "paid"             // goods and money are posted
	Awaiting State = "awaiting_payment" // goods are held, the provider has not answered for good
	Failed   State = "failed"           // the payment failed; nothing was posted
	Voided   State = "voided"           // everything was reversed, or the payment was given up
)

// Kind of tender.
type Kind string

const (
	Cash   Kind = "cash"
	Mobile Kind = "mobile"
)

func (k Kind) code() int64 {
	if k == Mobile {
		return 2
	}
	return 1
}

func kindOf(code int64) Kind {
	if code == 2 {
		return Mobile
	}
	return Cash
}

var (
	ErrNoRegister    = errs.Define("register_unknown", errs.NotFound, "本机构没有收银台 {code}", "There is no register {code} at this site")
	ErrRegisterCode  = errs.Define("register_code_bad", errs.Invalid, "收银台编号应为 1 到 8 个字母或数字", "A register code must have 1 to 8 letters or digits")
	ErrRegisterTaken = errs.Define("register_taken", errs.Conflict, "收银台 {code} 已存在", "There is already a register {code}")
	ErrNoSale        = errs.Define("sale_unknown", errs.NotFound, "没有这张销售单", "There is no such sale")
	ErrNoPayment     = errs.Define("payment_unknown", errs.NotFound, "没有这笔付款", "There is no such payment")
	ErrState         = errs.Define("sale_state", errs.Conflict, "这张销售单的状态已经变了,请刷新", "The state of this sale has changed; reload it")
	ErrDate          = errs.Define("date_bad", errs.Invalid, "日期格式应为 年-月-日", "The date must be written YYYY-MM-DD")
	ErrSlipFilter    = errs.Define("slip_no_bad", errs.Invalid, "小票号格式不对", "This is not a slip number")
)

// Register is a place where sales are rung up.
type Register struct {
	ID     id.ID  `json:"id"`
	SiteID id.ID  `json:"site_id"`
	Code   string `json:"code"`
	Name   string `json:"name"`
	Prefix string `json:"-"` // of its slip numbers
	Closed bool   `json:"closed"`
}

// Sale is a sale with everything that belongs to it.
type Sale struct {
	ID       id.ID
	SiteID   id.ID
	Register Register
	Date     cal.Date // business date
	SlipNo   int64
	StaffID  id.ID
	SoldAt   time.Time
	State    State
	Total    money.Fen
	Tax      money.Fen
	Refunded money.Fen
	Key      string // the caller's
	Lines    []Line
	Bundles  []Bundle
	Tenders  []Tender
}

// Bundle is what was sold as one and stands on the slip as its parts: Lines lines from number First.
type Bundle struct {
	No       int64
	Product  id.ID
	Unit     id.ID
	Name     string // as printed
	UnitName string
	Qty      qty.Qty   // thousandths of the sales unit
	Price    money.Fen // of the book, for one sales unit
	Amount   money.Fen
	First    int64
	Lines    int64
}

// Line is one line of a sale.
type Line struct {
	No      int64
	Product id.ID
	Unit    id.ID
	Name    string    // as printed
	Qty     qty.Qty   // thousandths of the sales unit
	Base    qty.Qty   // thousandths of the base unit
	Price   money.Fen // of the book, for one sales unit
	Amount  money.Fen
	Tax     money.Fen
	TaxBP   catalog.TaxRate
	Batches []Batch

	Markdown id.ID     // the decision that lowered the price of these goods; 0: none
	Off      money.Fen // what it took off: price × quantity less Off is Amount

	// Already refunded; the quantity in thousandths of the sales unit.
	Back       qty.Qty
	BackAmount money.Fen
	BackTax    money.Fen
}

// Batch is what a line took from a batch.
type Batch struct {
	Leg  int // of the sale in the ledger that moved the goods; that of their cost is one higher
	ID   id.ID
	Base qty.Qty
	Cost money.Fen
	Back qty.Qty // already refunded
}

// Tender is one way in which a sale is paid.
type Tender struct {
	No     int64
	Kind   Kind
	Amount money.Fen
	Given  money.Fen // cash handed over
}

// Change is the cash to hand back.
func (s *Sale) Change() money.Fen {
	var c money.Fen
	for _, t := range s.Tenders {
		if t.Kind == Cash {
			c += t.Given - t.Amount
		}
	}
	return c
}

// SlipNumber is the number as printed: prefix, business date, number of the day.
func SlipNumber(prefix string, date cal.Date, n int64) string {
	d := string(date)
	if len(d) == 10 {
		d = d[2:4] + d[5:7] + d[8:]
	}
	return fmt.Sprintf("%s-%s-%04d", prefix, d, n)
}

// RefundNumber is the number of a refund as printed: as a slip's, with an R.
func RefundNumber(prefix string, date cal.Date, n int64) string {
	return SlipNumber(prefix+"-R", date, n)
}

// parseSlip reads what SlipNumber wrote.
func parseSlip(s string) (prefix string, date cal.Date, n int64, ok bool) {
	s = strings.TrimSpace(s)
	last := strings.LastIndexByte(s, '-')
	if last < 8 || s[last-7] != '-' {
		return
	}
	n, err := strconv.ParseInt(s[last+1:], 10, 64)
	d := s[last-6 : last]
	date, err2 := cal.Parse("20" + d[:2] + "-" + d[2:4] + "-" + d[4:])
	return s[:last-7], date, n, err == nil && err2 == nil && n > 0
}

// Service keeps the documents of the counter.
type Service struct{}

// New returns the service.
func New() *Service { return &Service{} }

// RegisterDraft is what a person says of a new register.
type RegisterDraft struct {
	SiteID id.ID  `json:"site_id"`
	Code   string `json:"code" maxLength:"8"`
	Name   string `json:"name,omitempty" maxLength:"40"`
}

// AddRegister adds a register to a site.
func AddRegister(tx *db.Tx, d RegisterDraft) (*Register, error) {
	d.Code, d.Name = strings.TrimSpace(d.Code), strings.TrimSpace(d.Name)
	if d.Code == "" || len(d.Code) > 8 || strings.Trim(d.Code, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return nil, ErrRegisterCode.At("code")
	}
	site, err := org.SiteByID(tx, d.SiteID)
	if err != nil {
		return nil, err
	}
	if d.Name == "" {
		d.Name = d.Code
	}
	r := &Register{ID: id.New(), SiteID: site.ID, Code: d.Code, Name: d.Name, Prefix: site.Code + "-" + d.Code}
	n, err := tx.ExecN(`INSERT INTO till_register (id, site_id, code, name, prefix, closed, created_at) VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT DO NOTHING`,
		r.ID, r.SiteID, r.Code, r.Name, r.Prefix, tx.Now())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrRegisterTaken.With("code", d.Code).At("code")
	}
	return r, nil
}

// Routes registers the routes of registers. Sales and refunds have theirs in the flows.
func (s *Service) Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/till/registers", Name: "list-registers", Summary: "The registers of a site", Perm: "till.sell", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*web.Page[Register], error) {
			if !org.SitesOf(ctx, "till.sell").Has(in.SiteID) {
				return nil, org.ErrNotFound.At("site_id")
			}
			all, err := Registers(tx, in.SiteID)
			return &web.Page[Register]{Items: all}, err
		})
	web.Post(api, web.Route{Path: "/api/till/registers", Name: "add-register", Summary: "Add a register to a site", Perm: "org.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body RegisterDraft }) (*Register, error) {
			if !org.SitesOf(ctx, "org.manage").Has(in.Body.SiteID) {
				return nil, org.ErrNotFound.At("site_id")
			}
			return AddRegister(tx, in.Body)
		})
}

// Registers lists the registers of a site by code.
func Registers(tx *db.Tx, site id.ID) ([]Register, error) {
	rows := tx.Query(`SELECT id, site_id, code, name, prefix, closed FROM till_register WHERE site_id = $1 ORDER BY code LIMIT 200`, site)
	defer rows.Close()
	all := []Register{}
	for rows.Next() {
		var r Register
		if err := rows.Scan(&r.ID, &r.SiteID, &r.Code, &r.Name, &r.Prefix, &r.Closed); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// Number is a slip number that has been asked for.
type Number struct {
	row    *db.Row
	code   string
	drawer id.ID
}

// Shift is a register on a business date.
type Shift struct {
	Register Register
	No       int64 // the number that was taken
	Drawer   id.ID // ledger account of its cash
	First    bool  // the drawer has just been made: its account must be opened
}

const (
	takeSale = `INSERT INTO till_shift (register_id, business_date, drawer_id, last_sale, last_refund)
		SELECT r.id, CAST($1 AS TEXT), CAST($2 AS BIGINT), 1, 0 FROM till_register r WHERE r.site_id = $3 AND r.code = $4 AND r.closed = 0
		ON CONFLICT (register_id, business_date) DO UPDATE SET last_sale = till_shift.last_sale + 1
		RETURNING register_id, last_sale, drawer_id, (SELECT prefix FROM till_register WHERE id = register_id)`
	takeRefund = `INSERT INTO till_shift (register_id, business_date, drawer_id, last_sale, last_refund)
		SELECT r.id, CAST($1 AS TEXT), CAST($2 AS BIGINT), 0, 1 FROM till_register r WHERE r.site_id = $3 AND r.code = $4 AND r.closed = 0
		ON CONFLICT (register_id, business_date) DO UPDATE SET last_refund = till_shift.last_refund + 1
		RETURNING register_id, last_refund, drawer_id, (SELECT prefix FROM till_register WHERE id = register_id)`
)

// TakeSaleNumber finds a register and takes its next slip number in one statement. Nothing waits for it
// here: on PostgreSQL the question travels with the next one whose answer is looked at.
func TakeSaleNumber(tx *db.Tx, site id.ID, register string, date cal.Date) *Number {
	n := &Number{code: register, drawer: id.New()}
	n.row = tx.QueryRow(takeSale, date, n.drawer, site, register)
	return n
}

// TakeRefundNumber takes the next refund number of a register.
func TakeRefundNumber(tx *db.Tx, site id.ID, register string, date cal.Date) *Number {
	n := &Number{code: register, drawer: id.New()}
	n.row = tx.QueryRow(takeRefund, date, n.drawer, site, register)
	return n
}

// OpenShift finds the shift of a register on a business date, begins it if need be, and locks its row. It takes
// no number.
func OpenShift(tx *db.Tx, site id.ID, register string, date cal.Date) (Shift, error) {
	n := &Number{code: register, drawer: id.New()}
	n.row = tx.QueryRow(`INSERT INTO till_shift (register_id, business_date, drawer_id, last_sale, last_refund)
		SELECT r.id, CAST($1 AS TEXT), CAST($2 AS BIGINT), 0, 0 FROM till_register r WHERE r.site_id = $3 AND r.code = $4 AND r.closed = 0
		ON CONFLICT (register_id, business_date) DO UPDATE SET last_sale = till_shift.last_sale
		RETURNING register_id, last_sale, drawer_id, (SELECT prefix FROM till_register WHERE id = register_id)`, date, n.drawer, site, register)
	return n.Get()
}

// Get looks at the answer: ErrNoRegister when the site has no such register in use.
func (n *Number) Get() (Shift, error) {
	s := Shift{Register: Register{Code: n.code}}
	err := n.row.Scan(&s.Register.ID, &s.No, &s.Drawer, &s.Register.Prefix)
	if errors.Is(err, db.ErrNoRow) {
		return s, ErrNoRegister.With("code", n.code).At("register")
	}
	s.First = s.Drawer == n.drawer
	return s, err
}
