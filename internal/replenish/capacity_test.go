package replenish

import (
	"testing"
	"time"

	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

const (
	pan   id.ID = 1 // the kind: ovens
	bread id.ID = 11
	rolls id.ID = 12
)

// bakery has one oven that a batch of eight holds for thirty minutes, and opens at seven; it is used from two hours before.
func bakery(machines, early int64) *Site {
	good := map[id.ID]Good{bread: {Life: 6 * time.Hour, Batch: 8 * piece}, rolls: {Life: 4 * time.Hour, Batch: 8 * piece}}
	return &Site{Good: func(p id.ID) Good { return good[p] }, Opens: 14, Machines: map[id.ID]Machines{pan: {Kind: pan, Name: "烤箱", Count: machines, Early: early}},
		Loads: map[id.ID]Load{bread: {pan, 30, 1000}, rolls: {pan, 30, 1000}}}
}

func planned(p id.ID, round int64, make qty.Qty) Production {
	return Production{Product: p, RoundPlan: RoundPlan{Round: dayRounds[round-1], Make: make * piece}}
}

func TestWhatFitsIsNotTouched(t *testing.T) {
	// Two hours before seven are four batches: two of each fit exactly.
	if got := bakery(1, 120).level(Day{}, []Production{planned(bread, 1, 16), planned(rolls, 1, 16)}); len(got) != 0 {
		t.Errorf("%v", got)
	}
	// What no machine makes, or makes nothing here, is bound by nothing.
	s := bakery(1, 120)
	delete(s.Loads, rolls)
	if got := s.level(Day{}, []Production{planned(rolls, 1, 800)}); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestWhatDoesNotFitIsShortAndSaysSoAndNobodyGetsAll(t *testing.T) {
	// Four batches of time; five of bread and three of rolls are wanted: a batch each in turn, by what is least served.
	got := bakery(1, 120).level(Day{}, []Production{planned(bread, 1, 40), planned(rolls, 1, 24)})
	a, b := got[bread][1], got[rolls][1]
	if a == nil || b == nil || a.Short+b.Short != 32*piece || a.Short != 24*piece || b.Short != 8*piece || a.Wanted != 40*piece || a.Kind != "烤箱" {
		t.Errorf("%+v %+v", a, b)
	}
	// A second oven takes all of it.
	if got := bakery(2, 120).level(Day{}, []Production{planned(bread, 1, 40), planned(rolls, 1, 24)}); len(got) != 0 {
		t.Errorf("%v", got)
	}
	// Half an oven each: twice as many.
	s := bakery(1, 120)
	s.Loads[bread], s.Loads[rolls] = Load{pan, 30, 500}, Load{pan, 30, 500}
	if got := s.level(Day{}, []Production{planned(bread, 1, 40), planned(rolls, 1, 24)}); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestWhatALaterRoundLacksIsMadeInAnEarliersTimeIfItKeeps(t *testing.T) {
	// From seven to half past ten are seven batches. Noon wants nine of bread: two must be baked by seven, and bread keeps six
	// hours, to 13:00, but the noon round is sold until 14:00: it does not keep.
	got := bakery(1, 120).level(Day{}, []Production{planned(bread, 1, 8), planned(bread, 2, 72)})
	if w := got[bread][2]; w == nil || w.Short != 16*piece || w.Early != 0 {
		t.Errorf("%+v", w)
	}
	s := bakery(1, 120)
	long := func(p id.ID) Good { return Good{Life: 8 * time.Hour, Batch: 8 * piece} }
	s.Good = long
	got = s.level(Day{}, []Production{planned(bread, 1, 8), planned(bread, 2, 72)})
	if w := got[bread][2]; w == nil || w.Short != 0 || w.Early != 16*piece || w.EarlyBy != "07:00" || got[bread][1] != nil {
		t.Errorf("%+v", w)
	}
	// The morning is full itself: it comes first.
	got = s.level(Day{}, []Production{planned(bread, 1, 32), planned(bread, 2, 72)})
	if w := got[bread][2]; w == nil || w.Short != 16*piece || got[bread][1] != nil {
		t.Errorf("%+v", w)
	}
}

func TestWhatSomebodyDecidedIsMadeWhateverElseFits(t *testing.T) {
	day := Day{Wanted: []Wanted{{Product: bread, Decided: map[int64]qty.Qty{1: 40 * piece}}}}
	got := bakery(1, 120).level(day, []Production{planned(bread, 1, 40), planned(rolls, 1, 24)})
	if got[bread] != nil || got[rolls][1] == nil || got[rolls][1].Short != 24*piece {
		t.Errorf("%+v %+v", got[bread][1], got[rolls][1])
	}
}

func TestOfADayThatHasBegunOnlyTheRestIsThere(t *testing.T) {
	// At nine (half hour 18) the noon round has until half past ten: three batches.
	got := bakery(1, 0).level(Day{From: 18}, []Production{planned(rolls, 2, 40)})
	if w := got[rolls][2]; w == nil || w.Short != 16*piece {
		t.Errorf("%+v", w)
	}
}

// Whatever is asked of whatever oven, no window takes more than it has, and nothing goes beyond what is wanted.
func TestNoWindowTakesMoreThanItHas(t *testing.T) {
	for seed := range int64(400) {
		s := bakery(1+seed%3, 30*(seed%5))
		s.Loads[bread], s.Loads[rolls] = Load{pan, 10 + seed%50, 250 * (1 + seed%4)}, Load{pan, 5 + seed%17, 1000}
		var jobs []*job
		for r := int64(1); r <= 4; r++ {
			for k, p := range []id.ID{bread, rolls} {
				j := &job{product: p, round: r, load: s.Loads[p], batch: 8 * piece, wanted: qty.Qty(seed*7*r%130+int64(k)) * piece, ready: max(dayRounds[r-1].From, s.Opens)}
				j.earliest = j.ready - int(seed%20)
				j.fixed = seed%11 == 0 && r == 2
				jobs = append(jobs, j)
			}
		}
		m := s.Machines[pan]
		s.fit(m, jobs, 0)
		ready := readies(jobs)
		for w, r := range ready {
			start := r - int(m.Early+29)/30
			if w > 0 {
				start = ready[w-1]
			}
			var used int64
			for _, j := range jobs {
				used += j.got[w] * j.cost()
				if j.got[w] > 0 && (r > j.ready || r < j.earliest && !j.fixed) || j.have() > j.batches() || j.got[w] < 0 {
					t.Fatalf("%d: %+v", seed, j)
				}
			}
			if used > int64(r-start)*30*m.Count*1000 {
				t.Fatalf("%d: window %d takes %d", seed, w, used)
			}
		}
	}
}
