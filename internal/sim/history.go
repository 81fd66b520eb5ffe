package sim

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"zhanggui/internal/platform/cal"
)

// HistoryDays is how long the demo chain has been open before its running day.
const HistoryDays = 120

// History is the demo chain's past: the same days give the same history, whoever asks for them.
type History struct {
	seed     uint64
	stores   []Store
	products []Product // those that are sold
	holidays *cal.Holidays
}

// NewHistory makes the past of the chain from a seed.
func NewHistory(seed uint64) *History {
	h := &History{seed: seed, stores: Stores(), holidays: cal.CN()}
	for _, p := range Range() {
		if p.Price > 0 {
			h.products = append(h.products, p)
		}
	}
	return h
}

// first keeps the first stores and products of the chain; what happens to them stays the same.
func (h *History) first(stores, products int) *History {
	small := *h
	small.stores, small.products = h.stores[:min(stores, len(h.stores))], h.products[:min(products, len(h.products))]
	return &small
}

// goods are the products of the chain and all that they are made of, in the order of the range.
func (h *History) goods() []Product {
	all := Range()
	parts := map[string][]Part{}
	for _, p := range all {
		parts[p.Code] = p.Recipe
	}
	used := map[string]bool{}
	var use func(code string)
	use = func(code string) {
		used[code] = true
		for _, part := range parts[code] {
			use(part.Code)
		}
	}
	for _, p := range h.products {
		use(p.Code)
	}
	return slices.DeleteFunc(all, func(p Product) bool { return !used[p.Code] })
}

// Weather is one day's weather in the chain's city.
type Weather struct {
	Date   cal.Date
	Max    float64 // °C
	Min    float64
	RainMM float64
}

// normal is the mean of the day's maximum over the years, in °C: warmest in late July.
func normal(d cal.Date) float64 {
	return 20.5 - 12.5*math.Cos(2*math.Pi*float64(d.Time().YearDay()-22)/365.25)
}

// WeatherOn is the weather of a day: the normal of the year with spells of some days, and rain on three days of ten.
func (h *History) WeatherOn(d cal.Date) Weather {
	n := d.Number()
	var spell, weight float64
	for back := range 6 { // a spell is what is left of the last days' luck
		w := math.Pow(.7, float64(back))
		spell += w * h.luck(1, 0, 0, n-back).NormFloat64()
		weight += w * w
	}
	luck := h.luck(2, 0, 0, n)
	w := Weather{Date: d, Max: normal(d) + 3.8*spell/math.Sqrt(weight)}
	if luck.Float64() < .3 {
		w.RainMM = round1(luck.ExpFloat64() * 9)
		w.Max -= 2
	}
	w.Max = round1(w.Max)
	w.Min = round1(w.Max - 6 - 3*luck.Float64())
	return w
}

func round1(f float64) float64 { return math.Round(f*10) / 10 }

// luck is the dice of one thing on one day; what is decided for it does not depend on anything before.
func (h *History) luck(what, store, product, day int) *rand.Rand {
	return rand.New(rand.NewPCG(h.seed^uint64(what)<<56, uint64(store)<<44^uint64(product)<<32^uint64(uint32(day))))
}

// Demand is what people would buy of a product in a store on a day, were there enough of it.
func (h *History) mean(store, product int, d cal.Date, w Weather) float64 {
	s, p := h.stores[store], h.products[product]
	taste := math.Exp(.25 * h.luck(3, store, product, 0).NormFloat64())
	m := p.Daily * s.Size * taste
	free := weekend(d, h.holidays)
	m *= map[string][2]float64{"office": {1.12, .62}, "campus": {1.08, .78}, "mixed": {1, 1}, "home": {.92, 1.24}}[s.Kind][b2i(free)]
	if !free && d.Weekday() == 5 {
		m *= 1.06
	}
	if day, ok := h.holidays.On(d); ok && day.Off {
		m *= map[string]float64{"office": .7, "campus": .6, "mixed": 1.05, "home": 1.1}[s.Kind]
	}
	m *= math.Exp(p.Weather * (w.Max - 22) / 10)
	if w.RainMM > 5 {
		m *= .9
	}
	drift := .10 * h.luck(4, store, product, 0).NormFloat64()
	return m * math.Exp(drift*float64(d.Number()%365)/365)
}

func weekend(d cal.Date, holidays *cal.Holidays) bool {
	if day, ok := holidays.On(d); ok {
		return day.Off
	}
	return d.Weekday() == 0 || d.Weekday() == 6
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Trading hours of every store, in half hours after midnight: 06:30 to 23:00.
const firstSlot, lastSlot = 13, 46

// profiles are the shares of a day's demand by half hour, from firstSlot on.
var profiles = map[string][]float64{
	"morning": shape(8, .9, .62, 12.2, 1.2, .23, 18.3, 1.8, .15),
	"noon":    shape(8, .8, .14, 12.1, .9, .56, 18.4, 1.4, .30),
	"evening": shape(8, .8, .12, 12.3, 1.2, .27, 18.6, 2.0, .61),
}

// shape adds up peaks of (hour, width, weight) and makes them a whole.
func shape(peaks ...float64) []float64 {
	out := make([]float64, lastSlot-firstSlot)
	var sum float64
	for i := range out {
		at := float64(firstSlot+i)/2 + .25
		for k := 0; k < len(peaks); k += 3 {
			z := (at - peaks[k]) / peaks[k+1]
			out[i] += peaks[k+2] / peaks[k+1] * math.Exp(-z*z/2)
		}
		out[i] += .004
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// Day is what one store sold of one product on one day.
type Day struct {
	Store, Product string
	Date           cal.Date
	Sold           int64
	SoldOut        int   // minutes after midnight; 0 when it lasted
	BySlot         []int // from firstSlot on
}

// PriceAt is what a store asks for a product in fen: drinks cost a yuan more among offices, lunch boxes a yuan less
// where people live.
func (h *History) PriceAt(store, product int) int64 {
	p := h.products[product]
	switch kind := h.stores[store].Kind; {
	case kind == "office" && p.Category == "咖啡与饮品":
		return p.Price + 100
	case kind == "home" && p.Category == "便当":
		return p.Price - 100
	}
	return p.Price
}

// offered tells whether a product was on offer in the whole chain in the week of a day of the past: 15 % off, and a
// third more people want it.
func (h *History) offered(product int, d cal.Date) bool {
	return h.luck(14, 0, product, d.Number()/7).Float64() < .05
}

const offerDemand = 1.33

// paid is what a product cost on a day of the past.
func (h *History) paid(store, product int, d cal.Date) (fen int64, offer bool) {
	fen = h.PriceAt(store, product)
	if offer = h.offered(product, d); offer {
		fen = (fen*85/100 + 5) / 10 * 10
	}
	return fen, offer
}

// On works out one store's product on one day: people come by the day's profile with some luck of
// the day, and what was made by feel may not last.
func (h *History) On(store, product int, d cal.Date, w Weather) Day {
	p := h.products[product]
	luck := h.luck(5, store, product, d.Number())
	mean := h.mean(store, product, d, w)
	if h.offered(product, d) {
		mean *= offerDemand
	}
	made := int64(math.Ceil(mean*(.86+.5*luck.Float64())/float64(p.Batch))) * p.Batch
	day := Day{Store: h.stores[store].Code, Product: p.Code, Date: d, BySlot: make([]int, lastSlot-firstSlot)}
	busy := math.Exp(.16*luck.NormFloat64() - .0128)
	for i, share := range profiles[p.Profile] {
		come := poisson(luck, mean*busy*share)
		left := made - day.Sold
		if int64(come) > left {
			come = int(left)
		}
		day.BySlot[i] = come
		day.Sold += int64(come)
		if day.Sold == made && day.SoldOut == 0 {
			day.SoldOut = (firstSlot+i)*30 + 1 + luck.IntN(29)
		}
	}
	return day
}

// poisson draws a count (Knuth's way: the means here are small).
func poisson(luck *rand.Rand, mean float64) int {
	limit, p, n := math.Exp(-mean), luck.Float64(), 0
	for p > limit && n < 10_000 {
		p *= luck.Float64()
		n++
	}
	return n
}

// The chain's past in the form of the files that users import.

// WriteStores writes the stores file.
func (h *History) WriteStores(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "store,name,open,close")
	for _, s := range h.stores {
		fmt.Fprintf(w, "%s,%s,06:30,23:00\n", s.Code, s.Name)
	}
	return w.Flush()
}

// WriteProducts writes the products file: what is sold, what is half made, and materials with a bulk unit.
func (h *History) WriteProducts(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct")
	for i, p := range h.goods() {
		price, barcode := "", ""
		if p.Price > 0 {
			price, barcode = fmt.Sprint(p.Price), ean13(fmt.Sprintf("2900000%05d", i+1))
		}
		batch := ""
		if p.Batch > 0 {
			batch = fmt.Sprint(p.Batch)
		}
		fmt.Fprintf(w, "%s,%s,%s,%s,%s,1,1,%s,%s,%d,%s,13\n", p.Code, p.Name, p.Category, p.Unit, p.Unit, barcode, price, p.LifeHours, batch)
		if p.Unit == "g" {
			fmt.Fprintf(w, "%s,%s,%s,g,kg,1000,1,,,%d,%s,13\n", p.Code, p.Name, p.Category, p.LifeHours, batch)
		}
	}
	return w.Flush()
}

// ean13 adds the check digit to twelve digits.
func ean13(twelve string) string {
	sum := 0
	for i, c := range twelve {
		sum += int(c-'0') * (1 + 2*(i%2))
	}
	return twelve + string(rune('0'+(10-sum%10)%10))
}

// WriteRecipes writes the recipes file, valid from the chain's first day.
func (h *History) WriteRecipes(out io.Writer, from cal.Date) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "product,yield_qty,yield_unit,component,qty,unit,loss,loss_rule,valid_from")
	units := map[string]string{}
	for _, p := range h.goods() {
		units[p.Code] = p.Unit
	}
	for _, p := range h.goods() {
		for _, part := range p.Recipe {
			loss := ".03"
			if units[part.Code] == "piece" {
				loss = "0"
			}
			fmt.Fprintf(w, "%s,%d,%s,%s,%s,%s,%s,markup,%s\n", p.Code, p.Yield, p.Unit, part.Code, part.Qty, units[part.Code], loss, from)
		}
	}
	return w.Flush()
}

// WriteSuppliers writes the suppliers file: one row per material. The price is that of one unit.
func (h *History) WriteSuppliers(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "supplier,name,product,pack_qty,unit,price_fen4,min_packs,lead_class,lead_h,order_days,cut_off")
	by := map[string]Supplier{}
	for _, s := range Suppliers() {
		by[s.Code] = s
	}
	for _, p := range h.goods() {
		if s, ok := by[p.Supplier]; ok {
			fmt.Fprintf(w, "%s,%s,%s,%d,%s,%d,%d,%s,%d,%s,%s\n", s.Code, s.Name, p.Code, p.Pack, p.Unit,
				(p.PackFen*10_000+p.Pack/2)/p.Pack, s.MinPacks, s.Class, s.LeadHours, s.Days, s.CutOff)
		}
	}
	return w.Flush()
}

// WriteWeather writes the weather file.
func (h *History) WriteWeather(out io.Writer, from, to cal.Date) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "date,tmax_c,tmin_c,rain_mm,text")
	for d := from; d <= to; d = d.AddDays(1) {
		day := h.WeatherOn(d)
		text := "晴"
		if day.RainMM > 0 {
			text = "雨"
		}
		fmt.Fprintf(w, "%s,%.1f,%.1f,%.1f,%s\n", d, day.Max, day.Min, day.RainMM, text)
	}
	return w.Flush()
}

// WriteHolidays writes the named days of the time.
func (h *History) WriteHolidays(out io.Writer, from, to cal.Date) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "date,name,is_off_day")
	for _, d := range h.holidays.All() {
		if d.Date >= from && d.Date <= to {
			fmt.Fprintf(w, "%s,%s,%d\n", d.Date, d.Name, b2i(d.Off))
		}
	}
	return w.Flush()
}

// WriteSalesByDay writes sales of whole days with the moment a product sold out.
func (h *History) WriteSalesByDay(out io.Writer, from, to cal.Date) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "date,product,quantity,store,price_fen,promo,sold_out_at")
	err := h.each(from, to, func(day Day, price int64, offer bool) {
		at := ""
		if day.SoldOut > 0 {
			at = hhmm(day.SoldOut)
		}
		fmt.Fprintf(w, "%s,%s,%d,%s,%d,%d,%s\n", day.Date, day.Product, day.Sold, day.Store, price, b2i(offer), at)
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

// WriteSalesByTime writes sales with their half hour.
func (h *History) WriteSalesByTime(out io.Writer, from, to cal.Date) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "time,product,quantity,store,price_fen,promo,sold_out_at")
	err := h.each(from, to, func(day Day, price int64, offer bool) {
		at := ""
		if day.SoldOut > 0 {
			at = hhmm(day.SoldOut)
		}
		for i, n := range day.BySlot {
			if n > 0 {
				fmt.Fprintf(w, "%s %s,%s,%d,%s,%d,%d,%s\n", day.Date, hhmm((firstSlot+i)*30+15), day.Product, n, day.Store, price, b2i(offer), at)
			}
		}
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

func hhmm(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// each goes through stores, products and days in this order.
func (h *History) each(from, to cal.Date, f func(day Day, fen int64, offer bool)) error {
	if to < from || to.Sub(from) > 10*366 {
		return fmt.Errorf("sim: no history from %s to %s", from, to)
	}
	var weather []Weather
	for d := from; d <= to; d = d.AddDays(1) {
		weather = append(weather, h.WeatherOn(d))
	}
	for s := range h.stores {
		for p := range h.products {
			for _, w := range weather {
				fen, offer := h.paid(s, p, w.Date)
				f(h.On(s, p, w.Date, w), fen, offer)
			}
		}
	}
	return nil
}
