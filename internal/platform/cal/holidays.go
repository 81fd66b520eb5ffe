package cal

import (
	"maps"
	"sort"
	"strings"
	"sync"
	"time"
)

// Holiday is one named day. Off tells a day off from a make-up work day (调休), a weekend day on which
// people work.
type Holiday struct {
	Date Date
	Name string
	Off  bool
}

// Holidays is a set of named days, at most one per date.
type Holidays struct{ days map[Date]Holiday }

// NewHolidays makes a set; of two entries for one date the later wins.
func NewHolidays(days []Holiday) *Holidays {
	h := &Holidays{days: make(map[Date]Holiday, len(days))}
	for _, d := range days {
		h.days[d.Date] = d
	}
	return h
}

// On tells what the day is, if it is in the set.
func (h *Holidays) On(d Date) (Holiday, bool) {
	if h == nil {
		return Holiday{}, false
	}
	v, ok := h.days[d]
	return v, ok
}

// All lists the set by date.
func (h *Holidays) All() []Holiday {
	if h == nil {
		return nil
	}
	all := make([]Holiday, 0, len(h.days))
	for _, d := range h.days {
		all = append(all, d)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Date < all[j].Date })
	return all
}

// With is h with days added; an added day replaces one of the same date.
func (h *Holidays) With(days []Holiday) *Holidays {
	n := &Holidays{days: map[Date]Holiday{}}
	if h != nil {
		maps.Copy(n.days, h.days)
	}
	for _, d := range days {
		n.days[d.Date] = d
	}
	return n
}

// announced holds the days off and the make-up work days (+) that the State Council announced for each
// year, as MMDD. December days of the New Year entry fall in the year before.
var announced = map[int]string{
	2007: "元旦 0101-0103 +1230 +1231; 春节 0218-0224 +0217 +0225; 劳动节 0501-0507 +0428 +0429; 国庆节 1001-1007 +0929 +0930",
	2008: "元旦 1230-0101 +1229; 春节 0206-0212 +0202 +0203; 清明节 0404-0406; 劳动节 0501-0503 +0504; 端午节 0607-0609; 中秋节 0913-0915; 国庆节 0929-1005 +0927 +0928",
	2009: "元旦 0101-0103 +0104; 春节 0125-0131 +0124 +0201; 清明节 0404-0406; 劳动节 0501-0503; 端午节 0528-0530 +0531; 国庆节、中秋节 1001-1008 +0927 +1010",
	2010: "元旦 0101-0103; 春节 0213-0219 +0220 +0221; 清明节 0403-0405; 劳动节 0501-0503; 端午节 0614-0616 +0612 +0613; 中秋节 0922-0924 +0919 +0925; 国庆节 1001-1007 +0926 +1009",
	2011: "元旦 0101-0103; 春节 0202-0208 +0130 +0212; 清明节 0403-0405 +0402; 劳动节 0430-0502; 端午节 0604-0606; 中秋节 0910-0912; 国庆节 1001-1007 +1008 +1009",
	2012: "元旦 0101-0103 +1231; 春节 0122-0128 +0121 +0129; 清明节 0402-0404 +0331 +0401; 劳动节 0429-0501 +0428; 端午节 0622-0624; 国庆节、中秋节 0930-1007 +0929",
	2013: "元旦 0101-0103 +0105 +0106; 春节 0209-0215 +0216 +0217; 清明节 0404-0406 +0407; 劳动节 0429-0501 +0427 +0428; 端午节 0610-0612 +0608 +0609; 中秋节 0919-0921 +0922; 国庆节 1001-1007 +0929 +1012",
	2014: "元旦 0101; 春节 0131-0206 +0126 +0208; 清明节 0405 0407; 劳动节 0501-0503 +0504; 端午节 0602; 中秋节 0908; 国庆节 1001-1007 +0928 +1011",
	2015: "元旦 0101-0103 +0104; 春节 0218-0224 +0215 +0228; 清明节 0405-0406; 劳动节 0501; 端午节 0620 0622; 抗战胜利70周年 0903-0905 +0906; 中秋节 0927; 国庆节 1001-1007 +1010",
	2016: "元旦 0101; 春节 0207-0213 +0206 +0214; 清明节 0404; 劳动节 0501-0502; 端午节 0609-0611 +0612; 中秋节 0915-0917 +0918; 国庆节 1001-1007 +1008 +1009",
	2017: "元旦 0101-0102; 春节 0127-0202 +0122 +0204; 清明节 0402-0404 +0401; 劳动节 0501; 端午节 0528-0530 +0527; 国庆节、中秋节 1001-1008 +0930",
	2018: "元旦 0101; 春节 0215-0221 +0211 +0224; 清明节 0405-0407 +0408; 劳动节 0429-0501 +0428; 端午节 0618; 中秋节 0924; 国庆节 1001-1007 +0929 +0930",
	2019: "元旦 1230-0101 +1229; 春节 0204-0210 +0202 +0203; 清明节 0405; 劳动节 0501-0504 +0428 +0505; 端午节 0607; 中秋节 0913; 国庆节 1001-1007 +0929 +1012",
	2020: "元旦 0101; 春节 0124-0202 +0119 +0203; 清明节 0404-0406; 劳动节 0501-0505 +0426 +0509; 端午节 0625-0627 +0628; 国庆节、中秋节 1001-1008 +0927 +1010",
	2021: "元旦 0101-0103; 春节 0211-0217 +0207 +0220; 清明节 0403-0405; 劳动节 0501-0505 +0425 +0508; 端午节 0612-0614; 中秋节 0919-0921 +0918; 国庆节 1001-1007 +0926 +1009",
	2022: "元旦 0101-0103; 春节 0131-0206 +0129 +0130; 清明节 0403-0405 +0402; 劳动节 0430-0504 +0424 +0507; 端午节 0603-0605; 中秋节 0910-0912; 国庆节 1001-1007 +1008 +1009",
	2023: "元旦 1231-0102; 春节 0121-0127 +0128 +0129; 清明节 0405; 劳动节 0429-0503 +0423 +0506; 端午节 0622-0624 +0625; 国庆节、中秋节 0929-1006 +1007 +1008",
	2024: "元旦 0101; 春节 0210-0217 +0204 +0218; 清明节 0404-0406 +0407; 劳动节 0501-0505 +0428 +0511; 端午节 0610; 中秋节 0915-0917 +0914; 国庆节 1001-1007 +0929 +1012",
	2025: "元旦 0101; 春节 0128-0204 +0126 +0208; 清明节 0404-0406; 劳动节 0501-0505 +0427; 端午节 0531-0602; 国庆节、中秋节 1001-1008 +0928 +1011",
	2026: "元旦 0101-0103 +0104; 春节 0215-0223 +0214 +0228; 清明节 0404-0406; 劳动节 0501-0505 +0509; 端午节 0619-0621; 中秋节 0925-0927; 国庆节 1001-1007 +0920 +1010",
}

// CN is the Chinese calendar of days off and make-up work days: as announced for 2007–2026, and for the
// years around that the statutory days alone, since which weekends are moved is decided anew each year.
func CN() *Holidays { return cn() }

var cn = sync.OnceValue(func() *Holidays {
	var all []Holiday
	for y := firstYear; y <= lastYear; y++ {
		if text, ok := announced[y]; ok {
			all = append(all, readAnnounced(y, text)...)
		} else {
			all = append(all, statutory(y)...)
		}
	}
	return NewHolidays(all)
})

func readAnnounced(year int, text string) (days []Holiday) {
	for _, entry := range strings.Split(text, "; ") {
		words := strings.Fields(entry)
		at := func(mmdd string) Date {
			y, m, d := year, int(mmdd[0]-'0')*10+int(mmdd[1]-'0'), int(mmdd[2]-'0')*10+int(mmdd[3]-'0')
			if m == 12 { // only the New Year reaches back into December
				y--
			}
			return Of(y, time.Month(m), d)
		}
		for _, w := range words[1:] {
			if w[0] == '+' {
				days = append(days, Holiday{at(w[1:]), words[0], false})
				continue
			}
			from, to, isRun := strings.Cut(w, "-")
			if !isRun {
				to = from
			}
			for d := at(from); d <= at(to); d = d.AddDays(1) {
				days = append(days, Holiday{d, words[0], true})
			}
		}
	}
	return days
}

// statutory lists the days off of the law in the form it had before and after the announced years
// (three days of Spring Festival, the solar and lunar festivals one day each).
func statutory(y int) (days []Holiday) {
	add := func(f Festival, offsets ...int) {
		if at, ok := f.In(y); ok {
			for _, o := range offsets {
				days = append(days, Holiday{at.AddDays(o), f.Name(), true})
			}
		}
	}
	add(NewYear, 0)
	if y >= 2025 { // New Year's Eve and a second day in May came with the 2025 revision
		add(SpringFestival, -1, 0, 1, 2)
		add(LabourDay, 0, 1)
	} else {
		add(SpringFestival, 0, 1, 2)
		add(LabourDay, 0)
	}
	if y >= 2007 {
		add(Qingming, 0)
		add(DragonBoat, 0)
		add(MidAutumn, 0)
	}
	add(NationalDay, 0, 1, 2)
	return days
}
