package org

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

var (
	ErrSignIn   = errs.Define("sign_in_wrong", errs.Unauthenticated, "用户名或密码不对", "The name or password is wrong")
	ErrTryLater = errs.Define("sign_in_later", errs.Limit, "试得太多了,请 {seconds} 秒后再试", "Too many tries; please wait {seconds} seconds")
	ErrOldWrong = errs.Define("password_wrong", errs.Invalid, "原密码不对", "The present password is wrong")
)

// How often a password may be tried. The first tries are free, then each failure doubles the wait:
// at most 13 tries of one name reach the hash in an hour. An hour of quiet forgets.
const (
	freeTries   = 5
	firstWait   = 30 * time.Second
	longestWait = 15 * time.Minute
	tryMemory   = time.Hour
)

// The cookie. Over https its name makes browsers refuse one that was set for another path or host.
const (
	cookieName       = "zhanggui"
	secureCookieName = "__Host-zhanggui"
)

// versionEvery is how old the knowledge of the organisation's version may be.
const versionEvery = 500 * time.Millisecond

// session is a signed-in cookie in memory.
type session struct {
	staff   *Staff
	version int64
	ends    time.Time
	seen    atomic.Int64 // UTC ms
	saved   atomic.Int64 // the seen_at that is stored
}

// cache holds the sessions this node has seen, valid for one version of the organisation.
type cache struct {
	mu       sync.RWMutex
	db       *db.DB
	version  int64
	asked    time.Time
	book     *book
	sessions map[string]*session // by token hash
	asking   sync.Mutex
}

const maxSessions = 100_000

// Use gives the organisation its database; before, nobody is signed in.
func (s *Org) Use(d *db.DB) {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	s.cache.db = d
}

// forget makes the next request read the organisation again.
func (s *Org) forget() {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	s.cache.asked = time.Time{}
}

// SignedIn is the hook of package web: who sent the request, nil for nobody.
func (s *Org) SignedIn(r *http.Request) (web.Caller, error) {
	c, err := r.Cookie(cookieName)
	if sc, serr := r.Cookie(secureCookieName); serr == nil {
		c, err = sc, nil
	}
	if err != nil || len(c.Value) < 20 || len(c.Value) > 100 {
		return nil, nil
	}
	sess, err := s.sessionOf(r.Context(), tokenHash(c.Value))
	if err != nil || sess == nil {
		return nil, err
	}
	return sess.staff, nil
}

// sessionOf finds the session, in memory when it was read at the present version.
func (s *Org) sessionOf(ctx context.Context, hash string) (*session, error) {
	version, b, err := s.present(ctx)
	if err != nil || b == nil {
		return nil, err
	}
	now := s.o.Wall.Now()
	s.cache.mu.RLock()
	sess := s.cache.sessions[hash]
	d := s.cache.db
	s.cache.mu.RUnlock()
	if sess == nil || sess.version != version {
		fresh, err := s.readSession(ctx, d, hash, version, b)
		if err != nil {
			return nil, err
		}
		if fresh != nil && sess != nil {
			fresh.seen.Store(max(sess.seen.Load(), fresh.seen.Load()))
		}
		s.cache.mu.Lock()
		if fresh == nil {
			delete(s.cache.sessions, hash)
		} else {
			if len(s.cache.sessions) >= maxSessions {
				clear(s.cache.sessions) // rare; they are read again, and what was seen is at most 10 s old
			}
			s.cache.sessions[hash] = fresh
		}
		s.cache.mu.Unlock()
		if sess = fresh; sess == nil {
			return nil, nil
		}
	}
	if !now.Before(sess.ends) || now.Sub(time.UnixMilli(sess.seen.Load())) > s.o.Idle {
		return nil, nil
	}
	if !web.Background(ctx) {
		sess.seen.Store(now.UnixMilli())
	}
	return sess, nil
}

// present is the version of the organisation as of at most half a second ago, with its sites.
func (s *Org) present(ctx context.Context) (int64, *book, error) {
	now := s.o.Wall.Now()
	fresh := func() (int64, *book, bool) {
		s.cache.mu.RLock()
		defer s.cache.mu.RUnlock()
		age := now.Sub(s.cache.asked)
		return s.cache.version, s.cache.book, s.cache.db == nil || age >= 0 && age < versionEvery
	}
	if v, b, ok := fresh(); ok {
		return v, b, nil
	}
	s.cache.asking.Lock()
	defer s.cache.asking.Unlock()
	if v, b, ok := fresh(); ok { // somebody asked while we waited
		return v, b, nil
	}
	s.cache.mu.RLock()
	d, had := s.cache.db, s.cache.book
	s.cache.mu.RUnlock()
	var got *book
	err := d.Read(ctx, func(tx *db.Tx) error {
		b := &book{sites: map[id.ID]*Site{}}
		err := tx.QueryRow(`SELECT id, name, version FROM org_group`).Scan(&b.group.ID, &b.group.Name, &b.version)
		if err == db.ErrNoRow {
			return nil // not started yet
		}
		if err != nil {
			return err
		}
		if had != nil && had.version == b.version {
			got = had
			return nil
		}
		all, err := AllSites(tx)
		if err != nil {
			return err
		}
		for i := range all {
			b.sites[all[i].ID] = &all[i]
			b.byCode = append(b.byCode, &all[i])
		}
		got = b
		return nil
	})
	if err != nil || got == nil {
		return 0, nil, err
	}
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	s.cache.version, s.cache.book, s.cache.asked = got.version, got, now
	return got.version, got, nil
}

func (s *Org) readSession(ctx context.Context, d *db.DB, hash string, version int64, b *book) (*session, error) {
	var sess *session
	err := d.Read(ctx, func(tx *db.Tx) error {
		sess = nil
		f := &Staff{book: b, reach: map[string]Sites{}}
		var seen, ends time.Time
		who := tx.QueryRow(`
SELECT f.id, f.name, f.display_name, f.lang, x.seen_at, x.ends_at
FROM org_session x JOIN org_staff f ON f.id = x.staff_id AND f.disabled = 0
WHERE x.token_hash = $1`, hash)
		rows := tx.Query(`SELECT r.perm, r.site_id FROM org_reach r JOIN org_session x ON x.staff_id = r.staff_id WHERE x.token_hash = $1 ORDER BY r.perm`, hash)
		defer rows.Close()
		if err := who.Scan(&f.ID, &f.Name, &f.DisplayName, &f.Lang, &seen, &ends); err == db.ErrNoRow {
			return nil
		} else if err != nil {
			return err
		}
		for rows.Next() {
			var perm string
			var site id.ID
			if err := rows.Scan(&perm, &site); err != nil {
				return err
			}
			at, ok := f.reach[perm]
			if !ok {
				at = Sites{staff: f.ID, perm: perm, ids: map[id.ID]struct{}{}}
			}
			if site == 0 {
				at.All = true
			} else {
				at.ids[site] = struct{}{}
			}
			f.reach[perm] = at
		}
		if err := rows.Err(); err != nil {
			return err
		}
		sess = &session{staff: f, version: version, ends: ends}
		sess.seen.Store(seen.UnixMilli())
		sess.saved.Store(seen.UnixMilli())
		return nil
	})
	return sess, err
}

// Flush stores when the sessions were last used. It runs every few seconds, so that no request
// writes for it.
func (s *Org) Flush(ctx context.Context) error {
	type touched struct {
		hash string
		sess *session
		at   int64
	}
	var all []touched
	s.cache.mu.RLock()
	d := s.cache.db
	for h, x := range s.cache.sessions {
		if at := x.seen.Load(); at > x.saved.Load() {
			all = append(all, touched{h, x, at})
		}
	}
	s.cache.mu.RUnlock()
	sort.Slice(all, func(i, j int) bool { return all[i].hash < all[j].hash }) // one order of locks on every node
	for len(all) > 0 {
		n := min(len(all), 200)
		err := d.Write(ctx, func(tx *db.Tx) error {
			for _, t := range all[:n] {
				if err := tx.Exec(`UPDATE org_session SET seen_at = $1 WHERE token_hash = $2 AND seen_at < $1`, t.at, t.hash); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, t := range all[:n] {
			t.sess.saved.Store(t.at)
		}
		all = all[n:]
	}
	return nil
}

// Sweep deletes sessions that have ended and tries that are forgotten.
func (s *Org) Sweep(ctx context.Context, d *db.DB) error {
	now := s.o.Wall.Now()
	return d.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Exec(`DELETE FROM org_session WHERE ends_at < $1 OR seen_at < $2`, now, now.Add(-s.o.Idle)); err != nil {
			return err
		}
		return tx.Exec(`DELETE FROM org_try WHERE last_at < $1`, now.Add(-2*tryMemory))
	})
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Me is the signed-in person as the web apps need him.
type Me struct {
	ID          id.ID    `json:"id"`
	Name        string   `json:"name"`
	DisplayName string   `json:"display_name"`
	Lang        string   `json:"lang" doc:"zh, en, or empty when never chosen"`
	Permissions []string `json:"permissions" doc:"held at one site at least"`
	Sites       []MySite `json:"sites" doc:"where any permission is held; at most 1000"`
	Demo        bool     `json:"demo"`
}

// MySite is a site on the list of the signed-in person.
type MySite struct {
	ID   id.ID  `json:"id"`
	Code string `json:"code"`
	Name string `json:"name"`
	Kind string `json:"kind"`
	Zone string `json:"time_zone" doc:"as in Asia/Shanghai: every time on a screen is told in it"`
}

const maxMySites = 1000

func (s *Org) me(p *Staff) *Me {
	m := &Me{ID: p.ID, Name: p.Name, DisplayName: p.DisplayName, Lang: p.Lang, Permissions: []string{}, Sites: []MySite{}, Demo: s.o.Demo}
	for perm := range p.reach {
		m.Permissions = append(m.Permissions, perm)
	}
	sort.Strings(m.Permissions)
	for _, t := range p.book.byCode {
		for _, at := range p.reach {
			if at.Has(t.ID) && len(m.Sites) < maxMySites {
				m.Sites = append(m.Sites, MySite{t.ID, t.Code, t.Name, t.Kind, t.TimeZone})
				break
			}
		}
	}
	return m
}

func (s *Org) signInRoutes(api *web.API) {
	type signIn struct {
		Body struct {
			Name     string `json:"name" minLength:"1" maxLength:"60"`
			Password string `json:"password" minLength:"1" maxLength:"200"`
		}
	}
	web.Act(api, http.MethodPost, web.Route{Path: "/api/sign-in", Name: "sign-in", Summary: "Sign in with name and password", Scope: web.Public, NoEffect: true},
		func(ctx context.Context, d *db.DB, in *signIn) (*Me, error) {
			return s.signIn(ctx, d, in.Body.Name, in.Body.Password)
		})

	type nothing struct{}
	web.Act(api, http.MethodPost, web.Route{Path: "/api/sign-out", Name: "sign-out", Summary: "End this session", Scope: web.Self, NoEffect: true},
		func(ctx context.Context, d *db.DB, in *struct{}) (*nothing, error) {
			return &nothing{}, s.signOut(ctx, d)
		})

	web.Get(api, web.Route{Path: "/api/me", Name: "me", Summary: "Who is signed in", Scope: web.Self},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*Me, error) { return s.me(caller(ctx)), nil })

	type password struct {
		Body struct {
			Old string `json:"old" maxLength:"200"`
			New string `json:"new" maxLength:"200"`
		}
	}
	web.Act(api, http.MethodPost, web.Route{Path: "/api/me/password", Name: "change-password", Summary: "Change one's password; all other sessions end", Scope: web.Self},
		func(ctx context.Context, d *db.DB, in *password) (*nothing, error) {
			return &nothing{}, s.changePassword(ctx, d, in.Body.Old, in.Body.New)
		})

	type lang struct {
		Body struct {
			Lang string `json:"lang" enum:"zh,en"`
		}
	}
	web.Put(api, web.Route{Path: "/api/me/lang", Name: "set-language", Summary: "Choose one's language", Scope: web.Self},
		func(ctx context.Context, tx *db.Tx, in *lang) (*nothing, error) {
			if err := s.lock(tx); err != nil {
				return nil, err
			}
			return &nothing{}, tx.Exec(`UPDATE org_staff SET lang = $1 WHERE id = $2`, in.Body.Lang, caller(ctx).ID)
		})
}

// signIn checks a password and starts a session. Known and unknown names cost the same: the same
// statements, the same hash.
func (s *Org) signIn(ctx context.Context, d *db.DB, name, password string) (*Me, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if wait := s.guests.wait(web.RemoteOf(ctx), s.o.Wall.Now()); wait > 0 {
		return nil, ErrTryLater.With("seconds", seconds(wait))
	}
	if err := s.countTry(ctx, d, name); err != nil {
		return nil, err
	}
	var staff id.ID
	var stored string
	err := d.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(`SELECT id, password FROM org_staff WHERE name = $1 AND disabled = 0`, name).Scan(&staff, &stored)
		if err == db.ErrNoRow {
			staff, stored, err = 0, "", nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	ok, err := s.gate.matches(ctx, stored, password)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrSignIn
	}
	token := rand.Text() + rand.Text() // 256 bits
	now := s.o.Wall.Now()
	err = d.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Exec(`DELETE FROM org_try WHERE name_hash = $1`, nameHash(name)); err != nil {
			return err
		}
		// The password is compared again, for it may have been changed while it was hashed.
		return tx.ExecExactly(1, ErrSignIn, `
INSERT INTO org_session (token_hash, staff_id, created_at, seen_at, ends_at)
SELECT CAST($1 AS TEXT), f.id, CAST($2 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM org_staff f WHERE f.id = $4 AND f.disabled = 0 AND f.password = $5`,
			tokenHash(token), now, now.Add(s.o.Life), staff, stored)
	})
	if err != nil {
		return nil, err
	}
	sess, err := s.sessionOf(ctx, tokenHash(token))
	if err != nil {
		return nil, err
	}
	if sess == nil {
		return nil, ErrSignIn
	}
	web.SetCookie(ctx, s.cookie(ctx, token, int(s.o.Life/time.Second)))
	return s.me(sess.staff), nil
}

func (s *Org) cookie(ctx context.Context, token string, age int) *http.Cookie {
	c := &http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if web.SecureOf(ctx) {
		c.Name, c.Secure = secureCookieName, true
	}
	return c
}

// countTry takes one try of a name, or says how long to wait. It is one conditional write, so that
// tries sent at the same moment are all counted.
func (s *Org) countTry(ctx context.Context, d *db.DB, name string) error {
	now := s.o.Wall.Now()
	return d.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.ExecN(`
INSERT INTO org_try (name_hash, tries, last_at, next_at) VALUES ($1, 1, $2, $2)
ON CONFLICT (name_hash) DO UPDATE SET
  tries = CASE WHEN org_try.last_at < $3 THEN 1 ELSE org_try.tries + 1 END,
  last_at = excluded.last_at,
  next_at = CASE
    WHEN org_try.last_at < $3 OR org_try.tries + 1 < $4 THEN excluded.last_at
    WHEN org_try.tries + 1 >= $5 THEN excluded.last_at + $6
    ELSE excluded.last_at + CAST($7 AS BIGINT) * (CAST(1 AS BIGINT) << (org_try.tries + 1 - $4))
  END
WHERE org_try.next_at <= excluded.last_at`,
			nameHash(name), now, now.Add(-tryMemory), freeTries, freeTries+5, longestWait.Milliseconds(), firstWait.Milliseconds())
		if err != nil || n == 1 {
			return err
		}
		var next time.Time
		if err := tx.QueryRow(`SELECT next_at FROM org_try WHERE name_hash = $1`, nameHash(name)).Scan(&next); err != nil {
			return err
		}
		return ErrTryLater.With("seconds", seconds(next.Sub(now)))
	})
}

// nameHash hides from a reader of the table what people typed into the name field (often a password).
func nameHash(name string) string {
	sum := sha256.Sum256([]byte("sign-in name\x00" + name))
	return base64.RawStdEncoding.EncodeToString(sum[:18])
}

func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// token is the caller's own.
func token(ctx context.Context) string {
	if t := web.CookieOf(ctx, secureCookieName); t != "" {
		return t
	}
	return web.CookieOf(ctx, cookieName)
}

func (s *Org) signOut(ctx context.Context, d *db.DB) error {
	err := d.Write(ctx, func(tx *db.Tx) error {
		if err := s.lock(tx); err != nil {
			return err
		}
		return tx.Exec(`DELETE FROM org_session WHERE token_hash = $1`, tokenHash(token(ctx)))
	})
	if err == nil {
		web.SetCookie(ctx, s.cookie(ctx, "", -1))
	}
	return err
}

// changePassword needs the present one, counts as a try (a stolen session must not guess), and ends
// all other sessions of the person.
func (s *Org) changePassword(ctx context.Context, d *db.DB, old, password string) error {
	p := caller(ctx)
	if err := CheckPassword(p.Name, password); err != nil {
		return errs.As(err).At("new")
	}
	var stored string
	err := d.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT password FROM org_staff WHERE id = $1`, p.ID).Scan(&stored)
	})
	if err != nil {
		return err
	}
	if err := s.countTry(ctx, d, p.Name); err != nil {
		return err
	}
	ok, err := s.gate.matches(ctx, stored, old)
	if err != nil {
		return err
	}
	if !ok {
		return ErrOldWrong.At("old")
	}
	hash, err := s.gate.hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = web.Write(ctx, d, func(tx *db.Tx) (*struct{}, error) {
		if err := s.lock(tx); err != nil {
			return nil, err
		}
		if err := tx.ExecExactly(1, ErrOldWrong.At("old"), `UPDATE org_staff SET password = $1 WHERE id = $2 AND password = $3`, hash, p.ID, stored); err != nil {
			return nil, err
		}
		if err := tx.Exec(`DELETE FROM org_session WHERE staff_id = $1 AND token_hash <> $2`, p.ID, tokenHash(token(ctx))); err != nil {
			return nil, err
		}
		if err := tx.Exec(`DELETE FROM org_try WHERE name_hash = $1`, nameHash(p.Name)); err != nil {
			return nil, err
		}
		return &struct{}{}, s.Audit(ctx, tx, "password.changed", "staff", p.ID, 0, nil, nil)
	})
	return err
}

// guests limits sign-ins per network address, so that one machine can't try many names. A shop
// behind one address has a few dozen people.
type guests struct {
	mu   sync.Mutex
	from map[string]*guest
}

type guest struct {
	left int64 // thousandths of a try
	at   time.Time
}

const (
	guestBurst  = 60 // tries at once
	guestPerMin = 30
	maxGuests   = 10_000
)

func newGuests() *guests { return &guests{from: map[string]*guest{}} }

// wait takes one try of an address, or says how long to wait for the next.
func (g *guests) wait(addr string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.from[addr]
	if x == nil {
		if len(g.from) >= maxGuests {
			for a, y := range g.from { // forget those that have recovered; when none has, everybody starts again
				if now.Sub(y.at) > 2*time.Minute {
					delete(g.from, a)
				}
			}
			if len(g.from) >= maxGuests {
				clear(g.from)
			}
		}
		x = &guest{left: guestBurst * 1000, at: now}
		g.from[addr] = x
	}
	passed := min(max(now.Sub(x.at), 0), time.Hour)
	x.left = min(x.left+passed.Milliseconds()*guestPerMin/60, guestBurst*1000)
	x.at = now
	if x.left < 1000 {
		return time.Duration((1000-x.left)*60/guestPerMin) * time.Millisecond
	}
	x.left -= 1000
	return 0
}
