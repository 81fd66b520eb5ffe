package proof_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/proof"
)

func green(tx *db.Tx) (proof.Result, error) {
	var n int64
	err := tx.QueryRow("SELECT 3").Scan(&n)
	return proof.Result{Rows: n}, err
}

func TestARedProofIsNamedWithItsEvidence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		report, err := proof.Run(t.Context(), d.DB, []proof.Proof{
			{Name: "nothing_missing", Run: green},
			{Name: "nothing_double", Run: func(tx *db.Tx) (proof.Result, error) {
				r := proof.Result{Rows: 100}
				for i := range 30 {
					r.Add("slip %d is there twice", i)
				}
				return r, nil
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(report)
		if report.OK || !strings.Contains(string(text), `{"name":"nothing_missing","rows":3,"bad":0,"evidence":[]}`) {
			t.Fatalf("%s", text)
		}
		red := report.Proofs[1]
		if red.Bad != 30 || len(red.Evidence) != proof.MaxEvidence || red.Evidence[0] != "slip 0 is there twice" {
			t.Fatalf("%+v", red)
		}
	})
}

func TestAProofThatCanNotRunIsNotGreen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		torn := errors.New("torn page")
		report, err := proof.Run(t.Context(), d.DB, []proof.Proof{
			{Name: "unreadable", Run: func(*db.Tx) (proof.Result, error) { return proof.Result{}, torn }},
			{Name: "nothing_missing", Run: green},
		})
		if !errors.Is(err, torn) || !strings.Contains(err.Error(), "unreadable") {
			t.Fatalf("got %v", err)
		}
		if report.OK || len(report.Proofs) != 1 || report.Proofs[0].Name != "nothing_missing" {
			t.Fatalf("%+v", report)
		}
	})
}

func TestAProofChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		_, err := proof.Run(t.Context(), d.DB, []proof.Proof{{Name: "meddler", Run: func(tx *db.Tx) (proof.Result, error) {
			return proof.Result{}, tx.Exec("CREATE TABLE proof_t (id BIGINT)")
		}}})
		if !errors.Is(err, db.ErrReadOnly) {
			t.Fatalf("got %v", err)
		}
	})
}
