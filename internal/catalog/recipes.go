package catalog

import (
	"fmt"
	"strings"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
)

// ErrLossRule refuses a rule that is none.
var ErrLossRule = errs.Define("loss_rule_bad", errs.Invalid,
	"损耗方式只能是 markup(按净需求加)或 yield(按领用量扣)", "The loss rule must be markup (of the net need) or yield (of what is issued)")

const (
	// DefaultLoss is assumed where nobody gave a rate: 3 % (spec 01 §2).
	DefaultLoss = 30_000
	// FirstDay is from when a recipe without a date is valid, LastDay the last day a version may begin.
	FirstDay cal.Date = "2000-01-01"
	LastDay  cal.Date = "2100-01-01"
)

// ParseLoss reads a loss rate such as 0.03, .03 or 3%, exactly: millionths of a whole.
func ParseLoss(s string) (int64, error) {
	bad := ErrLossRate.With("most", "0.999999")
	digits, percent := strings.CutSuffix(s, "%")
	decimals := 6
	if percent {
		digits, decimals = strings.TrimSpace(digits), 4
	}
	whole, frac, _ := strings.Cut(digits, ".")
	frac = strings.TrimRight(frac, "0")
	if whole == "" && !strings.Contains(digits, ".") || digits == "." || len(whole) > 3 || len(frac) > decimals {
		return 0, bad
	}
	var n int64
	for _, part := range [2]string{whole, (frac + "000000")[:decimals]} {
		for i := range len(part) {
			if part[i] < '0' || part[i] > '9' {
				return 0, bad
			}
			n = n*10 + int64(part[i]-'0')
		}
	}
	if n >= LossWhole {
		return 0, bad
	}
	return n, nil
}

// LossText writes a rate as ParseLoss reads it: "0.03".
func LossText(loss int64) string {
	s := fmt.Sprintf("0.%06d", loss)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// ParseLossRule reads markup or yield; divide is another word for the second.
func ParseLossRule(s string) (LossRule, error) {
	switch strings.ToLower(s) {
	case "", string(LossMarkup):
		return LossMarkup, nil
	case string(LossYield), "divide":
		return LossYield, nil
	}
	return "", ErrLossRule
}
