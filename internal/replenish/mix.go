package replenish

import (
	"encoding/json"
	"errors"
	"maps"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/web"
)

// Mixes (配比): what of a recipe's choice of materials holds at a site, for some days, because a person approved it.

var (
	ErrNoMix      = errs.Define("plan_mix_unknown", errs.NotFound, "没有这条配比", "There is no such mix")
	ErrMixDecided = errs.Define("plan_mix_decided", errs.Conflict, "这条配比已有人处理", "Somebody has decided on this mix already")
	ErrMixChanged = errs.Define("plan_mix_changed", errs.Conflict, "建议刚重新算过,请再看一遍", "The proposal has just been worked out again: look at it once more")
	ErrMixOver    = errs.Define("plan_mix_over", errs.Conflict, "这条配比的日子已经过了", "The days of this mix are over")
	ErrMixRecipe  = errs.Define("plan_mix_recipe", errs.Conflict, "配方刚改过,这条配比不再适用", "The recipe has been changed: this mix is for another version")
	ErrMixDays    = errs.Define("plan_mix_days", errs.Invalid, "配比只能从 {first} 用到 {last}", "A mix lasts from {first} to {last}")
	ErrMixForce   = errs.Define("plan_mix_ended", errs.Conflict, "这条配比没有在用", "This mix is not in force")
)

// MixState is where a mix is.
type MixState string

// The states that are stored.
const (
	MixProposed MixState = "proposed"
	MixApproved MixState = "approved"
	MixRefused  MixState = "refused"
	MixEnded    MixState = "ended"
)

// Why one that was approved ended before its last day.
const (
	MixReplaced = "replaced"    // by another
	MixGone     = "reason_gone" // it saves nothing any more
	MixStopped  = "by_hand"
)

// Mix is one as it is stored.
type Mix struct {
	ID, Site, Product id.ID
	Recipe            cal.Date // first day of the version
	Revision          int64    // of that
	First, Last       cal.Date
	State             MixState
	Cause             string
	Shares            catalog.Mix
	Saving            money.Fen // a day
	Why               string    // MixWhy as JSON
	Version           int64
	Seen              int64 // version of the proposal that planning puts it in place of
}

// Of tells whether it is a mix of this version, as that was written last.
func (m *Mix) Of(r *catalog.Recipe) bool {
	return m.Product == r.Product && m.Recipe == r.ValidFrom && m.Revision == r.Revision
}

// On tells whether a day is among its days.
func (m *Mix) On(day cal.Date) bool { return m.First <= day && day <= m.Last }

const mixColumns = `SELECT m.id, m.site_id, m.product_id, m.recipe_from, m.revision, m.first, m.last, m.state, m.cause, m.shares, m.saving_fen, m.why, m.version FROM replenish_mix m `

func (m *Mix) scan(scan func(...any) error) error {
	var shares string
	if err := scan(&m.ID, &m.Site, &m.Product, &m.Recipe, &m.Revision, &m.First, &m.Last, &m.State, &m.Cause, &shares, &m.Saving, &m.Why, &m.Version); err != nil {
		return err
	}
	return json.Unmarshal([]byte(shares), &m.Shares)
}

// mixesOf: what was proposed and lapsed is there as well, to be taken away.
const mixesOf = mixColumns + `WHERE m.site_id = $1 AND m.last >= $2 AND m.state IN ('approved', 'refused') UNION ALL ` + mixColumns + `WHERE m.site_id = $1 AND m.state = 'proposed' ORDER BY 1`

// Says tells whether another mix proposes the same.
func (m *Mix) Says(o *Mix) bool {
	return m.Recipe == o.Recipe && m.Revision == o.Revision && m.First == o.First && m.Last == o.Last && m.Cause == o.Cause && maps.Equal(m.Shares, o.Shares)
}

// sharesText writes shares as they are stored: the same for the same.
func sharesText(shares catalog.Mix) (string, error) {
	b, err := json.Marshal(shares)
	return string(b), err
}

// MixesOf are the mixes of a site that say something of a day or a later one, the oldest first, and from how much a day a new one is
// worth being proposed.
func MixesOf(tx *db.Tx, site id.ID, from cal.Date) (all []Mix, least money.Fen, err error) {
	rows, rule := tx.Query(mixesOf, site, from), tx.Query(mixRules, site)
	defer rows.Close()
	for rows.Next() {
		var m Mix
		if err := m.scan(rows.Scan); err != nil {
			return nil, 0, err
		}
		all = append(all, m)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	least, _, err = leastOf(rule)
	return all, least, err
}

// The site's own rule comes after the one for all.
const mixRules = `SELECT site_id, least_fen FROM replenish_mix_rule WHERE site_id IN (0, $1) ORDER BY site_id`

func leastOf(rows *db.Rows) (least money.Fen, own bool, err error) {
	defer rows.Close()
	least = LeastSaving
	for rows.Next() {
		var site id.ID
		if err := rows.Scan(&site, &least); err != nil {
			return 0, false, err
		}
		own = site != AllSites
	}
	return least, own, rows.Err()
}

// MixOn is the mix of a version that is in force at a site on a day; nil: what the recipe says.
func MixOn(tx *db.Tx, site id.ID, r *catalog.Recipe, day cal.Date) (*Mix, error) {
	m := &Mix{}
	err := m.scan(tx.QueryRow(mixColumns+`WHERE m.site_id = $1 AND m.last >= $2 AND m.first <= $2 AND m.product_id = $3 AND m.state = 'approved' AND m.recipe_from = $4 AND m.revision = $5
		ORDER BY m.id DESC LIMIT 1`, site, day, r.Product, r.ValidFrom, r.Revision).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	return m, err
}

// MixesToDo is what planning makes of the mixes of a site.
type MixesToDo struct {
	Propose []Mix   // new, or in place of the one with its id
	Drop    []id.ID // proposals that nobody decided on and that are none any more
	End     []id.ID // in force, and there is no reason any more
}

// Nothing tells whether there is anything to do.
func (d MixesToDo) Nothing() bool { return len(d.Propose)+len(d.Drop)+len(d.End) == 0 }

// PutMixes writes what planning found. What somebody has decided on meanwhile stays, and so does what another plan has written: two
// contents under one version would let a person approve what he has not seen.
func PutMixes(tx *db.Tx, site id.ID, do MixesToDo) error {
	for _, m := range do.Drop {
		if err := tx.Exec(`DELETE FROM replenish_mix WHERE id = $1 AND state = 'proposed'`, m); err != nil {
			return err
		}
	}
	for _, m := range do.End {
		if err := tx.Exec(`UPDATE replenish_mix SET state = 'ended', ended_why = 'reason_gone', ended_at = $1 WHERE id = $2 AND state = 'approved'`, tx.Now(), m); err != nil {
			return err
		}
	}
	for _, m := range do.Propose {
		shares, err := sharesText(m.Shares)
		if err != nil {
			return err
		}
		if m.ID != 0 {
			err = tx.Exec(`UPDATE replenish_mix SET recipe_from = $1, revision = $2, first = $3, last = $4, cause = $5, shares = $6, saving_fen = $7, why = $8, version = $9, made_at = $10
				WHERE id = $11 AND state = 'proposed' AND version = $12`, m.Recipe, m.Revision, m.First, m.Last, m.Cause, shares, m.Saving, m.Why, m.Version, tx.Now(), m.ID, m.Seen)
		} else { // of two plans at once, the first one's stays
			err = tx.Exec(`INSERT INTO replenish_mix (id, site_id, product_id, recipe_from, revision, first, last, state, cause, shares, saving_fen, why, version, made_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, 'proposed', $8, $9, $10, $11, 1, $12) ON CONFLICT DO NOTHING`,
				id.New(), site, m.Product, m.Recipe, m.Revision, m.First, m.Last, m.Cause, shares, m.Saving, m.Why, tx.Now())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// LockMix reads a mix, and what is decided of it until the end of the transaction is decided by one.
func LockMix(tx *db.Tx, mix id.ID) (*Mix, error) {
	m := &Mix{}
	err := m.scan(tx.QueryRow(mixColumns+`WHERE m.id = $1`+tx.ForUpdate(), mix).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoMix
	}
	return m, err
}

// recipe is the version that a mix is of, as it is now; with another revision the mix is of none.
func (m *Mix) recipe(tx *db.Tx) (*catalog.Recipe, error) {
	versions, err := catalog.RecipesOf(tx, []id.ID{m.Product})
	if err != nil {
		return nil, err
	}
	for i := range versions {
		if m.Of(&versions[i].Recipe) {
			return &versions[i].Recipe, nil
		}
	}
	return nil, ErrMixRecipe
}

// MixChange is what a person approves: other shares than were proposed, or another last day, with a reason; nil and "": as proposed.
type MixChange struct {
	Shares catalog.Mix
	Last   cal.Date
	Reason string
}

// Approve puts a proposal in force from its first day, or today if that is over; seen is the version that the person has seen. One
// that held on these days ends the day before.
func (m *Mix) Approve(tx *db.Tx, staff id.ID, today cal.Date, seen int64, c MixChange) error {
	switch {
	case m.State != MixProposed:
		return ErrMixDecided
	case m.Version != seen:
		return ErrMixChanged.At("version")
	case m.Last < today:
		return ErrMixOver
	}
	r, err := m.recipe(tx)
	if err != nil {
		return err
	}
	changed := false
	if c.Shares != nil {
		if err := fits(r, c.Shares); err != nil {
			return err
		}
		for p, share := range c.Shares {
			changed = changed || m.Shares[p] != share
		}
		m.Shares = c.Shares
	}
	m.First = max(m.First, today)
	if c.Last != "" {
		changed = changed || c.Last != m.Last
		m.Last = c.Last
	}
	if !m.Last.Valid() || m.Last < m.First || m.Last > m.First.AddDays(mostMixDays-1) {
		return ErrMixDays.With("first", m.First, "last", m.First.AddDays(mostMixDays-1)).At("last")
	}
	if changed && c.Reason == "" {
		return ErrReason.At("reason")
	}
	return m.force(tx, staff, c.Reason)
}

// mostMixDays is for how many days a person may approve a mix.
const mostMixDays = 28

// fits says of a refusal which share it is about, as a form has them.
func fits(r *catalog.Recipe, shares catalog.Mix) error {
	err := r.Fits(shares)
	if err == nil {
		return nil
	}
	e := errs.As(err)
	if e.Field == "" {
		return e.At("shares")
	}
	return e.At("shares." + e.Field)
}

// force makes a proposal that the caller has locked hold, in place of what held on its days.
func (m *Mix) force(tx *db.Tx, staff id.ID, reason string) error {
	shares, err := sharesText(m.Shares)
	if err != nil {
		return err
	}
	if err := tx.Exec(`UPDATE replenish_mix SET state = CASE WHEN first >= $1 THEN 'ended' ELSE state END, ended_why = CASE WHEN first >= $1 THEN 'replaced' ELSE '' END,
		ended_at = $2, ended_by = $3, last = CASE WHEN first >= $1 THEN last ELSE $4 END WHERE site_id = $5 AND product_id = $6 AND state = 'approved' AND last >= $1 AND first <= $7`,
		m.First, tx.Now(), staff, m.First.AddDays(-1), m.Site, m.Product, m.Last); err != nil {
		return err
	}
	m.State = MixApproved
	return tx.ExecExactly(1, ErrMixDecided, `UPDATE replenish_mix SET state = 'approved', shares = $1, first = $2, last = $3, decided_by = $4, decided_at = $5, reason = $6 WHERE id = $7 AND state = 'proposed'`,
		shares, m.First, m.Last, staff, tx.Now(), reason, m.ID)
}

// Refuse ends a proposal; until its last day the product gets no other.
func (m *Mix) Refuse(tx *db.Tx, staff id.ID, seen int64, reason string) error {
	switch {
	case reason == "":
		return ErrReason.At("reason")
	case m.State != MixProposed:
		return ErrMixDecided
	case m.Version != seen:
		return ErrMixChanged.At("version")
	}
	return tx.ExecExactly(1, ErrMixDecided, `UPDATE replenish_mix SET state = 'refused', decided_by = $1, decided_at = $2, reason = $3 WHERE id = $4 AND state = 'proposed'`, staff, tx.Now(), reason, m.ID)
}

// End ends a mix in force, at once: what is asked for from now on is by the recipe.
func (m *Mix) End(tx *db.Tx, staff id.ID, today cal.Date, reason string) error {
	switch {
	case reason == "":
		return ErrReason.At("reason")
	case m.State != MixApproved || m.Last < today:
		return ErrMixForce
	}
	return tx.ExecExactly(1, ErrMixForce, `UPDATE replenish_mix SET state = 'ended', ended_why = 'by_hand', ended_by = $1, ended_at = $2, ended_reason = $3 WHERE id = $4 AND state = 'approved'`,
		staff, tx.Now(), reason, m.ID)
}

// SetLeastSaving sets from how much a day a mix is worth being proposed.
func SetLeastSaving(tx *db.Tx, site, staff id.ID, least money.Fen) error {
	if least < 0 || least > money.Max {
		return money.ErrTooLarge.At("least_fen")
	}
	return tx.Exec(`INSERT INTO replenish_mix_rule (site_id, least_fen, staff_id, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (site_id) DO UPDATE SET least_fen = excluded.least_fen, staff_id = excluded.staff_id, changed_at = excluded.changed_at`, site, least, staff, tx.Now())
}

// --- on screens

// MixView is a mix on the wire.
type MixView struct {
	ID        id.ID      `json:"id"`
	SiteID    id.ID      `json:"site_id"`
	ProductID id.ID      `json:"product_id"`
	Code      string     `json:"code"`
	Name      string     `json:"name"`
	ValidFrom cal.Date   `json:"valid_from" doc:"of the version of the recipe"`
	First     cal.Date   `json:"first"`
	Last      cal.Date   `json:"last"`
	State     string     `json:"state" enum:"proposed,coming,in_force,over,refused,ended,recipe_changed"`
	Cause     string     `json:"cause" enum:"availability,expiry,cost"`
	SavingFen money.Fen  `json:"saving_fen" doc:"a day, by what was proposed; below 0: it costs more, but what the recipe says can't be had"`
	Shares    []MixShare `json:"shares" doc:"that hold, or are proposed; line by line, the component first"`
	Version   int64      `json:"version" doc:"give back with a decision"`
	MadeAt    time.Time  `json:"made_at"`
	DecidedBy string     `json:"decided_by"`
	DecidedAt *time.Time `json:"decided_at,omitempty"`
	Reason    string     `json:"reason"`
	EndedBy   string     `json:"ended_by"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	EndedWhy  string     `json:"ended_why" enum:",replaced,reason_gone,by_hand"`
	EndReason string     `json:"ended_reason"`
	Why       MixWhy     `json:"why"`
}

// MixShare is the share of a material.
type MixShare struct {
	OfID      id.ID  `json:"of_id" doc:"the component of the line"`
	ProductID id.ID  `json:"product_id"`
	Name      string `json:"name"`
	Share     string `json:"share" doc:"as in 0.4"`
	Usual     string `json:"usual" doc:"what the recipe says"`
}

// MixSearch is the input of the list of mixes.
type MixSearch struct {
	web.Paging
	SiteID id.ID  `query:"site_id" required:"true"`
	State  string `query:"state" enum:"proposed,in_force,past" doc:"in_force: also what is to come; all when left out"`
}

const (
	mixViews = `SELECT m.id, m.site_id, m.product_id, c.code, c.name, m.recipe_from, m.first, m.last, m.state, m.cause, m.saving_fen, m.shares, m.version, m.made_at, COALESCE(d.display_name, ''), m.decided_at, m.reason,
		COALESCE(e.display_name, ''), m.ended_at, m.ended_why, m.ended_reason, m.why, CASE WHEN r.id IS NULL THEN 0 ELSE 1 END
		FROM replenish_mix m JOIN catalog_product c ON c.id = m.product_id LEFT JOIN org_staff d ON d.id = m.decided_by LEFT JOIN org_staff e ON e.id = m.ended_by
		LEFT JOIN catalog_recipe r ON r.product_id = m.product_id AND r.valid_from = m.recipe_from AND r.revision = m.revision `
	listMixes = mixViews + `WHERE m.site_id = $1 AND m.id < $2 AND (CAST($3 AS TEXT) = '' OR $3 = 'proposed' AND m.state = 'proposed' AND m.last >= $4 AND r.id IS NOT NULL OR $3 = 'in_force' AND m.state = 'approved' AND m.last >= $4
		OR $3 = 'past' AND (m.state IN ('refused', 'ended') OR m.last < $4)) ORDER BY m.id DESC LIMIT $5`
	oneMix = mixViews + `WHERE m.id = $1`
)

func (v *MixView) scan(site *org.Site, today cal.Date, scan func(...any) error) error {
	var shares, why string
	var state MixState
	var current int64
	var decided, ended time.Time
	if err := scan(&v.ID, &v.SiteID, &v.ProductID, &v.Code, &v.Name, &v.ValidFrom, &v.First, &v.Last, &state, &v.Cause, &v.SavingFen, &shares, &v.Version, &v.MadeAt, &v.DecidedBy, &decided, &v.Reason,
		&v.EndedBy, &ended, &v.EndedWhy, &v.EndReason, &why, &current); err != nil {
		return err
	}
	v.MadeAt = v.MadeAt.In(site.Location())
	v.DecidedAt, v.EndedAt = instant(decided, site), instant(ended, site)
	switch {
	case state == MixApproved && v.Last < today:
		v.State = "over"
	case (state == MixApproved || state == MixProposed) && current == 0:
		v.State = "recipe_changed"
	case state == MixApproved && v.First > today:
		v.State = "coming"
	case state == MixApproved:
		v.State = "in_force"
	case state == MixProposed && v.Last < today:
		v.State = "over"
	default:
		v.State = string(state)
	}
	var held catalog.Mix
	if err := errors.Join(json.Unmarshal([]byte(why), &v.Why), json.Unmarshal([]byte(shares), &held)); err != nil {
		return err
	}
	v.Shares = []MixShare{}
	for _, l := range v.Why.Lines {
		for _, o := range l.Options {
			v.Shares = append(v.Shares, MixShare{l.ProductID, o.ProductID, o.Name, catalog.ShareText(held[o.ProductID]), o.Usual})
		}
	}
	return nil
}

func instant(t time.Time, site *org.Site) *time.Time {
	if t.UnixMilli() == 0 {
		return nil
	}
	t = t.In(site.Location())
	return &t
}

// ListMixes lists the mixes of a site, newest first.
func ListMixes(tx *db.Tx, site *org.Site, in MixSearch) (*web.Page[MixView], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	today := site.BusinessDate(tx.Now())
	rows := tx.Query(listMixes, site.ID, before, in.State, today, in.Limit+1)
	defer rows.Close()
	var all []MixView
	for rows.Next() {
		var v MixView
		if err := v.scan(site, today, rows.Scan); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v MixView) string { return web.Cursor(v.ID) }), rows.Err()
}

// MixFor shows one mix of a site.
func MixFor(tx *db.Tx, site *org.Site, mix id.ID) (*MixView, error) {
	v := &MixView{}
	return v, v.scan(site, site.BusinessDate(tx.Now()), tx.QueryRow(oneMix, mix).Scan)
}

// LeastSavingOf is from how much a day a mix is worth being proposed at a site; own: somebody set it for this site.
func LeastSavingOf(tx *db.Tx, site id.ID) (least money.Fen, own bool, err error) {
	return leastOf(tx.Query(mixRules, site))
}

// --- proofs

const liveMixes = mixColumns + `WHERE m.id > $1 AND m.state IN ('proposed', 'approved') ORDER BY m.id LIMIT 500`

// proveMixes: a mix that is proposed or approved, of a version as that is written now, is within what the version allows, and of no day
// two are approved.
func proveMixes(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	var last id.ID
	for {
		rows := tx.Query(liveMixes, last)
		var page []Mix
		var products []id.ID
		for rows.Next() {
			var m Mix
			if err := m.scan(rows.Scan); err != nil {
				rows.Close()
				return r, err
			}
			page, products = append(page, m), append(products, m.Product)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return r, err
		}
		if len(page) == 0 {
			break
		}
		versions, err := catalog.RecipesOf(tx, products)
		if err != nil {
			return r, err
		}
		for i := range page {
			m := &page[i]
			r.Rows++
			last = m.ID
			for k := range versions {
				if v := &versions[k].Recipe; m.Of(v) {
					if err := v.Fits(m.Shares); err != nil {
						r.Add("mix %s of product %s at site %s is not what its recipe allows: %v", m.ID, m.Product, m.Site, err)
					}
				}
			}
		}
	}
	rows := tx.Query(`SELECT a.id, b.id FROM replenish_mix a JOIN replenish_mix b ON b.site_id = a.site_id AND b.product_id = a.product_id AND b.id > a.id AND b.state = 'approved' AND b.first <= a.last AND b.last >= a.first
		WHERE a.state = 'approved' AND a.first <= a.last AND b.first <= b.last`)
	defer rows.Close()
	for rows.Next() {
		var a, b id.ID
		if err := rows.Scan(&a, &b); err != nil {
			return r, err
		}
		r.Add("mixes %s and %s hold on the same day", a, b)
	}
	return r, rows.Err()
}
