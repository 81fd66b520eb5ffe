package forecast

import (
	"encoding/json"
	"fmt"
	"math"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/qty"
)

// storedDay is one day of a product: mean, five quantiles, seven parts, in thousandths of the base unit.
type storedDay [1 + len(Taus) + partCount]int64

const partCount = 7

func (d *storedDay) mean() qty.Qty { return qty.Qty(d[0]) }

func (d *storedDay) quantiles() (q [len(Taus)]qty.Qty) {
	for i := range q {
		q[i] = qty.Qty(d[1+i])
	}
	return q
}

func (d *storedDay) parts() (p [partCount]qty.Qty) {
	for i := range p {
		p[i] = qty.Qty(d[1+len(Taus)+i])
	}
	return p
}

// store rounds a day; the level takes what rounding left over, so that the parts still add up to the mean.
func store(d Day, perUnit float64) (s storedDay) {
	n := func(units float64) int64 { return int64(qty.Nearest(units * perUnit)) }
	s[0] = n(d.Mean)
	for i, q := range d.Q {
		s[1+i] = n(q)
	}
	rest := s[0]
	parts := s[1+len(Taus):]
	for i, v := range [...]float64{0, d.Parts.Weekday, d.Parts.Trend, d.Parts.Holiday, d.Parts.Weather, d.Parts.Promotion, d.Parts.Correction} {
		parts[i] = n(v)
		rest -= parts[i]
	}
	parts[0] = rest
	return s
}

// Tally adds up errors of past forecasts: in sales units for a product, in money over several.
type Tally struct {
	N       int64              `json:"n"`
	SoldOut int64              `json:"sold_out,omitempty"` // of the days
	Actual  float64            `json:"actual"`
	Err     float64            `json:"err"`
	Naive   float64            `json:"naive"`
	Mean4   float64            `json:"mean4"`
	Bias    float64            `json:"bias"`
	Floor   float64            `json:"floor"`
	Pinball [len(Taus)]float64 `json:"pinball"`
	Cover   [len(Taus)]float64 `json:"cover"`
}

// add one day at the worth of a unit; actual is its demand.
func (t *Tally) add(actual float64, d Day, naive, mean4, worth float64, soldOut bool) {
	t.N++
	if soldOut {
		t.SoldOut++
	}
	t.Actual += worth * actual
	t.Err += worth * math.Abs(d.Mean-actual)
	t.Naive += worth * math.Abs(naive-actual)
	t.Mean4 += worth * math.Abs(mean4-actual)
	t.Bias += worth * (d.Mean - actual)
	t.Floor += worth * poissonError(d.Mean)
	for i, tau := range Taus {
		x := actual - d.Q[i]
		t.Pinball[i] += worth * math.Max(tau*x, (tau-1)*x)
		t.Cover[i] += covered(actual, d.Q[i])
	}
}

func (t *Tally) join(o Tally) {
	t.N += o.N
	t.SoldOut += o.SoldOut
	t.Actual += o.Actual
	t.Err += o.Err
	t.Naive += o.Naive
	t.Mean4 += o.Mean4
	t.Bias += o.Bias
	t.Floor += o.Floor
	for i := range Taus {
		t.Pinball[i] += o.Pinball[i]
		t.Cover[i] += o.Cover[i]
	}
}

// poissonError is the mean absolute error of one who knows the mean m of a Poisson demand (Crow 1958):
// 2·e^−m·m^(⌊m⌋+1) ÷ ⌊m⌋!. Where people come purely at random nobody does better; it is shown as the floor.
func poissonError(m float64) float64 {
	if m <= 0 {
		return 0
	}
	k := math.Floor(m)
	lg, _ := math.Lgamma(k + 1)
	return 2 * math.Exp((k+1)*math.Log(m)-m-lg)
}

// trackDay is one day of a category or site in money: truth, forecast, the two references, and the
// variance that Poisson demand with this mean has.
type trackDay struct {
	Date   cal.Date `json:"d"`
	Actual float64  `json:"a"`
	Mean   float64  `json:"m"`
	Naive  float64  `json:"n"`
	Mean4  float64  `json:"w"`
	Var    float64  `json:"v"`
}

func pack(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func unpack(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("stored forecast can not be read: %w", err)
	}
	return nil
}

// packProfile keeps shares as ten-thousandths.
func packProfile(p [2][daySlots]float64) [2][]int {
	var out [2][]int
	for k := range p {
		for _, v := range p[k] {
			out[k] = append(out[k], int(math.Round(v*10_000)))
		}
	}
	return out
}
