package replenish

import (
	"testing"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

func saw(ratios ...qty.Qty) (all []LearnedYear) {
	for i, r := range ratios {
		all = append(all, LearnedYear{Year: int64(2020 + i), Ratio: r})
	}
	return all
}

// m = (set + Σ ratios) ÷ (1 + n): the set factor weighs as much as one year.
func TestALearnedFactorIsDrawnToTheSetOneByTheWeightOfOneYear(t *testing.T) {
	for _, c := range []struct {
		set  int64
		saw  []LearnedYear
		want int64
	}{
		{1500, nil, 1500},
		{1000, nil, 1000},
		{1500, saw(4500), 3000},
		{1500, saw(3200, 3800, 2700), 2800},               // the day three before New Year, of the public vegetable shop
		{1500, saw(4500, 4100, 4000), 3525},               // the day two before
		{1000, saw(1001, 1001), 1001},                     // 1000.67
		{1000, saw(1001), 1001},                           // 1000.5: halves up
		{1500, saw(0), 750},                               // nothing was wanted once
		{1000, saw(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 100}, // 83: no less than people may set
		{1500, saw(900_000), 20_000},                      // no more either
	} {
		if got := Shrunk(c.set, c.saw); got != c.want {
			t.Errorf("set %d, %v: %d, want %d", c.set, c.saw, got, c.want)
		}
	}
}

func TestTheSetFactorHoldsFrom48HoursBeforeToTheEnd(t *testing.T) {
	loc := time.FixedZone("", 8*3600)
	e := &Event{Kind: Festival, From: "2027-02-04", FromMin: 300, To: "2027-02-07", ToMin: 240, Factor: 1500}
	start := func(d cal.Date) time.Time {
		x := d.Time()
		return time.Date(x.Year(), x.Month(), x.Day(), 4, 0, 0, 0, loc)
	}
	for d, want := range map[cal.Date]int64{
		"2027-02-02": 1000, // begins at four, 49 hours before
		"2027-02-03": 1500, "2027-02-06": 1500,
		"2027-02-07": 1000, // it ends as this day begins
	} {
		if got := e.SetOn(start(d), loc); got != want {
			t.Errorf("%s: %d, want %d", d, got, want)
		}
	}
}

func TestWhichFestivalAnEntryIs(t *testing.T) {
	for _, c := range []struct {
		name, said string
		kind       EventKind
		from, to   cal.Date
		want       string
		day        cal.Date
	}{
		{"春节备货", "", Festival, "2027-01-28", "2027-02-05", "spring_festival", "2027-02-06"},
		{"年货节", "", Festival, "2027-01-25", "2027-01-31", "spring_festival", "2027-02-06"},
		{"小年", "", Festival, "2027-01-29", "2027-01-31", "little_new_year", "2027-01-30"},
		{"Mooncakes", "", Festival, "2026-09-20", "2026-09-25", "mid_autumn", "2026-09-25"},
		{"长假", "", Festival, "2026-10-01", "2026-10-08", "national_day", "2026-10-01"}, // by its days
		{"除夕到初六", "", Festival, "2027-02-05", "2027-02-11", "spring_festival", "2027-02-06"},
		{"元旦", "", Festival, "2026-12-31", "2027-01-02", "new_year", "2027-01-01"},
		{"店庆", "", Festival, "2026-08-01", "2026-08-03", "", ""},
		{"春节", "", Festival, "2026-08-01", "2026-08-03", "", ""}, // half a year away: somebody's joke
		{"春节", NoFestival, Festival, "2027-02-05", "2027-02-11", "", ""},
		{"店庆", "dragon_boat", Festival, "2026-06-18", "2026-06-19", "dragon_boat", "2026-06-19"},
		{"春节促销", "", Promotion, "2027-02-05", "2027-02-11", "", ""},
	} {
		e := &Event{Kind: c.kind, Name: c.name, From: c.from, To: c.to, Festival: c.said}
		f, day, ok := e.FestivalDay()
		if got := f.Key(); ok != (c.want != "") || ok && (got != c.want || day != c.day) {
			t.Errorf("%s from %s: %s on %s (%v), want %s on %s", c.name, c.from, got, day, ok, c.want, c.day)
		}
	}
	for _, e := range []Event{{Kind: Festival, Festival: "easter"}, {Kind: Promotion, Festival: "qixi"}, {Kind: Promotion, Festival: NoFestival}} {
		if e.festivalGiven() == nil {
			t.Errorf("%s as %q passed", e.Kind, e.Festival)
		}
	}
}

// Factors are not multiplied: the highest wins, learned or set.
func TestOfSeveralEntriesTheHighestWins(t *testing.T) {
	wrap := id.ID(7)
	of := map[id.ID]bool{wrap: true}
	events := []Event{{ID: 1, Factor: 1500, Products: of}, {ID: 2, Factor: 1300, Products: of}, {ID: 3, Factor: 9000, Products: map[id.ID]bool{8: true}}, {ID: 4, Factor: 4000, Products: of}}
	got := Highest(events, wrap, func(e *Event) (Moved, bool) {
		m := Moved{Event: e, Factor: e.Factor}
		if e.ID == 2 {
			m.Factor = 3100
		}
		return m, e.ID != 4
	})
	if got.Event.ID != 2 || got.Factor != 3100 {
		t.Errorf("%+v", got)
	}
	if got := Highest(events, 9, func(e *Event) (Moved, bool) { return Moved{Event: e, Factor: e.Factor}, true }); got.Event != nil || got.Factor != One {
		t.Errorf("a product of no entry: %+v", got)
	}
	if got := Highest(events[:1], wrap, func(e *Event) (Moved, bool) { return Moved{Event: e, Factor: 800}, true }); got.Factor != 800 {
		t.Errorf("a festival that people stay at home for: %+v", got)
	}
}
