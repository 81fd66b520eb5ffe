//go:build torture

package stock

import "testing"

// The long form of the notebook.
func TestTortureNotebookAndBothEnginesAgree(t *testing.T) { agree(t, 200_000) }
