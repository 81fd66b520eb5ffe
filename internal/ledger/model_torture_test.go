//go:build torture

package ledger

import (
	"strconv"
	"testing"

	"zhanggui/internal/platform/dbtest"
)

// The long form of the notebook: 20,000 sequences, each thousand with databases and a seed of its own.
func TestTortureNotebookAndBothEnginesAgree(t *testing.T) {
	dbtest.Parts(t, "ledger-notebook", 20, func(t *testing.T, k int) {
		dbtest.Flags(t, map[string]string{"rapid.seed": strconv.Itoa(k + 1)})
		agree(t, 1000)
	})
}
