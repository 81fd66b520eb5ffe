package forecast

import (
	"math"
	"testing"

	"zhanggui/internal/platform/cal"
)

// A till that was opened a week ago knows when people come; the days it has been through must not.
func TestTheShapeOfADayIsKnownFromTheFirstWeek(t *testing.T) {
	first := cal.Date("2024-01-01")
	p := &Panel{First: first, Days: 60, Shops: []Shop{{Name: "s"}}}
	sold := SlotSum{Period: floorDiv(first.Number()+59, slotPeriod)}
	sold.Qty[16], sold.Qty[24] = 300, 100 // eight in the morning, noon
	p.Series = []Series{{Shop: 0, Slots: []SlotSum{sold}}}
	weekdays := func(t int) bool { return p.weekday(t) < 5 }
	pr := newProfiles(p)
	for day := 40; day < 74; day++ {
		got := pr.shares(&p.Series[0], day)
		sum, apart := 0.0, 0.0
		for h, x := range got {
			sum += x
			apart = max(apart, math.Abs(x-dayShape[h]))
		}
		if sum < 1-1e-9 || sum > 1+1e-9 {
			t.Errorf("column %d: the shares add up to %v", day, sum)
		}
		switch {
		case day < p.Days || !weekdays(day):
			if apart > 1e-12 {
				t.Errorf("column %d knows times of days to come, or of weekdays on a weekend: %v from the general shape", day, apart)
			}
		case got[16] < .6 || got[24] < .2 || got[20] > .02:
			t.Errorf("column %d: %.2f at eight, %.2f at noon, %.2f at ten", day, got[16], got[24], got[20])
		}
	}
}
