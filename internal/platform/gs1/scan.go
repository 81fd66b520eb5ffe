package gs1

import "strings"

// Symbology is what kind of barcode a scanner saw, told by the AIM identifier it sends first.
type Symbology string

const (
	Unnamed Symbology = ""       // the scanner sent no identifier
	EAN13   Symbology = "EAN-13" // also UPC-A and UPC-E, which come with 13 digits
	EAN8    Symbology = "EAN-8"
	GS1128  Symbology = "GS1-128"
	DataBar Symbology = "DataBar" // also composites of it and of GS1-128
	QR      Symbology = "QR"
	DM      Symbology = "Data Matrix"
	DotCode Symbology = "DotCode"
)

// Scan is what a scanner sent, taken apart. Exactly one of Message (element strings or a Digital Link) and Plain says
// what the symbol holds; Composite is a second symbol printed with an EAN.
type Scan struct {
	Symbology Symbology
	Message   Message
	Plain     string
	Composite Message
}

var identifiers = []struct {
	prefix   string
	of       Symbology
	elements bool // element strings follow
	text     bool // may hold a Digital Link
}{
	{"]C1", GS1128, true, false}, {"]e0", DataBar, true, false}, {"]d2", DM, true, false}, {"]Q3", QR, true, false}, {"]J1", DotCode, true, false},
	{"]Q1", QR, false, true}, {"]d1", DM, false, true}, {"]J0", DotCode, false, true},
}

// ReadScan takes apart what a scanner sent, told by the identifier of the symbology before it. An EAN must have its check
// digit, element strings and addresses that look like a Digital Link must be right.
func ReadScan(s string) (Scan, error) {
	if len(s) > maxMessage {
		return Scan{}, refuse("", "too long")
	}
	for _, i := range identifiers {
		body, ok := strings.CutPrefix(s, i.prefix)
		switch {
		case !ok:
		case i.elements:
			m, err := ParseElements(string(FNC1) + strings.TrimPrefix(body, string(FNC1)))
			return Scan{Symbology: i.of, Message: m}, err
		case i.text && IsLink(body):
			m, err := ParseLink(body, Link{})
			return Scan{Symbology: i.of, Message: m}, err
		default:
			return Scan{Symbology: i.of, Plain: body}, nil
		}
	}
	for _, sym := range []Symbology{EAN13, EAN8} {
		body, ok := strings.CutPrefix(s, sym.prefix())
		if !ok {
			continue
		}
		code, second, composite := strings.Cut(body, "|]e0")
		if len(code) != sym.digits() || !Checked(code) {
			return Scan{}, refuse("", "no %s with its check digit", sym)
		}
		scan := Scan{Symbology: sym, Plain: code}
		if composite {
			m, err := ParseElements(string(FNC1) + second)
			if err != nil {
				return Scan{}, err
			}
			scan.Composite = m
		}
		return scan, nil
	}
	return Scan{}, refuse("", "no symbology that is known at %q", short(s))
}

// Read takes apart what came from a scanner or was typed: with an identifier as ReadScan, else by its look. An address, a
// bracket or FNC1 at the start must be right; a text that begins like a GTIN's element string is one when all of it is.
func Read(s string) (Scan, error) {
	switch {
	case s == "":
		return Scan{}, refuse("", "nothing to read")
	case s[0] == ']':
		return ReadScan(s)
	case IsLink(s):
		m, err := ParseLink(s, Link{})
		return Scan{Message: m}, err
	case s[0] == FNC1:
		m, err := ParseElements(s)
		return Scan{Message: m}, err
	case s[0] == '(':
		m, err := ParseBracketed(s)
		return Scan{Message: m}, err
	case len(s) > 16 && strings.HasPrefix(s, "01") && Checked(s[2:16]): // a scanner that leaves out FNC1 at the start
		if m, err := ParseElements(string(FNC1) + s); err == nil {
			return Scan{Message: m}, nil
		}
	}
	return Scan{Plain: s}, nil
}

// String is what a scanner sends for it: Read gives it back.
func (s Scan) String() string {
	if s.Symbology == EAN13 || s.Symbology == EAN8 {
		if s.Composite == nil {
			return s.Symbology.prefix() + s.Plain
		}
		return s.Symbology.prefix() + s.Plain + "|]e0" + s.Composite.Elements()[1:]
	}
	for _, i := range identifiers {
		if i.of == s.Symbology && i.elements == (s.Message != nil) {
			if i.elements {
				return i.prefix + s.Message.Elements()[1:]
			}
			return i.prefix + s.Plain
		}
	}
	if s.Message != nil {
		return s.Message.Elements()
	}
	return s.Plain
}

func (s Symbology) digits() int {
	if s == EAN8 {
		return 8
	}
	return 13
}

func (s Symbology) prefix() string {
	if s == EAN8 {
		return "]E4"
	}
	return "]E0"
}
