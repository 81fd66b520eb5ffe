package org

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"zhanggui/internal/platform/errs"
)

var (
	ErrPasswordShort = errs.Define("password_short", errs.Invalid, "密码至少 8 位", "A password has at least 8 characters")
	ErrPasswordWeak  = errs.Define("password_weak", errs.Invalid, "这个密码太常见或太简单,请换一个", "This password is too common or too simple; choose another one")
	ErrPasswordBusy  = errs.Define("sign_in_busy", errs.Unavailable, "登录的人太多,请稍后再试", "Too many people are signing in; please try again shortly")
)

// effort is what computing one hash costs; it is stored with the hash.
type effort struct{ memory, passes uint32 } // KiB, turns over it

// full is the OWASP minimum for argon2id (19 MiB, 2 passes, 1 lane): about 25 ms of one core.
var full = effort{19 << 10, 2}

// asked is what a new hash costs. The houses of tests, thousands that nobody attacks, would spend a third of their
// time on it.
var asked = func() effort {
	if testing.Testing() {
		return effort{64, 1}
	}
	return full
}()

const (
	argonLanes = 1
	argonKey   = 32
	argonSalt  = 16
)

// gate lets one hash be computed at a time and a few wait: guessing can take one core at most, and
// the tills keep the rest.
type gate struct {
	turn    chan struct{}
	waiting chan struct{}
}

func newGate() *gate {
	return &gate{turn: make(chan struct{}, 1), waiting: make(chan struct{}, 16)}
}

func (g *gate) pass(ctx context.Context, f func()) error {
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		return ErrPasswordBusy
	}
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return ErrPasswordBusy
	}
	f()
	return nil
}

// hash makes what is stored of a password.
func (g *gate) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	var key []byte
	err := g.pass(ctx, func() {
		key = argon2.IDKey([]byte(password), salt, asked.passes, asked.memory, argonLanes, argonKey)
	})
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, asked.memory, asked.passes, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), err
}

// nobody is compared with when a name is unknown, so that the answer takes as long.
var nobody = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, asked.memory, asked.passes, argonLanes,
	base64.RawStdEncoding.EncodeToString(make([]byte, argonSalt)), base64.RawStdEncoding.EncodeToString(make([]byte, argonKey)))

// matches tells whether password is the one that stored was made from. "" stored matches nothing,
// at the same cost.
func (g *gate) matches(ctx context.Context, stored, password string) (bool, error) {
	known := stored != ""
	if !known {
		stored = nobody
	}
	var version, memory, passes, lanes uint32
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, fmt.Errorf("org: stored password has an unknown form")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, fmt.Errorf("org: stored password has an unknown version")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil || memory > 1<<20 || passes > 16 || lanes > 16 {
		return false, fmt.Errorf("org: stored password has unknown costs")
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil {
		return false, fmt.Errorf("org: stored password is damaged")
	}
	var got []byte
	err := g.pass(ctx, func() {
		got = argon2.IDKey([]byte(password), salt, passes, memory, uint8(lanes), uint32(len(want)))
	})
	return err == nil && known && subtle.ConstantTimeCompare(got, want) == 1, err
}

// common holds what people try first. A password that is one of them, or a repetition or a run, is refused.
var common = map[string]bool{
	"password": true, "password1": true, "passw0rd": true, "admin123": true, "admin1234": true, "administrator": true,
	"administrator1": true, "qwertyui": true, "qwertyuiop": true, "1qaz2wsx": true, "1q2w3e4r": true, "abc12345": true,
	"abcd1234": true, "a1234567": true, "a12345678": true, "iloveyou": true, "woaini520": true, "woaini1314": true,
	"5201314520": true, "zhanggui": true, "zhanggui1": true, "zhanggui123": true, "letmein1": true, "welcome1": true,
	"qq123456": true, "changeme": true, "changeit": true, "test1234": true, "88888888": true, "admin888": true,
}

// CheckPassword refuses passwords that are short, common, or that hold the person's sign-in name.
func CheckPassword(name, password string) error {
	if len([]rune(password)) < 8 {
		return ErrPasswordShort
	}
	p := strings.ToLower(password)
	if common[p] || name != "" && strings.Contains(p, strings.ToLower(name)) && len(p) < len(name)+6 || monotone(p) {
		return ErrPasswordWeak
	}
	return nil
}

// monotone is true when all characters are equal or each is the next of the one before: 12345678,
// 87654321, abcdefgh, aaaaaaaa.
func monotone(p string) bool {
	r := []rune(p)
	step := r[1] - r[0]
	if step < -1 || step > 1 {
		return false
	}
	for i := 1; i < len(r); i++ {
		if d := r[i] - r[i-1]; d != step && !(step == 1 && r[i-1] == '9' && r[i] == '0') {
			return false
		}
	}
	return true
}

// newPassword makes one that can be read from a screen and typed: 20 characters, 100 bits.
func newPassword() string {
	b := make([]byte, 13)
	rand.Read(b)
	s := strings.ToLower(base32.StdEncoding.EncodeToString(b))[:20]
	return s[:5] + "-" + s[5:10] + "-" + s[10:15] + "-" + s[15:20]
}
