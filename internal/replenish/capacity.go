package replenish

import (
	"slices"
	"sort"

	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// What ovens, fryers and steamers can take. A batch holds a share of one machine for some minutes; what a round needs must be
// through before it is ready. What does not fit is made in an earlier round's time where its life allows, else it is short.

// Machines are those of one kind at a site.
type Machines struct {
	Kind  id.ID
	Name  string
	Count int64
	Early int64 // minutes before the first round of the day is ready from which on they are used
}

// Load is what a batch of a product takes of one machine: a share of it, in thousandths, for some minutes.
type Load struct {
	Kind    id.ID
	Minutes int64
	Share   int64
}

// CapacityWhy is what the equipment did to a round.
type CapacityWhy struct {
	KindID  id.ID   `json:"kind_id"`
	Kind    string  `json:"kind" doc:"as in oven"`
	Machine int64   `json:"machines"`
	Minutes int64   `json:"minutes" doc:"one batch takes of a machine"`
	Share   int64   `json:"share" doc:"of it, in thousandths"`
	Wanted  qty.Qty `json:"wanted" doc:"what would be made if it all fitted"`
	Short   qty.Qty `json:"short" doc:"of it, what does not fit"`
	Early   qty.Qty `json:"early" doc:"of it, what must be made earlier, for its own time is full"`
	EarlyBy string  `json:"early_by,omitempty" doc:"by this time, as in 10:30"`
}

// job is what one round of one product asks of a kind of machine.
type job struct {
	product  id.ID
	round    int64
	ready    int // half hour
	earliest int // its goods still keep to the end of the round when they are made by then
	load     Load
	batch    qty.Qty
	wanted   qty.Qty // whole batches and a rest
	fixed    bool    // somebody decided: it is never cut
	got      []int64 // batches by window
}

func (j *job) batches() int64 { return int64((j.wanted + j.batch - 1) / j.batch) }

func (j *job) have() (n int64) {
	for _, g := range j.got {
		n += g
	}
	return n
}

// cost of a batch in thousandths of machine minutes.
func (j *job) cost() int64 { return j.load.Minutes * j.load.Share }

// level says for what is made on a day how much of it fits: by product and round. Nothing is said of a product whose rounds
// all fit in their own time.
func (s *Site) level(day Day, made []Production) map[id.ID]map[int64]*CapacityWhy {
	kinds := map[id.ID][]*job{}
	decided := map[id.ID]map[int64]qty.Qty{}
	for _, w := range day.Wanted {
		decided[w.Product] = w.Decided
	}
	for i := range made {
		p := &made[i]
		load, ok := s.Loads[p.Product]
		m, here := s.Machines[load.Kind]
		if !ok || !here || p.Make <= 0 || load.Minutes*load.Share <= 0 {
			continue
		}
		g := s.Good(p.Product)
		j := &job{product: p.Product, round: p.Round.No, load: load, batch: max(g.Batch, qty.Scale), wanted: p.Make, ready: max(p.Round.From, s.Opens)}
		if day.From > 0 {
			j.ready = max(j.ready, day.From+int(m.Early+29)/30)
		}
		j.earliest = j.ready
		if keeps := int(min(g.Life.Minutes()/30, 96)); p.Round.To < 96 {
			j.earliest = min(j.ready, max(0, p.Round.To-keeps))
		} else if g.Life.Hours() >= 12 {
			j.earliest = 0
		}
		_, j.fixed = decided[p.Product][p.Round.No]
		kinds[load.Kind] = append(kinds[load.Kind], j)
	}
	found := map[id.ID]map[int64]*CapacityWhy{}
	for kind, jobs := range kinds {
		s.fit(s.Machines[kind], jobs, day.From)
		ready := readies(jobs)
		for _, j := range jobs {
			why := &CapacityWhy{KindID: kind, Kind: s.Machines[kind].Name, Machine: s.Machines[kind].Count, Minutes: j.load.Minutes, Share: j.load.Share, Wanted: j.wanted}
			if n := j.have(); n < j.batches() && !j.fixed {
				why.Short = j.wanted - qty.Qty(n)*j.batch
			}
			for w, n := range j.got {
				if n > 0 && ready[w] < j.ready {
					why.Early += qty.Qty(n) * j.batch
					if why.EarlyBy == "" {
						why.EarlyBy = slotText(int64(ready[w]))
					}
				}
			}
			if why.Early = min(why.Early, j.wanted); why.Short > 0 || why.Early > 0 {
				if found[j.product] == nil {
					found[j.product] = map[int64]*CapacityWhy{}
				}
				found[j.product][j.round] = why
			}
		}
	}
	return found
}

// readies are the half hours by which something is ready, in order: each ends a window of work.
func readies(jobs []*job) []int {
	var all []int
	for _, j := range jobs {
		if !slices.Contains(all, j.ready) {
			all = append(all, j.ready)
		}
	}
	sort.Ints(all)
	return all
}

// fit gives the jobs of a kind of machine their time: first what somebody decided; then window by window, a batch at a time, to
// the one that has least of what it wants, of equals the one that keeps least, then by product. What is left of later windows
// goes to earlier ones where something is free.
func (s *Site) fit(m Machines, jobs []*job, from int) {
	ready := readies(jobs)
	free := make([]int64, len(ready))
	for w, r := range ready {
		start := r - int(m.Early+29)/30
		if from > 0 { // the day is under way, and so are the machines
			start = from
		}
		if w > 0 {
			start = ready[w-1]
		}
		free[w] = int64(max(0, r-max(start, from))) * 30 * m.Count * 1000
	}
	sort.SliceStable(jobs, func(a, b int) bool {
		x, y := jobs[a], jobs[b]
		switch {
		case x.ready != y.ready:
			return x.ready < y.ready
		case x.ready-x.earliest != y.ready-y.earliest:
			return x.ready-x.earliest < y.ready-y.earliest
		}
		return x.product < y.product
	})
	for _, j := range jobs {
		j.got = make([]int64, len(ready))
		if !j.fixed {
			continue
		}
		for w := len(ready) - 1; w >= 0; w-- {
			if ready[w] <= j.ready {
				n := min(j.batches()-j.have(), free[w]/j.cost())
				j.got[w] += n
				free[w] -= n * j.cost()
			}
		}
	}
	for back := range len(ready) { // in its own time, then one window earlier, and so on
		for w := range ready {
			if w-back < 0 {
				continue
			}
			for {
				var next *job
				for _, j := range jobs {
					if j.fixed || j.ready != ready[w] || j.have() >= j.batches() || free[w-back] < j.cost() || back > 0 && ready[w-back] < j.earliest {
						continue
					}
					if next == nil || j.have()*next.batches() < next.have()*j.batches() {
						next = j
					}
				}
				if next == nil {
					break
				}
				next.got[w-back]++
				free[w-back] -= next.cost()
			}
		}
	}
}
