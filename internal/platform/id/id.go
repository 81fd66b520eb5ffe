// Package id makes the ids of documents and rows: 41 bits of milliseconds since 2024-01-01 and 22 bits
// that start at random in every process and millisecond and count up, so that ids rise with time
// (kind to indexes) and never meet, on any number of nodes, without a sequence anybody waits for.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"sync"
	"time"

	"zhanggui/internal/platform/errs"
)

// ID is a row's identity. In JSON, URLs and CSV it is a decimal string, because a browser's number
// can't hold 63 bits.
type ID int64

// ErrBad refuses text that is no id.
var ErrBad = errs.Define("id_bad", errs.Invalid, "编号格式不对", "This is not a valid id")

const (
	epochMS  = 1704067200000 // 2024-01-01T00:00:00Z
	lowBits  = 22
	lowMask  = 1<<lowBits - 1
	startMax = 1 << 21 // leaves at least 2 M ids in every millisecond
)

var state struct {
	sync.Mutex
	ms, low int64
}

// New returns an id greater than every id this process made before, also when the clock steps back.
func New() ID {
	now := time.Now().UnixMilli() - epochMS
	state.Lock()
	defer state.Unlock()
	switch {
	case now > state.ms:
		state.ms, state.low = now, randomStart()
	case state.low == lowMask:
		state.ms, state.low = state.ms+1, 0
	default:
		state.low++
	}
	return ID(state.ms<<lowBits | state.low)
}

func randomStart() int64 {
	var b [4]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return int64(binary.LittleEndian.Uint32(b[:]) % startMax)
}

// Parse reads a decimal id > 0.
func Parse(s string) (ID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || len(s) > 19 || s[0] == '+' || s[0] == '0' {
		return 0, ErrBad
	}
	return ID(n), nil
}

// Time is when the id was made, to the millisecond.
func (i ID) Time() time.Time { return time.UnixMilli(int64(i)>>lowBits + epochMS).UTC() }

func (i ID) String() string { return strconv.FormatInt(int64(i), 10) }

// MarshalText writes the decimal form; the zero id is the empty text.
func (i ID) MarshalText() ([]byte, error) {
	if i == 0 {
		return nil, nil
	}
	return strconv.AppendInt(nil, int64(i), 10), nil
}

// UnmarshalText reads the decimal form; the empty text is the zero id.
func (i *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = 0
		return nil
	}
	n, err := Parse(string(b))
	*i = n
	return err
}

// At is the smallest id that can have been made at t or later.
func At(t time.Time) ID { return ID((t.UnixMilli() - epochMS) << lowBits) }
