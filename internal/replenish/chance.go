package replenish

import (
	"math"
	"time"

	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/stats"
)

// What a quantity is expected to come to: so much thrown away, so much asked for in vain.

// chances is how many equally likely demands stand for a distribution.
const chances = 200

// Chance is the distribution of a day's demand, in base units: equally likely demands, rising.
type Chance struct {
	at   [chances]float64
	mean float64
	sd   float64
}

// ChanceOf reads the distribution from a forecast's quantiles: between those that are stored along straight lines, above the
// last as a normal tail, below the median as its mirror image, never below 0.
func ChanceOf(quantile func(tau float64) qty.Qty) Chance {
	const top = .95
	upper := func(u float64) float64 {
		if u <= top {
			return quantile(u).Approx()
		}
		median := quantile(.5).Approx()
		return median + (quantile(top).Approx()-median)*stats.NormalScore(u)/stats.NormalScore(top)
	}
	median := quantile(.5).Approx()
	var c Chance
	for i := range c.at {
		u := (float64(i) + .5) / chances
		if u >= .5 {
			c.at[i] = upper(u)
		} else {
			c.at[i] = max(0, 2*median-upper(1-u))
		}
	}
	return c.measured()
}

func (c Chance) measured() Chance {
	c.mean, c.sd = 0, 0
	for _, x := range c.at {
		c.mean += x / chances
	}
	for _, x := range c.at {
		c.sd += (x - c.mean) * (x - c.mean) / chances
	}
	c.sd = math.Sqrt(c.sd)
	return c
}

// Of is the same distribution of a demand that was moved since: by the calendar, by what was sold, by what others ask for.
func (c Chance) Of(forecast qty.Qty, d Demand) Chance {
	now := d.settled().Mean
	if was := forecast.Approx(); was > 0 && now != was {
		for i := range c.at {
			c.at[i] *= now / was
		}
		return c.measured()
	}
	return c
}

// Spread is a demand that knows its distribution, as the quantiles of the forecast behind it tell, so that batches are rounded by
// what they earn.
func (d Demand) Spread(forecast qty.Qty, quantile func(tau float64) qty.Qty) Demand {
	c := ChanceOf(quantile).Of(forecast, d)
	d.Chance = &c
	return d
}

// part is the demand of a share of the day: the day's own spread on its share, and Poisson noise of its own, as rounds have it.
func (c Chance) part(share float64) Chance {
	if share >= .9995 {
		return c
	}
	noise := min(c.mean, c.sd*c.sd)
	day := c.sd*c.sd - noise
	return c.shaped(share*c.mean, math.Sqrt(share*share*day+share*noise))
}

// days is the demand of so many days, each with a spread of its own.
func (c Chance) days(n float64) Chance {
	if n <= 1 {
		return c
	}
	return c.shaped(n*c.mean, math.Sqrt(n)*c.sd)
}

func (c Chance) shaped(mean, sd float64) Chance {
	k := 0.0
	if c.sd > 0 {
		k = sd / c.sd
	}
	for i := range c.at {
		c.at[i] = max(0, mean+(c.at[i]-c.mean)*k)
	}
	return c.measured()
}

// against is what is left over, what is asked for in vain, and how likely that is, when there is so much.
func (c Chance) against(have float64) (left, lost, out float64) {
	for _, x := range c.at {
		if x > have {
			lost += (x - have) / chances
			out += 1.0 / chances
		} else {
			left += (have - x) / chances
		}
	}
	return left, lost, out
}

// Result is what a day's supply of a product is expected to come to.
type Result struct {
	Waste  qty.Qty // left over when its life ends
	Lost   qty.Qty // asked for in vain
	OutPPM int64   // how likely it runs out at some time, in millionths
}

// mostLifeDays bounds the days over which what is left may still be sold.
const mostLifeDays = 30

// lifeDays are the whole days in which a product may be sold.
func lifeDays(life time.Duration) float64 {
	return math.Min(mostLifeDays, math.Max(1, math.Floor(life.Hours()/24)))
}

// Bought is the outcome of so much there is of a product, bought to be sold over some days from its own on, on which so much
// is expected together.
func (c Chance) Bought(have, mean qty.Qty, days int, life time.Duration) Result {
	n := float64(max(1, days))
	over := c.shaped(mean.Approx(), math.Sqrt(n)*c.sd)
	_, lost, out := over.against(have.Approx())
	if more := lifeDays(life) - n; more > 0 { // what is left may still be sold
		over = over.shaped(over.mean*(1+more/n), over.sd*math.Sqrt(1+more/n))
	}
	left, _, _ := over.against(have.Approx())
	return Result{qty.Nearest(left), qty.Nearest(lost), int64(out*1e6 + .5)}
}

// Made is the outcome of the rounds of a product on a day: in vain is asked for what has not been made by the end of a round,
// wasted is what the day leaves and nobody can be expected to buy within its life. Both follow from how much has been made by
// the end of each round, so that who makes nowhere less has nowhere more stock-outs and no less waste.
func (c Chance) Made(rounds []RoundPlan, life time.Duration) Result {
	if len(rounds) == 0 {
		return Result{}
	}
	have := rounds[0].OnHand.Approx()
	var share, out, lost float64
	day := c.mean
	missing, short := [chances]float64{}, [chances]bool{}
	var rest Chance
	for i, r := range rounds {
		have += r.Make.Approx()
		if day > 0 {
			share = min(1, share+r.Mean.Approx()/day)
		}
		if i == 0 && len(rounds) == 1 && r.Round.From == 0 && share > .99 {
			share = 1
		}
		rest = c.part(share)
		for k, x := range rest.at {
			if x > have {
				missing[k], short[k] = max(missing[k], x-have), true
			}
		}
	}
	for k := range missing {
		lost += missing[k] / chances
		if short[k] {
			out += 1.0 / chances
		}
	}
	if n := lifeDays(life); n > 1 {
		rest = rest.plus(c.days(n - 1))
	}
	left, _, _ := rest.against(have)
	return Result{qty.Nearest(left), qty.Nearest(lost), int64(out*1e6 + .5)}
}

// plus adds two demands that move apart from each other.
func (c Chance) plus(d Chance) Chance {
	return c.shaped(c.mean+d.mean, math.Hypot(c.sd, d.sd))
}
