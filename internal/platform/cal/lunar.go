package cal

import (
	"math"
	"time"
)

// The lunar calendar is known here from New Year 1900 to the end of lunar year 2100.
const (
	firstYear = 1900
	lastYear  = 2100
)

// LunarDate is a day of the Chinese lunar calendar. Leap marks the second of two months with one number.
type LunarDate struct {
	Year, Month, Day int
	Leap             bool
}

// years packs one lunar year each, from 1900: bits 17–22 the days from 20 January to New Year, bits 13–16
// the number of the leap month or 0, bits 0–12 the months in order, 1 for 30 days and 0 for 29.
// The test holds every month against computed new moons and every leap month against solar terms.
var years = [lastYear - firstYear + 1]uint32{
	0x1716d2, 0x3c0752, 0x260ea5, 0x12b64a, 0x36064b, 0x1e0a9b, 0x0a9556, 0x30056a, 0x1a0b59, 0x045752, // 1900
	0x2a0752, 0x14db25, 0x3a0b25, 0x220a4b, 0x0cb4ab, 0x3202ad, 0x1c056b, 0x064b69, 0x2c0da9, 0x18fd92, // 1910
	0x3e0e92, 0x260d25, 0x10ba4d, 0x360a56, 0x2002b6, 0x0895b5, 0x3006d4, 0x1a0ea9, 0x065e92, 0x2a0e92, // 1920
	0x14cd26, 0x38052b, 0x220a57, 0x0cb2b6, 0x320b5a, 0x1e06d4, 0x086ec9, 0x2c0749, 0x16f693, 0x3c0a93, // 1930
	0x26052b, 0x0eca5b, 0x340aad, 0x20056a, 0x0a9b55, 0x300ba4, 0x1a0b49, 0x045a93, 0x2a0a95, 0x12f52d, // 1940
	0x380536, 0x220aad, 0x0eb5aa, 0x3205b2, 0x1c0da5, 0x087d4a, 0x2e0d4a, 0x170a95, 0x3a0a97, 0x260556, // 1950
	0x10cab5, 0x340ad5, 0x2006d2, 0x0a8ea5, 0x300ea5, 0x1a064a, 0x026c97, 0x280a9b, 0x14f55a, 0x38056a, // 1960
	0x220b69, 0x0eb752, 0x340b52, 0x1c0b25, 0x06964b, 0x2c0a4b, 0x1714ab, 0x3a02ad, 0x24056d, 0x10cb69, // 1970
	0x360da9, 0x200d92, 0x0a9d25, 0x300d25, 0x1b5a4d, 0x3e0a56, 0x2802b6, 0x12c5b5, 0x3806d5, 0x220ea9, // 1980
	0x0ebe92, 0x340e92, 0x1e0d26, 0x066a56, 0x2a0a57, 0x1714d6, 0x3c035a, 0x2406d5, 0x10b6c9, 0x360749, // 1990
	0x200693, 0x08952b, 0x2e052b, 0x180a5b, 0x04555a, 0x28056a, 0x12fb55, 0x3a0ba4, 0x240b49, 0x0cba93, // 2000
	0x320a95, 0x1c052d, 0x068aad, 0x2a0ab5, 0x1735aa, 0x3c05d2, 0x260da5, 0x10dd4a, 0x360d4a, 0x200c95, // 2010
	0x0a952e, 0x2e0556, 0x180ab5, 0x0455b2, 0x2a06d2, 0x12cea5, 0x380725, 0x22064b, 0x0cac97, 0x300cab, // 2020
	0x1c055a, 0x066ad6, 0x2c0b69, 0x177752, 0x3c0b52, 0x260b25, 0x10da4b, 0x340a4b, 0x1e04ab, 0x08a55b, // 2030
	0x2e05ad, 0x180b6a, 0x045b52, 0x2a0d92, 0x14fd25, 0x380d25, 0x220a55, 0x0cb4ad, 0x3204b6, 0x1a05b5, // 2040
	0x066daa, 0x2c0ec9, 0x191e92, 0x3c0e92, 0x260d26, 0x10ca56, 0x340a57, 0x1e04d6, 0x0886d5, 0x2e0755, // 2050
	0x1a0749, 0x026e93, 0x280693, 0x12f52b, 0x38052b, 0x200a5b, 0x0cb55a, 0x32056a, 0x1c0b65, 0x06974a, // 2060
	0x2c0b4a, 0x171a95, 0x3c0a95, 0x24052d, 0x0ecaad, 0x340ab5, 0x2005aa, 0x088ba5, 0x2e0da5, 0x1a0d4a, // 2070
	0x047c95, 0x280c96, 0x12f94e, 0x380556, 0x220ab5, 0x0cb5b2, 0x3206d2, 0x1c0ea5, 0x088e4a, 0x2a068b, // 2080
	0x150c97, 0x3a04ab, 0x24055b, 0x0ecad6, 0x340b6a, 0x200752, 0x0a9725, 0x2e0b45, 0x180a8b, 0x02549b, // 2090
	0x2804ab, // 2100
}

// lunarNewYear is the first day of the lunar year as a day number.
func lunarNewYear(year int) int {
	return Of(year, time.January, 20).Number() + int(years[year-firstYear]>>17)
}

// eachMonth calls f with every month of a lunar year until it returns false.
func eachMonth(year int, f func(month int, leap bool, start, days int) bool) {
	packed := years[year-firstYear]
	leapMonth := int(packed >> 13 & 15)
	start, i := lunarNewYear(year), 0
	visit := func(month int, leap bool) bool {
		days := 29 + int(packed>>i&1)
		if !f(month, leap, start, days) {
			return false
		}
		start, i = start+days, i+1
		return true
	}
	for m := 1; m <= 12; m++ {
		if !visit(m, false) || m == leapMonth && !visit(m, true) {
			return
		}
	}
}

// Lunar tells the lunar day of d; false outside 1900-01-31 … 2101-01-28.
func (d Date) Lunar() (LunarDate, bool) {
	n, year := d.Number(), d.Year()
	if year < firstYear || year > lastYear+1 {
		return LunarDate{}, false
	}
	if year > lastYear || n < lunarNewYear(year) {
		year--
	}
	if year < firstYear {
		return LunarDate{}, false
	}
	var l LunarDate
	eachMonth(year, func(month int, leap bool, start, days int) bool {
		if n < start+days {
			l = LunarDate{year, month, n - start + 1, leap}
			return false
		}
		return true
	})
	return l, l.Day > 0
}

// Date is the day of the solar calendar; false for a lunar day that does not exist or is out of range.
func (l LunarDate) Date() (Date, bool) {
	if l.Year < firstYear || l.Year > lastYear {
		return "", false
	}
	var d Date
	eachMonth(l.Year, func(month int, leap bool, start, days int) bool {
		if month == l.Month && leap == l.Leap {
			if l.Day >= 1 && l.Day <= days {
				d = FromNumber(start + l.Day - 1)
			}
			return false
		}
		return true
	})
	return d, d != ""
}

// Festival is a day that moves trade, whether or not people have it off.
type Festival int

// The festivals in the order of the year.
const (
	NewYear        Festival = iota // 1 January
	Laba                           // 8th of the 12th lunar month
	LittleNewYear                  // 23rd of the 12th lunar month
	NewYearsEve                    // last day of the lunar year
	SpringFestival                 // lunar New Year
	Lantern                        // 15th of the 1st lunar month
	Qingming                       // the sun at 15°, 4–6 April
	LabourDay                      // 1 May
	DragonBoat                     // 5th of the 5th lunar month
	Qixi                           // 7th of the 7th lunar month
	MidAutumn                      // 15th of the 8th lunar month
	NationalDay                    // 1 October
	DoubleNinth                    // 9th of the 9th lunar month
	ChristmasEve                   // 24 December
	festivals                      // how many there are
)

var festivalNames = [festivals][2]string{
	{"元旦", "New Year"}, {"腊八", "Laba"}, {"小年", "Little New Year"}, {"除夕", "New Year's Eve"},
	{"春节", "Spring Festival"}, {"元宵节", "Lantern Festival"}, {"清明节", "Qingming"}, {"劳动节", "Labour Day"},
	{"端午节", "Dragon Boat Festival"}, {"七夕", "Qixi"}, {"中秋节", "Mid-Autumn Festival"},
	{"国庆节", "National Day"}, {"重阳节", "Double Ninth"}, {"平安夜", "Christmas Eve"},
}

// Festivals lists all, in the order of the year.
func Festivals() []Festival {
	all := make([]Festival, festivals)
	for i := range all {
		all[i] = Festival(i)
	}
	return all
}

// Name in Chinese.
func (f Festival) Name() string { return festivalNames[f][0] }

// English name.
func (f Festival) English() string { return festivalNames[f][1] }

// festivalKeys name the festivals in tables and on the wire.
var festivalKeys = [festivals]string{"new_year", "laba", "little_new_year", "new_years_eve", "spring_festival", "lantern", "qingming", "labour_day", "dragon_boat",
	"qixi", "mid_autumn", "national_day", "double_ninth", "christmas_eve"}

// Key names it in tables and on the wire.
func (f Festival) Key() string { return festivalKeys[f] }

// FestivalOf is the festival of a key; false for a key of none.
func FestivalOf(key string) (Festival, bool) {
	for f, k := range festivalKeys {
		if k == key {
			return Festival(f), true
		}
	}
	return 0, false
}

// Around is the day of the festival that is nearest to the days from one to another, the earlier of two as near; false
// when it is more than half a year away.
func (f Festival) Around(from, to Date) (best Date, ok bool) {
	near := 183
	for y := from.Year() - 1; y <= to.Year()+1; y++ {
		if d, there := f.In(y); there {
			if away := max(from.Sub(d), d.Sub(to), 0); away < near {
				near, best, ok = away, d, true
			}
		}
	}
	return best, ok
}

// In is the festival's day within the solar year; false outside 1900–2100, and for a year without it
// (Laba may fall in January or in December, and so twice or not at all: the first is given).
func (f Festival) In(year int) (Date, bool) {
	if year < firstYear || year > lastYear {
		return "", false
	}
	inLunar := func(month, day int) (Date, bool) {
		for _, y := range []int{year - 1, year} {
			if d, ok := (LunarDate{Year: y, Month: month, Day: day}).Date(); ok && d.Year() == year {
				return d, true
			}
		}
		return "", false
	}
	switch f {
	case NewYear:
		return Of(year, time.January, 1), true
	case Laba:
		return inLunar(12, 8)
	case LittleNewYear:
		return inLunar(12, 23)
	case NewYearsEve:
		return FromNumber(lunarNewYear(year) - 1), true
	case SpringFestival:
		return FromNumber(lunarNewYear(year)), true
	case Lantern:
		return inLunar(1, 15)
	case Qingming:
		return qingming(year), true
	case LabourDay:
		return Of(year, time.May, 1), true
	case DragonBoat:
		return inLunar(5, 5)
	case Qixi:
		return inLunar(7, 7)
	case MidAutumn:
		return inLunar(8, 15)
	case NationalDay:
		return Of(year, time.October, 1), true
	case DoubleNinth:
		return inLunar(9, 9)
	case ChristmasEve:
		return Of(year, time.December, 24), true
	}
	return "", false
}

// qingming follows the tropical year of 365.2422 days from a constant per century, the usual almanac
// rule; the test holds it against the computed solar longitude for every year.
//
//allow:float days of the sun's year, in the almanac's own decimals
func qingming(year int) Date {
	y, c := year-1900, 5.59
	if year >= 2000 {
		y, c = year-2000, 4.81
	}
	leaps := min(y/4, 24) // 2100 is no leap year
	return Of(year, time.April, int(math.Floor(float64(y)*0.2422+c))-leaps)
}
