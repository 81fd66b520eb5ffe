package lazy

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLazy(t *testing.T) {
	time.Sleep(time.Second)      // want `a test that sleeps`
	t.Skip("no database")        // want `a test that skips`
	t.Skipf("no %s", "database") // want `a test that skips`
	t.SkipNow()                  // want `a test that skips`
}

func TestPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { time.Sleep(time.Hour) })
}
