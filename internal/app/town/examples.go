package town

import (
	"net/url"
	"strings"
	"time"

	"zhanggui/internal/platform/cal"
)

// Request is one good request of an operation within a world.
type Request struct {
	Path  map[string]string
	Query map[string]string
	Body  any
}

// Examples has a good Request for every operation whose rows belong to sites. A new route needs one
// here: with it the test below proves that the route hides and keeps what is foreign.
var Examples = map[string]func(w *Town, x World) Request{
	"list-sites":    func(w *Town, x World) Request { return Request{} },
	"list-entities": func(w *Town, x World) Request { return Request{} },
	"list-staff":    func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"list-audit": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "subject_id": x.IDs["staff"]}}
	},
	"get-site":   func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["site"])} },
	"get-entity": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["entity"])} },
	"get-staff":  func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["staff"])} },
	"create-site": func(w *Town, x World) Request {
		return Request{Body: m{"code": "NEW" + x.Name, "name": x.Canary, "kind": "warehouse", "entity_id": x.IDs["entity"]}}
	},
	"update-site": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["site"]), Body: m{"code": "SI" + x.Name, "name": x.Canary + " renamed", "kind": "store", "entity_id": x.IDs["entity"]}}
	},
	"create-staff": func(w *Town, x World) Request {
		return Request{Body: m{"name": "new" + strings.ToLower(x.Name), "display_name": x.Canary, "password": "long-enough-7", "site_id": x.IDs["site"]}}
	},
	"update-staff": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["staff"]), Body: m{"display_name": x.Canary + " renamed", "site_id": x.IDs["site"]}}
	},
	"set-grants": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["staff"]), Body: []m{{"role_id": x.IDs["role"], "scope_kind": "site", "scope_id": x.IDs["site"]}}}
	},
	"disable-staff": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["staff"]), Body: m{}} },

	"look-up-barcode": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "code": "6900000000014"}}
	},
	"list-prices": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "product_id": x.IDs["product"]}}
	},
	"list-price-documents": func(w *Town, x World) Request { return Request{} },
	"get-price-document":   func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["change"])} },
	"draft-price-document": func(w *Town, x World) Request { return Request{Body: w.Change(x)} },
	"change-price-document": func(w *Town, x World) Request {
		body := w.Change(x)
		body["revision"] = 1
		return Request{Path: m1("id", x.IDs["change"]), Body: body}
	},
	"approve-price-document": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["change2"]), Body: m{"revision": 1}}
	},
	"cancel-price-document": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["change3"]), Body: m{"reason": x.Canary}}
	},
	"set-price": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "product_id": x.IDs["product"], "unit": "箱", "price_fen": 9990}}
	},

	"list-registers": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"add-register": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "code": "2", "name": x.Canary}}
	},
	"till-products": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"quote-basket": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "lines": []m{{"product_id": x.IDs["product"], "unit": "瓶", "qty": "1"}}}}
	},
	"bundle-available": func(w *Town, x World) Request {
		return Request{Path: m1("id", w.Goods["SET"]), Query: m1("site_id", x.IDs["site"])}
	},
	"convert-goods":    func(w *Town, x World) Request { return Request{Body: w.Conversion(x)} },
	"list-conversions": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-conversion":   func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["conversion"])} },
	"reverse-conversion": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["conversion2"]), Body: m{"reason": x.Canary}}
	},
	"sell":           func(w *Town, x World) Request { return Request{Body: w.Basket(x, "cash")} },
	"list-sales":     func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-sale":       func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["sale"])} },
	"sales-of-day":   func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"products-sold":  func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"margins":        func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"ask-payment":    func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["awaiting"])} },
	"cancel-payment": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["awaiting"])} },
	"void-sale": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["sale2"]), Body: m{"reason": "mistake"}}
	},
	"pay-out": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["owed"]), Body: m{"register": "1"}}
	},
	"refund-sale": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["sale"]), Body: m{"reason": "broken", "lines": []m{{"line_no": 1, "qty": "1", "back": "discard"}}}}
	},

	"list-stock-levels": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"find-stock":        func(w *Town, x World) Request { return Request{Query: m1("q", x.IDs["batch"])} },
	"list-batches":      func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-batch":         func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["batch"])} },
	"receive-goods": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "note": x.Canary, "lines": []m{{"product_id": x.IDs["product"], "qty": "10", "cost_fen": 100}}}}
	},
	"write-off-goods": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "reason": "damaged", "lines": []m{{"batch_id": x.IDs["batch"], "qty": "1"}}}}
	},
	"adjust-stock": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "reason": "count", "lines": []m{{"batch_id": x.IDs["batch"], "qty": "-1"}}}}
	},
	"change-stock-state": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "reason": "quality", "lines": []m{{"batch_id": x.IDs["batch"], "from": "available", "to": "frozen", "qty": "1"}}}}
	},
	"why-not-available": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "product_id": x.IDs["product"]}}
	},
	"list-stock-documents": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"list-receipts":        func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-receipt":          func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["receipt"])} },
	"get-stock-document":   func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["document"])} },
	"list-transfers":       func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-transfer":         func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["transfer"])} },
	"request-transfer":     func(w *Town, x World) Request { return Request{Body: w.Transfer(x)} },
	"ship-transfer":        func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["transfer"]), Body: m{}} },
	"receive-transfer": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["shipped"]), Body: m{"as_shipped": true}}
	},
	"resolve-transfer": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["missing"]), Body: m{"transit_id": x.IDs["transit"], "way": "back", "note": x.Canary}}
	},
	"cancel-transfer":  func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["transfer2"]), Body: m{}} },
	"list-counts":      func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-count":        func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["count"])} },
	"list-count-lines": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["count"])} },
	"start-count": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "note": x.Canary, "product_ids": []string{x.IDs["product"]}}}
	},
	"add-count-line": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["count"]), Body: m{"product_id": x.IDs["product"]}}
	},
	"count-line": func(w *Town, x World) Request {
		return Request{Path: map[string]string{"id": x.IDs["count"], "line": "1"}, Body: m{"qty": "5"}}
	},
	"count-goods": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["count"]), Body: m{"lines": []m{{"product_id": x.IDs["product"], "qty": "5"}}}}
	},
	"review-count": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["count2"])} },
	"recount-lines": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["counted"]), Body: m{"lines": []int{1}}}
	},
	"approve-count-lines": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["counted2"]), Body: m{"lines": []int{1}}}
	},
	"post-count": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["reviewed"]), Body: m{"leave_uncounted": true}}
	},
	"cancel-count": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["count3"]), Body: m{}} },
	"return-to-supplier": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "note": x.Canary, "lines": []m{{"batch_id": x.IDs["bought"], "qty": "1"}}}}
	},
	"land-cost": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "receipt_id": x.IDs["receipt"], "basis": "value", "charge_fen": 100}}
	},
	"get-stock-channels": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "product_id": x.IDs["product"]}}
	},
	"set-stock-channel": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "product_id": x.IDs["product"], "channel": "platform", "floor": "1"}}
	},
	"list-channel-rules": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"list-landed-costs":  func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-landed-cost":    func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["landed"])} },
	"list-pick-policies": func(w *Town, x World) Request { return Request{} },
	"set-pick-policy": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "product_id": x.IDs["product"], "channel": "phone", "rule": "first_in"}}
	},
	"end-pick-policy": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["policy"])} },
	"get-pick-order": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "product_id": x.IDs["product"]}}
	},
	"promise-goods":   func(w *Town, x World) Request { return Request{Body: w.Promise(x)} },
	"get-promise":     func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["promise"])} },
	"capture-promise": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["promise"]), Body: m{}} },
	"release-promise": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["promise2"])} },
	"request-materials": func(w *Town, x World) Request {
		return Request{Body: w.Making(x)}
	},
	"list-plans":             func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"run-plans":              func(w *Town, x World) Request { return Request{Body: m{"site_id": x.IDs["site"]}} },
	"get-plan":               func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["plan"])} },
	"list-plan-production":   func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["plan"])} },
	"list-plan-requirements": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["plan"])} },
	"list-plan-proposals":    func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["plan"])} },
	"get-plan-line": func(w *Town, x World) Request {
		return Request{Path: map[string]string{"id": x.IDs["plan"], "line": x.IDs["line"]}}
	},
	"confirm-plan-line": func(w *Town, x World) Request {
		return Request{Path: map[string]string{"id": x.IDs["plan"], "line": x.IDs["line"]}}
	},
	"change-plan-line": func(w *Town, x World) Request {
		return Request{Path: map[string]string{"id": x.IDs["plan"], "line": x.IDs["line2"]}, Body: m{"qty": "5000", "reason": x.Canary}}
	},
	"confirm-plan": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["plan"]), Body: m{"what": "all"}}
	},
	"list-sources": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"put-source": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "product_id": w.Goods["1001"], "source_id": x.IDs["kitchen"]}}
	},
	"delete-source": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "product_id": w.Goods["1001"]}}
	},
	"list-plan-rules": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"put-plan-rule": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "product_id": w.Goods["2001"], "mode": "dynamic"}}
	},
	"delete-plan-rule": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "product_id": w.Goods["1001"]}}
	},
	"get-plan-event-learned": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"event_id": x.IDs["event"], "site_id": x.IDs["site"]}}
	},
	"list-plan-events": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"add-plan-event":   func(w *Town, x World) Request { return Request{Body: w.Event(x)} },
	"put-plan-event":   func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["event"]), Body: w.Event(x)} },
	"delete-plan-event": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["event2"])}
	},
	"plan-what-if":        func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"list-service-levels": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"put-service-level": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "product_id": w.Goods["2001"], "level_bp": 9000, "reason": x.Canary}}
	},
	"list-equipment": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"put-machines": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "equipment_id": w.Goods["oven"], "machines": 2}}
	},
	"list-near-stores": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"put-near-store": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "near_id": x.IDs["sister"], "minutes": 20}}
	},
	"list-store-offers": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"take-store-offer": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["offer"]), Body: m{"site_id": x.IDs["sister"], "qty": "1"}}
	},
	"withdraw-store-offer": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["offer2"]), Body: m{"reason": x.Canary}}
	},
	"open-store-offer":    func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["offer3"])} },
	"list-recipe-mixes":   func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-recipe-mix-rule": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"put-recipe-mix-rule": func(w *Town, x World) Request { return Request{Body: m{"site_id": x.IDs["site"], "least_fen": 300}} },
	"approve-recipe-mix": func(w *Town, x World) Request {
		return Request{Path: m1("id", w.Mix(x, "mix")), Body: m{"version": 1, "reason": x.Canary}}
	},
	"refuse-recipe-mix": func(w *Town, x World) Request {
		return Request{Path: m1("id", w.Mix(x, "mix2")), Body: m{"version": 1, "reason": x.Canary}}
	},
	"end-recipe-mix": func(w *Town, x World) Request {
		return Request{Path: m1("id", w.Mix(x, "mix3")), Body: m{"reason": x.Canary}}
	},
	"list-pace":         func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"test-pace":         func(w *Town, x World) Request { return Request{Body: m{"site_id": x.IDs["site"]}} },
	"list-sales-blocks": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"decide-sales-block": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "date": "2026-03-02", "product_id": w.Goods["1001"], "release": true, "reason": x.Canary}}
	},
	"release-plan-line": func(w *Town, x World) Request {
		return Request{Path: map[string]string{"id": x.IDs["plan"], "line": x.IDs["line3"]}, Body: m{"reason": x.Canary}}
	},
	"list-store-requisitions": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-store-requisition":   func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["storereq"])} },
	"list-purchase-orders":    func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-purchase-order":      func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["order"])} },
	"write-purchase-order":    func(w *Town, x World) Request { return Request{Body: w.Order(x)} },
	"confirm-purchase-order":  func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["order"])} },
	"send-purchase-order":     func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["order"])} },
	"close-purchase-order": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["order"]), Body: m{"reason": x.Canary}}
	},
	"get-today": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"close-store-requisition": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["storereq"]), Body: m{"reason": x.Canary}}
	},
	"deliver-store-requisition": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["storereq2"]), Body: m{"note": x.Canary}}
	},
	"get-making-task": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["task"])} },
	"cancel-requisition": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["requisition2"]), Body: m{"reason": x.Canary}}
	},
	"receive-purchase": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["order2"]), Body: m{"note": x.Canary, "lines": []m{{"line": 1, "qty": "4"}}}}
	},

	"report-board":     func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"report-clearance": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"report-products":  func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"report-product": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["product"]), Query: m1("site_id", x.IDs["site"])}
	},
	"report-materials": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"report-material": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["product"]), Query: m1("site_id", x.IDs["site"])}
	},
	"clock-in":        func(w *Town, x World) Request { return Request{Body: m{"site_id": x.IDs["site"]}} },
	"clock-out":       func(w *Town, x World) Request { return Request{Body: m{"site_id": x.IDs["site"]}} },
	"list-attendance": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"add-attendance": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "staff_id": x.IDs["staff"], "in_at": w.Ago(5), "out_at": w.Ago(3), "reason": x.Canary}}
	},
	"correct-attendance": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["presence"]), Body: m{"in_at": w.Ago(9), "out_at": w.Ago(8), "reason": x.Canary}}
	},

	"list-clearance":       func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-clearance":        func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["nearing"])} },
	"till-reduced":         func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"list-clearance-rules": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"run-clearance":        func(w *Town, x World) Request { return Request{Body: m{"site_id": x.IDs["site"]}} },
	"stop-clearance":       func(w *Town, x World) Request { return Request{Body: m{"site_id": x.IDs["site"], "stopped": true}} },

	"list-requisitions": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"complete-requisition": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["requisition"]), Body: w.Scanned(x)}
	},
	"list-making-tasks": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"report-output": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["task"]), Body: m{"qty": "1", "unit": "kg", "fewer_reason": "dropped"}}
	},
	"get-recipe-losses": func(w *Town, x World) Request {
		return Request{Path: m1("id", w.Goods["JAR"]), Query: m1("site_id", x.IDs["site"])}
	},
	"trace-batch": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["batch"]), Query: m1("direction", "forward")}
	},
	"list-flows": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "from": string(cal.On(w.D.Clock.Now()).AddDays(-5)), "to": w.Tomorrow}}
	},
	"get-flow-statement": func(w *Town, x World) Request {
		return Request{Path: m1("flow", "cost_of_sales"), Query: map[string]string{"site_id": x.IDs["site"], "from": string(cal.On(w.D.Clock.Now()).AddDays(-5)), "to": w.Tomorrow}}
	},
	"list-flow-movements": func(w *Town, x World) Request {
		return Request{Path: m1("flow", "cost_of_sales"), Query: map[string]string{"site_id": x.IDs["site"], "date": string(cal.On(w.D.Clock.Now()))}}
	},
	"get-statement": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["batch"])} },

	"list-periods": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"close-period": func(w *Town, x World) Request {
		return Request{Body: m{"site_id": x.IDs["site"], "through": string(cal.On(w.D.Clock.Now()).AddDays(-2))}}
	},
	"list-allowances": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "rules": "true", "past": "true"}}
	},
	"get-allowance": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["batch"])} },
	"allow-negative": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["batch"]), Body: m{"down": "3", "reason": x.Canary, "until": w.D.Clock.Now().Add(time.Hour)}}
	},
	"end-allowance": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["batch"])} },

	"list-forecasts":    func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"forecast-accuracy": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"kept-forecasts": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"site_id": x.IDs["site"], "level": "product"}}
	},
	"forecast-drift": func(w *Town, x World) Request { return Request{Query: m1("site_id", x.IDs["site"])} },
	"get-forecast": func(w *Town, x World) Request {
		return Request{Path: map[string]string{"site_id": x.IDs["site"], "product_id": x.IDs["product"]}}
	},
	"override-forecast": func(w *Town, x World) Request {
		return Request{Path: map[string]string{"site_id": x.IDs["site"], "product_id": x.IDs["product"]}, Body: m{"date": w.Tomorrow, "qty": "5", "reason": x.Canary}}
	},
	"run-forecasts": func(w *Town, x World) Request { return Request{Body: m{"site_id": x.IDs["site"]}} },

	"upload-import": func(w *Town, x World) Request {
		return Request{Query: map[string]string{"kind": "sales", "file_name": "sales.csv"}, Body: "date,product,quantity,store\n2026-02-01,1001,1,X\n"}
	},
	"list-imports":      func(w *Town, x World) Request { return Request{} },
	"list-import-kinds": func(w *Town, x World) Request { return Request{} },
	"get-import":        func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["import"])} },
	"run-import": func(w *Town, x World) Request {
		return Request{Path: m1("id", x.IDs["import2"]), Body: m{"mode": "good", "dry_run": true}}
	},
	"cancel-import":         func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["import3"])} },
	"download-refused-rows": func(w *Town, x World) Request { return Request{Path: m1("id", x.IDs["import"])} },
}

func m1(k, v string) map[string]string { return map[string]string{k: v} }

// Address fills the path and query of a Request.
func (q Request) Address(path string) string {
	for k, v := range q.Path {
		path = strings.ReplaceAll(path, "{"+k+"}", url.PathEscape(v))
	}
	if len(q.Query) > 0 {
		vals := url.Values{}
		for k, v := range q.Query {
			vals.Set(k, v)
		}
		path += "?" + vals.Encode()
	}
	return path
}
