package app

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// replay runs the command over files of the given texts and gives exit code, answer, complaint and rows.
func replay(t *testing.T, files map[string]string, args ...string) (code int, out, complaint string, rows []map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	full := []string{"backtest"}
	for _, a := range args {
		full = append(full, strings.ReplaceAll(a, "DIR", dir))
	}
	var stdout, stderr bytes.Buffer
	code = Run(full, &stdout, &stderr)
	f, err := os.Open(filepath.Join(dir, "out.csv"))
	if err != nil {
		return code, stdout.String(), stderr.String(), nil
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = rec[i]
		}
		rows = append(rows, row)
	}
	if head := strings.Join(all[0], ","); head != "origin,date,store,product,h,actual,mean,q50,q70,q80,q90,q95,snaive,mean4" {
		t.Errorf("columns %s", head)
	}
	return code, stdout.String(), stderr.String(), rows
}

// dayAfter is a date n days after 2024-01-01, a Monday.
func dayAfter(n int) string {
	return time.Date(2024, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// diary is a sales file of n days in which 面包 sells 10 + weekday, 牛奶 starts on day 100, and Sundays are closed.
func diary(n int) string {
	var b strings.Builder
	b.WriteString("date,store,product,quantity\n")
	for d := range n {
		if d%7 == 6 {
			continue
		}
		fmt.Fprintf(&b, "%s,一店,面包,%d\n", dayAfter(d), 10+d%7)
		if d >= 100 && d%2 == 0 {
			fmt.Fprintf(&b, "%s,一店,牛奶,%d\n", dayAfter(d), 4)
		}
	}
	return b.String()
}

func TestABacktestHasARowForEverySeriesAndDay(t *testing.T) {
	code, out, complaint, rows := replay(t, map[string]string{"sales.csv": diary(200)},
		"--sales", "DIR/sales.csv", "--from", dayAfter(97), "--to", dayAfter(196), "--step", "33", "--horizon", "7", "--out", "DIR/out.csv", "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, complaint)
	}
	// Origins 97, 130, 163, 196: bread at each, milk from the second on.
	if len(rows) != 7*4+7*3 {
		t.Fatalf("%d rows", len(rows))
	}
	last, known := "", 0
	for _, r := range rows {
		if r["actual"] != "" {
			known++
		}
		if at := r["origin"] + r["store"] + r["product"] + r["h"]; at < last && r["origin"] == last[:10] {
			t.Errorf("rows out of order at %v", r)
		} else {
			last = at
		}
		origin, _ := time.Parse(time.DateOnly, r["origin"])
		date, _ := time.Parse(time.DateOnly, r["date"])
		h, _ := strconv.Atoi(r["h"])
		d := int(date.Sub(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).Hours() / 24)
		if date.Sub(origin) != time.Duration(h)*24*time.Hour {
			t.Errorf("h is wrong in %v", r)
		}
		want := strconv.Itoa(10 + d%7)
		if r["product"] == "牛奶" {
			want = "4"
			if d%2 == 1 {
				want = "0" // open, nothing sold
			}
		}
		sunday := d%7 == 6
		if sunday || d >= 200 {
			want = ""
		}
		if r["actual"] != want || r["store"] != "一店" {
			t.Errorf("actual of %v, want %q", r, want)
		}
		if sunday && (r["mean"] != "0" || r["q95"] != "0") {
			t.Errorf("a closed Sunday is forecast as %v", r)
		}
		if r["product"] == "面包" && !sunday {
			if usual := strconv.Itoa(10 + d%7); r["snaive"] != usual || r["mean4"] != usual {
				t.Errorf("references of %v", r)
			}
		}
		for _, c := range []string{"mean", "q50", "q70", "q80", "q90", "q95", "snaive", "mean4"} {
			v, err := strconv.ParseFloat(r[c], 64)
			if _, frac, _ := strings.Cut(r[c], "."); err != nil || v < 0 || len(frac) > 6 {
				t.Errorf("%s of %v", c, r)
			}
		}
	}
	var sum map[string]any
	if err := json.Unmarshal([]byte(out), &sum); err != nil {
		t.Fatal(err)
	}
	if sum["series"] != 2.0 || sum["points"] != float64(known) {
		t.Errorf("summary %v of %d days with an actual", sum, known)
	}
	for _, k := range []string{"wape", "wape_snaive", "wape_mean4", "bias", "seconds"} {
		if _, ok := sum[k].(float64); !ok {
			t.Errorf("%s is %v", k, sum[k])
		}
	}
	for _, k := range []string{"pinball", "coverage"} {
		for _, q := range []string{"q50", "q70", "q80", "q90", "q95"} {
			if _, ok := sum[k].(map[string]any)[q].(float64); !ok {
				t.Errorf("%s %s is %v", k, q, sum[k])
			}
		}
	}
}

func TestAClosedReferenceDayGivesWayToTheOpenOneBefore(t *testing.T) {
	var b strings.Builder
	b.WriteString("date,product,quantity\n")
	for d := range 40 {
		if d == 31 || d == 24 { // two Thursdays the shop was shut
			continue
		}
		fmt.Fprintf(&b, "%s,a,%d\n", dayAfter(d), 100+d)
	}
	_, _, _, rows := replay(t, map[string]string{"s.csv": b.String()}, "--sales", "DIR/s.csv", "--from", dayAfter(32), "--to", dayAfter(32), "--out", "DIR/out.csv")
	for _, r := range rows {
		switch r["date"] {
		case dayAfter(38): // a Thursday: the last open ones were days 17, 10 and 3
			if r["snaive"] != "117" || r["mean4"] != "110" {
				t.Errorf("Thursday: %v", r)
			}
		case dayAfter(39): // a Friday: 32, 25, 18, 11
			if r["snaive"] != "132" || r["mean4"] != "121.5" {
				t.Errorf("Friday: %v", r)
			}
		}
	}
	if len(rows) != 7 {
		t.Fatalf("%d rows", len(rows))
	}
}

func TestTheDefaultsOfABacktestAreHalfAYearAndTheHorizon(t *testing.T) {
	_, out, complaint, rows := replay(t, map[string]string{"s.csv": diary(210)}, "--sales", "DIR/s.csv", "--out", "DIR/out.csv", "--json")
	if len(rows) == 0 || rows[0]["origin"] != dayAfter(182) || rows[len(rows)-1]["origin"] != dayAfter(196) {
		t.Errorf("%d rows: %s", len(rows), complaint)
	}
	var sum map[string]any
	if err := json.Unmarshal([]byte(out), &sum); err != nil || sum["origins"] != 3.0 {
		t.Errorf("%v %v", sum, err)
	}
	code, _, complaint, _ := replay(t, map[string]string{"s.csv": diary(100)}, "--sales", "DIR/s.csv")
	if code != 1 || !strings.Contains(complaint, "no origin") {
		t.Errorf("too short a history: exit %d, %s", code, complaint)
	}
}

func TestTheSameSalesInAnyFormGiveTheSameForecast(t *testing.T) {
	plain := diary(120)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(plain))
	z.Close()
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(plain, "\n")
	var timed strings.Builder
	timed.WriteString("time,store,product,quantity,unit,price_fen,promo,sold_out_at\n")
	for _, l := range lines[1:] {
		f := strings.Split(strings.TrimSpace(l), ",")
		if len(f) < 4 {
			continue
		}
		n, _ := strconv.Atoi(f[3])
		fmt.Fprintf(&timed, "%s 08:15,%s,%s,%d,,,,\n%sT19:40:05+08:00,%s,%s,%d,,,,\n", f[0], f[1], f[2], n-1, f[0], f[1], f[2], 1)
	}
	forms := map[string]map[string]string{
		"plain":          {"s.csv": plain},
		"with BOM":       {"s.csv": "\ufeff" + plain},
		"CRLF":           {"s.csv": strings.ReplaceAll(plain, "\n", "\r\n")},
		"quoted":         {"s.csv": strings.ReplaceAll(plain, "面包", `"面包"`)},
		"GB18030":        {"s.csv": gbk},
		"packed":         {"s.csv": zipped.String()},
		"by the minute":  {"s.csv": timed.String()},
		"two files":      {"s.csv": strings.Join(lines[:60], ""), "t.csv": lines[0] + strings.Join(lines[60:], "")},
		"upside down":    {"s.csv": lines[0] + reversed(lines[1:])},
		"day in the end": {"s.csv": "product,quantity,store,date\n" + turned(lines[1:])},
	}
	var want []map[string]string
	for _, name := range append([]string{"plain"}, keysOf(forms)...) {
		sales := "DIR/s.csv"
		if _, two := forms[name]["t.csv"]; two {
			sales = "DIR/s.csv,DIR/t.csv"
		}
		code, _, complaint, rows := replay(t, forms[name], "--sales", sales, "--from", dayAfter(110), "--to", dayAfter(110), "--out", "DIR/out.csv")
		if code != 0 {
			t.Errorf("%s: exit %d: %s", name, code, complaint)
			continue
		}
		if want == nil {
			want = rows
		}
		if fmt.Sprint(rows) != fmt.Sprint(want) {
			t.Errorf("%s: %d rows differ from the plain file's %d: %v", name, len(rows), len(want), rows[:min(1, len(rows))])
		}
	}
}

func keysOf(m map[string]map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func reversed(lines []string) string {
	var b strings.Builder
	for i := len(lines) - 1; i >= 0; i-- {
		b.WriteString(lines[i])
	}
	return b.String()
}

func turned(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		if f := strings.Split(strings.TrimSpace(l), ","); len(f) == 4 {
			fmt.Fprintf(&b, "%s,%s,%s,%s\n", f[2], f[3], f[1], f[0])
		}
	}
	return b.String()
}

func TestABadSalesFileIsRefusedWithLineAndField(t *testing.T) {
	head := "date,product,quantity,price_fen,sold_out_at\n2024-01-01,面包,3,500,18:30\n"
	for name, c := range map[string]struct{ text, want string }{
		"a month too many":      {head + "2024-13-01,面包,2,,\n", "line 3 at date"},
		"a day that is none":    {head + "2023-02-29,面包,2,,\n", "line 3 at date"},
		"no product":            {head + "2024-01-02,,2,,\n", "line 3 at product"},
		"words for a quantity":  {head + "2024-01-02,面包,二,,\n", "line 3 at quantity"},
		"no quantity":           {head + "2024-01-02,面包,,,\n", "line 3 at quantity"},
		"not a number":          {head + "2024-01-02,面包,NaN,,\n", "line 3 at quantity"},
		"a price below nothing": {head + "2024-01-02,面包,2,-5,\n", "line 3 at price_fen"},
		"no time":               {head + "2024-01-02,面包,2,,25:00\n", "line 3 at sold_out_at"},
		"another day's time":    {head + "2024-01-02,面包,2,,2024-01-05 18:00\n", "line 3 at sold_out_at"},
		"a date far off":        {head + "2096-01-02,面包,2,,\n", "line 3 at date"},
		"a field too few":       {head + "2024-01-02,面包\n", "line 3"},
		"an open quote":         {head + "2024-01-02,\"面包,2,,\n", "line 3"},
		"an unknown column":     {"date,product,quantity,colour\n", "colour"},
		"a column twice":        {"date,product,quantity,date\n", "twice"},
		"no product column":     {"date,quantity\n2024-01-01,3\n", "product is missing"},
		"no date column":        {"product,quantity\nx,3\n", "date or a time"},
		"date and time":         {"date,time,product,quantity\n", "date or a time"},
		"nothing at all":        {"", "empty"},
		"no rows":               {"date,product,quantity\n", "no sales rows"},
		"two units":             {"date,product,quantity,unit\n2024-01-01,a,1,kg\n2024-01-02,a,1,piece\n", "line 3 at unit"},
		"a broken packing":      {"\x1f\x8b\x08rest", "damaged"},
	} {
		code, out, complaint, rows := replay(t, map[string]string{"s.csv": c.text}, "--sales", "DIR/s.csv", "--from", "2024-01-01", "--to", "2024-01-01", "--out", "DIR/out.csv", "--json")
		if code != 1 || !strings.Contains(complaint, c.want) || rows != nil || out != "" {
			t.Errorf("%s: exit %d, %q, want %q", name, code, complaint, c.want)
		}
	}
	for name, args := range map[string][]string{
		"a file that is not there": {"--sales", "DIR/none.csv"},
		"a horizon of nothing":     {"--sales", "DIR/s.csv", "--horizon", "0"},
		"a horizon of a year":      {"--sales", "DIR/s.csv", "--horizon", "365"},
		"no step":                  {"--sales", "DIR/s.csv", "--step", "0"},
		"a date that is none":      {"--sales", "DIR/s.csv", "--from", "soon"},
		"an end before the start":  {"--sales", "DIR/s.csv", "--from", dayAfter(150), "--to", dayAfter(140)},
		"holidays that are none":   {"--sales", "DIR/s.csv", "--from", dayAfter(150), "--holidays", "DIR/s.csv"},
		"weather that is none":     {"--sales", "DIR/s.csv", "--from", dayAfter(150), "--weather", "DIR/s.csv"},
	} {
		if code, _, complaint, _ := replay(t, map[string]string{"s.csv": diary(170)}, args...); code != 1 || complaint == "" {
			t.Errorf("%s: exit %d, %q", name, code, complaint)
		}
	}
}

func TestTheCalendarAndTheWeatherAreRead(t *testing.T) {
	files := map[string]string{
		"s.csv": diary(170),
		"h.csv": "date,name,is_off_day\n2024-05-01,五一,1\n2024-05-11,五一,0\n",
		"w.csv": "date,store,tmax_c,tmin_c,rain_mm,text\n" + dayAfter(3) + ",,12.5,3,0.2,晴\n" + dayAfter(4) + ",一店,-2,-8.5,,\n",
	}
	for _, holidays := range []string{"none", "cn", "DIR/h.csv"} {
		if code, _, complaint, rows := replay(t, files, "--sales", "DIR/s.csv", "--holidays", holidays, "--weather", "DIR/w.csv", "--from", dayAfter(160), "--to", dayAfter(160), "--out", "DIR/out.csv"); code != 0 || len(rows) != 14 {
			t.Errorf("holidays %s: exit %d, %d rows, %s", holidays, code, len(rows), complaint)
		}
	}
}
