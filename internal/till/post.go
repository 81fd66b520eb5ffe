package till

import (
	"fmt"
	"sync"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/pricing"
)

// The till's part of the ledger: its documents, its book, the kinds of its kept accounts.
var (
	SaleDoc   = ledger.DefineKind(40, "sale")
	VoidDoc   = ledger.DefineKind(41, "void")   // takes a whole sale back; its id is the sale's
	RefundDoc = ledger.DefineKind(42, "refund") // its id is the refund's
	LateDoc   = ledger.DefineKind(43, "late_payment")
	PayOutDoc = ledger.DefineKind(44, "pay_out") // its id is the payment's that failed

	Book = ledger.DefineBook(3, "till")

	// LatePayer is where money comes from that a payer sent after the sale was given up, and goes back to.
	LatePayer = ledger.DefineFlow(2900, Book, "late_payer")
)

// Kinds of kept accounts in the till's book.
const (
	DrawerAccount   int16 = 1 // cash of a register on a business date
	ClearingAccount int16 = 2 // what a payment provider owes a site
)

// noFloor lets an account fall as deep as it must: what was in the drawer in the morning is not known yet,
// and a provider may have paid out before a refund.
const noFloor = -1 << 62

// Why they may, as pages name it.
const (
	drawerWhy   = "drawer"
	clearingWhy = "clearing"
)

const (
	firstRevenue = 3000
	firstTax     = 10000
)

var classes struct {
	sync.RWMutex
	known map[int64]bool
}

func init() {
	for percent := range int64(51) {
		defineClass(percent * 100)
	}
}

// defineClass names the two flow accounts of a VAT rate once.
func defineClass(rate int64) {
	classes.RLock()
	known := classes.known[rate]
	classes.RUnlock()
	if known {
		return
	}
	classes.Lock()
	defer classes.Unlock()
	if classes.known[rate] {
		return
	}
	if classes.known == nil {
		classes.known = map[int64]bool{}
	}
	percent := fmt.Sprintf("%d.%02d", rate/100, rate%100)
	ledger.DefineFlow(firstRevenue+rate, Book, "revenue_"+percent)
	ledger.DefineFlow(firstTax+rate, Book, "output_tax_"+percent)
	classes.known[rate] = true
}

// Revenue is the flow account of sales without tax at a VAT rate in basis points.
func Revenue(rate int64) ledger.Account {
	defineClass(rate)
	return ledger.Account(-(firstRevenue + rate))
}

// OutputTax is the flow account of the VAT contained in sales at a rate.
func OutputTax(rate int64) ledger.Account {
	defineClass(rate)
	return ledger.Account(-(firstTax + rate))
}

// ClassOf reads a flow account: the rate in basis points, whether it is the tax of it, and whether it is
// revenue or tax at all.
func ClassOf(flow int64) (rate int64, isTax, isSale bool) {
	switch n := -flow; {
	case n >= firstTax && n <= firstTax+int64(catalog.MaxTax):
		return n - firstTax, true, true
	case n >= firstRevenue && n <= firstRevenue+int64(catalog.MaxTax):
		return n - firstRevenue, false, true
	}
	return 0, false, false
}

// Side is one end of money: an account and how much passes through it.
type Side struct {
	Account ledger.Account
	Amount  money.Fen
}

// Sides are revenue and tax of the classes of a bill. Nothing of nothing is left out.
func Sides(classes []pricing.Class) []Side {
	sides := make([]Side, 0, 2*len(classes))
	for _, c := range classes {
		if net := c.Amount - c.Tax; net != 0 {
			sides = append(sides, Side{Revenue(c.TaxBP), net})
		}
		if c.Tax != 0 {
			sides = append(sides, Side{OutputTax(c.TaxBP), c.Tax})
		}
	}
	return sides
}

// ClassesOf are the classes of a sale's lines, as pricing made them.
func ClassesOf(lines []Line) []pricing.Class {
	taxes := taxesOf(lines)
	classes := make([]pricing.Class, len(taxes))
	for i, t := range taxes {
		classes[i] = pricing.Class{TaxBP: int64(t.TaxPct), Amount: t.AmountFen, Tax: t.TaxFen}
	}
	return classes
}

// Legs joins where money comes from with where it goes: at most one leg less than there are sides. Both
// have the same sum, amounts are above 0.
func Legs(legs []ledger.Transfer, from, to []Side) []ledger.Transfer {
	var f, t int
	var fUsed, tUsed money.Fen
	for f < len(from) && t < len(to) {
		fen := min(from[f].Amount-fUsed, to[t].Amount-tUsed)
		if fen > 0 {
			legs = append(legs, ledger.Transfer{From: from[f].Account, To: to[t].Account, Unit: ledger.CNY, Amount: int64(fen)})
		}
		if fUsed += fen; fUsed == from[f].Amount {
			f, fUsed = f+1, 0
		}
		if tUsed += fen; tUsed == to[t].Amount {
			t, tUsed = t+1, 0
		}
	}
	return legs
}

// HoldDrawer puts the drawer of a shift into the set of accounts a document books on. Its row need not be
// locked again: whoever moves money in a drawer holds the row of its shift.
func HoldDrawer(tx *db.Tx, l *ledger.Locked, site id.ID, s Shift) (ledger.Account, error) {
	account := ledger.Account(s.Drawer)
	if s.First {
		if _, err := ledger.Open(tx, ledger.NewAccount{ID: account, Book: Book, Kind: DrawerAccount, Unit: ledger.CNY, Site: site, Low: noFloor, Why: drawerWhy}); err != nil {
			return 0, err
		}
	}
	// Its totals are not read: there is no floor to keep, and bookings add to the row.
	l.Add(ledger.State{ID: account, Book: Book, Kind: DrawerAccount, Unit: ledger.CNY, Site: site, Low: noFloor})
	return account, nil
}

// HoldClearing finds, opens when it is new, and locks what a provider owes a site.
func HoldClearing(tx *db.Tx, l *ledger.Locked, site id.ID, provider string) (ledger.Account, error) {
	made := id.New()
	var found id.ID
	err := tx.QueryRow(`INSERT INTO till_clearing (site_id, provider, account_id) VALUES ($1, $2, $3)
		ON CONFLICT (site_id, provider) DO UPDATE SET account_id = till_clearing.account_id RETURNING account_id`, site, provider, made).Scan(&found)
	if err != nil {
		return 0, err
	}
	account := ledger.Account(found)
	if found == made {
		if _, err := ledger.Open(tx, ledger.NewAccount{ID: account, Book: Book, Kind: ClearingAccount, Unit: ledger.CNY, Site: site, Low: noFloor, Why: clearingWhy}); err != nil {
			return 0, err
		}
	}
	return account, l.Also(tx, account)
}

// LockShift takes the row of the shift in which a sale was rung up, before its drawer is touched.
func LockShift(tx *db.Tx, s *Sale) (Shift, error) {
	shift := Shift{Register: s.Register}
	err := tx.QueryRow(`SELECT drawer_id FROM till_shift WHERE register_id = $1 AND business_date = $2`+tx.ForUpdate(), s.Register.ID, s.Date).Scan(&shift.Drawer)
	return shift, err
}
