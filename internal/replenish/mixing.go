package replenish

import (
	"math/big"
	"slices"
	"sort"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Which materials a line is best mixed from (spec 01 §2, dynamic recipe): first what can be had at all, then what would else be
// over its time before anything uses it, then the cheaper. All in fractions; nothing here depends on the order of a map.

const (
	// MixAhead is within how many days stock is close to its end, and how long a mix is proposed for at most.
	MixAhead = 7
	// LeastSaving is what a mix must save a day to be proposed, where nobody has set another amount.
	LeastSaving money.Fen = 200

	mixStep = catalog.ShareWhole / 100 // shares that stock decides are whole percents
)

// MixLot is a batch of a material, and for how many of the days from the first of a mix it may be used.
type MixLot struct {
	Lot
	Days int64
}

// Choice is what planning knows of one of the materials of a line. Quantities are thousandths of its base unit, exact.
type Choice struct {
	catalog.Option
	Whole  *big.Rat // of it a day when the whole line is of it, loss included
	Others *big.Rat // what everything else takes of it a day
	Lots   []MixLot // the earliest end first
	Taken  *big.Rat // of what is to spare, by a mix of another product
	Price  *big.Rat // of a base unit, in ten-thousandths of a fen; nil: nobody knows
	Can    *big.Rat // that can be had of it on the first day for this line; nil: as much as is wanted
}

// Spared is what of a batch nothing else will have used when it is over its time.
type Spared struct {
	Lot  int
	Qty  *big.Rat
	Days int64
}

// Spare is what would be over its time if this line took none of it: batches by their end, of each what everything else, at its
// pace, leaves. Only what ends within MixAhead days.
func (c *Choice) Spare() (lots []Spared, sum *big.Rat) {
	sum = new(big.Rat)
	used := new(big.Rat)
	for i, l := range c.Lots {
		have := big.NewRat(int64(l.Qty), 1)
		open := new(big.Rat).Sub(new(big.Rat).Mul(c.Others, big.NewRat(l.Days, 1)), used) // that others still take until then
		if open.Sign() > 0 {
			if open.Cmp(have) > 0 {
				open.Set(have)
			}
			used.Add(used, open)
			have.Sub(have, open)
		}
		if have.Sign() > 0 && l.Days <= MixAhead {
			lots = append(lots, Spared{i, have, l.Days})
			sum.Add(sum, have)
		}
	}
	if c.Taken != nil {
		if sum.Sub(sum, c.Taken); sum.Sign() < 0 {
			sum.SetInt64(0)
		}
	}
	return lots, sum
}

// at is how much of it a day a share takes.
func (c *Choice) at(share int64) *big.Rat {
	return new(big.Rat).Mul(c.Whole, big.NewRat(share, catalog.ShareWhole))
}

// share is the greatest share of the line that a quantity covers, at most all of it.
func (c *Choice) share(q *big.Rat) int64 {
	if q.Cmp(c.Whole) >= 0 {
		return catalog.ShareWhole
	}
	part := new(big.Rat).Quo(q, c.Whole)
	part.Mul(part, big.NewRat(catalog.ShareWhole, 1))
	return new(big.Int).Quo(part.Num(), part.Denom()).Int64()
}

// percents is a share in whole percents: nobody weighs out more exactly what there is.
func percents(share int64) int64 { return share - share%mixStep }

// pays is what a share costs a day, in thousandths of ten-thousandths of a fen: what is to spare costs nothing more. known: it has a price.
func (c *Choice) pays(share int64) (cost *big.Rat, known bool) {
	_, spare := c.Spare()
	q := new(big.Rat).Sub(c.at(share), spare)
	switch {
	case q.Sign() <= 0:
		return new(big.Rat), true
	case c.Price == nil:
		return nil, false
	}
	return q.Mul(q, c.Price), true
}

// Why a line is mixed otherwise than its recipe says.
const (
	MixAvailability = "availability" // the recipe's own materials can't be had
	MixExpiry       = "expiry"       // stock would be over its time
	MixCost         = "cost"
)

// Blend is how a line is best mixed.
type Blend struct {
	Shares []int64
	Cause  string   // "": as the recipe says
	Saving *big.Rat // of a day, in thousandths of ten-thousandths of a fen; nil: somebody's price is not known
	Days   int64    // that the reason lasts
}

// Best finds the shares of a line: the least of each, then what is to spare, of the dearest first, then the cheapest that can be
// had, then, if all that can be had is not enough, the recipe's own order. Equal costs go by the order of preference.
func Best(line []Choice) Blend {
	b := Blend{Shares: make([]int64, len(line)), Days: MixAhead}
	rest := int64(catalog.ShareWhole)
	can := make([]int64, len(line)) // the most of each that can be had
	known := true
	for i := range line {
		c := &line[i]
		b.Shares[i] = c.Least
		rest -= c.Least
		can[i] = c.Most
		if c.Can != nil {
			can[i] = min(can[i], percents(c.share(c.Can)))
		}
		known = known && c.Price != nil
	}
	order := make([]int, len(line))
	for i := range order {
		order[i] = i
	}
	dear := func(i int) *big.Rat { // what the whole line of it costs a day
		if line[i].Price == nil {
			return new(big.Rat)
		}
		return new(big.Rat).Mul(line[i].Whole, line[i].Price)
	}
	fill := func(i int, to int64) {
		if more := min(rest, to-b.Shares[i]); more > 0 {
			b.Shares[i] += more
			rest -= more
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return dear(order[i]).Cmp(dear(order[j])) > 0 })
	for _, i := range order {
		_, spare := line[i].Spare()
		fill(i, min(percents(line[i].share(spare)), can[i]))
	}
	slices.Sort(order)
	if known {
		sort.SliceStable(order, func(i, j int) bool { return dear(order[i]).Cmp(dear(order[j])) < 0 })
	} else { // what nobody can compare stays as the recipe says
		for i := range line {
			fill(i, min(line[i].Share, can[i]))
		}
	}
	for _, i := range order {
		fill(i, can[i])
	}
	for i := range line {
		fill(i, line[i].Most)
	}
	b.judge(line, can)
	return b
}

// judge says why, what it saves and how long it holds.
func (b *Blend) judge(line []Choice, can []int64) {
	same, short := true, false
	for i := range line {
		same = same && b.Shares[i] == line[i].Share
		short = short || line[i].Share > can[i]
	}
	if same {
		return
	}
	b.Saving = Saves(line, b.Shares)
	if b.Cause = MixCost; short {
		b.Cause = MixAvailability
	}
	for i := range line {
		c := &line[i]
		lots, spare := c.Spare()
		if b.Shares[i] <= c.Share || len(lots) == 0 || spare.Sign() == 0 || c.Whole.Sign() == 0 {
			continue
		}
		if b.Cause == MixCost {
			b.Cause = MixExpiry
		}
		days := new(big.Rat).Quo(spare, c.at(b.Shares[i]))
		n := new(big.Int).Quo(days.Num(), days.Denom())
		if n.IsInt64() && n.Int64() < b.Days {
			b.Days = n.Int64()
		}
		b.Days = max(1, min(b.Days, lots[len(lots)-1].Days))
	}
}

// Saves is what shares save a day against what the recipe says, in thousandths of ten-thousandths of a fen; nil: a price is not known.
func Saves(line []Choice, shares []int64) *big.Rat {
	sum := new(big.Rat)
	for i := range line {
		before, known := line[i].pays(line[i].Share)
		after, sure := line[i].pays(shares[i])
		if !known || !sure {
			return nil
		}
		sum.Add(sum, before)
		sum.Sub(sum, after)
	}
	return sum
}

// MixFen rounds thousandths of ten-thousandths of a fen half up, away from nothing, to fen.
func MixFen(r *big.Rat) money.Fen {
	if r == nil {
		return 0
	}
	scaled := new(big.Rat).Quo(new(big.Rat).Abs(r), big.NewRat(qty.Scale*10_000, 1))
	scaled.Add(scaled, big.NewRat(1, 2))
	n := new(big.Int).Quo(scaled.Num(), scaled.Denom())
	fen := money.Max
	if n.IsInt64() && n.Int64() < int64(money.Max) {
		fen = money.Fen(n.Int64())
	}
	if r.Sign() < 0 {
		return -fen
	}
	return fen
}

// Fen4 rounds ten-thousandths of a fen to whole ones.
func Fen4(r *big.Rat) money.Fen4 {
	n, ok := new(big.Int).SetString(r.FloatString(0), 10)
	if !ok || !n.IsInt64() || n.Int64() > int64(money.Max) {
		return money.Fen4(money.Max)
	}
	return money.Fen4(n.Int64())
}

// MixWhy is what a proposal was worked out from, of one day.
type MixWhy struct {
	Makes     qty.Qty      `json:"makes" doc:"of the product a day, on the mean of the days planned"`
	Unit      string       `json:"unit"`
	Days      int64        `json:"days" doc:"that the reason lasts"`
	BeforeFen money.Fen    `json:"before_fen" doc:"what the lines that change cost a day as the recipe says; stock that would be over its time costs nothing"`
	AfterFen  money.Fen    `json:"after_fen" doc:"the same by the proposal"`
	Yield     qty.Qty      `json:"yield" doc:"of one recipe"`
	WasFen    money.Fen    `json:"yield_was_fen" doc:"what the lines that may be mixed cost for one yield as the recipe says, at the prices below, stock that would be over its time as well"`
	NowFen    money.Fen    `json:"yield_now_fen" doc:"the same by the proposal"`
	Priced    bool         `json:"priced" doc:"every material has a price; else the costs are 0"`
	Lines     []MixLineWhy `json:"lines"`
}

// MixLineWhy is a line that may be mixed.
type MixLineWhy struct {
	ProductID id.ID          `json:"product_id" doc:"the component"`
	Name      string         `json:"name"`
	Cause     string         `json:"cause" enum:",availability,expiry,cost" doc:"empty: it stays as the recipe says"`
	Options   []MixOptionWhy `json:"options" doc:"the component first"`
}

// MixOptionWhy is what is known of a material. Quantities are in its base unit.
type MixOptionWhy struct {
	ProductID id.ID       `json:"product_id"`
	Code      string      `json:"code"`
	Name      string      `json:"name"`
	Unit      string      `json:"unit"`
	RatioQty  qty.Qty     `json:"ratio_qty" doc:"so much of it does what ratio_for of the component do"`
	RatioFor  qty.Qty     `json:"ratio_for"`
	Usual     string      `json:"usual" doc:"share that the recipe says, as in 0.4"`
	Proposed  string      `json:"proposed" doc:"share that was proposed"`
	Least     string      `json:"least"`
	Most      string      `json:"most"`
	Was       qty.Qty     `json:"was" doc:"of it a day as the recipe says, loss included"`
	Need      qty.Qty     `json:"need" doc:"the same by the proposal"`
	Others    qty.Qty     `json:"others" doc:"what everything else takes of it a day"`
	Stock     []MixLotWhy `json:"stock"`
	Spare     qty.Qty     `json:"spare" doc:"that would be over its time if this line took none of it"`
	SpareFen  money.Fen   `json:"spare_fen" doc:"what that is worth at its price"`
	PriceFen4 money.Fen4  `json:"price_fen4" doc:"of a base unit, in ten-thousandths of a fen"`
	PriceFrom string      `json:"price_from" enum:",stock,supplier,recipe" doc:"what its batches cost, the lowest price asked, or what goes into it; empty: nobody knows"`
	Can       qty.Qty     `json:"can" doc:"that can be had of it on the first day, for this line"`
	Any       bool        `json:"any" doc:"as much as is wanted can be had"`
}

// MixLotWhy is a batch of a material.
type MixLotWhy struct {
	BatchID id.ID     `json:"batch_id"`
	Code    string    `json:"code"`
	Qty     qty.Qty   `json:"qty"`
	Until   time.Time `json:"until"`
	Days    int64     `json:"days" doc:"for how many of the days from the first it may be used"`
	Spare   qty.Qty   `json:"spare" doc:"of it, what nothing else will have used by then"`
}
