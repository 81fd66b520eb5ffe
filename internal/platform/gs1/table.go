package gs1

import (
	"fmt"
	"strconv"
	"strings"
)

// The application identifiers of the General Specifications: AI or range, then the parts of its data. n is
// digits, x any character of set 82, y of set 39, z of base64url; 6 is exactly six, ..20 one to twenty; a part with ?
// may be left out. After : stand the checks of checks.go, after / whether a Digital Link may carry it as an
// attribute (a), starts with it (k, and the qualifiers that may follow in this order, alternatives after |).
const definitions = `
00 n18:csum /a k
01 n14:csum /a k=22,10,21|235
02 n14:csum /a
03 n14:csum
10 x..20 /a
11-13 n6:yymmd0 /a
15-17 n6:yymmd0 /a
20 n2 /a
21 x..20
22 x..20
235 x..28
240-241 x..30 /a
242 n..6 /a
243 x..20 /a
250-251 x..30 /a
253 n13:csum ?x..17 /a k
254 x..20
255 n13:csum ?n..12 /a k
30 n..8 /a
3100-3105 n6 /a
3110-3115 n6 /a
3120-3125 n6 /a
3130-3135 n6 /a
3140-3145 n6 /a
3150-3155 n6 /a
3160-3165 n6 /a
3200-3205 n6 /a
3210-3215 n6 /a
3220-3225 n6 /a
3230-3235 n6 /a
3240-3245 n6 /a
3250-3255 n6 /a
3260-3265 n6 /a
3270-3275 n6 /a
3280-3285 n6 /a
3290-3295 n6 /a
3300-3305 n6 /a
3310-3315 n6 /a
3320-3325 n6 /a
3330-3335 n6 /a
3340-3345 n6 /a
3350-3355 n6 /a
3360-3365 n6 /a
3370-3375 n6 /a
3400-3405 n6 /a
3410-3415 n6 /a
3420-3425 n6 /a
3430-3435 n6 /a
3440-3445 n6 /a
3450-3455 n6 /a
3460-3465 n6 /a
3470-3475 n6 /a
3480-3485 n6 /a
3490-3495 n6 /a
3500-3505 n6 /a
3510-3515 n6 /a
3520-3525 n6 /a
3530-3535 n6 /a
3540-3545 n6 /a
3550-3555 n6 /a
3560-3565 n6 /a
3570-3575 n6 /a
3600-3605 n6 /a
3610-3615 n6 /a
3620-3625 n6 /a
3630-3635 n6 /a
3640-3645 n6 /a
3650-3655 n6 /a
3660-3665 n6 /a
3670-3675 n6 /a
3680-3685 n6 /a
3690-3695 n6 /a
37 n..8 /a
3900-3909 n..15 /a
3910-3919 n3:iso4217 n..15 /a
3920-3929 n..15 /a
3930-3939 n3:iso4217 n..15 /a
3940-3943 n4 /a
3950-3955 n6 /a
400 x..30 /a
401 x..30 /a k
402 n17:csum /a k
403 x..30 /a
410-413 n13:csum /a
414 n13:csum /a k=254|7040
415 n13:csum /a k=8020
416 n13:csum /a
417 n13:csum /a k=7040
420 x..20 /a
421 n3:iso3166 x..9 /a
422 n3:iso3166 /a
423 n3:iso3166 ?n3:iso3166 ?n3:iso3166 ?n3:iso3166 ?n3:iso3166 /a
424 n3:iso3166 /a
425 n3:iso3166 ?n3:iso3166 ?n3:iso3166 ?n3:iso3166 ?n3:iso3166 /a
426 n3:iso3166 /a
427 x..3 /a
4300-4301 x..35:pcenc /a
4302-4306 x..70:pcenc /a
4307 x2:iso3166alpha2 /a
4308 x..30 /a
4309 n10:latitude n10:longitude /a
4310-4311 x..35:pcenc /a
4312-4316 x..70:pcenc /a
4317 x2:iso3166alpha2 /a
4318 x..20 /a
4319 x..30 /a
4320 x..35:pcenc /a
4321-4323 n1:yesno /a
4324-4325 n6:yymmd0 n4:hhmi /a
4326 n6:yymmdd /a
4330-4333 n6 ?x1:hyphen /a
7001 n13 /a
7002 x..30 /a
7003 n6:yymmdd n4:hhmi /a
7004 n..4 /a
7005 x..12 /a
7006 n6:yymmdd /a
7007 n6:yymmdd ?n6:yymmdd /a
7008 x..3 /a
7009 x..10 /a
7010 x..2 /a
7011 n6:yymmdd ?n4:hhmi /a
7020-7022 x..20 /a
7023 x..30 /a
7030-7039 n3:iso3166999 x..27 /a
7040 n1 x1 x1 x1:importeridx
7041 x..4:packagetype
710-717 x..20 /a
7230-7239 x2 x..28 /a
7240 x..20 /a
7241 n2:mediatype /a
7242 x..25 /a
7250 n8:yyyymmdd /a
7251 n8:yyyymmdd n4:hhmi /a
7252 n1:iso5218 /a
7253-7254 x..40:pcenc /a
7255 x..10 /a
7256 x..90:pcenc /a
7257 x..70:pcenc /a
7258 x3:posinseqslash /a
7259 x..40:pcenc /a
8001 n4:nonzero n5:nonzero n3:nonzero n1:winding n1 /a
8002 x..20 /a
8003 n1:zero n13:csum ?x..16 /a k
8004 x..30 /a k=7040
8005 n6 /a
8006 n14:csum n4:pieceoftotal /a k=22,10,21
8007 x..34:iban /a
8008 n6:yymmdd n2:hh ?n2:mi ?n2:ss /a
8009 x..50 /a
8010 y..30 /a k=8011
8011 n..12:nozeroprefix
8012 x..20 /a
8013 x..25:csumalpha /a k
8014 x..25:csumalpha,hasnondigit
8017-8018 n18:csum /a k=8019
8019 n..10
8020 x..25
8026 n14:csum n4:pieceoftotal /a
8030 z..90 /a
8040-8041 n15 /a
8042 n32 /a
8043 n18 ?n..2 /a
8110 x..70:couponcode /a
8111 n4 /a
8112 x..70:couponposoffer /a
8200 x..70
90 x..30 /a
91-99 x..90 /a
`

// definition of an application identifier.
type definition struct {
	parts      []part
	attribute  bool       // a Digital Link may carry it behind the ?
	key        bool       // a Digital Link may start with it
	qualifiers [][]string // that may follow the key, in this order, one of the lists
}

// part of the data of an AI.
type part struct {
	set         byte // n, x, y, z
	least, most int
	optional    bool
	checks      []func(string) error
}

var table = define(definitions)

func define(text string) map[string]*definition {
	all := map[string]*definition{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		d := &definition{}
		for _, w := range words[1:] {
			switch {
			case w == "/a":
				d.attribute = true
			case w == "k":
				d.key = true
			case strings.HasPrefix(w, "k="):
				d.key = true
				for _, list := range strings.Split(w[2:], "|") {
					d.qualifiers = append(d.qualifiers, strings.Split(list, ","))
				}
			default:
				d.parts = append(d.parts, partOf(w))
			}
		}
		first, last, isRange := strings.Cut(words[0], "-")
		if !isRange {
			last = first
		}
		from, _ := strconv.Atoi(first)
		to, _ := strconv.Atoi(last)
		for n := from; n <= to; n++ {
			all[fmt.Sprintf("%0*d", len(first), n)] = d
		}
	}
	return all
}

func partOf(w string) part {
	spec, names, checked := strings.Cut(w, ":")
	p := part{}
	spec, p.optional = strings.CutPrefix(spec, "?")
	p.set, spec = spec[0], spec[1:]
	size, upTo := strings.CutPrefix(spec, "..")
	p.most, _ = strconv.Atoi(size)
	p.least = p.most
	if upTo {
		p.least = 1
	}
	if checked {
		for _, name := range strings.Split(names, ",") {
			p.checks = append(p.checks, checks[name])
		}
	}
	return p
}

// fixedLength tells of the AIs whose length is known by their first two digits, for ever: they need no separator.
func fixedLength(ai string) bool {
	switch ai[:2] {
	case "00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20",
		"31", "32", "33", "34", "35", "36", "41":
		return true
	}
	return false
}

// identify finds the AI that a string starts with.
func identify(s string) (string, *definition) {
	for n := 2; n <= 4 && n <= len(s); n++ {
		if d := table[s[:n]]; d != nil {
			return s[:n], d
		}
	}
	return "", nil
}

// most is the greatest length of the data.
func (d *definition) most() int {
	n := 0
	for _, p := range d.parts {
		n += p.most
	}
	return n
}

// check holds the data of an AI against its definition.
func (d *definition) check(ai, value string) error {
	if value == "" {
		return refuse(ai, "has no data")
	}
	rest := value
	for _, p := range d.parts {
		if p.optional && rest == "" {
			break
		}
		n := min(p.most, len(rest))
		if n < p.least {
			return refuse(ai, "data is too short")
		}
		this := rest[:n]
		rest = rest[n:]
		if err := sets[p.set](this); err != nil {
			return refuse(ai, "%v", err)
		}
		for _, c := range p.checks {
			if err := c(this); err != nil {
				return refuse(ai, "%v", err)
			}
		}
	}
	if rest != "" {
		return refuse(ai, "data is too long")
	}
	return nil
}
