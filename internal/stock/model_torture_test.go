//go:build torture

package stock

import (
	"strconv"
	"testing"

	"zhanggui/internal/platform/dbtest"
)

// The long form of the notebook: 200,000 sequences, each thousand with databases and a seed of its own.
func TestTortureNotebookAndBothEnginesAgree(t *testing.T) {
	dbtest.Parts(t, "stock-notebook", 200, func(t *testing.T, k int) {
		dbtest.Flags(t, map[string]string{"rapid.seed": strconv.Itoa(k + 1)})
		agree(t, 1000)
	})
}
