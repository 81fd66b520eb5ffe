package report

import (
	"fmt"
	"hash/fnv"
	"math/big"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/stock"
)

// What was bought of each material, and how much of it is in the goods that were sold. The ledger says of which batches goods
// were sold; a batch says what it was made of: the needs of its making, frozen from the recipe of that day, or the goods that a
// conversion put into it. Followed down to what came from outside, in exact fractions, rounded once for a site, a day and a material.

// used is so much of a material, exact, in thousandths of its base unit; costed of it has a cost, which is fen.
type used struct{ qty, costed, fen *big.Rat }

func newUsed() *used { return &used{new(big.Rat), new(big.Rat), new(big.Rat)} }

func (u *used) add(o *used, times *big.Rat) {
	part := new(big.Rat)
	u.qty.Add(u.qty, part.Mul(o.qty, times))
	u.costed.Add(u.costed, part.Mul(o.costed, times))
	u.fen.Add(u.fen, part.Mul(o.fen, times))
}

// content is what one unit of a batch is made of, by material.
type content map[id.ID]*used

func (c content) add(o content, times *big.Rat) {
	for product, u := range o {
		if c[product] == nil {
			c[product] = newUsed()
		}
		c[product].add(u, times)
	}
}

// origin is where the goods of a batch came from.
type origin struct {
	product id.ID
	madeOn  cal.Date
	source  id.ID // the batch at another site
	doc     id.ID // that brought it
	kind    ledger.Kind
	output  bool  // of a processing task
	qty     int64 // that it came with
	fen     int64 // that it cost
	from    []ingredient
}

// ingredient is so much of a batch (0: nobody knows which; of the product by its recipe) in one unit of what was made.
type ingredient struct {
	batch   id.ID
	product id.ID
	per     *big.Rat
}

// pantry knows the origin of batches, each asked for once.
type pantry struct {
	tx    *db.Tx
	book  *catalog.Cookbook
	known map[id.ID]*origin
	own   map[id.ID]content
	whole map[id.ID]content
	// Materials are what recipes name and what conversions changed. What is only bought and sold as it is, is none.
	materials map[id.ID]bool
	products  map[int64]id.ID // by SKU
	set       int64           // of the materials, as a number
	recipes   int64           // … and of all recipes
}

// convertedFor is how long a product counts as one that conversions change.
const convertedFor = 92

const convertedSince = `SELECT DISTINCT b.sku_id FROM stock_conversion c JOIN stock_document_line l ON l.document_id = c.document_id JOIN stock_batch b ON b.id = l.batch_id WHERE c.document_id >= $1`

func newPantry(tx *db.Tx) (*pantry, error) {
	p := &pantry{tx: tx, known: map[id.ID]*origin{}, own: map[id.ID]content{}, whole: map[id.ID]content{}, materials: map[id.ID]bool{}, products: map[int64]id.ID{}}
	recipes, err := catalog.Recipes(tx)
	if err != nil {
		return nil, err
	}
	if p.book, err = catalog.NewCookbook(recipes, id.ID.String); err != nil {
		return nil, err
	}
	skus, changed := tx.Query(allSKUs), tx.Query(convertedSince, id.At(tx.Now().AddDate(0, 0, -convertedFor)))
	defer skus.Close()
	defer changed.Close()
	for skus.Next() {
		var sku int64
		var product id.ID
		if err := skus.Scan(&sku, &product); err != nil {
			return nil, err
		}
		p.products[sku] = product
	}
	if err := skus.Err(); err != nil {
		return nil, err
	}
	for _, product := range p.book.Products() {
		p.materials[product] = true
	}
	for changed.Next() {
		var sku int64
		if err := changed.Scan(&sku); err != nil {
			return nil, err
		}
		p.materials[p.products[sku]] = true
	}
	p.number(recipes)
	return p, changed.Err()
}

// number gives the materials, and all that recipes say, a number each, so that a day tells by which it was reckoned.
func (p *pantry) number(recipes []catalog.Recipe) {
	names := make([]id.ID, 0, len(p.materials))
	for product := range p.materials {
		names = append(names, product)
	}
	slices.Sort(names)
	h := fnv.New64a()
	fmt.Fprint(h, names)
	p.set = int64(h.Sum64() >> 1)
	for _, r := range recipes { // in the order of their ids
		fmt.Fprint(h, r)
	}
	p.recipes = int64(h.Sum64() >> 1)
}

var (
	originsOf = db.NewMany(`SELECT b.id, k.product_id, b.made_on, b.source_id, b.document_id, COALESCE(d.kind, 0), CASE WHEN o.id IS NULL THEN 0 ELSE 1 END
		FROM stock_batch b JOIN catalog_sku k ON k.id = b.sku_id LEFT JOIN stock_document d ON d.id = b.document_id LEFT JOIN produce_output o ON o.batch_id = b.id AND o.batch_id > 0 WHERE b.id IN (`, `?`, `)`)
	costsOf = db.NewMany(`SELECT b.id, SUM(l.qty), SUM(l.value_fen) FROM stock_batch b JOIN stock_document_line l ON l.document_id = b.document_id AND l.batch_id = b.id AND l.qty > 0
		WHERE b.id IN (`, `?`, `) GROUP BY b.id`)
	placesOf = db.NewMany(`SELECT p.id, p.batch_id FROM stock_place p WHERE p.id IN (`, `?`, `)`)
	needsOf  = db.NewMany(`SELECT o.batch_id, n.product_id, n.qty - n.over_qty, t.planned FROM produce_output o JOIN produce_task t ON t.id = o.task_id JOIN produce_need n ON n.requisition_id = t.requisition_id
		WHERE o.batch_id > 0 AND o.batch_id IN (`, `?`, `)`)
	issuesOf = db.NewMany(`SELECT o.batch_id, i.product_id, i.batch_id, i.qty FROM produce_output o JOIN produce_issue i ON i.task_id = o.task_id WHERE o.batch_id > 0 AND o.batch_id IN (`, `?`, `)`)
	inOfDocs = db.NewMany(`SELECT l.document_id, l.batch_id, b.sku_id, l.qty, l.value_fen FROM stock_document_line l JOIN stock_batch b ON b.id = l.batch_id WHERE l.document_id IN (`, `?`, `)`)
	// What was lost without being borne by what came out.
	lossOfDocs = db.NewMany(`SELECT l.document_id, l.sku_id, l.qty FROM stock_conversion_loss l WHERE l.value_fen > 0 AND l.document_id IN (`, `?`, `)`)
)

// each asks a statement about ids, some hundreds at a time.
func (p *pantry) each(m *db.Many, ids []id.ID, row func(scan func(...any) error) error) error {
	for part := range slices.Chunk(ids, 900) {
		args := make([]any, len(part))
		for i := range part {
			args[i] = part[i]
		}
		rows := p.tx.QueryMany(m, args...)
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				rows.Close()
				return err
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// learn finds where batches came from, and where what is in them came from, to the end. Ids of no batch stay unknown.
func (p *pantry) learn(batches []id.ID) error {
	for front := batches; len(front) > 0; {
		slices.Sort(front)
		front = slices.DeleteFunc(slices.Compact(front), func(b id.ID) bool { return p.known[b] != nil })
		next, err := p.level(front)
		if err != nil {
			return err
		}
		front = next
	}
	return nil
}

func (p *pantry) level(front []id.ID) (next []id.ID, err error) {
	var made, leaves, docs []id.ID
	outOf := map[id.ID][]id.ID{} // batches by the conversion they came of
	err = p.each(originsOf, front, func(scan func(...any) error) error {
		var b id.ID
		o := &origin{}
		if err := scan(&b, &o.product, &o.madeOn, &o.source, &o.doc, &o.kind, &o.output); err != nil {
			return err
		}
		p.known[b] = o
		switch {
		case o.output:
			made = append(made, b)
		case o.kind == stock.ConversionDoc:
			if outOf[o.doc] == nil {
				docs = append(docs, o.doc)
			}
			outOf[o.doc] = append(outOf[o.doc], b)
		default:
			leaves = append(leaves, b)
			if o.source > 0 {
				next = append(next, o.source)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := p.each(costsOf, leaves, func(scan func(...any) error) error {
		var b id.ID
		var q, fen int64
		if err := scan(&b, &q, &fen); err != nil {
			return err
		}
		p.known[b].qty, p.known[b].fen = q, fen
		return nil
	}); err != nil {
		return nil, err
	}
	cooked, err := p.cook(made)
	if err != nil {
		return nil, err
	}
	changed, err := p.change(docs, outOf)
	return append(append(next, cooked...), changed...), err
}

type needed struct {
	product id.ID
	per     *big.Rat
}

// cook reads what batches were made of: the needs of their making, from the batches that were taken for it, each by its share of
// what was taken of its product.
func (p *pantry) cook(made []id.ID) (next []id.ID, err error) {
	needs := map[id.ID][]needed{}
	if err := p.each(needsOf, made, func(scan func(...any) error) error {
		var b id.ID
		var n needed
		var q, planned int64
		if err := scan(&b, &n.product, &q, &planned); err != nil {
			return err
		}
		n.per = big.NewRat(q, planned)
		needs[b] = append(needs[b], n)
		return nil
	}); err != nil {
		return nil, err
	}
	type issue struct {
		batch id.ID
		qty   int64
	}
	type key struct{ batch, product id.ID }
	issues, all := map[key][]issue{}, map[key]int64{}
	if err := p.each(issuesOf, made, func(scan func(...any) error) error {
		var k key
		var i issue
		if err := scan(&k.batch, &k.product, &i.batch, &i.qty); err != nil {
			return err
		}
		issues[k] = append(issues[k], i)
		all[k] += i.qty
		return nil
	}); err != nil {
		return nil, err
	}
	for _, b := range made {
		o := p.known[b]
		for _, n := range needs[b] {
			k := key{b, n.product}
			if len(issues[k]) == 0 { // a stand-in was taken for it
				o.from = append(o.from, ingredient{product: n.product, per: n.per})
			}
			for _, i := range issues[k] {
				o.from = append(o.from, ingredient{i.batch, n.product, new(big.Rat).Mul(n.per, big.NewRat(i.qty, all[k]))})
				next = append(next, i.batch)
			}
		}
	}
	return next, nil
}

// change reads what conversions put into batches: each input, less what was lost of it at the conversion's own cost, by the share of
// the cost that the batch bears; where nothing cost anything, by its share of what came out.
func (p *pantry) change(docs []id.ID, outOf map[id.ID][]id.ID) (next []id.ID, err error) {
	type line struct {
		batch      id.ID
		sku        int64
		qty, value int64
	}
	ins, outs := map[id.ID][]line{}, map[id.ID][]line{}
	if err := p.each(inOfDocs, docs, func(scan func(...any) error) error {
		var doc id.ID
		var l line
		if err := scan(&doc, &l.batch, &l.sku, &l.qty, &l.value); err != nil {
			return err
		}
		if l.qty > 0 {
			outs[doc] = append(outs[doc], l)
		} else {
			l.qty, l.value = -l.qty, -l.value
			ins[doc] = append(ins[doc], l)
			next = append(next, l.batch)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	type key struct {
		doc id.ID
		sku int64
	}
	lost, all := map[key]int64{}, map[key]int64{}
	if err := p.each(lossOfDocs, docs, func(scan func(...any) error) error {
		var k key
		var q int64
		if err := scan(&k.doc, &k.sku, &q); err != nil {
			return err
		}
		lost[k] += q
		return nil
	}); err != nil {
		return nil, err
	}
	for _, doc := range docs {
		var value, count int64
		for _, l := range outs[doc] {
			value += l.value
			count += l.qty
		}
		for _, l := range ins[doc] {
			all[key{doc, l.sku}] += l.qty
		}
		for _, out := range outs[doc] {
			o := p.known[out.batch]
			if o == nil || !slices.Contains(outOf[doc], out.batch) {
				continue
			}
			share := big.NewRat(out.qty, count)
			if value > 0 {
				share = big.NewRat(out.value, value)
			}
			for _, in := range ins[doc] {
				k := key{doc, in.sku}
				net := new(big.Rat).Mul(big.NewRat(in.qty, all[k]), new(big.Rat).SetInt64(all[k]-lost[k]))
				per := net.Quo(net.Mul(net, share), new(big.Rat).SetInt64(out.qty))
				o.from = append(o.from, ingredient{in.batch, p.products[in.sku], per})
			}
		}
	}
	return next, nil
}

// of is what one unit of a batch is made of: down to what came into its site (own), or to what was bought anywhere.
func (p *pantry) of(batch id.ID, own bool) content {
	memo := p.whole
	if own {
		memo = p.own
	}
	if c, ok := memo[batch]; ok {
		return c
	}
	o := p.known[batch]
	c := content{}
	switch {
	case o == nil:
	case len(o.from) > 0:
		for _, i := range o.from {
			if i.batch != 0 && p.known[i.batch] != nil {
				c.add(p.of(i.batch, own), i.per)
			} else {
				c.add(p.byRecipe(i.product, o.madeOn), i.per)
			}
		}
	case o.source > 0 && !own:
		c = p.of(o.source, false)
	case o.source > 0 || o.kind == stock.ReceiptDoc:
		c[o.product] = o.itself()
	default: // it was there from the beginning, or was found
		if _, made := p.book.On(o.product, o.madeOn); made {
			c = p.byRecipe(o.product, o.madeOn)
		} else {
			c[o.product] = o.itself()
		}
	}
	memo[batch] = c
	return c
}

func (o *origin) itself() *used {
	u := newUsed()
	u.qty.SetInt64(1)
	if o.qty > 0 {
		u.costed.SetInt64(1)
		u.fen.SetFrac64(o.fen, o.qty)
	}
	return u
}

// byRecipe follows the recipes of a day down, where no batch tells more.
func (p *pantry) byRecipe(product id.ID, day cal.Date) content {
	c := content{}
	var down func(product id.ID, exact *big.Rat)
	down = func(product id.ID, exact *big.Rat) {
		r, made := p.book.On(product, day)
		if !made {
			u := newUsed()
			u.qty.SetInt64(1)
			c.add(content{product: u}, exact)
			return
		}
		for _, l := range r.Components {
			each := catalog.Use{Yield: r.Yield, Qty: l.Qty, Loss: l.Loss, Rule: l.Rule}.Each()
			down(l.Product, each.Mul(each, exact))
		}
	}
	down(product, big.NewRat(1, 1))
	return c
}

// --- a site's days

// materialDay is a material at a site over some days; see the columns of report_material.
type materialDay struct {
	bought, boughtC   int64
	arrived, arrivedC int64
	own, sold         amount
}

// amount is used, rounded.
type amount struct{ qty, costed, fen int64 }

func (a *amount) add(o amount) {
	a.qty += o.qty
	a.costed += o.costed
	a.fen += o.fen
}

func (u *used) rounded() amount {
	if u == nil {
		return amount{}
	}
	return amount{halfUp(u.qty), halfUp(u.costed), halfUp(u.fen)}
}

// halfUp rounds to a whole number, halves away from zero. What does not fit is the largest there is.
func halfUp(r *big.Rat) int64 {
	twice := new(big.Int).Lsh(new(big.Int).Abs(r.Num()), 1)
	n := twice.Quo(twice.Add(twice, r.Denom()), new(big.Int).Lsh(r.Denom(), 1))
	v := int64(1)<<62 - 1
	if n.IsInt64() {
		v = min(v, n.Int64())
	}
	return int64(r.Sign()) * v
}

// materialFlow is a movement behind what was bought or sold.
type materialFlow struct {
	date     cal.Date
	kind     ledger.Kind
	doc      id.ID
	from, to int64
	sku      int64
	amount   int64
	value    int64
	took     int64 // the batch that a sale took, of goods that come back and are thrown away
	at       time.Time
}

// Everything of a site's days that is bought, sold or goes between sites: flows -101 sold, -102 supplied, documents 27 to 29. The value of
// a leg is one leg further; what a returned piece was taken from is told by the leg that is corrected.
const materialLegs = `SELECT t.business_date, t.doc_kind, t.doc_id, t.from_id, t.to_id, t.unit, t.amount, COALESCE(v.amount, 0), COALESCE(c.from_id, 0), t.booked_at
	FROM ledger_transfer t LEFT JOIN ledger_transfer v ON v.doc_kind = t.doc_kind AND v.doc_id = t.doc_id AND v.leg = t.leg + 1 AND v.unit = 1 AND t.to_id <> -101
	LEFT JOIN ledger_transfer c ON c.doc_kind = t.corrects_kind AND c.doc_id = t.corrects_id AND c.leg = t.corrects_leg AND t.from_id = -101
	WHERE t.site_id = $1 AND t.business_date >= $2 AND t.business_date <= $3 AND t.unit > 1 AND (t.to_id IN (-102, -101) OR t.from_id IN (-102, -101) OR t.doc_kind IN (27, 28, 29))`

var transitsOf = db.NewMany(`SELECT w.id, w.batch_id, w.to_site FROM stock_transit w WHERE w.id IN (`, `?`, `)`)

var suppliedFlow = int64(stock.Supplied)

func ratOf(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

// seed is so much of a batch that was sold, or sent to another site, less what came back.
type seed struct {
	batch   id.ID
	product id.ID
	sent    bool
}

// siteDays is what a site's days come to.
type siteDays struct {
	days  map[id.ID]*materialDay
	seeds map[seed]int64
	came  []materialFlow // what was bought, went back or arrived
}

// reckon reads the days from one date to another at a site.
func (p *pantry) reckon(site *org.Site, from, to cal.Date) (*siteDays, error) {
	r := &siteDays{map[id.ID]*materialDay{}, map[seed]int64{}, nil}
	day := func(product id.ID) *materialDay {
		if r.days[product] == nil {
			r.days[product] = &materialDay{}
		}
		return r.days[product]
	}
	rows := p.tx.Query(materialLegs, site.ID, from, to)
	defer rows.Close()
	type out struct {
		account int64
		product id.ID
		sent    bool
	}
	outs := map[out]int64{}
	var missing []materialFlow // what became of goods that did not come
	for rows.Next() {
		var f materialFlow
		if err := rows.Scan(&f.date, &f.kind, &f.doc, &f.from, &f.to, &f.sku, &f.amount, &f.value, &f.took, &f.at); err != nil {
			return nil, err
		}
		product, ok := p.products[f.sku]
		if !ok || !p.materials[product] {
			continue
		}
		switch {
		case f.to == int64(stock.Sold):
			outs[out{f.from, product, false}] += f.amount
		case f.from == int64(stock.Sold):
			account := f.to
			if account < 0 {
				account = f.took
			}
			outs[out{account, product, false}] -= f.amount
		case f.from == int64(stock.Supplied):
			day(product).bought += f.amount
			day(product).boughtC += f.value
			r.came = append(r.came, f)
		case f.to == int64(stock.Supplied):
			day(product).bought -= f.amount
			day(product).boughtC -= f.value
			f.amount, f.value = -f.amount, -f.value
			r.came = append(r.came, f)
		case f.kind == stock.ShippedDoc:
			outs[out{f.from, product, true}] += f.amount
		case f.kind == stock.ArrivedDoc && f.from > 0:
			day(product).arrived += f.amount
			day(product).arrivedC += f.value
			r.came = append(r.came, f)
		case f.kind == stock.SettledDoc:
			missing = append(missing, f)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	type way struct {
		batch int64
		to    id.ID
	}
	ways := map[int64]way{}
	var ids []id.ID
	for _, f := range missing {
		ids = append(ids, id.ID(f.from))
	}
	if err := p.each(transitsOf, ids, func(scan func(...any) error) error {
		var one int64
		var w way
		if err := scan(&one, &w.batch, &w.to); err != nil {
			return err
		}
		ways[one] = w
		return nil
	}); err != nil {
		return nil, err
	}
	for _, f := range missing {
		product := p.products[f.sku]
		if w := ways[f.from]; f.to > 0 && w.to == site.ID { // found here
			day(product).arrived += f.amount
			day(product).arrivedC += f.value
			r.came = append(r.came, f)
		} else if w.batch != 0 { // back here, or lost on the way
			outs[out{w.batch, product, true}] -= f.amount
		}
	}
	// Goods in a place of their own are of a batch.
	var accounts []id.ID
	for o := range outs {
		accounts = append(accounts, id.ID(o.account))
	}
	if err := p.learn(slices.Clone(accounts)); err != nil {
		return nil, err
	}
	places := map[int64]id.ID{}
	accounts = slices.DeleteFunc(accounts, func(a id.ID) bool { return p.known[a] != nil })
	if err := p.each(placesOf, accounts, func(scan func(...any) error) error {
		var one int64
		var b id.ID
		if err := scan(&one, &b); err != nil {
			return err
		}
		places[one] = b
		return nil
	}); err != nil {
		return nil, err
	}
	var inPlaces []id.ID
	for _, b := range places {
		inPlaces = append(inPlaces, b)
	}
	if err := p.learn(inPlaces); err != nil {
		return nil, err
	}
	own, sold := content{}, content{}
	for o, n := range outs {
		batch := id.ID(o.account)
		if b, ok := places[o.account]; ok {
			batch = b
		}
		r.seeds[seed{batch, o.product, o.sent}] += n
	}
	for s, n := range r.seeds {
		exact := ratOf(n)
		own.add(p.of(s.batch, true), exact)
		if !s.sent {
			sold.add(p.of(s.batch, false), exact)
		}
	}
	for product, u := range own {
		day(product).own = u.rounded()
	}
	for product, u := range sold {
		day(product).sold = u.rounded()
	}
	for product, d := range r.days {
		if *d == (materialDay{}) {
			delete(r.days, product)
		}
	}
	return r, nil
}

// worthOf is what so much of a material comes to at the price of n for fen, half up.
func worthOf(q, fen, n int64) int64 {
	if n < 0 {
		fen, n = -fen, -n
	}
	if n == 0 || fen <= 0 {
		return 0
	}
	v, err := money.MulDiv(q, fen, n)
	if err != nil {
		return 0
	}
	return v
}
