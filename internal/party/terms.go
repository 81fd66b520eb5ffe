// Package party has the companies and people we deal with who are neither staff nor members: suppliers
// with their terms. (Lease tenants and trade customers join them when their capability comes.)
package party

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// LeadClass is how a supplier's goods travel; it gives the lead time where none is set.
type LeadClass string

const (
	Fresh   LeadClass = "fresh"   // 24 h
	Frozen  LeadClass = "frozen"  // 72 h
	Ambient LeadClass = "ambient" // 48 h
)

// LeadHours is the lead time of a class, 0 for an unknown one.
func (c LeadClass) LeadHours() int64 {
	switch c {
	case Fresh:
		return 24
	case Frozen:
		return 72
	case Ambient:
		return 48
	}
	return 0
}

// Limits of terms.
const (
	MaxPrice     money.Fen4 = 1_000_000_000_000_000 // of one unit: a million yuan
	MaxPacks                = 1_000_000
	MaxLeadHours            = 24 * 90
	EndOfDay                = 24*60 - 1 // cut-off where none is agreed
)

var (
	// ErrLeadClass refuses a class that is none.
	ErrLeadClass = errs.Define("lead_class_bad", errs.Invalid,
		"到货类别只能是 fresh(生鲜)、frozen(冷冻)或 ambient(常温)", "The lead class must be fresh, frozen or ambient")
	// ErrCutOff refuses what is no time of day.
	ErrCutOff = errs.Define("cut_off_bad", errs.Invalid, "截单时间应写成 16:00 的样子", "Write the cut-off like 16:00")
)

// ParseCutOff reads a time of day such as 16:00; 24:00 is the last minute of the day.
func ParseCutOff(s string) (int64, error) {
	h, m, ok := strings.Cut(s, ":")
	hour, err1 := strconv.ParseUint(h, 10, 8)
	minute, err2 := strconv.ParseUint(m, 10, 8)
	switch {
	case !ok || err1 != nil || err2 != nil || len(h) > 2 || len(m) != 2 || minute > 59 || hour > 24 || hour == 24 && minute > 0:
		return 0, ErrCutOff
	case hour == 24:
		return EndOfDay, nil
	}
	return int64(hour*60 + minute), nil
}

// OrderDays is a set of weekdays on which a supplier takes orders; bit 0 is Monday.
type OrderDays uint8

// EveryDay takes orders on all seven days.
const EveryDay OrderDays = 1<<7 - 1

// ErrOrderDays refuses what is no list of weekdays.
var ErrOrderDays = errs.Define("order_days_bad", errs.Invalid,
	"订货日应为 1 到 7(周一到周日)的数字,如 135", "Order days are digits 1 to 7, Monday to Sunday, as in 135")

// ParseOrderDays reads digits 1 (Monday) to 7 (Sunday), each at most once, as in "135"; empty means every day.
func ParseOrderDays(s string) (OrderDays, error) {
	if s == "" {
		return EveryDay, nil
	}
	var days OrderDays
	for _, c := range s {
		if c < '1' || c > '7' {
			return 0, ErrOrderDays
		}
		bit := OrderDays(1) << (c - '1')
		if days&bit != 0 {
			return 0, ErrOrderDays
		}
		days |= bit
	}
	return days, nil
}

// Has says whether orders are taken on that weekday.
func (d OrderDays) Has(w time.Weekday) bool { return d>>((w+6)%7)&1 == 1 }

// String writes the digits.
func (d OrderDays) String() string {
	var b []byte
	for i := range byte(7) {
		if d>>i&1 == 1 {
			b = append(b, '1'+i)
		}
	}
	return string(b)
}

// Terms are what one supplier asks and gives for one product.
type Terms struct {
	Supplier  id.ID
	Product   id.ID
	Pack      qty.Qty    // in one pack, thousandths of Unit
	Unit      qty.Unit   // the unit of Pack and Price
	Price     money.Fen4 // of one Unit, without tax
	MinPacks  int64      // of one order
	Class     LeadClass
	LeadHours int64 // 0: that of the class
	Days      OrderDays
	CutOff    int64 // minutes after midnight until which an order counts for its day, 0 … 1439
}

// Moment is the last moment to order: a local date and minutes after its midnight.
type Moment struct {
	Date   cal.Date
	Minute int64
}

// Before tells whether m comes before n.
func (m Moment) Before(n Moment) bool {
	return m.Date < n.Date || m.Date == n.Date && m.Minute < n.Minute
}

// String writes "2026-11-22 16:00".
func (m Moment) String() string {
	return fmt.Sprintf("%s %02d:%02d", m.Date, m.Minute/60, m.Minute%60)
}

// OrderBy is the last moment to order what must be there on the due date: lead time is counted in
// whole days from the order day (24 h: the day before; 72 h: three days before), and an order day
// the supplier does not take moves to the one before it.
func (t Terms) OrderBy(due cal.Date) Moment {
	hours := t.LeadHours
	if hours <= 0 {
		hours = t.Class.LeadHours()
	}
	day := due.AddDays(-int((hours + 23) / 24))
	for range 7 {
		if t.Days == 0 || t.Days.Has(day.Weekday()) {
			break
		}
		day = day.AddDays(-1)
	}
	return Moment{day, t.CutOff}
}

// Packs is how many whole packs cover a quantity in the base unit, at least the minimum, and by how
// much they are over it. A pack that is no whole thousandth of the base unit is refused (qty_not_exact).
func (t Terms) Packs(net qty.Qty) (packs int64, ordered, over qty.Qty, err error) {
	if net <= 0 {
		return 0, 0, 0, nil
	}
	pack, err := t.Unit.ToBase(t.Pack)
	if err != nil {
		return 0, 0, 0, err
	}
	if pack <= 0 {
		return 0, 0, 0, qty.ErrNotExact
	}
	packs = max(int64((net+pack-1)/pack), t.MinPacks)
	if packs > int64(qty.Max/pack) {
		return 0, 0, 0, qty.ErrTooLarge
	}
	ordered = qty.Qty(packs) * pack
	return packs, ordered, ordered - net, nil
}

// Amount is the price of so many packs in fen, rounded half up once.
func (t Terms) Amount(packs int64) (money.Fen, error) {
	units, err := money.MulDiv(packs, int64(t.Pack), 1)
	if err != nil {
		return 0, err
	}
	// thousandths of a unit × ten-thousandths of a fen
	v, err := money.MulDiv(units, int64(t.Price), qty.Scale*10_000)
	if err != nil || money.Fen(v) > money.Max {
		return 0, money.ErrTooLarge
	}
	return money.Fen(v), nil
}
