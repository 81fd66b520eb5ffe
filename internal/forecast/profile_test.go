package forecast

import (
	"math"
	"testing"

	"zhanggui/internal/platform/cal"
)

// A till that was opened a week ago knows when people come; the days it has been through must not.
func TestTheShapeOfADayIsKnownFromTheFirstWeek(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

// People ask all day; on most days nothing is left at noon. The afternoons of the days that lasted tell the rest.
func TestDaysThatWereSoldOutSayNothingOfTheirAfternoons(t *testing.T) {
	const morning, noon, evening, days, lasted = 16, 24, 36, 20, 6
	var sold, ended, above [daySlots]float64
	above[morning], above[evening] = .9, .1 // the shop's other goods
	for day := range days {
		sold[morning] += 10
		if day < lasted {
			sold[noon] += 10
			sold[evening] += 20
			continue
		}
		sold[noon] += 6 // the last of them in that half hour
		ended[noon] += 16
	}
	got := shrunk(sold, ended, above)
	if got[morning] > .37 || got[noon] > .22 || got[evening] < .43 {
		t.Errorf("morning %.2f, noon %.2f, evening %.2f of days that are 25, 25 and 50 %%", got[morning], got[noon], got[evening])
	}
	counted := shrunk(sold, [daySlots]float64{}, above)
	if counted[evening] > .28 {
		t.Errorf("counting days that were sold out leaves %.2f to the evening: the story shows nothing", counted[evening])
	}
	var all [daySlots]float64
	all[noon] = 96
	if got := shrunk(sold, all, above); math.Abs(got[evening]/(got[morning]+got[noon])-above[evening]/above[morning]) > .4 {
		t.Errorf("where no day lasted, the evening has %.2f and the day before it %.2f", got[evening], got[morning]+got[noon])
	}
	sum := 0.0
	for _, x := range shrunk(sold, sold, above) {
		if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
			t.Fatalf("a share of %v", x)
		}
		sum += x
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the shares add up to %v", sum)
	}
}
