package replenish

import (
	"errors"
	"slices"
	"sort"
	"strings"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// What people set: how each product is replenished, and the calendar of what moves demand.

// Computed stands for a level that nobody set.
const Computed qty.Qty = -1

// AllSites stands for every site without a rule of its own.
const AllSites id.ID = 0

// Policy is how a product is replenished at a site.
type Policy struct {
	Site, Product id.ID
	Mode          Mode
	Safety, Most  qty.Qty // of a static product; Computed: nobody set it
	On            [3]Execution
	Ceilings      Ceilings
	Sales         qty.Qty // a day's sales beyond it wait for somebody to look at them; 0: none
	Substitute    id.ID   // offered where the product can't be had
	AtWord        bool    // suppliers are taken at their word, whatever their record
	Review        int64   // days an order lasts beyond the lead time, by daily mean sales
}

// DefaultPolicy holds where nobody set one.
var DefaultPolicy = Policy{Mode: Dynamic, Safety: Computed, Most: Computed, On: [3]Execution{Suggest, Suggest, Suggest}, Review: DefaultReview}

// At is how lines of a level are executed. What waits for its exception is always approved.
func (p *Policy) At(l Level) Execution {
	switch l {
	case Automatic:
		return p.On[0]
	case Tuning:
		return p.On[1]
	case Buffer:
		return p.On[2]
	}
	return Approve
}

var (
	ErrPolicyMost     = errs.Define("plan_policy_most", errs.Invalid, "上限不能低于安全库存", "The maximum can't be below the safety level")
	ErrReview         = errs.Define("plan_policy_review", errs.Invalid, "补货周期应为 1 到 {most} 天", "The review must be 1 to {most} days")
	ErrNoPolicy       = errs.Define("plan_policy_unknown", errs.NotFound, "没有这条补货规则", "There is no such replenishment rule")
	ErrEventSpan      = errs.Define("plan_event_span", errs.Invalid, "结束时间要晚于开始时间,最长 400 天", "The end must be after the beginning, by at most 400 days")
	ErrEventProducts  = errs.Define("plan_event_products", errs.Invalid, "请选 1 到 500 个商品", "Choose 1 to 500 products")
	ErrEventName      = errs.Define("plan_event_name", errs.Invalid, "请写名称", "Give it a name")
	ErrEventCondition = errs.Define("plan_event_condition", errs.Invalid, "天气规则要有条件,其他活动没有条件", "A weather rule has a condition, other events have none")
	ErrNoEvent        = errs.Define("plan_event_unknown", errs.NotFound, "没有这个活动", "There is no such event")
	ErrNearKind       = errs.Define("plan_near_kind", errs.Invalid, "{site} 不是门店,不卖货:邻店是互相调余货的门店,厨房和仓库的货走货源", "{site} is no store and sells nothing: stores in reach help each other out with what they have too much of; goods of kitchens and warehouses come by the source of a product")
	ErrNear           = errs.Define("plan_near_bad", errs.Invalid, "邻店必须是另一家门店", "The near store must be another store")
	ErrNoNear         = errs.Define("plan_near_unknown", errs.NotFound, "没有这条邻店规则", "There is no such rule for a near store")
	ErrNoTerms        = errs.Define("plan_rush_terms", errs.Invalid, "这家供应商不供应这个商品", "The supplier doesn't supply this product")
	ErrSubstitute     = errs.Define("plan_substitute_self", errs.Invalid, "替代商品必须是另一个商品", "The substitute must be another product")
)

const (
	policyColumns  = `SELECT site_id, product_id, mode, safety, most, on_automatic, on_dynamic, on_strategy, qty_ceiling, amount_ceiling_fen, sales_threshold, substitute_id, at_word, review_days FROM replenish_policy `
	policiesOfSite = policyColumns + `WHERE site_id = $1 AND product_id > $2 ORDER BY product_id LIMIT $3`
	putPolicy      = `INSERT INTO replenish_policy (site_id, product_id, mode, safety, most, on_automatic, on_dynamic, on_strategy, qty_ceiling, amount_ceiling_fen, sales_threshold, substitute_id, at_word, review_days, staff_id, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (site_id, product_id) DO UPDATE SET mode = excluded.mode, safety = excluded.safety, most = excluded.most, on_automatic = excluded.on_automatic, on_dynamic = excluded.on_dynamic,
			on_strategy = excluded.on_strategy, qty_ceiling = excluded.qty_ceiling, amount_ceiling_fen = excluded.amount_ceiling_fen, sales_threshold = excluded.sales_threshold,
			substitute_id = excluded.substitute_id, at_word = excluded.at_word, review_days = excluded.review_days, staff_id = excluded.staff_id, changed_at = excluded.changed_at`
)

func scanPolicy(scan func(...any) error) (p Policy, err error) {
	return p, scan(&p.Site, &p.Product, &p.Mode, &p.Safety, &p.Most, &p.On[0], &p.On[1], &p.On[2], &p.Ceilings.Qty, &p.Ceilings.Amount, &p.Sales, &p.Substitute, &p.AtWord, &p.Review)
}

// Policies are the rules written for a site itself (AllSites: those for all), behind a product, at most so many.
func Policies(tx *db.Tx, site, after id.ID, limit int) ([]Policy, error) {
	rows := tx.Query(policiesOfSite, site, after, limit)
	defer rows.Close()
	var all []Policy
	for rows.Next() {
		p, err := scanPolicy(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// PutPolicy sets the rule of a product at a site or for all.
func PutPolicy(tx *db.Tx, staff id.ID, p Policy) error {
	if p.Safety >= 0 && p.Most >= 0 && p.Most < p.Safety {
		return ErrPolicyMost.At("most")
	}
	if p.Review < 1 || p.Review > MostReview {
		return ErrReview.With("most", MostReview).At("review_days")
	}
	if p.Substitute == p.Product {
		return ErrSubstitute.At("substitute_id")
	}
	for _, x := range []struct {
		field string
		id    id.ID
	}{{"product_id", p.Product}, {"substitute_id", p.Substitute}} {
		if x.id == 0 && x.field == "substitute_id" {
			continue
		}
		if err := knownProduct(tx, x.id, x.field); err != nil {
			return err
		}
	}
	return tx.Exec(putPolicy, p.Site, p.Product, p.Mode, p.Safety, p.Most, p.On[0], p.On[1], p.On[2], p.Ceilings.Qty, p.Ceilings.Amount, p.Sales, p.Substitute, p.AtWord, p.Review, staff, tx.Now())
}

func knownProduct(tx *db.Tx, product id.ID, field string) error {
	var n int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM catalog_product WHERE id = $1`, product).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return ErrNoProduct.At(field)
	}
	return nil
}

// DropPolicy removes a rule.
func DropPolicy(tx *db.Tx, site, product id.ID) error {
	return tx.ExecExactly(1, ErrNoPolicy, `DELETE FROM replenish_policy WHERE site_id = $1 AND product_id = $2`, site, product)
}

// PolicyView is a rule on the wire, with what the level came to where it is computed.
type PolicyView struct {
	SiteID         id.ID     `json:"site_id" doc:"empty: all sites without a rule of their own"`
	SiteName       string    `json:"site_name"`
	ProductID      id.ID     `json:"product_id"`
	Code           string    `json:"code"`
	Name           string    `json:"name"`
	Unit           string    `json:"unit"`
	Mode           Mode      `json:"mode" enum:"static,dynamic,strategy,dms"`
	Safety         *qty.Qty  `json:"safety,omitempty" doc:"set by hand; left out: the computed one counts"`
	Most           *qty.Qty  `json:"most,omitempty" doc:"set by hand; left out: the computed one counts"`
	ComputedSafety *qty.Qty  `json:"computed_safety,omitempty" doc:"what the forecast makes of it; left out: not known, or for all sites"`
	ComputedMost   *qty.Qty  `json:"computed_most,omitempty"`
	OnAutomatic    Execution `json:"on_automatic" enum:"act,suggest,approve"`
	OnDynamic      Execution `json:"on_dynamic" enum:"act,suggest,approve"`
	OnStrategy     Execution `json:"on_strategy" enum:"act,suggest,approve"`
	QtyCeiling     qty.Qty   `json:"qty_ceiling" doc:"a line above it waits for an approver; 0: none"`
	AmountFen      money.Fen `json:"amount_ceiling_fen" doc:"the same in money; 0: none"`
	SalesThreshold qty.Qty   `json:"sales_threshold" doc:"a day's sales above it wait for somebody to look at them; 0: none"`
	SubstituteID   id.ID     `json:"substitute_id"`
	SubstituteName string    `json:"substitute_name"`
	AtWord         bool      `json:"at_word" doc:"suppliers are taken at their word: what they were late and short by is left out"`
	ReviewDays     int64     `json:"review_days" doc:"by daily mean sales: days an order lasts beyond the lead time"`
}

// PolicySearch is the input of the list of rules.
type PolicySearch struct {
	web.Paging
	SiteID id.ID  `query:"site_id" doc:"of this site; empty: those for all sites"`
	Q      string `query:"q" maxLength:"60" doc:"part of the code or name"`
}

const listPolicies = `SELECT p.site_id, COALESCE(t.name, ''), p.product_id, c.code, c.name, c.base_unit, p.mode, p.safety, p.most, COALESCE(s.expected + s.margin, -1), COALESCE(s.most, -1),
	p.on_automatic, p.on_dynamic, p.on_strategy, p.qty_ceiling, p.amount_ceiling_fen, p.sales_threshold, p.substitute_id, COALESCE(u.name, ''), p.at_word, p.review_days
	FROM replenish_policy p JOIN catalog_product c ON c.id = p.product_id LEFT JOIN org_site t ON t.id = p.site_id LEFT JOIN catalog_product u ON u.id = p.substitute_id
	LEFT JOIN replenish_safety s ON s.site_id = p.site_id AND s.product_id = p.product_id
	WHERE p.site_id = $1 AND c.code > $2 AND (CAST($3 AS TEXT) = '' OR c.search LIKE $4 ESCAPE '!') ORDER BY c.code LIMIT $5`

// ListPolicies lists the rules of a site or those for all, by product.
func ListPolicies(tx *db.Tx, in PolicySearch) (*web.Page[PolicyView], error) {
	code := ""
	if _, err := in.Seek(&code); err != nil {
		return nil, err
	}
	q, like := pattern(in.Q)
	rows := tx.Query(listPolicies, in.SiteID, code, q, like, in.Limit+1)
	defer rows.Close()
	var all []PolicyView
	for rows.Next() {
		var v PolicyView
		var safety, most, computed, computedMost qty.Qty
		if err := rows.Scan(&v.SiteID, &v.SiteName, &v.ProductID, &v.Code, &v.Name, &v.Unit, &v.Mode, &safety, &most, &computed, &computedMost, &v.OnAutomatic, &v.OnDynamic, &v.OnStrategy,
			&v.QtyCeiling, &v.AmountFen, &v.SalesThreshold, &v.SubstituteID, &v.SubstituteName, &v.AtWord, &v.ReviewDays); err != nil {
			return nil, err
		}
		v.Safety, v.Most, v.ComputedSafety, v.ComputedMost = known(safety), known(most), known(computed), known(computedMost)
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v PolicyView) string { return web.Cursor(v.Code) }), rows.Err()
}

func known(q qty.Qty) *qty.Qty {
	if q < 0 {
		return nil
	}
	return &q
}

// Safety is what the level of a static product came to.
type Safety struct {
	Product                id.ID
	Days                   int64
	Expected, Margin, Most qty.Qty
}

// Level is below what is ordered.
func (s Safety) Level() qty.Qty { return s.Expected + s.Margin }

var putSafety = db.NewMany(`INSERT INTO replenish_safety (site_id, product_id, days, expected, margin, most, computed_at) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`,
	` ON CONFLICT (site_id, product_id) DO UPDATE SET days = excluded.days, expected = excluded.expected, margin = excluded.margin, most = excluded.most, computed_at = excluded.computed_at`)

// SafetyOf is what the levels of a site came to last.
func SafetyOf(tx *db.Tx, site id.ID) (map[id.ID]Safety, error) {
	rows := tx.Query(`SELECT product_id, days, expected, margin, most FROM replenish_safety WHERE site_id = $1`, site)
	defer rows.Close()
	all := map[id.ID]Safety{}
	for rows.Next() {
		var s Safety
		if err := rows.Scan(&s.Product, &s.Days, &s.Expected, &s.Margin, &s.Most); err != nil {
			return nil, err
		}
		all[s.Product] = s
	}
	return all, rows.Err()
}

// PutSafety writes levels that changed, at most 500.
func PutSafety(tx *db.Tx, site id.ID, all []Safety) error {
	if len(all) == 0 {
		return nil
	}
	args := make([]any, 0, 7*len(all))
	for _, s := range all {
		args = append(args, site, s.Product, s.Days, s.Expected, s.Margin, s.Most, tx.Now())
	}
	return tx.ExecMany(putSafety, args...)
}

// --- the calendar

// EventKind is what moves demand.
type EventKind string

// The kinds.
const (
	Promotion EventKind = "promotion"
	Festival  EventKind = "festival"
	Season    EventKind = "season"
	WeatherBy EventKind = "weather" // a rule: on days that meet its condition
)

// Event is one entry of the calendar.
type Event struct {
	ID        id.ID
	Site      id.ID // AllSites: everywhere
	Kind      EventKind
	Name      string
	From, To  cal.Date
	FromMin   int64 // minutes after midnight
	ToMin     int64
	Factor    int64 // thousandths
	Condition Condition
	Degree    qty.Qty // thousandths
	ByHand    bool    // somebody set the factor
	Festival  string  // which of the year's; "": told from name and dates
	Products  map[id.ID]bool
}

// Begins and Ends are its instants on a site's clock.
func (e *Event) Begins(loc *time.Location) time.Time { return clockAt(e.From, e.FromMin, loc) }
func (e *Event) Ends(loc *time.Location) time.Time   { return clockAt(e.To, e.ToMin, loc) }

func clockAt(d cal.Date, minute int64, loc *time.Location) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, int(minute), 0, 0, loc)
}

const (
	eventColumns     = `SELECT id, site_id, kind, name, from_date, from_min, to_date, to_min, factor, condition, degree, by_hand, festival FROM replenish_event `
	oneEvent         = eventColumns + `WHERE id = $1`
	eventsFrom       = eventColumns + `WHERE to_date >= $1 ORDER BY to_date, id LIMIT 2000`
	productsOfEvents = `SELECT p.event_id, p.product_id FROM replenish_event_product p JOIN replenish_event e ON e.id = p.event_id WHERE e.to_date >= $1 ORDER BY p.event_id, p.product_id`
)

// Events are the entries of the calendar that have not ended before a date.
func Events(tx *db.Tx, from cal.Date) ([]Event, error) {
	products, events := tx.Query(productsOfEvents, from), tx.Query(eventsFrom, from)
	of := map[id.ID]map[id.ID]bool{}
	defer events.Close()
	for products.Next() {
		var e, p id.ID
		if err := products.Scan(&e, &p); err != nil {
			return nil, err
		}
		if of[e] == nil {
			of[e] = map[id.ID]bool{}
		}
		of[e][p] = true
	}
	if err := products.Err(); err != nil {
		return nil, err
	}
	var all []Event
	for events.Next() {
		var e Event
		if err := events.Scan(&e.ID, &e.Site, &e.Kind, &e.Name, &e.From, &e.FromMin, &e.To, &e.ToMin, &e.Factor, &e.Condition, &e.Degree, &e.ByHand, &e.Festival); err != nil {
			return nil, err
		}
		e.Products = of[e.ID]
		all = append(all, e)
	}
	return all, events.Err()
}

var putEventProducts = db.NewMany(`INSERT INTO replenish_event_product (event_id, product_id) VALUES `, `(?, ?)`, ``)

// PutEvent writes an entry of the calendar: a new one where it has no id yet.
func PutEvent(tx *db.Tx, staff id.ID, e *Event) error {
	switch {
	case !e.From.Valid():
		return cal.ErrDate.With("text", e.From).At("from_date")
	case !e.To.Valid():
		return cal.ErrDate.With("text", e.To).At("to_date")
	case e.To < e.From || e.To == e.From && e.ToMin <= e.FromMin || e.To.Sub(e.From) > 400:
		return ErrEventSpan.At("to_date")
	case strings.TrimSpace(e.Name) == "":
		return ErrEventName.At("name")
	case len(e.Products) == 0 || len(e.Products) > 500:
		return ErrEventProducts.At("products")
	case (e.Kind == WeatherBy) != (e.Condition != ""):
		return ErrEventCondition.At("condition")
	}
	if err := e.festivalGiven(); err != nil {
		return err
	}
	products := make([]id.ID, 0, len(e.Products))
	for p := range e.Products {
		products = append(products, p)
	}
	slices.Sort(products)
	args := []any{}
	for _, p := range products {
		args = append(args, p)
	}
	found := 0
	rows := tx.QueryMany(productsKnown, args...)
	for rows.Next() {
		found++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if found != len(products) {
		return ErrNoProduct.At("products")
	}
	if e.ID == 0 {
		e.ID = id.New()
		if err := tx.Exec(`INSERT INTO replenish_event (id, site_id, kind, name, from_date, from_min, to_date, to_min, factor, condition, degree, by_hand, festival, staff_id, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`, e.ID, e.Site, e.Kind, strings.TrimSpace(e.Name), e.From, e.FromMin, e.To, e.ToMin, e.Factor, e.Condition, e.Degree, e.ByHand, e.Festival, staff, tx.Now()); err != nil {
			return err
		}
	} else {
		if err := tx.ExecExactly(1, ErrNoEvent, `UPDATE replenish_event SET site_id = $1, kind = $2, name = $3, from_date = $4, from_min = $5, to_date = $6, to_min = $7, factor = $8, condition = $9, degree = $10,
			by_hand = $11, festival = $12, staff_id = $13, changed_at = $14 WHERE id = $15`, e.Site, e.Kind, strings.TrimSpace(e.Name), e.From, e.FromMin, e.To, e.ToMin, e.Factor, e.Condition, e.Degree, e.ByHand, e.Festival, staff, tx.Now(), e.ID); err != nil {
			return err
		}
		if err := tx.Exec(`DELETE FROM replenish_event_product WHERE event_id = $1`, e.ID); err != nil {
			return err
		}
	}
	args = args[:0]
	for _, p := range products {
		args = append(args, e.ID, p)
	}
	return tx.ExecMany(putEventProducts, args...)
}

var productsKnown = db.NewMany(`SELECT id FROM catalog_product WHERE id IN (`, `?`, `)`)

// EventByID reads one entry of the calendar with its products, whoever asks.
func EventByID(tx *db.Tx, event id.ID) (*Event, error) {
	products := tx.Query(`SELECT product_id FROM replenish_event_product WHERE event_id = $1 ORDER BY product_id`, event)
	e := &Event{Products: map[id.ID]bool{}}
	err := tx.QueryRow(oneEvent, event).Scan(&e.ID, &e.Site, &e.Kind, &e.Name, &e.From, &e.FromMin, &e.To, &e.ToMin, &e.Factor, &e.Condition, &e.Degree, &e.ByHand, &e.Festival)
	if errors.Is(err, db.ErrNoRow) {
		err = ErrNoEvent
	}
	defer products.Close()
	if err != nil {
		return nil, err
	}
	for products.Next() {
		var p id.ID
		if err := products.Scan(&p); err != nil {
			return nil, err
		}
		e.Products[p] = true
	}
	return e, products.Err()
}

// EventSite is where an entry of the calendar holds.
func EventSite(tx *db.Tx, event id.ID) (site id.ID, err error) {
	err = tx.QueryRow(`SELECT site_id FROM replenish_event WHERE id = $1`, event).Scan(&site)
	if errors.Is(err, db.ErrNoRow) {
		err = ErrNoEvent
	}
	return site, err
}

// DropEvent removes an entry of the calendar.
func DropEvent(tx *db.Tx, event id.ID) error {
	if err := tx.Exec(`DELETE FROM replenish_event_product WHERE event_id = $1`, event); err != nil {
		return err
	}
	return tx.ExecExactly(1, ErrNoEvent, `DELETE FROM replenish_event WHERE id = $1`, event)
}

// EventView is an entry of the calendar on the wire.
type EventView struct {
	ID        id.ID          `json:"id"`
	SiteID    id.ID          `json:"site_id" doc:"empty: everywhere"`
	SiteName  string         `json:"site_name"`
	Kind      EventKind      `json:"kind" enum:"promotion,festival,season,weather"`
	Name      string         `json:"name"`
	FromDate  cal.Date       `json:"from_date"`
	FromTime  string         `json:"from_time" doc:"on the clock of the site, as in 07:00"`
	ToDate    cal.Date       `json:"to_date"`
	ToTime    string         `json:"to_time"`
	Factor    qty.Qty        `json:"factor" doc:"what demand without the event is multiplied by, as in 1.5"`
	Condition Condition      `json:"condition,omitempty" enum:"cold_wave,cold,hot,rain" doc:"of a weather rule; empty: none"`
	Degree    qty.Qty        `json:"degree" doc:"degrees or millimetres the condition begins at"`
	ByHand    bool           `json:"by_hand" doc:"somebody set the factor; otherwise what was learned of the festival counts"`
	Festival  string         `json:"festival" doc:"which festival of the year it is, as in spring_festival; empty: none"`
	Day       cal.Date       `json:"festival_day" doc:"of that festival"`
	Products  []EventProduct `json:"products"`
}

// EventProduct is a product an event moves.
type EventProduct struct {
	ID   id.ID  `json:"id"`
	Code string `json:"code"`
	Name string `json:"name"`
}

// EventSearch is the input of the calendar.
type EventSearch struct {
	web.Paging
	SiteID id.ID    `query:"site_id" doc:"what holds at this site; empty: every entry within reach"`
	From   cal.Date `query:"from" doc:"what has not ended before; left out: all"`
}

const (
	listEvents = `SELECT e.id, e.site_id, COALESCE(t.name, ''), e.kind, e.name, e.from_date, e.from_min, e.to_date, e.to_min, e.factor, e.condition, e.degree, e.by_hand, e.festival
		FROM replenish_event e LEFT JOIN org_site t ON t.id = e.site_id
		WHERE (e.site_id = 0 OR CAST($1 AS BIGINT) = 1 OR e.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3)) AND (CAST($4 AS BIGINT) = 0 OR e.site_id IN (0, $4))
		AND e.to_date >= $5 AND (e.from_date, e.id) > ($6, $7) ORDER BY e.from_date, e.id LIMIT $8`
	productsOfEvent = `SELECT p.product_id, c.code, c.name FROM replenish_event_product p JOIN catalog_product c ON c.id = p.product_id WHERE p.event_id = $1 ORDER BY c.code`
)

// ListEvents lists the calendar, the first to begin first.
func ListEvents(tx *db.Tx, reach org.Sites, in EventSearch) (*web.Page[EventView], error) {
	var from cal.Date
	var after id.ID
	if _, err := in.Seek(&from, &after); err != nil {
		return nil, err
	}
	rows := tx.Query(listEvents, append(reach.Args(), in.SiteID, in.From, from, after, in.Limit+1)...)
	defer rows.Close()
	var all []EventView
	for rows.Next() {
		v := EventView{Products: []EventProduct{}}
		var fromMin, toMin, factor, degree int64
		if err := rows.Scan(&v.ID, &v.SiteID, &v.SiteName, &v.Kind, &v.Name, &v.FromDate, &fromMin, &v.ToDate, &toMin, &factor, &v.Condition, &degree, &v.ByHand, &v.Festival); err != nil {
			return nil, err
		}
		e := Event{Kind: v.Kind, Name: v.Name, From: v.FromDate, To: v.ToDate, Festival: v.Festival}
		v.Festival = ""
		if f, day, ok := e.FestivalDay(); ok {
			v.Festival, v.Day = f.Key(), day
		}
		v.FromTime, v.ToTime, v.Factor, v.Degree = minuteText(fromMin), minuteText(toMin), qty.Qty(factor), qty.Qty(degree)
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	answers := make([]*db.Rows, len(all))
	for i := range all {
		answers[i] = tx.Query(productsOfEvent, all[i].ID)
	}
	for i, products := range answers {
		for products.Next() {
			var p EventProduct
			if err := products.Scan(&p.ID, &p.Code, &p.Name); err != nil {
				return nil, err
			}
			all[i].Products = append(all[i].Products, p)
		}
		if err := products.Err(); err != nil {
			return nil, err
		}
	}
	return web.PageOf(in.Paging, all, func(v EventView) string { return web.Cursor(v.FromDate, v.ID) }), nil
}

// minuteText is a minute of the day on the clock.
func minuteText(m int64) string {
	return time.Date(2000, 1, 1, 0, int(m), 0, 0, time.UTC).Format("15:04")
}

// --- in a hurry

// Rush is how a supplier delivers a product in a hurry.
type Rush struct {
	Supplier, Product id.ID
	Minutes           int64
	Surcharge         int64 // millionths of the price
}

// Near is a store that can help out.
type Near struct {
	Site, Near id.ID
	Name       string
	Minutes    int64
	Cost       money.Fen
}

// PutRush sets how a supplier delivers a product in a hurry; minutes 0 removes it.
func PutRush(tx *db.Tx, staff id.ID, r Rush) error {
	var n int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM party_terms WHERE supplier_id = $1 AND product_id = $2`, r.Supplier, r.Product).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return ErrNoTerms.At("product_id")
	}
	if r.Minutes == 0 {
		return tx.Exec(`DELETE FROM replenish_rush WHERE supplier_id = $1 AND product_id = $2`, r.Supplier, r.Product)
	}
	return tx.Exec(`INSERT INTO replenish_rush (supplier_id, product_id, minutes, surcharge_ppm, staff_id, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (supplier_id, product_id) DO UPDATE SET minutes = excluded.minutes, surcharge_ppm = excluded.surcharge_ppm, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		r.Supplier, r.Product, r.Minutes, r.Surcharge, staff, tx.Now())
}

var rushOf = db.NewMany(`SELECT supplier_id, product_id, minutes, surcharge_ppm FROM replenish_rush WHERE product_id IN (`, `?`, `) ORDER BY product_id, supplier_id`)

// RushOf are the ways to get some products in a hurry.
func RushOf(tx *db.Tx, products []id.ID) (map[id.ID][]Rush, error) {
	all := map[id.ID][]Rush{}
	if len(products) == 0 {
		return all, nil
	}
	args := make([]any, len(products))
	for i, p := range products {
		args[i] = p
	}
	rows := tx.QueryMany(rushOf, args...)
	for rows.Next() {
		var r Rush
		if err := rows.Scan(&r.Supplier, &r.Product, &r.Minutes, &r.Surcharge); err != nil {
			return nil, err
		}
		all[r.Product] = append(all[r.Product], r)
	}
	return all, rows.Err()
}

// PutNear sets that a store can be helped out by another; minutes 0 removes it.
func PutNear(tx *db.Tx, staff id.ID, n Near) error {
	if n.Minutes == 0 {
		return tx.ExecExactly(1, ErrNoNear, `DELETE FROM replenish_near WHERE site_id = $1 AND near_id = $2`, n.Site, n.Near)
	}
	if n.Site == n.Near {
		return ErrNear.At("near_id")
	}
	return tx.Exec(`INSERT INTO replenish_near (site_id, near_id, minutes, cost_fen, staff_id, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (site_id, near_id) DO UPDATE SET minutes = excluded.minutes, cost_fen = excluded.cost_fen, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		n.Site, n.Near, n.Minutes, n.Cost, staff, tx.Now())
}

// NearTo are the stores that can help a store out, the nearest first.
func NearTo(tx *db.Tx, site id.ID) ([]Near, error) {
	rows := tx.Query(`SELECT n.site_id, n.near_id, t.name, n.minutes, n.cost_fen FROM replenish_near n JOIN org_site t ON t.id = n.near_id WHERE n.site_id = $1`, site)
	defer rows.Close()
	var all []Near
	for rows.Next() {
		var n Near
		if err := rows.Scan(&n.Site, &n.Near, &n.Name, &n.Minutes, &n.Cost); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Minutes != all[j].Minutes {
			return all[i].Minutes < all[j].Minutes
		}
		return all[i].Near < all[j].Near
	})
	return all, rows.Err()
}

// PolicyOf shows one rule.
func PolicyOf(tx *db.Tx, site, product id.ID) (*PolicyView, error) {
	var code string
	err := tx.QueryRow(`SELECT code FROM catalog_product WHERE id = $1`, product).Scan(&code)
	if err != nil {
		return nil, err
	}
	page, err := ListPolicies(tx, PolicySearch{Paging: web.Paging{Limit: 50}, SiteID: site, Q: code})
	if err != nil {
		return nil, err
	}
	for i := range page.Items {
		if page.Items[i].ProductID == product {
			return &page.Items[i], nil
		}
	}
	return nil, ErrNoPolicy
}
