package sim

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
)

// chain is the demo chain as its people know it: whatever they learn they ask the house.
type chain struct {
	s        *Demo
	boss     *person
	shops    []*shop
	products map[string]id.ID   // by code
	goods    map[string]Product // all that the chain has to do with, by code

	date cal.Date
	did  map[string]bool // today, by name
}

// imported is an import as the house shows it.
type imported struct {
	ID          string
	State       string
	Done, Total int64
	RowsRefused int64 `json:"rows_refused"`
	Error       *struct{ Code, Detail string }
}

// weatherAhead is how many days of weather forecast there are.
const weatherAhead = 15

// importPast brings in the chain's past, file after file, as a person would from the import page. A file that is in
// already changes nothing, so whoever broke off begins again.
func (s *Demo) importPast(ctx context.Context) error {
	h, from, first := s.history, s.m.first.AddDays(-s.m.size.Days), s.m.first
	last := first.AddDays(-1)
	for _, f := range []struct {
		kind  string
		write func(io.Writer) error
	}{
		{"stores", h.WriteStores},
		{"products", h.WriteProducts},
		{"recipes", func(w io.Writer) error { return h.WriteRecipes(w, from) }},
		{"suppliers", h.WriteSuppliers},
		{"weather", func(w io.Writer) error { return h.WriteWeather(w, from, first.AddDays(weatherAhead)) }},
		{"holidays", func(w io.Writer) error { return h.WriteHolidays(w, from, first.AddDays(366)) }},
		{"sales", func(w io.Writer) error { return h.WriteSalesByDay(w, from, last.AddDays(-slotDays)) }},
		{"sales", func(w io.Writer) error { return h.WriteSalesByTime(w, last.AddDays(1-slotDays), last) }},
		{"stock", func(w io.Writer) error { return h.WriteStock(w, first) }},
	} {
		if err := s.importFile(ctx, f.kind, f.write); err != nil {
			return err
		}
		if f.kind == "recipes" {
			if err := s.writeChoices(ctx); err != nil {
				return err
			}
		}
	}
	for _, set := range []func(context.Context) error{s.serviceLevels, s.neighbours, s.calendar} {
		if err := set(ctx); err != nil {
			return err
		}
	}
	return nil
}

// enough is how often the goods of short life are to be enough, in ten-thousandths, as the director of the chain has it: a shelf
// that is empty from eight in the evening drives more people away than it saves.
const enough = 8500

// serviceLevels sets it for every category of which something keeps for less than a day.
func (s *Demo) serviceLevels(ctx context.Context) error {
	short := map[string]bool{}
	for _, p := range s.history.products {
		short[p.Category] = short[p.Category] || p.LifeHours < 24
	}
	categories, err := list1[struct {
		ID   id.ID
		Name string
	}](ctx, s.chain.boss, "/api/goods/categories")
	if err != nil {
		return err
	}
	for _, c := range categories {
		if short[c.Name] {
			level := map[string]any{"category_id": c.ID, "level_bp": enough, "reason": "晚间也要有货"}
			if err := s.chain.boss.call(ctx, http.MethodPut, "/api/plans/service", "service/"+c.ID.String(), level, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// importFile uploads a file, runs the import and waits for its end.
func (s *Demo) importFile(ctx context.Context, kind string, write func(io.Writer) error) error {
	s.show(kind, 0, 0)
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	if err := write(z); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	boss := s.chain.boss
	var im imported
	if err := boss.post(ctx, "/api/imports?kind="+kind+"&file_name=demo-"+kind+".csv.gz", "", file.Bytes(), &im); err != nil {
		return err
	}
	if err := boss.post(ctx, "/api/imports/"+im.ID+"/run", "", map[string]any{"mode": "all"}, &im); err != nil {
		return err
	}
	for {
		switch im.State {
		case "applied":
			return nil
		case "refused", "failed", "cancelled":
			why := ""
			if im.Error != nil {
				why = im.Error.Code + " " + im.Error.Detail
			}
			return fmt.Errorf("sim: the import of %s ended as %s, %d rows refused: %s", kind, im.State, im.RowsRefused, why)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := boss.get(ctx, "/api/imports/"+im.ID, &im); err != nil {
			return err
		}
		s.show(kind, im.Done, im.Total)
	}
}

// slotDays is how many of the last days are told by half hours: enough to know when people come.
const slotDays = 7

// mostOpening is for how many days the stores have materials as the first day begins, at most.
const mostOpening = 6

// WriteStock writes what the stores have of materials as the first day begins: enough until what is ordered on it
// arrives, as far as it keeps.
func (h *History) WriteStock(out io.Writer, first cal.Date) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "store,product,batch,qty,unit,expires_at,cost_fen")
	goods := h.goods()
	parts, suppliers := map[string]Product{}, map[string]Supplier{}
	for _, p := range goods {
		parts[p.Code] = p
	}
	for _, s := range Suppliers() {
		suppliers[s.Code] = s
	}
	weather := make([]Weather, mostOpening)
	for k := range weather {
		weather[k] = h.WeatherOn(first.AddDays(k))
	}
	for i, store := range h.stores {
		need := [mostOpening]map[string]float64{} // by day
		var take func(day int, code string, n float64)
		take = func(day int, code string, n float64) {
			p := parts[code]
			if len(p.Recipe) == 0 {
				need[day][code] += n
			}
			for _, part := range p.Recipe {
				take(day, part.Code, 1.04*n*number(part.Qty)/float64(p.Yield))
			}
		}
		for day := range need {
			need[day] = map[string]float64{}
			for k, p := range h.products {
				take(day, p.Code, 1.15*h.mean(i, k, first.AddDays(day), weather[day]))
			}
		}
		for _, p := range goods {
			s := suppliers[p.Supplier]
			days := int(s.LeadHours)/24 + 3
			if s.Class == "fresh" {
				days = int(s.LeadHours)/24 + 1
			}
			n := 0.0
			for day := range min(days, mostOpening) {
				n += need[day][p.Code]
			}
			if n == 0 {
				continue
			}
			fmt.Fprintf(w, "%s,%s,OPEN,%d,%s,%s,%d.%04d\n", store.Code, p.Code, int64(math.Ceil(n)), p.Unit,
				instant(first, firstHour).Add(time.Duration(p.LifeHours)*time.Hour).Format("2006-01-02 15:04"),
				p.PackFen/p.Pack, p.PackFen%p.Pack*10_000/p.Pack)
		}
	}
	return w.Flush()
}
