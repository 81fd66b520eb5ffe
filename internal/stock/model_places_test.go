package stock

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// What the shopkeeper's notebook knows of frozen and damaged goods, and of goods on their way to another site.

// modelLot is goods of a batch in another state; nobody has been promised any of it.
type modelLot struct{ onHand, worth int64 }

type modelTransit struct {
	batch, to     int // of the model's batches; to -1: nothing has come yet
	shipped, left int64
	worth         int64
}

type modelTransfer struct {
	state    string
	real     []id.ID // of each engine
	transits []*modelTransit
	ways     [][]id.ID // of each engine, the transits
}

var modelStates = []Status{Sellable, Frozen, Spoilt}

func (b *modelBatch) place(s Status) *modelLot {
	if b.places[s] == nil {
		if b.places == nil {
			b.places = map[Status]*modelLot{}
		}
		b.places[s] = &modelLot{}
	}
	return b.places[s]
}

func (w *worlds) drawBatch(which func(*modelBatch) bool) int {
	var from []int
	for i, b := range w.m.batches {
		if which(b) {
			from = append(from, i)
		}
	}
	if len(from) == 0 {
		w.t.Skip("there is no such batch")
	}
	return rapid.SampledFrom(from).Draw(w.t, "batch")
}

func (b *modelBatch) here() bool { return b.site == 0 }

// relocate freezes, releases, marks as damaged.
func (w *worlds) relocate() {
	i := w.drawBatch((*modelBatch).here)
	from := rapid.SampledFrom(modelStates).Draw(w.t, "from")
	to := modelStates[(slices.Index(modelStates, from)+rapid.IntRange(1, 2).Draw(w.t, "to"))%3]
	q := rapid.SampledFrom([]int64{0, 1000, 2500}).Draw(w.t, "qty")
	b := w.m.batches[i]
	free := b.free()
	if from != Sellable {
		free = b.place(from).onHand
	}
	asked := q
	if q == 0 {
		q = free
	}
	code := ""
	switch {
	case q == 0:
		code = "stock_nothing_to_move"
	case free < q:
		code = "stock_short"
	}
	var cost int64
	if code == "" {
		if from == Sellable {
			cost = b.issue(q)
		} else {
			cost = b.place(from).issue(q)
		}
		if to == Sellable {
			b.onHand, b.worth, b.inQty, b.inWorth = b.onHand+q, b.worth+cost, b.inQty+q, b.inWorth+cost
		} else {
			p := b.place(to)
			p.onHand, p.worth = p.onHand+q, p.worth+cost
		}
	}
	w.on(code, func(tx *db.Tx, ids []id.ID) (string, error) {
		d, err := Relocate(tx, Relocation{Header{Site: w.site}, "quality", []Shift{{ids[i], Spot{Status: from}, Spot{Status: to}, qty.Qty(asked)}}})
		if err != nil {
			return "", err
		}
		return realLines(d), nil
	}, fmt.Sprintf("[%d for %d]", -q, -cost))
}

func (p *modelLot) issue(q int64) int64 {
	cost := rounded(p.worth, q, p.onHand)
	p.onHand -= q
	p.worth -= cost
	return cost
}

// discardPlaced throws away goods from where they lie frozen or damaged.
func (w *worlds) discardPlaced() {
	i := w.drawBatch(func(b *modelBatch) bool { return b.here() && b.places[Frozen] != nil })
	p, q := w.m.batches[i].place(Frozen), w.drawQty("qty")
	code, cost := "", int64(0)
	if p.onHand < q {
		code = "stock_short"
	} else {
		cost = p.issue(q)
		goods, value, _ := Waste(Damaged)
		w.m.flows[goods] += q
		w.m.flows[value] += cost
	}
	w.on(code, func(tx *db.Tx, ids []id.ID) (string, error) {
		var place id.ID
		err := tx.QueryRow(`SELECT id FROM stock_place WHERE batch_id = $1 AND status = $2`, ids[i], Frozen).Scan(&place)
		if err == db.ErrNoRow { // the notebook may think of a place that has never held anything
			return "", ErrShort
		}
		if err != nil {
			return "", err
		}
		d, err := WriteOff(tx, Discard{Header{Site: w.site}, Damaged, []Issue{{place, qty.Qty(q)}}})
		if err != nil {
			return "", err
		}
		return realLines(d), nil
	}, fmt.Sprintf("[%d for %d]", -q, -cost))
}

// send asks for goods, and ships them unless they are short or somebody thinks better of it.
func (w *worlds) send() {
	wants := w.drawWants()
	if rapid.IntRange(0, 5).Draw(w.t, "cancel") == 0 {
		w.on("", func(tx *db.Tx, ids []id.ID) (string, error) {
			t, err := Request(tx, Call{From: w.site, To: w.other, Lines: askedFor(wants)})
			if err != nil {
				return "", err
			}
			return "", t.Cancel(tx, 0, "")
		}, "")
		return
	}
	takes, code := w.m.pick(wants)
	tr := &modelTransfer{state: "shipped", real: make([]id.ID, len(w.dbs)), ways: make([][]id.ID, len(w.dbs))}
	if code == "" {
		w.cost(takes, wants)
		for _, k := range takes {
			tr.transits = append(tr.transits, &modelTransit{batch: k.batch, to: -1, shipped: k.qty, left: k.qty, worth: k.cost})
		}
	}
	for k := range w.dbs {
		w.onOne(k, code, func(tx *db.Tx, ids []id.ID) (string, error) {
			t, err := Request(tx, Call{From: w.site, To: w.other, Lines: askedFor(wants)})
			if err != nil {
				return "", err
			}
			loads := make([]Load, len(wants))
			for i, x := range wants {
				loads[i] = Load{Line: i + 1, Qty: qty.Qty(x.qty)}
				if x.batch >= 0 {
					loads[i].Batch = ids[x.batch]
				}
			}
			d, err := t.Ship(tx, w.site, 0, loads)
			if err != nil {
				return "", err
			}
			tr.real[k], tr.ways[k] = t.ID, nil
			for _, x := range t.Transits {
				tr.ways[k] = append(tr.ways[k], x.ID)
			}
			return realLines(d), nil
		}, lessTakes(takes))
	}
	if code == "" {
		w.m.transfers = append(w.m.transfers, tr)
	}
}

func askedFor(wants []modelWant) (lines []Want) {
	for _, x := range wants {
		lines = append(lines, Want{SKU: x.sku, Qty: qty.Qty(x.qty)})
	}
	return lines
}

func lessTakes(takes []modelTake) (s string) {
	for _, t := range takes {
		s += fmt.Sprintf("[%d for %d]", -t.qty, -t.cost)
	}
	return s
}

func (w *worlds) drawTransfer(state string) *modelTransfer {
	var some []*modelTransfer
	for _, t := range w.m.transfers {
		if t.state == state {
			some = append(some, t)
		}
	}
	if len(some) == 0 {
		w.t.Skip("no transfer is " + state)
	}
	return rapid.SampledFrom(some).Draw(w.t, "transfer")
}

// comes takes q that are on their way into a batch of the other site, made when it is the first.
func (w *worlds) comes(x *modelTransit, q, cost int64) {
	if x.to < 0 {
		of := w.m.batches[x.batch]
		w.m.batches = append(w.m.batches, &modelBatch{sku: of.sku, expires: of.expires, site: 1})
		x.to = len(w.m.batches) - 1
	}
	b := w.m.batches[x.to]
	b.onHand, b.worth, b.inQty, b.inWorth = b.onHand+q, b.worth+cost, b.inQty+q, b.inWorth+cost
}

func (x *modelTransit) issue(q int64) int64 {
	cost := rounded(x.worth, q, x.left)
	x.left -= q
	x.worth -= cost
	return cost
}

// arrive counts in what has come.
func (w *worlds) arrive() {
	tr := w.drawTransfer("shipped")
	came := make([]int64, len(tr.transits))
	result := ""
	tr.state = "settled"
	for i, x := range tr.transits {
		came[i] = x.shipped
		switch rapid.IntRange(0, 3).Draw(w.t, "came") {
		case 0:
			came[i] = rapid.Int64Range(0, x.shipped).Draw(w.t, "short")
		case 1:
			came[i] += rapid.Int64Range(1, 900).Draw(w.t, "over")
		}
		if came[i] == 0 {
			tr.state = "received"
			continue
		}
		over := max(0, came[i]-x.shipped)
		extra := rounded(x.worth, over, x.shipped)
		if over == x.shipped {
			extra = x.worth
		}
		q := came[i] - over
		cost := x.issue(q)
		w.comes(x, q, cost)
		result += fmt.Sprintf("[%d for %d]", q, cost)
		if over > 0 {
			w.comes(x, over, extra)
			w.m.flows[Gained] -= over
			w.m.flows[GainValue] -= extra
			result += fmt.Sprintf("[%d for %d]", over, extra)
		}
		if x.left > 0 {
			tr.state = "received"
		}
	}
	for k := range w.dbs {
		w.onOne(k, "", func(tx *db.Tx, ids []id.ID) (string, error) {
			t, err := TransferByID(tx, tr.real[k], true)
			if err != nil {
				return "", err
			}
			var counted []Counted
			for i, way := range tr.ways[k] {
				counted = append(counted, Counted{way, qty.Qty(came[i])})
			}
			d, err := t.Receive(tx, w.other, 0, counted)
			if err != nil || d == nil {
				return "", err
			}
			return realLines(d), nil
		}, result)
		w.learn(k, tr)
	}
}

// learn finds the batches that were made of goods on their way.
func (w *worlds) learn(k int, tr *modelTransfer) {
	var t *Transfer
	if err := w.dbs[k].Read(w.t.Context(), func(tx *db.Tx) (err error) { t, err = TransferByID(tx, tr.real[k], false); return err }); err != nil {
		w.t.Fatal(err)
	}
	for i, x := range tr.transits {
		at := slices.IndexFunc(t.Transits, func(r Transit) bool { return r.ID == tr.ways[k][i] })
		if x.to == len(w.ids[k]) {
			w.ids[k] = append(w.ids[k], t.Transits[at].ToBatch)
		}
	}
}

// settle says where missing goods went.
func (w *worlds) settle() {
	tr := w.drawTransfer("received")
	var missing []int
	for i, x := range tr.transits {
		if x.left > 0 {
			missing = append(missing, i)
		}
	}
	i := rapid.SampledFrom(missing).Draw(w.t, "transit")
	x := tr.transits[i]
	way := rapid.SampledFrom(Ways).Draw(w.t, "way")
	q := rapid.Int64Range(1, x.left+1).Draw(w.t, "qty")
	code, result := "", ""
	if q > x.left {
		code = "stock_transit_too_much"
	} else {
		cost := x.issue(q)
		result = fmt.Sprintf("[%d for %d]", q, cost)
		switch way {
		case "lost":
			w.m.flows[LostInTransit] += q
			w.m.flows[LostInTransitValue] += cost
			result = fmt.Sprintf("[%d for %d]", -q, -cost)
		case "found":
			w.comes(x, q, cost)
		case "back":
			b := w.m.batches[x.batch]
			b.onHand, b.worth, b.inQty, b.inWorth = b.onHand+q, b.worth+cost, b.inQty+q, b.inWorth+cost
		}
		tr.state = "settled"
		for _, x := range tr.transits {
			if x.left > 0 {
				tr.state = "received"
			}
		}
	}
	site := w.site
	if way == "found" {
		site = w.other
	}
	for k := range w.dbs {
		w.onOne(k, code, func(tx *db.Tx, ids []id.ID) (string, error) {
			t, err := TransferByID(tx, tr.real[k], true)
			if err != nil {
				return "", err
			}
			d, err := t.Resolve(tx, site, 0, Resolution{tr.ways[k][i], way, qty.Qty(q)}, "")
			if err != nil {
				return "", err
			}
			return realLines(d), nil
		}, result)
		if code == "" {
			w.learn(k, tr)
		}
	}
}

// onOne does an act on one engine and holds its outcome against the model's.
func (w *worlds) onOne(k int, want string, act func(tx *db.Tx, ids []id.ID) (string, error), result string) {
	var got string
	err := w.dbs[k].Write(w.t.Context(), func(tx *db.Tx) (err error) {
		got, err = act(tx, w.ids[k])
		return err
	})
	if code := errs.Code(err); code != want {
		w.t.Fatalf("%s: %q, the model says %q: %v", w.dbs[k].Engine(), code, want, err)
	}
	if want == "" && got != result {
		w.t.Fatalf("%s: %s, the model says %s", w.dbs[k].Engine(), got, result)
	}
}

// placesSame compares what lies in other states, and what is on its way.
func (w *worlds) placesSame(k int, tx *db.Tx) error {
	got := map[string]modelLot{}
	rows := tx.Query(`SELECT p.batch_id, p.status, a.posted_in - a.posted_out, v.posted_in - v.posted_out, p.open FROM stock_place p
		JOIN ledger_account a ON a.id = p.id JOIN ledger_account v ON v.id = p.value_id WHERE p.site_id IN ($1, $2)`, w.site.ID, w.other.ID)
	for rows.Next() {
		var batch id.ID
		var status Status
		var l modelLot
		var open bool
		if err := rows.Scan(&batch, &status, &l.onHand, &l.worth, &open); err != nil {
			return err
		}
		if open != (l.onHand > 0) {
			w.t.Fatalf("%s: a place of %d has open %v", w.dbs[k].Engine(), l.onHand, open)
		}
		if open {
			got[fmt.Sprint(slices.Index(w.ids[k], batch), status)] = l
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	want := map[string]modelLot{}
	for i, b := range w.m.batches {
		for s, l := range b.places {
			if l.onHand > 0 {
				want[fmt.Sprint(i, s)] = *l
			}
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Fatalf("%s: in places %v, the model says %v", w.dbs[k].Engine(), got, want)
	}
	left, worth := map[id.ID]int64{}, map[id.ID]int64{}
	rows = tx.Query(`SELECT w.id, a.posted_in - a.posted_out, v.posted_in - v.posted_out FROM stock_transit w JOIN ledger_account a ON a.id = w.id JOIN ledger_account v ON v.id = w.value_id WHERE w.to_site = $1`, w.other.ID)
	for rows.Next() {
		var way id.ID
		var q, v int64
		if err := rows.Scan(&way, &q, &v); err != nil {
			return err
		}
		left[way], worth[way] = q, v
	}
	for _, t := range w.m.transfers {
		for i, x := range t.transits {
			if way := t.ways[k][i]; left[way] != x.left || worth[way] != x.worth {
				w.t.Fatalf("%s: on its way %d worth %d, the model says %d worth %d", w.dbs[k].Engine(), left[way], worth[way], x.left, x.worth)
			}
		}
	}
	return rows.Err()
}

// otherSite is where goods are sent to.
func otherSite(site *org.Site) *org.Site {
	o := *site
	o.ID, o.Code = site.ID+1_000_000, site.Code+"B"
	return &o
}
