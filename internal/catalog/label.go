package catalog

import (
	"context"
	"strings"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/gs1"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Layout says how the EAN-13 of a scale label is built: two digits that name the layout, the item number, perhaps a check
// digit over the value, the value, and the check digit of the whole.
type Layout struct {
	ID          id.ID  `json:"id"`
	Prefix      string `json:"prefix" doc:"20 to 29; a prefix has one layout"`
	Name        string `json:"name"`
	ItemDigits  int    `json:"item_digits"`
	ValueCheck  bool   `json:"value_check" doc:"a check digit stands before the value (GS1 General Specifications, price check digit)"`
	ValueDigits int    `json:"value_digits"`
	ValueKind   string `json:"value_kind" enum:"weight,price,count" doc:"weight in kilograms or litres, price in yuan, count in the unit"`
	Decimals    int    `json:"decimals" doc:"of the value"`
}

// LayoutDraft is what a person says of a layout.
type LayoutDraft struct {
	Prefix      string `json:"prefix" maxLength:"2"`
	Name        string `json:"name" maxLength:"40"`
	ItemDigits  int    `json:"item_digits" minimum:"3" maximum:"6"`
	ValueCheck  bool   `json:"value_check,omitempty"`
	ValueDigits int    `json:"value_digits" minimum:"4" maximum:"6"`
	ValueKind   string `json:"value_kind" enum:"weight,price,count"`
	Decimals    int    `json:"decimals" minimum:"0" maximum:"3"`
}

var (
	ErrNoLayout      = errs.Define("label_unknown", errs.NotFound, "没有这种秤签格式", "There is no such label layout")
	ErrLayoutPrefix  = errs.Define("label_prefix_bad", errs.Invalid, "前缀应为 20 到 29", "The prefix must be from 20 to 29")
	ErrLayoutTaken   = errs.Define("label_prefix_taken", errs.Conflict, "前缀 {prefix} 已被格式“{name}”使用", "The prefix {prefix} is used by the layout {name}")
	ErrLayoutLength  = errs.Define("label_length_bad", errs.Invalid, "品号、校验位和数值合计应为 10 位,现在是 {n} 位", "Item number, check digit and value must have 10 digits together; these are {n}")
	ErrLayoutCheck   = errs.Define("label_check_bad", errs.Invalid, "数值校验位只用于 4 位或 5 位数值", "A check digit over the value needs a value of 4 or 5 digits")
	ErrLayoutDigits  = errs.Define("label_digits_bad", errs.Invalid, "小数位不能多于数值位数;金额最多 2 位小数,重量最多 3 位", "There can't be more decimals than digits; a price has 2 at most, a weight 3")
	ErrLayoutKind    = errs.Define("label_kind_bad", errs.Invalid, "数值只能是重量、金额或件数", "The value must be weight, price or count")
	ErrLabelCheck    = errs.Define("label_check_digit", errs.Invalid, "条码 {code} 的校验位不对,请重扫", "The check digit of {code} is wrong; scan again")
	ErrLabelValue    = errs.Define("label_value_check", errs.Invalid, "秤签 {code} 的数值校验位不对,请重新打印", "The check digit of the value of label {code} is wrong; print it again")
	ErrLabelItem     = errs.Define("label_item_unknown", errs.NotFound, "秤签上的品号 {item} 没有对应的商品", "No product has the item number {item} of this label")
	ErrLabelZero     = errs.Define("label_value_zero", errs.Invalid, "秤签上的数值是 0,请重新称", "The value on the label is 0; weigh again")
	ErrLabelGoods    = errs.Define("label_goods_bad", errs.Invalid, "“{product}”({unit})不是按重量卖的,不能用重量或金额秤签", "{product} ({unit}) is not sold by weight; a label of weight or price can't be for it")
	ErrLabelExpired  = errs.Define("label_expired", errs.Conflict, "“{product}”的标签写着 {date} 到期,已过期,不能卖", "The label of {product} says it expired at {date}; it can't be sold")
	ErrCodeUnread    = errs.Define("code_unreadable", errs.Invalid, "这个码读不出来:{why}", "This code can't be read: {why}")
	ErrLabelCurrency = errs.Define("label_currency", errs.Invalid, "标签上的金额不是人民币,不能按标签卖", "The price on the label is not in yuan; it can't be sold by the label")
)

func (d *LayoutDraft) check() error {
	d.Name = strings.TrimSpace(d.Name)
	n := d.ItemDigits + d.ValueDigits
	if d.ValueCheck {
		n++
	}
	switch {
	case len(d.Prefix) != 2 || d.Prefix[0] != '2' || d.Prefix[1] < '0' || d.Prefix[1] > '9':
		return ErrLayoutPrefix.At("prefix")
	case !goodName(d.Name, 40):
		return ErrName.With("most", 40).At("name")
	case n != 10 || d.ItemDigits < 3 || d.ValueDigits < 4:
		return ErrLayoutLength.With("n", n).At("value_digits")
	case d.ValueCheck && d.ValueDigits != 4 && d.ValueDigits != 5:
		return ErrLayoutCheck.At("value_check")
	case d.ValueKind != "weight" && d.ValueKind != "price" && d.ValueKind != "count":
		return ErrLayoutKind.At("value_kind")
	case d.Decimals < 0 || d.Decimals > 3 || d.Decimals > d.ValueDigits || d.ValueKind == "price" && d.Decimals > 2:
		return ErrLayoutDigits.At("decimals")
	}
	return nil
}

// The weighting of the digits of a value in its check digit (GS1 General Specifications, variable measure numbers).
var (
	twoMinus  = [10]int{0, 2, 4, 6, 8, 9, 1, 3, 5, 7}
	three     = [10]int{0, 3, 6, 9, 2, 5, 8, 1, 4, 7}
	fivePlus  = [10]int{0, 5, 1, 6, 2, 7, 3, 8, 4, 9}
	fiveMinus = [10]int{0, 5, 9, 4, 8, 3, 7, 2, 6, 1}
)

// valueCheck is the check digit over a value of four or five digits.
func valueCheck(digits string) byte {
	sum := 0
	if len(digits) == 4 {
		for i, w := range [...]*[10]int{&twoMinus, &twoMinus, &three, &fiveMinus} {
			sum += w[digits[i]-'0']
		}
		return '0' + byte(sum*3%10)
	}
	for i, w := range [...]*[10]int{&fivePlus, &twoMinus, &fiveMinus, &fivePlus, &twoMinus} {
		sum += w[digits[i]-'0']
	}
	want := (10 - sum%10) % 10
	for d, w := range fiveMinus {
		if w == want {
			return '0' + byte(d)
		}
	}
	return '0'
}

// Label is what a scale label says.
type Label struct {
	Item  string // without leading zeros
	Value int64  // as printed; Layout.Decimals of its digits are decimals
}

// read takes a label of this layout apart. The code is 13 digits that begin with the prefix.
func (l *Layout) read(code string) (Label, error) {
	if !gs1.Checked(code) {
		return Label{}, ErrLabelCheck.With("code", code).At("code")
	}
	body := code[2:12]
	item, value := body[:l.ItemDigits], body[len(body)-l.ValueDigits:]
	if l.ValueCheck && body[l.ItemDigits] != valueCheck(value) {
		return Label{}, ErrLabelValue.With("code", code).At("code")
	}
	n := int64(0)
	for i := range len(value) {
		n = n*10 + int64(value[i]-'0')
	}
	return Label{strings.TrimLeft(item, "0"), n}, nil
}

// Write is the label of an item: what a scale would print. False when item or value have too many digits.
func (l *Layout) Write(item string, value int64) (string, bool) {
	digits := func(n int64, size int) (string, bool) {
		b := make([]byte, size)
		for i := size - 1; i >= 0; i-- {
			b[i] = '0' + byte(n%10)
			n /= 10
		}
		return string(b), n == 0
	}
	v, fits := digits(value, l.ValueDigits)
	if len(item) > l.ItemDigits || !fits || value < 0 {
		return "", false
	}
	code := l.Prefix + strings.Repeat("0", l.ItemDigits-len(item)) + item
	if l.ValueCheck {
		code += string(valueCheck(v))
	}
	code += v
	check, ok := gs1.CheckDigit(code)
	return code + string(check), ok
}

const layoutColumns = `SELECT l.id, l.prefix, l.name, l.item_digits, l.value_check, l.value_digits, l.value_kind, l.decimals FROM catalog_label l `

func scanLayout(scan func(...any) error) (*Layout, error) {
	l := &Layout{}
	var item, value, decimals int64
	err := scan(&l.ID, &l.Prefix, &l.Name, &item, &l.ValueCheck, &value, &l.ValueKind, &decimals)
	l.ItemDigits, l.ValueDigits, l.Decimals = int(item), int(value), int(decimals)
	return l, err
}

// Layouts are all label layouts by prefix; there are ten at most.
func Layouts(tx *db.Tx) ([]Layout, error) {
	rows := tx.Query(layoutColumns + `ORDER BY l.prefix`)
	defer rows.Close()
	all := []Layout{}
	for rows.Next() {
		l, err := scanLayout(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, *l)
	}
	return all, rows.Err()
}

// PutLayout adds a layout, or with an id replaces it. A prefix that another layout has is refused.
func PutLayout(tx *db.Tx, staff, layout id.ID, d LayoutDraft) (*Layout, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	var other id.ID
	var name string
	// Serialised by the version row, as every change of goods: two people can't claim one prefix at once.
	if err := tx.Exec(`UPDATE catalog_version SET version = version WHERE id = 1`); err != nil {
		return nil, err
	}
	rows := tx.Query(`SELECT id, name FROM catalog_label WHERE prefix = $1 AND id <> $2`, d.Prefix, layout)
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(&other, &name); err != nil {
			return nil, err
		}
		return nil, ErrLayoutTaken.With("prefix", d.Prefix, "name", name).At("prefix")
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	l := &Layout{ID: layout, Prefix: d.Prefix, Name: d.Name, ItemDigits: d.ItemDigits, ValueCheck: d.ValueCheck, ValueDigits: d.ValueDigits, ValueKind: d.ValueKind, Decimals: d.Decimals}
	if layout == 0 {
		l.ID = id.New()
		return l, tx.Exec(`INSERT INTO catalog_label (id, prefix, name, item_digits, value_check, value_digits, value_kind, decimals, staff_id, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, l.ID, l.Prefix, l.Name, l.ItemDigits, flag(l.ValueCheck), l.ValueDigits, l.ValueKind, l.Decimals, staff, tx.Now())
	}
	return l, tx.ExecExactly(1, ErrNoLayout, `UPDATE catalog_label SET prefix = $1, name = $2, item_digits = $3, value_check = $4, value_digits = $5, value_kind = $6, decimals = $7,
		staff_id = $8, changed_at = $9 WHERE id = $10`, l.Prefix, l.Name, l.ItemDigits, flag(l.ValueCheck), l.ValueDigits, l.ValueKind, l.Decimals, staff, tx.Now(), l.ID)
}

// DropLayout takes a layout away; its labels are then codes that nobody knows.
func DropLayout(tx *db.Tx, layout id.ID) error {
	return tx.ExecExactly(1, ErrNoLayout, `DELETE FROM catalog_label WHERE id = $1`, layout)
}

func (s *Service) labelRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/goods/labels", Name: "list-label-layouts", Summary: "How scale labels are built", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*web.Page[Layout], error) {
			all, err := Layouts(tx)
			return &web.Page[Layout]{Items: all}, err
		})
	web.Post(api, web.Route{Path: "/api/goods/labels", Name: "create-label-layout", Summary: "Add a layout of scale labels", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body LayoutDraft }) (*Layout, error) {
			return PutLayout(tx, org.CallerOf(ctx).ID, 0, in.Body)
		})
	web.Put(api, web.Route{Path: "/api/goods/labels/{id}", Name: "change-label-layout", Summary: "Change a layout of scale labels", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body LayoutDraft
		}) (*Layout, error) {
			return PutLayout(tx, org.CallerOf(ctx).ID, in.ID, in.Body)
		})
	web.Delete(api, web.Route{Path: "/api/goods/labels/{id}", Name: "remove-label-layout", Summary: "Take a layout of scale labels away", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*struct{}, error) {
			return &struct{}{}, DropLayout(tx, in.ID)
		})
}

// ByAmount is how much of the unit an amount of money buys at a price for one: amount ÷ price, half up to the step of
// the scale, in thousandths of the base unit and of the unit (spec: sale by amount). 0 when it does not reach half a step.
func (u *Unit) ByAmount(amount, price money.Fen) (base, inUnit qty.Qty, err error) {
	if price <= 0 || u.Step <= 0 {
		return 0, 0, nil
	}
	// steps = amount ÷ price × num/den × 1000 ÷ step, in two exact factors so that it is rounded once
	num, den := u.Num*qty.Scale, u.Den*int64(u.Step)
	common := gcd(num, den)
	num, den = num/common, den/common
	if num > 1<<40 || den > 1<<20 || price > 1<<40 {
		return 0, 0, qty.ErrTooLarge
	}
	steps, err := money.MulDiv(int64(amount), num, int64(price)*den)
	if err != nil || steps > int64(qty.Max)/int64(u.Step) {
		return 0, 0, qty.ErrTooLarge
	}
	base = qty.Qty(steps) * u.Step
	inUnit, err = u.Qty().FromBase(base)
	return base, inUnit, err
}
