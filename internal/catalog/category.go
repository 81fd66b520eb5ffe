package catalog

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// Category is a node of the tree of goods. Parent 0 is the top.
type Category struct {
	ID       id.ID  `json:"id"`
	ParentID id.ID  `json:"parent_id" doc:"empty at the top"`
	Name     string `json:"name"`
	Sort     int64  `json:"sort"`
}

// CategoryDraft is what a person says of a category.
type CategoryDraft struct {
	ParentID id.ID  `json:"parent_id,omitempty"`
	Name     string `json:"name" minLength:"1" maxLength:"60"`
	Sort     int64  `json:"sort,omitempty" minimum:"0" maximum:"1000000"`
}

const (
	maxCategories = 2000
	maxDepth      = 6
)

var (
	ErrNoCategory    = errs.Define("category_unknown", errs.NotFound, "没有这个分类", "There is no such category")
	ErrCategoryTaken = errs.Define("category_taken", errs.Conflict, "同级已有分类“{name}”", "There is already a category {name} at this place")
	ErrCategoryCycle = errs.Define("category_cycle", errs.Invalid, "分类不能放到自己下面", "A category can't be put below itself")
	ErrCategoryDepth = errs.Define("category_depth", errs.Invalid, "分类最多 {most} 层", "Categories can be {most} levels deep at most")
	ErrCategoryMany  = errs.Define("category_many", errs.Limit, "分类最多 {most} 个", "There can be {most} categories at most")
	ErrName          = errs.Define("name_bad", errs.Invalid, "名称应为 1 到 {most} 个字,不能有控制字符", "The name must have 1 to {most} characters and no control characters")
)

// Categories returns the whole tree, parents and siblings in their order.
func Categories(tx *db.Tx) ([]Category, error) {
	rows := tx.Query(`SELECT id, COALESCE(parent_id, 0), name, sort FROM catalog_category ORDER BY sort, name, id LIMIT 2000`)
	defer rows.Close()
	all := []Category{}
	for rows.Next() {
		var c Category
		if err := rows.Scan(&c.ID, &c.ParentID, &c.Name, &c.Sort); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// CreateCategory adds a category.
func (s *Service) CreateCategory(tx *db.Tx, d CategoryDraft) (*Category, error) {
	return s.putCategory(tx, Category{ID: id.New()}, d, true)
}

// ChangeCategory renames or moves a category.
func (s *Service) ChangeCategory(tx *db.Tx, c id.ID, d CategoryDraft) (*Category, error) {
	return s.putCategory(tx, Category{ID: c}, d, false)
}

// putCategory works under the lock of the version row: moves of two branches below each other would
// otherwise make a ring that neither sees.
func (s *Service) putCategory(tx *db.Tx, c Category, d CategoryDraft, isNew bool) (*Category, error) {
	d.Name = strings.TrimSpace(d.Name)
	if !goodName(d.Name, 60) {
		return nil, ErrName.With("most", 60).At("name")
	}
	if _, err := s.bump(tx); err != nil {
		return nil, err
	}
	all, err := Categories(tx)
	if err != nil {
		return nil, err
	}
	parents := make(map[id.ID]id.ID, len(all))
	found := false
	for _, o := range all {
		parents[o.ID] = o.ParentID
		found = found || o.ID == c.ID
		if o.ID != c.ID && o.ParentID == d.ParentID && o.Name == d.Name {
			return nil, ErrCategoryTaken.With("name", d.Name).At("name")
		}
	}
	if !isNew && !found {
		return nil, ErrNoCategory
	}
	if isNew && len(all) >= maxCategories {
		return nil, ErrCategoryMany.With("most", maxCategories)
	}
	depth := 1
	for up := d.ParentID; up != 0; up = parents[up] {
		if _, ok := parents[up]; !ok {
			return nil, ErrNoCategory.At("parent_id")
		}
		if up == c.ID {
			return nil, ErrCategoryCycle.At("parent_id")
		}
		depth++
	}
	if depth+below(all, c.ID) > maxDepth {
		return nil, ErrCategoryDepth.With("most", maxDepth).At("parent_id")
	}
	c.ParentID, c.Name, c.Sort = d.ParentID, d.Name, d.Sort
	if isNew {
		err = tx.Exec(`INSERT INTO catalog_category (id, parent_id, name, sort) VALUES ($1, $2, $3, $4)`, c.ID, orNull(c.ParentID), c.Name, c.Sort)
	} else {
		err = tx.Exec(`UPDATE catalog_category SET parent_id = $1, name = $2, sort = $3 WHERE id = $4`, orNull(c.ParentID), c.Name, c.Sort, c.ID)
	}
	return &c, err
}

// below is how many levels hang under a category.
func below(all []Category, c id.ID) int {
	deepest := 0
	for _, o := range all {
		if o.ParentID == c {
			deepest = max(deepest, 1+below(all, o.ID))
		}
	}
	return deepest
}

func orNull(v id.ID) *id.ID {
	if v == 0 {
		return nil
	}
	return &v
}

func goodName(s string, most int) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > most {
		return false
	}
	for _, r := range s {
		if !strconv.IsPrint(r) && r != '　' {
			return false
		}
	}
	return true
}
