package forecast

func mean(a, b float64) float64 { return (a + b) * 0.5 }
