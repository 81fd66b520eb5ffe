package forecast

import (
	"hash/fnv"
	"math"
	"slices"

	"zhanggui/internal/platform/cal"
)

// Panel is the sales history of shops that are forecast together, on one axis of days: column 0 is First.
// The engine reads it and never writes it.
type Panel struct {
	First    cal.Date
	Days     int // columns with history; a panel may be asked for days after them
	Shops    []Shop
	Series   []Series
	Holidays *cal.Holidays // nil: no day is special
	Lunar    bool          // Chinese festivals count by day offset, beside the days in Holidays
}

// Shop is what all series of one shop share.
type Shop struct {
	Name    string
	Open    []bool    // per column: the shop sold something at all
	opened  int       // the first open column: before it the shop did not exist
	Weather []Weather // per column, may reach past Days; nil when unknown
}

// Weather of one day at a shop; NaN where unknown.
type Weather struct{ TMax, TMin, Rain float64 }

// Series is one product in one shop. Quantities are in sales units (pieces, kilograms), so that one unit of
// one product compares with one unit of another.
type Series struct {
	Shop    int
	Product string
	Unit    string    // as a sales file names it; "" when it names none
	Line    int       // of a sales file's first row of it
	Group   int       // product category; 0 when unknown
	Start   int       // column of the first sale
	Sold    []float64 // per column, Days long; 0 on days without a row
	SoldOut []int16   // per column: minutes after midnight at which nothing was left, −1 when it lasted; nil when never
	Price   []float64 // per column, may reach past Days; NaN where unknown; nil when never known
	Promo   []float64 // per column, may reach past Days; 0 no promotion, 1 promotion; nil when never
	Slots   []SlotSum // what sold by half hour, oldest first; nil when times are unknown
}

// SlotSum is what sold by half hour of the day in one period of slotPeriod days.
type SlotSum struct {
	Period  int // day number ÷ slotPeriod
	Weekend bool
	Qty     [daySlots]float32
	Ended   [daySlots]float32 // what days sold that were sold out from that half hour on: of their later ones nothing is known
}

const (
	daySlots   = 60 // a business day may run to six in the morning after
	slotPeriod = 28
)

// weekday of a column, Monday 0 … Sunday 6.
func (p *Panel) weekday(col int) int { return weekdayOf(p.First.Number() + col) }

func weekdayOf(number int) int { return ((number+3)%7 + 7) % 7 } // 1970-01-01 was a Thursday

// closeDays finds the days on which a shop sold nothing at all.
func (p *Panel) closeDays() {
	for i := range p.Shops {
		p.Shops[i].Open = make([]bool, p.Days)
		p.Shops[i].opened = p.Days
	}
	for _, s := range p.Series {
		open := p.Shops[s.Shop].Open
		for t, q := range s.Sold {
			if q > 0 {
				open[t] = true
				p.Shops[s.Shop].opened = min(p.Shops[s.Shop].opened, t)
			}
		}
	}
}

// openOn tells whether the shop is expected to open on column t, seen from origin o: it is not when it was
// closed on that weekday in each of the four weeks up to its last open day.
func (sh *Shop) openOn(t, o int) bool {
	last := o
	for last >= 0 && !sh.Open[last] {
		last--
	}
	seen := 0
	for c := t - 7*((t-last+6)/7); c >= sh.opened && seen < 4; c -= 7 {
		if sh.Open[c] {
			return true
		}
		seen++
	}
	return seen < 4
}

// almanac is what the calendar says of each column, history and future.
type almanac struct {
	weekday  []int8  // Monday 0; a make-up work day keeps its own
	day      []int16 // day of the year, 0-based
	monthDay []int8
	off      []bool // a public day off
	work     []bool // a make-up work day
	toOff    []int8 // days to the next day off that is no plain weekend, 0 on it, at most 15
	sinceOff []int8
	event    []int32  // key of the day's place in a festival; −1 on a plain day
	rank     []int8   // what kind of event the key belongs to, for pooling keys never seen before
	festival [][]int8 // per entry of offsets: signed days from the nearest festival of that kind, ±21
}

// The festivals whose day offsets are features of their own, with the days before and after on which they
// move trade, as the Chinese retail year knows them.
var festivalSpans = []struct {
	f             cal.Festival
	before, after int
}{
	{cal.SpringFestival, 12, 15}, {cal.Lantern, 1, 1}, {cal.Qingming, 3, 2}, {cal.LabourDay, 2, 5}, {cal.DragonBoat, 3, 2},
	{cal.MidAutumn, 4, 2}, {cal.NationalDay, 2, 8}, {cal.DoubleNinth, 1, 1}, {cal.Qixi, 1, 0}, {cal.Laba, 1, 0},
	{cal.NewYear, 2, 2}, {cal.ChristmasEve, 0, 1},
}

// The kinds of event days, for pooling.
const (
	rankNone  int8 = iota
	rankOff        // a day off
	rankEve        // the day before the first day off
	rankAfter      // the day after the last day off
	rankWork       // a make-up work day
	rankNear       // within the span of a festival, not itself off
	ranks
)

const maxOffset = 21

func (p *Panel) almanac(n int) *almanac {
	a := &almanac{
		weekday: make([]int8, n), day: make([]int16, n), monthDay: make([]int8, n),
		off: make([]bool, n), work: make([]bool, n), toOff: make([]int8, n), sinceOff: make([]int8, n),
		event: make([]int32, n), rank: make([]int8, n),
	}
	base := p.First.Number()
	nameOf := make([]int32, n)
	for t := range n {
		d := cal.FromNumber(base + t)
		when := d.Time()
		a.weekday[t] = int8(weekdayOf(base + t))
		a.day[t] = int16(when.YearDay() - 1)
		a.monthDay[t] = int8(when.Day())
		a.event[t] = -1
		if h, ok := p.Holidays.On(d); ok {
			a.off[t], a.work[t] = h.Off, !h.Off
			nameOf[t] = nameKey(h.Name)
		}
	}
	// Distances reach over the edges of the panel, so the calendar is asked directly there.
	offAt := func(t int) bool {
		if t >= 0 && t < n {
			return a.off[t]
		}
		h, ok := p.Holidays.On(cal.FromNumber(base + t))
		return ok && h.Off
	}
	for t := range n {
		a.toOff[t], a.sinceOff[t] = 15, 15
		for k := 0; k < 15; k++ {
			if offAt(t + k) {
				a.toOff[t] = int8(k)
				break
			}
		}
		for k := 0; k < 15; k++ {
			if offAt(t - k) {
				a.sinceOff[t] = int8(k)
				break
			}
		}
	}
	for t := range n {
		switch {
		case a.off[t]:
			a.rank[t], a.event[t] = rankOff, nameOf[t]<<8
		case a.work[t]:
			a.rank[t], a.event[t] = rankWork, nameOf[t]<<8|1
		case a.toOff[t] == 1:
			a.rank[t], a.event[t] = rankEve, 2
		case a.sinceOff[t] == 1:
			a.rank[t], a.event[t] = rankAfter, 3
		}
	}
	if p.Lunar {
		p.addFestivals(a, n)
	}
	return a
}

// nameKey numbers a named day the same in every panel (22 bits of FNV-1a), above the numbers of festivals.
func nameKey(name string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return int32(1<<22 | h.Sum32()&(1<<22-1))
}

// addFestivals marks the days around the Chinese festivals; where spans meet, the nearer festival in the
// order of festivalSpans keeps the day, Spring Festival before all.
func (p *Panel) addFestivals(a *almanac, n int) {
	base := p.First.Number()
	first, last := cal.FromNumber(base).Year()-1, cal.FromNumber(base+n).Year()+1
	a.festival = make([][]int8, len(festivalSpans))
	taken := make([]bool, n)
	for i, s := range festivalSpans {
		row := make([]int8, n)
		for t := range row {
			row[t] = maxOffset + 1
		}
		for y := first; y <= last; y++ {
			d, ok := s.f.In(y)
			if !ok {
				continue
			}
			at := d.Number() - base
			for t := max(0, at-maxOffset); t <= min(n-1, at+maxOffset); t++ {
				if o := int8(t - at); abs8(o) < abs8(row[t]) {
					row[t] = o
				}
				if o := t - at; o >= -s.before && o <= s.after && !taken[t] {
					taken[t] = true
					a.event[t] = int32(1000+i)<<8 | int32(o+100)
					if a.rank[t] == rankNone {
						a.rank[t] = rankNear
					}
				}
			}
		}
		a.festival[i] = row
	}
}

func abs8(v int8) int8 {
	if v < 0 {
		return -v
	}
	return v
}

// fillPrices carries known prices forward: a target day without a row tells nothing, least of all that
// nothing will sell on it.
func (s *Series) fillPrices() {
	last := math.NaN()
	for t, p := range s.Price {
		if math.IsNaN(p) {
			s.Price[t] = last
		} else {
			last = p
		}
	}
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	m := len(v) / 2
	if len(v)%2 == 1 {
		return v[m]
	}
	return (v[m-1] + v[m]) / 2
}

func dayOfYearAngle(day int16) float64 { return 2 * math.Pi * float64(day) / 365.25 }
