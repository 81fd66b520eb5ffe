package ledger

import (
	"fmt"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// Posted is a transfer as it was booked.
type Posted struct {
	Document
	Transfer
	At time.Time // business instant of booking
}

const legColumns = `doc_kind, doc_id, leg, from_id, to_id, unit, amount, site_id, business_date, booked_at, corrects_kind, corrects_id, corrects_leg`

func askLegs(tx *db.Tx, kind Kind, doc id.ID) *db.Rows {
	return tx.Query(`SELECT `+legColumns+` FROM ledger_transfer WHERE doc_kind = $1 AND doc_id = $2 ORDER BY leg`, kind, doc)
}

func scanLegs(rows *db.Rows) ([]Posted, error) {
	var all []Posted
	for rows.Next() {
		var p Posted
		var ck *Kind
		var ci *id.ID
		var cl *int
		if err := rows.Scan(&p.Document.Kind, &p.Document.ID, &p.Transfer.Leg, &p.From, &p.To, &p.Unit, &p.Amount, &p.Site, &p.Date, &p.At, &ck, &ci, &cl); err != nil {
			return nil, err
		}
		if ci != nil {
			p.Corrects = Ref{*ck, *ci, *cl}
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// Legs reads what a document has booked, by leg.
func Legs(tx *db.Tx, kind Kind, doc id.ID) ([]Posted, error) { return scanLegs(askLegs(tx, kind, doc)) }

// Ref names the transfer.
func (p *Posted) Ref() Ref { return Ref{p.Document.Kind, p.Document.ID, p.Transfer.Leg} }

// Back is the transfer that takes amount of p back, and says so.
func (p *Posted) Back(amount int64) Transfer {
	return Transfer{From: p.To, To: p.From, Unit: p.Unit, Amount: amount, Corrects: p.Ref()}
}

// Reverse takes back, under doc, everything that the document (kind, of) has booked and that was not taken
// back before. ErrDiffers when nothing is left to take back and doc did not do it.
func Reverse(tx *db.Tx, doc Document, kind Kind, of id.ID) error {
	asked := askLegs(tx, kind, of)
	legs, err := scanLegs(asked)
	if err != nil {
		return err
	}
	back := make([]Transfer, 0, len(legs))
	for i := range legs {
		back = append(back, legs[i].Back(legs[i].Amount))
	}
	// The locks come first: what was taken back meanwhile is then seen.
	l, err := Lock(tx, kept(back)...)
	if err != nil {
		return err
	}
	taken, err := corrected(tx, kind, of, doc)
	if err != nil {
		return err
	}
	already, err := Legs(tx, doc.Kind, doc.ID)
	if err != nil {
		return err
	}
	left := back[:0]
	for _, t := range back {
		if t.Amount -= taken[t.Corrects.Leg]; t.Amount > 0 {
			t.Leg = t.Corrects.Leg
			left = append(left, t)
		}
	}
	if len(left) == 0 {
		return ErrDiffers.Wrap(fmt.Errorf("ledger: nothing of %s:%d is left to take back", kind, of))
	}
	if err := check(doc, left); err != nil {
		return err
	}
	if len(already) > 0 {
		if left, err = notYet(doc, already, left); err != nil {
			return err
		}
	}
	return l.book(tx, doc, left)
}

// corrected sums what others than doc have taken back of each leg of a document.
func corrected(tx *db.Tx, kind Kind, of id.ID, doc Document) (map[int]int64, error) {
	rows := tx.Query(`SELECT corrects_leg, SUM(amount) FROM ledger_transfer WHERE corrects_kind = $1 AND corrects_id = $2 AND NOT (doc_kind = $3 AND doc_id = $4)
		GROUP BY corrects_leg`, kind, of, doc.Kind, doc.ID)
	sums := map[int]int64{}
	for rows.Next() {
		var leg int
		var sum int64
		if err := rows.Scan(&leg, &sum); err != nil {
			return nil, err
		}
		sums[leg] = sum
	}
	return sums, rows.Err()
}
