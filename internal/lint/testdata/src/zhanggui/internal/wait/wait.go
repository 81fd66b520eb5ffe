package wait

import "time"

func bad(t time.Time) {
	_ = time.Now()    // want `time.Now: ask clock.Wall`
	_ = time.Since(t) // want `time.Since: ask clock.Wall`
	_ = time.Until(t) // want `time.Until: ask clock.Wall`
	f := time.Now     // want `time.Now: ask clock.Wall`
	_ = f
	_ = time.Unix(0, 0)
}
