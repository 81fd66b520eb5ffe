package clear

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
)

var (
	ErrTimes  = errs.Define("clear_times_bad", errs.Invalid, "第一次降价应在到期前 1 到 {most} 分钟,买一送一不早于它", "The first step is 1 to {most} minutes before expiry, and buy-one-get-one not before it")
	ErrDepths = errs.Define("clear_depths_bad", errs.Invalid, "降价档应为 1 到 {most} 之间、由小到大的 1 到 10 档", "Markdowns are 1 to 10 steps from 1 to {most} per cent, rising")
	ErrPct    = errs.Define("clear_pct_bad", errs.Invalid, "百分比应在 0 到 100 之间", "A percentage is from 0 to 100")
)

// Limits of a rule.
const (
	MaxFirst = 24 * time.Hour
	maxDepth = 90
)

// Policy is the rule of a category as a person sets it. Category 0 is for all without one of their own.
type Policy struct {
	CategoryID    id.ID   `json:"category_id" doc:"empty: all categories without a rule of their own"`
	FirstMin      int64   `json:"first_min" minimum:"1" maximum:"1440" doc:"minutes before expiry at which the markdown begins; goods with a life under 12 h start at half of it"`
	FreeMin       int64   `json:"free_min" minimum:"0" maximum:"1440" doc:"minutes before expiry from which of two one is free; 0: never. Goods with a life under 12 h: the last sixth of it"`
	Depths        []int64 `json:"depths" maxItems:"10" doc:"per cent off, rising"`
	FloorPct      int64   `json:"floor_pct" minimum:"0" maximum:"100" doc:"no markdown goes under this part of the full price"`
	FloorFree     bool    `json:"floor_binds_free" doc:"buy-one-get-one does not go under it either"`
	ScreenPct     int64   `json:"screen_pct" minimum:"0" maximum:"100" doc:"of what was offered under a plan so much must have been sold for it to be considered"`
	WaitForProfit *bool   `json:"wait_for_profit,omitempty" doc:"a step that would earn less than the price in force waits for the next look; left out: it does. false: every step is taken when its time has come"`
	HoldOutPct    int64   `json:"hold_out_pct" minimum:"0" maximum:"50" doc:"of the batches so many wait for one half hour with their first markdown, to learn what it does"`
}

// DefaultPolicy is the trade's rule.
func DefaultPolicy() Policy {
	d := Default()
	return Policy{FirstMin: int64(d.FirstBefore / time.Minute), FreeMin: int64(d.FreeBefore / time.Minute), Depths: d.Depths, ScreenPct: 65, HoldOutPct: 10, WaitForProfit: waits(true)}
}

func waits(v bool) *bool { return &v }

// atOnce says that no step waits for profit.
func (p *Policy) atOnce() bool { return p.WaitForProfit != nil && !*p.WaitForProfit }

func (p *Policy) check() error {
	switch {
	case p.FirstMin < 1 || p.FirstMin > int64(MaxFirst/time.Minute):
		return ErrTimes.With("most", int64(MaxFirst/time.Minute)).At("first_min")
	case p.FreeMin < 0 || p.FreeMin > p.FirstMin:
		return ErrTimes.With("most", int64(MaxFirst/time.Minute)).At("free_min")
	case len(p.Depths) < 1 || len(p.Depths) > 10:
		return ErrDepths.With("most", maxDepth).At("depths")
	case p.FloorPct < 0 || p.FloorPct > 100:
		return ErrPct.At("floor_pct")
	case p.ScreenPct < 0 || p.ScreenPct > 100:
		return ErrPct.At("screen_pct")
	case p.HoldOutPct < 0 || p.HoldOutPct > 50:
		return ErrPct.At("hold_out_pct")
	}
	last := int64(0)
	for _, d := range p.Depths {
		if d <= last || d > maxDepth {
			return ErrDepths.With("most", maxDepth).At("depths")
		}
		last = d
	}
	return nil
}

// Rule is the policy for goods whose full price is list: with e as the answer to prices.
func (p *Policy) Rule(list money.Fen, e float64) Rule {
	floor, err := money.MulDiv(int64(list), p.FloorPct, 100)
	if err != nil {
		floor = int64(list)
	}
	return Rule{FirstBefore: time.Duration(p.FirstMin) * time.Minute, FreeBefore: time.Duration(p.FreeMin) * time.Minute, Depths: p.Depths,
		Floor: money.Fen(floor), FreeUnder: !p.FloorFree, AtOnce: p.atOnce(), Screen: float64(p.ScreenPct) / 100, Elasticity: e}
}

// HeldOut says whether a batch is one of those that wait for one step. It follows from the batch alone, so that
// nobody can choose.
func (p *Policy) HeldOut(batch id.ID) bool {
	x := uint64(batch)
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9 // the mixing of splitmix64 (Steele, Lea, Flood 2014)
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return int64(x%100) < p.HoldOutPct
}

// Policies are all rules, with the tree that they are inherited along and what was learned.
type Policies struct {
	own     map[id.ID]Policy
	parent  map[id.ID]id.ID
	answers map[id.ID]float64
}

// LoadPolicies reads all rules.
func LoadPolicies(tx *db.Tx) (*Policies, error) {
	p := &Policies{own: map[id.ID]Policy{}, parent: map[id.ID]id.ID{}, answers: map[id.ID]float64{}}
	rows := tx.Query(`SELECT r.category_id, r.first_min, r.free_min, r.depths, r.floor_pct, r.floor_free, r.screen_pct, r.hold_out_pct, r.at_once FROM clear_rule r`)
	answers := tx.Query(`SELECT a.category_id, a.elasticity_milli FROM clear_answer a`)
	defer rows.Close()
	defer answers.Close()
	for rows.Next() {
		var r Policy
		var depths string
		var atOnce bool
		if err := rows.Scan(&r.CategoryID, &r.FirstMin, &r.FreeMin, &depths, &r.FloorPct, &r.FloorFree, &r.ScreenPct, &r.HoldOutPct, &atOnce); err != nil {
			return nil, err
		}
		r.WaitForProfit = waits(!atOnce)
		for _, text := range strings.Split(depths, ",") {
			d, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("clear: depths %q of category %s: %w", depths, r.CategoryID, err)
			}
			r.Depths = append(r.Depths, d)
		}
		p.own[r.CategoryID] = r
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for answers.Next() {
		var c id.ID
		var e int64
		if err := answers.Scan(&c, &e); err != nil {
			return nil, err
		}
		p.answers[c] = float64(e) / 1000
	}
	if err := answers.Err(); err != nil {
		return nil, err
	}
	tree, err := catalog.Categories(tx)
	if err != nil {
		return nil, err
	}
	for _, c := range tree {
		p.parent[c.ID] = c.ParentID
	}
	return p, nil
}

// Of is the policy that holds for a category: its own, that of the nearest category above it, that for all.
func (p *Policies) Of(category id.ID) Policy {
	for up := category; up != 0; up = p.parent[up] {
		if r, ok := p.own[up]; ok {
			return r
		}
	}
	if r, ok := p.own[0]; ok {
		return r
	}
	return DefaultPolicy()
}

// Answer is how people of a category answer to lower prices, as far as it is known.
func (p *Policies) Answer(category id.ID) float64 {
	if e, ok := p.answers[category]; ok {
		return e
	}
	return Default().Elasticity
}

// Longest is how long before expiry the earliest step of any rule is.
func (p *Policies) Longest() time.Duration {
	longest := Default().FirstBefore
	for _, r := range p.own {
		longest = max(longest, time.Duration(r.FirstMin)*time.Minute)
	}
	return longest
}

// Above are a category and those above it, 0 last.
func (p *Policies) Above(category id.ID) []id.ID {
	var all []id.ID
	for up := category; up != 0; up = p.parent[up] {
		all = append(all, up)
	}
	return append(all, 0)
}

// Known says whether there is such a category.
func (p *Policies) Known(category id.ID) bool {
	_, ok := p.parent[category]
	return ok || category == 0
}

// Own are the rules that were set, by category.
func (p *Policies) Own() map[id.ID]Policy { return p.own }

// SetPolicy sets the rule of a category for the whole group.
func SetPolicy(tx *db.Tx, staff id.ID, p Policy) error {
	if err := p.check(); err != nil {
		return err
	}
	depths := make([]string, len(p.Depths))
	for i, d := range p.Depths {
		depths[i] = strconv.FormatInt(d, 10)
	}
	return tx.Exec(`INSERT INTO clear_rule (category_id, first_min, free_min, depths, floor_pct, floor_free, screen_pct, hold_out_pct, at_once, staff_id, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (category_id) DO UPDATE SET first_min = excluded.first_min, free_min = excluded.free_min, depths = excluded.depths, floor_pct = excluded.floor_pct,
			floor_free = excluded.floor_free, screen_pct = excluded.screen_pct, hold_out_pct = excluded.hold_out_pct, at_once = excluded.at_once, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		p.CategoryID, p.FirstMin, p.FreeMin, strings.Join(depths, ","), p.FloorPct, flag(p.FloorFree), p.ScreenPct, p.HoldOutPct, flag(p.atOnce()), staff, tx.Now())
}

// SetStop ends further steps of a category (0: of all) at a site, or allows them again.
func SetStop(tx *db.Tx, site, category, staff id.ID, stopped bool) error {
	return tx.Exec(`INSERT INTO clear_stop (site_id, category_id, stopped, staff_id, changed_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (site_id, category_id) DO UPDATE SET stopped = excluded.stopped, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		site, category, flag(stopped), staff, tx.Now())
}

// Stops are the categories that a site has stopped.
func Stops(tx *db.Tx, site id.ID) (map[id.ID]bool, error) {
	rows := tx.Query(`SELECT s.category_id FROM clear_stop s WHERE s.site_id = $1 AND s.stopped = 1`, site)
	defer rows.Close()
	all := map[id.ID]bool{}
	for rows.Next() {
		var c id.ID
		if err := rows.Scan(&c); err != nil {
			return nil, err
		}
		all[c] = true
	}
	return all, rows.Err()
}

// AnswerBP is Answer in ten-thousandths, and whether it was learned.
func (p *Policies) AnswerBP(category id.ID) (int64, bool) {
	_, learned := p.answers[category]
	return int64(math.Round(p.Answer(category) * 10_000)), learned
}
