// Package cal has dates without a time of day: the business date of an instant, the Chinese lunar
// calendar of 1900–2100 with its festivals, and the days off and make-up work days the State Council
// has announced.
package cal

import (
	"time"

	"zhanggui/internal/platform/errs"
)

// ErrDate is the refusal of a text that is no date.
var ErrDate = errs.Define("date_invalid", errs.Invalid,
	"“{text}”不是日期,请写成 2026-02-17 这样的形式", "“{text}” is not a date; write it as 2026-02-17")

// Date is a calendar day as 'YYYY-MM-DD'. Dates compare as strings do. The zero value is no date.
type Date string

// Parse reads 'YYYY-MM-DD' and refuses days that do not exist.
func Parse(s string) (Date, error) {
	d := Date(s)
	if !d.Valid() {
		return "", ErrDate.With("text", s)
	}
	return d, nil
}

// Of makes a date; a day past the end of its month runs on into the next, as in time.Date.
func Of(year int, month time.Month, day int) Date {
	return On(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// On is the date a clock in t's own zone shows.
func On(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// FromNumber is the date n days after 1970-01-01.
func FromNumber(n int) Date { return On(time.Unix(int64(n)*86400, 0).UTC()) }

// Valid tells whether d is a day that exists.
func (d Date) Valid() bool {
	if len(d) != len(time.DateOnly) {
		return false
	}
	_, err := time.Parse(time.DateOnly, string(d))
	return err == nil
}

// Time is midnight UTC of the day; the zero time for no date.
func (d Date) Time() time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return t
}

// Number counts days since 1970-01-01.
func (d Date) Number() int {
	s := d.Time().Unix()
	if s < 0 {
		return int((s - 86399) / 86400)
	}
	return int(s / 86400)
}

// AddDays is the date n days later, earlier when n is negative.
func (d Date) AddDays(n int) Date { return On(d.Time().AddDate(0, 0, n)) }

// Sub counts the days from e to d.
func (d Date) Sub(e Date) int { return d.Number() - e.Number() }

// Weekday of the day.
func (d Date) Weekday() time.Weekday { return d.Time().Weekday() }

// Year of the day; 0 for no date.
func (d Date) Year() int {
	if d == "" {
		return 0
	}
	return d.Time().Year()
}

func (d Date) String() string { return string(d) }

// BusinessDate is the day a sale at t counts for in a shop of that time zone: what the wall clock says
// before dayStart (for example 4 h) still belongs to the day before. It goes by the clock on the wall,
// so a change to summer time moves no boundary.
func BusinessDate(t time.Time, loc *time.Location, dayStart time.Duration) Date {
	w := t.In(loc)
	sinceMidnight := time.Duration(w.Hour())*time.Hour + time.Duration(w.Minute())*time.Minute +
		time.Duration(w.Second())*time.Second + time.Duration(w.Nanosecond())
	d := On(w)
	if sinceMidnight < dayStart {
		d = d.AddDays(-1)
	}
	return d
}
