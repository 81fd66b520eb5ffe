//go:build torture

package attack

import (
	"testing"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/dbtest"
)

// The long form of the rush on four channels.
func TestTortureRushOnFourChannels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) { rush(t, d, 100_000) }, town.Whole)
}
