package stock

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// What the shopkeeper's notebook knows of suppliers, late costs, counts, channels, and of which batch serves first.

type modelReceipt struct {
	doc  id.ID
	came []modelTake
}

type modelDay struct {
	sku     id.ID
	channel string
	date    cal.Date
}

type modelPromise struct {
	real    []id.ID // of each engine
	channel string
	date    cal.Date
	wants   []modelWant // by SKU
	takes   []modelTake
	until   time.Time
	state   string
	held    bool
}

type modelRule struct {
	rule Rule
	life time.Duration
	real []id.ID // of each engine
}

func (m *model) ruleOf(sku id.ID) modelRule {
	for _, of := range [2]id.ID{sku, 0} {
		if r := m.rules[of]; r != nil {
			return *r
		}
	}
	return modelRule{rule: ByExpiry}
}

func (m *model) availableOf(sku id.ID) (n int64) {
	for _, b := range m.batches {
		if b.sku == sku && b.here() && m.now.Before(b.expires) {
			n += b.free()
		}
	}
	return n
}

// order is the batches of a SKU as its rule wants them to serve.
func (m *model) order(sku id.ID, wants []modelWant) []int {
	rule, total := m.ruleOf(sku), int64(0)
	for _, w := range wants {
		if w.sku == sku && w.batch < 0 {
			total += w.qty
		}
	}
	var order []int
	for i, b := range m.batches {
		if b.sku == sku && b.here() {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := m.batches[i], m.batches[j]
		first := 0
		switch enough := [2]bool{a.free() >= total, b.free() >= total}; {
		case rule.rule == FirstIn:
			first = a.received.Compare(b.received)
		case rule.rule != FewestOne || enough == [2]bool{true, true}:
		case enough[0]:
			first = -1
		case enough[1]:
			first = 1
		default:
			first = cmp.Compare(b.free(), a.free())
		}
		return cmp.Or(first, a.expires.Compare(b.expires))
	})
	return order
}

// setRule says which batch serves first at the first site.
func (w *worlds) setRule() {
	of := rapid.SampledFrom(append([]id.ID{0}, modelSKUs...)).Draw(w.t, "of")
	r := &modelRule{rule: rapid.SampledFrom([]Rule{ByExpiry, FirstIn, FewestOne}).Draw(w.t, "rule"), life: time.Duration(rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(w.t, "hours")) * time.Hour,
		real: make([]id.ID, len(w.dbs))}
	old := w.m.rules[of]
	for k := range w.dbs {
		w.onOne(k, "", func(tx *db.Tx, ids []id.ID) (string, error) {
			var replaces id.ID
			if old != nil {
				replaces = old.real[k]
			}
			p, err := SetPolicy(tx, Scope{Product: of, Site: w.site.ID}, r.rule, r.life, replaces, 9)
			if err == nil {
				r.real[k] = p.ID
			}
			return "", err
		}, "")
	}
	w.m.rules[of] = r
}

// sendBack returns goods to their supplier, at the price they came in for.
func (w *worlds) sendBack() {
	lines := w.drawIssues(false)
	old := make([]modelBatch, len(w.m.batches))
	for i, b := range w.m.batches {
		old[i] = *b
	}
	code, result, claims, cost, out := "", "", int64(0), int64(0), int64(0)
	for i := 0; i < len(lines) && code == ""; i++ {
		b, n := w.m.batches[lines[i].batch], lines[i].qty
		switch {
		case b.free() < n:
			code = "stock_short"
		case b.bought == nil:
			code = "stock_not_bought"
		default:
			c := b.issue(n)
			claim := rounded(b.bought.cost, n, b.bought.qty)
			if n == b.bought.qty {
				claim = b.bought.cost
			}
			result += fmt.Sprintf("[%d for %d, owed %d]", -n, -c, claim)
			claims, cost, out = claims+claim, cost+c, out+n
		}
	}
	if code != "" {
		for i, o := range old {
			*w.m.batches[i] = o
		}
	} else {
		w.m.flows[Supplied] += out
		w.m.flows[Landed] += cost + (claims - cost)
		w.m.flows[CostVariance] -= claims - cost
	}
	doc := id.New()
	w.on(code, func(tx *db.Tx, ids []id.ID) (string, error) {
		var real []Issue
		for _, l := range lines {
			real = append(real, Issue{ids[l.batch], qty.Qty(l.qty)})
		}
		d, err := ReturnToSupplier(tx, SendBack{Header{ID: doc, Site: w.site}, real})
		if err != nil {
			return "", err
		}
		s := ""
		for i, l := range d.Document.Lines {
			s += fmt.Sprintf("[%d for %d, owed %d]", l.Qty, l.Value, d.Claims[i])
		}
		return s, nil
	}, result)
}

// shared is total over weights by largest remainder, the earlier of equals first.
func shared(total int64, weights []int64) []int64 {
	sum, given := int64(0), int64(0)
	for _, x := range weights {
		sum += x
	}
	parts, order := make([]int64, len(weights)), make([]int, len(weights))
	for i, x := range weights {
		parts[i] = total * x / sum
		given += parts[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(total*weights[b]%sum, total*weights[a]%sum) })
	for i := range total - given {
		parts[order[i]]++
	}
	return parts
}

// land shares a cost that comes late over the batches of a receipt.
func (w *worlds) land() {
	if len(w.m.receipts) == 0 {
		w.t.Skip("nothing was bought")
	}
	r := rapid.SampledFrom(w.m.receipts).Draw(w.t, "receipt")
	basis := rapid.SampledFrom([]string{"value", "count"}).Draw(w.t, "basis")
	charge := rapid.Int64Range(1, 900).Draw(w.t, "charge")
	weights, sum := make([]int64, len(r.came)), int64(0)
	for i, c := range r.came {
		if weights[i] = c.qty; basis == "value" {
			weights[i] = c.cost
		}
		sum += weights[i]
	}
	code, result := "", ""
	if sum == 0 {
		code = "stock_measure_missing"
	} else {
		for i, share := range shared(charge, weights) {
			b, came := w.m.batches[r.came[i].batch], r.came[i].qty
			stays := int64(0)
			if left := min(b.onHand, came); left > 0 {
				stays = rounded(share, left, came)
			}
			b.worth += stays
			b.inWorth += stays
			w.m.flows[Landed] -= share
			w.m.flows[LateCost] += share - stays
			result += fmt.Sprintf("[%d, %d stays]", share, stays)
		}
	}
	doc := id.New()
	w.on(code, func(tx *db.Tx, ids []id.ID) (string, error) {
		c, err := Land(tx, Charge{Header: Header{ID: doc, Site: w.site}, Receipt: r.doc, Basis: basis, Fen: money.Fen(charge)})
		if err != nil {
			return "", err
		}
		s := ""
		for _, l := range c.Lines {
			s += fmt.Sprintf("[%d, %d stays]", l.ShareFen, l.StockFen)
		}
		return s, nil
	}, result)
}

// all is what the books say of a batch, in whatever state.
func (b *modelBatch) all() int64 {
	n := b.onHand
	for _, l := range b.places {
		n += l.onHand
	}
	return n
}

// count counts a product, or its batches, and posts what was found.
func (w *worlds) count() {
	sku := rapid.SampledFrom(modelSKUs).Draw(w.t, "sku")
	byBatch := rapid.Bool().Draw(w.t, "by batch")
	var lots []int // as the books list them, the first to expire first
	last := -1
	for i, b := range w.m.batches {
		if b.sku == sku && b.here() {
			last = i
			lots = append(lots, i)
		}
	}
	if last < 0 {
		w.t.Skip("it was never here")
	}
	slices.SortStableFunc(lots, func(a, b int) int { return w.m.batches[a].expires.Compare(w.m.batches[b].expires) })
	var books [][]int // the batches of each line
	if byBatch {
		for _, i := range lots {
			if w.m.batches[i].all() > 0 {
				books = append(books, []int{i})
			}
		}
	} else {
		books = [][]int{lots}
	}
	counted, diffs := make([]int64, len(books)), make([]int64, len(books))
	for k, of := range books {
		book := int64(0)
		for _, i := range of {
			book += w.m.batches[i].all()
		}
		counted[k] = max(0, book+rapid.SampledFrom([]int64{0, -1000, -2500, 1500, -book}).Draw(w.t, "found"))
		diffs[k] = counted[k] - book
	}
	code := ""
	if len(books) == 0 {
		code = "stock_count_empty"
	}
	for k, of := range books {
		serve := of
		if !byBatch {
			serve = slices.DeleteFunc(slices.Clone(of), func(i int) bool { return w.m.batches[i].onHand == 0 })
			if len(serve) == 0 {
				serve = []int{last}
			}
		}
		switch diff := diffs[k]; {
		case diff > 0:
			w.change([]modelTake{{batch: serve[len(serve)-1], qty: diff}}, Lost, LossValue)
		case diff < 0:
			var lines []modelTake
			rest := -diff
			for _, i := range serve {
				if n := min(rest, w.m.batches[i].free()); n > 0 {
					lines = append(lines, modelTake{batch: i, qty: -n})
					rest -= n
				}
			}
			if rest == 0 { // else the line says that it was not posted
				w.change(lines, Lost, LossValue)
			}
		}
	}
	w.on(code, func(tx *db.Tx, ids []id.ID) (string, error) {
		c, err := StartCount(tx, NewCount{Site: w.site, Staff: ann, Products: []id.ID{sku}, ByBatch: byBatch, Limit: money.Max})
		if err != nil {
			return "", err
		}
		for k, n := range counted {
			if state, err := c.Enter(tx, int64(k+1), ann, qty.Qty(n)); err != nil || state != IsCounted {
				return "", fmt.Errorf("line %d is %s: %w", k+1, state, err)
			}
		}
		if err := c.Review(tx, ann); err != nil {
			return "", err
		}
		if _, err := c.Post(tx, ann, false); err != nil {
			return "", err
		}
		for done := false; !done; {
			if done, err = c.PostStep(tx, ann); err != nil {
				return "", err
			}
		}
		return "", nil
	}, "")
}

// bind limits a channel, or leaves goods to the shop.
func (w *worlds) bind() {
	b := Bounds{SKU: rapid.SampledFrom(modelSKUs).Draw(w.t, "sku"), Channel: rapid.SampledFrom([]string{"till", "phone", "platform"}).Draw(w.t, "channel"), Cap: -1}
	n := qty.Qty(rapid.SampledFrom([]int64{0, 1000, 3000, 6000}).Draw(w.t, "qty"))
	if b.Channel == "till" {
		b.Floor = n
	} else if b.Cap = n; rapid.IntRange(0, 3).Draw(w.t, "no limit") == 0 {
		b.Cap = -1
	}
	code := ""
	if rapid.IntRange(0, 9).Draw(w.t, "nonsense") == 0 {
		b.Cap, b.Floor, code = 10, 11, "stock_channel_bounds"
	}
	w.on(code, func(tx *db.Tx, ids []id.ID) (string, error) { return "", Bind(tx, w.site, 9, b) }, "")
	if code == "" {
		if w.m.bounds[b.SKU] == nil {
			w.m.bounds[b.SKU] = map[string]Bounds{}
		}
		w.m.bounds[b.SKU][b.Channel] = b
	}
}

func (m *model) unhold(p *modelPromise) {
	p.held = false
	for _, t := range p.takes {
		m.batches[t.batch].held -= t.qty
	}
}

// promise keeps goods for an order of a channel.
func (w *worlds) promise() {
	p := &modelPromise{channel: rapid.SampledFrom([]string{"phone", "platform", "wholesale"}).Draw(w.t, "channel"), date: w.site.BusinessDate(w.m.now), state: "open", held: true, real: make([]id.ID, len(w.dbs))}
	minutes := rapid.IntRange(10, 90).Draw(w.t, "minutes")
	p.until = w.m.now.Add(time.Duration(minutes) * time.Minute)
	for _, sku := range rapid.SliceOfNDistinct(rapid.SampledFrom(modelSKUs), 1, 2, rapid.ID[id.ID]).Draw(w.t, "skus") {
		p.wants = append(p.wants, modelWant{sku, w.drawQty("qty"), -1})
	}
	slices.SortFunc(p.wants, func(a, b modelWant) int { return cmp.Compare(a.sku, b.sku) })
	code := ""
	for _, x := range p.wants {
		if b, ok := w.m.bounds[x.sku][p.channel]; ok && b.Cap >= 0 && w.m.days[modelDay{x.sku, p.channel, p.date}]+x.qty > int64(b.Cap) {
			code = "stock_channel_cap"
		}
	}
	for _, x := range p.wants {
		if kept := int64(w.m.bounds[x.sku]["till"].Floor); code == "" && kept > 0 && w.m.availableOf(x.sku)-kept < x.qty {
			code = "stock_short"
		}
	}
	if code == "" {
		p.takes, code = w.m.pick(p.wants)
	}
	for k := range w.dbs {
		w.onOne(k, code, func(tx *db.Tx, ids []id.ID) (string, error) {
			o := Order{Site: w.site, Channel: p.channel, For: time.Duration(minutes) * time.Minute}
			for i, x := range p.wants {
				o.Wants = append(o.Wants, Want{Line: i, SKU: x.sku, Qty: qty.Qty(x.qty)})
			}
			got, err := Keep(tx, o)
			if err == nil {
				p.real[k] = got.ID
			}
			return "", err
		}, "")
	}
	if code != "" {
		return
	}
	for _, t := range p.takes {
		w.m.batches[t.batch].held += t.qty
	}
	for _, x := range p.wants {
		w.m.days[modelDay{x.sku, p.channel, p.date}] += x.qty
	}
	w.m.promises = append(w.m.promises, p)
}

func (w *worlds) drawPromise() *modelPromise {
	if len(w.m.promises) == 0 {
		w.t.Skip("nothing is promised")
	}
	return rapid.SampledFrom(w.m.promises).Draw(w.t, "promise")
}

// handOver gives an order what it was promised, or a part.
func (w *worlds) handOver() {
	p := w.drawPromise()
	all := rapid.Bool().Draw(w.t, "all")
	parts, total := map[id.ID]int64{}, int64(0)
	for _, x := range p.wants {
		parts[x.sku] = x.qty
		if !all {
			parts[x.sku] = rapid.Int64Range(0, x.qty).Draw(w.t, "part")
		}
		total += parts[x.sku]
	}
	code := ""
	switch {
	case total == 0:
		code = "stock_qty_bad"
	case p.state != "open":
		code = "stock_promise_state"
	case !p.held || !w.m.now.Before(p.until):
		code = "ledger_hold_expired"
	}
	left := map[id.ID]int64{}
	for sku, n := range parts {
		left[sku] = n
	}
	for _, t := range p.takes { // what has expired while it waited is not handed over
		if b := w.m.batches[t.batch]; w.m.now.Before(b.expires) {
			left[b.sku] -= min(left[b.sku], t.qty)
		}
	}
	for _, n := range left {
		if code == "" && n > 0 {
			code = "batch_expired"
		}
	}
	if code == "" {
		w.m.unhold(p)
		p.state = "captured"
		for _, x := range p.wants {
			w.m.days[modelDay{x.sku, p.channel, p.date}] -= x.qty - parts[x.sku]
		}
		for sku, n := range parts {
			left[sku] = n
		}
		for _, t := range p.takes {
			b := w.m.batches[t.batch]
			if n := min(left[b.sku], t.qty); n > 0 && w.m.now.Before(b.expires) {
				left[b.sku] -= n
				w.m.flows[Sold] += n
				w.m.flows[CostOfSales] += b.issue(n)
			}
		}
	}
	for k := range w.dbs {
		w.onOne(k, code, func(tx *db.Tx, ids []id.ID) (string, error) {
			real, err := PromiseByID(tx, p.real[k])
			if err != nil || all {
				if err == nil {
					err = real.Hand(tx, nil)
				}
				return "", err
			}
			some := map[id.ID]qty.Qty{}
			for sku, n := range parts {
				some[sku] = qty.Qty(n)
			}
			return "", real.Hand(tx, some)
		}, "")
	}
}

// freePromise tells an order that it gets nothing.
func (w *worlds) freePromise() {
	p := w.drawPromise()
	code := ""
	if p.state != "open" {
		code = "stock_promise_state"
	}
	for k := range w.dbs {
		w.onOne(k, code, func(tx *db.Tx, ids []id.ID) (string, error) {
			real, err := PromiseByID(tx, p.real[k])
			if err != nil {
				return "", err
			}
			return "", real.Free(tx, "released")
		}, "")
	}
	if code != "" {
		return
	}
	if p.held {
		w.m.unhold(p)
	}
	p.state = "released"
	for _, x := range p.wants {
		w.m.days[modelDay{x.sku, p.channel, p.date}] -= x.qty
	}
}
