package db

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Setting is one thing that must be so for a sale to survive a power cut, or for one node not to hold up
// the others.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Want  string `json:"want"`
	OK    bool   `json:"ok"`
	Must  bool   `json:"must"` // not OK means: do not run on this database
}

// Check reads the settings that matter from the database itself.
func (d *DB) Check(ctx context.Context) ([]Setting, error) {
	if d.lite != nil {
		return d.lite.check(ctx, d)
	}
	return d.pg.check(ctx, d)
}

func (l *lite) check(ctx context.Context, d *DB) ([]Setting, error) {
	all := []Setting{{Name: "file system", Value: "local", Want: "local", OK: true, Must: true}}
	if err := refuseNetworkFS(filepath.Dir(l.path)); err != nil {
		all[0].Value, all[0].OK = err.Error(), false
	}
	err := d.Write(ctx, func(tx *Tx) error { // the writer's own settings
		all = all[:1]
		for _, want := range []Setting{
			{Name: "journal_mode", Want: "wal", Must: true},
			{Name: "synchronous", Want: "2", Must: true},
			{Name: "foreign_keys", Want: "1", Must: true},
			{Name: "busy_timeout", Want: "5000"},
		} {
			v, err := tx.conn.value("PRAGMA " + want.Name)
			if err != nil {
				return err
			}
			want.Value, _ = v.str()
			want.OK = want.Value == want.Want
			all = append(all, want)
		}
		return nil
	})
	return all, err
}

func (p *pg) check(ctx context.Context, d *DB) ([]Setting, error) {
	var all []Setting
	err := d.Read(ctx, func(tx *Tx) error {
		all = nil
		values := map[string]string{}
		rows := tx.Query(`SELECT name, setting FROM pg_settings WHERE name IN ('server_version_num', 'fsync', 'full_page_writes',
			'synchronous_commit', 'data_checksums', 'idle_in_transaction_session_timeout', 'lock_timeout', 'tcp_keepalives_idle', 'server_encoding')`)
		for rows.Next() {
			var name, value string
			if err := rows.Scan(&name, &value); err != nil {
				return err
			}
			values[name] = value
		}
		if err := rows.Err(); err != nil {
			return err
		}
		var standby bool
		if err := tx.QueryRow(`SELECT pg_is_in_recovery()`).Scan(&standby); err != nil {
			return err
		}
		number := func(name string) int { n, _ := strconv.Atoi(values[name]); return n }
		add := func(must bool, name, want string, ok bool) {
			all = append(all, Setting{name, values[name], want, ok, must})
		}
		add(true, "server_version_num", ">= 150000", number("server_version_num") >= 150000)
		add(true, "fsync", "on", values["fsync"] == "on")
		add(true, "full_page_writes", "on", values["full_page_writes"] == "on")
		add(true, "synchronous_commit", "not off", values["synchronous_commit"] != "off")
		add(true, "server_encoding", "UTF8", strings.EqualFold(values["server_encoding"], "utf8"))
		add(false, "data_checksums", "on", values["data_checksums"] == "on")
		idle, lock := number("idle_in_transaction_session_timeout"), number("lock_timeout")
		add(false, "idle_in_transaction_session_timeout", "1 … 10000 ms", idle > 0 && idle <= 10000)
		add(false, "lock_timeout", "1 … 3000 ms", lock > 0 && lock <= 3000)
		values["primary"] = fmt.Sprint(!standby)
		add(true, "primary", "true", !standby)
		return nil
	})
	return all, err
}
