package gbm

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// wave makes rows whose mean is known: f(x0, x1), with x2 and x3 telling nothing and gaps in x1.
func wave(n int, seed uint64) (x *Matrix, mean []float64, r *rand.Rand) {
	r = rand.New(rand.NewPCG(seed, 1))
	x = NewMatrix(n, 4)
	mean = make([]float64, n)
	for i := range n {
		for c := range x.Cols {
			x.Cols[c][i] = float32(r.Float64() * 4)
		}
		bump := 1.0
		if r.Float64() < .2 {
			x.Cols[1][i] = float32(math.NaN())
			bump = 3
		} else if x.Cols[1][i] > 2 {
			bump = 2
		}
		mean[i] = math.Exp(math.Sin(float64(x.Cols[0][i]))) * bump
	}
	return x, mean, r
}

func row(x *Matrix, i int) []float32 {
	v := make([]float32, len(x.Cols))
	for c := range v {
		v[c] = x.Cols[c][i]
	}
	return v
}

func TestCountsAreLearnedWithTheirGaps(t *testing.T) {
	x, mean, r := wave(20000, 1)
	y := make([]float64, x.Rows)
	for i, m := range mean {
		for p := r.Float64(); p > math.Exp(-m); p *= r.Float64() {
			y[i]++
		}
	}
	m := Train(x, y, nil, Params{Loss: Poisson, Seed: 3})
	tx, tmean, _ := wave(2000, 2)
	off := 0.0
	total := 0.0
	for i, want := range tmean {
		off += math.Abs(m.Predict(row(tx, i)) - want)
		total += want
	}
	if off/total > .07 {
		t.Errorf("means are off by %.1f %%", 100*off/total)
	}
}

func TestAQuantileLeavesItsShareBelow(t *testing.T) {
	x, mean, r := wave(20000, 5)
	y := make([]float64, x.Rows)
	for i, m := range mean {
		y[i] = m * math.Exp(.4*r.NormFloat64())
	}
	for _, tau := range []float64{.1, .5, .9} {
		m := Train(x, y, nil, Params{Loss: Quantile, Tau: tau, Seed: 3})
		tx, tmean, tr := wave(5000, 6)
		below := 0.0
		for i, want := range tmean {
			if want*math.Exp(.4*tr.NormFloat64()) <= m.Predict(row(tx, i)) {
				below++
			}
		}
		if got := below / 5000; math.Abs(got-tau) > .03 {
			t.Errorf("%.2f of new values lie below the %.1f quantile", got, tau)
		}
	}
}

func TestProbabilitiesAndPlainValuesAreLearned(t *testing.T) {
	x, mean, r := wave(20000, 7)
	yes, val := make([]float64, x.Rows), make([]float64, x.Rows)
	for i, m := range mean {
		if r.Float64() < m/10 {
			yes[i] = 1
		}
		val[i] = m + r.NormFloat64()
	}
	p := Train(x, yes, nil, Params{Loss: Logistic, Leaves: 15})
	v := Train(x, val, nil, Params{Loss: Squared})
	tx, tmean, _ := wave(2000, 8)
	var offP, offV float64
	for i, m := range tmean {
		offP += math.Abs(p.Predict(row(tx, i))-m/10) / 2000
		offV += math.Abs(v.Predict(row(tx, i))-m) / 2000
	}
	if offP > .035 || offV > .2 {
		t.Errorf("probabilities off by %.3f, values by %.3f", offP, offV)
	}
}

func TestAWeightOfTwoCountsAsTwoRowsAndOfZeroAsNone(t *testing.T) {
	x, mean, _ := wave(3000, 9)
	w := make([]float64, x.Rows)
	twice := NewMatrix(0, 4)
	var y2 []float64
	for i := range w {
		w[i] = float64(i % 3)
		for range i % 3 {
			for c := range twice.Cols {
				twice.Cols[c] = append(twice.Cols[c], x.Cols[c][i])
			}
			twice.Rows++
			y2 = append(y2, mean[i])
		}
	}
	p := Params{Loss: Squared, Trees: 10, Leaves: 4, MinRows: 1, Bins: 255}
	a, b := Train(x, mean, w, p), Train(twice, y2, nil, p)
	if math.Abs(a.Base-b.Base) > 1e-9 {
		t.Errorf("bases %g and %g", a.Base, b.Base)
	}
	var va, vb float64
	for i := range 500 {
		va += a.Predict(row(x, i))
		vb += b.Predict(row(x, i))
	}
	if math.Abs(va-vb)/500 > .05 {
		t.Errorf("weighted and repeated rows differ by %g", math.Abs(va-vb)/500)
	}
}

func TestOneCoreAndEightMakeTheSameModel(t *testing.T) {
	x, mean, _ := wave(60000, 11)
	p := Params{Loss: Poisson, Trees: 12, Features: .8, Rows: .7, Seed: 42}
	one := Train(x, mean, nil, p)
	p.Workers = 8
	eight := Train(x, mean, nil, p)
	if !reflect.DeepEqual(one, eight) {
		t.Error("the models differ")
	}
	p.Seed = 43
	if reflect.DeepEqual(one, Train(x, mean, nil, p)) {
		t.Error("the seed changes nothing")
	}
}

func TestAModelSurvivesBeingStored(t *testing.T) {
	x, mean, _ := wave(3000, 12)
	m := Train(x, mean, nil, Params{Loss: Poisson, Trees: 20})
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m, back) {
		t.Error("it came back different")
	}
	for _, bad := range [][]byte{nil, {1, 2, 3}, b[:len(b)/2], append([]byte{99}, b[1:]...)} {
		if _, err := Decode(bad); err == nil {
			t.Errorf("%d broken bytes were taken for a model", len(bad))
		}
	}
}

func TestThereIsNothingToLearnFromNothing(t *testing.T) {
	for name, c := range map[string]struct {
		rows int
		y    float64
	}{"no rows": {0, 0}, "one row": {1, 5}, "all zero": {200, 0}, "all equal": {200, 3}} {
		x := NewMatrix(c.rows, 2)
		y := make([]float64, c.rows)
		for i := range y {
			y[i] = c.y
			x.Cols[0][i] = float32(i)
			x.Cols[1][i] = float32(math.NaN())
		}
		for _, l := range []Loss{Squared, Poisson, Quantile, Logistic} {
			if l == Logistic && c.y > 1 {
				continue
			}
			got := Train(x, y, nil, Params{Loss: l}).Predict([]float32{1, float32(math.NaN())})
			if math.IsNaN(got) || math.Abs(got-c.y) > .6 && !(c.rows == 0) {
				t.Errorf("%s, loss %d: %g", name, l, got)
			}
		}
	}
}

func TestValuesThatAreCommonHaveLimitsToo(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	col := make([]float32, 0, 20_000)
	for range cap(col) { // half are zero, the others one of 2,000 values: more than bins, most of them several times
		v := float32(0)
		if r.IntN(2) == 1 {
			v = float32(1+r.IntN(2000)) / 28
		}
		col = append(col, v)
	}
	b := borders(col, 255)
	if len(b) < 120 || len(b) > 254 {
		t.Errorf("%d limits", len(b))
	}
	counts := map[uint8]int{}
	for _, v := range col {
		counts[binOf(b, v)]++
	}
	for bin, n := range counts {
		if bin != 1 && n > 250 { // a 255th is 78 rows, and equal values stay together
			t.Errorf("bin %d has %d rows", bin, n)
		}
	}
	if counts[1] < 9_000 || counts[1] > 11_000 {
		t.Errorf("the zeros are %d", counts[1])
	}
}
