// Package supplyday joins forecast, stock, recipes and suppliers into the plan of a day: what a site makes, what
// that takes, what is ordered for it. It plans from files without a database, and each morning from what the house
// knows; what people confirm becomes purchase orders and requisitions, and what comes against an order goes into
// stock in the same act. See README.md.
package supplyday

import (
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/price"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
)

// Service plans the days of sites.
type Service struct {
	goods     *catalog.Service
	forecasts *forecast.Service
	prices    *price.Service
	org       *org.Org
}

// New returns the service.
func New(goods *catalog.Service, forecasts *forecast.Service, prices *price.Service, o *org.Org) *Service {
	return &Service{goods, forecasts, prices, o}
}

// Permissions of this package.
const (
	permRead    = "plan.read"
	permConfirm = "plan.confirm"
	permSource  = "purchase.manage"
	permReceive = "stock.manage"
	permApprove = "plan.approve"
	permRules   = "plan.rules"
)

// Jobs registers the night's forecasts and plans, and plans that somebody asks for.
func (s *Service) Jobs(r *jobs.Runner) {
	r.Handle(NightJob, s.night)
	r.DailyAt(NightJob, nightly)
	r.Handle(PlanJob, s.run)
	r.Handle(PaceJob, s.watch)
	r.Every(PaceJob, 30*time.Minute, nil)
}

// Subscribe lets a new forecast make a new plan, what a kitchen has made count in it, and later rounds follow.
func (s *Service) Subscribe(r *outbox.Relay) {
	r.Subscribe("supplyday_forecast", forecastMade, s.forecastMade)
	r.Subscribe("supplyday_made", produceMade, s.produced)
	r.Subscribe("supplyday_rounds", replenish.EventDecided, s.roundsDecided)
	r.Subscribe("supplyday_transfer", stock.EventTransfer, s.transferMoved)
}

// Routes registers the routes of plans, and of goods that come against an order.
func (s *Service) Routes(api *web.API) {
	s.planRoutes(api)
	s.requisitionRoutes(api)
	s.sourceRoutes(api)
	s.ruleRoutes(api)
	s.serviceRoutes(api)
	s.equipmentRoutes(api)
	s.paceRoutes(api)
	s.offerRoutes(api)
	mixRoutes(api)
	s.receiptRoutes(api)
	receiptViewRoutes(api)
}
