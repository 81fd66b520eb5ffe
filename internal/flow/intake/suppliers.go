package intake

import (
	"strings"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Columns of suppliers.
const (
	supplierCode = iota
	supplierName
	supplierProduct
	supplierPack
	supplierUnit
	supplierPrice
	supplierMin
	supplierClass
	supplierLead
	supplierDays
	supplierCutOff
)

var supplierColumns = []column{
	must("supplier", "供应商编码", "Supplier code", "供应商", "供应商编号", "supplier_code", "supplier_id", "vendor"),
	must("name", "名称", "Name", "供应商名称", "supplier_name", "vendor_name"),
	must("product", "商品编码", "Product code", productWords...),
	must("pack_qty", "每包数量", "In one pack", "包装数量", "箱规", "pack").of(figures),
	soft("unit", "单位", "Unit of pack and price", unitWords...),
	must("price_fen4", "进价(万分之一分)", "Price of one unit in 0.0001 fen", "单价(万分之一分)").of(figures),
	soft("min_packs", "起订包数", "Least packs of an order", "起订量", "最小起订", "moq").of(figures),
	must("lead_class", "到货类别", "Lead class: fresh, frozen or ambient", "温层", "储运条件"),
	soft("lead_h", "提前期(小时)", "Lead time in hours", "提前期", "到货周期").of(figures),
	soft("order_days", "订货日", "Order days, 1 Monday to 7 Sunday", "可订货日", "订货星期"),
	soft("cut_off", "截单时间", "Cut-off", "截止时间", "截单").of(clocks),
}

var errPrice4 = errs.Define("price_fen4_bad", errs.Invalid,
	"“{text}”应为不小于 0 的整数,单位是万分之一分;1 元写 1000000", "“{text}” must be a whole number of 0.0001 fen; write 1000000 for 1 yuan")

// SupplierRow is one row of suppliers: what a supplier asks and gives for a product.
type SupplierRow struct {
	Supplier, Name, Product string
	Pack                    qty.Qty // in Unit
	Unit                    string  // "" is the base unit
	Price                   money.Fen4
	MinPacks                int64
	Class                   party.LeadClass
	LeadHours               int64
	Days                    party.OrderDays
	CutOff                  int64 // minutes after midnight
}

func parseSupplier(c *cells) SupplierRow {
	r := SupplierRow{
		Supplier: c.named(supplierCode, 32),
		Name:     c.named(supplierName, 80),
		Product:  c.named(supplierProduct, 120),
		Pack:     c.positive(supplierPack),
		Unit:     c.text(supplierUnit, 20),
		MinPacks: 1,
		Days:     party.EveryDay,
		CutOff:   party.EndOfDay,
	}
	if r.Supplier != "" && !goodCode(r.Supplier, 32) {
		c.refuse(supplierCode, catalog.ErrCode.With("most", 32))
	}
	price, ok := c.whole(supplierPrice, errPrice4, int64(party.MaxPrice))
	if !ok && c.raw(supplierPrice) == "" {
		c.refuse(supplierPrice, ErrCellEmpty)
	}
	r.Price = money.Fen4(price)
	if n, ok := c.whole(supplierMin, ErrWhole, party.MaxPacks); ok {
		r.MinPacks = max(n, 1)
	}
	r.Class = party.LeadClass(strings.ToLower(c.named(supplierClass, 20)))
	if zh, ok := leadWords[string(r.Class)]; ok {
		r.Class = zh
	}
	if r.Class != "" && r.Class.LeadHours() == 0 {
		c.refuse(supplierClass, party.ErrLeadClass)
	}
	if n, ok := c.whole(supplierLead, ErrWhole, party.MaxLeadHours); ok {
		r.LeadHours = n
	}
	if s := c.raw(supplierDays); s != "" {
		var err error
		if r.Days, err = party.ParseOrderDays(s); err != nil {
			c.refuseErr(supplierDays, err)
		}
	}
	if s := c.raw(supplierCutOff); s != "" {
		minutes, err := party.ParseCutOff(s)
		if err != nil {
			c.refuseErr(supplierCutOff, err)
		}
		r.CutOff = minutes
	}
	return r
}

var leadWords = map[string]party.LeadClass{"鲜": party.Fresh, "生鲜": party.Fresh, "冷藏": party.Fresh, "冷冻": party.Frozen, "冻": party.Frozen, "常温": party.Ambient}
