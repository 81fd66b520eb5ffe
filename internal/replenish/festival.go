package replenish

import (
	"slices"
	"strings"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// A festival's factor is learned per category and day from what past years sold (planning §1, strategy factor; §3.2). The set
// factor is where a shop without history begins, and what it is drawn to.

// NoFestival says that an entry of the calendar is none of the festivals of the year.
const NoFestival = "none"

// ErrEventFestival refuses a festival that is none, or of an entry that is not one.
var ErrEventFestival = errs.Define("plan_event_festival", errs.Invalid, "不认识这个节日,或者这个活动不是节日", "That is no festival, or this entry is not one")

// LearnedYear is what one year says of a day: demand ÷ level, in thousandths.
type LearnedYear struct {
	Year      int64     `json:"year"`
	Ratio     qty.Qty   `json:"ratio" doc:"what was asked for ÷ a day's level before, as in 3.1"`
	DemandFen money.Fen `json:"demand_fen" doc:"what was asked for on that day, sold-out hours estimated, at the prices before"`
	LevelFen  money.Fen `json:"level_fen" doc:"the mean of the 28 ordinary days before the festival's days"`
}

// LearnedOf says whose past a learned factor is from.
type LearnedOf string

// From the nearest to the widest.
const (
	OfShop  LearnedOf = "shop"  // the category in this shop
	OfGroup LearnedOf = "group" // the category in all shops
	OfAll   LearnedOf = "all"   // everything in all shops
)

// Learned is what past years say of a festival's day, drawn to the set factor by the weight of one year.
type Learned struct {
	Festival string        `json:"festival"`
	Day      cal.Date      `json:"day" doc:"of the festival"`
	Offset   int64         `json:"offset" doc:"days from it; negative: before"`
	Set      qty.Qty       `json:"set" doc:"what is set for the day: the event's factor from 48 hours before to its end, else 1"`
	Factor   qty.Qty       `json:"factor" doc:"(set + what each year says) ÷ (1 + years)"`
	Of       LearnedOf     `json:"of" enum:"shop,group,all"`
	Used     bool          `json:"used" doc:"no: somebody set the factor by hand"`
	Years    []LearnedYear `json:"years"`
}

// Bounds of a learned factor, those of a set one.
const leastFactor, mostFactor int64 = 100, 20_000

// Shrunk is m = (set + Σ ratios) ÷ (1 + n), in thousandths, halves up: the set factor weighs as much as one year. Kept between
// 0.1 and 20, as what people may set.
func Shrunk(set int64, years []LearnedYear) int64 {
	sum, n := set, int64(1)
	for _, y := range years {
		sum, n = sum+min(int64(y.Ratio), 1000*mostFactor), n+1
	}
	return min(mostFactor, max(leastFactor, (2*sum+n)/(2*n)))
}

// SetOn is what is set for the day that begins at an instant: the event's factor when that is within 48 hours before it begins
// and its end, else one.
func (e *Event) SetOn(start time.Time, loc *time.Location) int64 {
	return FactorAt(start, e.Begins(loc).Add(-Ahead48), e.Ends(loc), e.Factor)
}

// byWeight are the festivals of which the first on an event's days names it: the greatest first.
var byWeight = []cal.Festival{cal.SpringFestival, cal.NationalDay, cal.MidAutumn, cal.DragonBoat, cal.LabourDay, cal.Qingming, cal.Lantern, cal.NewYear,
	cal.DoubleNinth, cal.Qixi, cal.ChristmasEve, cal.LittleNewYear, cal.Laba, cal.NewYearsEve}

// names that an entry may call a festival by.
var calledBy = []struct {
	f     cal.Festival
	names []string
}{
	{cal.LittleNewYear, []string{"小年", "little new year"}}, {cal.SpringFestival, []string{"春节", "除夕", "年货", "过年", "chinese new year", "spring festival", "lunar new year"}},
	{cal.Lantern, []string{"元宵", "lantern"}}, {cal.Qingming, []string{"清明", "qingming"}}, {cal.LabourDay, []string{"劳动", "五一", "labour day", "labor day"}},
	{cal.DragonBoat, []string{"端午", "粽", "dragon boat"}}, {cal.Qixi, []string{"七夕", "qixi"}}, {cal.MidAutumn, []string{"中秋", "月饼", "mid-autumn", "mooncake"}},
	{cal.NationalDay, []string{"国庆", "十一", "national day"}}, {cal.DoubleNinth, []string{"重阳", "double ninth"}}, {cal.Laba, []string{"腊八", "laba"}},
	{cal.ChristmasEve, []string{"平安夜", "圣诞", "christmas"}}, {cal.NewYear, []string{"元旦", "new year"}},
}

// nearEvent is how many days a festival may be off the days of an entry that calls it by name.
const nearEvent = 15

// FestivalDay is which festival of the year an entry of the calendar is, and its day: what somebody said it is, else what its
// name calls it if that is near, else the greatest on its days. false: none.
func (e *Event) FestivalDay() (f cal.Festival, day cal.Date, ok bool) {
	if e.Kind != Festival || e.Festival == NoFestival {
		return 0, "", false
	}
	if f, ok := cal.FestivalOf(e.Festival); ok {
		day, ok := f.Around(e.From, e.To)
		return f, day, ok
	}
	name := strings.ToLower(e.Name)
	for _, c := range calledBy {
		if slices.ContainsFunc(c.names, func(n string) bool { return strings.Contains(name, n) }) {
			if day, ok := c.f.Around(e.From, e.To); ok && day >= e.From.AddDays(-nearEvent) && day <= e.To.AddDays(nearEvent) {
				return c.f, day, true
			}
		}
	}
	for _, f := range byWeight {
		if day, ok := f.Around(e.From, e.To); ok && day >= e.From && day <= e.To {
			return f, day, true
		}
	}
	return 0, "", false
}

// festivalGiven refuses a festival that an entry can't be.
func (e *Event) festivalGiven() error {
	if e.Festival == "" {
		return nil
	}
	_, known := cal.FestivalOf(e.Festival)
	if e.Kind != Festival || !known && e.Festival != NoFestival {
		return ErrEventFestival.At("festival")
	}
	return nil
}

// Moved is what the calendar does to one product on one day.
type Moved struct {
	Event   *Event
	Factor  int64       // One: nothing
	Learned *Learned    // of its festival, also where it is not used; nil: nothing
	Kinds   []EventKind // of all entries that hold, each once
}

// Highest is the entry of the calendar that decides: factors are not multiplied, the highest wins. fires tells of each
// entry for the product whether it holds, and by how much.
func Highest(events []Event, product id.ID, fires func(e *Event) (Moved, bool)) Moved {
	best := Moved{Factor: One}
	var kinds []EventKind
	for i := range events {
		e := &events[i]
		if !e.Products[product] {
			continue
		}
		m, ok := fires(e)
		if !ok {
			continue
		}
		if !slices.Contains(kinds, e.Kind) {
			kinds = append(kinds, e.Kind)
		}
		if best.Event == nil || m.Factor > best.Factor {
			best = m
		}
	}
	best.Kinds = kinds
	return best
}
