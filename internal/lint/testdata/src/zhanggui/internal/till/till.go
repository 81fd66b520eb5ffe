package till

import "time"

type line struct {
	Amount float64 // want `float64 in till`
	Fen    int64
}

func half(fen int64) int64 {
	share := 0.5                       // want `share is a float` `0.5 is a float`
	return int64(share * float64(fen)) // want `float64 in till`
}

func observe(seconds func(v float64), d time.Duration) { // want `float64 in till`
	seconds(d.Seconds()) // handing a measured time on is no arithmetic
	took := d.Seconds()  // want `took is a float`
	_ = took
}

//allow:float milliseconds of a request, not money
func millis(d time.Duration) float64 { return d.Seconds() * 1000 }

//allow:float
func noReason() float64 { return 0 } // want `float64 in till`

const whole = 1e3 // an integer written short
var grams int64 = whole

// average is for a chart.
//
//allow:float a figure for the eye, not for the books
func average(n int) float64 {
	sum := 0.0
	for i := range n {
		sum += float64(i)
	}
	return sum / float64(n)
}
