package intake

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/errs"
)

func TestMomentsAreReadAsFilesWriteThem(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2026-02-17 14:30":           "2026-02-17T06:30:00Z",
		"2026-02-17T14:30:59":        "2026-02-17T06:30:59Z",
		"2026-02-17 9:05":            "2026-02-17T01:05:00Z",
		"2026-02-17  14:30:00.1234":  "2026-02-17T06:30:00Z",
		"2026-02-17T14:30:00Z":       "2026-02-17T14:30:00Z",
		"2026-02-17T14:30:00+08:00":  "2026-02-17T06:30:00Z",
		"2026-02-17T14:30:00.5-0:30": "",
		"2026-02-17T14:30-03:30":     "2026-02-17T18:00:00Z",
		"2026-02-29 14:30":           "",
		"2026-02-17 24:00":           "",
		"2026-02-17 14:60":           "",
		"2026-02-17 14:30:60":        "",
		"2026-02-17 14":              "",
		"2026-02-17":                 "",
		"14:30Z":                     "",
		"2026/02/17 14:30":           "",
		"17.02.2026 14:30":           "",
		"2026-02-17 2:30 pm":         "",
		"":                           "",
	} {
		m, err := ParseMoment(text)
		got := ""
		if err == nil {
			got = m.In(shanghai).UTC().Format(time.RFC3339)
		} else if errs.Code(err) != "time_bad" {
			t.Errorf("%q: %v", text, err)
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	if m, err := ParseMoment("7:45"); err != nil || m.Date != "" || m.Second != 7*3600+45*60 {
		t.Errorf("a time of day: %+v %v", m, err)
	}
}

func TestTheTablesOfColumnsAreSound(t *testing.T) {
	for _, k := range Kinds {
		seen := map[string]string{}
		for _, c := range columnsOf[k] {
			if c.zh == "" || c.en == "" || c.Soft && !c.Must {
				t.Errorf("%s %s", k, c.Name)
			}
			for _, word := range append(c.also, c.Name) {
				if word != strings.ToLower(word) {
					t.Errorf("%s: %q is never found", k, word)
				}
				if other, ok := seen[word]; ok {
					t.Errorf("%s: %q stands for %s and %s", k, word, other, c.Name)
				}
				seen[word] = c.Name
			}
		}
	}
}

// parserOf is the parser of a kind.
func parserOf(k Kind) func(c *cells) any {
	w := (&Service{}).kindWork(k)
	return w.row
}

func FuzzRows(f *testing.F) {
	for i, file := range []string{
		"store,name,time_zone,day_start,open,close\nS1,x,Asia/Shanghai,04:00,7:00,24:00\n",
		bread,
		"store,product,batch,qty,unit,expires_at,cost_fen\nS1,B,A,1.5,kg,2026-03-03,12.5\nS1,B,,1,,2026-03-03T10:00Z,1\n",
		"date,product,quantity,store,unit,price_fen,promo,sold_out_at\n2026-02-26,B001,12.50000,S001,,350,是,14:30\n",
		"date,store,tmax_c,tmin_c,rain_mm,text\n2026-02-26,,8.5,-1,0,晴\n",
		"date,name,is_off_day\n2026-02-16,春节,1\n",
		"time,product,quantity\n2026-02-26T23:30:00.25+08:00,B,1\n",
		"line,field,code,message,date,name,is_off_day\n3,x,y,z,'-1,'=x,否\n",
	} {
		f.Add(uint8(i), file)
	}
	f.Fuzz(func(t *testing.T, kind uint8, file string) {
		k := Kinds[int(kind)%len(Kinds)]
		r, err := csvx.Open(strings.NewReader(file), csvx.Limits{Bytes: 1 << 20, Rows: 1000})
		if err != nil {
			return
		}
		_ = Suggest(k, r.Header())
		at, err := match(k, r.Header(), nil)
		if err != nil {
			at = make([]int, len(columnsOf[k])) // whatever the header says: read the first columns
			for i := range at {
				at[i] = min(i, len(r.Header())-1)
			}
		}
		c := &cells{columns: columnsOf[k], at: at, undo: isRefusedList(r.Header())}
		parse := parserOf(k)
		for {
			row, err := r.Next()
			var bad *csvx.RowError
			if errors.As(err, &bad) {
				continue
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				return
			}
			c.fields, c.bad = row.Fields, nil
			parsed := parse(c)
			for _, e := range c.bad {
				if e.Code == "" || e.Code == "internal" || e.Field == "" || e.Text("zh") == "" || e.Text("en") == "" {
					t.Fatalf("a refusal without words: %+v", e)
				}
			}
			if len(c.bad) > 0 {
				continue
			}
			switch r := parsed.(type) {
			case SaleRow:
				if r.Product == "" || r.At.Date == "" || r.Qty < 0 || r.Price != nil && *r.Price < 0 {
					t.Fatalf("%+v", r)
				}
				_ = r.At.In(time.UTC)
			case ProductRow:
				if r.Product == "" || r.Name == "" || r.Num <= 0 || r.Den <= 0 || r.ShelfLifeH < 0 || r.BatchSize < 0 || r.Tax < 0 {
					t.Fatalf("%+v", r)
				}
			case StockRow:
				if r.Qty <= 0 || r.Cost < 0 || len(r.Batch) > 40 {
					t.Fatalf("%+v", r)
				}
			case StoreRow:
				if !goodStoreCode(r.Store) || r.Name == "" || r.DayStart >= 24*60 || r.Open > 24*60 {
					t.Fatalf("%+v", r)
				}
			case WeatherRow:
				if r.TMin > r.TMax || r.Rain != nil && *r.Rain < 0 {
					t.Fatalf("%+v", r)
				}
			}
		}
	})
}
