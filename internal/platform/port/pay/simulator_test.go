package pay

import (
	"context"
	"errors"
	"testing"
	"time"

	"zhanggui/internal/platform/clock"
)

func TestACodeSaysHowItsPayerBehaves(t *testing.T) {
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		code         string
		first        State
		after        time.Duration
		then         State
		cancelAtOnce State
	}{
		{"134567890123456700", Done, 0, Done, Done},
		{"x90", Done, 0, Done, Done},
		{"x91", Failed, 0, Failed, Failed},
		{"x92", Pending, Soon, Done, Failed},
		{"x93", Pending, Patience, Failed, Failed},
		{"x94", Pending, Late, Done, Pending},
		{"x95", Unknown, Soon, Done, Unknown},
		{"x96", Unknown, Soon, Failed, Unknown},
	} {
		hand := clock.Fixed(start)
		s, err := NewSimulator(hand, Pays, false)
		if err != nil {
			t.Fatal(err)
		}
		o := Order{Key: "k1", Amount: 100, Code: c.code, SentAt: start}
		ctx := context.Background()
		if a := s.Charge(ctx, o); a.State != c.first {
			t.Errorf("%s: first %s, want %s", c.code, a.State, c.first)
		}
		if a := s.Cancel(ctx, o); a.State != c.cancelAtOnce {
			t.Errorf("%s: cancel %s, want %s", c.code, a.State, c.cancelAtOnce)
		}
		if c.after > 0 {
			hand.Add(c.after - time.Millisecond)
			if a := s.Ask(ctx, o); a.State != c.first {
				t.Errorf("%s: shortly before: %s, want %s", c.code, a.State, c.first)
			}
			hand.Add(time.Millisecond)
		}
		a := s.Ask(ctx, o)
		if a.State != c.then {
			t.Errorf("%s: then %s, want %s", c.code, a.State, c.then)
		}
		if a.State == Failed && a.Reason == "" || a.State == Done && a.Ref == "" {
			t.Errorf("%s: a definite answer without reason or number: %+v", c.code, a)
		}
	}
}

func TestTheUsualBehaviourCanBeSet(t *testing.T) {
	s, _ := NewSimulator(clock.Fixed(time.Unix(0, 0)), Declines, false)
	if a := s.Charge(context.Background(), Order{Code: "123456"}); a.State != Failed {
		t.Errorf("got %s", a.State)
	}
	if a := s.Charge(context.Background(), Order{Code: "123490"}); a.State != Done {
		t.Errorf("a code's own ending comes first: got %s", a.State)
	}
}

func TestGivingBackCanBeRefusedAndSlow(t *testing.T) {
	hand := clock.Fixed(time.Unix(1000, 0))
	s, _ := NewSimulator(hand, Pays, false)
	give := func(code string) State {
		return s.GiveBack(context.Background(), Refund{Key: "r1", Of: Order{Code: code}, Amount: 1, SentAt: time.Unix(1000, 0)}).State
	}
	if give("x90") != Done || give("x97") != Failed || give("x98") != Pending {
		t.Error("wrong first answers")
	}
	hand.Add(Soon)
	if give("x98") != Done {
		t.Error("the slow refund never ended")
	}
}

func TestACallerWhoGaveUpKnowsNothing(t *testing.T) {
	s, _ := NewSimulator(clock.Wall, Pays, false)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if a := s.Charge(ctx, Order{Code: "x90"}); a.State != Unknown {
		t.Errorf("got %s", a.State)
	}
}

func TestNoSimulatorInProduction(t *testing.T) {
	if s, err := NewSimulator(clock.Wall, Pays, true); s != nil || !errors.Is(err, ErrProduction) {
		t.Errorf("got %v, %v", s, err)
	}
}
