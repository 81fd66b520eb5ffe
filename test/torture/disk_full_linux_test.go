//go:build torture

package torture

import (
	"testing"

	"zhanggui/internal/platform/dbtest"
)

func TestTortureOfAHundredFailedFsyncs(t *testing.T) {
	dbtest.Parts(t, "failed-fsyncs", 5, func(t *testing.T, _ int) { failedSyncs(t, 20) })
}

func TestTortureOfFiftyFullDisks(t *testing.T) {
	dbtest.Parts(t, "full-disks", 5, func(t *testing.T, _ int) { survivesFullDisks(t, 10) })
}
