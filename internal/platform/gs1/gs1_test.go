package gs1

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const bag = "06901234567892" // a GTIN with its check digit

func TestALabelSaysWhatItHolds(t *testing.T) {
	want := Message{{"01", bag}, {"10", "L(5"}, {"17", "270131"}, {"3103", "001250"}, {"3922", "4750"}, {"21", "S-1"}}
	for _, s := range []string{
		"(01)" + bag + `(10)L\(5(17)270131(3103)001250(3922)4750(21)S-1`,
		"\x1d01" + bag + "10L(5\x1d172701313103001250" + "39224750\x1d21S-1",
		"]C101" + bag + "10L(5\x1d172701313103001250" + "39224750\x1d21S-1",
		"]Q301" + bag + "10L(5\x1d172701313103001250" + "39224750\x1d21S-1\x1d",
		"01" + bag + "10L(5\x1d172701313103001250" + "39224750\x1d21S-1", // no identifier, no FNC1
	} {
		scan, err := Read(s)
		if err != nil || !reflect.DeepEqual(scan.Message, want) {
			t.Errorf("%q is %v, %v", s, scan.Message, err)
		}
	}
	if w, ok := want.NetWeight(); !ok || w != (Decimal{1250, 3}) {
		t.Error("weight", w)
	}
	if p, currency, ok := want.Price(); !ok || p != (Decimal{4750, 2}) || currency != "" {
		t.Error("price", p, currency)
	}
	yuan := Message{{"3932", "1560001990"}}
	if p, currency, ok := yuan.Price(); !ok || p != (Decimal{1990, 2}) || currency != "156" {
		t.Error("price in yuan", p, currency)
	}
	if n, ok := (Message{{"30", "12"}}).Count(); !ok || n != 12 {
		t.Error("count", n)
	}
}

func TestADigitalLinkSaysTheSame(t *testing.T) {
	for s, want := range map[string]Message{
		"https://id.example.cn/01/6901234567892/10/L5?17=270131&3103=001250&linkType=x": {{"01", bag}, {"10", "L5"}, {"17", "270131"}, {"3103", "001250"}},
		"HTTPS://example.cn/shop/01/" + bag + "/21/a%2Fb#top":                           {{"01", bag}, {"21", "a/b"}},
		"http://example.cn/00/006141411234567890?02=" + bag + "&37=4":                   {{"00", "006141411234567890"}, {"02", bag}, {"37", "4"}},
	} {
		if scan, err := Read(s); err != nil || !reflect.DeepEqual(scan.Message, want) {
			t.Errorf("%q is %v, %v", s, scan.Message, err)
		}
	}
	for _, s := range []string{
		"https://example.cn/", "https://example.cn/01/", "https://example.cn/01/6901234567893", // the check digit
		"https://example.cn/01/" + bag + "/21/1/10/2", // qualifiers out of order
		"https://example.cn/01/" + bag + "?10=2",      // a qualifier behind the ?
		"https://example.cn/01/" + bag + "?17=270131&17=270131",
		"https://example.cn/01/" + bag + "?17=271331", "https://exa mple.cn/01/" + bag, "https://example.cn/01/" + bag + "?10=%zz",
	} {
		if scan, err := Read(s); err == nil {
			t.Errorf("%q was read as %v", s, scan)
		}
	}
}

func TestWhatIsWrongIsRefusedAsAWhole(t *testing.T) {
	for _, s := range []string{
		"(01)06901234567893", "(01)0690123456789", "(01)069012345678922", "(17)270231", "(17)27023", "(99)", "(10)a b", "(05)1", "(", "()", "(1",
		"(10)1(10)2", "\x1d", "\x1d17270131x", "\x1d10", "\x1d01" + bag[:13], "]C1", "]C199", "]x0abc", "]E06901234567893", "]E4123", "(7003)2701312460", "(3103)12345",
		"(421)000123", "(3910)000123", "(8007)XX00", "(10)" + strings.Repeat("1", 21), "(7041)9", "(4309)18000000010000000000", "(8003)12112345678900",
	} {
		if scan, err := Read(s); err == nil {
			t.Errorf("%q was read as %v", s, scan)
		}
	}
	if scan, err := Read("6901234567892"); err != nil || scan.Plain != "6901234567892" || scan.Message != nil {
		t.Error("a plain code stays one:", scan, err)
	}
	if _, err := Read("(10)" + strings.Repeat("1", maxMessage)); err == nil {
		t.Error("no end")
	}
}

func TestDatesNearNow(t *testing.T) {
	shanghai := time.FixedZone("", 8*3600)
	now := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC) // already the 29th there
	for _, c := range []struct{ label, want string }{
		{"(17)261129", "2026-11-30 00:00"}, {"(15)261129", "2026-11-30 00:00"}, {"(17)261100", "2026-12-01 00:00"}, {"(17)760101", "2076-01-02 00:00"},
		{"(17)780101", "1978-01-02 00:00"}, {"(7003)2611291430", "2026-11-29 14:30"}, {"(15)270101(17)261129", "2026-11-30 00:00"},
	} {
		m, err := ParseBracketed(c.label)
		if err != nil {
			t.Fatal(err)
		}
		if at, ok := m.Expires(now, shanghai); !ok || at.Format("2006-01-02 15:04") != c.want {
			t.Errorf("%s expires %v, want %s", c.label, at, c.want)
		}
	}
	if y, m, d, ok := (Message{{"11", "000229"}}).Date("11", now); !ok || y != 2000 || m != 2 || d != 29 {
		t.Error(y, m, d)
	}
}

func TestCheckDigits(t *testing.T) {
	for code, want := range map[string]bool{"6901234567892": true, "6901234567893": false, "96385074": true, "036000291452": true, "": false, "7": false, "69012345678x2": false} {
		if Checked(code) != want {
			t.Errorf("%q: %v", code, !want)
		}
	}
	if g, ok := GTIN("6901234567892"); !ok || g != bag {
		t.Error(g)
	}
	if _, ok := GTIN("690123456789"); ok {
		t.Error("no check digit, no GTIN")
	}
	rapid.Check(t, func(t *rapid.T) { // one wrong digit is always seen
		digits := rapid.StringMatching(`[0-9]{7,17}`).Draw(t, "digits")
		check, _ := CheckDigit(digits)
		code := []byte(digits + string(check))
		at, by := rapid.IntRange(0, len(code)-1).Draw(t, "at"), rapid.IntRange(1, 9).Draw(t, "by")
		if !Checked(string(code)) {
			t.Fatal("its own check digit is wrong")
		}
		code[at] = '0' + (code[at]-'0'+byte(by))%10
		if Checked(string(code)) {
			t.Fatalf("%s: a wrong digit was not seen", code)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"(01)" + bag + `(10)L\(5`, "\x1d01" + bag + "10L\x1d17270131", "]C101" + bag, "]E06901234567892|]e099X", "https://a/01/" + bag + "/10/x?17=270131#f",
		"]Q1https://a/01/6901234567892", "(8013)1987654Ad4X4bL5ttr2310c2K", "(8110)106141416543213500110000310123196000", "(8007)FR7630006000011234567890189"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		scan, err := Read(s)
		if err != nil {
			return
		}
		if scan.Message != nil {
			scan.Message.NetWeight()
			scan.Message.Price()
			scan.Message.Count()
			scan.Message.Expires(now, time.UTC)
			scan.Message.Date("11", now)
			again, err := Read(scan.Message.String())
			if err != nil || !reflect.DeepEqual(again.Message, scan.Message) {
				t.Fatalf("%q printed %q and read %v, %v", s, scan.Message.String(), again.Message, err)
			}
			again, err = Read(scan.Message.Elements())
			if err != nil || !reflect.DeepEqual(again.Message, scan.Message) {
				t.Fatalf("%q carried %q and read %v, %v", s, scan.Message.Elements(), again.Message, err)
			}
		}
	})
}
