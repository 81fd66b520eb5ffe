package sim

import (
	"bytes"
	"testing"

	"zhanggui/internal/platform/cal"
)

const runningDay cal.Date = "2026-11-23"

func TestTheSameSeedGivesTheSamePast(t *testing.T) {
	write := func(seed uint64, from, to cal.Date) string {
		var b bytes.Buffer
		if err := NewHistory(seed).WriteSalesByDay(&b, from, to); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	week := write(1, "2026-11-01", "2026-11-07")
	if week != write(1, "2026-11-01", "2026-11-07") {
		t.Error("two tellings differ")
	}
	if week == write(2, "2026-11-01", "2026-11-07") {
		t.Error("another seed gives the same")
	}
	if !bytes.Contains([]byte(write(1, "2026-10-01", "2026-11-07")), []byte(week[len(week)-60:])) {
		t.Error("a day depends on which days are asked for")
	}
}

func TestThePastLooksLikeAChain(t *testing.T) {
	h := NewHistory(1)
	var days, out, none, offers, weekday, weekendDays float64
	byProduct := map[string]float64{}
	var soldWeekday, soldWeekend float64
	err := h.each(runningDay.AddDays(-HistoryDays), runningDay.AddDays(-1), func(d Day, fen int64, offer bool) {
		if offer {
			offers++
		}
		if fen < 80 || fen > 2500 {
			t.Fatalf("%s at %d fen", d.Product, fen)
		}
		days++
		var slots int64
		for _, n := range d.BySlot {
			slots += int64(n)
		}
		if slots != d.Sold {
			t.Fatalf("%+v does not add up", d)
		}
		if d.SoldOut > 0 {
			out++
		}
		if d.Sold == 0 {
			none++
		}
		byProduct[d.Product] += float64(d.Sold)
		if d.Store == "S001" && weekend(d.Date, h.holidays) {
			soldWeekend, weekendDays = soldWeekend+float64(d.Sold), weekendDays+1
		} else if d.Store == "S001" {
			soldWeekday, weekday = soldWeekday+float64(d.Sold), weekday+1
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if days != 12*60*HistoryDays {
		t.Errorf("%v store product days", days)
	}
	if share := out / days; share < .10 || share > .30 {
		t.Errorf("sold out on %.0f %% of days", 100*share)
	}
	if share := offers / days; share < .02 || share > .08 {
		t.Errorf("on offer on %.0f %% of days", 100*share)
	}
	if none/days > .05 {
		t.Errorf("nothing sold on %.0f %% of days", 100*none/days)
	}
	if soldWeekend/weekendDays > .75*soldWeekday/weekday {
		t.Error("an office store is as busy on weekends")
	}
	if byProduct["B01"] < 2*byProduct["B05"] {
		t.Error("the favourite is none")
	}
}
