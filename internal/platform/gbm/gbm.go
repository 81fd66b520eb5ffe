// Package gbm boosts regression trees over histograms of binned features: leaf-wise trees, Newton steps,
// missing values in a bin of their own, sibling histograms by subtraction. It follows Friedman, "Greedy
// function approximation" (2001), in the histogram form of Ke et al., "LightGBM" (2017).
//
// The result is the same to the last bit for any number of workers: each feature's histogram is summed by
// one worker in row order, and equal gains go to the lower feature, then the lower bin.
package gbm

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
)

// Loss is what a model makes small.
type Loss int

// The losses. Poisson and Logistic models keep log means and log odds inside and Predict answers with the
// mean and the probability.
const (
	Squared Loss = iota
	Poisson
	Quantile
	Logistic
)

// Params of a training. The zero value of a field takes the default in brackets.
type Params struct {
	Loss     Loss
	Tau      float64 // of the Quantile loss (0.5)
	Trees    int     // (100)
	Rate     float64 // (0.1)
	Leaves   int     // per tree (31)
	MinRows  int     // per leaf (40)
	Lambda   float64 // (1)
	Features float64 // share of features each tree may use (1)
	Rows     float64 // share of rows each tree sees (1)
	Bins     int     // per feature, at most 255 (one for every 50 rows, 32 … 255)
	Seed     uint64
	Workers  int // (1)
}

func (p Params) withDefaults(rows int) Params {
	if p.Tau == 0 {
		p.Tau = .5
	}
	if p.Trees == 0 {
		p.Trees = 100
	}
	if p.Rate == 0 {
		p.Rate = .1
	}
	if p.Leaves == 0 {
		p.Leaves = 31
	}
	if p.MinRows == 0 {
		p.MinRows = 40
	}
	if p.Lambda == 0 {
		p.Lambda = 1
	}
	if p.Features == 0 {
		p.Features = 1
	}
	if p.Rows == 0 {
		p.Rows = 1
	}
	if p.Bins == 0 {
		p.Bins = max(32, rows/50)
	}
	p.Bins = min(max(p.Bins, 2), maxBins)
	p.Workers = max(p.Workers, 1)
	return p
}

const (
	maxBins  = 255 // beside bin 0 for missing values
	missing  = 0
	binRows  = 200_000 // rows looked at to place bin borders
	tinyHess = 1e-12
)

// Matrix is a table of features, one slice per feature; NaN is a missing value.
type Matrix struct {
	Rows int
	Cols [][]float32
}

// NewMatrix makes a table of zeros.
func NewMatrix(rows, cols int) *Matrix {
	m := &Matrix{Rows: rows, Cols: make([][]float32, cols)}
	all := make([]float32, rows*cols)
	for i := range m.Cols {
		m.Cols[i] = all[i*rows : (i+1)*rows : (i+1)*rows]
	}
	return m
}

// Node of a tree. A leaf has Feature −1 and its Value; a value goes left when it is ≤ Border, a missing one
// when MissingLeft.
type Node struct {
	Feature     int32
	Left, Right int32
	MissingLeft bool
	Border      float32
	Value       float64
}

// Model is a trained sum of trees.
type Model struct {
	Loss  Loss
	Base  float64
	Trees [][]Node
}

// Raw is the model's value before the loss's link.
func (m *Model) Raw(row []float32) float64 {
	f := m.Base
	for _, t := range m.Trees {
		n := &t[0]
		for n.Feature >= 0 {
			v := row[n.Feature]
			left := v <= n.Border
			if v != v {
				left = n.MissingLeft
			}
			if left {
				n = &t[n.Left]
			} else {
				n = &t[n.Right]
			}
		}
		f += n.Value
	}
	return f
}

// Predict is the mean, quantile or probability for one row of features.
func (m *Model) Predict(row []float32) float64 { return link(m.Loss, m.Raw(row)) }

func link(l Loss, f float64) float64 {
	switch l {
	case Poisson:
		return math.Exp(math.Min(f, 50))
	case Logistic:
		return 1 / (1 + math.Exp(-f))
	}
	return f
}

// borders places the limits of at most n bins for one feature: between distinct values, or by equal counts.
func borders(col []float32, n int) []float32 {
	step := (len(col) + binRows - 1) / binRows
	v := make([]float32, 0, len(col)/max(step, 1)+1)
	for i := 0; i < len(col); i += max(step, 1) {
		if col[i] == col[i] {
			v = append(v, col[i])
		}
	}
	slices.Sort(v)
	distinct := v[:0:0]
	for i, x := range v {
		if i == 0 || x != v[i-1] {
			distinct = append(distinct, x)
		}
	}
	var b []float32
	mid := func(lo, hi float32) float32 {
		m := lo + (hi-lo)/2
		if !(m < hi) {
			m = lo
		}
		return m
	}
	if len(distinct) <= n {
		for i := 1; i < len(distinct); i++ {
			b = append(b, mid(distinct[i-1], distinct[i]))
		}
		return b
	}
	at := 0
	for k := 1; k < n; k++ {
		if want := k * len(v) / n; want > at || at == 0 {
			at = want
		} else {
			continue // within the run of equal values that has its limit
		}
		for at > 0 && at < len(v) && v[at] == v[at-1] { // equal values share a bin: the limit is behind them
			at++
		}
		if at == 0 || at == len(v) {
			continue
		}
		m := mid(v[at-1], v[at])
		if len(b) == 0 || m > b[len(b)-1] {
			b = append(b, m)
		}
	}
	return b
}

// bin numbers from 1; the value is at most borders[bin−1].
func binOf(b []float32, v float32) uint8 {
	if v != v {
		return missing
	}
	lo, hi := 0, len(b)
	for lo < hi {
		m := (lo + hi) / 2
		if v <= b[m] {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return uint8(lo + 1)
}

type cell struct {
	g, h float64
	n    int32
}

type hist []cell // the bins of all features, one feature after another

type split struct {
	gain        float64
	feature     int
	bin         int
	missingLeft bool
}

type leaf struct {
	rows []int32
	hist hist
	g, h float64
	best split
	node int32
}

type trainer struct {
	p       Params
	bins    [][]uint8
	borders [][]float32
	at      []int // where a feature's bins begin in a histogram; one more for the end
	y, w    []float64
	f       []float64
	g, h    []float64
	og, oh  []float64 // gradients in the order of a leaf's rows
	pool    []hist
	use     []int // features of the tree under way
}

// Train fits a model. y are the targets, w the weights of the rows (nil: all 1); rows of weight 0 count for
// nothing. A Poisson target must not be negative.
func Train(x *Matrix, y, w []float64, p Params) *Model {
	p = p.withDefaults(x.Rows)
	if w == nil {
		w = make([]float64, x.Rows)
		for i := range w {
			w[i] = 1
		}
	}
	t := &trainer{p: p, y: y, w: w}
	t.bins = make([][]uint8, len(x.Cols))
	t.borders = make([][]float32, len(x.Cols))
	t.each(len(x.Cols), func(c int) {
		t.borders[c] = borders(x.Cols[c], p.Bins)
		b := make([]uint8, x.Rows)
		for i, v := range x.Cols[c] {
			b[i] = binOf(t.borders[c], v)
		}
		t.bins[c] = b
	})
	t.at = make([]int, len(x.Cols)+1)
	for c, b := range t.borders {
		t.at[c+1] = t.at[c] + len(b) + 2
	}
	n := x.Rows
	t.f, t.g, t.h = make([]float64, n), make([]float64, n), make([]float64, n)
	t.og, t.oh = make([]float64, n), make([]float64, n)
	m := &Model{Loss: p.Loss, Base: t.base()}
	for i := range t.f {
		t.f[i] = m.Base
	}
	r := rand.New(rand.NewPCG(p.Seed, 0x5eed))
	for range p.Trees {
		t.gradients()
		tree := t.grow(r)
		if len(tree) == 0 {
			break
		}
		m.Trees = append(m.Trees, tree)
	}
	return m
}

// each runs f(0 … n−1), one worker per call at a time.
func (t *trainer) each(n int, f func(int)) {
	if t.p.Workers == 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	for range min(t.p.Workers, n) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	wg.Wait()
}

func (t *trainer) base() float64 {
	var sw, sy float64
	for i, w := range t.w {
		sw += w
		sy += w * t.y[i]
	}
	if sw == 0 {
		return 0
	}
	mean := sy / sw
	switch t.p.Loss {
	case Poisson:
		return math.Log(math.Max(mean, 1e-9))
	case Logistic:
		q := math.Min(math.Max(mean, 1e-6), 1-1e-6)
		return math.Log(q / (1 - q))
	case Quantile:
		rows := make([]int32, len(t.y))
		for i := range rows {
			rows[i] = int32(i)
		}
		t.f = make([]float64, len(t.y))
		return t.quantile(rows)
	}
	return mean
}

// quantile of what is left of the targets, by weight.
func (t *trainer) quantile(rows []int32) float64 {
	type item struct{ v, w float64 }
	list := make([]item, 0, len(rows))
	total := 0.0
	for _, i := range rows {
		if t.w[i] > 0 {
			list = append(list, item{t.y[i] - t.f[i], t.w[i]})
			total += t.w[i]
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.SortFunc(list, func(a, b item) int { return cmp.Compare(a.v, b.v) })
	sum := 0.0
	for _, x := range list {
		if sum += x.w; sum >= t.p.Tau*total {
			return x.v
		}
	}
	return list[len(list)-1].v
}

func (t *trainer) gradients() {
	const block = 1 << 15
	t.each((len(t.y)+block-1)/block, func(b int) {
		for i := b * block; i < min(len(t.y), (b+1)*block); i++ {
			w, y, f := t.w[i], t.y[i], t.f[i]
			switch t.p.Loss {
			case Squared:
				t.g[i], t.h[i] = w*(f-y), w
			case Poisson:
				e := math.Exp(math.Min(f, 50))
				t.g[i], t.h[i] = w*(e-y), w*e
			case Logistic:
				q := 1 / (1 + math.Exp(-f))
				t.g[i], t.h[i] = w*(q-y), w*math.Max(q*(1-q), 1e-9)
			case Quantile:
				t.g[i], t.h[i] = -w*t.p.Tau, w
				if f >= y {
					t.g[i] = w * (1 - t.p.Tau)
				}
			}
		}
	})
}

func (t *trainer) newHist() hist {
	if n := len(t.pool); n > 0 {
		h := t.pool[n-1]
		t.pool = t.pool[:n-1]
		return h
	}
	return make(hist, t.at[len(t.bins)])
}

// fill sums a leaf's gradients by bin, one feature at a time.
func (t *trainer) fill(l *leaf) {
	og, oh := t.og[:len(l.rows)], t.oh[:len(l.rows)]
	for k, i := range l.rows {
		og[k], oh[k] = t.g[i], t.h[i]
	}
	work := func(k int) {
		c := t.use[k]
		cells := l.hist[t.at[c]:t.at[c+1]]
		clear(cells)
		bins := t.bins[c]
		for k, i := range l.rows {
			x := &cells[bins[i]]
			x.g += og[k]
			x.h += oh[k]
			x.n++
		}
	}
	if len(l.rows) < 2000 {
		for k := range t.use {
			work(k)
		}
		return
	}
	t.each(len(t.use), work)
}

func (t *trainer) gain(g, h float64) float64 { return g * g / (h + t.p.Lambda) }

// seek finds the leaf's best split.
func (t *trainer) seek(l *leaf) {
	best := make([]split, len(t.use))
	total := int32(len(l.rows))
	min := int32(t.p.MinRows)
	work := func(k int) {
		c := t.use[k]
		b := split{feature: c}
		cells := l.hist[t.at[c]:t.at[c+1]]
		last := len(t.borders[c]) // splits lie after bins 1 … last
		miss := cells[missing]
		parent := t.gain(l.g, l.h)
		try := func(lg, lh float64, ln int32, bin int, left bool) {
			if ln < min || total-ln < min || lh < tinyHess || l.h-lh < tinyHess {
				return
			}
			if gain := t.gain(lg, lh) + t.gain(l.g-lg, l.h-lh) - parent; gain > b.gain {
				b.gain, b.bin, b.missingLeft = gain, bin, left
			}
		}
		var g, h float64
		var n int32
		for bin := 1; bin <= last; bin++ {
			g, h, n = g+cells[bin].g, h+cells[bin].h, n+cells[bin].n
			if cells[bin].n == 0 && bin > 1 {
				continue
			}
			try(g, h, n, bin, false)
			if miss.n > 0 {
				try(g+miss.g, h+miss.h, n+miss.n, bin, true)
			}
		}
		if miss.n > 0 { // everything known against everything missing
			g, h, n = g+cells[last+1].g, h+cells[last+1].h, n+cells[last+1].n
			try(g, h, n, last+1, false)
		}
		best[k] = b
	}
	if len(t.use)*int(total) < 64_000 {
		for k := range t.use {
			work(k)
		}
	} else {
		t.each(len(t.use), work)
	}
	l.best = split{feature: -1}
	for _, b := range best {
		if b.gain > l.best.gain && b.gain > 1e-12 {
			l.best = b
		}
	}
}

func (t *trainer) grow(r *rand.Rand) []Node {
	n := len(t.y)
	t.use = t.use[:0]
	for c := range t.bins {
		t.use = append(t.use, c)
	}
	if t.p.Features < 1 {
		r.Shuffle(len(t.use), func(i, j int) { t.use[i], t.use[j] = t.use[j], t.use[i] })
		t.use = t.use[:max(1, int(math.Ceil(t.p.Features*float64(len(t.use)))))]
		sort.Ints(t.use)
	}
	rows := make([]int32, 0, n)
	var left []int32 // rows this tree does not learn from, but moves too
	for i := range n {
		switch {
		case t.w[i] <= 0:
			left = append(left, int32(i))
		case t.p.Rows < 1 && r.Float64() >= t.p.Rows:
			left = append(left, int32(i))
		default:
			rows = append(rows, int32(i))
		}
	}
	root := &leaf{rows: rows, hist: t.newHist()}
	for _, i := range rows {
		root.g += t.g[i]
		root.h += t.h[i]
	}
	t.fill(root)
	t.seek(root)
	nodes := []Node{{Feature: -1}}
	leaves := []*leaf{root}
	for len(leaves) < t.p.Leaves {
		at := -1
		for i, l := range leaves {
			if l.best.feature >= 0 && (at < 0 || l.best.gain > leaves[at].best.gain) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		l := leaves[at]
		b := l.best
		bins := t.bins[b.feature]
		goesLeft := func(i int32) bool {
			if v := bins[i]; v != missing {
				return int(v) <= b.bin
			}
			return b.missingLeft
		}
		lrows := make([]int32, 0, len(l.rows)/2)
		rrows := make([]int32, 0, len(l.rows)/2)
		for _, i := range l.rows {
			if goesLeft(i) {
				lrows = append(lrows, i)
			} else {
				rrows = append(rrows, i)
			}
		}
		a, c := &leaf{rows: lrows, node: int32(len(nodes))}, &leaf{rows: rrows, node: int32(len(nodes) + 1)}
		small, large := a, c
		if len(a.rows) > len(c.rows) {
			small, large = c, a
		}
		small.hist = t.newHist()
		t.fill(small)
		for _, i := range small.rows {
			small.g += t.g[i]
			small.h += t.h[i]
		}
		large.g, large.h = l.g-small.g, l.h-small.h
		large.hist = l.hist
		for _, f := range t.use {
			p, s := large.hist[t.at[f]:t.at[f+1]], small.hist[t.at[f]:t.at[f+1]]
			for k := range p {
				p[k].g -= s[k].g
				p[k].h -= s[k].h
				p[k].n -= s[k].n
			}
		}
		border := float32(math.Inf(1))
		if b.bin <= len(t.borders[b.feature]) {
			border = t.borders[b.feature][b.bin-1]
		}
		nodes[l.node] = Node{Feature: int32(b.feature), Left: a.node, Right: c.node, MissingLeft: b.missingLeft, Border: border}
		nodes = append(nodes, Node{Feature: -1}, Node{Feature: -1})
		leaves[at] = a
		leaves = append(leaves, c)
		if len(leaves) < t.p.Leaves {
			t.seek(a)
			t.seek(c)
		}
	}
	if len(leaves) == 1 {
		t.pool = append(t.pool, root.hist)
		return nil
	}
	for _, l := range leaves {
		v := 0.0
		if t.p.Loss == Quantile {
			v = t.quantile(l.rows)
		} else {
			v = -l.g / (l.h + t.p.Lambda)
		}
		nodes[l.node].Value = t.p.Rate * v
		t.pool = append(t.pool, l.hist)
	}
	for _, l := range leaves {
		v := nodes[l.node].Value
		for _, i := range l.rows {
			t.f[i] += v
		}
	}
	for _, i := range left {
		t.f[i] += t.walk(nodes, i)
	}
	return nodes
}

// walk is the tree's value for a training row by its bins.
func (t *trainer) walk(nodes []Node, i int32) float64 {
	n := &nodes[0]
	for n.Feature >= 0 {
		v := t.bins[n.Feature][i]
		left := n.MissingLeft
		if v != missing {
			b := t.borders[n.Feature]
			left = math.IsInf(float64(n.Border), 1) || int(v) <= sort.Search(len(b), func(k int) bool { return b[k] >= n.Border })+1
		}
		if left {
			n = &nodes[n.Left]
		} else {
			n = &nodes[n.Right]
		}
	}
	return n.Value
}

// Encode writes a model for storage: a version byte, then gob.
func (m *Model) Encode() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(codeVersion)
	if err := gob.NewEncoder(&b).Encode(m); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

const codeVersion = 1

// ErrCode is a stored model that can not be read.
var ErrCode = errors.New("gbm: not a stored model of this version")

// Decode reads what Encode wrote.
func Decode(b []byte) (*Model, error) {
	if len(b) == 0 || b[0] != codeVersion {
		return nil, ErrCode
	}
	m := &Model{}
	if err := gob.NewDecoder(bytes.NewReader(b[1:])).Decode(m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCode, err)
	}
	for _, t := range m.Trees {
		for i, n := range t {
			if n.Feature >= 0 && (int(n.Left) <= i || int(n.Right) <= i || int(n.Left) >= len(t) || int(n.Right) >= len(t)) {
				return nil, ErrCode
			}
		}
	}
	return m, nil
}
