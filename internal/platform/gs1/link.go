package gs1

import (
	"net/url"
	"strings"
)

// Link says how strictly a Digital Link is read.
type Link struct {
	Names   bool // the old names of keys (gtin, ser …) may stand for their numbers
	Unknown bool // numbers that are no known AI are kept, with data of set 82
}

// names of the first edition of the Digital Link standard.
var names = map[string]string{
	"gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018", "gcn": "255",
	"sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004", "gmn": "8013",
	"cpv": "22", "lot": "10", "ser": "21", "cpsn": "8011", "srin": "8019", "glnx": "254", "refno": "8020",
}

// IsLink says whether a text looks like a Digital Link, right or not.
func IsLink(s string) bool { return scheme(s) != "" }

func scheme(s string) string {
	for _, p := range []string{"https://", "http://", "HTTPS://", "HTTP://"} {
		if strings.HasPrefix(s, p) {
			return p
		}
	}
	return ""
}

// unknown is an AI that this version of the standard does not know.
var unknown = &definition{parts: []part{{set: 'x', least: 1, most: 90}}, attribute: true}

// ParseLink reads a Digital Link: https://host/stem/01/09520123456788/10/A1?17=261231. Elements come in the order of
// the address, a GTIN with 14 digits. The key is the last pair of the path that can be one with all that follows it.
func ParseLink(s string, o Link) (Message, error) {
	p := scheme(s)
	switch {
	case p == "":
		return nil, refuse("", "no http address")
	case len(s) > maxMessage:
		return nil, refuse("", "too long")
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return nil, refuse("", "a character that no address has")
		}
	}
	host, path, ok := strings.Cut(s[len(p):], "/")
	if !ok || host == "" {
		return nil, refuse("", "no host with a path")
	}
	for i := range len(host) {
		if c := host[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-.:[]", c) >= 0) {
			return nil, refuse("", "a character that no host has")
		}
	}
	path, _, _ = strings.Cut(path, "#")
	path, query, _ := strings.Cut(path, "?")
	m, err := o.path(path)
	if err != nil {
		return nil, err
	}
	for _, pair := range strings.FieldsFunc(query, func(c rune) bool { return c == '&' || c == ';' }) {
		name, raw, hasValue := strings.Cut(pair, "=")
		d := table[name]
		switch {
		case digitsOnly(name) != nil || name == "" || !hasValue:
			continue // for the host, not for us
		case d == nil && !(o.Unknown && len(name) >= 2 && len(name) <= 4):
			return nil, refuse("", "there is no application identifier (%s)", short(name))
		case d == nil:
			d = unknown
		case !d.attribute || qualifies(m[0].AI, name):
			return nil, refuse(name, "can't be an attribute of this link")
		}
		if _, twice := m.Get(name); twice {
			return nil, refuse(name, "appears twice")
		}
		e, err := element(name, d, strings.ReplaceAll(raw, "+", " "))
		if err != nil {
			return nil, err
		}
		m = append(m, e)
	}
	return m, nil
}

// path finds the key and its qualifiers.
func (o Link) path(path string) (Message, error) {
	steps := strings.Split(path, "/")
	for at := len(steps) - 2; at >= 0; at -= 2 {
		key := o.number(steps[at])
		d := table[key]
		if d == nil || !d.key {
			continue
		}
		list := make([]string, 0, 4)
		for i := at + 2; i < len(steps); i += 2 {
			list = append(list, o.number(steps[i]))
		}
		if !d.ordered(list) {
			continue
		}
		m := Message{}
		for i := at; i < len(steps); i += 2 {
			ai := o.number(steps[i])
			e, err := element(ai, table[ai], steps[i+1])
			if err != nil {
				return nil, err
			}
			m = append(m, e)
		}
		return m, nil
	}
	return nil, refuse("", "the path has no key with its qualifiers")
}

func (o Link) number(step string) string {
	if n, ok := names[step]; ok && o.Names {
		return n
	}
	return step
}

// ordered says whether the qualifiers of a path are some of one list of the key, in its order.
func (d *definition) ordered(path []string) bool {
	if len(path) == 0 {
		return true
	}
	for _, list := range d.qualifiers {
		i := 0
		for _, q := range list {
			if i < len(path) && path[i] == q {
				i++
			}
		}
		if i == len(path) {
			return true
		}
	}
	return false
}

// qualifies says whether an AI is a qualifier of a key: then it belongs into the path.
func qualifies(key, ai string) bool {
	for _, list := range table[key].qualifiers {
		for _, q := range list {
			if q == ai {
				return true
			}
		}
	}
	return false
}

func element(ai string, d *definition, raw string) (Element, error) {
	value, err := url.PathUnescape(raw)
	if err != nil {
		return Element{}, refuse(ai, "a percent sign without two hexadecimal digits")
	}
	if ai == "01" {
		switch len(value) {
		case 8, 12, 13:
			value = "00000000000000"[len(value):] + value
		}
	}
	return Element{ai, value}, d.check(ai, value)
}
