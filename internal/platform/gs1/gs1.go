// Package gs1 reads what GS1 barcodes say: element strings of application identifiers (AIs), with separators as
// a scanner sends them or with brackets as a label prints them, Digital Link addresses, and the check digits
// of GTINs. It follows the GS1 General Specifications and the Digital Link URI Syntax and knows nothing of goods.
//
// Everything that is read has been checked: the AI is known, its data has the length, characters, check
// digits and dates that its definition asks for. What can't be read is refused as a whole.
package gs1

import (
	"fmt"
	"strings"
)

// FNC1 marks element strings at their start and separates what has no fixed length. A scanner sends it as GS.
const FNC1 = '\x1d'

// maxMessage bounds what is read: far above what a symbol or an address carries.
const maxMessage = 8192

// Element is an application identifier with its data.
type Element struct{ AI, Value string }

// Message is the element strings of one symbol, in their order.
type Message []Element

// Get finds the data of an AI.
func (m Message) Get(ai string) (string, bool) {
	for _, e := range m {
		if e.AI == ai {
			return e.Value, true
		}
	}
	return "", false
}

// String writes the message as a label prints it: (01)06901234567892(10)A1.
func (m Message) String() string {
	var b strings.Builder
	for _, e := range m {
		b.WriteString("(" + e.AI + ")" + strings.ReplaceAll(e.Value, "(", `\(`))
	}
	return b.String()
}

// Elements writes the message as a symbol carries it: FNC1 first, and again between an element without fixed
// length and the next.
func (m Message) Elements() string {
	var b strings.Builder
	open := true
	for _, e := range m {
		if open {
			b.WriteByte(FNC1)
		}
		b.WriteString(e.AI + e.Value)
		open = !fixedLength(e.AI)
	}
	return b.String()
}

// Error says where and why something can't be read. Its text is for people who know GS1; a screen shows its own.
type Error struct {
	AI     string // "": before any AI was found
	Reason string
}

func (e *Error) Error() string {
	if e.AI == "" {
		return "gs1: " + e.Reason
	}
	return "gs1: (" + e.AI + ") " + e.Reason
}

func refuse(ai, format string, args ...any) error { return &Error{ai, fmt.Sprintf(format, args...)} }

// ParseElements reads element strings as a symbol carries them, FNC1 first.
func ParseElements(s string) (Message, error) {
	if len(s) > maxMessage {
		return nil, refuse("", "too long")
	}
	rest, ok := strings.CutPrefix(s, string(FNC1))
	if !ok {
		return nil, refuse("", "no FNC1 at the start")
	}
	if rest == "" {
		return nil, refuse("", "nothing after FNC1")
	}
	var m Message
	for rest != "" {
		ai, d := identify(rest)
		if d == nil {
			return nil, refuse("", "no application identifier at %q", short(rest))
		}
		rest = rest[len(ai):]
		value, after, separated := strings.Cut(rest, string(FNC1))
		if n := d.most(); len(value) > n && fixedLength(ai) {
			value, after, separated = rest[:n], rest[n:], false
			if strings.HasPrefix(after, string(FNC1)) { // allowed, though not needed
				after, separated = after[1:], true
			}
		}
		if err := d.check(ai, value); err != nil {
			return nil, err
		}
		m = append(m, Element{ai, value})
		rest = after
		if separated && rest == "" {
			break // a separator at the very end says nothing
		}
	}
	return m, m.once()
}

// ParseBracketed reads element strings as a label prints them. A bracket that belongs to the data is written \(.
func ParseBracketed(s string) (Message, error) {
	if len(s) > maxMessage {
		return nil, refuse("", "too long")
	}
	if s == "" {
		return nil, refuse("", "nothing to read")
	}
	var m Message
	for s != "" {
		if s[0] != '(' {
			return nil, refuse("", "an application identifier in brackets is missing at %q", short(s))
		}
		end := strings.IndexByte(s, ')')
		if end < 0 {
			return nil, refuse("", "a bracket is not closed")
		}
		ai := s[1:end]
		d := table[ai]
		if d == nil {
			return nil, refuse("", "there is no application identifier (%s)", short(ai))
		}
		var value strings.Builder
		i := end + 1
		for ; i < len(s) && s[i] != '('; i++ {
			if s[i] == '\\' && i+1 < len(s) && s[i+1] == '(' {
				i++
			}
			value.WriteByte(s[i])
		}
		if err := d.check(ai, value.String()); err != nil {
			return nil, err
		}
		m = append(m, Element{ai, value.String()})
		s = s[i:]
	}
	return m, m.once()
}

// once refuses an AI that says two different things; one that repeats itself is a harmless label.
func (m Message) once() error {
	for i, e := range m {
		for _, f := range m[:i] {
			if e.AI == f.AI && e.Value != f.Value {
				return refuse(e.AI, "appears twice with different data")
			}
		}
	}
	return nil
}

func short(s string) string {
	if len(s) > 24 {
		return s[:24] + "…"
	}
	return s
}

// CheckDigit reckons the last digit of a GTIN, GLN or SSCC from the digits before it; false when they are none.
func CheckDigit(digits string) (byte, bool) {
	if digits == "" {
		return 0, false
	}
	sum, weight := 0, 3
	for i := len(digits) - 1; i >= 0; i-- {
		c := digits[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		sum = (sum + int(c-'0')*weight) % 10
		weight = 4 - weight
	}
	return '0' + byte((10-sum)%10), true
}

// Checked says whether the last digit of a code is its check digit.
func Checked(code string) bool {
	if len(code) < 2 {
		return false
	}
	want, ok := CheckDigit(code[:len(code)-1])
	return ok && want == code[len(code)-1]
}

// GTIN tells whether a code is a GTIN-8, -12, -13 or -14 with a right check digit, and writes it with 14 digits.
func GTIN(code string) (string, bool) {
	switch len(code) {
	case 8, 12, 13, 14:
		if Checked(code) {
			return "00000000000000"[len(code):] + code, true
		}
	}
	return "", false
}
