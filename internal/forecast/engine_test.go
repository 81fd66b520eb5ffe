package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zhanggui/internal/platform/cal"
)

// town makes shops of made-up trade: a weekday pattern, a slow year, Poisson days.
type town struct {
	days   int
	series []Series
	r      *rand.Rand
}

func newTown(days int) *town { return &town{days: days, r: rand.New(rand.NewPCG(1, 2))} }

var week = [7]float64{.8, .8, .9, 1, 1.2, 1.5, .8} // Monday first

// product sells mean a day on average, times shape of the column (nil: 1).
func (w *town) product(name string, mean float64, shape func(t int) float64) *town {
	s := Series{Product: name, Sold: make([]float64, w.days)}
	for t := range s.Sold {
		m := mean * week[(t+firstMonday)%7]
		if shape != nil {
			m *= shape(t)
		}
		s.Sold[t] = float64(poisson(w.r, m))
	}
	w.series = append(w.series, s)
	return w
}

const firstMonday = 0 // 2024-01-01 was one

func poisson(r *rand.Rand, mean float64) int {
	if mean > 200 {
		return int(math.Max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	k, p, limit := 0, 1.0, math.Exp(-mean)
	for p *= r.Float64(); p > limit; p *= r.Float64() {
		k++
	}
	return k
}

func (w *town) panel() *Panel {
	p := &Panel{First: "2024-01-01", Days: w.days, Shops: []Shop{{Name: "一店"}}}
	for _, s := range w.series {
		s.Start = w.days
		for t, q := range s.Sold {
			if q > 0 {
				s.Start = t
				break
			}
		}
		p.Series = append(p.Series, s)
	}
	p.closeDays()
	return p
}

func forecastAt(p *Panel, o int) [][]Day {
	return NewEngine(p, Options{Horizon: 14, Workers: 2, Explain: true}).Forecast(o)
}

func sumOf(days []Day, n int) float64 {
	s := 0.0
	for _, d := range days[:n] {
		s += d.Mean
	}
	return s
}

// sound checks what must hold for any input whatever.
func sound(t *testing.T, days [][]Day) {
	t.Helper()
	for i := range days {
		for h, d := range days[i] {
			last := 0.0
			for _, v := range append([]float64{d.Mean}, d.Q[:]...) {
				if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
					t.Fatalf("series %d day %d: %+v", i, h+1, d)
				}
			}
			for _, q := range d.Q {
				if q < last {
					t.Fatalf("series %d day %d: quantiles fall: %v", i, h+1, d.Q)
				}
				last = q
			}
			if gap := d.Parts.Sum() - d.Mean; math.Abs(gap) > 1e-6 {
				t.Fatalf("series %d day %d: parts %+v miss the mean %g by %g", i, h+1, d.Parts, d.Mean, gap)
			}
		}
	}
}

func TestAnOrdinaryWeekIsForecastAsItIs(t *testing.T) {
	t.Parallel()
	p := newTown(400).product("包子", 40, nil).product("粽子", 12, nil).product("豆浆", 90, nil).panel()
	days := forecastAt(p, p.Days-1)
	sound(t, days)
	for i, mean := range []float64{40, 12, 90} {
		for h, d := range days[i] {
			want := mean * week[(p.Days+h)%7]
			if math.Abs(d.Mean-want) > .12*want+.5 {
				t.Errorf("%s day %d: %.1f, sells %.1f", p.Series[i].Product, h+1, d.Mean, want)
			}
			if d.Q[0] > d.Mean*1.1 || d.Q[4] < d.Mean*1.02 {
				t.Errorf("%s day %d: quantiles %v around %.1f", p.Series[i].Product, h+1, d.Q, d.Mean)
			}
		}
	}
}

func TestADoubledDemandIsFollowedWithinFourWeeks(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{true, false} {
		for _, mean := range []float64{3, 40, 400} {
			w := newTown(428).product("面包", mean, func(t int) float64 {
				if t >= 400 {
					return 2
				}
				return 1
			})
			if !alone {
				w.product("牛奶", 30, nil).product("茶叶蛋", 60, nil).product("饭团", 20, nil)
			}
			p := w.panel()
			days := forecastAt(p, 427)
			sound(t, days)
			got := sumOf(days[0], 7) / 7.0 / mean
			if recovered := got - 1; recovered < .8 || recovered > 1.5 {
				t.Errorf("alone %v, %g a day: recovered %.0f %% of the step after 28 days", alone, mean, 100*recovered)
			}
		}
	}
}

func TestAProductThatDiesIsForgottenWithinFourWeeks(t *testing.T) {
	t.Parallel()
	for _, mean := range []float64{2, 20, 200} {
		w := newTown(428).product("旧款", mean, func(t int) float64 {
			if t >= 400 {
				return 0
			}
			return 1
		}).product("牛奶", 30, nil).product("饭团", 20, nil)
		p := w.panel()
		days := forecastAt(p, 427)
		sound(t, days)
		if left := sumOf(days[0], 7) / 7 / mean; left > .1 {
			t.Errorf("%g a day: %.0f %% of the old level after 28 days without a sale", mean, 100*left)
		}
	}
}

func TestASlipOfTheKeyboardMovesNextWeekLittle(t *testing.T) {
	t.Parallel()
	for _, mean := range []float64{3, 40} {
		for _, back := range []int{0, 3, 20} {
			w := newTown(400).product("面包", mean, nil).product("牛奶", 30, nil)
			clean := sumOf(forecastAt(w.panel(), 399)[0], 7)
			q := &w.series[0].Sold[399-back]
			*q = math.Max(*q, 1) * 1000
			days := forecastAt(w.panel(), 399)
			sound(t, days)
			if moved := sumOf(days[0], 7)/clean - 1; math.Abs(moved) > .15 {
				t.Errorf("%g a day: a figure ×1000 %d days ago moves next week by %.0f %%", mean, back, 100*moved)
			}
		}
	}
}

func TestSoldOutDaysAreNotDaysOfLittleDemand(t *testing.T) {
	t.Parallel()
	for _, mean := range []float64{8, 60} {
		for _, timed := range []bool{true, false} {
			w := newTown(400).product("面包", mean, nil)
			s := &w.series[0]
			s.SoldOut = repeat(int16(-1), w.days)
			truth := append([]float64(nil), s.Sold...)
			slots := map[slotKey]*[daySlots]float32{}
			for d := range w.days {
				// Customers come evenly from seven to nine in the evening; on 60 % of days the shelf is empty
				// at some time between eleven and eight.
				end := 21 * 60
				if w.r.Float64() < .6 {
					end = 11*60 + w.r.IntN(9*60)
					s.SoldOut[d] = int16(end)
				}
				sold := 0.0
				for range int(truth[d]) {
					at := 7*60 + w.r.IntN(14*60)
					if at < end {
						sold++
						k := slotKey{floorDiv(cal.Date("2024-01-01").Number()+d, slotPeriod), (d%7 >= 5)}
						if slots[k] == nil {
							slots[k] = new([daySlots]float32)
						}
						if s.SoldOut[d] < 0 {
							slots[k][at/30]++
						}
					}
				}
				s.Sold[d] = sold
			}
			if timed {
				for k, q := range slots {
					s.Slots = append(s.Slots, SlotSum{Period: k.period, Weekend: k.weekend, Qty: *q})
				}
			}
			p := w.panel()
			var said, wanted float64
			e := NewEngine(p, Options{Horizon: 7})
			for o := 200; o+7 < p.Days; o += 7 {
				for h, d := range e.Forecast(o)[0] {
					said, wanted = said+d.Mean, wanted+truth[o+1+h]
				}
			}
			bias := said/wanted - 1
			if bias < -.05 || bias > .12 {
				t.Errorf("%g a day, times known %v: bias %+.1f %%", mean, timed, 100*bias)
			}
		}
	}
}

func TestAClosedSundayIsForecastAsNothing(t *testing.T) {
	t.Parallel()
	sundays := func(t int) float64 {
		if t%7 == 6 {
			return 0
		}
		return 1
	}
	p := newTown(400).product("面包", 40, sundays).product("牛奶", 30, sundays).panel()
	for _, o := range []int{390, 395, 397, 399} {
		days := forecastAt(p, o)
		sound(t, days)
		for i := range days {
			for h, d := range days[i] {
				if sunday := (o+1+h)%7 == 6; sunday != (d.Mean == 0) || sunday && d.Q[4] != 0 {
					t.Errorf("origin %d day %d: %+v", o, h+1, d)
				}
			}
		}
	}
}

// A shop shut on Wednesdays for six weeks is forecast to be shut on the next, opens, and is open from then on. Those
// forecasts of nothing say nothing of how far off a forecast can be.
func TestAShopThatOpensAgainOnAWeekdayIsNotForecastAThousandfold(t *testing.T) {
	t.Parallel()
	w := newTown(300)
	for _, name := range []string{"bun", "bread"} {
		w.product(name, 100, func(t int) float64 {
			if t%7 == 2 && t >= 210 && t < 252 {
				return 0
			}
			return 1
		})
	}
	for _, o := range []int{260, 267, 274, 281} {
		for i, days := range NewEngine(w.panel(), Options{Horizon: 1, Workers: 1}).Forecast(o) { // a Wednesday
			for h, d := range days {
				if d.Q[len(d.Q)-1] > 4*math.Max(d.Mean, 60) {
					t.Errorf("product %d, %d days after day %d: mean %.1f with quantiles %.1f", i, h+1, o, d.Mean, d.Q)
				}
			}
		}
	}
}

func TestNothingStrangeBreaksTheForecast(t *testing.T) {
	t.Parallel()
	odd := map[string]func(w *town){
		"one sale ever":         func(w *town) { w.product("a", 0, nil); w.series[0].Sold[w.days-1] = 1 },
		"one sale long ago":     func(w *town) { w.product("a", 0, nil); w.series[0].Sold[0] = 5 },
		"never sold":            func(w *town) { w.product("a", 0, nil) },
		"new since Monday":      func(w *town) { w.product("a", 20, after(w.days-5)) },
		"new since three weeks": func(w *town) { w.product("a", 20, after(w.days-21)) },
		"long gap": func(w *town) {
			w.product("a", 20, func(t int) float64 { return float64(btoi(t < 50 || t > w.days-10)) })
		},
		"huge":         func(w *town) { w.product("a", 1e9, nil) },
		"tiny":         func(w *town) { w.product("a", 1, func(int) float64 { return .02 }) },
		"fractions":    func(w *town) { w.product("a", 5, nil); scale(w, .001) },
		"constant":     func(w *town) { w.product("a", 0, nil); fill(w, 7) },
		"only Fridays": func(w *town) { w.product("a", 9, func(t int) float64 { return float64(btoi(t%7 == 4)) }) },
		"explosion":    func(w *town) { w.product("a", 1, func(t int) float64 { return math.Exp(float64(t) / 30) }) },
	}
	for name, make := range odd {
		for _, days := range []int{1, 8, 60, 230} {
			for _, company := range []bool{false, true} {
				if company && days < 230 {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d days/company %v", name, days, company), func(t *testing.T) {
					w := newTown(days)
					make(w)
					if company {
						w.product("牛奶", 30, nil).product("饭团", 20, nil)
					}
					p := w.panel()
					p.Holidays, p.Lunar = cal.CN(), true
					for _, o := range []int{days / 2, days - 1} {
						sound(t, forecastAt(p, o))
					}
				})
			}
		}
	}
	if got := forecastAt(&Panel{First: "2024-01-01"}, -1); len(got) != 0 {
		t.Errorf("an empty panel is forecast as %v", got)
	}
}

func after(day int) func(int) float64 {
	return func(t int) float64 { return float64(btoi(t >= day)) }
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func scale(w *town, f float64) {
	for t := range w.series[0].Sold {
		w.series[0].Sold[t] *= f
	}
}

func fill(w *town, v float64) {
	for t := range w.series[0].Sold {
		w.series[0].Sold[t] = v
	}
}

// rich is a panel with everything a forecast may look at.
func rich(days int) *Panel {
	w := newTown(days)
	for i, m := range []float64{40, 12, 90, .7, 3, 25} {
		w.product(string(rune('a'+i)), m, func(t int) float64 { return 1 + .3*math.Sin(float64(t)/58) })
	}
	for i := range w.series {
		s := &w.series[i]
		s.Price = repeat(600.0, days+14)
		s.Promo = make([]float64, days+14)
		s.SoldOut = repeat(int16(-1), days)
		for t := range days + 14 {
			if w.r.Float64() < .1 {
				s.Promo[t], s.Price[t] = 1, 480
				if t < days {
					s.Sold[t] = math.Round(s.Sold[t] * 1.5)
				}
			}
			if t < days && w.r.Float64() < .1 {
				s.SoldOut[t] = 18 * 60
			}
		}
	}
	p := w.panel()
	p.Holidays, p.Lunar = cal.CN(), true
	p.Shops[0].Weather = make([]Weather, days+14)
	for t := range p.Shops[0].Weather {
		p.Shops[0].Weather[t] = Weather{TMax: 15 + 12*math.Sin(float64(t)/58) + 4*w.r.NormFloat64(), TMin: 5, Rain: math.Max(0, 6*w.r.NormFloat64())}
	}
	return p
}

func TestNoForecastKnowsWhatComesAfterItsOrigin(t *testing.T) {
	t.Parallel()
	const days = 380
	for _, o := range []int{230, 350} {
		want := forecastAt(rich(days), o)
		p := rich(days)
		r := rand.New(rand.NewPCG(9, 9))
		for i := range p.Series {
			s := &p.Series[i]
			for t := o + 1; t < days; t++ {
				s.Sold[t] = float64(r.IntN(5000))
				s.SoldOut[t] = int16(r.IntN(24*60)) - 1
			}
		}
		p.closeDays()
		got := forecastAt(p, o)
		for i := range want {
			for h := range want[i] {
				if want[i][h] != got[i][h] {
					t.Fatalf("origin %d series %d day %d: %+v, with another future %+v", o, i, h+1, want[i][h], got[i][h])
				}
			}
		}
	}
}

func TestTheForecastIsTheSameOnOneCoreAndOnEight(t *testing.T) {
	t.Parallel()
	p := rich(340)
	run := func(workers int) (all [][]Day) {
		e := NewEngine(p, Options{Horizon: 14, Workers: workers, Explain: true})
		for _, o := range []int{300, 307, 330} {
			all = append(all, e.Forecast(o)...)
		}
		return all
	}
	one, eight := run(1), run(8)
	for i := range one {
		for h := range one[i] {
			if one[i][h] != eight[i][h] {
				t.Fatalf("series %d day %d: %+v on one, %+v on eight", i, h+1, one[i][h], eight[i][h])
			}
		}
	}
}

func TestAnOriginIsForecastTheSameWhereverTheTestBegan(t *testing.T) {
	t.Parallel()
	p := rich(340)
	e := NewEngine(p, Options{Horizon: 7})
	for o := 260; o < 330; o += 7 {
		e.Forecast(o)
	}
	long := e.Forecast(330)
	short := NewEngine(p, Options{Horizon: 7}).Forecast(330)
	for i := range long {
		for h := range long[i] {
			if long[i][h] != short[i][h] {
				t.Fatalf("series %d day %d: %+v after a long run, %+v at once", i, h+1, long[i][h], short[i][h])
			}
		}
	}
}
