package db_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"testing"

	_ "modernc.org/sqlite"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

// What one insert and one question cost through this package, through the driver alone and through
// database/sql, all with kept statements, inside one transaction.
func BenchmarkStatement(b *testing.B) {
	const (
		insert = "INSERT INTO shelf_sale (id, item_id, till, slip, paper, rate, open) VALUES ($1, $2, $3, $4, $5, NULL, 1) ON CONFLICT DO NOTHING"
		ask    = "SELECT name, left_qty, note FROM shelf_item WHERE id = $1"
	)
	fresh := func(b *testing.B) *dbtest.DB { return dbtest.New(b, db.SQLite, with) }
	paper := []byte("0123456789abcdef")
	b.Run("this", func(b *testing.B) {
		d := fresh(b)
		if err := d.Write(b.Context(), func(tx *db.Tx) error {
			var name string
			var left int64
			var note *string
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := tx.Exec(insert, i, 1, "till", i, paper); err != nil {
					return err
				}
				if err := tx.QueryRow(ask, 1).Scan(&name, &left, &note); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("driver", func(b *testing.B) {
		d := fresh(b)
		h, err := sql.Open("sqlite", d.DSN[len("sqlite:"):])
		if err != nil {
			b.Fatal(err)
		}
		defer h.Close()
		c, err := h.Conn(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		if err := c.Raw(func(dc any) error {
			conn := dc.(driver.Conn)
			tx, err := conn.(driver.ConnBeginTx).BeginTx(context.Background(), driver.TxOptions{})
			if err != nil {
				return err
			}
			defer tx.Commit()
			si, err := conn.Prepare(insert)
			if err != nil {
				return err
			}
			defer si.Close()
			sa, err := conn.Prepare(ask)
			if err != nil {
				return err
			}
			defer sa.Close()
			row := make([]driver.Value, 3)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if _, err := si.(driver.StmtExecContext).ExecContext(context.Background(), []driver.NamedValue{{Ordinal: 1, Value: int64(i)}, {Ordinal: 2, Value: int64(1)},
					{Ordinal: 3, Value: "till"}, {Ordinal: 4, Value: int64(i)}, {Ordinal: 5, Value: paper}}); err != nil {
					return err
				}
				rows, err := sa.(driver.StmtQueryContext).QueryContext(context.Background(), []driver.NamedValue{{Ordinal: 1, Value: int64(1)}})
				if err != nil {
					return err
				}
				for {
					if err := rows.Next(row); err == io.EOF {
						break
					} else if err != nil {
						return err
					}
				}
				rows.Close()
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("database/sql", func(b *testing.B) {
		d := fresh(b)
		h, err := sql.Open("sqlite", d.DSN[len("sqlite:"):])
		if err != nil {
			b.Fatal(err)
		}
		defer h.Close()
		tx, err := h.Begin()
		if err != nil {
			b.Fatal(err)
		}
		defer tx.Rollback()
		si, err := tx.Prepare(insert)
		if err != nil {
			b.Fatal(err)
		}
		sa, err := tx.Prepare(ask)
		if err != nil {
			b.Fatal(err)
		}
		var name string
		var left int64
		var note *string
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			if _, err := si.Exec(i, 1, "till", i, paper); err != nil {
				b.Fatal(err)
			}
			if err := sa.QueryRow(1).Scan(&name, &left, &note); err != nil {
				b.Fatal(err)
			}
		}
	})
}
