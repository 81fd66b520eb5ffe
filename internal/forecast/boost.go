package forecast

import (
	"math"
	"math/rand/v2"

	"zhanggui/internal/platform/gbm"
)

// Member (c): one boosted model for all series of a panel (planning §1). The target is demand ÷ the series'
// own level, weighted with the level, under Poisson loss; every feature is known at the origin for every
// day ahead.

const (
	boostRows  = 400_000 // at most so many training rows, sampled: more teach nothing new
	boostMin   = 500     // rows below which trees learn nothing that holds
	yearlyFrom = 540     // days of history from which the time of year is told from the mere passing of time
	maxRatio   = 30      // times the level beyond which a target counts as that much
)

// runs are prefix sums over the columns of one series, so that any window's mean costs two look-ups.
type runs struct {
	y, yy, n, zero []float64 // sums over columns before the index
	lastSale       []int32   // the last column ≤ t with demand, −1
}

func newRuns(d demand) runs {
	m := len(d.qty)
	r := runs{y: make([]float64, m+1), yy: make([]float64, m+1), n: make([]float64, m+1), zero: make([]float64, m+1), lastSale: make([]int32, m)}
	last := int32(-1)
	for t, q := range d.qty {
		r.y[t+1], r.yy[t+1], r.n[t+1], r.zero[t+1] = r.y[t], r.yy[t], r.n[t], r.zero[t]
		if d.weight[t] > 0 {
			r.y[t+1] += q
			r.yy[t+1] += q * q
			r.n[t+1]++
			if q <= 0 {
				r.zero[t+1]++
			} else {
				last = int32(t)
			}
		}
		r.lastSale[t] = last
	}
	return r
}

// level is the mean of the last 28 days, of whatever there is before that; 0 without any.
func (r *runs) level(o int) float64 {
	m := r.mean(o-27, o)
	if math.IsNaN(m) {
		m = r.mean(0, o)
	}
	if math.IsNaN(m) {
		return 0
	}
	return m
}

// mean over columns from … to, NaN without a known day.
func (r *runs) mean(from, to int) float64 {
	from = max(from, 0)
	to = min(to, len(r.n)-2)
	if to < from {
		return math.NaN()
	}
	n := r.n[to+1] - r.n[from]
	if n == 0 {
		return math.NaN()
	}
	return (r.y[to+1] - r.y[from]) / n
}

func (r *runs) zeros(from, to int) float64 {
	from = max(from, 0)
	n := r.n[to+1] - r.n[from]
	if n == 0 {
		return math.NaN()
	}
	return (r.zero[to+1] - r.zero[from]) / n
}

func (r *runs) sd(from, to int) float64 {
	from = max(from, 0)
	n := r.n[to+1] - r.n[from]
	if n < 2 {
		return math.NaN()
	}
	m := (r.y[to+1] - r.y[from]) / n
	return math.Sqrt(math.Max(0, (r.yy[to+1]-r.yy[from])/n-m*m))
}

// boostFeatures names the columns in order.
var boostFeatures = []string{
	"lag1w", "lag2w", "lag3w", "lag4w", "lag5w", "lag6w", "same8",
	"mean7", "prev7", "mean14", "mean56", "sd28", "zero28", "last", "last2", "last/own4",
	"year-1", "year0", "year+1", "year28", "yearGrowth", "logLevel", "h", "weekday", "sin", "cos", "dayOfYear", "monthDay",
	"off", "offBefore", "offAfter", "toOff", "sinceOff", "work",
	"index", "sinceSale", "age", "shop7", "priceRatio", "promo", "promoBefore", "tmax", "rain", "tmaxAnomaly", "group",
	"spring", "qingming", "labour", "dragonBoat", "midAutumn", "national",
}

var featureFestivals = []int{0, 2, 3, 4, 5, 6} // places in festivalSpans of the last six features

// boostRow fills one row of features for series i, origin o, h days ahead, and gives the level. yearly tells
// whether the time of year is among them.
func (e *Engine) boostRow(i, o, h int, v view, yearly bool, row []float32) float64 {
	s := &e.p.Series[i]
	d := &e.demand[i]
	r := &e.runs[i]
	t := o + h
	wk := (h + 6) / 7
	level := r.level(o) + .1
	x := row[:0]
	add := func(v float64) { x = append(x, float32(v)) }
	nan := math.NaN()
	at := func(c int) float64 {
		if c < s.Start || c > o || d.weight[c] == 0 {
			return nan
		}
		return d.qty[c]
	}
	for k := range 6 {
		add(at(t-7*(wk+k)) / level)
	}
	same, n := 0.0, 0.0
	var own4, own4n float64
	for k := range 8 {
		if v := at(t - 7*(wk+k)); v == v {
			same, n = same+v, n+1
		}
	}
	add(same / n / level)
	add(r.mean(max(o-6, s.Start), o) / level)
	add(r.mean(max(o-13, s.Start), o-7) / level)
	add(r.mean(max(o-13, s.Start), o) / level)
	add(r.mean(max(o-55, s.Start), o) / level)
	add(r.sd(max(o-27, s.Start), o) / level)
	add(r.zeros(max(o-27, s.Start), o))
	add(at(o) / level)
	add(at(o-1) / level)
	for k := 1; k <= 4; k++ {
		if v := at(o - 7*k); v == v {
			own4, own4n = own4+v, own4n+1
		}
	}
	add(at(o) / (own4/own4n + .1))
	add(at(t-371) / level)
	add(at(t-364) / level)
	add(at(t-357) / level)
	add(r.mean(max(t-364-13, s.Start), t-364+14) / level)
	then := nan
	if o-364-27 >= s.Start {
		then = r.mean(t-364-6, t-364+7) / (r.mean(o-364-27, o-364) + .1)
	}
	add(then)
	add(math.Log(level))
	add(float64(h))
	a := v.a
	add(float64(a.weekday[t]))
	if w := dayOfYearAngle(a.day[t]); yearly {
		add(math.Sin(w))
		add(math.Cos(w))
		add(float64(a.day[t]))
	} else {
		add(nan)
		add(nan)
		add(nan)
	}
	add(float64(a.monthDay[t]))
	flag := func(v []bool, c int) {
		if c >= 0 && c < len(v) && v[c] {
			add(1)
		} else {
			add(0)
		}
	}
	flag(a.off, t)
	flag(a.off, t-1)
	flag(a.off, t+1)
	add(float64(a.toOff[t]))
	add(float64(a.sinceOff[t]))
	flag(a.work, t)
	// weekday index of twelve weeks
	sum, m := 0.0, 0.0
	for k := range 12 {
		if v := at(t - 7*(wk+k)); v == v {
			sum, m = sum+v, m+1
		}
	}
	add((sum + level) / (m + 1) / (r.mean(max(o-83, s.Start), o) + .1))
	if l := r.lastSale[o]; l >= 0 {
		add(float64(o - int(l)))
	} else {
		add(nan)
	}
	add(math.Min(float64(o-s.Start), 400))
	add(e.shopRatio(s.Shop, o))
	price := nan
	if len(s.Price) > 0 && v.promo {
		past := 0.0
		k := 0.0
		for c := max(o-27, s.Start); c <= min(o, len(s.Price)-1); c++ { // an origin may lie behind the last known price
			if p := s.Price[c]; p == p && p > 0 {
				past, k = past+p, k+1
			}
		}
		if c := min(t, len(s.Price)-1); k > 0 && s.Price[c] > 0 {
			price = s.Price[c] / (past / k)
		}
	}
	add(price)
	promo := func(c int) float64 {
		if c < 0 || c >= len(s.Promo) || !v.promo {
			return 0
		}
		return s.Promo[c]
	}
	add(promo(t))
	add(promo(t - 7))
	weather := e.weather(s, v)
	tmax, rain, anomaly := nan, nan, nan
	if t < len(weather) {
		tmax, rain = weather[t].TMax, weather[t].Rain
		past, k := 0.0, 0.0
		for c := max(0, o-13); c <= o; c++ {
			if v := weather[c].TMax; v == v {
				past, k = past+v, k+1
			}
		}
		anomaly = tmax - past/k
	}
	add(tmax)
	add(rain)
	add(anomaly)
	add(float64(s.Group))
	for _, f := range featureFestivals {
		v := nan
		if a.festival != nil && a.festival[f][t] <= maxOffset {
			v = float64(a.festival[f][t])
		}
		add(v)
	}
	for k, v := range x {
		if math.IsInf(float64(v), 0) {
			x[k] = float32(nan)
		}
	}
	return level
}

// shopRatio is the shop's last seven days against its last 28.
func (e *Engine) shopRatio(shop, o int) float64 {
	r := &e.shops[shop]
	return r.mean(o-6, o) / r.mean(o-27, o)
}

// trainBoost learns from everything up to column o; nil when that is too little.
func (e *Engine) trainBoost(o int, yearly bool) *gbm.Model {
	type ref struct{ series, t int32 }
	var refs []ref
	for i := range e.p.Series {
		s := &e.p.Series[i]
		for t := max(s.Start+warmUp, o-3*365); t <= o; t++ {
			if e.demand[i].weight[t] > 0 {
				refs = append(refs, ref{int32(i), int32(t)})
			}
		}
	}
	if len(refs) < boostMin {
		return nil
	}
	r := rand.New(rand.NewPCG(20240101, uint64(len(refs))))
	if len(refs) > boostRows {
		r.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
		refs = refs[:boostRows]
	}
	reach := max(7, min(e.o.Horizon, 14))
	hs := make([]int8, len(refs)) // how many days before the row is seen
	for k := range hs {
		hs[k] = int8(1 + r.IntN(reach))
	}
	n := len(refs)
	x := gbm.NewMatrix(n, len(boostFeatures))
	y, w := make([]float64, n), make([]float64, n)
	const block = 4096
	e.each((n+block-1)/block, func(b int) {
		row := make([]float32, 0, len(boostFeatures))
		for k := b * block; k < min(n, (b+1)*block); k++ {
			i, t, h := int(refs[k].series), int(refs[k].t), int(hs[k])
			if t-h < e.p.Series[i].Start+7 {
				continue
			}
			level := e.boostRow(i, t-h, h, e.all(), yearly, row)
			for c, v := range row[:len(boostFeatures)] {
				x.Cols[c][k] = v
			}
			d := &e.demand[i]
			y[k] = math.Min(d.qty[t]/level, maxRatio)
			w[k] = level * d.weight[t]
		}
	})
	p := gbm.Params{Loss: gbm.Poisson, Trees: 100, Rate: .1, Workers: e.o.Workers, Seed: 7}
	if len(e.p.Series) <= 20 {
		p.Trees, p.Rate = 150, .07
	}
	return gbm.Train(x, y, w, p)
}
