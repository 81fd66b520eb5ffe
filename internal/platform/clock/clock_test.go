package clock

import (
	"testing"
	"time"
)

func TestTheBusinessClockKeepsItsInstantWhenThePaceChanges(t *testing.T) {
	hand := Fixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	b := &Business{wall: hand, from: hand.Now(), at: hand.Now(), speed: 1}
	hand.Add(time.Minute)
	b.Run(60)
	hand.Add(time.Minute)
	if got, want := b.Now(), time.Date(2026, 3, 1, 9, 1, 0, 0, time.UTC); !got.Equal(want) {
		t.Fatalf("shows %v, want %v", got, want)
	}
	b.Jump(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	hand.Add(time.Second)
	if got, want := b.Now(), time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC); !got.Equal(want) {
		t.Fatalf("after the jump it shows %v, want %v", got, want)
	}
}

func TestInstantsAreWholeMilliseconds(t *testing.T) {
	if n := Wall.Now(); n.Nanosecond()%1e6 != 0 || n.Location() != time.UTC {
		t.Fatalf("%v", n)
	}
}
