package sim

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// step is how finely business time is lived: in one step every shop does what is due. Catching up takes longer ones.
const (
	step     = 15 * time.Second
	longStep = time.Minute
)

// Minutes of the day, after midnight in Shanghai.
const (
	openAt  = 6*60 + 30
	closeAt = 23 * 60
	endOf   = 23*60 + 20 // nobody is there any more
	wakeAt  = 5*60 + 40  // the first are there
)

// On a machine that is too slow for the speed that was asked for, the clock waits for people who are out of breath until they
// have caught up: a demo is slower there, and nobody is turned away. When the machine slept they are too late, and leave out
// what they missed.
const (
	breathless = 5 * time.Minute
	tooLate    = 3 * time.Hour
)

// nights are the jobs of the early morning and when they are due: while the demo catches up it lets each of them end.
var nights = []struct {
	minute int
	kind   string
}{{4*60 + 12, "learn.sales"}, {4*60 + 22, "forecast.train"}, {4*60 + 32, "supplyday.night"}}

// days lives on from where the demo is, until ctx ends. What was cut off is done again with the same keys, which
// changes nothing where it had been done.
func (s *Demo) days(ctx context.Context) error {
	s.mu.Lock()
	at, phase := s.m.at.In(Shanghai).Truncate(step), s.m.phase
	s.mu.Unlock()
	start, live := instant(s.m.first, firstHour), instant(s.m.first.AddDays(1), liveHour)
	kept, breath := at, breath{}
	if phase == living {
		s.o.Clock.Jump(at)
		s.o.Clock.Run(s.o.Speed)
	}
	for ctx.Err() == nil {
		if phase == catchingUp && !at.Before(live) {
			phase = living
			s.reached(phase, at)
			s.o.Clock.Jump(at)
			s.o.Clock.Run(s.o.Speed)
			if err := s.keep(ctx); err != nil {
				return err
			}
			s.o.Log.Info("the demo chain lives", "speed", s.o.Speed, "time", at.Format(time.DateTime))
		}
		minute := at.Hour()*60 + at.Minute()
		if phase == catchingUp {
			s.o.Clock.Jump(at)
			if minute%30 == 0 { // a fast machine lives an afternoon between two looks, and nothing would ever be marked down
				s.look()
			}
			s.show("day", int64(at.Sub(start)/time.Minute), int64(live.Sub(start)/time.Minute))
			for _, n := range nights {
				if minute == n.minute && at.Second() == 0 {
					if err := s.night(ctx, n.kind); err != nil {
						return err
					}
				}
			}
		} else {
			switch breath.after(s.o.Clock.Now().Sub(at)) {
			case goesOn:
				s.o.Clock.Run(s.o.Speed)
			case stands:
				s.o.Clock.Run(0)
			case leaps:
				at = s.o.Clock.Now().In(Shanghai).Truncate(step)
				minute = at.Hour()*60 + at.Minute()
			}
			if err := s.await(ctx, at); err != nil {
				return err
			}
		}
		next := at.Add(step)
		if phase == catchingUp {
			next = at.Truncate(longStep).Add(longStep)
		}
		if err := s.chain.step(ctx, at, next); err != nil {
			return err
		}
		if at = next; phase == catchingUp && minute >= endOf { // nothing happens at night
			at = instant(cal.On(at).AddDays(1), firstHour)
		}
		s.reached(phase, at)
		if phase == catchingUp && at.Sub(kept) >= 15*time.Minute {
			kept = at
			if err := s.keep(ctx); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// breath is whether the clock waits for its people.
type breath struct{ waits bool }

// What the clock does for people who are so late.
type pause int

const (
	asItDoes pause = iota
	stands         // it waits for them
	goesOn         // they have caught up
	leaps          // they leave out what they missed
)

func (b *breath) after(late time.Duration) pause {
	switch {
	case late > tooLate:
		return leaps
	case late > breathless && !b.waits:
		b.waits = true
		return stands
	case late < step && b.waits:
		b.waits = false
		return goesOn
	}
	return asItDoes
}

// await waits until it is that time of business.
func (s *Demo) await(ctx context.Context, at time.Time) error {
	for {
		left := at.Sub(s.o.Clock.Now())
		if left <= 0 {
			return nil
		}
		select {
		case <-time.After(max(left/time.Duration(s.o.Speed), time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// night lets a job of the night come due and end, as the office sees it. One that never comes is not waited for.
func (s *Demo) night(ctx context.Context, kind string) error {
	const looks = 200 * time.Millisecond
	seen := false
	for n := 0; n < 900; n++ {
		jobs, err := list1[struct {
			State     string
			CreatedAt time.Time `json:"created_at"`
		}](ctx, s.chain.boss, "/api/jobs?limit=20&kind="+kind)
		if err != nil {
			return err
		}
		open := false
		for _, j := range jobs {
			open = open || j.State == "waiting" || j.State == "running"
			seen = seen || clock.Wall.Now().Sub(j.CreatedAt) < 3*time.Second
		}
		if !open && (seen || n > 12) {
			return nil
		}
		select {
		case <-time.After(looks):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// list1 reads the first page of a list.
func list1[T any](ctx context.Context, p *person, path string) ([]T, error) {
	var some page[T]
	err := p.get(ctx, path, &some)
	return some.Items, err
}

// step lets everybody do what is due from that time until the next step.
func (c *chain) step(ctx context.Context, at, next time.Time) error {
	minute, date := at.Hour()*60+at.Minute(), cal.On(at)
	if c.date != date {
		c.date, c.did = date, map[string]bool{}
		for _, s := range c.shops {
			s.did, s.plan = map[string]bool{}, 0
		}
	}
	if minute < wakeAt || minute >= endOf {
		return nil
	}
	if c.due("weather", minute, wakeAt) && date > c.s.m.first.AddDays(1) {
		if err := c.s.importFile(ctx, "weather", func(w io.Writer) error { return c.s.history.WriteWeather(w, date, date.AddDays(weatherAhead)) }); err != nil {
			return err
		}
		c.s.show("day", 0, 0)
	}
	if c.due("orders", minute, 9*60) || c.due("orders again", minute, 14*60+30) {
		if err := c.sendOrders(ctx); err != nil {
			return err
		}
	}
	return c.each(func(s *shop) error { return s.step(ctx, at, next, minute, date) })
}

func (c *chain) due(what string, minute, from int) bool {
	if minute < from || c.did[what] {
		return false
	}
	c.did[what] = true
	return true
}

// sendOrders tells the suppliers what was confirmed.
func (c *chain) sendOrders(ctx context.Context) error {
	orders, err := list[struct{ ID id.ID }](ctx, c.boss, "/api/purchase/orders?state=confirmed")
	if err != nil {
		return err
	}
	for _, o := range orders {
		if err := c.boss.post(ctx, "/api/purchase/orders/"+o.ID.String()+"/send", "send/"+o.ID.String(), nil, nil); err != nil && !refused(err) {
			return err
		}
	}
	return nil
}

// due tells whether something is to be done today from that minute on; shops do the same at slightly different times.
func (s *shop) due(what string, minute, from int) bool {
	if minute < from+s.no || s.did[what] {
		return false
	}
	s.did[what] = true
	return true
}

func (s *shop) key(parts ...any) string {
	words := []string{s.chain.date.String()}
	for _, p := range parts {
		words = append(words, fmt.Sprint(p))
	}
	return strings.Join(words, "/")
}

// step is what the people of a shop do until the next step. What the house refuses them is no fault: they go on.
func (s *shop) step(ctx context.Context, at, next time.Time, minute int, date cal.Date) error {
	acts := []func() error{}
	add := func(due bool, act func() error) {
		if due {
			acts = append(acts, act)
		}
	}
	add(s.due("early in", minute, wakeAt), func() error { return s.clock(ctx, "in", 0) })
	add(s.due("order", minute, wakeAt+5), func() error { return s.order(ctx) })
	add(s.due("receive", minute, wakeAt+10), func() error { return s.receive(ctx, date) })
	for h := wakeAt + 15; h < closeAt-30; h += 15 {
		add(s.due(fmt.Sprint("make ", h), minute, h), func() error { return s.make(ctx, minute) })
	}
	add(s.due("order again", minute, 13*60), func() error { return s.order(ctx) })
	add(s.due("late in", minute, 14*60+30), func() error { return s.clock(ctx, "in", 1) })
	add(s.due("early out", minute, 15*60), func() error { return s.clock(ctx, "out", 0) })
	add(s.due("tasting", minute, 15*60+20), func() error { return s.taste(ctx) })
	for h := openAt; h <= closeAt; h += 60 {
		add(s.due(fmt.Sprint("expired ", h), minute, h), func() error { return s.expired(ctx, at, h) })
		add(s.due(fmt.Sprint("pass on ", h), minute, h+20), func() error { return s.passOn(ctx, h) })
	}
	add(s.due("late out", minute, closeAt+5), func() error { return s.clock(ctx, "out", 1) })
	if minute >= openAt && minute < closeAt {
		acts = append(acts, func() error { return s.sell(ctx, at, next, minute, date) })
	}
	for _, act := range acts {
		if err := act(); err != nil && !refused(err) {
			return err
		}
	}
	return ctx.Err()
}

// clock lets the people of a shift come or go: the manager is there from morning to evening.
func (s *shop) clock(ctx context.Context, way string, shift int) error {
	who := []*person{s.cashiers[shift]}
	if way == "in" && shift == 0 || way == "out" && shift == 1 {
		who = append(who, s.manager)
	}
	for _, p := range who {
		if err := p.post(ctx, "/api/attendance/"+way, s.key("clock", way, p.name), map[string]any{"site_id": s.site}, nil); err != nil && !refused(err) {
			return err
		}
	}
	return nil
}

// round is a line of the day's production plan.
type round struct {
	ID        id.ID
	ProductID id.ID `json:"product_id"`
	Code      string
	Round     int64  `json:"round"`
	ReadyBy   string `json:"ready_by"`
	Make      qty.Qty
	Made      qty.Qty
	State     string
}

// order says yes to what is to be bought for the day, as the manager finds it in the morning and again after noon.
func (s *shop) order(ctx context.Context) error {
	if err := s.findPlan(ctx); err != nil || s.plan == 0 {
		return err
	}
	for left := int64(1); left > 0; {
		var out struct{ Left int64 }
		if err := s.manager.post(ctx, "/api/plans/"+s.plan.String()+"/confirm", "", map[string]any{"what": "proposals"}, &out); err != nil {
			return err
		}
		left = out.Left
	}
	return nil
}

func (s *shop) findPlan(ctx context.Context) error {
	plans, err := list1[struct{ ID id.ID }](ctx, s.manager, "/api/plans?site_id="+s.site.String()+"&date="+s.chain.date.String())
	if err == nil && len(plans) > 0 {
		s.plan = plans[0].ID
	}
	return err
}

// receive takes in what the suppliers bring: now and then a pack is missing and comes the next day.
func (s *shop) receive(ctx context.Context, date cal.Date) error {
	type line struct {
		LineNo int64 `json:"line_no"`
		Open   qty.Qty
		Packs  int64
		Qty    qty.Qty
	}
	type order struct {
		ID    id.ID
		No    string
		Due   cal.Date
		Lines []line
	}
	orders, err := list[order](ctx, s.manager, "/api/purchase/orders?open=true&site_id="+s.site.String())
	if err != nil {
		return err
	}
	for _, o := range orders {
		if o.Due > date {
			continue
		}
		if err := s.manager.get(ctx, "/api/purchase/orders/"+o.ID.String(), &o); err != nil {
			return err
		}
		var lines []map[string]any
		for _, l := range o.Lines {
			luck := s.chain.s.history.luck(10, s.no, int(l.LineNo), date.Number())
			came := l.Open
			if l.Packs > 2 && l.Open == l.Qty && luck.Float64() < .02 {
				came -= l.Qty / qty.Qty(l.Packs)
			}
			if came > 0 {
				lines = append(lines, map[string]any{"line": l.LineNo, "qty": came})
			}
		}
		if len(lines) == 0 {
			continue
		}
		if err := s.manager.post(ctx, "/api/purchase/orders/"+o.ID.String()+"/receipts", s.key("receipt", o.ID), map[string]any{"ref": "DN" + o.No, "lines": lines}, nil); err != nil && !refused(err) {
			return err
		}
	}
	return nil
}

// How long before a round must be ready it is begun, in minutes: those of the morning are many at once, and what is made too
// early in the day is over its time before the shop closes.
const (
	ahead     = 10
	aheadOpen = 50
)

// make confirms the rounds of the plan that must be ready soon, which follow up to then what the day has sold, and makes them.
func (s *shop) make(ctx context.Context, minute int) error {
	if s.plan == 0 {
		if err := s.findPlan(ctx); err != nil || s.plan == 0 {
			return err
		}
	}
	rounds, err := s.soon(ctx, minute)
	if err != nil {
		return err
	}
	var lines []id.ID
	for _, r := range rounds {
		if r.State == "proposed" {
			lines = append(lines, r.ID)
		}
	}
	if len(lines) > 0 {
		if err := s.manager.post(ctx, "/api/plans/"+s.plan.String()+"/confirm", "", map[string]any{"what": "production", "lines": lines}, nil); err != nil {
			return err
		}
		if rounds, err = s.soon(ctx, minute); err != nil { // a newer plan may have come between: its rounds come half an hour later
			return err
		}
	}
	s.there = nil
	for _, r := range rounds {
		if r.State == "proposed" || s.did["made "+r.ID.String()] {
			continue
		}
		s.did["made "+r.ID.String()] = true
		if s.there == nil {
			if err := s.stores(ctx); err != nil {
				return err
			}
		}
		if err := s.cook(ctx, s.chain.goods[r.Code], r.Make-r.Made, r.ID.String(), &r); err != nil && !refused(err) {
			return err
		}
		s.shelfAt = time.Time{}
	}
	return nil
}

// soon are the rounds that must be ready soon and of which something is still to be made.
func (s *shop) soon(ctx context.Context, minute int) ([]round, error) {
	by := minute + ahead
	if minute < openAt {
		by = minute + aheadOpen
	}
	all, err := list[round](ctx, s.manager, "/api/plans/"+s.plan.String()+"/production?open=true")
	return slices.DeleteFunc(all, func(r round) bool {
		var h, m int
		_, err := fmt.Sscanf(r.ReadyBy, "%d:%d", &h, &m)
		return err != nil || h*60+m > by
	}), err
}

// stores reads what is there of everything.
func (s *shop) stores(ctx context.Context) error {
	levels, err := list[struct {
		Code      string
		Available qty.Qty
	}](ctx, s.manager, "/api/stock/levels?site_id="+s.site.String())
	if err != nil {
		return err
	}
	s.there = map[string]qty.Qty{}
	for _, l := range levels {
		s.there[l.Code] = l.Available
	}
	return nil
}

// takes is how much of a part so much of a product takes, with what is lost on the way.
func (c *chain) takes(p Product, part Part, q qty.Qty) qty.Qty {
	n := q.Approx() * number(part.Qty) / float64(p.Yield)
	if c.goods[part.Code].Unit == "piece" {
		return qty.Qty(math.Ceil(n)) * qty.Scale
	}
	return qty.Nearest(n * 1.031)
}

// cook makes so much of a product: where something half made is missing that is made first, by the quarter pot, and
// where materials do not last, as much as they give.
func (s *shop) cook(ctx context.Context, p Product, q qty.Qty, key string, of *round) error {
	for _, part := range p.Recipe {
		half := s.chain.goods[part.Code]
		need := s.chain.takes(p, part, q)
		if len(half.Recipe) > 0 && s.there[part.Code] < need {
			pot := qty.Qty(half.Batch) * qty.Scale / 4
			pots := (need - s.there[part.Code] + pot - 1) / pot
			if err := s.cook(ctx, half, pots*pot, key+"/"+part.Code, nil); err != nil {
				return err
			}
		}
		for s.there[part.Code] < s.chain.takes(p, part, q) && q > 0 {
			q = min(q*s.there[part.Code]/s.chain.takes(p, part, q), q-1) / qty.Scale * qty.Scale
		}
	}
	if q <= 0 {
		return nil
	}
	if err := s.cookOnce(ctx, s.chain.products[p.Code], q, key, of); err != nil {
		if refused(err) {
			return nil
		}
		return err
	}
	for _, part := range p.Recipe {
		s.there[part.Code] -= s.chain.takes(p, part, q)
	}
	s.there[p.Code] += q
	return nil
}

func (s *shop) cookOnce(ctx context.Context, product id.ID, q qty.Qty, key string, of *round) error {
	cook := s.manager
	var asked, task struct{ ID id.ID }
	ask := map[string]any{"site_id": s.site, "product_id": product, "qty": q}
	if of != nil {
		ask["for"] = map[string]any{"date": s.chain.date, "round": of.Round}
	}
	if err := cook.post(ctx, "/api/making/requisitions", "ask/"+key, ask, &asked); err != nil {
		return err
	}
	if err := cook.post(ctx, "/api/making/requisitions/"+asked.ID.String()+"/complete", "take/"+key, struct{}{}, &task); err != nil {
		return err
	}
	out := map[string]any{"qty": q}
	if luck := s.chain.s.history.luck(11, s.no, int(asked.ID)&0xfff, s.chain.date.Number()); luck.Float64() < .03 && q > 2*qty.Scale {
		out = map[string]any{"qty": q - qty.Scale, "fewer_reason": "dropped"}
	}
	return cook.post(ctx, "/api/making/tasks/"+task.ID.String()+"/output", "out/"+key, out, nil)
}

// batch is a batch as the stock page shows it.
type batch struct {
	ID        id.ID
	ProductID id.ID `json:"product_id"`
	Qty, Held qty.Qty
	ExpiresAt string `json:"expires_at"`
	Expired   bool
}

// expired takes what is over its time off the shelves, unless the house has done so by itself.
func (s *shop) expired(ctx context.Context, at time.Time, h int) error {
	batches, err := list1[batch](ctx, s.manager, "/api/stock/batches?open=true&limit=200&site_id="+s.site.String())
	if err != nil {
		return err
	}
	var lines []map[string]any
	for _, b := range batches {
		if b.Expired && b.Qty > b.Held {
			lines = append(lines, map[string]any{"batch_id": b.ID, "qty": b.Qty - b.Held})
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return s.manager.post(ctx, "/api/stock/write-offs", s.key("expired", s.no, h), map[string]any{"site_id": s.site, "reason": "expired", "lines": lines}, nil)
}

// taste is a piece that is tried and a piece that falls.
func (s *shop) taste(ctx context.Context) error {
	batches, err := list1[batch](ctx, s.manager, "/api/stock/batches?open=true&limit=200&site_id="+s.site.String())
	if err != nil {
		return err
	}
	sold := map[id.ID]bool{}
	for _, o := range s.shelf {
		sold[o.ProductID] = true
	}
	luck := s.chain.s.history.luck(12, s.no, 0, s.chain.date.Number())
	for _, reason := range []string{"tasting", "dropped"} {
		for _, i := range luck.Perm(len(batches)) {
			if b := batches[i]; sold[b.ProductID] && !b.Expired && b.Qty-b.Held > 3*qty.Scale {
				err := s.manager.post(ctx, "/api/stock/write-offs", s.key(reason, s.no), map[string]any{"site_id": s.site, "reason": reason,
					"lines": []map[string]any{{"batch_id": b.ID, "qty": qty.Qty(qty.Scale)}}}, nil)
				if err != nil && !refused(err) {
					return err
				}
				break
			}
		}
	}
	return nil
}

// customer wants some goods at some time.
type customer struct {
	at    time.Time
	no    int
	wants []int // products of the history, one entry for a piece
}

// shelfEvery is how often the people at the till look at what there is.
const shelfEvery = 10 * time.Minute

// customers are those who come in a half hour: the same whenever it is asked.
func (s *shop) customers(half time.Time, slot int, date cal.Date) []*customer {
	h := s.chain.s.history
	w := h.WeatherOn(date)
	var pieces []int
	for p := range h.products {
		luck := h.luck(6, s.no, p, date.Number())
		busy := math.Exp(.16*luck.NormFloat64() - .0128)
		luck = h.luck(7, s.no, p, date.Number()*48+slot)
		share := profiles[h.products[p].Profile][slot-firstSlot]
		mean := h.mean(s.no, p, date, w)
		if s.chain.s.promoted(h.products[p], date) {
			mean *= offerDemand
		}
		for range poisson(luck, mean*busy*share) {
			pieces = append(pieces, p)
		}
	}
	luck := h.luck(8, s.no, slot, date.Number())
	luck.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	var come []*customer
	for len(pieces) > 0 {
		n := min(len(pieces), 1+poisson(luck, 2.8))
		come = append(come, &customer{at: half.Add(time.Duration(luck.Int64N(int64(30 * time.Minute)))), no: len(come), wants: pieces[:n]})
		pieces = pieces[n:]
	}
	slices.SortFunc(come, func(a, b *customer) int { return a.at.Compare(b.at) })
	return come
}

// sell serves the customers of this step.
func (s *shop) sell(ctx context.Context, at, next time.Time, minute int, date cal.Date) error {
	slot := minute / 30
	if half := at.Truncate(30 * time.Minute); s.half != half {
		s.half, s.come = half, s.customers(half, slot, date)
		for len(s.come) > 0 && s.come[0].at.Before(at) { // served before a restart
			s.come = s.come[1:]
		}
	}
	for len(s.come) > 0 && s.come[0].at.Before(next) {
		c := s.come[0]
		s.come = s.come[1:]
		if at.Sub(s.shelfAt) >= shelfEvery || s.shelfAt.After(at) {
			if err := s.look(ctx, at); err != nil {
				return err
			}
		}
		if err := s.serve(ctx, c, slot); err != nil && !refused(err) {
			return err
		}
	}
	return nil
}

// look reads what the till shows.
func (s *shop) look(ctx context.Context, at time.Time) error {
	offers, err := list[*offer](ctx, s.cashiers[0], "/api/till/products?site_id="+s.site.String())
	if err != nil {
		return err
	}
	s.shelf, s.shelfAt = map[string]*offer{}, at
	for _, o := range offers {
		s.shelf[o.Code] = o
	}
	var reduced page[*deal] // all of them: this list has no pages
	err = s.cashiers[0].get(ctx, "/api/till/reduced?site_id="+s.site.String(), &reduced)
	s.reduced = reduced.Items
	return err
}

const (
	thrifty = .7 // of the people who want a product take it from a batch on markdown
	tempted = .2 // of all people take something on markdown that they did not come for
)

// bargains are the lines of marked-down goods a customer takes, instead of others or besides.
func (s *shop) bargains(luck *rand.Rand, lines []saleLine) []saleLine {
	own, besides, which := luck.Float64() < thrifty, luck.Float64() < tempted, luck.IntN(1<<20)
	var fit []*deal
	for _, d := range s.reduced {
		if d.Left >= qty.Scale {
			fit = append(fit, d)
		}
	}
	if len(fit) == 0 {
		return lines
	}
	taken := map[id.ID]bool{}
	if own {
		var out []saleLine
		for _, l := range lines {
			for _, d := range fit {
				if d.ProductID == l.ProductID && !taken[d.BatchID] {
					n := min(l.Qty, d.Left/qty.Scale*qty.Scale)
					out = append(out, saleLine{d.ProductID, d.Unit, n, d.BatchID})
					l.Qty -= n
					taken[d.BatchID] = true
					break
				}
			}
			if l.Qty > 0 {
				out = append(out, l)
			}
		}
		lines = out
	}
	if d := fit[which%len(fit)]; besides && !taken[d.BatchID] {
		n := qty.Qty(qty.Scale)
		if d.FreeOne {
			n *= 2
		}
		lines = append(lines, saleLine{d.ProductID, d.Unit, min(n, d.Left/qty.Scale*qty.Scale), d.BatchID})
	}
	return lines
}

type saleLine struct {
	ProductID id.ID   `json:"product_id"`
	Unit      string  `json:"unit"`
	Qty       qty.Qty `json:"qty"`
	BatchID   id.ID   `json:"batch_id,omitempty"` // of goods on markdown
}

// serve rings up what a customer wants and what is there of it.
func (s *shop) serve(ctx context.Context, c *customer, slot int) error {
	h := s.chain.s.history
	count := map[string]int64{}
	var codes []string
	for _, p := range c.wants {
		code := h.products[p].Code
		if count[code] == 0 {
			codes = append(codes, code)
		}
		count[code]++
	}
	shift := 0
	if slot >= 30 {
		shift = 1
	}
	cashier, register := s.cashiers[shift], registers[c.no%len(registers)]
	luck := h.luck(13, s.no, c.no, s.chain.date.Number()*48+slot)
	pays := luck.Float64()
	key := s.key("sale", s.no, slot, c.no)
	for try := 0; try < 4; try++ {
		var lines []saleLine
		for _, code := range codes {
			o := s.shelf[code]
			if o == nil {
				continue
			}
			if n := min(qty.Qty(count[code]), o.Stock/qty.Scale); n > 0 {
				lines = append(lines, saleLine{ProductID: o.ProductID, Unit: o.Unit, Qty: n * qty.Scale})
			}
		}
		lines = s.bargains(h.luck(14, s.no, c.no, s.chain.date.Number()*48+slot), lines)
		if len(lines) == 0 {
			return nil // the customer leaves
		}
		var quote struct {
			Total money.Fen `json:"total_fen"`
		}
		if err := cashier.post(ctx, "/api/till/quotes", "", map[string]any{"site_id": s.site, "lines": lines}, &quote); err != nil {
			return err
		}
		sale := map[string]any{"site_id": s.site, "register": register, "lines": lines, "expect_total_fen": quote.Total, "tenders": s.tenders(quote.Total, pays, luck.Uint64N(1e14))}
		var sold struct{ State string }
		err := cashier.post(ctx, "/api/till/sales", key, sale, &sold)
		switch {
		case err == nil && sold.State == "failed": // declined: then in cash
			pays, key = 0, key+"c"
			continue
		case refused(err, "stock_short", "price_changed", "batch_expired"):
			if err := s.look(ctx, s.shelfAt); err != nil {
				return err
			}
			continue
		case refused(err, "key_reused"):
			return nil // served before a restart
		case err != nil:
			return err
		}
		for _, l := range lines {
			for _, o := range s.shelf {
				if o.ProductID == l.ProductID {
					o.Stock -= l.Qty
				}
			}
			for _, d := range s.reduced {
				if d.BatchID == l.BatchID {
					d.Left -= l.Qty
				}
			}
		}
		return nil
	}
	return nil
}

// tenders is how a customer pays: a quarter in cash, the others by phone, where not all goes well.
func (s *shop) tenders(total money.Fen, pays float64, code uint64) []map[string]any {
	if pays < .25 {
		given := total
		for _, note := range []money.Fen{500, 1000, 2000, 5000, 10000} {
			if given = (total + note - 1) / note * note; note >= total {
				break
			}
		}
		return []map[string]any{{"kind": "cash", "amount_fen": total, "given_fen": given}}
	}
	ending := "90"
	switch odd := (pays - .25) / .75; {
	case odd < .012:
		ending = "91" // declined
	case odd < .02 && s.chain.s.Status().Phase == living:
		ending = "92" // the customer has to confirm on his phone
	case odd < .023 && s.chain.s.Status().Phase == living:
		ending = "93" // and never does
	}
	return []map[string]any{{"kind": "mobile", "amount_fen": total, "pay_code": fmt.Sprintf("28%014d%s", code, ending)}}
}
