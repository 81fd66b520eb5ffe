package checkout

import (
	"fmt"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/pricing"
	"zhanggui/internal/till"
)

// Limits of what a till may ask.
const (
	maxTenders  = 6
	maxLineQty  = 100_000 * qty.Scale // of a sales unit in one line: beyond that somebody scanned a barcode into the field
	minPayCode  = 6
	maxPayCode  = 64
	maxCashOver = 10_000_000 // fen handed over beyond the amount: nobody pays with 100,000 yuan too much
)

var (
	ErrEmpty        = errs.Define("sale_empty", errs.Invalid, "购物车是空的", "The basket is empty")
	ErrTooMany      = errs.Define("sale_too_many_lines", errs.Invalid, "一张小票最多 {most} 行", "A slip has {most} lines at most")
	ErrQty          = errs.Define("line_qty_bad", errs.Invalid, "数量必须大于 0", "The quantity must be more than 0")
	ErrQtyAbsurd    = errs.Define("line_qty_absurd", errs.Invalid, "数量 {qty} 太大,一行最多 {most}", "The quantity {qty} is too large; a line has {most} at most")
	ErrWhole        = errs.Define("line_qty_whole", errs.Invalid, "“{product}”按件卖,数量必须是整件", "{product} is sold by the piece; the quantity must be whole pieces")
	ErrByAmount     = errs.Define("line_amount_bad", errs.Invalid, "按金额卖时只填金额,金额必须大于 0", "A line sold by amount has an amount above 0 and no quantity")
	ErrNotWeighed   = errs.Define("line_not_weighed", errs.Invalid, "“{product}”({unit})不是按重量卖的,不能按金额卖", "{product} ({unit}) is not sold by weight, so it can't be sold by amount")
	ErrAmountSmall  = errs.Define("line_amount_small", errs.Invalid, "金额太小,不够“{product}”的一个秤分度", "The amount is too small: it does not buy one step of the scale of {product}")
	ErrNotOnSale    = errs.Define("product_not_on_sale", errs.Conflict, "“{product}”现在不卖(新品未上架、已停售或已淘汰)", "{product} is not for sale: not listed yet, or no longer sold")
	ErrPriceChanged = errs.Define("price_changed", errs.Conflict, "价格已变,现在合计 {total} 元,请确认后再收款", "The price has changed: the total is now {total} yuan; confirm and take the payment again")
	ErrNoTender     = errs.Define("tender_missing", errs.Invalid, "没有支付方式", "There is no tender")
	ErrTenders      = errs.Define("tender_many", errs.Invalid, "最多 {most} 种支付,现金只能一种", "There can be {most} tenders at most, and one of them in cash")
	ErrTenderKind   = errs.Define("tender_kind_bad", errs.Invalid, "支付方式只能是现金或移动支付", "A tender is cash or mobile")
	ErrTenderAmount = errs.Define("tender_amount_bad", errs.Invalid, "支付金额必须大于 0", "The amount of a tender must be more than 0")
	ErrTenderSum    = errs.Define("tender_sum", errs.Invalid, "支付合计 {tendered} 元,应收 {total} 元", "The tenders add up to {tendered} yuan, due are {total} yuan")
	ErrTooLittle    = errs.Define("cash_too_little", errs.Invalid, "实收 {given} 元,不够应收的 {amount} 元", "{given} yuan were handed over, {amount} yuan are due")
	ErrTooMuchCash  = errs.Define("cash_too_much", errs.Invalid, "实收金额 {given} 元不合常理,请检查", "{given} yuan handed over can't be right; please check")
	ErrPayCode      = errs.Define("pay_code_bad", errs.Invalid, "付款码应为 {least} 到 {most} 个字符", "A payment code has {least} to {most} characters")
)

// OrderLine is one line of a basket as the till sends it: a product, so many of a sales unit, and the
// batch if the goods carry its code. It has no price: the price is the book's.
type OrderLine struct {
	ProductID id.ID   `json:"product_id"`
	Unit      string  `json:"unit" maxLength:"20"`
	Qty       qty.Qty `json:"qty,omitempty" doc:"decimal with at most 3 places, in the unit; left out when sold by amount"`
	BatchID   id.ID   `json:"batch_id,omitempty" doc:"only if the goods show it; otherwise the earliest expiry is taken"`

	// A weighed unit may be sold by money: the line costs exactly this, and so much leaves stock as it buys at the book's price.
	AmountFen money.Fen `json:"amount_fen,omitempty" minimum:"0" doc:"instead of qty, for a weighed unit: what the customer pays; amount ÷ price, half up to the step of the scale, leaves stock"`
}

// TenderIn is one way of paying as the till sends it.
type TenderIn struct {
	Kind      till.Kind `json:"kind" enum:"cash,mobile"`
	AmountFen money.Fen `json:"amount_fen" doc:"of the total that this tender covers"`
	GivenFen  money.Fen `json:"given_fen,omitempty" doc:"cash handed over; the amount when left out"`
	PayCode   string    `json:"pay_code,omitempty" maxLength:"64" doc:"the payer's code, for mobile"`
}

// priced is a basket with what the books say of it.
type priced struct {
	site     *org.Site
	date     cal.Date
	lines    []OrderLine
	products []*catalog.Product
	units    []*catalog.Unit
	qty      []qty.Qty // in the unit; of a line sold by amount, what the amount buys
	base     []qty.Qty
	prices   []money.Fen    // of the book
	bundles  map[int][]part // of the order lines that are bundles, what they are made of
	parts    []part         // lines of the sale
	bill     pricing.Bill
}

func at(i int, field string) string { return fmt.Sprintf("lines[%d].%s", i, field) }

// price reads the basket line by line and prices it by the book at this moment. What is marked down is known only
// when the batches are: see reduce.
func (s *Service) price(tx *db.Tx, site *org.Site, lines []OrderLine) (*priced, error) {
	if len(lines) == 0 {
		return nil, ErrEmpty.At("lines")
	}
	if len(lines) > till.MaxLines {
		return nil, ErrTooMany.With("most", till.MaxLines).At("lines")
	}
	p := &priced{site: site, date: site.BusinessDate(tx.Now()), lines: lines, products: make([]*catalog.Product, len(lines)),
		units: make([]*catalog.Unit, len(lines)), qty: make([]qty.Qty, len(lines)), base: make([]qty.Qty, len(lines)), prices: make([]money.Fen, len(lines))}
	ids := make([]id.ID, len(lines))
	for i := range lines {
		ids[i] = lines[i].ProductID
	}
	goods, err := s.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	units := make([]id.ID, len(lines))
	for i, l := range lines {
		g := goods[l.ProductID]
		switch {
		case g == nil:
			return nil, catalog.ErrNoProduct.At(at(i, "product_id"))
		case !g.State.Sold():
			return nil, ErrNotOnSale.With("product", g.Name).At(at(i, "product_id"))
		case l.AmountFen < 0 || l.AmountFen > 0 && l.Qty != 0:
			return nil, ErrByAmount.At(at(i, "amount_fen"))
		case l.AmountFen == 0 && l.Qty <= 0:
			return nil, ErrQty.At(at(i, "qty"))
		case l.Qty > maxLineQty:
			return nil, ErrQtyAbsurd.With("qty", l.Qty, "most", qty.Qty(maxLineQty)).At(at(i, "qty"))
		}
		u := g.Unit(l.Unit)
		if u == nil || u.Retired {
			return nil, catalog.ErrNoUnit.With("product", g.Name, "unit", l.Unit).At(at(i, "unit"))
		}
		p.products[i], p.units[i], p.qty[i], units[i] = g, u, l.Qty, u.ID
		if l.AmountFen > 0 {
			if !u.Weighed {
				return nil, ErrNotWeighed.With("product", g.Name, "unit", u.Name).At(at(i, "amount_fen"))
			}
			continue // what it buys is known with the price
		}
		if p.base[i], err = u.Qty().ToBase(l.Qty); err != nil {
			return nil, errs.As(err).At(at(i, "qty"))
		}
		if g.SKU != 0 && !whole(g, l.Qty, p.base[i]) { // a bundle says so itself
			return nil, ErrWhole.With("product", g.Name).At(at(i, "qty"))
		}
	}
	inside, err := s.unpack(tx, p, &units)
	if err != nil {
		return nil, err
	}
	prices, err := s.prices.At(tx, site.ID, p.date, units)
	if err != nil {
		return nil, err
	}
	for i, l := range lines {
		fen, ok := prices[units[i]]
		if !ok {
			return nil, price.ErrNoPrice.With("product", p.products[i].Name, "unit", l.Unit).At(at(i, "product_id"))
		}
		p.prices[i] = fen
		if l.AmountFen > 0 {
			if p.base[i], p.qty[i], err = p.units[i].ByAmount(l.AmountFen, fen); err != nil {
				return nil, errs.As(err).At(at(i, "amount_fen"))
			}
			switch {
			case p.qty[i] > maxLineQty:
				return nil, ErrQtyAbsurd.With("qty", p.qty[i], "most", qty.Qty(maxLineQty)).At(at(i, "amount_fen"))
			case p.base[i] == 0:
				return nil, ErrAmountSmall.With("product", p.products[i].Name).At(at(i, "amount_fen"))
			}
		}
	}
	if err := p.bundle(inside, prices); err != nil {
		return nil, err
	}
	p.parts = p.whole()
	return p, p.total()
}

// whole says whether goods that are counted leave or come back in whole pieces: a thousandth of a bun costs 0.00 yuan. Part
// of a box is as good as its pieces, and so is one of a unit that is part of a piece, like half a loaf.
func whole(p *catalog.Product, q, base qty.Qty) bool {
	return p.BaseUnit != "piece" || base%qty.Scale == 0 || q%qty.Scale == 0
}

// tenders reads how the customer pays. A sale that costs nothing needs no tender.
func readTenders(in []TenderIn, total money.Fen) ([]till.Tender, error) {
	if len(in) == 0 && total > 0 {
		return nil, ErrNoTender.At("tenders")
	}
	if len(in) > maxTenders {
		return nil, ErrTenders.With("most", maxTenders).At("tenders")
	}
	tenders := make([]till.Tender, len(in))
	var sum money.Fen
	cash := 0
	for i, t := range in {
		field := func(name string) string { return fmt.Sprintf("tenders[%d].%s", i, name) }
		if t.AmountFen < 0 || t.AmountFen > money.Max || t.AmountFen == 0 && total > 0 {
			return nil, ErrTenderAmount.At(field("amount_fen"))
		}
		given := t.GivenFen
		switch t.Kind {
		case till.Cash:
			if cash++; cash > 1 {
				return nil, ErrTenders.With("most", maxTenders).At(field("kind"))
			}
			if given == 0 {
				given = t.AmountFen
			}
			if given < t.AmountFen {
				return nil, ErrTooLittle.With("given", given.Yuan(), "amount", t.AmountFen.Yuan()).At(field("given_fen"))
			}
			if given > t.AmountFen+maxCashOver {
				return nil, ErrTooMuchCash.With("given", given.Yuan()).At(field("given_fen"))
			}
		case till.Mobile:
			if len(t.PayCode) < minPayCode || len(t.PayCode) > maxPayCode {
				return nil, ErrPayCode.With("least", minPayCode, "most", maxPayCode).At(field("pay_code"))
			}
			if t.AmountFen == 0 {
				return nil, ErrTenderAmount.At(field("amount_fen"))
			}
			given = 0
		default:
			return nil, ErrTenderKind.At(field("kind"))
		}
		tenders[i] = till.Tender{No: int64(i + 1), Kind: t.Kind, Amount: t.AmountFen, Given: given}
		sum += t.AmountFen
	}
	if sum != total {
		return nil, ErrTenderSum.With("tendered", sum.Yuan(), "total", total.Yuan()).At("tenders")
	}
	return tenders, nil
}
