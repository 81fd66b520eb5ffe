package money

type Fen int64

func (f Fen) Approx() float64 { return float64(f) }

func RoundHalfUp(x float64) Fen { return Fen(x + 0.5) }

func (f Fen) Times(x float64) Fen { // want `float64 in platform/money`
	return Fen(float64(f) * x) // want `float64 in platform/money`
}
