package cal

import (
	"errors"
	"math"
	"testing"
	"time"
)

func TestADateIsADayThatExists(t *testing.T) {
	for _, bad := range []string{"", "2025-02-29", "2025-2-1", "2025-13-01", "20250101", "2025-01-01 ", "昨天", "2025-01-00"} {
		if _, err := Parse(bad); !errors.Is(err, ErrDate) {
			t.Errorf("Parse(%q) = %v, want date_invalid", bad, err)
		}
	}
	d, err := Parse("2024-02-29")
	if err != nil {
		t.Fatal(err)
	}
	if got := d.AddDays(1); got != "2024-03-01" {
		t.Errorf("the day after 29 February is %s", got)
	}
	if got := d.AddDays(-60); got != "2023-12-31" {
		t.Errorf("60 days before is %s", got)
	}
	if got := Date("2025-01-01").Sub("2024-01-01"); got != 366 {
		t.Errorf("2024 has %d days", got)
	}
	if d.Weekday() != time.Thursday {
		t.Errorf("2024-02-29 is a %s", d.Weekday())
	}
	for _, n := range []int{-40000, -1, 0, 1, 19782, 80000} {
		if got := FromNumber(n).Number(); got != n {
			t.Errorf("day %d came back as %d", n, got)
		}
	}
}

func TestAfterMidnightASaleStillBelongsToTheEveningBefore(t *testing.T) {
	shanghai, _ := time.LoadLocation("Asia/Shanghai")
	paris, _ := time.LoadLocation("Europe/Paris")
	four := 4 * time.Hour
	for _, c := range []struct {
		at   string
		loc  *time.Location
		want Date
	}{
		{"2026-02-17T03:59:59.999+08:00", shanghai, "2026-02-16"},
		{"2026-02-17T04:00:00+08:00", shanghai, "2026-02-17"},
		{"2026-02-17T15:59:00Z", shanghai, "2026-02-17"},
		{"2026-02-17T20:00:00Z", shanghai, "2026-02-18"},
		{"2026-01-01T00:00:00+08:00", shanghai, "2025-12-31"},
		{"2026-03-29T03:30:00+02:00", paris, "2026-03-28"}, // the night the clocks go forward
		{"2026-03-29T04:00:00+02:00", paris, "2026-03-29"},
		{"2026-10-25T03:30:00+01:00", paris, "2026-10-24"}, // and back
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := BusinessDate(at, c.loc, four); got != c.want {
			t.Errorf("%s counts for %s, want %s", c.at, got, c.want)
		}
	}
}

func TestChineseNewYearFallsOnTheKnownDays(t *testing.T) {
	known := []Date{
		"1900-01-31", "1912-02-18", "1949-01-29", "1976-01-31", "1985-02-20", "1997-02-07", "2000-02-05",
		"2007-02-18", "2008-02-07", "2009-01-26", "2010-02-14", "2011-02-03", "2012-01-23", "2013-02-10",
		"2014-01-31", "2015-02-19", "2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25",
		"2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06",
		"2028-01-26", "2030-02-03", "2033-01-31", "2034-02-19", "2050-01-23", "2100-02-09",
	}
	for _, d := range known {
		if got, ok := SpringFestival.In(d.Year()); !ok || got != d {
			t.Errorf("New Year %d on %s, want %s", d.Year(), got, d)
		}
		if l, ok := d.Lunar(); !ok || l != (LunarDate{Year: d.Year(), Month: 1, Day: 1}) {
			t.Errorf("%s is lunar %+v", d, l)
		}
	}
}

func TestFestivalsFallOnTheKnownDays(t *testing.T) {
	for _, c := range []struct {
		f    Festival
		want Date
	}{
		{Lantern, "2024-02-24"}, {Lantern, "2023-02-05"}, {DragonBoat, "2024-06-10"}, {DragonBoat, "2020-06-25"},
		{Qixi, "2024-08-10"}, {Qixi, "2023-08-22"}, {MidAutumn, "2024-09-17"}, {MidAutumn, "2020-10-01"},
		{MidAutumn, "2025-10-06"}, {DoubleNinth, "2024-10-11"}, {DoubleNinth, "2023-10-23"},
		{Laba, "2022-01-10"}, {LittleNewYear, "2024-02-02"}, {NewYearsEve, "2024-02-09"}, {NewYearsEve, "2025-01-28"},
		{Qingming, "2024-04-04"}, {Qingming, "2023-04-05"}, {Qingming, "2025-04-04"}, {ChristmasEve, "2024-12-24"},
		{MidAutumn, "2033-09-08"}, // the year with the leap eleventh month
	} {
		if got, ok := c.f.In(c.want.Year()); !ok || got != c.want {
			t.Errorf("%s %d on %s, want %s", c.f.English(), c.want.Year(), got, c.want)
		}
	}
	if d, ok := (LunarDate{Year: 2025, Month: 6, Day: 1, Leap: true}).Date(); !ok || d != "2025-07-25" {
		t.Errorf("the leap sixth month of 2025 begins on %s", d)
	}
}

func TestTheFestivalOfAnEventIsTheNearestOne(t *testing.T) {
	for _, c := range []struct {
		f        Festival
		from, to Date
		want     Date
	}{
		{SpringFestival, "2027-02-04", "2027-02-12", "2027-02-06"},
		{SpringFestival, "2026-12-20", "2026-12-31", "2027-02-06"},
		{NewYear, "2026-12-30", "2027-01-02", "2027-01-01"},
		{ChristmasEve, "2027-01-01", "2027-01-02", "2026-12-24"},
		{Laba, "2026-01-24", "2026-01-26", "2026-01-26"},
		{MidAutumn, "2026-09-25", "2026-09-25", "2026-09-25"},
	} {
		if got, ok := c.f.Around(c.from, c.to); !ok || got != c.want {
			t.Errorf("%s around %s: %s %v, want %s", c.f.English(), c.from, got, ok, c.want)
		}
	}
	if _, ok := SpringFestival.Around("2300-01-01", "2300-01-02"); ok {
		t.Error("a festival beyond the calendar")
	}
	for _, f := range Festivals() {
		if got, ok := FestivalOf(f.Key()); !ok || got != f {
			t.Errorf("%s is not found by its key %q", f.English(), f.Key())
		}
	}
	if _, ok := FestivalOf("easter"); ok {
		t.Error("a festival that is none")
	}
}

func TestWhatTheCalendarDoesNotKnowItSays(t *testing.T) {
	for _, d := range []Date{"1900-01-30", "2101-01-29", "1850-05-05", "2200-01-01", ""} {
		if l, ok := d.Lunar(); ok {
			t.Errorf("%q has lunar day %+v", d, l)
		}
	}
	for _, l := range []LunarDate{{1899, 1, 1, false}, {2101, 1, 1, false}, {2024, 2, 1, true}, {2024, 13, 1, false}, {2024, 1, 31, false}, {2024, 1, 0, false}} {
		if d, ok := l.Date(); ok {
			t.Errorf("%+v is %s", l, d)
		}
	}
	if _, ok := MidAutumn.In(2101); ok {
		t.Error("knows Mid-Autumn 2101")
	}
}

func TestEveryLunarDayLeadsBackToItsDate(t *testing.T) {
	first, last := Date("1900-01-31").Number(), Date("2101-01-28").Number()
	prev := LunarDate{}
	for n := first; n <= last; n++ {
		d := FromNumber(n)
		l, ok := d.Lunar()
		if !ok {
			t.Fatalf("no lunar day for %s", d)
		}
		if back, ok := l.Date(); !ok || back != d {
			t.Fatalf("%s is %+v, which is %s", d, l, back)
		}
		if l.Day != 1 && (l.Day != prev.Day+1 || l.Month != prev.Month) {
			t.Fatalf("%s: %+v follows %+v", d, l, prev)
		}
		prev = l
	}
}

// The table against the sky: a month begins on the day of the new moon in China, month numbers follow the
// solar terms, and Qingming is the day the sun passes 15°. New moons after Meeus, Astronomical Algorithms,
// ch. 49; the sun's longitude after ch. 25 (±0.01°, that is a quarter of an hour); the time of Beijing's
// meridian before 1929.
func TestLunarMonthsBeginWithTheNewMoon(t *testing.T) {
	// New moons so close to midnight that the calendar in force and this computation fall on different days.
	disputed := map[Date]bool{"1906-04-24": true, "2057-09-29": true}
	months := 0
	for y := firstYear; y <= lastYear; y++ {
		eachMonth(y, func(m int, leap bool, start, _ int) bool {
			months++
			k := math.Round((float64(start) + 2440587.5 - 2451550.1) / 29.530588861)
			if got := chinaDay(newMoon(k)); got != start && !disputed[FromNumber(start)] {
				t.Errorf("month %d of %d begins on %s, the moon is new on %s", m, y, FromNumber(start), FromNumber(got))
			}
			return true
		})
		q, _ := Qingming.In(y)
		if got := FromNumber(sunAt(15, q)); got != q {
			t.Errorf("Qingming %d on %s, the sun passes 15° on %s", y, q, got)
		}
	}
	if months != 2486 {
		t.Errorf("201 years have %d months", months)
	}
}

func TestALeapMonthIsOneWithoutAPrincipalTerm(t *testing.T) {
	for y := firstYear; y <= lastYear; y++ {
		eachMonth(y, func(m int, leap bool, start, days int) bool {
			// Month m holds the principal term 330° + 30°·(m−1), but for the crowded months beside a winter
			// leap month; the winter solstice is in month 11 always.
			if m != 11 && !leap {
				return true
			}
			deg := math.Mod(330+30*float64(m-1), 360)
			term := sunAt(deg, FromNumber(start+days/2))
			inside := term >= start && term < start+days
			edge := term == start-1 || term == start || term == start+days-1 || term == start+days
			if m == 11 && !leap && !inside {
				t.Errorf("the solstice of %d is not in month 11", y)
			}
			if leap && inside && !edge {
				t.Errorf("leap month %d of %d has its principal term", m, y)
			}
			return true
		})
	}
}

func TestDaysOffAndMakeUpWorkDaysAreThoseAnnounced(t *testing.T) {
	cn := CN()
	for _, c := range []struct {
		d    Date
		off  bool
		name string
	}{
		{"2024-05-11", false, "劳动节"}, {"2024-05-05", true, "劳动节"}, {"2024-02-10", true, "春节"}, {"2024-02-18", false, "春节"},
		{"2022-12-31", true, "元旦"}, {"2018-12-29", false, "元旦"}, {"2026-02-28", false, "春节"}, {"2025-10-06", true, "国庆节、中秋节"},
		{"2003-10-03", true, "国庆节"}, {"2031-01-23", true, "春节"},
	} {
		h, ok := cn.On(c.d)
		if !ok || h.Off != c.off || h.Name != c.name {
			t.Errorf("%s: %+v %v, want %s off=%v", c.d, h, ok, c.name, c.off)
		}
	}
	if h, ok := cn.On("2024-05-06"); ok {
		t.Errorf("an ordinary Monday is %+v", h)
	}
	for _, h := range cn.All() {
		if w := h.Date.Weekday(); !h.Off && w != time.Saturday && w != time.Sunday && h.Date != "2020-02-03" { // the long holiday of 2020 ended by decree
			t.Errorf("%s, a %s, is a make-up work day", h.Date, w)
		}
	}
	ours := cn.With([]Holiday{{"2024-05-06", "店庆", true}})
	if _, ok := ours.On("2024-05-06"); !ok {
		t.Error("a day of our own is not kept")
	}
	if _, ok := cn.On("2024-05-06"); ok {
		t.Error("adding a day changed the common calendar")
	}
	if _, ok := (*Holidays)(nil).On("2024-05-01"); ok {
		t.Error("no calendar knows a holiday")
	}
}

// ---- the sky ----

func rad(deg float64) float64 { return deg * math.Pi / 180 }

func newMoon(k float64) float64 {
	t := k / 1236.85
	jde := 2451550.09766 + 29.530588861*k + 0.00015437*t*t - 0.000000150*t*t*t + 0.00000000073*t*t*t*t
	e := 1 - 0.002516*t - 0.0000074*t*t
	m := rad(2.5534 + 29.10535670*k - 0.0000014*t*t)
	p := rad(201.5643 + 385.81693528*k + 0.0107582*t*t + 0.00001238*t*t*t)
	f := rad(160.7108 + 390.67050284*k - 0.0016118*t*t - 0.00000227*t*t*t)
	o := rad(124.7746 - 1.56375588*k + 0.0020672*t*t)
	for _, c := range [][2]float64{
		{-0.40720, p}, {0.17241 * e, m}, {0.01608, 2 * p}, {0.01039, 2 * f}, {0.00739 * e, p - m}, {-0.00514 * e, p + m},
		{0.00208 * e * e, 2 * m}, {-0.00111, p - 2*f}, {-0.00057, p + 2*f}, {0.00056 * e, 2*p + m}, {-0.00042, 3 * p},
		{0.00042 * e, m + 2*f}, {0.00038 * e, m - 2*f}, {-0.00024 * e, 2*p - m}, {-0.00017, o}, {-0.00007, p + 2*m},
		{0.00004, 2*p - 2*f}, {0.00004, 3 * m}, {0.00003, p + m - 2*f}, {0.00003, 2*p + 2*f}, {-0.00003, p + m + 2*f},
		{0.00003, p - m + 2*f}, {-0.00002, p - m - 2*f}, {-0.00002, 3*p + m}, {0.00002, 4 * p},
		{0.000325, rad(299.77 + 0.107408*k - 0.009173*t*t)}, {0.000165, rad(251.88 + 0.016321*k)},
		{0.000164, rad(251.83 + 26.651886*k)}, {0.000126, rad(349.42 + 36.412478*k)}, {0.000110, rad(84.66 + 18.206239*k)},
	} {
		jde += c[0] * math.Sin(c[1])
	}
	return jde
}

// sunAt is the day in China, near d, on which the sun's apparent longitude reaches deg.
func sunAt(deg float64, d Date) int {
	jde := float64(d.Number()) + 2440588
	for range 8 {
		t := (jde - 2451545) / 36525
		m := rad(357.52911 + 35999.05029*t - 0.0001537*t*t)
		lon := 280.46646 + 36000.76983*t + 0.0003032*t*t + (1.914602-0.004817*t)*math.Sin(m) +
			(0.019993-0.000101*t)*math.Sin(2*m) + 0.000289*math.Sin(3*m) - 0.00569 - 0.00478*math.Sin(rad(125.04-1934.136*t))
		jde += (math.Mod(math.Mod(deg-lon+180, 360)+360, 360) - 180) * 365.2422 / 360
	}
	return chinaDay(jde)
}

// chinaDay is the day number in China at a dynamical time (Espenak and Meeus for the difference to UT).
func chinaDay(jde float64) int {
	y := 2000 + (jde-2451545)/365.25
	t := y - 2000
	var dt float64
	switch {
	case y < 1920:
		u := y - 1900
		dt = -2.79 + 1.494119*u - 0.0598939*u*u + 0.0061966*u*u*u - 0.000197*u*u*u*u
	case y < 1961:
		u := y - 1950
		dt = 29.07 + 0.407*u - u*u/233 + u*u*u/2547
	case y < 2005:
		u := y - 1975
		dt = 45.45 + 1.067*u - u*u/260 - u*u*u/718
	case y < 2050:
		dt = 62.92 + 0.32217*t + 0.005589*t*t
	default:
		dt = -20 + 32*math.Pow((y-1820)/100, 2) - 0.5628*(2150-y)
	}
	zone := 8.0
	if y < 1929 {
		zone = 7 + 45.0/60 + 40.0/3600
	}
	return int(math.Floor(jde - dt/86400 + zone/24 - 2440587.5))
}
