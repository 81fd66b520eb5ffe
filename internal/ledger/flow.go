package ledger

import (
	"context"
	"math"
	"slices"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// A flow account has no row: its statement goes by days. Days that are closed are read from their stored sums, days that
// are open from their transfers, with equal results; each day opens into the documents behind it.

var (
	ErrNoFlow   = errs.Define("ledger_flow_unknown", errs.NotFound, "没有这个科目", "There is no such account of flows")
	ErrFlowDays = errs.Define("ledger_flow_days", errs.Invalid, "请选择起止日期,最多 {most} 天", "Please give a first and a last day, at most {most} days apart")
)

// maxFlowDays is how many days one statement of a flow has.
const maxFlowDays = 400

// FlowNamed finds a kind of flow by its name.
func FlowNamed(name string) (Account, bool) {
	names.RLock()
	defer names.RUnlock()
	for a, f := range names.flows {
		if f.name == name {
			return a, true
		}
	}
	return 0, false
}

// FlowDay is what a flow account took in and gave out on a day.
type FlowDay struct {
	Date      cal.Date
	In, Out   int64
	Balance   int64 // after it
	Transfers int64
	Closed    bool // it can't change any more
}

// FlowStatement is a flow account of a site in one unit over a range of days, newest first; days without a movement are
// left out.
type FlowStatement struct {
	Flow     Account
	Site     id.ID
	Unit     Unit
	From, To cal.Date
	Opening  int64 // all that it took in less what it gave out before From
	Closing  int64
	Days     []FlowDay
}

const (
	flowStoredDays = `SELECT period, SUM(CASE WHEN to_side = $1 THEN amount ELSE 0 END), SUM(CASE WHEN from_side = $1 THEN amount ELSE 0 END), SUM(transfers)
	FROM ledger_flow_sum WHERE site_id = $2 AND span = 1 AND unit = $3 AND period >= $4 AND period <= $5 AND (to_side = $1 OR from_side = $1) GROUP BY period`
	flowOpenDays = `SELECT business_date, SUM(CASE WHEN to_id = $1 THEN amount ELSE 0 END), SUM(CASE WHEN from_id = $1 THEN amount ELSE 0 END), COUNT(*)
	FROM ledger_transfer WHERE site_id = $2 AND business_date >= $3 AND business_date <= $4 AND unit = $5 AND (to_id = $1 OR from_id = $1) GROUP BY business_date`
	flowMovements = `SELECT doc_kind, doc_id, leg, CASE WHEN to_id = $1 THEN from_id ELSE to_id END, CASE WHEN to_id = $1 THEN amount ELSE -amount END, booked_at, corrects_kind, corrects_id, corrects_leg
	FROM ledger_transfer WHERE site_id = $2 AND business_date = $3 AND unit = $4 AND (to_id = $1 OR from_id = $1) AND (doc_id, doc_kind, leg) < ($5, $6, $7)
	ORDER BY doc_id DESC, doc_kind DESC, leg DESC LIMIT $8`
)

// ReadFlow reads the statement of a kind of flow at a site over business dates, both included.
func ReadFlow(tx *db.Tx, flow Account, site id.ID, unit Unit, from, to cal.Date) (*FlowStatement, error) {
	if !from.Valid() || !to.Valid() || to < from || to.Sub(from) >= maxFlowDays {
		return nil, ErrFlowDays.With("most", maxFlowDays).At("from")
	}
	closed, err := ClosedDays(tx, site)
	if err != nil {
		return nil, err
	}
	s := &FlowStatement{Flow: flow, Site: site, Unit: unit, From: from, To: to}
	before, err := sums(tx, site, unit, closed.spans(firstDate, from.AddDays(-1)))
	if err != nil {
		return nil, err
	}
	s.Opening = NetOf(before, flow)
	read := func(rows *db.Rows, closed bool) error {
		return over(rows, func(rows *db.Rows) error {
			d := FlowDay{Closed: closed}
			if err := rows.Scan(&d.Date, &d.In, &d.Out, &d.Transfers); err != nil {
				return err
			}
			s.Days = append(s.Days, d)
			return nil
		})
	}
	if end := min(to, closed.Stored); closed.Since != "" && end >= from {
		if err := read(tx.Query(flowStoredDays, int64(flow), site, unit, from, end), true); err != nil {
			return nil, err
		}
		from = end.AddDays(1)
	}
	if from <= to {
		if err := read(tx.Query(flowOpenDays, int64(flow), site, from, to, unit), false); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(s.Days, func(a, b FlowDay) int { return b.Date.Sub(a.Date) })
	s.Closing = s.Opening
	for i := len(s.Days) - 1; i >= 0; i-- {
		s.Closing += s.Days[i].In - s.Days[i].Out
		s.Days[i].Balance = s.Closing
	}
	return s, nil
}

// FlowMovements lists the transfers of a day of a flow account, the newest document first, from a place on (the zero
// Place: the first). Balance is not told.
func FlowMovements(tx *db.Tx, flow Account, site id.ID, unit Unit, date cal.Date, after Place, limit int) ([]Movement, error) {
	if after == (Place{}) {
		after = Place{Doc: math.MaxInt64, Kind: math.MaxInt16, Leg: math.MaxInt16}
	}
	var all []Movement
	err := over(tx.Query(flowMovements, int64(flow), site, date, unit, after.Doc, after.Kind, after.Leg, limit), func(rows *db.Rows) error {
		m := Movement{Date: date}
		var ck *Kind
		var ci *id.ID
		var cl *int
		if err := rows.Scan(&m.Kind, &m.ID, &m.Leg, &m.Other, &m.Amount, &m.At, &ck, &ci, &cl); err != nil {
			return err
		}
		if ci != nil {
			m.Corrects = Ref{*ck, *ci, *cl}
		}
		all = append(all, m)
		return nil
	})
	return all, err
}

// FlowSumView is what went through a flow account of money.
type FlowSumView struct {
	Flow   string    `json:"flow"`
	Book   string    `json:"book"`
	InFen  money.Fen `json:"in_fen"`
	OutFen money.Fen `json:"out_fen"`
	NetFen money.Fen `json:"net_fen" doc:"in less out"`
}

// FlowView is the statement of a flow account on the wire: money in *_fen, goods of a SKU in the base unit.
type FlowView struct {
	Flow       string        `json:"flow"`
	Book       string        `json:"book"`
	SiteID     id.ID         `json:"site_id"`
	SKU        id.ID         `json:"sku_id" doc:"empty for money"`
	From       cal.Date      `json:"from"`
	To         cal.Date      `json:"to"`
	Opening    qty.Qty       `json:"opening" doc:"before the first day"`
	Closing    qty.Qty       `json:"closing"`
	OpeningFen money.Fen     `json:"opening_fen"`
	ClosingFen money.Fen     `json:"closing_fen"`
	Days       []FlowDayView `json:"days" doc:"newest first; days without a movement are left out"`
}

// FlowDayView is a day of it.
type FlowDayView struct {
	Date       cal.Date  `json:"business_date"`
	In         qty.Qty   `json:"in"`
	Out        qty.Qty   `json:"out"`
	Balance    qty.Qty   `json:"balance" doc:"after it"`
	InFen      money.Fen `json:"in_fen"`
	OutFen     money.Fen `json:"out_fen"`
	BalanceFen money.Fen `json:"balance_fen"`
	Transfers  int64     `json:"transfers"`
	Closed     bool      `json:"closed"`
}

// flowAsked finds the flow of a request, at a site of the caller's.
func flowAsked(ctx context.Context, name string, site id.ID) (Account, error) {
	if caller := web.CallerOf(ctx); caller == nil || !caller.MayAt("ledger.read", site) {
		return 0, ErrNotFound
	}
	flow, ok := FlowNamed(name)
	if !ok {
		return 0, ErrNoFlow
	}
	return flow, nil
}

func unitAsked(sku id.ID) Unit {
	if sku == 0 {
		return CNY
	}
	return Unit(sku)
}

func flowRoutes(api *web.API, zone Zone) {
	web.Get(api, web.Route{Path: "/api/ledger/flows", Name: "list-flows", Summary: "What went through the flow accounts of a site in money: revenue, tax, cost, loss", Perm: "ledger.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID    `query:"site_id" required:"true"`
			From   cal.Date `query:"from" required:"true" doc:"first business date"`
			To     cal.Date `query:"to" required:"true" doc:"last business date"`
		}) (*web.Page[FlowSumView], error) {
			if caller := web.CallerOf(ctx); caller == nil || !caller.MayAt("ledger.read", in.SiteID) {
				return nil, ErrNotFound
			}
			if !in.From.Valid() || !in.To.Valid() || in.To < in.From {
				return nil, ErrFlowDays.With("most", maxFlowDays).At("from")
			}
			all, err := Sums(tx, in.SiteID, in.From, in.To, CNY)
			if err != nil {
				return nil, err
			}
			byFlow := map[Account]*FlowSumView{}
			of := func(a Account) *FlowSumView {
				if byFlow[a] == nil {
					f, _ := names.flow(a)
					byFlow[a] = &FlowSumView{Flow: a.String(), Book: f.book.String()}
				}
				return byFlow[a]
			}
			for _, s := range all {
				if s.From < 0 {
					of(s.From).OutFen += money.Fen(s.Amount)
				}
				if s.To < 0 {
					of(s.To).InFen += money.Fen(s.Amount)
				}
			}
			page := &web.Page[FlowSumView]{Items: []FlowSumView{}}
			flows := make([]Account, 0, len(byFlow))
			for a := range byFlow {
				flows = append(flows, a)
			}
			slices.Sort(flows)
			slices.Reverse(flows)
			for _, a := range flows {
				v := byFlow[a]
				v.NetFen = v.InFen - v.OutFen
				page.Items = append(page.Items, *v)
			}
			return page, nil
		})
	web.Get(api, web.Route{Path: "/api/ledger/flows/{flow}/statement", Name: "get-flow-statement", Summary: "A flow account of a site, day by day", Perm: "ledger.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			Flow   string   `path:"flow" maxLength:"60"`
			SiteID id.ID    `query:"site_id" required:"true"`
			SKU    id.ID    `query:"sku_id" doc:"goods of this SKU; money when left out"`
			From   cal.Date `query:"from" required:"true" doc:"first business date"`
			To     cal.Date `query:"to" required:"true" doc:"last business date"`
		}) (*FlowView, error) {
			flow, err := flowAsked(ctx, in.Flow, in.SiteID)
			if err != nil {
				return nil, err
			}
			s, err := ReadFlow(tx, flow, in.SiteID, unitAsked(in.SKU), in.From, in.To)
			if err != nil {
				return nil, err
			}
			f, _ := names.flow(flow)
			v := &FlowView{Flow: in.Flow, Book: f.book.String(), SiteID: s.Site, SKU: in.SKU, From: s.From, To: s.To, Days: []FlowDayView{}}
			if in.SKU == 0 {
				v.OpeningFen, v.ClosingFen = money.Fen(s.Opening), money.Fen(s.Closing)
			} else {
				v.Opening, v.Closing = qty.Qty(s.Opening), qty.Qty(s.Closing)
			}
			for _, d := range s.Days {
				x := FlowDayView{Date: d.Date, Transfers: d.Transfers, Closed: d.Closed}
				if in.SKU == 0 {
					x.InFen, x.OutFen, x.BalanceFen = money.Fen(d.In), money.Fen(d.Out), money.Fen(d.Balance)
				} else {
					x.In, x.Out, x.Balance = qty.Qty(d.In), qty.Qty(d.Out), qty.Qty(d.Balance)
				}
				v.Days = append(v.Days, x)
			}
			return v, nil
		})
	web.Get(api, web.Route{Path: "/api/ledger/flows/{flow}/movements", Name: "list-flow-movements", Summary: "The documents behind a day of a flow account, newest first", Perm: "ledger.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			web.Paging
			Flow   string   `path:"flow" maxLength:"60"`
			SiteID id.ID    `query:"site_id" required:"true"`
			SKU    id.ID    `query:"sku_id" doc:"goods of this SKU; money when left out"`
			Date   cal.Date `query:"date" required:"true"`
		}) (*web.Page[MovementView], error) {
			flow, err := flowAsked(ctx, in.Flow, in.SiteID)
			if err != nil {
				return nil, err
			}
			if !in.Date.Valid() {
				return nil, cal.ErrDate.With("text", in.Date).At("date")
			}
			var place Place
			var kind int64
			if _, err := in.Seek(&place.Doc, &kind, &place.Leg); err != nil {
				return nil, err
			}
			place.Kind = Kind(kind)
			all, err := FlowMovements(tx, flow, in.SiteID, unitAsked(in.SKU), in.Date, place, in.Limit+1)
			if err != nil {
				return nil, err
			}
			page := web.PageOf(in.Paging, all, func(m Movement) string { return web.Cursor(m.ID, int64(m.Kind), m.Leg) })
			out := &web.Page[MovementView]{Items: []MovementView{}, Next: page.Next}
			at := zone(ctx, in.SiteID)
			for i := range page.Items {
				out.Items = append(out.Items, page.Items[i].view(in.SKU == 0, at))
			}
			return out, nil
		})
}
