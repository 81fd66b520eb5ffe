package catalog

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"zhanggui/internal/platform/errs"
)

// TaxRate is a VAT rate in basis points: 1300 is 13 %. In JSON and CSV it is the percentage with at most
// two decimals.
type TaxRate int64

// MaxTax bounds what may be typed as a rate.
const MaxTax TaxRate = 5000

// ErrTax refuses what is no VAT rate.
var ErrTax = errs.Define("tax_bad", errs.Invalid, "税率应是 0 到 50 之间的数,最多两位小数", "The tax rate must be a number from 0 to 50 with at most two decimals")

// ParseTax reads a percentage: "13", "6.5".
func ParseTax(s string) (TaxRate, error) {
	whole, frac, point := strings.Cut(s, ".")
	if whole == "" || len(whole) > 2 || point && (frac == "" || len(frac) > 2) {
		return 0, ErrTax
	}
	digits := whole + (frac + "00")[:2]
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, ErrTax
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || TaxRate(n) > MaxTax {
		return 0, ErrTax
	}
	return TaxRate(n), nil
}

// String is the percentage without needless zeros: "13", "6.5".
func (r TaxRate) String() string {
	s := strconv.FormatInt(int64(r)/100, 10)
	if rest := int64(r) % 100; rest != 0 {
		s += "." + strings.TrimRight(strconv.FormatInt(100+rest, 10)[1:], "0")
	}
	return s
}

// MarshalJSON writes the percentage as a number.
func (r TaxRate) MarshalJSON() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalJSON reads the percentage.
func (r *TaxRate) UnmarshalJSON(b []byte) error {
	v, err := ParseTax(string(b))
	*r = v
	return err
}

// Schema tells the API document what MarshalJSON writes.
//
//allow:float the document's own type for bounds; nothing is reckoned with them
func (TaxRate) Schema(huma.Registry) *huma.Schema {
	most := 50.0
	least := 0.0
	return &huma.Schema{Type: huma.TypeNumber, Minimum: &least, Maximum: &most, Description: "VAT rate in percent"}
}
