package catalog

import (
	"encoding/json"
	"errors"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// Template is what styles of a category begin with.
type Template struct {
	CategoryID id.ID  `json:"category_id" doc:"that has the template: the one asked for, or the nearest above; empty: none has"`
	Axes       []Axis `json:"axes"`
}

// TemplateOf is the template of a category, or of the nearest above that has one.
func TemplateOf(tx *db.Tx, category id.ID) (*Template, error) {
	if err := checkCategory(tx, category); err != nil {
		return nil, err
	}
	t := &Template{Axes: []Axis{}}
	var axes string
	err := tx.QueryRow(`WITH RECURSIVE up (id, parent_id, far) AS (
			SELECT c.id, c.parent_id, 0 FROM catalog_category c WHERE c.id = $1
			UNION ALL SELECT c.id, c.parent_id, u.far + 1 FROM catalog_category c JOIN up u ON c.id = u.parent_id WHERE u.far < 12)
		SELECT t.category_id, t.axes FROM up u JOIN catalog_template t ON t.category_id = u.id ORDER BY u.far LIMIT 1`, category).Scan(&t.CategoryID, &axes)
	if errors.Is(err, db.ErrNoRow) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	return t, json.Unmarshal([]byte(axes), &t.Axes)
}

// PutTemplate replaces the template of a category; without attributes it takes it away.
func PutTemplate(tx *db.Tx, staff, category id.ID, axes []Axis) (*Template, error) {
	if len(axes) == 0 {
		if err := tx.Exec(`DELETE FROM catalog_template WHERE category_id = $1`, category); err != nil {
			return nil, err
		}
		return TemplateOf(tx, category)
	}
	for i := range axes {
		for j := range axes[i].Values {
			axes[i].Values[j].ID = 0
		}
	}
	if err := checkAxes(axes); err != nil {
		return nil, err
	}
	if err := checkCategory(tx, category); err != nil {
		return nil, err
	}
	text, err := json.Marshal(axes)
	if err != nil {
		return nil, err
	}
	if err := tx.Exec(`INSERT INTO catalog_template (category_id, axes, staff_id, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (category_id) DO UPDATE SET axes = EXCLUDED.axes, staff_id = EXCLUDED.staff_id, changed_at = EXCLUDED.changed_at`, category, string(text), staff, tx.Now()); err != nil {
		return nil, err
	}
	return TemplateOf(tx, category)
}
