package purchase

import (
	"errors"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// What a supplier's word is taken for: from its record, how much of an order is expected to come and how late. Plans lengthen
// the days that goods must last by it, and count on what is under way by it.

// Word is what is expected of a supplier for a product.
type Word struct {
	Supplier, Product id.ID
	Lines             int64 // due in the 90 days up to a fortnight ago: what was due since may still come
	Fill              int64 // share of an order that is expected to come, ten-thousandths
	LateDays          int64 // days after its due date by which nine tenths of what comes are there; 3: or more
}

// Expects is how much is still expected of an order of which some has come.
func (w Word) Expects(ordered, open qty.Qty) qty.Qty {
	return min(open, max(0, w.Counts(ordered)-(ordered-open)))
}

// Counts is how much of a promise is expected to come: its share, rounded once, half up, and never more than was promised.
func (w Word) Counts(q qty.Qty) qty.Qty {
	if w.Fill >= promised || q <= 0 {
		return q
	}
	n, err := money.MulDiv(int64(q), w.Fill, promised)
	if err != nil {
		return q
	}
	return min(q, qty.Qty(n))
}

const (
	lateLines  = 20    // lines on time that a supplier begins with, and lines of its supplier that a product does
	lateShare  = 9_000 // of what comes must be there, ten-thousandths
	wholeShare = 10_000
)

// when adds up by when goods came: of each row of the record its lines, by the shares of them that were there by the due date
// and one and two days after, in ten-thousandths of a line. So goods of any unit add up.
type when struct {
	lines int64 // of which something came
	by    [3]int64
}

func (w *when) add(k *Kept) error {
	if k.Came <= 0 {
		return nil
	}
	w.lines += k.Lines
	for i, q := range [3]qty.Qty{k.InTime, k.InOne, k.InTwo} {
		share, err := money.MulDiv(int64(q), wholeShare*k.Lines, int64(k.Came))
		if err != nil {
			return err
		}
		w.by[i] += share
	}
	return nil
}

// shares is when goods are there, drawn to what is known otherwise by as many lines as that is worth.
func (w when) shares(known [3]int64) (out [3]int64) {
	for i := range out {
		out[i] = (w.by[i] + lateLines*known[i]) / (w.lines + lateLines)
	}
	return out
}

// late is by how many days after the due date enough of what comes is there.
func late(shares [3]int64) int64 {
	for i, s := range shares {
		if s >= lateShare {
			return int64(i)
		}
	}
	return int64(len(shares))
}

const (
	nextSupplier = `SELECT COALESCE(MIN(supplier_id), 0) FROM purchase_record WHERE supplier_id > $1`
	recordBare   = `SELECT lines, full_lines, timely_lines, ordered_fen, came_fen, product_id, ordered, in_time, in_one, in_two, came FROM purchase_record
		WHERE supplier_id = $1 AND due >= $2 AND due <= $3 ORDER BY product_id, due`
	oldWords  = `DELETE FROM purchase_word WHERE supplier_id = $1 AND until < $2`
	wordsPage = `SELECT supplier_id, product_id, lines, fill_bp, late_days FROM purchase_word WHERE (supplier_id, product_id) > ($1, $2) ORDER BY supplier_id, product_id LIMIT $3`
	wordsOf   = `SELECT product_id, lines, came_lines, fill_bp, late_days FROM purchase_word WHERE supplier_id = $1 AND until = $2 ORDER BY product_id`
)

var putWords = db.NewMany(`INSERT INTO purchase_word (supplier_id, product_id, lines, came_lines, fill_bp, late_days, until) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`,
	` ON CONFLICT (supplier_id, product_id) DO UPDATE SET lines = excluded.lines, came_lines = excluded.came_lines, fill_bp = excluded.fill_bp, late_days = excluded.late_days, until = excluded.until`)

// word is what a product's rows of the record come to.
type word struct {
	Word
	came int64 // lines of which something came
}

// wordOf makes a supplier's word for each of its products of the 90 days of due dates up to one.
func wordOf(tx *db.Tx, supplier id.ID, until cal.Date) ([]word, error) {
	rows := tx.Query(recordBare, supplier, until.AddDays(1-recordDays), until)
	defer rows.Close()
	type sum struct {
		product id.ID
		Kept
		when
	}
	var all Kept
	var whole when
	var sums []sum
	for rows.Next() {
		var product id.ID
		var k Kept
		if err := rows.Scan(&k.Lines, &k.Full, &k.Timely, &k.OrderedFen, &k.CameFen, &product, &k.Ordered, &k.InTime, &k.InOne, &k.InTwo, &k.Came); err != nil {
			return nil, err
		}
		if n := len(sums); n == 0 || sums[n-1].product != product {
			sums = append(sums, sum{product: product})
		}
		s := &sums[len(sums)-1]
		all.add(&k)
		s.Kept.add(&k)
		s.Ordered, s.Came = s.Ordered+k.Ordered, s.Came+k.Came
		if err := errors.Join(whole.add(&k), s.when.add(&k)); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	fill, shares := all.Fill(promised, supplierLines), whole.shares([3]int64{wholeShare, wholeShare, wholeShare})
	words := make([]word, len(sums))
	for i := range sums {
		s := &sums[i]
		words[i] = word{Word{supplier, s.product, s.Lines, min(promised, s.Fill(fill, productLines)), late(s.when.shares(shares))}, s.when.lines}
	}
	return words, nil
}

// makeWords makes what the word of the next supplier is taken for, and gives that supplier; 0: there is none.
func makeWords(tx *db.Tx, after id.ID, until cal.Date) (supplier id.ID, err error) {
	if err := tx.QueryRow(nextSupplier, after).Scan(&supplier); err != nil || supplier == 0 {
		return 0, err
	}
	words, err := wordOf(tx, supplier, until)
	if err != nil {
		return 0, err
	}
	args := make([]any, 0, 7*len(words))
	for _, w := range words {
		args = append(args, w.Supplier, w.Product, w.Lines, w.came, w.Fill, w.LateDays, until)
	}
	return supplier, errors.Join(tx.ExecMany(putWords, args...), tx.Exec(oldWords, supplier, until))
}

// Words are what suppliers' words are taken for, behind one of them, at most so many; last tells where to go on, false where
// there are no more. Those that are taken as they are given are left out.
func Words(tx *db.Tx, after [2]id.ID, limit int) (all []Word, last [2]id.ID, more bool, err error) {
	rows := tx.Query(wordsPage, after[0], after[1], limit)
	defer rows.Close()
	n := 0
	for rows.Next() {
		var w Word
		if err := rows.Scan(&w.Supplier, &w.Product, &w.Lines, &w.Fill, &w.LateDays); err != nil {
			return nil, last, false, err
		}
		n++
		last = [2]id.ID{w.Supplier, w.Product}
		if w.Fill < promised || w.LateDays > 0 {
			all = append(all, w)
		}
	}
	return all, last, n == limit, rows.Err()
}

// wordsOfSupplier are its words by product.
func wordsOfSupplier(tx *db.Tx, supplier id.ID) (map[id.ID]Word, error) {
	rows := tx.Query(`SELECT product_id, fill_bp, late_days FROM purchase_word WHERE supplier_id = $1`, supplier)
	defer rows.Close()
	all := map[id.ID]Word{}
	for rows.Next() {
		w := Word{Supplier: supplier}
		if err := rows.Scan(&w.Product, &w.Fill, &w.LateDays); err != nil {
			return nil, err
		}
		all[w.Product] = w
	}
	return all, rows.Err()
}

// proveWords makes each supplier's word again from the record it was made of.
func proveWords(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	var until cal.Date
	if err := tx.QueryRow(`SELECT COALESCE(MAX(until), '') FROM purchase_word`).Scan(&until); err != nil || until == "" {
		return r, err
	}
	var supplier id.ID
	for {
		if err := tx.QueryRow(`SELECT COALESCE(MIN(supplier_id), 0) FROM purchase_word WHERE supplier_id > $1`, supplier).Scan(&supplier); err != nil || supplier == 0 {
			return r, err
		}
		again := map[id.ID]word{}
		words, err := wordOf(tx, supplier, until)
		if err != nil {
			return r, err
		}
		for _, w := range words {
			again[w.Product] = w
		}
		rows := tx.Query(wordsOf, supplier, until)
		for rows.Next() {
			w := word{Word: Word{Supplier: supplier}}
			if err := rows.Scan(&w.Product, &w.Lines, &w.came, &w.Fill, &w.LateDays); err != nil {
				rows.Close()
				return r, err
			}
			r.Rows++
			if now := again[w.Product]; now != w {
				r.Add("supplier %s's word for product %s is taken for %+v, its record says %+v", supplier, w.Product, w, now)
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return r, err
		}
	}
}
