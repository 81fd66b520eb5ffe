// Package report tells what a day came to: out of stock, lost, worked, sold, made, by chain, store and product, from
// the ledger and its documents. Days are added up beforehand in tables of its own, which can be made again at any
// time; what came since is added when somebody asks. See README.md.
package report

import (
	"embed"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/price"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the roll-ups. They refer to no other table.
var Migrations = db.Migrations{Package: "report", FS: files}

const permRead = "report.read"

var (
	ErrDate    = errs.Define("report_date_bad", errs.Invalid, "日期应写成 2026-03-14,不能晚于今天", "Write the date like 2026-03-14, not later than today")
	ErrTooOld  = errs.Define("report_date_old", errs.Invalid, "只能查看最近 {most} 天", "Only the last {most} days can be looked at")
	ErrNoGoods = errs.Define("report_product_unknown", errs.NotFound, "没有这个商品", "There is no such product")
)

// Service answers for the board.
type Service struct {
	goods  *catalog.Service
	prices *price.Service
}

// New makes the reports; goods and prices tell what is on sale.
func New(goods *catalog.Service, prices *price.Service) *Service { return &Service{goods, prices} }

// Routes registers everything under /api/report.
func (s *Service) Routes(api *web.API) {
	s.boardRoute(api)
	s.productRoutes(api)
	s.clearanceRoute(api)
	s.alignRoutes(api)
}

// Slots of a business day: half hours from its start.
const (
	Slots   = 48
	slotLen = 30 * time.Minute
)

// keepBack is how many days the roll-up goes back on its own.
const keepBack = 35

// slotStart is the instant at which a half hour of a business day begins. The first begins at the half hour in which
// the day starts.
func slotStart(site *org.Site, date cal.Date, slot int) time.Time {
	return site.Begins(date).Truncate(slotLen).Add(time.Duration(slot) * slotLen)
}

// slotOf is the half hour of a business day that an instant falls into; what is outside falls into the first or last.
func slotOf(first, t time.Time) int {
	return min(Slots-1, max(0, int(t.Sub(first)/slotLen)))
}

// hours are the instants between which the site is open on a business date; equal when it does not open.
func hours(site *org.Site, date cal.Date) (open, closed time.Time) {
	t := date.Time()
	at := func(m org.Minutes) time.Time { // of the business day: what is before its start belongs to the next morning
		when := time.Date(t.Year(), t.Month(), t.Day(), 0, int(m), 0, 0, site.Location())
		if m < site.DayStart {
			when = when.AddDate(0, 0, 1)
		}
		return when
	}
	if site.Open == site.Close {
		return site.Begins(date), site.Begins(date)
	}
	if site.Close-site.Open >= 24*60 {
		return site.Begins(date), site.Begins(date.AddDays(1))
	}
	open, closed = at(site.Open), at(site.Close)
	if closed.Before(open) {
		closed = closed.AddDate(0, 0, 1)
	}
	if end := site.Begins(date.AddDays(1)); closed.After(end) {
		closed = end
	}
	return open, closed
}
