package stock

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// What the notebook writes down of a conversion.
type modelConversion struct {
	doc              id.ID
	takes            []modelTake
	made             []modelTake
	lost, lostFen    int64
	reversed         bool
	consumed, output int64
}

// convert turns random goods into random others, perhaps with a loss on the first line.
func (w *worlds) convert() {
	wants := w.drawWants()
	outs := make([]Output, rapid.IntRange(1, 3).Draw(w.t, "outputs"))
	weights := make([]int64, len(outs))
	for i := range outs {
		outs[i] = Output{Arrival: Arrival{SKU: rapid.SampledFrom(modelSKUs).Draw(w.t, "sku"), Qty: qty.Qty(w.drawQty("qty")), ExpiresAt: w.m.now.Add(time.Duration(rapid.IntRange(1, 8).Draw(w.t, "hours")) * time.Hour)},
			Weight: rapid.Int64Range(0, 3).Draw(w.t, "weight"), Inherit: rapid.Bool().Draw(w.t, "inherit")}
		if i == 0 {
			outs[i].Weight++
		}
		weights[i] = outs[i].Weight
	}
	var losses []LostOnTheWay
	if rapid.Bool().Draw(w.t, "loss") {
		losses = []LostOnTheWay{{Line: 0, Qty: qty.Qty(rapid.Int64Range(1, wants[0].qty).Draw(w.t, "lost")), Reason: "trim", Absorbed: rapid.Bool().Draw(w.t, "absorbed")}}
	}
	takes, code := w.m.pick(wants)
	if len(wants) == 1 && len(outs) == 1 && wants[0].sku == outs[0].SKU {
		code = "conversion_same"
	} else if len(losses) > 0 && len(wants) == 1 && int64(losses[0].Qty) == wants[0].qty {
		code = "conversion_all_lost"
	}
	c := &modelConversion{doc: id.New()}
	if code == "" {
		w.cost(takes, wants)
		c.takes = takes
		first, rest, firstLine, left := Never, int64(0), int64(0), wants[0].qty
		for _, x := range takes {
			if e := w.m.batches[x.batch].expires; e.Before(first) {
				first = e
			}
			rest += x.cost
			c.consumed += x.qty
			if left > 0 {
				firstLine += x.cost
				left -= x.qty
			}
		}
		for _, l := range losses {
			c.lost = int64(l.Qty)
			if !l.Absorbed {
				c.lostFen = rounded(firstLine, int64(l.Qty), wants[0].qty)
			}
		}
		for i, part := range money.Split(money.Fen(rest-c.lostFen), weights) {
			expires := outs[i].ExpiresAt
			if outs[i].Inherit {
				expires = first
			}
			n := int64(outs[i].Qty)
			c.made = append(c.made, modelTake{len(w.m.batches), n, int64(part)})
			c.output += n
			w.m.batches = append(w.m.batches, &modelBatch{sku: outs[i].SKU, expires: expires, onHand: n, worth: int64(part), inQty: n, inWorth: int64(part), received: w.m.now})
		}
		w.m.converted(c, 1)
	}
	for k, d := range w.dbs {
		var doc *Document
		err := d.Write(w.t.Context(), func(tx *db.Tx) (err error) {
			real := Conversion{Header: Header{ID: c.doc, Site: w.site}, Key: c.doc.String(), Shape: RepackShape, Basis: ByShare, Out: slices.Clone(outs), Losses: losses}
			for i, x := range wants {
				want := Want{Line: i, SKU: x.sku, Qty: qty.Qty(x.qty)}
				if x.batch >= 0 {
					want.Batch = w.ids[k][x.batch]
				}
				real.In = append(real.In, want)
			}
			doc, err = Convert(tx, real)
			return err
		})
		if errs.Code(err) != code {
			w.t.Fatalf("%s: %v, the model says %q", d.Engine(), err, code)
		}
		if err != nil {
			continue
		}
		said, real := "", ""
		for _, x := range c.takes {
			said += fmt.Sprintf("[%d for %d]", -x.qty, -x.cost)
		}
		for _, x := range c.made {
			said += fmt.Sprintf("[%d for %d]", x.qty, x.cost)
		}
		for i, l := range doc.Lines {
			real += fmt.Sprintf("[%d for %d]", l.Qty, l.Value)
			if i >= len(c.takes) {
				w.ids[k] = append(w.ids[k], l.Batch)
			}
		}
		if said != real {
			w.t.Fatalf("%s: %s, the model says %s", d.Engine(), real, said)
		}
	}
	if code == "" {
		w.m.conversions = append(w.m.conversions, c)
	}
}

// converted writes the flows of a conversion, or takes them back.
func (m *model) converted(c *modelConversion, way int64) {
	m.flows[Consumed] += way * (c.consumed - c.lost)
	m.flows[Made] -= way * c.output
	m.flows[Wasted] += way * c.lost
	m.flows[WastedValue] += way * c.lostFen
}

// unconvert takes one back, if all that came out is there and nothing that went in has expired.
func (w *worlds) unconvert() {
	if len(w.m.conversions) == 0 {
		w.t.Skip("nothing was converted")
	}
	c := rapid.SampledFrom(w.m.conversions).Draw(w.t, "conversion")
	code := ""
	for _, x := range c.takes {
		if code == "" && !w.m.now.Before(w.m.batches[x.batch].expires) {
			code = "conversion_input_expired"
		}
	}
	for _, x := range c.made {
		if b := w.m.batches[x.batch]; code == "" && (b.onHand != x.qty || b.held != 0 || b.worth != x.cost) {
			code = "conversion_used"
		}
	}
	if c.reversed {
		code = "conversion_reversed"
	}
	w.on(code, func(tx *db.Tx, ids []id.ID) (string, error) {
		_, err := TakeBack(tx, w.site, 0, c.doc, "model")
		return "", err
	}, "")
	if code != "" {
		return
	}
	c.reversed = true
	for _, x := range c.takes {
		b := w.m.batches[x.batch]
		b.onHand, b.worth, b.inQty, b.inWorth = b.onHand+x.qty, b.worth+x.cost, b.inQty+x.qty, b.inWorth+x.cost
	}
	for _, x := range c.made {
		b := w.m.batches[x.batch]
		b.onHand, b.worth = 0, 0
	}
	w.m.converted(c, -1)
}
