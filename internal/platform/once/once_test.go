package once_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/once"
)

var schema = dbtest.With(once.Migrations, db.Migrations{Package: "card", FS: fstest.MapFS{"migrations/001_card.sql": {Data: []byte(`
CREATE TABLE card_account (id BIGINT PRIMARY KEY, left_fen BIGINT NOT NULL, CONSTRAINT card_account_left CHECK (left_fen >= 0));
INSERT INTO card_account (id, left_fen) VALUES (1, 10000);
`)}}})

var errShort = errors.New("not enough on the card")

// charge takes fen from the card, once for the key, and answers with what is left.
func charge(t *testing.T, d *dbtest.DB, key, body string, fen int64) (answer string, replayed bool, err error) {
	err = d.Write(t.Context(), func(tx *db.Tx) error {
		a, r, err := once.Do(tx, "till 1 POST /charge", key, once.Hash([]byte(body)), func() ([]byte, error) {
			var left int64
			if err := tx.QueryRow("SELECT left_fen FROM card_account WHERE id = $1"+tx.ForUpdate(), 1).Scan(&left); err != nil {
				return nil, err
			}
			if left < fen {
				return nil, errShort
			}
			return fmt.Appendf(nil, "left %d", left-fen), tx.Exec("UPDATE card_account SET left_fen = left_fen - $1 WHERE id = $2", fen, 1)
		})
		answer, replayed = string(a), r
		return err
	})
	return answer, replayed, err
}

func left(t *testing.T, d *dbtest.DB) (fen, keys int64) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		if err := tx.QueryRow("SELECT COUNT(*) FROM once_key").Scan(&keys); err != nil {
			return err
		}
		return tx.QueryRow("SELECT left_fen FROM card_account WHERE id = $1", 1).Scan(&fen)
	}); err != nil {
		t.Fatal(err)
	}
	return fen, keys
}

func TestACardIsChargedOnceForOneKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		for i := range 3 {
			answer, replayed, err := charge(t, d, "k1", "tea", 300)
			if err != nil || answer != "left 9700" || replayed != (i > 0) {
				t.Fatalf("try %d: %q %v %v", i, answer, replayed, err)
			}
		}
		if fen, keys := left(t, d); fen != 9700 || keys != 1 {
			t.Fatalf("%d fen left, %d keys", fen, keys)
		}
	}, schema)
}

func TestAKeyWithOtherContentIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		if _, _, err := charge(t, d, "k1", "tea", 300); err != nil {
			t.Fatal(err)
		}
		if _, _, err := charge(t, d, "k1", "two teas", 600); !errors.Is(err, once.ErrReused) {
			t.Fatalf("got %v", err)
		}
		if _, _, err := charge(t, d, "k2", "two teas", 600); err != nil {
			t.Fatal(err)
		}
		if fen, _ := left(t, d); fen != 9100 {
			t.Fatalf("%d fen left", fen)
		}
	}, schema)
}

func TestARefusalIsNotKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		if _, _, err := charge(t, d, "k1", "gold", 20000); !errors.Is(err, errShort) {
			t.Fatalf("got %v", err)
		}
		if fen, keys := left(t, d); fen != 10000 || keys != 0 {
			t.Fatalf("%d fen left, %d keys", fen, keys)
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			return tx.Exec("UPDATE card_account SET left_fen = $1", 30000)
		}); err != nil {
			t.Fatal(err)
		}
		if answer, replayed, err := charge(t, d, "k1", "gold", 20000); err != nil || replayed || answer != "left 10000" {
			t.Fatalf("after the top-up: %q %v %v", answer, replayed, err)
		}
	}, schema)
}

func TestTwinsGetOneAnswer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		const twins = 16
		for round := range 5 {
			key := fmt.Sprint("round ", round)
			answers := make([]string, twins)
			var wg sync.WaitGroup
			first := 0
			var mu sync.Mutex
			for i := range twins {
				wg.Go(func() {
					answer, replayed, err := charge(t, d, key, "tea", 100)
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Errorf("twin %d: %v", i, err)
					}
					answers[i] = answer
					if !replayed {
						first++
					}
				})
			}
			wg.Wait()
			for i, a := range answers {
				if a != answers[0] || a == "" {
					t.Fatalf("twin %d got %q, twin 0 %q", i, a, answers[0])
				}
			}
			if first != 1 {
				t.Fatalf("%d twins ran", first)
			}
		}
		if fen, keys := left(t, d); fen != 9500 || keys != 5 {
			t.Fatalf("%d fen left, %d keys", fen, keys)
		}
	}, schema)
}

// A refusal by a rule that needs no database must not hide the answer that the key already has.
func TestARepeatedKeyIsAnsweredEvenWhenTheRuleNowRefuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		closed := false
		ask := func() (answer string, err error) {
			err = d.Write(t.Context(), func(tx *db.Tx) error {
				a, _, err := once.Do(tx, "s", "k", once.Hash(nil), func() ([]byte, error) {
					if closed {
						return nil, errShort
					}
					return []byte("sold"), nil
				})
				answer = string(a)
				return err
			})
			return answer, err
		}
		if a, err := ask(); err != nil || a != "sold" {
			t.Fatalf("%q %v", a, err)
		}
		closed = true
		if a, err := ask(); err != nil || a != "sold" {
			t.Fatalf("%q %v", a, err)
		}
	}, schema)
}

// Sixteen tills with one key want the last of the card: one is served, and the others, who find nothing left, are
// told what the first was told and not that the card is empty.
func TestATwinThatComesTooLateIsToldWhatTheFirstGot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		const twins = 16
		var wg sync.WaitGroup
		for i := range twins {
			wg.Go(func() {
				if answer, _, err := charge(t, d, "all of it", "gold", 10000); err != nil || answer != "left 0" {
					t.Errorf("twin %d: %q %v", i, answer, err)
				}
			})
		}
		wg.Wait()
		if fen, keys := left(t, d); fen != 0 || keys != 1 {
			t.Fatalf("%d fen left, %d keys", fen, keys)
		}
	}, schema)
}

// The same where it is the database that refuses, by a rule or by the number of rows that were wanted: such a
// transaction can't be asked anything more.
func TestATwinThatTheDatabaseRefusesIsToldWhatTheFirstGot(t *testing.T) {
	for name, all := range map[string]func(*db.Tx) error{
		"by a rule": func(tx *db.Tx) error {
			return tx.Exec("UPDATE card_account SET left_fen = left_fen - 10000 WHERE id = $1", 1)
		},
		"by a count": func(tx *db.Tx) error {
			return tx.ExecExactly(1, errShort, "UPDATE card_account SET left_fen = left_fen - 10000 WHERE id = $1 AND left_fen >= 10000", 1)
		},
		"by a count before a question": func(tx *db.Tx) error {
			if err := tx.ExecExactly(1, errShort, "UPDATE card_account SET left_fen = left_fen - 10000 WHERE id = $1 AND left_fen >= 10000", 1); err != nil {
				return err
			}
			var left int64
			return tx.QueryRow("SELECT left_fen FROM card_account WHERE id = $1", 1).Scan(&left)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
				take := func(key string) (answer string, err error) {
					err = d.Write(t.Context(), func(tx *db.Tx) error {
						a, _, err := once.Do(tx, "s", key, once.Hash(nil), func() ([]byte, error) { return []byte("taken"), all(tx) })
						answer = string(a)
						return err
					})
					return answer, err
				}
				var wg sync.WaitGroup
				for i := range 16 {
					wg.Go(func() {
						if answer, err := take("k"); err != nil || answer != "taken" {
							t.Errorf("twin %d: %q %v", i, answer, err)
						}
					})
				}
				wg.Wait()
				if _, err := take("another"); !db.Violates(err, "card_account_left") && !errors.Is(err, errShort) {
					t.Errorf("another key: %v", err)
				}
				if fen, keys := left(t, d); fen != 0 || keys != 1 {
					t.Fatalf("%d fen left, %d keys", fen, keys)
				}
			}, schema)
		})
	}
}

func TestKeysAreForgottenAfterThirtyDays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		for i := range 3 {
			if _, _, err := charge(t, d, fmt.Sprint(i), "tea", 1); err != nil {
				t.Fatal(err)
			}
		}
		now := time.Now()
		if n, err := once.Purge(t.Context(), d.DB, now.Add(once.Keep-time.Hour)); n != 0 || err != nil {
			t.Fatalf("%d too early, %v", n, err)
		}
		if n, err := once.Purge(t.Context(), d.DB, now.Add(once.Keep+time.Hour)); n != 3 || err != nil {
			t.Fatalf("%d forgotten, %v", n, err)
		}
	}, schema)
}
