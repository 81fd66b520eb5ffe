package id

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestIdsNeverMeetAndRise(t *testing.T) {
	const workers, each = 8, 20_000
	var wg sync.WaitGroup
	got := make([][]ID, workers)
	for w := range workers {
		wg.Go(func() {
			for range each {
				got[w] = append(got[w], New())
			}
		})
	}
	wg.Wait()
	seen := make(map[ID]bool, workers*each)
	for _, ids := range got {
		for i, v := range ids {
			if seen[v] {
				t.Fatalf("%d was given twice", v)
			}
			seen[v] = true
			if i > 0 && v <= ids[i-1] {
				t.Fatalf("%d after %d", v, ids[i-1])
			}
		}
	}
}

func TestAnIdKnowsWhenItWasMade(t *testing.T) {
	before := time.Now().Add(-time.Millisecond)
	if at := New().Time(); at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Fatalf("made at %v", at)
	}
}

func TestInJSONAnIdIsADecimalString(t *testing.T) {
	b, err := json.Marshal(struct{ A, B ID }{A: 9007199254740993})
	if err != nil || string(b) != `{"A":"9007199254740993","B":""}` {
		t.Fatalf("%s %v", b, err)
	}
	var back struct{ A, B ID }
	if err := json.Unmarshal(b, &back); err != nil || back.A != 9007199254740993 || back.B != 0 {
		t.Fatalf("%+v %v", back, err)
	}
}

func TestWhatIsNoIdIsRefused(t *testing.T) {
	for _, s := range []string{"", "0", "-1", "+1", "01", "1.0", "1e3", "x", " 1", "9223372036854775808", "99999999999999999999"} {
		if v, err := Parse(s); !errors.Is(err, ErrBad) {
			t.Errorf("%q became %d, %v", s, v, err)
		}
	}
}
