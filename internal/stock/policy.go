package stock

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Which batches serve first is data. A policy speaks of a product, of a category and those below it, or of everything;
// at one site or at all; for one channel or for all. The one that says most decides: a product before its category, a
// near category before one above it, then a site before all sites, then a channel before all channels. Without any,
// what expires first serves first.

// Rule is the order in which batches serve.
type Rule int64

const (
	ByExpiry  Rule = 1 // what expires first
	FirstIn   Rule = 2 // what was received first
	FewestOne Rule = 3 // as few batches as possible: one that is enough, else the largest
)

var ruleNames = map[Rule]string{ByExpiry: "expiry", FirstIn: "first_in", FewestOne: "fewest"}

func (r Rule) String() string { return ruleNames[r] }

// RuleNamed finds a rule by its name.
func RuleNamed(name string) (Rule, bool) {
	for r, n := range ruleNames {
		if n == name {
			return r, true
		}
	}
	return 0, false
}

// Uses are what a policy may be for, besides everything (""): the channels, and what leaves a site without being sold.
var Uses = append(slices.Clone(Channels), "transfer", "making")

// maxLife bounds what may be asked of the life that is left: ten years.
const maxLife = 3650 * 24 * time.Hour

var (
	ErrPolicyOf      = errs.Define("stock_policy_of_two", errs.Invalid, "请只选商品或只选分类", "Please choose a product or a category, not both")
	ErrPolicyRule    = errs.Define("stock_policy_rule", errs.Invalid, "没有这种拣取规则", "There is no such rule for choosing batches")
	ErrPolicyLife    = errs.Define("stock_policy_life", errs.Invalid, "最短剩余保质期应在 0 到 10 年之间", "The shortest life left must be between nothing and ten years")
	ErrPolicyChanged = errs.Define("stock_policy_changed", errs.Conflict, "这条规则刚被别人改过,请刷新后再改", "Somebody has just changed this rule; please look again before you change it")
	ErrNoPolicy      = errs.Define("stock_policy_unknown", errs.NotFound, "没有这条拣取规则", "There is no such rule for choosing batches")
	ErrNoCategory    = errs.Define("stock_policy_category", errs.Invalid, "没有这个分类", "There is no such category")
	ErrLife          = errs.Define("stock_life_short", errs.Conflict, "{product} 剩余保质期够 {hours} 小时的只有 {left}", "Only {left} of {product} keeps for another {hours} hours")
)

// Scope is what a policy is about; what is 0 or "" is not told apart.
type Scope struct {
	Product, Category, Site id.ID
	Channel                 string
}

// Policy is a version of a policy. Without an end it is in force.
type Policy struct {
	ID id.ID
	Scope
	Rule    Rule
	MinLife time.Duration // what has less left does not serve
	By      id.ID
	At      time.Time
	EndedBy id.ID
	EndedAt time.Time
}

const policyColumns = `id, product_id, category_id, site_id, channel, rule, min_life_min, staff_id, made_at, COALESCE(ended_by, 0), COALESCE(ended_at, 0)`

func scanPolicies(rows *db.Rows) ([]Policy, error) {
	var all []Policy
	for rows.Next() {
		var p Policy
		var minutes, ended int64
		if err := rows.Scan(&p.ID, &p.Product, &p.Category, &p.Site, &p.Channel, (*int64)(&p.Rule), &minutes, &p.By, &p.At, &p.EndedBy, &ended); err != nil {
			return nil, err
		}
		p.MinLife = time.Duration(minutes) * time.Minute
		if ended > 0 {
			p.EndedAt = time.UnixMilli(ended).UTC()
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// SetPolicy puts a policy in the place of the one that was in force for the same scope: replaces is its id, 0 when
// there was none. ErrPolicyChanged when something else is in force by now.
func SetPolicy(tx *db.Tx, scope Scope, rule Rule, minLife time.Duration, replaces, staff id.ID) (*Policy, error) {
	switch {
	case scope.Product != 0 && scope.Category != 0:
		return nil, ErrPolicyOf.At("category_id")
	case scope.Channel != "" && !slices.Contains(Uses, scope.Channel):
		return nil, ErrNoChannel.At("channel")
	case rule.String() == "":
		return nil, ErrPolicyRule.At("rule")
	case minLife < 0 || minLife > maxLife || minLife%time.Minute != 0:
		return nil, ErrPolicyLife.At("min_life_minutes")
	}
	var there int
	if scope.Product != 0 {
		if err := tx.QueryRow(`SELECT COUNT(*) FROM catalog_product WHERE id = $1`, scope.Product).Scan(&there); err != nil {
			return nil, err
		}
		if there == 0 {
			return nil, ErrNoSKU.At("product_id")
		}
	}
	if scope.Category != 0 {
		if err := tx.QueryRow(`SELECT COUNT(*) FROM catalog_category WHERE id = $1`, scope.Category).Scan(&there); err != nil {
			return nil, err
		}
		if there == 0 {
			return nil, ErrNoCategory.At("category_id")
		}
	}
	if replaces != 0 {
		if err := tx.ExecExactly(1, ErrPolicyChanged, `UPDATE stock_pick_policy SET ended_by = $1, ended_at = $2
			WHERE id = $3 AND ended_at IS NULL AND product_id = $4 AND category_id = $5 AND site_id = $6 AND channel = $7`,
			staff, tx.Now(), replaces, scope.Product, scope.Category, scope.Site, scope.Channel); err != nil {
			return nil, err
		}
	}
	p := &Policy{ID: id.New(), Scope: scope, Rule: rule, MinLife: minLife, By: staff, At: tx.Now()}
	if err := tx.ExecExactly(1, ErrPolicyChanged, `INSERT INTO stock_pick_policy (id, product_id, category_id, site_id, channel, rule, min_life_min, staff_id, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (product_id, category_id, site_id, channel) WHERE ended_at IS NULL DO NOTHING`,
		p.ID, scope.Product, scope.Category, scope.Site, scope.Channel, int64(rule), int64(minLife/time.Minute), staff, p.At); err != nil {
		return nil, err
	}
	policyChanged(tx)
	return p, nil
}

// EndPolicy takes a policy out of force; the next wider one decides from now on.
func EndPolicy(tx *db.Tx, policy, staff id.ID) error {
	if err := tx.ExecExactly(1, ErrPolicyChanged, `UPDATE stock_pick_policy SET ended_by = $1, ended_at = $2 WHERE id = $3 AND ended_at IS NULL`, staff, tx.Now(), policy); err != nil {
		return err
	}
	policyChanged(tx)
	return nil
}

// PolicyByID reads a policy; ErrNoPolicy when there is none.
func PolicyByID(tx *db.Tx, policy id.ID) (*Policy, error) {
	all, err := scanPolicies(tx.Query(`SELECT `+policyColumns+` FROM stock_pick_policy WHERE id = $1`, policy))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNoPolicy
	}
	return &all[0], nil
}

// Where somebody may see them is part of the question: rows dropped after it would leave pages short or empty.
const listPolicies = `SELECT ` + policyColumns + ` FROM stock_pick_policy
WHERE (CAST($1 AS BIGINT) = 1 OR site_id = 0 OR site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
	AND id < $4 AND (ended_at IS NULL OR CAST($5 AS BIGINT) = 1) ORDER BY id DESC LIMIT $6`

// Policies lists the policies of all sites and those of the sites in reach, newest first before one (0: the newest): those
// in force, or with past all there ever were.
func Policies(tx *db.Tx, reach org.Sites, past bool, before id.ID, limit int) ([]Policy, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	ended := int64(0)
	if past {
		ended = 1
	}
	return scanPolicies(tx.Query(listPolicies, append(reach.Args(), before, ended, limit)...))
}

// --- what is in force, in memory

// A sale must not ask which policy is in force. The policies are kept in memory, never older than policyAge;
// WatchPolicies renews them beside the tills, so that a sale finds them.
const (
	policyAge  = time.Second
	membersAge = 10 * time.Second // a product that comes into another category follows that one's policy after this at the latest
)

// policies are those in force, as known at an instant. of are the policies of products and categories by SKU, the
// one that says most first; wide are those about everything.
type policies struct {
	at, membersAt time.Time
	list          []Policy
	of            map[id.ID][]*Policy
	wide          []*Policy
}

type policyBook struct {
	known   atomic.Pointer[policies]
	changes atomic.Int64
}

type policyKey struct{}

func newPolicyBook() any { return &policyBook{} }

func bookOf(tx *db.Tx) *policyBook { return tx.Keep(policyKey{}, newPolicyBook).(*policyBook) }

// policyChanged makes the next question of this process look again once tx is committed.
func policyChanged(tx *db.Tx) {
	b := bookOf(tx)
	tx.AfterCommit(func() {
		b.changes.Add(1)
		b.known.Store(nil)
	})
}

func (b *policyBook) get(tx *db.Tx) (*policies, error) {
	if p := b.known.Load(); p != nil && time.Since(p.at) < policyAge { //allow:clock an age by the monotonic clock, which nobody can set
		return p, nil
	}
	return b.read(tx)
}

func (b *policyBook) read(tx *db.Tx) (*policies, error) {
	before, old := b.changes.Load(), b.known.Load()
	p := &policies{at: time.Now()} //allow:clock an age by the monotonic clock, which nobody can set
	var err error
	if p.list, err = scanPolicies(tx.Query(`SELECT ` + policyColumns + ` FROM stock_pick_policy WHERE ended_at IS NULL ORDER BY id`)); err != nil {
		return nil, err
	}
	if old != nil && p.at.Sub(old.membersAt) < membersAge && slices.Equal(p.list, old.list) {
		p.of, p.wide, p.membersAt = old.of, old.wide, old.membersAt
	} else if err := p.gather(tx); err != nil {
		return nil, err
	}
	if b.changes.Load() == before {
		b.known.Store(p)
	}
	return p, nil
}

const (
	policySKUsOfProducts = `SELECT p.id, k.id, 0 FROM stock_pick_policy p JOIN catalog_sku k ON k.product_id = p.product_id WHERE p.ended_at IS NULL AND p.product_id > 0`

	// far is how many categories lie between a policy's and the product's.
	policySKUsOfCategories = `
WITH RECURSIVE below (policy, category, far) AS (
	SELECT id, category_id, 1 FROM stock_pick_policy WHERE ended_at IS NULL AND category_id > 0
	UNION ALL
	SELECT b.policy, c.id, b.far + 1 FROM below b JOIN catalog_category c ON c.parent_id = b.category WHERE b.far < 20)
SELECT b.policy, k.id, b.far FROM below b JOIN catalog_product p ON p.category_id = b.category JOIN catalog_sku k ON k.product_id = p.id`
)

// gather finds the SKUs that the policies speak of.
func (p *policies) gather(tx *db.Tx) error {
	p.membersAt, p.of, p.wide = p.at, map[id.ID][]*Policy{}, nil
	if len(p.list) == 0 {
		return nil
	}
	byID := map[id.ID]*Policy{}
	for i := range p.list {
		x := &p.list[i]
		if byID[x.ID] = x; x.Product == 0 && x.Category == 0 {
			p.wide = append(p.wide, x)
		}
	}
	slices.SortFunc(p.wide, says)
	type near struct {
		*Policy
		far int
	}
	found := map[id.ID][]near{}
	for _, rows := range []*db.Rows{tx.Query(policySKUsOfProducts), tx.Query(policySKUsOfCategories)} {
		for rows.Next() {
			var policy, sku id.ID
			var far int
			if err := rows.Scan(&policy, &sku, &far); err != nil {
				return err
			}
			if x := byID[policy]; x != nil {
				found[sku] = append(found[sku], near{x, far})
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	for sku, all := range found {
		slices.SortFunc(all, func(a, b near) int { return cmp.Or(cmp.Compare(a.far, b.far), says(a.Policy, b.Policy)) })
		for _, x := range all {
			p.of[sku] = append(p.of[sku], x.Policy)
		}
	}
	return nil
}

// says puts first who says more about where and for whom.
func says(a, b *Policy) int {
	return cmp.Or(cmp.Compare(min(b.Site, 1), min(a.Site, 1)), cmp.Compare(min(len(b.Channel), 1), min(len(a.Channel), 1)), cmp.Compare(a.ID, b.ID))
}

// decides finds the policy for a SKU; nil: by expiry.
func (p *policies) decides(site id.ID, use string, sku id.ID) *Policy {
	for _, all := range [2][]*Policy{p.of[sku], p.wide} {
		for _, x := range all {
			if (x.Site == 0 || x.Site == site) && (x.Channel == "" || x.Channel == use) {
				return x
			}
		}
	}
	return nil
}

// rulesFor gives each line its policy; nil when none has any, which is how most shops live.
func rulesFor(tx *db.Tx, site id.ID, use string, wants []Want) ([]*Policy, error) {
	p, err := bookOf(tx).get(tx)
	if err != nil || len(p.list) == 0 {
		return nil, err
	}
	var rules []*Policy
	for i := range wants {
		x := p.decides(site, use, wants[i].SKU)
		if x == nil || x.Rule == ByExpiry && x.MinLife == 0 {
			continue
		}
		if rules == nil {
			rules = make([]*Policy, len(wants))
		}
		rules[i] = x
	}
	return rules, nil
}

// WatchPolicies keeps the policies fresh in memory until ctx ends.
func WatchPolicies(ctx context.Context, d *db.DB) {
	b := d.Keep(policyKey{}, newPolicyBook).(*policyBook)
	tick := time.NewTicker(policyAge * 2 / 5)
	defer tick.Stop()
	for {
		// An error leaves what is known to grow old: whoever picks then asks, and fails as he must.
		_ = d.Read(ctx, func(tx *db.Tx) error { _, err := b.read(tx); return err })
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// --- choosing by a policy

// shelf is what decides the place of a batch in the order.
type shelf struct {
	id, reduced       int64
	received, expires time.Time
	free              qty.Qty
}

// serves orders two batches for a line that wants so much.
func (p *Policy) serves(a, b shelf, wanted qty.Qty) int {
	first := cmp.Compare(a.reduced, b.reduced)
	switch {
	case p == nil || first != 0:
	case p.Rule == FirstIn:
		first = a.received.Compare(b.received)
	case p.Rule == FewestOne:
		if first = -cmp.Compare(min(a.free, wanted), min(b.free, wanted)); first == 0 && a.free < wanted {
			first = -cmp.Compare(a.free, b.free)
		}
	}
	return cmp.Or(first, a.expires.Compare(b.expires), cmp.Compare(a.id, b.id))
}

// alive says whether a batch has as much life left as the policy asks.
func (p *Policy) alive(expires, now time.Time) bool {
	return now.Before(expires) && (p == nil || !expires.Before(now.Add(p.MinLife)))
}

// As the wider question of a sale, with the rule of each line and the instant at which its goods must still be good.
// What is free is as it was before the locks; the choice is made again with what is free then.
const (
	ruledHead = `WITH o AS (SELECT CAST($1 AS BIGINT) AS site, CAST($2 AS BIGINT) AS now, CAST($3 AS BIGINT) AS reach), w (sku, named, wanted, rule, good_at) AS (VALUES `
	ruledTail = `), c AS (
	SELECT * FROM (
		SELECT f.*, ROW_NUMBER() OVER (PARTITION BY sku_id ORDER BY reduced,
			CASE rule WHEN 2 THEN received_at WHEN 3 THEN CASE WHEN free >= wanted THEN 0 ELSE 1 END ELSE 0 END,
			CASE WHEN rule = 3 AND free < wanted THEN -free ELSE 0 END, expires_at, id) AS place
		FROM (
			SELECT w.named, w.wanted, w.rule, b.id, b.value_id, b.sku_id, b.code, b.expires_at, b.reduced, b.received_at, x.posted_in - x.posted_out - x.pending_out AS free, o.reach
			FROM o CROSS JOIN w JOIN stock_batch b ON b.site_id = o.site AND b.sku_id = w.sku AND b.open = 1 AND b.expires_at > o.now AND b.expires_at >= w.good_at
			JOIN ledger_account x ON x.id = b.id WHERE w.named = 0) AS f) AS g
	WHERE place <= reach
	UNION ALL
	SELECT w.named, w.wanted, w.rule, b.id, b.value_id, b.sku_id, b.code, b.expires_at, b.reduced, b.received_at, 0, o.reach, 1
	FROM o CROSS JOIN w CROSS JOIN stock_batch b WHERE b.id = w.named AND b.site_id = o.site AND b.sku_id = w.sku)
SELECT ` + lotColumns + `, c.named, -1, c.received_at
FROM c CROSS JOIN ledger_account a CROSS JOIN ledger_account v WHERE a.id = c.id AND v.id = c.value_id
ORDER BY a.id`
)

var (
	ruledRead = db.NewMany(ruledHead, `(BIGINT, BIGINT, BIGINT, BIGINT, BIGINT)`, ruledTail)
	ruledLock = db.NewMany(ruledHead, `(BIGINT, BIGINT, BIGINT, BIGINT, BIGINT)`, ruledTail+` FOR UPDATE OF a, v`)
)

// ruleOf is the policy of a line, nil without one.
func (a *Asked) ruleOf(i int) *Policy {
	if a.rules == nil {
		return nil
	}
	return a.rules[i]
}

// ruled adds what a line's policy says to its question.
func (a *Asked) ruled(args []any, i int) []any {
	rule, goodAt := ByExpiry, int64(0)
	if p := a.rules[i]; p != nil {
		if rule = p.Rule; p.MinLife > 0 {
			goodAt = a.tx.Now().Add(p.MinLife).UnixMilli()
		}
	}
	return append(args, int64(rule), goodAt)
}

// wantedOf is what the lines that name no batch want of a SKU together: they share one order of batches.
func wantedOf(wants []Want, sku id.ID) (n qty.Qty) {
	for i := range wants {
		if wants[i].SKU == sku && wants[i].Batch == 0 {
			n += wants[i].Qty
		}
	}
	return n
}

// arrange puts the lots that may serve the i-th line into the order of its policy. It goes by what was free before any line
// took of it, as the question did, so that the order does not depend on how many lots were asked for.
func (a *Asked) arrange(i int, shelves []*lot) []*lot {
	w, rule := &a.wants[i], a.ruleOf(i)
	wanted := wantedOf(a.wants, w.SKU)
	var mine []*lot
	for _, b := range shelves {
		if b.sku == w.SKU {
			mine = append(mine, b)
		}
	}
	slices.SortFunc(mine, func(a, b *lot) int {
		return rule.serves(shelf{int64(a.id), a.reduced, a.received, a.expires, a.had}, shelf{int64(b.id), b.reduced, b.received, b.expires, b.had}, wanted)
	})
	return mine
}

// shortOf refuses a line of which only left may serve: there is too little, or what is there won't keep long enough.
func (p *Policy) shortOf(tx *db.Tx, site id.ID, w *Want, left qty.Qty) *errs.Error {
	if p == nil || p.MinLife == 0 {
		return short(tx, w.SKU, left)
	}
	var there qty.Qty
	if err := tx.QueryRow(availableOf, site, w.SKU, tx.Now()).Scan(&there); err != nil || there < w.Qty {
		return short(tx, w.SKU, left)
	}
	return only(tx, ErrLife, w.SKU, left).With("hours", int64((p.MinLife+time.Hour-time.Minute)/time.Hour))
}

// PickRow is a batch in the order in which it would serve.
type PickRow struct {
	Batch     id.ID
	Code      string
	Qty       qty.Qty // not promised
	Received  time.Time
	ExpiresAt time.Time
	Reduced   bool
	Passed    bool // it has too little life left
}

// PickOrder tells which policy decides about a SKU, nil when none does, and in which order the batches of a site would
// serve somebody who wants so much.
func PickOrder(tx *db.Tx, site id.ID, use string, sku id.ID, wanted qty.Qty, limit int) (*Policy, []PickRow, error) {
	known, err := bookOf(tx).get(tx)
	if err != nil {
		return nil, nil, err
	}
	p := known.decides(site, use, sku)
	rows := tx.Query(`SELECT b.id, b.code, b.reduced, b.received_at, b.expires_at, a.posted_in - a.posted_out - a.pending_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id
		WHERE b.site_id = $1 AND b.sku_id = $2 AND b.open = 1 AND b.expires_at > $3 AND a.posted_in - a.posted_out - a.pending_out > 0`, site, sku, tx.Now())
	var all []PickRow
	for rows.Next() {
		var r PickRow
		var reduced int64
		if err := rows.Scan(&r.Batch, &r.Code, &reduced, &r.Received, &r.ExpiresAt, &r.Qty); err != nil {
			return nil, nil, err
		}
		r.Reduced, r.Passed = reduced != 0, !p.alive(r.ExpiresAt, tx.Now())
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	key := func(r PickRow) shelf {
		s := shelf{id: int64(r.Batch), received: r.Received, expires: r.ExpiresAt, free: r.Qty}
		if r.Reduced {
			s.reduced = 1
		}
		return s
	}
	slices.SortFunc(all, func(a, b PickRow) int {
		if a.Passed != b.Passed {
			return map[bool]int{true: 1, false: -1}[a.Passed]
		}
		return p.serves(key(a), key(b), wanted)
	})
	return p, all[:min(len(all), limit)], nil
}

// The names of a policy's product and category are read where it is shown.
const policyNames = `SELECT COALESCE((SELECT name FROM catalog_product WHERE id = $1), ''), COALESCE((SELECT name FROM catalog_category WHERE id = $2), '')`

func namesOf(tx *db.Tx, s Scope) (product, category string, err error) {
	if s.Product == 0 && s.Category == 0 {
		return "", "", nil
	}
	err = tx.QueryRow(policyNames, s.Product, s.Category).Scan(&product, &category)
	if errors.Is(err, db.ErrNoRow) {
		err = nil
	}
	return product, category, err
}
