package replenish

import (
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// ProposalWhy is why a line is ordered so.
type ProposalWhy struct {
	Net       qty.Qty `json:"net"`
	Over      qty.Qty `json:"over" doc:"bought beyond the need"`
	LeadClass string  `json:"lead_class,omitempty"`
	LeadH     int64   `json:"lead_h"`
	OrderDays string  `json:"order_days,omitempty" doc:"digits 1 Monday to 7 Sunday"`
	Others    []Other `json:"others" doc:"suppliers that were not taken"`

	Static *StaticWhy `json:"static,omitempty" doc:"of a product ordered by its level"`
	Event  *EventWhy  `json:"event,omitempty" doc:"of the calendar, what raised the need"`
	Urgent *UrgentWhy `json:"urgent,omitempty" doc:"of a line in a hurry"`
	DMS    *DMSWhy    `json:"dms,omitempty" doc:"of a product ordered by daily mean sales"`
	Word   *WordWhy   `json:"word,omitempty" doc:"what the supplier's word is taken for; left out: as it is given"`
}

// StaticWhy is what a line of the static rule was worked out from, in base units.
type StaticWhy struct {
	Available      qty.Qty  `json:"available" doc:"in date when the order comes, less what is reserved"`
	InTransit      qty.Qty  `json:"in_transit"`
	Safety         qty.Qty  `json:"safety" doc:"the level it fell below"`
	Most           qty.Qty  `json:"most" doc:"what is ordered up to"`
	ByHand         bool     `json:"by_hand" doc:"somebody set the level"`
	ComputedSafety *qty.Qty `json:"computed_safety,omitempty" doc:"what the forecast makes of it"`
	ComputedMost   *qty.Qty `json:"computed_most,omitempty"`
	Days           int64    `json:"days" doc:"days it must last"`
	Expected       qty.Qty  `json:"expected" doc:"expected to be asked for in them"`
	Margin         qty.Qty  `json:"margin" doc:"for the error of the forecast"`
	Stock          []Age    `json:"stock"`
	Arriving       []Coming `json:"arriving"`
}

// EventWhy is the entry of the calendar that raised a need, and from when its goods are ordered.
type EventWhy struct {
	ID        id.ID     `json:"id"`
	Kind      EventKind `json:"kind" enum:"promotion,festival,season,weather"`
	Name      string    `json:"name"`
	Factor    qty.Qty   `json:"factor" doc:"as in 1.5"`
	Without   qty.Qty   `json:"without" doc:"what the target would be without it"`
	OrderFrom string    `json:"order_from,omitempty" doc:"on the clock of the site"`
	Earlier   bool      `json:"earlier" doc:"ordered earlier than 48 hours before, for the supplier's lead time"`
	Learned   *Learned  `json:"learned,omitempty" doc:"what past years say of the festival's day"`
}

// UrgentWhy is why something is fetched in a hurry.
type UrgentWhy struct {
	Sold         qty.Qty   `json:"sold" doc:"since opening"`
	Expected     qty.Qty   `json:"expected" doc:"of it by now"`
	FactorPPM    int64     `json:"factor_ppm" doc:"what the day is now believed to be of its forecast, in millionths"`
	Remaining    qty.Qty   `json:"remaining" doc:"still expected today"`
	Available    qty.Qty   `json:"available"`
	Arriving     qty.Qty   `json:"arriving"`
	ShortPPM     int64     `json:"short_ppm" doc:"the probability of running out, in millionths"`
	OutAt        string    `json:"out_at" doc:"when it runs out at this pace, as in 15:40"`
	ArrivesAt    string    `json:"arrives_at" doc:"when it can be there"`
	SurchargePPM int64     `json:"surcharge_ppm"`
	TripFen      money.Fen `json:"trip_fen" doc:"what fetching it from a store costs"`
	BuyFen       money.Fen `json:"buy_fen" doc:"what buying it in a hurry would cost; 0: nobody delivers in time"`
}

// Other is a supplier that was not taken.
type Other struct {
	SupplierID id.ID     `json:"supplier_id"`
	Packs      int64     `json:"packs"`
	AmountFen  money.Fen `json:"amount_fen"`
	OrderBy    string    `json:"order_by"`
	Late       bool      `json:"late"`
}
