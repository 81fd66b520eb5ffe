package ledger

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// on does an act on every engine and holds its outcome against the notebook's.
func (w *world) on(want string, act func(tx *db.Tx) error) {
	for _, d := range w.dbs {
		w.same(d, want, d.Write(w.t.Context(), act))
	}
}

func (w *world) same(d *dbtest.DB, want string, err error) {
	if code := errs.Code(err); code != want {
		w.t.Fatalf("%s: %q, the notebook says %q: %v", d.Engine(), code, want, err)
	}
}

func (w *world) drawDoc(kind Kind) Document {
	noteSerial++
	return Document{Kind: kind, ID: id.ID(noteSerial), Site: rapid.SampledFrom(w.sites[:]).Draw(w.t, "site"),
		Date: w.date().AddDays(-rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(w.t, "days late"))}
}

// drawLegs moves goods or money between shelves and flows; now and then something that can't be.
func (w *world) drawLegs(promise bool) []noteLeg {
	legs := make([]noteLeg, rapid.IntRange(1, 3).Draw(w.t, "legs"))
	leg := 0
	for i := range legs {
		l := &legs[i]
		leg += rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(w.t, "step")
		l.leg = leg
		l.amount = rapid.OneOf(rapid.SampledFrom([]int64{1, 10, 100}), rapid.Int64Range(1, 300)).Draw(w.t, "amount")
		one := Account(rapid.IntRange(1, len(w.accounts)).Draw(w.t, "account"))
		l.unit = w.account(int(one)).unit
		if rapid.IntRange(0, 29).Draw(w.t, "slip of the pen") == 0 {
			l.unit = tea + rice + CNY - l.unit - 1
		}
		other := rapid.SampledFrom([]Account{gone, arrived, income}).Draw(w.t, "flow")
		if kept := Account(rapid.IntRange(1, 2*len(w.accounts)).Draw(w.t, "other")); int(kept) <= len(w.accounts) && kept != one && w.account(int(kept)).unit == w.account(int(one)).unit {
			other = kept
		}
		l.from, l.to = other, one
		if promise || rapid.Bool().Draw(w.t, "out") {
			l.from, l.to = one, other
		}
	}
	return legs
}

func (w *world) book() {
	kind := rapid.SampledFrom([]Kind{noteSale, noteSale, noteOther}).Draw(w.t, "kind")
	d := &noteDoc{w.drawDoc(kind), w.drawLegs(false)}
	code := w.refusal(d.Document, d.legs, false)
	born := rapid.Bool().Draw(w.t, "born here")
	w.on(code, func(tx *db.Tx) error {
		ts := w.transfers(d.legs)
		if !born {
			return Apply(tx, d.Document, ts...)
		}
		l, err := Lock(tx, kept(ts)...)
		if err != nil {
			return err
		}
		return l.Apply(tx, d.Document, ts...)
	})
	if code == "" {
		w.docs = append(w.docs, d)
	}
}

func (w *world) drawBooked() *noteDoc {
	if len(w.docs) == 0 {
		w.t.Skip("nothing is booked")
	}
	return rapid.SampledFrom(w.docs).Draw(w.t, "document")
}

// bookAgain sends what was sent before: as it was, in part, or not quite the same.
func (w *world) bookAgain() {
	d := w.drawBooked()
	again, legs, code := d.Document, slices.Clone(d.legs), ""
	switch rapid.IntRange(0, 4).Draw(w.t, "what") {
	case 0:
		legs = legs[:1]
	case 1:
		legs[len(legs)-1].amount++
		code = "ledger_transfer_differs"
	case 2:
		again.Site = w.sites[0] + w.sites[1] - again.Site
		code = "ledger_transfer_differs"
	}
	w.on(code, func(tx *db.Tx) error { return Apply(tx, again, w.transfers(legs)...) })
}

// tornForm tries what no document may say.
func (w *world) tornForm() {
	d, legs, code := w.drawDoc(noteSale), w.drawLegs(false), "ledger_document_bad"
	switch rapid.IntRange(0, 5).Draw(w.t, "what") {
	case 0:
		legs[0].amount, code = 0, "ledger_amount_bad"
	case 1:
		legs[0].amount, code = -legs[0].amount, "ledger_amount_bad"
	case 2:
		legs[0].to = legs[0].from
	case 3:
		d.Date = "2026-02-30"
	case 4:
		legs[0].from, legs[0].to, code = 99, gone, "ledger_account_missing"
	case 5:
		legs[0].leg = -1
	}
	w.on(code, func(tx *db.Tx) error { return Apply(tx, d, w.transfers(legs)...) })
}

func (w *world) hold() {
	h := &noteHold{doc: w.drawDoc(noteSale), legs: w.drawLegs(true), state: HoldOpen,
		expires: w.now.Add(time.Duration(rapid.SampledFrom([]int{-1, 0, 1, 30, 30, 90, 2000}).Draw(w.t, "minutes")) * time.Minute)}
	code := "ledger_hold_expired"
	if h.expires.After(w.now) {
		code = w.refusal(h.doc, h.legs, true)
	}
	w.on(code, func(tx *db.Tx) error {
		ts := w.transfers(h.legs)
		l, err := Lock(tx, kept(ts)...)
		if err != nil {
			return err
		}
		return l.Hold(tx, h.doc, h.expires, ts...)
	})
	if code == "" {
		w.holds = append(w.holds, h)
	}
}

func (w *world) drawHold() *noteHold {
	if len(w.holds) == 0 {
		w.t.Skip("nothing is held")
	}
	return rapid.SampledFrom(w.holds).Draw(w.t, "hold")
}

func (h *noteHold) late(now time.Time) bool {
	return h.state == HoldExpired || h.state == HoldOpen && !now.Before(h.expires)
}

// capture books what was promised, all, some or none of it; or the same once more.
func (w *world) capture() {
	h := w.drawHold()
	amounts := make([]int64, len(h.legs))
	how := rapid.SampledFrom([]string{"all", "part", "part", "as before", "none", "too much"}).Draw(w.t, "how")
	total := int64(0)
	for i, l := range h.legs {
		switch how {
		case "all":
			amounts[i] = l.amount
		case "part":
			amounts[i] = rapid.Int64Range(0, l.amount).Draw(w.t, "part")
		case "too much":
			amounts[i] = l.amount + 1
		case "as before":
			if amounts[i] = l.amount; h.captured != nil {
				amounts[i] = h.captured[i]
			}
		}
		total += amounts[i]
	}
	late, booked := h.doc, []noteLeg(nil)
	late.Date = w.date()
	for i, l := range h.legs {
		if l.amount = amounts[i]; l.amount > 0 {
			booked = append(booked, l)
		}
	}
	code, act := "", false
	switch {
	case total == 0: // which voids
		if act = h.state == HoldOpen; h.state == HoldCaptured {
			code = "ledger_hold_settled"
		}
	case h.late(w.now):
		code = "ledger_hold_expired"
	case h.state == HoldOpen && how == "too much":
		code = "ledger_amount_bad"
	case h.state == HoldOpen:
		// What is freed and what is taken happen together.
		h.state = HoldVoid
		code = w.refusal(late, booked, false)
		h.state = HoldOpen
		act = code == ""
	case h.state != HoldCaptured || !slices.Equal(amounts, h.captured):
		code = "ledger_hold_settled"
	}
	ask := amounts
	if how == "all" && rapid.Bool().Draw(w.t, "unsaid") {
		ask = nil
	}
	w.on(code, func(tx *db.Tx) error { return Capture(tx, h.doc.Kind, h.doc.ID, late, slices.Clone(ask)) })
	if act && total > 0 {
		h.state, h.captured = HoldCaptured, amounts
		w.docs = append(w.docs, &noteDoc{late, booked})
	} else if act {
		h.state = HoldVoid
	}
}

func (w *world) void() {
	h := w.drawHold()
	code := ""
	if h.state == HoldCaptured {
		code = "ledger_hold_settled"
	}
	w.on(code, func(tx *db.Tx) error { return Void(tx, h.doc.Kind, h.doc.ID) })
	if h.state == HoldOpen {
		h.state = HoldVoid
	}
}

func (w *world) expire() {
	n := 0
	for _, h := range w.holds {
		if h.state == HoldOpen && h.late(w.now) {
			h.state = HoldExpired
			n += len(h.legs)
		}
	}
	for _, d := range w.dbs {
		// What other notebooks have left is freed too.
		if freed, err := ExpireHolds(w.t.Context(), d.DB); err != nil || freed < n {
			w.t.Fatalf("%s: %d freed, the notebook says %d: %v", d.Engine(), freed, n, err)
		}
	}
}

// taken is what others than doc have taken back of a leg.
func (w *world) taken(of *noteDoc, leg int, but *noteDoc) (n int64) {
	for _, d := range w.docs {
		for _, l := range d.legs {
			if d != but && l.of == of && l.ofLeg == leg {
				n += l.amount
			}
		}
	}
	return n
}

// reverse takes back what is left of a document, or does that once more.
func (w *world) reverse() {
	of := w.drawBooked()
	undo := &noteDoc{Document: w.drawDoc(noteUndo)}
	if d := w.drawBooked(); d.Kind == noteUndo && len(d.legs) > 0 && rapid.Bool().Draw(w.t, "again") {
		undo, of = d, d.legs[0].of
	}
	var back []noteLeg
	for _, l := range of.legs {
		if n := l.amount - w.taken(of, l.leg, undo); n > 0 {
			back = append(back, noteLeg{from: l.to, to: l.from, unit: l.unit, amount: n, leg: l.leg, of: of, ofLeg: l.leg})
		}
	}
	code := ""
	switch {
	case len(back) == 0:
		code = "ledger_transfer_differs"
	case undo.legs == nil:
		code = w.refusal(undo.Document, back, false)
	}
	w.on(code, func(tx *db.Tx) error { return Reverse(tx, undo.Document, of.Kind, of.ID) })
	if code == "" && undo.legs == nil {
		undo.legs = back
		w.docs = append(w.docs, undo)
	}
}

// giveBack takes a part of one transfer back.
func (w *world) giveBack() {
	of := w.drawBooked()
	l := rapid.SampledFrom(of.legs).Draw(w.t, "leg")
	left := l.amount - w.taken(of, l.leg, nil)
	if left == 0 {
		w.t.Skip("nothing of it is left")
	}
	n := rapid.Int64Range(1, left).Draw(w.t, "amount")
	d := &noteDoc{w.drawDoc(noteSale), []noteLeg{{from: l.to, to: l.from, unit: l.unit, amount: n, leg: 1, of: of, ofLeg: l.leg}}}
	code := w.refusal(d.Document, d.legs, false)
	w.on(code, func(tx *db.Tx) error {
		legs, err := Legs(tx, of.Kind, of.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(legs, func(p Posted) bool { return p.Transfer.Leg == l.leg })
		return Apply(tx, d.Document, legs[i].Back(n))
	})
	if code == "" {
		w.docs = append(w.docs, d)
	}
}

func (w *world) allow() {
	i := rapid.IntRange(1, len(w.accounts)).Draw(w.t, "account")
	a := w.account(i)
	low := rapid.Int64Range(-400, 10).Draw(w.t, "low")
	until := w.now.Add(time.Duration(rapid.SampledFrom([]int{0, 30, 90, 3000}).Draw(w.t, "minutes")) * time.Minute)
	reason := rapid.SampledFrom([]string{"the van is late", "the van is late", "the van is late", " "}).Draw(w.t, "reason")
	code := ""
	switch {
	case reason == " ":
		code = "ledger_reason_missing"
	case !until.After(w.now):
		code = "ledger_until_bad"
	case low >= a.low || low >= 0:
		code = "ledger_low_bad"
	case a.allowed != nil:
		code = "ledger_allowed_already"
	}
	w.on(code, func(tx *db.Tx) error {
		_, err := Allow(tx, w.real(Account(i)), low, reason, 7, until)
		return err
	})
	if code == "" {
		a.allowed = &Allowance{Low: low, Base: a.low, By: 7, Until: until}
		a.low = low
	}
}

// ends raises the floor again, as far as the account is above it.
func (w *world) ends(i int) {
	a := w.account(i)
	if n := w.available(Account(i)); n < a.allowed.Base {
		a.low, a.allowed.Ending = n, true
	} else {
		a.low, a.allowed = a.allowed.Base, nil
	}
}

func (w *world) endAllowance() {
	i := rapid.IntRange(1, len(w.accounts)).Draw(w.t, "account")
	a := w.account(i)
	code := ""
	switch {
	case a.allowed == nil:
		code = "ledger_not_allowed"
	case a.allowed.By == 0:
		code = "ledger_allowed_by_rule"
	}
	w.on(code, func(tx *db.Tx) error { return EndAllowance(tx, w.real(Account(i)), 8) })
	if code == "" {
		a.allowed.Until = slices.MinFunc([]time.Time{a.allowed.Until, w.now}, time.Time.Compare)
		w.ends(i)
	}
}

func (w *world) endAllowances() {
	for i := range w.accounts {
		if a := &w.accounts[i]; a.allowed != nil && !w.now.Before(a.allowed.Until) {
			w.ends(i + 1)
		}
	}
	for _, d := range w.dbs {
		if err := EndAllowances(w.t.Context(), d.DB); err != nil {
			w.t.Fatal(err)
		}
	}
}

// first is the first day on which something happened at a site or to its accounts; "" when nothing has.
func (w *world) first(site id.ID) (day cal.Date) {
	for _, d := range w.docs {
		at := d.Site == site
		for _, a := range touched(d.legs) {
			at = at || w.account(int(a)).site == site
		}
		if at && (day == "" || d.Date < day) {
			day = d.Date
		}
	}
	return day
}

// closes is how many days of a site become closed.
func (w *world) closes(site id.ID, through cal.Date) int {
	c, first := w.closed[site], w.first(site)
	if first == "" || first > through || c.through >= through {
		return 0
	}
	if c.since == "" {
		c.since, c.through, c.sealed = first, first.AddDays(-1), first.AddDays(-1)
	}
	days := through.Sub(c.through)
	c.through = through
	return days
}

func (w *world) closeDays() {
	site := rapid.SampledFrom(w.sites[:]).Draw(w.t, "site")
	through := w.date().AddDays(-rapid.IntRange(0, 4).Draw(w.t, "days ago"))
	code, days := "", 0
	if through >= w.date() {
		code = "ledger_day_not_over"
	} else {
		days = w.closes(site, through)
	}
	for _, d := range w.dbs {
		n, err := CloseDays(w.t.Context(), d.DB, site, through, w.date(), 7)
		if w.same(d, code, err); n != days {
			w.t.Fatalf("%s: %d days were closed, the notebook says %d", d.Engine(), n, days)
		}
	}
}

func (w *world) closeMonth() {
	site := rapid.SampledFrom(w.sites[:]).Draw(w.t, "site")
	month := string(w.date().AddDays(-rapid.IntRange(0, 31).Draw(w.t, "days ago"))[:7])
	last, _ := LastOf(month)
	code := ""
	if last >= w.date() {
		code = "ledger_month_not_over"
	} else {
		w.closes(site, last)
		if c := w.closed[site]; c.since != "" && monthOf(c.since) <= month {
			c.months = max(c.months, month)
		}
	}
	for _, d := range w.dbs {
		w.same(d, code, CloseMonth(w.t.Context(), d.DB, site, month, w.date(), 7))
	}
}

func (w *world) seal() {
	site := rapid.SampledFrom(w.sites[:]).Draw(w.t, "site")
	c := w.closed[site]
	days := 0
	if c.since != "" {
		days, c.sealed = c.through.Sub(c.sealed), c.through
	}
	for _, d := range w.dbs {
		if n, err := (Sealer{}).SealDays(w.t.Context(), d.DB, site); err != nil || n != days {
			w.t.Fatalf("%s: %d days were sealed, the notebook says %d: %v", d.Engine(), n, days, err)
		}
	}
}

func (w *world) places() []id.ID { return []id.ID{0, w.sites[0], w.sites[1]} }

// judge lets a proof be red at a site or everywhere, or green.
func (w *world) judge() {
	bad := rapid.SampledFrom([]int64{0, 1, 2}).Draw(w.t, "bad")
	at := rapid.SampledFrom(w.places()).Draw(w.t, "at")
	for site, s := range w.stops {
		if s.released && (bad == 0 || site != at || bad > s.bad || !w.now.Before(s.until)) {
			delete(w.stops, site)
		}
	}
	if s := w.stops[at]; s == nil && bad > 0 {
		w.stops[at] = &noteStop{bad: bad}
	} else if s != nil && !s.released && bad > 0 {
		s.bad = bad
	}
	for _, d := range w.dbs {
		if _, err := Judge(w.t.Context(), d.DB, []proof.Finding{{Name: noteProof, Bad: bad, Stops: []proof.Stop{{Kind: noteOther.String(), Site: at}}}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func openStops(tx *db.Tx) (map[id.ID]Stop, error) {
	all, err := Stops(tx, false)
	open := map[id.ID]Stop{}
	for _, s := range all {
		if s.Proof == noteProof {
			open[s.Site] = s
		}
	}
	return open, err
}

func (w *world) letGo() {
	at := rapid.SampledFrom(w.places()).Draw(w.t, "at")
	stop := w.stops[at]
	if stop == nil {
		w.t.Skip("nothing is stopped there")
	}
	until := w.now.Add(time.Duration(rapid.SampledFrom([]int{0, 40, 3000}).Draw(w.t, "minutes")) * time.Minute)
	reason := rapid.SampledFrom([]string{"counted again, it is right", "ok"}).Draw(w.t, "reason")
	code := ""
	switch {
	case reason == "ok":
		code = "ledger_stop_reason_short"
	case !until.After(w.now):
		code = "ledger_until_bad"
	case stop.released:
		code = "ledger_stop_released"
	}
	w.on(code, func(tx *db.Tx) error {
		open, err := openStops(tx)
		if err != nil {
			return err
		}
		_, err = Release(tx, open[at].ID, reason, 7, until)
		return err
	})
	if code == "" {
		stop.released, stop.until = true, until
	}
}

func (w *world) wait() {
	by := time.Duration(rapid.IntRange(1, 120).Draw(w.t, "minutes")) * time.Minute
	by += time.Duration(rapid.SampledFrom([]int{0, 0, 1, 2, 16}).Draw(w.t, "days")) * 24 * time.Hour
	w.now = w.now.Add(by)
	for _, d := range w.dbs {
		d.Clock.Set(w.now)
	}
}
