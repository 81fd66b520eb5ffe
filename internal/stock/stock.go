// Package stock keeps what lies at a site, by batch: how much, until when it is good, and what it cost.
// It receives, picks by earliest expiry, holds, takes back, writes off and adjusts. Every movement is a
// transfer of the ledger, once in goods and once in value. See README.md.
//
// A sale asks, looks, and books:
//
//	asked := stock.Ask(tx, site, wants)  // locks; other questions may travel with it
//	picked, err := asked.Pick()          // which batches, at what cost
//	err = picked.Sell(tx, doc, money...) // all legs of the document in one booking
package stock

import (
	"embed"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package. They refer to those of ledger, org and catalog.
var Migrations = db.Migrations{Package: "stock", FS: files}

// Books, documents and flows of stock in the ledger. Goods flow in thousandths of the SKU's base unit, value
// in fen; each flow of goods has its twin in value.
var (
	Book      = ledger.DefineBook(1, "stock")
	ValueBook = ledger.DefineBook(2, "stock_value")

	ReceiptDoc        = ledger.DefineKind(20, "goods_receipt")
	OpeningDoc        = ledger.DefineKind(21, "opening_stock")
	WriteOffDoc       = ledger.DefineKind(22, "write_off")
	AdjustmentDoc     = ledger.DefineKind(23, "adjustment")
	FreezeDoc         = ledger.DefineKind(24, "freeze")
	ReleaseDoc        = ledger.DefineKind(25, "release")
	MoveDoc           = ledger.DefineKind(26, "stock_move")
	ShippedDoc        = ledger.DefineKind(27, "transfer_out")
	ArrivedDoc        = ledger.DefineKind(28, "transfer_in")
	SettledDoc        = ledger.DefineKind(29, "transfer_missing")
	CountDoc          = ledger.DefineKind(30, "stock_count")
	SupplierReturnDoc = ledger.DefineKind(31, "supplier_return")
	ConversionDoc     = ledger.DefineKind(32, "conversion")
	ConversionBackDoc = ledger.DefineKind(33, "conversion_back")
	LandedDoc         = ledger.DefineKind(36, "landed_cost")   // has lines of its own
	ChannelDoc        = ledger.DefineKind(35, "channel_order") // its rows are promises, not documents of this package

	Sold     = ledger.DefineFlow(101, Book, "sold")
	Supplied = ledger.DefineFlow(102, Book, "supplied")
	Opening  = ledger.DefineFlow(103, Book, "opening")
	Gained   = ledger.DefineFlow(104, Book, "gain")
	Lost     = ledger.DefineFlow(105, Book, "loss")
	Consumed = ledger.DefineFlow(106, Book, "consumed") // in making; its value is on the work order
	Wasted   = ledger.DefineFlow(107, Book, "loss_in_making")
	Made     = ledger.DefineFlow(108, Book, "made") // its value comes from the work order

	// What was shipped and never came.
	LostInTransit      = ledger.DefineFlow(109, Book, "lost_in_transit")
	LostInTransitValue = ledger.DefineFlow(209, ValueBook, "lost_in_transit_value")

	// What a supplier owes for goods that go back, less what they were still worth; costs that came after the goods had gone.
	CostVariance = ledger.DefineFlow(220, ValueBook, "cost_variance")
	LateCost     = ledger.DefineFlow(221, ValueBook, "late_cost_of_sales")

	// What is in a conversion between what went in and what comes out: every document ends it at 0.
	Converting = ledger.DefineFlow(222, ValueBook, "conversion")

	CostOfSales  = ledger.DefineFlow(201, ValueBook, "cost_of_sales")
	Landed       = ledger.DefineFlow(202, ValueBook, "landed")
	OpeningValue = ledger.DefineFlow(203, ValueBook, "opening_value")
	GainValue    = ledger.DefineFlow(204, ValueBook, "gain_value")
	LossValue    = ledger.DefineFlow(205, ValueBook, "loss_value")
	WastedValue  = ledger.DefineFlow(207, ValueBook, "loss_in_making_value")
)

// PlaceKind is the kind of the accounts, in both books, of goods that are not simply there to be sold: see Spot.
const PlaceKind int16 = 2

// Reason why goods are thrown away.
type Reason string

const (
	Expired   Reason = "expired"    // over its time
	MadeWrong Reason = "made_wrong" // not as it should be
	Dropped   Reason = "dropped"
	Damaged   Reason = "damaged"
	Tasting   Reason = "tasting"
	Sample    Reason = "sample"
	Returned  Reason = "returned" // a customer brought it back and it can't be sold again
	Other     Reason = "other"
)

// Reasons in the order screens show them.
var Reasons = []Reason{Expired, MadeWrong, Dropped, Damaged, Tasting, Sample, Returned, Other}

type wasteFlows struct{ goods, value ledger.Account }

var waste = func() map[Reason]wasteFlows {
	m := map[Reason]wasteFlows{}
	for i, r := range Reasons {
		m[r] = wasteFlows{
			ledger.DefineFlow(int64(110+i), Book, "waste_"+string(r)),
			ledger.DefineFlow(int64(210+i), ValueBook, "waste_cost_"+string(r)),
		}
	}
	return m
}()

// Waste is where goods thrown away for a reason go, and where their cost goes.
func Waste(r Reason) (goods, value ledger.Account, ok bool) {
	f, ok := waste[r]
	return f.goods, f.value, ok
}

// Never is the expiry of what keeps for ever.
var Never = ledger.Never

var (
	ErrShort        = errs.Define("stock_short", errs.Conflict, "{product} 库存不足,只剩 {left}", "Not enough stock: only {left} of {product} left")
	ErrPieces       = errs.Define("stock_pieces_whole", errs.Invalid, "按件计的商品数量必须是整数", "Goods that are counted in pieces come in whole ones")
	ErrNoBatch      = errs.Define("batch_unknown", errs.NotFound, "这家机构没有这个批次", "There is no such batch at this site")
	ErrExpired      = errs.Define("batch_expired", errs.Conflict, "{product} 批次 {batch} 已过期,不能销售", "Batch {batch} of {product} has expired and can't be sold")
	ErrExpiredBack  = errs.Define("batch_expired_back", errs.Conflict, "这个批次已过期,不能退回库存,请选择报废", "This batch has expired; the goods can't go back into stock, choose to discard them")
	ErrQty          = errs.Define("stock_qty_bad", errs.Invalid, "数量必须大于零", "The quantity must be more than zero")
	ErrQtyZero      = errs.Define("stock_qty_zero", errs.Invalid, "调整数量不能为零:多了写正数,少了写负数", "An adjustment is more than zero where there is more, less than zero where there is less")
	ErrQtyTooLarge  = errs.Define("stock_qty_too_large", errs.Invalid, "数量太大", "The quantity is too large")
	ErrCost         = errs.Define("stock_cost_bad", errs.Invalid, "成本不能为负,也不能过大", "The cost must not be negative, nor too large")
	ErrNoUnit       = errs.Define("stock_unit_unknown", errs.Invalid, "这个商品没有规格单位“{unit}”", "This product has no unit {unit}")
	ErrTooManyLines = errs.Define("stock_lines_too_many", errs.Invalid, "一张单据最多 {most} 行", "A document has at most {most} lines")
	ErrNoLines      = errs.Define("stock_lines_none", errs.Invalid, "单据没有明细", "The document has no lines")
)

// atQty says that err, a refusal of a conversion, is about a line's quantity.
func atQty(err error, line int) error {
	return errs.As(err).At(field(line, "qty"))
}

// share is the value that q of a batch takes along: round half up of value × q ÷ left, and the last issue
// takes the rest, so that every batch ends at exactly 0 fen. 0 ≤ q ≤ left.
func share(value money.Fen, q, left qty.Qty) (money.Fen, error) {
	if q == left {
		return value, nil
	}
	n, err := money.MulDiv(int64(value), int64(q), int64(left))
	return money.Fen(n), err
}

// lot is a batch with its two accounts, locked by this transaction.
type lot struct {
	id       id.ID
	value    id.ID
	of       id.ID // the batch that this is a place of; 0: it is the batch itself
	sku      id.ID
	code     string
	wasOpen  bool // something was in it
	expires  time.Time
	reduced  int64     // 1: sold at a price of its own, and last
	received time.Time // only known where a policy asks for it
	had      qty.Qty   // not held, before anything was chosen
	others   int64     // 1: the site has more of the SKU in other batches, 0: it has not, -1: nobody asked

	// What is left when everything chosen so far is taken.
	free   qty.Qty // not held
	onHand qty.Qty // held or not
	worth  money.Fen
}

func (b *lot) account() ledger.Account      { return ledger.Account(b.id) }
func (b *lot) valueAccount() ledger.Account { return ledger.Account(b.value) }
func (b *lot) unit() ledger.Unit            { return ledger.Unit(b.sku) }

func (b *lot) expired(now time.Time) bool { return !now.Before(b.expires) }

// issue takes q ≤ onHand out of the lot and returns its share of the value.
func (b *lot) issue(q qty.Qty) (money.Fen, error) {
	cost, err := share(b.worth, q, b.onHand)
	b.free -= q
	b.onHand -= q
	b.worth -= cost
	return cost, err
}
