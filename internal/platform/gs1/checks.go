package gs1

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// sets are the character sets of the General Specifications.
var sets = map[byte]func(string) error{'n': digitsOnly, 'x': set82, 'y': set39, 'z': set64}

// checks are what a part of an AI's data must fulfil beyond its characters, by the names the standard gives them.
var checks = map[string]func(string) error{
	"csum": checkDigit, "csumalpha": checkPair, "hasnondigit": hasNonDigit, "hyphen": hyphen, "iban": iban, "importeridx": importerIndex,
	"iso3166": country, "iso3166999": countryOrMany, "iso3166alpha2": countryLetters, "iso4217": currency, "iso5218": oneOf("0129"),
	"latitude": latitude, "longitude": longitude, "mediatype": mediaType, "nonzero": nonZero, "nozeroprefix": noZeroPrefix,
	"packagetype": packageType, "pcenc": percentEncoded, "pieceoftotal": pieceOfTotal, "posinseqslash": positionInSequence,
	"winding": oneOf("019"), "yesno": oneOf("01"), "zero": zero, "hh": below(24), "mi": below(60), "ss": below(60), "hhmi": hourMinute,
	"yymmdd": day(6, false), "yymmd0": day(6, true), "yyyymmdd": day(8, false), "yyyymmd0": day(8, true),
	"couponcode": coupon, "couponposoffer": positiveOffer,
}

func digitsOnly(s string) error {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return errors.New("must be digits")
		}
	}
	return nil
}

// chars82 are the characters of set 82 in the order of their values for the check pair.
const chars82 = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`

func within(set string) func(string) error {
	return func(s string) error {
		for i := range len(s) {
			if strings.IndexByte(set, s[i]) < 0 {
				return errors.New("has a character that is not allowed")
			}
		}
		return nil
	}
}

var (
	set82 = within(chars82)
	set39 = within("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
)

// set64 is base64url: with its padding, or without.
func set64(s string) error {
	data := strings.TrimRight(s, "=")
	if err := within("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")(data); err != nil {
		return err
	}
	if pad := len(s) - len(data); pad > 2 || pad > 0 && len(s)%3 != 0 {
		return errors.New("has wrong padding")
	}
	return nil
}

func checkDigit(s string) error {
	if err := digitsOnly(s); err != nil {
		return err
	}
	if !Checked(s) {
		return errors.New("check digit is wrong")
	}
	return nil
}

// checkPair is the pair of check characters of a Global Model Number: weights are primes, taken from the right,
// the sum modulo 1021 is written in two characters of a set of 32.
func checkPair(s string) error {
	const pair = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	primes := [23]int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83}
	n := len(s) - 2
	if n < 0 || n > len(primes) {
		return errors.New("has the wrong length for a check pair")
	}
	sum := 0
	for i := range n {
		v := strings.IndexByte(chars82, s[i])
		if v < 0 {
			return errors.New("has a character that is not allowed")
		}
		sum += v * primes[n-1-i]
	}
	sum %= 1021
	if s[n] != pair[sum>>5] || s[n+1] != pair[sum&31] {
		return errors.New("check pair is wrong")
	}
	return nil
}

func hasNonDigit(s string) error {
	if digitsOnly(s) == nil {
		return errors.New("must not be digits only")
	}
	return nil
}

func hyphen(s string) error {
	if s == "" || strings.Trim(s, "-") != "" {
		return errors.New("must be a hyphen")
	}
	return nil
}

func oneOf(chars string) func(string) error {
	return func(s string) error {
		if len(s) != 1 || strings.IndexByte(chars, s[0]) < 0 {
			return errors.New("must be one of " + chars)
		}
		return nil
	}
}

func importerIndex(s string) error {
	return oneOf("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")(s)
}

// iban checks form and the remainder by 97 (ISO 13616).
func iban(s string) error {
	if len(s) < 5 || len(s) > 34 {
		return errors.New("has the wrong length for an IBAN")
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A'+10)) % 97
		default:
			return errors.New("has a character that no IBAN has")
		}
	}
	if rest != 1 {
		return errors.New("is no IBAN: its check digits are wrong")
	}
	return nil
}

func latitude(s string) error  { return angle(s, 1_800_000_000) }
func longitude(s string) error { return angle(s, 3_600_000_000) }

// angle is ten digits of 10⁻⁷ degrees, counted from the pole or from the antimeridian.
func angle(s string, most int64) error {
	if len(s) != 10 || digitsOnly(s) != nil {
		return errors.New("must be ten digits")
	}
	if n, err := strconv.ParseInt(s, 10, 64); err != nil || n > most {
		return errors.New("is beyond the globe")
	}
	return nil
}

// mediaType: 01 to 10 are assigned, 80 to 99 are for one's own use.
func mediaType(s string) error {
	n, err := strconv.Atoi(s)
	if len(s) != 2 || digitsOnly(s) != nil || err != nil || n < 1 || n > 10 && n < 80 {
		return errors.New("is no media type")
	}
	return nil
}

func nonZero(s string) error {
	if err := digitsOnly(s); err != nil {
		return err
	}
	if strings.Trim(s, "0") == "" {
		return errors.New("must not be zero")
	}
	return nil
}

func noZeroPrefix(s string) error {
	if err := digitsOnly(s); err != nil {
		return err
	}
	if strings.HasPrefix(s, "0") {
		return errors.New("must not begin with zero")
	}
	return nil
}

func zero(s string) error {
	if strings.Trim(s, "0") != "" {
		return errors.New("must be zero")
	}
	return nil
}

// packageType knows the form of UNECE Recommendation 21 and of GS1's own codes (200 and up), not each code: the list grows.
func packageType(s string) error {
	digits := digitsOnly(s) == nil
	switch {
	case within("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")(s) != nil, len(s) < 2, len(s) > 3, digits && s[0] != '2' && s != "43" && s != "44":
		return errors.New("is no package type")
	}
	return nil
}

func percentEncoded(s string) error {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return errors.New("has a percent sign without two hexadecimal digits")
		}
		i += 2
	}
	return nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func pieceOfTotal(s string) error {
	if err := digitsOnly(s); err != nil {
		return err
	}
	if s == "" || len(s)%2 != 0 {
		return errors.New("must be a number of a piece and, as long, of how many there are")
	}
	piece, total := s[:len(s)/2], s[len(s)/2:]
	if strings.Trim(piece, "0") == "" || strings.Trim(total, "0") == "" || piece > total {
		return errors.New("counts pieces wrongly")
	}
	return nil
}

func positionInSequence(s string) error {
	position, end, ok := strings.Cut(s, "/")
	if !ok || position == "" || end == "" || noZeroPrefix(position) != nil || noZeroPrefix(end) != nil {
		return errors.New("must be written like 1/3")
	}
	if len(position) > len(end) || len(position) == len(end) && position > end {
		return errors.New("is beyond the end of the sequence")
	}
	return nil
}

func below(limit int) func(string) error {
	return func(s string) error {
		if n, err := strconv.Atoi(s); len(s) != 2 || digitsOnly(s) != nil || err != nil || n >= limit {
			return errors.New("is no time of day")
		}
		return nil
	}
}

func hourMinute(s string) error {
	if len(s) != 4 || below(24)(s[:2]) != nil || below(60)(s[2:]) != nil {
		return errors.New("is no time of day")
	}
	return nil
}

// day reads a date of six or eight digits; day 00, the end of the month, only where it may stand.
func day(length int, zeroDay bool) func(string) error {
	return func(s string) error {
		if len(s) != length || digitsOnly(s) != nil {
			return errors.New("must be a date of " + strconv.Itoa(length) + " digits")
		}
		year, _ := strconv.Atoi(s[:length-4])
		if length == 6 {
			year = centuryOf(year, 2000)
		}
		month, _ := strconv.Atoi(s[length-4 : length-2])
		d, _ := strconv.Atoi(s[length-2:])
		if month < 1 || month > 12 || d == 0 && !zeroDay || d > daysIn(year, month) {
			return errors.New("is no date")
		}
		return nil
	}
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// centuryOf is the year that two digits mean: the one from 49 years before to 50 years after this year.
func centuryOf(two, thisYear int) int {
	y := thisYear/100*100 + two
	switch {
	case y-thisYear > 50:
		return y - 100
	case y-thisYear < -49:
		return y + 100
	}
	return y
}

// CheckField holds one field against a check of the standard by its name there: csum, yymmdd, iso4217, cset82 …
func CheckField(name, value string) error {
	c := checks[name]
	if c == nil {
		c = map[string]func(string) error{"csetnumeric": digitsOnly, "cset82": set82, "cset39": set39, "cset64": set64}[name]
	}
	if c == nil {
		return errors.New("there is no check " + name)
	}
	return c(value)
}
