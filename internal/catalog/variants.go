package catalog

import (
	"fmt"
	"slices"
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// CombineIn asks for combinations.
type CombineIn struct {
	All    bool        `json:"all,omitempty" doc:"every combination there can be"`
	Combos [][]id.ID   `json:"combos,omitempty" maxItems:"200" doc:"the values of each, one of each attribute in their order"`
	Units  []UnitDraft `json:"units,omitempty" maxItems:"20" doc:"sales units of the new products, without barcodes: a barcode belongs to one product"`
	State  State       `json:"state,omitempty" enum:"new,listed,stop_buying,stop_selling,gone" doc:"listed when left out"`
}

// Combined is a style after combinations were added.
type Combined struct {
	Style Style `json:"style"`
	Added int   `json:"added"`
	Kept  int   `json:"kept" doc:"were there already and are as they were"`
}

// Combine makes the combinations that are asked for and are not there yet. Who asks twice gets nothing twice.
func (s *Service) Combine(tx *db.Tx, style id.ID, in CombineIn) (*Combined, error) {
	if _, err := s.bump(tx); err != nil { // whoever else adds combinations waits, and sees these
		return nil, err
	}
	st, err := s.ReadStyle(tx, style)
	if err != nil {
		return nil, err
	}
	for i := range in.Units {
		if len(in.Units[i].Barcodes) > 0 || in.Units[i].ItemNo != "" {
			return nil, ErrBarcodeTaken.With("code", strings.Join(in.Units[i].Barcodes, ", ")).At(fmt.Sprintf("units[%d].barcodes", i))
		}
	}
	combos := in.Combos
	if in.All {
		combos = st.every()
	}
	if len(combos) == 0 {
		return nil, ErrCombo.At("combos")
	}
	drafts := make([]VariantDraft, len(combos))
	for i, values := range combos {
		drafts[i] = VariantDraft{Values: values, Units: in.Units}
	}
	out := &Combined{}
	if out.Added, out.Kept, err = s.addVariants(tx, st, drafts, in.State); err != nil {
		return nil, err
	}
	st, err = s.ReadStyle(tx, style)
	if err != nil {
		return nil, err
	}
	out.Style = *st
	return out, nil
}

// VariantDraft is a combination that is to become a product.
type VariantDraft struct {
	Values []id.ID     // one of each attribute, in their order
	Code   string      // of the product; made of the codes of the style and of the values when empty
	Units  []UnitDraft // with the barcodes of this product
}

// AddVariants makes combinations with codes and barcodes of their own. Those that are there already stay as they are.
func (s *Service) AddVariants(tx *db.Tx, style id.ID, drafts []VariantDraft) error {
	if _, err := s.bump(tx); err != nil {
		return err
	}
	st, err := s.ReadStyle(tx, style)
	if err != nil {
		return err
	}
	_, _, err = s.addVariants(tx, st, drafts, "")
	return err
}

// addVariants makes the combinations that are not there yet. The caller holds the version row and has read st under it.
func (s *Service) addVariants(tx *db.Tx, st *Style, drafts []VariantDraft, state State) (added, kept int, err error) {
	there := map[string]bool{}
	for _, v := range st.Variants {
		there[comboOf(v.Values)] = true
	}
	for i, v := range drafts {
		values, at := v.Values, fmt.Sprintf("combos[%d]", i)
		if len(values) != len(st.Axes) {
			return 0, 0, ErrCombo.At(at)
		}
		for k, v := range values {
			if !slices.ContainsFunc(st.Axes[k].Values, func(o Value) bool { return o.ID == v }) {
				return 0, 0, ErrNoValue.At(at)
			}
		}
		combo := comboOf(values)
		if there[combo] {
			kept++
			continue
		}
		there[combo] = true
		if added++; added > maxAdded || len(there) > maxVariants {
			return 0, 0, ErrComboMany.With("most", maxVariants, "step", maxAdded).At("combos")
		}
		code := v.Code
		if code == "" {
			code = st.code(values)
		}
		if len(code) > 32 {
			return 0, 0, ErrVariantCode.With("code", code).At(at)
		}
		d := Draft{Code: code, Name: st.name(values), CategoryID: st.CategoryID, BaseUnit: st.BaseUnit, ShelfLifeH: st.ShelfLifeH, TaxPct: st.TaxPct, State: state, Units: slices.Clone(v.Units)}
		p, err := s.Create(tx, d)
		if err != nil {
			return 0, 0, err
		}
		if err := tx.Exec(`INSERT INTO catalog_variant (product_id, style_id, combo) VALUES ($1, $2, $3)`, p.ID, st.ID, combo); err != nil {
			return 0, 0, err
		}
	}
	return added, kept, nil
}

// every is all combinations there can be, at most one more than are allowed.
func (s *Style) every() [][]id.ID {
	all := [][]id.ID{{}}
	for _, a := range s.Axes {
		var next [][]id.ID
		for _, c := range all {
			for _, v := range a.Values {
				if len(next) <= maxVariants {
					next = append(next, append(slices.Clone(c), v.ID))
				}
			}
		}
		all = next
	}
	return all
}

// LivesIn puts combinations into a state of life.
type LivesIn struct {
	ProductIDs []id.ID `json:"product_ids" minItems:"1" maxItems:"200"`
	State      State   `json:"state" enum:"new,listed,stop_buying,stop_selling,gone"`
}

// SetLives retires combinations of a style, or brings them back.
func (s *Service) SetLives(tx *db.Tx, style id.ID, in LivesIn) (*Style, error) {
	if !slices.Contains(states, in.State) {
		return nil, ErrState.At("state")
	}
	version, err := s.bump(tx)
	if err != nil {
		return nil, err
	}
	st, err := s.ReadStyle(tx, style)
	if err != nil {
		return nil, err
	}
	for i, p := range in.ProductIDs {
		at := slices.IndexFunc(st.Variants, func(v Variant) bool { return v.ProductID == p })
		if at < 0 {
			return nil, ErrNoVariant.At(fmt.Sprintf("product_ids[%d]", i))
		}
		if st.Variants[at].State == in.State {
			continue
		}
		st.Variants[at].State = in.State
		if err := tx.Exec(`UPDATE catalog_product SET state = $1, version = $2, changed_at = $3, life = $4 WHERE id = $5`, in.State.sale(), version, tx.Now(), in.State, p); err != nil {
			return nil, err
		}
		if err := emitSaved(tx, &Product{ID: p, Revision: version}, false); err != nil {
			return nil, err
		}
	}
	return st, nil
}
