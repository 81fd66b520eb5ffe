//go:build torture

package ledger

import "testing"

// The long form of the notebook.
func TestTortureNotebookAndBothEnginesAgree(t *testing.T) { agree(t, 20_000) }
