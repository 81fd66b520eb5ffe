package sim

import (
	"testing"
	"time"

	"zhanggui/internal/platform/clock"
)

// lived lets people live so many steps on a machine on which each takes so long of business time while the clock runs, and
// tells what they lived, how late they were at most and how often the clock stood still.
func lived(steps int, takes func(n int) time.Duration) (seen []time.Time, latest time.Duration, stood int) {
	begins := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	at, hand, b, running := begins, clock.Fixed(begins), breath{}, true
	for n := range steps {
		late := hand.Now().Sub(at)
		latest = max(latest, late)
		switch b.after(late) {
		case stands:
			running = false
			stood++
		case goesOn:
			running = true
		case leaps:
			at = hand.Now().Truncate(step)
		}
		if left := at.Sub(hand.Now()); left > 0 { // waits for its time, which a clock that stands never brings
			if !running {
				panic("they wait for a clock that waits for them")
			}
			hand.Set(at)
		}
		seen = append(seen, at)
		if running {
			hand.Add(takes(n))
		}
		at = at.Add(step)
	}
	return seen, latest, stood
}

func TestTheClockWaitsForItsPeopleOnASlowMachine(t *testing.T) {
	const steps = 4 * 60 * 24 // a day of quarter minutes
	for name, c := range map[string]struct {
		takes time.Duration
		waits bool
	}{
		"fast enough":           {step / 3, false},
		"just fast enough":      {step, false},
		"a little too slow":     {step + time.Second, true},
		"five times too slow":   {5 * step, true},
		"a hundred times":       {100 * step, true},
		"one step is an hour":   {time.Hour, true},
		"no step takes no time": {0, false},
	} {
		seen, latest, stood := lived(steps, func(int) time.Duration { return c.takes })
		if (stood > 0) != c.waits || latest > breathless+c.takes {
			t.Errorf("%s: the clock stood %d times, they were %v late at most", name, stood, latest)
		}
		for i, at := range seen {
			if want := seen[0].Add(time.Duration(i) * step); !at.Equal(want) {
				t.Fatalf("%s: step %d is lived at %v, want %v: somebody is turned away", name, i, at, want)
			}
		}
	}
}

func TestWhatAMachineSleptThroughIsLeftOut(t *testing.T) {
	const sleeps = 100
	for asleep, leftOut := range map[time.Duration]bool{tooLate: false, tooLate + 2*step: true, 9 * time.Hour: true} {
		seen, _, _ := lived(1000, func(n int) time.Duration {
			if n == sleeps {
				return asleep
			}
			return step / 3
		})
		gap := seen[sleeps+1].Sub(seen[sleeps])
		if want := map[bool]time.Duration{false: step, true: asleep}[leftOut]; gap != want {
			t.Errorf("a machine slept %v: the next step is %v later, want %v", asleep, gap, want)
		}
		if after := seen[sleeps+2].Sub(seen[sleeps+1]); after != step {
			t.Errorf("a machine slept %v: after that a step is %v", asleep, after)
		}
	}
}
