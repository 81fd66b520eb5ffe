//go:build data

package score

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"zhanggui/internal/app"
	"zhanggui/internal/platform/cal"
)

// point is one exported row, read back.
type point struct {
	series        string
	actual        float64
	mean          float64
	q             [5]float64
	snaive, mean4 float64
	origin, date  string
}

var taus = [5]float64{.5, .7, .8, .9, .95}

// backtest runs the command as a user does and reads its file.
func backtest(t *testing.T, s Set, holidays string) []point {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.csv")
	args := []string{"backtest", "--sales", s.Sales, "--holidays", holidays, "--out", out, "--json", "--from", s.From, "--to", s.To}
	if s.Weather != "" {
		args = append(args, "--weather", s.Weather)
	}
	var stdout, stderr bytes.Buffer
	if code := app.Run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("zhanggui %s: exit %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(head, ","); got != "origin,date,store,product,h,actual,mean,q50,q70,q80,q90,q95,snaive,mean4" {
		t.Fatalf("columns %s", got)
	}
	var all []point
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		p := point{series: rec[2] + "\x00" + rec[3], origin: rec[0], date: rec[1], actual: math.NaN()}
		to := []*float64{&p.actual, &p.mean, &p.q[0], &p.q[1], &p.q[2], &p.q[3], &p.q[4], &p.snaive, &p.mean4}
		for i, x := range to {
			if text := rec[5+i]; text != "" {
				if *x, err = strconv.ParseFloat(text, 64); err != nil {
					t.Fatalf("row %v: %v", rec, err)
				}
			} else if i > 0 {
				t.Fatalf("row %v: column %s is empty", rec, head[5+i])
			}
		}
		all = append(all, p)
	}
}

// figures are computed here from the rows alone.
type figures struct {
	n                               int
	wape, naive, mean4, bias, floor float64
	pinball, cover                  [5]float64
}

// measure pools the rows of series that sell at least minMean a day before the first origin.
func measure(points []point, use map[string]bool) figures {
	var f figures
	var sum, err, errN, err4, bias, noise float64
	for _, p := range points {
		if math.IsNaN(p.actual) || use != nil && !use[p.series] {
			continue
		}
		f.n++
		sum += p.actual
		err += math.Abs(p.mean - p.actual)
		errN += math.Abs(p.snaive - p.actual)
		err4 += math.Abs(p.mean4 - p.actual)
		bias += p.mean - p.actual
		noise += poissonError(p.mean)
		for k, tau := range taus {
			d := p.actual - p.q[k]
			f.pinball[k] += math.Max(tau*d, (tau-1)*d)
			switch {
			case p.actual == 0 && p.q[k] == 0:
				f.cover[k] += .5
			case p.actual <= p.q[k]:
				f.cover[k]++
			}
		}
	}
	f.wape, f.naive, f.mean4, f.bias, f.floor = err/sum, errN/sum, err4/sum, bias/sum, noise/sum
	for k := range taus {
		f.pinball[k] *= 2 / sum
		f.cover[k] /= float64(f.n)
	}
	return f
}

// poissonError is the mean absolute error of who knows the mean of a Poisson demand (Crow 1958):
// 2·e^−m·m^(⌊m⌋+1) ÷ ⌊m⌋!.
func poissonError(m float64) float64 {
	if m <= 0 {
		return 0
	}
	k := math.Floor(m)
	lg, _ := math.Lgamma(k + 1)
	return 2 * math.Exp(-m+(k+1)*math.Log(m)-lg)
}

// sellers are the series with at least 90 open days before the first origin and a mean of one a day on them.
func sellers(t *testing.T, s Set) map[string]bool {
	t.Helper()
	f, err := os.Open(s.Sales)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	head, _ := r.Read()
	col := map[string]int{}
	for i, h := range head {
		col[h] = i
	}
	type key struct{ store, date string }
	open := map[key]bool{}
	first := map[string]string{}
	sum := map[string]float64{}
	for {
		rec, err := r.Read()
		if err != nil {
			break
		}
		q := num(rec[col["quantity"]])
		store := ""
		if i, ok := col["store"]; ok {
			store = rec[i]
		}
		d := rec[col["date"]]
		if q <= 0 || d > s.From {
			continue
		}
		id := store + "\x00" + rec[col["product"]]
		open[key{store, d}] = true
		if first[id] == "" || d < first[id] {
			first[id] = d
		}
		sum[id] += q
	}
	use := map[string]bool{}
	for id, from := range first {
		store, _, _ := strings.Cut(id, "\x00")
		n := 0.0
		for k := range open {
			if k.store == store && k.date >= from {
				n++
			}
		}
		use[id] = n >= 90 && sum[id] >= n
	}
	return use
}

// bar is a figure, what it must be and what we aim for.
type bar struct {
	id, what  string
	got       float64
	must, aim float64 // at most
}

func TestScoreForecastsBeatTheSimpleRulesOnPublicData(t *testing.T) {
	data, err := DataFolder()
	if err != nil {
		t.Fatal(err)
	}
	sets, err := Sets(data, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var bars []bar
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-10s %6s %7s %7s %7s %7s %7s %7s  %s\n", "set", "days", "wape", "÷naive", "÷4week", "bias", "floor", "PL90", "cover .5/.7/.8/.9/.95")
	a1, w5 := 0.0, 0.0
	for _, s := range sets {
		points := backtest(t, s, s.Holidays)
		f := measure(points, sellers(t, s))
		fmt.Fprintf(&b, "%-10s %6d %7.4f %7.4f %7.4f %+7.4f %7.4f %7.4f  %.3f\n", s.Name, f.n, f.wape, f.wape/f.naive, f.wape/f.mean4, f.bias, f.floor, f.pinball[3], f.cover)
		ratio := f.wape / f.naive
		switch s.Name {
		case "frbak":
			bars = append(bars, bar{"W1", "french bakery ÷ same weekday last week", ratio, .88, .84}, bar{"W1", "french bakery WAPE", f.wape, .355, .335})
		case "rest":
			bars = append(bars, bar{"W2", "restaurant ÷ same weekday last week", ratio, .76, .725}, bar{"W2", "restaurant PL90", f.pinball[3], .128, .121})
		case "vegitem":
			bars = append(bars, bar{"W3", "vegetables ÷ same weekday last week", ratio, .875, .83}, bar{"W3", "vegetables ÷ mean of 4 weeks", f.wape / f.mean4, .90, .86})
		case "sid":
			bars = append(bars, bar{"W4", "store items ÷ same weekday last week", ratio, .75, .71})
		}
		if s.Name != "sid" {
			a1 += math.Log(ratio) / float64(len(sets)-1)
		}
		if s.Name == "frbak" || s.Name == "rest" || s.Name == "vegitem" || s.Name == "sid" {
			w5 += math.Log(ratio) / 4
		}
		if s.Name != "vegitem" {
			bars = append(bars, bar{"W6", s.Name + " cover .7 off by", math.Abs(f.cover[1] - .7), .05, .03})
		}
		bars = append(bars, bar{"W6", s.Name + " cover .9 off by", math.Abs(f.cover[3] - .9), .03, .02})
		limit := .05
		if s.Name == "frbak" {
			limit = .08
		}
		bars = append(bars, bar{"W7", s.Name + " bias", math.Abs(f.bias), limit, .03})
	}
	bars = append(bars, bar{"A1", "geometric mean ÷ same weekday last week", math.Exp(a1), .86, .838}, bar{"W5", "geometric mean of W1–W4", math.Exp(w5), .815, .78})
	met := 0
	for _, x := range bars {
		word := "aim"
		switch {
		case x.got > x.must:
			word = "MISSED"
			t.Errorf("%s %s: %.4f, must be at most %g", x.id, x.what, x.got, x.must)
		case x.got > x.aim:
			word = "must"
		default:
			met++
		}
		fmt.Fprintf(&b, "%-3s %-42s %8.4f  must ≤ %-6g aim ≤ %-6g %s\n", x.id, x.what, x.got, x.must, x.aim, word)
	}
	fmt.Fprintf(&b, "%d of %d reach the aim\n", met, len(bars))
	t.Log(b.String())
}

func TestScoreWithoutACalendarTheForecastStillBeatsTheSimpleRules(t *testing.T) {
	data, err := DataFolder()
	if err != nil {
		t.Fatal(err)
	}
	sets, err := Sets(data, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0.0, 0.0
	for _, s := range sets {
		if s.Name == "sid" { // has none anyway
			continue
		}
		s.Weather = ""
		f := measure(backtest(t, s, "none"), sellers(t, s))
		t.Logf("%-10s wape %.4f ÷naive %.4f", s.Name, f.wape, f.wape/f.naive)
		sum, n = sum+math.Log(f.wape/f.naive), n+1
	}
	if g := math.Exp(sum / n); g > .86 {
		t.Errorf("geometric mean ÷ same weekday last week %.4f, must be at most 0.86", g)
	} else {
		t.Logf("geometric mean ÷ same weekday last week %.4f", g)
	}
}

func TestScoreTheAnnouncedDaysAgreeWithThePublicList(t *testing.T) {
	data, err := DataFolder()
	if err != nil {
		t.Fatal(err)
	}
	list, err := readTable(filepath.Join(data, "holidays-cn", "days_2007_2024.csv"))
	if err != nil {
		t.Fatal(err)
	}
	cn := cal.CN()
	seen := map[cal.Date]bool{}
	for _, r := range list.rows {
		d := cal.Date(list.get(r, "date"))
		h, ok := cn.On(d)
		if off := list.get(r, "is_off_day") == "1"; !ok || h.Off != off {
			t.Errorf("%s: ours %+v, the list says off=%v", d, h, off)
		}
		seen[d] = true
	}
	for _, h := range cn.All() {
		if h.Date >= "2007-01-01" && h.Date <= "2024-12-28" && !seen[h.Date] {
			t.Errorf("%+v is not on the list", h)
		}
	}
}
