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
		case day < p.Days:
			if apart > 1e-12 {
				t.Errorf("column %d knows times of days to come: %v from the general shape", day, apart)
			}
		case got[16] < .6 || got[24] < .2 || got[20] > .02:
			t.Errorf("column %d: %.2f at eight, %.2f at noon, %.2f at ten", day, got[16], got[24], got[20])
		}
	}
}

// What is bought for supper is bought for supper on a Sunday too, though the shop sells most things for breakfast; once there are
// Sundays enough they say otherwise.
func TestAProductsOwnWorkdaysShapeItsFirstWeekendAndItsWeekendsTheNext(t *testing.T) {
	first := cal.Date("2024-01-01")
	p := &Panel{First: first, Days: 60, Shops: []Shop{{Name: "s"}}}
	period := floorDiv(first.Number()+59, slotPeriod)
	sums := func(weekend bool, slot int, n float32) SlotSum {
		s := SlotSum{Period: period, Weekend: weekend}
		s.Qty[slot] = n
		return s
	}
	const breakfast, noon, supper = 15, 24, 37
	supperOf := func(own ...SlotSum) (onWorkday, onSunday, noonOnSunday float64) {
		p.Series = []Series{{Slots: own}, {Slots: []SlotSum{sums(false, breakfast, 9000), sums(true, breakfast, 4000)}}}
		pr := newProfiles(p)
		workday, sunday := pr.shares(&p.Series[0], 63), pr.shares(&p.Series[0], 62)
		if p.weekday(63) != 0 || p.weekday(62) != 6 {
			t.Fatal("the calendar of the story is wrong")
		}
		return workday[supper], sunday[supper], sunday[noon]
	}
	workday, sunday, _ := supperOf(sums(false, supper, 100), sums(true, supper, 20))
	if workday < .6 || sunday < .7 {
		t.Errorf("after a week, supper has %.2f of a workday and %.2f of a Sunday", workday, sunday)
	}
	if _, sunday, atNoon := supperOf(sums(false, supper, 1000), sums(true, noon, 400)); sunday > .2 || atNoon < .8 {
		t.Errorf("its own Sundays, at noon, have %.2f; supper has %.2f", atNoon, sunday)
	}
	if workday, _, _ := supperOf(sums(true, supper, 100)); workday < .6 {
		t.Errorf("a product sold on Sundays only so far: supper has %.2f of a workday", workday)
	}
}
