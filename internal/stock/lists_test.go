package stock

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

// Lists of documents are read in the order of an index from where they are asked for: nothing is sorted, nothing gone through.
func TestListsOfDocumentsBeginWhereTheyAreAskedFor(t *testing.T) {
	d := dbtest.New(t, db.SQLite, schema)
	for text, index := range map[string]string{
		listDocuments:    "stock_document_day (site_id=? AND business_date>? AND business_date<?)",
		documentsOfKind:  "stock_document_kind (site_id=? AND kind=? AND business_date>? AND business_date<?)",
		listConversions:  "stock_document_kind (site_id=? AND kind=? AND business_date>? AND business_date<?)",
		listLanded:       "stock_landed_day (site_id=? AND business_date>? AND business_date<?)",
		transfersInState: "stock_transfer_state (state=? AND id<?)",
		batchesOfCode:    "stock_batch_by_code (code=?)",
		documentsOfCause: "stock_document_cause (cause_id=?)",
	} {
		args := []any{}
		for strings.Contains(text, fmt.Sprintf("$%d", len(args)+1)) {
			args = append(args, 1)
		}
		var plan []string
		if err := d.Read(context.Background(), func(tx *db.Tx) error {
			//allow:sql the statements of this package, explained
			rows := tx.Query(`EXPLAIN QUERY PLAN `+text, args...)
			for rows.Next() {
				var node, parent, unused int64
				var detail string
				if err := rows.Scan(&node, &parent, &unused, &detail); err != nil {
					return err
				}
				plan = append(plan, detail)
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
		all := strings.Join(plan, "\n")
		if few := text == batchesOfCode || text == documentsOfCause; !strings.Contains(all, index) || strings.Contains(all, "TEMP B-TREE") && !few {
			t.Errorf("want %s and nothing sorted:\n%s\nin %s", index, all, text)
		}
	}
}
