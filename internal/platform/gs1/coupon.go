package gs1

import (
	"errors"
	"strings"
)

// The coupons of North America (AI 8110 and 8112): fields without separators, many with their length before them.

// fields walks through the digits of a coupon. After the first refusal nothing more is taken.
type fields struct {
	rest string
	err  error
}

func (f *fields) refuse(why string) string {
	if f.err == nil {
		f.err = errors.New("coupon: " + why)
	}
	f.rest = ""
	return ""
}

// take is the next n digits.
func (f *fields) take(n int, what string) string {
	if f.err != nil || len(f.rest) < n {
		return f.refuse(what + " is too short")
	}
	v := f.rest[:n]
	f.rest = f.rest[n:]
	return v
}

// digit is the next digit, which must be one of allowed.
func (f *fields) digit(allowed, what string) byte {
	v := f.take(1, what)
	if v == "" {
		return 0
	}
	if strings.IndexByte(allowed, v[0]) < 0 {
		f.refuse(what + " is wrong")
		return 0
	}
	return v[0]
}

// sized is a field with its length in the digit before it: that digit plus add.
func (f *fields) sized(allowed string, add int, what string) string {
	n := f.digit(allowed, what)
	if n == 0 {
		return ""
	}
	return f.take(int(n-'0')+add, what)
}

// company is a company prefix of 6 to 12 digits.
func (f *fields) company(what string) { f.sized("0123456", 6, what) }

// purchase is what must be bought: how much, counted how, of which family.
func (f *fields) purchase(what string) {
	f.sized("12345", 0, what)
	f.digit("012349", what+" code")
	f.take(3, what+" family")
}

// other is a purchase of a company of its own; a length 9 names none.
func (f *fields) other(what string) {
	f.purchase(what)
	if strings.HasPrefix(f.rest, "9") {
		f.take(1, what)
		return
	}
	f.company(what + " company")
}

func (f *fields) date(what string) string {
	v := f.take(6, what)
	if f.err == nil && day(6, false)(v) != nil {
		return f.refuse(what + " is no date")
	}
	return v
}

func coupon(s string) error {
	if err := digitsOnly(s); err != nil {
		return err
	}
	f := &fields{rest: s}
	f.company("company")
	f.take(6, "offer")
	f.sized("12345", 0, "saving")
	f.purchase("first purchase")
	var ends, starts string
	for last := byte('0'); f.err == nil && f.rest != ""; {
		kind := f.rest[0]
		if kind <= last { // the optional fields stand in rising order, each once
			f.refuse("there is more than a coupon has")
			break
		}
		last = kind
		f.take(1, "field")
		switch kind {
		case '1':
			f.digit("0123", "rule of purchases")
			f.other("second purchase")
		case '2':
			f.other("third purchase")
		case '3':
			ends = f.date("expiration")
		case '4':
			starts = f.date("start")
		case '5':
			f.sized("0123456789", 6, "serial number")
		case '6':
			f.sized("1234567", 6, "retailer")
		case '9':
			f.digit("01256", "kind of saving")
			f.digit("012", "item of the saving")
			f.digit("0123456789", "store flag")
			f.digit("01", "multiply flag")
		default:
			f.refuse("there is no such field")
		}
	}
	if f.err == nil && ends != "" && starts != "" && later(starts, ends) {
		f.refuse("it ends before it starts")
	}
	return f.err
}

// later compares two dates of six digits as they stand around the year 2000.
func later(a, b string) bool {
	if (a[0] < '5') != (b[0] < '5') {
		return a[0] < '5'
	}
	return a > b
}

func positiveOffer(s string) error {
	if err := digitsOnly(s); err != nil {
		return err
	}
	f := &fields{rest: s}
	f.digit("01", "format")
	f.company("funder")
	f.take(6, "offer")
	f.sized("0123456789", 6, "serial number")
	if f.err == nil && f.rest != "" {
		f.refuse("there is more than a coupon has")
	}
	return f.err
}
