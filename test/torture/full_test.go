//go:build torture

package torture

import "testing"

func TestTortureOfTwoHundredKills(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) { survives(t, dsn, 200) })
}
