package pay

import (
	"context"
	"errors"
	"strings"
	"time"

	"zhanggui/internal/platform/clock"
)

// Behaviour is how the simulated payer and provider act on one code.
type Behaviour int

const (
	Pays        Behaviour = iota // paid at once
	Declines                     // definitely refused at once
	PaysSoon                     // pending, paid after Soon
	NeverPays                    // pending, failed after Patience
	PaysLate                     // pending, can't be cancelled, paid after Late
	LostAnswer                   // no answer for Soon, though the payer has paid
	LostRequest                  // no answer for Soon; the request had never arrived
	NoGiveBack                   // paid at once; giving back is refused
	SlowToGive                   // paid at once; giving back is pending for Soon
)

// How long simulated things take, by the simulator's clock.
const (
	Soon     = 5 * time.Second
	Patience = 60 * time.Second
	Late     = 10 * time.Minute
)

// endings: the last two digits of a payer's code say how it behaves; any other code behaves as usual.
var endings = map[string]Behaviour{
	"90": Pays,
	"91": Declines,
	"92": PaysSoon,
	"93": NeverPays,
	"94": PaysLate,
	"95": LostAnswer,
	"96": LostRequest,
	"97": NoGiveBack,
	"98": SlowToGive,
}

// Simulator stands in for a provider. It keeps nothing: what it answers follows from the code, the time
// the request was sent, and its clock, so that a restart changes no answer. No money ever moves, and
// so it refuses to exist in production.
type Simulator struct {
	now   clock.Source
	usual Behaviour
}

// ErrProduction is returned instead of a simulator where real money is taken.
var ErrProduction = errors.New("pay: the simulated provider can't be used in production")

// NewSimulator returns a simulator; usual is how codes behave whose last two digits say nothing else.
func NewSimulator(now clock.Source, usual Behaviour, production bool) (*Simulator, error) {
	if production {
		return nil, ErrProduction
	}
	return &Simulator{now, usual}, nil
}

// Name is the provider's name on tenders.
func (s *Simulator) Name() string { return "simulated" }

func (s *Simulator) of(code string) Behaviour {
	if len(code) >= 2 {
		if b, ok := endings[code[len(code)-2:]]; ok {
			return b
		}
	}
	return s.usual
}

// Charge answers as the payer's code says.
func (s *Simulator) Charge(ctx context.Context, o Order) Answer { return s.Ask(ctx, o) }

// Ask answers as the payer's code and the time since the order was sent say.
func (s *Simulator) Ask(ctx context.Context, o Order) Answer {
	if err := ctx.Err(); err != nil {
		return Answer{State: Unknown, Reason: err.Error()}
	}
	since := s.now.Now().Sub(o.SentAt)
	done := Answer{State: Done, Ref: ref(o.Key)}
	switch s.of(o.Code) {
	case Declines:
		return Answer{State: Failed, Reason: "declined"}
	case PaysSoon:
		if since < Soon {
			return Answer{State: Pending}
		}
	case NeverPays:
		if since < Patience {
			return Answer{State: Pending}
		}
		return Answer{State: Failed, Reason: "not confirmed in time"}
	case PaysLate:
		if since < Late {
			return Answer{State: Pending}
		}
	case LostAnswer:
		if since < Soon {
			return Answer{State: Unknown, Reason: "no answer"}
		}
	case LostRequest:
		if since < Soon {
			return Answer{State: Unknown, Reason: "no answer"}
		}
		return Answer{State: Failed, Reason: "never received"}
	}
	return done
}

// Cancel ends what is pending, except for the payer who pays late, where nobody can tell yet.
func (s *Simulator) Cancel(ctx context.Context, o Order) Answer {
	a := s.Ask(ctx, o)
	if a.State == Pending && s.of(o.Code) != PaysLate {
		return Answer{State: Failed, Reason: "cancelled"}
	}
	return a
}

// GiveBack refunds at once unless the code of the order says otherwise.
func (s *Simulator) GiveBack(ctx context.Context, r Refund) Answer { return s.AskGiveBack(ctx, r) }

// AskGiveBack answers as the code of the order and the time since the refund was sent say.
func (s *Simulator) AskGiveBack(ctx context.Context, r Refund) Answer {
	if err := ctx.Err(); err != nil {
		return Answer{State: Unknown, Reason: err.Error()}
	}
	switch s.of(r.Of.Code) {
	case NoGiveBack:
		return Answer{State: Failed, Reason: "refund refused"}
	case SlowToGive:
		if s.now.Now().Sub(r.SentAt) < Soon {
			return Answer{State: Pending}
		}
	}
	return Answer{State: Done, Ref: ref(r.Key)}
}

func ref(key string) string { return "SIM-" + strings.ToUpper(key) }
