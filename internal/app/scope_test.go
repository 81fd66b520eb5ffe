package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/web"
)

// request is one good request of an operation within a world.
type request struct {
	path  map[string]string
	query map[string]string
	body  any
}

// examples has a good request for every operation whose rows belong to sites. A new route needs one
// here: with it the test below proves that the route hides and keeps what is foreign.
var examples = map[string]func(w *town, x world) request{
	"list-sites":    func(w *town, x world) request { return request{} },
	"list-entities": func(w *town, x world) request { return request{} },
	"list-staff":    func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"list-audit": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "subject_id": x.ids["staff"]}}
	},
	"get-site":   func(w *town, x world) request { return request{path: m1("id", x.ids["site"])} },
	"get-entity": func(w *town, x world) request { return request{path: m1("id", x.ids["entity"])} },
	"get-staff":  func(w *town, x world) request { return request{path: m1("id", x.ids["staff"])} },
	"create-site": func(w *town, x world) request {
		return request{body: m{"code": "NEW" + x.name, "name": x.canary, "kind": "warehouse", "entity_id": x.ids["entity"]}}
	},
	"update-site": func(w *town, x world) request {
		return request{path: m1("id", x.ids["site"]), body: m{"code": "SI" + x.name, "name": x.canary + " renamed", "kind": "store", "entity_id": x.ids["entity"]}}
	},
	"create-staff": func(w *town, x world) request {
		return request{body: m{"name": "new" + strings.ToLower(x.name), "display_name": x.canary, "password": "long-enough-7", "site_id": x.ids["site"]}}
	},
	"update-staff": func(w *town, x world) request {
		return request{path: m1("id", x.ids["staff"]), body: m{"display_name": x.canary + " renamed", "site_id": x.ids["site"]}}
	},
	"set-grants": func(w *town, x world) request {
		return request{path: m1("id", x.ids["staff"]), body: []m{{"role_id": x.ids["role"], "scope_kind": "site", "scope_id": x.ids["site"]}}}
	},
	"disable-staff": func(w *town, x world) request { return request{path: m1("id", x.ids["staff"]), body: m{}} },

	"look-up-barcode": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "code": "6900000000014"}}
	},
	"list-prices": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "product_id": x.ids["product"]}}
	},
	"list-price-documents": func(w *town, x world) request { return request{} },
	"get-price-document":   func(w *town, x world) request { return request{path: m1("id", x.ids["change"])} },
	"draft-price-document": func(w *town, x world) request { return request{body: w.change(x)} },
	"change-price-document": func(w *town, x world) request {
		body := w.change(x)
		body["revision"] = 1
		return request{path: m1("id", x.ids["change"]), body: body}
	},
	"approve-price-document": func(w *town, x world) request {
		return request{path: m1("id", x.ids["change2"]), body: m{"revision": 1}}
	},
	"cancel-price-document": func(w *town, x world) request {
		return request{path: m1("id", x.ids["change3"]), body: m{"reason": x.canary}}
	},
	"set-price": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "product_id": x.ids["product"], "unit": "箱", "price_fen": 9990}}
	},

	"list-registers": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"add-register": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "code": "2", "name": x.canary}}
	},
	"till-products": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"quote-basket": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "lines": []m{{"product_id": x.ids["product"], "unit": "瓶", "qty": "1"}}}}
	},
	"bundle-available": func(w *town, x world) request {
		return request{path: m1("id", w.goods["SET"]), query: m1("site_id", x.ids["site"])}
	},
	"convert-goods":    func(w *town, x world) request { return request{body: w.conversion(x)} },
	"list-conversions": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-conversion":   func(w *town, x world) request { return request{path: m1("id", x.ids["conversion"])} },
	"reverse-conversion": func(w *town, x world) request {
		return request{path: m1("id", x.ids["conversion2"]), body: m{"reason": x.canary}}
	},
	"sell":           func(w *town, x world) request { return request{body: w.basket(x, "cash")} },
	"list-sales":     func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-sale":       func(w *town, x world) request { return request{path: m1("id", x.ids["sale"])} },
	"sales-of-day":   func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"products-sold":  func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"margins":        func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"ask-payment":    func(w *town, x world) request { return request{path: m1("id", x.ids["awaiting"])} },
	"cancel-payment": func(w *town, x world) request { return request{path: m1("id", x.ids["awaiting"])} },
	"void-sale": func(w *town, x world) request {
		return request{path: m1("id", x.ids["sale2"]), body: m{"reason": "mistake"}}
	},
	"pay-out": func(w *town, x world) request {
		return request{path: m1("id", x.ids["owed"]), body: m{"register": "1"}}
	},
	"refund-sale": func(w *town, x world) request {
		return request{path: m1("id", x.ids["sale"]), body: m{"reason": "broken", "lines": []m{{"line_no": 1, "qty": "1", "back": "discard"}}}}
	},

	"list-stock-levels": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"find-stock":        func(w *town, x world) request { return request{query: m1("q", x.ids["batch"])} },
	"list-batches":      func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-batch":         func(w *town, x world) request { return request{path: m1("id", x.ids["batch"])} },
	"receive-goods": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "note": x.canary, "lines": []m{{"product_id": x.ids["product"], "qty": "10", "cost_fen": 100}}}}
	},
	"write-off-goods": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "reason": "damaged", "lines": []m{{"batch_id": x.ids["batch"], "qty": "1"}}}}
	},
	"adjust-stock": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "reason": "count", "lines": []m{{"batch_id": x.ids["batch"], "qty": "-1"}}}}
	},
	"change-stock-state": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "reason": "quality", "lines": []m{{"batch_id": x.ids["batch"], "from": "available", "to": "frozen", "qty": "1"}}}}
	},
	"why-not-available": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "product_id": x.ids["product"]}}
	},
	"list-stock-documents": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"list-receipts":        func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-receipt":          func(w *town, x world) request { return request{path: m1("id", x.ids["receipt"])} },
	"get-stock-document":   func(w *town, x world) request { return request{path: m1("id", x.ids["document"])} },
	"list-transfers":       func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-transfer":         func(w *town, x world) request { return request{path: m1("id", x.ids["transfer"])} },
	"request-transfer":     func(w *town, x world) request { return request{body: w.transfer(x)} },
	"ship-transfer":        func(w *town, x world) request { return request{path: m1("id", x.ids["transfer"]), body: m{}} },
	"receive-transfer": func(w *town, x world) request {
		return request{path: m1("id", x.ids["shipped"]), body: m{"as_shipped": true}}
	},
	"resolve-transfer": func(w *town, x world) request {
		return request{path: m1("id", x.ids["missing"]), body: m{"transit_id": x.ids["transit"], "way": "back", "note": x.canary}}
	},
	"cancel-transfer":  func(w *town, x world) request { return request{path: m1("id", x.ids["transfer2"]), body: m{}} },
	"list-counts":      func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-count":        func(w *town, x world) request { return request{path: m1("id", x.ids["count"])} },
	"list-count-lines": func(w *town, x world) request { return request{path: m1("id", x.ids["count"])} },
	"start-count": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "note": x.canary, "product_ids": []string{x.ids["product"]}}}
	},
	"add-count-line": func(w *town, x world) request {
		return request{path: m1("id", x.ids["count"]), body: m{"product_id": x.ids["product"]}}
	},
	"count-line": func(w *town, x world) request {
		return request{path: map[string]string{"id": x.ids["count"], "line": "1"}, body: m{"qty": "5"}}
	},
	"count-goods": func(w *town, x world) request {
		return request{path: m1("id", x.ids["count"]), body: m{"lines": []m{{"product_id": x.ids["product"], "qty": "5"}}}}
	},
	"review-count": func(w *town, x world) request { return request{path: m1("id", x.ids["count2"])} },
	"recount-lines": func(w *town, x world) request {
		return request{path: m1("id", x.ids["counted"]), body: m{"lines": []int{1}}}
	},
	"approve-count-lines": func(w *town, x world) request {
		return request{path: m1("id", x.ids["counted2"]), body: m{"lines": []int{1}}}
	},
	"post-count": func(w *town, x world) request {
		return request{path: m1("id", x.ids["reviewed"]), body: m{"leave_uncounted": true}}
	},
	"cancel-count": func(w *town, x world) request { return request{path: m1("id", x.ids["count3"]), body: m{}} },
	"return-to-supplier": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "note": x.canary, "lines": []m{{"batch_id": x.ids["bought"], "qty": "1"}}}}
	},
	"land-cost": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "receipt_id": x.ids["receipt"], "basis": "value", "charge_fen": 100}}
	},
	"get-stock-channels": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "product_id": x.ids["product"]}}
	},
	"set-stock-channel": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "product_id": x.ids["product"], "channel": "platform", "floor": "1"}}
	},
	"list-channel-rules": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"list-landed-costs":  func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-landed-cost":    func(w *town, x world) request { return request{path: m1("id", x.ids["landed"])} },
	"list-pick-policies": func(w *town, x world) request { return request{} },
	"set-pick-policy": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "product_id": x.ids["product"], "channel": "phone", "rule": "first_in"}}
	},
	"end-pick-policy": func(w *town, x world) request { return request{path: m1("id", x.ids["policy"])} },
	"get-pick-order": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "product_id": x.ids["product"]}}
	},
	"promise-goods":   func(w *town, x world) request { return request{body: w.promise(x)} },
	"get-promise":     func(w *town, x world) request { return request{path: m1("id", x.ids["promise"])} },
	"capture-promise": func(w *town, x world) request { return request{path: m1("id", x.ids["promise"]), body: m{}} },
	"release-promise": func(w *town, x world) request { return request{path: m1("id", x.ids["promise2"])} },
	"request-materials": func(w *town, x world) request {
		return request{body: w.making(x)}
	},
	"list-plans":             func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"run-plans":              func(w *town, x world) request { return request{body: m{"site_id": x.ids["site"]}} },
	"get-plan":               func(w *town, x world) request { return request{path: m1("id", x.ids["plan"])} },
	"list-plan-production":   func(w *town, x world) request { return request{path: m1("id", x.ids["plan"])} },
	"list-plan-requirements": func(w *town, x world) request { return request{path: m1("id", x.ids["plan"])} },
	"list-plan-proposals":    func(w *town, x world) request { return request{path: m1("id", x.ids["plan"])} },
	"get-plan-line": func(w *town, x world) request {
		return request{path: map[string]string{"id": x.ids["plan"], "line": x.ids["line"]}}
	},
	"confirm-plan-line": func(w *town, x world) request {
		return request{path: map[string]string{"id": x.ids["plan"], "line": x.ids["line"]}}
	},
	"change-plan-line": func(w *town, x world) request {
		return request{path: map[string]string{"id": x.ids["plan"], "line": x.ids["line2"]}, body: m{"qty": "5000", "reason": x.canary}}
	},
	"confirm-plan": func(w *town, x world) request {
		return request{path: m1("id", x.ids["plan"]), body: m{"what": "all"}}
	},
	"list-sources": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"put-source": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "product_id": w.goods["1001"], "source_id": x.ids["kitchen"]}}
	},
	"delete-source": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "product_id": w.goods["1001"]}}
	},
	"list-plan-rules": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"put-plan-rule": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "product_id": w.goods["2001"], "mode": "dynamic"}}
	},
	"delete-plan-rule": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "product_id": w.goods["1001"]}}
	},
	"list-plan-events": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"add-plan-event":   func(w *town, x world) request { return request{body: w.event(x)} },
	"put-plan-event":   func(w *town, x world) request { return request{path: m1("id", x.ids["event"]), body: w.event(x)} },
	"delete-plan-event": func(w *town, x world) request {
		return request{path: m1("id", x.ids["event2"])}
	},
	"plan-what-if":        func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"list-service-levels": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"put-service-level": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "product_id": w.goods["2001"], "level_bp": 9000, "reason": x.canary}}
	},
	"list-equipment": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"put-machines": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "equipment_id": w.goods["oven"], "machines": 2}}
	},
	"list-near-stores": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"put-near-store": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "near_id": x.ids["kitchen"], "minutes": 20}}
	},
	"list-pace":         func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"test-pace":         func(w *town, x world) request { return request{body: m{"site_id": x.ids["site"]}} },
	"list-sales-blocks": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"decide-sales-block": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "date": "2026-03-02", "product_id": w.goods["1001"], "release": true, "reason": x.canary}}
	},
	"release-plan-line": func(w *town, x world) request {
		return request{path: map[string]string{"id": x.ids["plan"], "line": x.ids["line3"]}, body: m{"reason": x.canary}}
	},
	"list-store-requisitions": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-store-requisition":   func(w *town, x world) request { return request{path: m1("id", x.ids["storereq"])} },
	"list-purchase-orders":    func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-purchase-order":      func(w *town, x world) request { return request{path: m1("id", x.ids["order"])} },
	"write-purchase-order":    func(w *town, x world) request { return request{body: w.order(x)} },
	"confirm-purchase-order":  func(w *town, x world) request { return request{path: m1("id", x.ids["order"])} },
	"send-purchase-order":     func(w *town, x world) request { return request{path: m1("id", x.ids["order"])} },
	"close-purchase-order": func(w *town, x world) request {
		return request{path: m1("id", x.ids["order"]), body: m{"reason": x.canary}}
	},
	"get-today": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"close-store-requisition": func(w *town, x world) request {
		return request{path: m1("id", x.ids["storereq"]), body: m{"reason": x.canary}}
	},
	"deliver-store-requisition": func(w *town, x world) request {
		return request{path: m1("id", x.ids["storereq2"]), body: m{"note": x.canary}}
	},
	"get-making-task": func(w *town, x world) request { return request{path: m1("id", x.ids["task"])} },
	"cancel-requisition": func(w *town, x world) request {
		return request{path: m1("id", x.ids["requisition2"]), body: m{"reason": x.canary}}
	},
	"receive-purchase": func(w *town, x world) request {
		return request{path: m1("id", x.ids["order2"]), body: m{"note": x.canary, "lines": []m{{"line": 1, "qty": "4"}}}}
	},

	"report-board":     func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"report-clearance": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"report-products":  func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"report-product": func(w *town, x world) request {
		return request{path: m1("id", x.ids["product"]), query: m1("site_id", x.ids["site"])}
	},
	"clock-in":        func(w *town, x world) request { return request{body: m{"site_id": x.ids["site"]}} },
	"clock-out":       func(w *town, x world) request { return request{body: m{"site_id": x.ids["site"]}} },
	"list-attendance": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"add-attendance": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "staff_id": x.ids["staff"], "in_at": w.ago(5), "out_at": w.ago(3), "reason": x.canary}}
	},
	"correct-attendance": func(w *town, x world) request {
		return request{path: m1("id", x.ids["presence"]), body: m{"in_at": w.ago(9), "out_at": w.ago(8), "reason": x.canary}}
	},

	"list-clearance":       func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-clearance":        func(w *town, x world) request { return request{path: m1("id", x.ids["nearing"])} },
	"till-reduced":         func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"list-clearance-rules": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"run-clearance":        func(w *town, x world) request { return request{body: m{"site_id": x.ids["site"]}} },
	"stop-clearance":       func(w *town, x world) request { return request{body: m{"site_id": x.ids["site"], "stopped": true}} },

	"list-requisitions": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"complete-requisition": func(w *town, x world) request {
		return request{path: m1("id", x.ids["requisition"]), body: w.scanned(x)}
	},
	"list-making-tasks": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"report-output": func(w *town, x world) request {
		return request{path: m1("id", x.ids["task"]), body: m{"qty": "1", "unit": "kg", "fewer_reason": "dropped"}}
	},
	"trace-batch": func(w *town, x world) request {
		return request{path: m1("id", x.ids["batch"]), query: m1("direction", "forward")}
	},
	"list-flows": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "from": string(cal.On(w.d.Clock.Now()).AddDays(-5)), "to": w.tomorrow}}
	},
	"get-flow-statement": func(w *town, x world) request {
		return request{path: m1("flow", "cost_of_sales"), query: map[string]string{"site_id": x.ids["site"], "from": string(cal.On(w.d.Clock.Now()).AddDays(-5)), "to": w.tomorrow}}
	},
	"list-flow-movements": func(w *town, x world) request {
		return request{path: m1("flow", "cost_of_sales"), query: map[string]string{"site_id": x.ids["site"], "date": string(cal.On(w.d.Clock.Now()))}}
	},
	"get-statement": func(w *town, x world) request { return request{path: m1("id", x.ids["batch"])} },

	"list-periods": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"close-period": func(w *town, x world) request {
		return request{body: m{"site_id": x.ids["site"], "through": string(cal.On(w.d.Clock.Now()).AddDays(-2))}}
	},
	"list-allowances": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "rules": "true", "past": "true"}}
	},
	"get-allowance": func(w *town, x world) request { return request{path: m1("id", x.ids["batch"])} },
	"allow-negative": func(w *town, x world) request {
		return request{path: m1("id", x.ids["batch"]), body: m{"down": "3", "reason": x.canary, "until": w.d.Clock.Now().Add(time.Hour)}}
	},
	"end-allowance": func(w *town, x world) request { return request{path: m1("id", x.ids["batch"])} },

	"list-forecasts":    func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"forecast-accuracy": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"kept-forecasts": func(w *town, x world) request {
		return request{query: map[string]string{"site_id": x.ids["site"], "level": "product"}}
	},
	"forecast-drift": func(w *town, x world) request { return request{query: m1("site_id", x.ids["site"])} },
	"get-forecast": func(w *town, x world) request {
		return request{path: map[string]string{"site_id": x.ids["site"], "product_id": x.ids["product"]}}
	},
	"override-forecast": func(w *town, x world) request {
		return request{path: map[string]string{"site_id": x.ids["site"], "product_id": x.ids["product"]}, body: m{"date": w.tomorrow, "qty": "5", "reason": x.canary}}
	},
	"run-forecasts": func(w *town, x world) request { return request{body: m{"site_id": x.ids["site"]}} },

	"upload-import": func(w *town, x world) request {
		return request{query: map[string]string{"kind": "sales", "file_name": "sales.csv"}, body: "date,product,quantity,store\n2026-02-01,1001,1,X\n"}
	},
	"list-imports":      func(w *town, x world) request { return request{} },
	"list-import-kinds": func(w *town, x world) request { return request{} },
	"get-import":        func(w *town, x world) request { return request{path: m1("id", x.ids["import"])} },
	"run-import": func(w *town, x world) request {
		return request{path: m1("id", x.ids["import2"]), body: m{"mode": "good", "dry_run": true}}
	},
	"cancel-import":         func(w *town, x world) request { return request{path: m1("id", x.ids["import3"])} },
	"download-refused-rows": func(w *town, x world) request { return request{path: m1("id", x.ids["import"])} },
}

func m1(k, v string) map[string]string { return map[string]string{k: v} }

// address fills the path and query of a request.
func (q request) address(path string) string {
	for k, v := range q.path {
		path = strings.ReplaceAll(path, "{"+k+"}", url.PathEscape(v))
	}
	if len(q.query) > 0 {
		vals := url.Values{}
		for k, v := range q.query {
			vals.Set(k, v)
		}
		path += "?" + vals.Encode()
	}
	return path
}

// mixes are the requests that mean one's own world but name one thing of the other's: every id of own,
// one at a time, replaced by its counterpart.
func mixes(own, other request) []request {
	var all []request
	for k := range own.path {
		if own.path[k] != other.path[k] {
			all = append(all, request{path: put(own.path, k, other.path[k]), query: own.query, body: own.body})
		}
	}
	for k := range own.query {
		if own.query[k] != other.query[k] {
			all = append(all, request{path: own.path, query: put(own.query, k, other.query[k]), body: own.body})
		}
	}
	for _, body := range mixed(asJSON(own.body), asJSON(other.body)) {
		all = append(all, request{path: own.path, query: own.query, body: body})
	}
	return all
}

func put(in map[string]string, k, v string) map[string]string {
	out := maps.Clone(in)
	out[k] = v
	return out
}

// asJSON is a body as JSON has it.
func asJSON(v any) any {
	b, _ := json.Marshal(v)
	var out any
	_ = json.Unmarshal(b, &out)
	return out
}

// mixed makes copies of own in which one id differs. Names and texts are not ids.
func mixed(own, other any) []any {
	var all []any
	switch own := own.(type) {
	case map[string]any:
		for k := range own {
			theirs := other.(map[string]any)[k]
			if s, ok := own[k].(string); ok {
				if strings.HasSuffix(k, "_id") && s != theirs {
					c := maps.Clone(own)
					c[k] = theirs
					all = append(all, c)
				}
				continue
			}
			for _, v := range mixed(own[k], theirs) {
				c := maps.Clone(own)
				c[k] = v
				all = append(all, c)
			}
		}
	case []any:
		for i := range own {
			for _, v := range mixed(own[i], other.([]any)[i]) {
				c := slices.Clone(own)
				c[i] = v
				all = append(all, c)
			}
		}
	}
	return all
}

// Two companies under one roof. Somebody who may do everything in the first tries every route with
// every id of the second, alone and mixed with his own: he sees nothing of it and changes nothing. The
// same requests, made by one of the second company, work: so it is the person that is refused, not a
// mistake in the request.
func TestAForeignIdShowsNothingAndChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		w.settle()
		before := w.rows()
		try := func(r web.RouteInfo, what string, q request, foreign bool) {
			t.Helper()
			a := w.send(w.a.boss, r.Method, q.address(r.Path), q.body)
			if strings.Contains(a.text, canary) {
				t.Errorf("%s, %s: shows what is foreign: %v", r.Name, what, a)
			}
			if a.status >= 500 {
				t.Errorf("%s, %s: breaks: %v", r.Name, what, a)
			}
			if r.Method == "GET" || !r.Effect {
				if rows, list := a.body["items"].([]any); foreign && a.status == 200 && (!list || len(rows) > 0) {
					t.Errorf("%s, %s: answers about what is foreign: %v", r.Name, what, a)
				}
				for _, theirs := range []string{"site", "entity", "staff", "batch", "nearing", "sale", "price", "register", "import", "requisition", "task", "plan", "line", "line2", "order", "order2", "storereq", "storereq2", "presence"} {
					if strings.Contains(a.text, w.b.ids[theirs]) {
						t.Errorf("%s, %s: shows the id of a foreign %s: %v", r.Name, what, theirs, a)
					}
				}
				return
			}
			if a.status < 300 {
				t.Errorf("%s, %s: accepted: %v", r.Name, what, a)
			}
			after := w.rows()
			if names := changed(before, after); len(names) > 0 {
				t.Errorf("%s, %s: changed %v", r.Name, what, names)
				before = after
			}
		}
		for _, r := range w.h.api.Routes() {
			if !r.Typed || r.Scope == web.Public || r.Name == "live" {
				continue
			}
			switch r.Scope {
			case web.Self:
				if r.Method == "GET" {
					try(r, "his own", request{}, false)
				}
			case web.Whole:
				if a := w.send(w.a.boss, r.Method, r.Path, m{}); a.code != "no_permission" {
					t.Errorf("%s: %v, want no_permission: he does not see the whole group", r.Name, a)
				}
			case web.Group:
				q := request{path: m1("id", w.b.ids["product"]), body: m{}}
				if r.Effect {
					if a := w.send(w.a.boss, r.Method, q.address(r.Path), q.body); a.code != "no_permission" {
						t.Errorf("%s: %v, want no_permission: he does not speak for the group", r.Name, a)
					}
				} else {
					for _, their := range slices.Sorted(maps.Keys(w.b.ids)) {
						try(r, "their "+their, request{path: m1("id", w.b.ids[their])}, false)
					}
				}
			case web.Sites:
				example := examples[r.Name]
				if example == nil {
					t.Errorf("%s (%s) has no example: add one, so that this test can show that it hides and keeps what is foreign", r.Name, r)
					continue
				}
				own, other := example(w, w.a), example(w, w.b)
				if fmt.Sprint(own) != fmt.Sprint(other) { // else it names nothing that is anybody's
					try(r, "all of it theirs", other, true)
				}
				for i, q := range mixes(own, other) {
					try(r, fmt.Sprintf("mix %d %v %v %v", i, q.path, q.query, q.body), q, true)
				}
				if r.Method == "GET" && len(own.path) == 0 {
					try(r, "without a filter", request{query: required(own.query)}, false)
				}
			}
		}
		// The control: the same requests are good ones.
		for _, r := range w.h.api.Routes() {
			if example := examples[r.Name]; r.Typed && r.Scope == web.Sites && example != nil {
				q := example(w, w.b)
				if a := w.send(w.b.boss, r.Method, q.address(r.Path), q.body); a.status != 200 {
					t.Errorf("%s: the example is no good request: %v", r.Name, a)
				}
			}
		}
		w.green()
	}, whole)
}

// The walk sees every change, also that of a row which stays as long as it was, and the change back.
func TestTheWalkSeesAChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		before := w.rows()
		if names := changed(before, w.rows()); len(names) > 0 {
			t.Errorf("nothing was done, and changed %v", names)
		}
		for _, by := range []int{1, -1} {
			err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(`UPDATE org_group SET version = version + $1`, by) })
			if err != nil {
				t.Fatal(err)
			}
			after := w.rows()
			if names := changed(before, after); !slices.Equal(names, []string{"org_group"}) {
				t.Errorf("by %d: changed %v, want org_group", by, names)
			}
			before = after
		}
	}, whole)
}

// required keeps the filters that a list can't do without.
func required(query map[string]string) map[string]string {
	keep := map[string]string{}
	for _, k := range []string{"product_id", "q"} {
		if v, ok := query[k]; ok {
			keep[k] = v
		}
	}
	return keep
}

// Every example belongs to a route; one that is left over tells of a route that was renamed.
func TestEveryExampleBelongsToARoute(t *testing.T) {
	h, err := build(nil, options{})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range h.api.Routes() {
		names[r.Name] = true
	}
	for name := range examples {
		if !names[name] {
			t.Errorf("no route is named %s", name)
		}
	}
}

// public is everything that answers without sign-in.
var public = map[string]bool{
	"GET /healthz": true, "GET /readyz": true, "GET /api/version": true, "GET /api/openapi.json": true, "POST /api/sign-in": true,
	"GET /api/demo": true,
}

func TestEveryRouteNamesAPermissionAndAScope(t *testing.T) {
	h, err := build(nil, options{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range permissions {
		known[p.Name] = true
		if p.ZH == "" || p.EN == "" {
			t.Errorf("%s is not named in both languages", p.Name)
		}
	}
	used := map[string]bool{}
	for _, r := range h.api.Routes() {
		used[r.Perm] = true
		if r.Perm != "" && !known[r.Perm] {
			t.Errorf("%s needs %s, which no role can have", r, r.Perm)
		}
		if (r.Scope == web.Public) != public[r.String()] {
			t.Errorf("%s: public %v, on the list %v", r, r.Scope == web.Public, public[r.String()])
		}
	}
	for _, r := range roles {
		for _, p := range r.Perms {
			if !known[p] {
				t.Errorf("role %s has %s, which does not exist", r.Key, p)
			}
		}
	}
	text, err := h.api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Permission *string `json:"x-permission"`
			Scope      string  `json:"x-scope"`
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			listed[strings.ToUpper(method)+" "+path] = true
			if op.Permission == nil || op.Scope == "" {
				t.Errorf("%s %s: the document names no permission or scope", method, path)
			}
		}
	}
	for _, r := range h.api.Routes() {
		if !listed[r.String()] {
			t.Errorf("%s is served and not in the document", r)
		}
		delete(listed, r.String())
	}
	for r := range listed {
		t.Errorf("%s is in the document and not served", r)
	}
}

// Whoever comes without sign-in, or with something that is none, gets nothing but the public list.
func TestWithoutSignInNothingAnswers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		before := w.rows()
		for _, r := range w.h.api.Routes() {
			path := strings.NewReplacer("{id}", "383166337927365004", "{site_id}", "383166337927365004", "{product_id}", "383166337927365004").Replace(r.Path)
			for _, cookie := range []string{"", "x", strings.Repeat("A", 52), "' OR 1=1 --", "%00"} {
				a := w.send(cookie, r.Method, path, m{})
				switch {
				case public[r.String()]:
					if a.status == 401 && a.code == "sign_in_required" {
						t.Errorf("%s is public and asks for sign-in", r)
					}
				case a.status != 401:
					t.Errorf("%s with cookie %q: %v", r, cookie, a)
				}
			}
		}
		if names := changed(before, w.rows()); len(names) > 0 {
			t.Errorf("changed %v", names)
		}
	}, whole)
}

// A disabled person, one signed out, and one whose session has ended are nobody.
func TestWhoWasSentAwayIsNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		w.settle()
		out := w.signIn("bossb", "long-enough-7")
		w.done(out, "POST", "/api/sign-out", nil)
		w.done(w.admin, "POST", "/api/org/staff/"+w.a.ids["boss"]+"/disable", m{})
		err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(`UPDATE org_group SET version = version + 1`) })
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range w.h.api.Routes() {
			if r.Scope == web.Public {
				continue
			}
			q := request{path: m1("id", w.a.ids["site"])}
			for name, cookie := range map[string]string{"disabled": w.a.boss, "signed out": out} {
				if a := w.send(cookie, r.Method, q.address(r.Path), m{}); a.status != 401 {
					t.Errorf("%s, %s: %v", r, name, a)
				}
			}
		}
	}, whole)
}

// What a role may do is what its permissions say: each built-in role, at a site and over the group, on
// every route. The request itself is nonsense, so that nothing happens when it is let in.
func TestEveryRoleMayWhatItsPermissionsSay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		w.settle()
		for _, role := range roles {
			perms := role.Perms
			if role.Key == org.Administrator {
				perms = nil
				for _, p := range permissions {
					perms = append(perms, p.Name)
				}
			}
			for _, kind := range []string{"site", "group"} {
				name := strings.ReplaceAll(role.Key, "_", "-") + "-" + kind
				scope := w.a.ids["site"]
				if kind == "group" {
					scope = ""
				}
				w.person(name, name, w.a.ids["site"], w.roles[role.Key].String(), kind, scope)
				cookie := w.signIn(name, "long-enough-7")
				for _, r := range w.h.api.Routes() {
					if r.Scope == web.Public || r.Scope == web.Self {
						continue
					}
					may := slices.Contains(perms, r.Perm)
					if kind == "site" && (r.Scope == web.Whole || r.Scope == web.Group && r.Effect) {
						may = false
					}
					q := request{path: map[string]string{"id": "1", "site_id": "1", "product_id": "1"}}
					var body any
					if r.Method != "GET" {
						body = []int{}
					}
					a := w.send(cookie, r.Method, q.address(r.Path), body)
					if let := a.code != "no_permission"; let != may || a.status == 401 {
						t.Errorf("%s over a %s, %s (%s): %v; may: %v", role.Key, kind, r.Name, r.Perm, a, may)
					}
				}
			}
		}
	}, whole)
}
