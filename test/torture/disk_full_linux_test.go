//go:build torture

package torture

import "testing"

func TestTortureOfAHundredFailedFsyncs(t *testing.T) { failedSyncs(t, 100) }

func TestTortureOfFiftyFullDisks(t *testing.T) { survivesFullDisks(t, 50) }
