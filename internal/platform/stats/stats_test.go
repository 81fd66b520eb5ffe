package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestASymmetricSystemIsSolved(t *testing.T) {
	a := []float64{4, 2, .5, 2, 5, 1, .5, 1, 3}
	want := []float64{1, -2, 3}
	b := []float64{1.5, -5, 7.5} // the rows of a times want
	if !Solve(append([]float64(nil), a...), b) {
		t.Fatal("refused")
	}
	for i := range want {
		if math.Abs(b[i]-want[i]) > 1e-12 {
			t.Errorf("x = %v, want %v", b, want)
		}
	}
	if Solve([]float64{1, 2, 2, 1}, []float64{1, 1}) {
		t.Error("a matrix that is not positive definite was taken")
	}
}

func TestARegressionFindsTheRatesItWasMadeFrom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	truth := []float64{1.5, .4, -.7}
	const n = 20000
	var x, y, w, off []float64
	for range n {
		row := []float64{1, r.NormFloat64(), r.Float64()}
		o := .3 * r.NormFloat64()
		m := math.Exp(o + row[0]*truth[0] + row[1]*truth[1] + row[2]*truth[2])
		k := 0.0
		for p := r.Float64(); p > math.Exp(-m); p *= r.Float64() {
			k++
		}
		x, y, w, off = append(x, row...), append(y, k), append(w, 1), append(off, o)
	}
	zero := make([]float64, 3)
	got := PoissonRidge(x, y, w, off, zero, []float64{1e-6, 1e-6, 1e-6}, nil, 30)
	for j := range truth {
		if math.Abs(got[j]-truth[j]) > .03 {
			t.Errorf("β = %v, want %v", got, truth)
		}
	}
	held := PoissonRidge(x, y, w, off, []float64{0, .4, -.7}, []float64{1e-6, 1e12, 1e12}, nil, 30)
	if math.Abs(held[1]-.4) > 1e-6 || math.Abs(held[2]+.7) > 1e-6 {
		t.Errorf("a strong prior did not hold: %v", held)
	}
	if none := PoissonRidge(nil, nil, nil, nil, []float64{2}, []float64{1}, nil, 30); none[0] != 2 {
		t.Errorf("no rows moved the prior to %v", none)
	}
	wild := PoissonRidge([]float64{1, 1, 1}, []float64{0, 0, 0}, []float64{1, 1, 1}, nil, []float64{0}, []float64{1e-3}, nil, 30)
	if math.IsNaN(wild[0]) || wild[0] > 0 {
		t.Errorf("nothing but zeros gives %v", wild)
	}
}

func TestQuantilesLieBetweenTheirNeighbours(t *testing.T) {
	v := []float64{1, 2, 4, 8}
	for tau, want := range map[float64]float64{0: 1, .5: 3, 1: 8, .25: 1.75} {
		if got := Quantile(v, tau); math.Abs(got-want) > 1e-12 {
			t.Errorf("the %g quantile is %g, want %g", tau, got, want)
		}
	}
	if !math.IsNaN(Quantile(nil, .5)) {
		t.Error("nothing has a quantile")
	}
	if Median([]float64{9, 1, 5}) != 5 || Median(nil) != 0 {
		t.Error("medians")
	}
}
