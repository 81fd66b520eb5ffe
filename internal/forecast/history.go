package forecast

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package.
var Migrations = db.Migrations{Package: "forecast", FS: files}

// Sales history comes in loads. A load is one imported file: its rows are
// written in many short steps and count for nothing until the load itself is
// marked applied, which is one row; so a killed import leaves all of its sales
// or none. TillLoad is what our own tills sold; it is in force from the start.
//
// For one site, product and date the load applied last holds the truth, so a
// corrected file replaces the days it names and nothing else.

// TillLoad is the load that the sales of our own tills go to.
const TillLoad id.ID = 0

// ErrLoadClosed refuses rows for a load that is in force already or was dropped.
var ErrLoadClosed = errs.Define("history_load_closed", errs.Conflict,
	"这批销售历史已经生效或已被丢弃", "This load of sales history is already in force or was dropped")

// SaleKey is one site, product and business date.
type SaleKey struct {
	SiteID    id.ID
	ProductID id.ID
	Date      cal.Date
}

// SaleDay is what one site sold of one product on one business date.
type SaleDay struct {
	SaleKey
	Qty     qty.Qty    // in the base unit
	Amount  *money.Fen // what was paid for Qty; nil when the source does not say
	Promo   bool       // sold under a promotion
	SoldOut *int64     // minutes after local midnight of Date when nothing was left, 0 … 2879; nil when it lasted or nobody knows
	Slots   []SlotQty  // by half hour where the source knows times, rising, adding up to Qty
}

// SlotQty is the part of a day's sales in one half hour, counted from local
// midnight of the business date: 0 … 95, since a night shop's day passes 47.
type SlotQty struct {
	Slot int64
	Qty  qty.Qty
}

// Equal tells whether two days say the same.
func (d SaleDay) Equal(o SaleDay) bool {
	return d.SaleKey == o.SaleKey && d.Qty == o.Qty && d.Promo == o.Promo && same(d.Amount, o.Amount) &&
		same(d.SoldOut, o.SoldOut) && slices.Equal(d.Slots, o.Slots)
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// MaxSaleDays bounds one call of PutSales and SalesInForce.
const MaxSaleDays = 512

var putSales = db.NewMany(`INSERT INTO forecast_sale_day (site_id, product_id, date, load_id, qty, amount_fen, promo, sold_out_min, slots) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)

var putLoadSites = db.NewMany(`INSERT INTO forecast_load_site (site_id, load_id, oldest) VALUES `, `(?, ?, ?)`,
	` ON CONFLICT (site_id, load_id) DO UPDATE SET oldest = excluded.oldest WHERE excluded.oldest < forecast_load_site.oldest`)

// The order of the join is fixed: few days of one series, each with its load.
const salesOfDays = `SELECT d.date, d.qty, d.amount_fen, d.promo, d.sold_out_min, d.slots, l.applied_no
	FROM forecast_sale_day d CROSS JOIN forecast_load l
	WHERE d.site_id = $1 AND d.product_id = $2 AND d.date >= $3 AND d.date <= $4 AND l.id = d.load_id AND l.applied_no > 0`

// OpenLoad makes a load that is not in force.
func OpenLoad(tx *db.Tx, load id.ID) error {
	return tx.Exec(`INSERT INTO forecast_load (id, made_at, applied_no) VALUES ($1, $2, 0)`, load, tx.Now())
}

// PutSales adds days to a load that is not in force: at most MaxSaleDays of them, each key once per load.
func PutSales(tx *db.Tx, load id.ID, days []SaleDay) error {
	var applied int64
	err := tx.QueryRow(`SELECT applied_no FROM forecast_load WHERE id = $1`, load).Scan(&applied)
	if errors.Is(err, db.ErrNoRow) || err == nil && applied != 0 {
		return ErrLoadClosed
	}
	if err != nil {
		return err
	}
	args := make([]any, 0, len(days)*9)
	oldest := map[id.ID]cal.Date{}
	for i := range days {
		d := &days[i]
		if o, ok := oldest[d.SiteID]; !ok || d.Date < o {
			oldest[d.SiteID] = d.Date
		}
		args = append(args, d.SiteID, d.ProductID, d.Date, load, d.Qty, d.Amount, d.Promo, d.SoldOut, formatSlots(d.Slots))
	}
	var sites []any
	for _, site := range sortedKeys(oldest) {
		sites = append(sites, site, load, oldest[site])
	}
	if err := tx.ExecMany(putLoadSites, sites...); err != nil {
		return err
	}
	return tx.ExecMany(putSales, args...)
}

// ApplyLoad puts a load in force: from this row on every reader sees all of it.
func ApplyLoad(tx *db.Tx, load id.ID) error {
	return tx.ExecExactly(1, ErrLoadClosed, `UPDATE forecast_load SET applied_no = $1 WHERE id = $2 AND applied_no = 0`, id.New(), load)
}

// SalesInForce gives what holds for at most MaxSaleDays keys; a day nobody knows of is missing. Keys of one series
// should stand together, by date: each such run is one question.
func SalesInForce(tx *db.Tx, keys []SaleKey) (map[SaleKey]SaleDay, error) {
	type run struct {
		SaleKey
		rows *db.Rows
	}
	wanted := make(map[SaleKey]bool, len(keys))
	var runs []run
	for from := 0; from < len(keys); {
		to := from
		for ; to < len(keys) && keys[to].SiteID == keys[from].SiteID && keys[to].ProductID == keys[from].ProductID &&
			(to == from || keys[to].Date >= keys[to-1].Date); to++ {
			wanted[keys[to]] = true
		}
		k := keys[from]
		runs = append(runs, run{k, tx.Query(salesOfDays, k.SiteID, k.ProductID, k.Date, keys[to-1].Date)})
		from = to
	}
	found := make(map[SaleKey]SaleDay, len(keys))
	newest := make(map[SaleKey]int64, len(keys))
	for _, r := range runs {
		for r.rows.Next() {
			d := SaleDay{SaleKey: r.SaleKey}
			var slots string
			var applied int64
			if err := r.rows.Scan(&d.Date, &d.Qty, &d.Amount, &d.Promo, &d.SoldOut, &slots, &applied); err != nil {
				return nil, err
			}
			if !wanted[d.SaleKey] || applied <= newest[d.SaleKey] {
				continue
			}
			var err error
			if d.Slots, err = ParseSlots(slots); err != nil {
				return nil, err
			}
			found[d.SaleKey], newest[d.SaleKey] = d, applied
		}
		if err := r.rows.Err(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// formatSlots is the stored form of Slots: "20:3000 21:1500".
func formatSlots(slots []SlotQty) string {
	var b strings.Builder
	for i, s := range slots {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatInt(s.Slot, 10))
		b.WriteByte(':')
		b.WriteString(strconv.FormatInt(int64(s.Qty), 10))
	}
	return b.String()
}

// ParseSlots reads the stored form of Slots.
func ParseSlots(text string) ([]SlotQty, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, " ")
	slots := make([]SlotQty, len(parts))
	for i, p := range parts {
		at, q, ok := strings.Cut(p, ":")
		slot, err1 := strconv.ParseInt(at, 10, 64)
		n, err2 := strconv.ParseInt(q, 10, 64)
		if !ok || err1 != nil || err2 != nil {
			return nil, fmt.Errorf("half-hour sales %q can not be read", text)
		}
		slots[i] = SlotQty{slot, qty.Qty(n)}
	}
	return slots, nil
}

// AllSites is the site of weather that is not of one site.
const AllSites id.ID = 0

// WeatherDay is one day's weather at a site, or everywhere.
type WeatherDay struct {
	SiteID     id.ID // AllSites where the source names none
	Date       cal.Date
	TMax, TMin qty.Qty  // thousandths of a degree Celsius
	Rain       *qty.Qty // thousandths of a millimetre; nil when unknown
	Text       string   // as the source describes it
}

var putWeather = db.NewMany(`INSERT INTO forecast_weather (site_id, date, tmax_milli, tmin_milli, rain_milli, text) VALUES `, `(?, ?, ?, ?, ?, ?)`,
	` ON CONFLICT (site_id, date) DO UPDATE SET tmax_milli = excluded.tmax_milli, tmin_milli = excluded.tmin_milli, rain_milli = excluded.rain_milli, text = excluded.text`)

// PutWeather stores days of weather, each key once; a day that is there is replaced.
func PutWeather(tx *db.Tx, days []WeatherDay) error {
	args := make([]any, 0, len(days)*6)
	for i := range days {
		w := &days[i]
		args = append(args, w.SiteID, w.Date, w.TMax, w.TMin, w.Rain, w.Text)
	}
	return tx.ExecMany(putWeather, args...)
}

// WeatherBetween gives the days of one site, or of AllSites, from … to, by date.
func WeatherBetween(tx *db.Tx, site id.ID, from, to cal.Date) ([]WeatherDay, error) {
	rows := tx.Query(`SELECT date, tmax_milli, tmin_milli, rain_milli, text FROM forecast_weather
		WHERE site_id = $1 AND date >= $2 AND date <= $3 ORDER BY date`, site, from, to)
	defer rows.Close()
	var days []WeatherDay
	for rows.Next() {
		w := WeatherDay{SiteID: site}
		if err := rows.Scan(&w.Date, &w.TMax, &w.TMin, &w.Rain, &w.Text); err != nil {
			return nil, err
		}
		days = append(days, w)
	}
	return days, rows.Err()
}

var putHolidays = db.NewMany(`INSERT INTO forecast_holiday (date, name, is_off_day) VALUES `, `(?, ?, ?)`,
	` ON CONFLICT (date) DO UPDATE SET name = excluded.name, is_off_day = excluded.is_off_day`)

// PutHolidays stores named days, each date once; a date that is there is replaced.
func PutHolidays(tx *db.Tx, days []cal.Holiday) error {
	args := make([]any, 0, len(days)*3)
	for _, h := range days {
		args = append(args, h.Date, h.Name, h.Off)
	}
	return tx.ExecMany(putHolidays, args...)
}

// HolidaysBetween gives the named days people have imported, from … to, by date.
func HolidaysBetween(tx *db.Tx, from, to cal.Date) ([]cal.Holiday, error) {
	rows := tx.Query(`SELECT date, name, is_off_day FROM forecast_holiday WHERE date >= $1 AND date <= $2 ORDER BY date`, from, to)
	defer rows.Close()
	var days []cal.Holiday
	for rows.Next() {
		var h cal.Holiday
		if err := rows.Scan(&h.Date, &h.Name, &h.Off); err != nil {
			return nil, err
		}
		days = append(days, h)
	}
	return days, rows.Err()
}
