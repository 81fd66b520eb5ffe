// Package stats has small numerics without business words: ridge-penalised Poisson regression, solving of
// symmetric systems, quantiles.
package stats

import (
	"math"
	"sort"
)

// Solve finds x with A·x = b for a symmetric positive definite A of n×n, row by row, by Cholesky. It
// overwrites A and b; b becomes x. False when A is not positive definite.
func Solve(a []float64, b []float64) bool {
	n := len(b)
	for j := range n {
		d := a[j*n+j]
		for k := range j {
			d -= a[j*n+k] * a[j*n+k]
		}
		if !(d > 0) {
			return false
		}
		d = math.Sqrt(d)
		a[j*n+j] = d
		for i := j + 1; i < n; i++ {
			v := a[i*n+j]
			for k := range j {
				v -= a[i*n+k] * a[j*n+k]
			}
			a[i*n+j] = v / d
		}
	}
	for i := range n {
		v := b[i]
		for k := range i {
			v -= a[i*n+k] * b[k]
		}
		b[i] = v / a[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		v := b[i]
		for k := i + 1; k < n; k++ {
			v -= a[k*n+i] * b[k]
		}
		b[i] = v / a[i*n+i]
	}
	return true
}

// PoissonRidge fits log E[y] = x·β by iteratively reweighted least squares (McCullagh and Nelder,
// "Generalized Linear Models", 1989), with the penalty ½·Σ ridge[j]·(β[j] − prior[j])². x holds the rows one
// after another, len(prior) values each; w the weights; offset, if not nil, is added to x·β. It starts at
// start (or prior) and stops after steps rounds or when nothing moves; the best β found is returned.
func PoissonRidge(x, y, w, offset, prior, ridge, start []float64, steps int) []float64 {
	p := len(prior)
	n := len(y)
	beta := append([]float64(nil), prior...)
	if len(start) == p {
		copy(beta, start)
	}
	a, b := make([]float64, p*p), make([]float64, p)
	loss := func(beta []float64) float64 {
		l := 0.0
		for i := range n {
			eta := dot(x[i*p:i*p+p], beta)
			if offset != nil {
				eta += offset[i]
			}
			eta = clamp(eta)
			l += w[i] * (math.Exp(eta) - y[i]*eta)
		}
		for j := range p {
			d := beta[j] - prior[j]
			l += .5 * ridge[j] * d * d
		}
		return l
	}
	best := loss(beta)
	for range steps {
		clear(a)
		for j := range p {
			a[j*p+j] = ridge[j]
			b[j] = ridge[j] * (prior[j] - beta[j])
		}
		for i := range n {
			if w[i] == 0 {
				continue
			}
			row := x[i*p : i*p+p]
			eta := dot(row, beta)
			if offset != nil {
				eta += offset[i]
			}
			mu := math.Exp(clamp(eta))
			g, h := w[i]*(y[i]-mu), w[i]*mu
			for j, v := range row {
				if v == 0 {
					continue
				}
				b[j] += g * v
				hv := h * v
				for k := 0; k <= j; k++ {
					a[j*p+k] += hv * row[k]
				}
			}
		}
		for j := range p {
			a[j*p+j] += 1e-9
		}
		if !Solve(a, b) {
			break
		}
		step, moved := 1.0, false
		next := make([]float64, p)
		for range 8 {
			for j := range p {
				next[j] = beta[j] + step*b[j]
			}
			if l := loss(next); l < best-1e-9*math.Abs(best) {
				best, moved = l, true
				break
			}
			step /= 2
		}
		if !moved {
			break
		}
		copy(beta, next)
	}
	return beta
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func clamp(eta float64) float64 { return math.Min(math.Max(eta, -30), 30) }

// Quantile of sorted values by linear interpolation between order statistics (Hyndman and Fan 1996, type 7);
// NaN without values.
func Quantile(sorted []float64, tau float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	at := tau * float64(n-1)
	i := int(at)
	if i >= n-1 {
		return sorted[n-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Median of values, which it sorts; 0 without any.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sort.Float64s(v)
	return Quantile(v, .5)
}

// NormalScore is the quantile of the standard normal distribution at tau, which is held between .001 and .999.
func NormalScore(tau float64) float64 {
	return math.Sqrt2 * math.Erfinv(2*math.Min(math.Max(tau, .001), .999)-1)
}
