package gs1

import (
	"strconv"
	"time"
)

// Decimal is a number with its decimals apart: 1.250 is {1250, 3}.
type Decimal struct {
	Digits   int64
	Decimals int
}

// measure finds an AI of a family such as 310n whose last digit tells the decimals. skip digits of the data are something
// else, as the currency of a price.
func (m Message) measure(family string, skip int) (Decimal, bool) {
	for _, e := range m {
		if len(e.AI) == 4 && e.AI[:3] == family {
			n, err := strconv.ParseInt(e.Value[skip:], 10, 64)
			return Decimal{n, int(e.AI[3] - '0')}, err == nil
		}
	}
	return Decimal{}, false
}

// NetWeight is the net weight in kilograms (AI 310n).
func (m Message) NetWeight() (Decimal, bool) { return m.measure("310", 0) }

// NetVolume is the net volume in litres (AI 315n).
func (m Message) NetVolume() (Decimal, bool) { return m.measure("315", 0) }

// Price is the amount to pay for a variable measure item (AI 392n, or 393n with an ISO 4217 currency number: "" when
// the label names none).
func (m Message) Price() (amount Decimal, currency string, ok bool) {
	if amount, ok = m.measure("392", 0); ok {
		return amount, "", true
	}
	for _, e := range m {
		if len(e.AI) == 4 && e.AI[:3] == "393" {
			amount, ok = m.measure("393", 3)
			return amount, e.Value[:3], ok
		}
	}
	return Decimal{}, "", false
}

// Count is how many are in it (AI 30, or 37 of what AI 02 names).
func (m Message) Count() (int64, bool) {
	for _, ai := range []string{"30", "37"} {
		if v, ok := m.Get(ai); ok {
			n, err := strconv.ParseInt(v, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// GTIN is the article: of the item (AI 01), else of what a logistic unit holds (AI 02).
func (m Message) GTIN() (string, bool) {
	if v, ok := m.Get("01"); ok {
		return v, true
	}
	return m.Get("02")
}

// Date reads a date AI (11 production, 13 packing, 15 best before, 17 expiry). Two digits of a year mean the one that is at
// most 50 years ahead of now, or 49 behind; day 00 is the last of the month.
func (m Message) Date(ai string, now time.Time) (year int, month time.Month, day int, ok bool) {
	v, ok := m.Get(ai)
	if !ok {
		return 0, 0, 0, false
	}
	return dateOf(v, now)
}

func dateOf(v string, now time.Time) (int, time.Month, int, bool) {
	two, _ := strconv.Atoi(v[:2])
	month, _ := strconv.Atoi(v[2:4])
	day, _ := strconv.Atoi(v[4:6])
	year := centuryOf(two, now.Year())
	if day == 0 {
		day = daysIn(year, month)
	}
	return year, time.Month(month), day, true
}

// Expires is the moment after which an item must not be sold, in a place's time: the minute of AI 7003, else the end of
// the day of AI 17, else of AI 15.
func (m Message) Expires(now time.Time, loc *time.Location) (time.Time, bool) {
	now = now.In(loc)
	if v, ok := m.Get("7003"); ok {
		y, mo, d, _ := dateOf(v, now)
		hour, _ := strconv.Atoi(v[6:8])
		minute, _ := strconv.Atoi(v[8:10])
		return time.Date(y, mo, d, hour, minute, 0, 0, loc), true
	}
	for _, ai := range []string{"17", "15"} {
		if y, mo, d, ok := m.Date(ai, now); ok {
			return time.Date(y, mo, d+1, 0, 0, 0, 0, loc), true
		}
	}
	return time.Time{}, false
}
