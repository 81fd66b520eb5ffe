package stock

import (
	"fmt"

	"zhanggui/internal/platform/db"
)

const byID = `SELECT id FROM stock_batch WHERE id = $1`

var byKind = map[string]string{"id": byID, "all": `SELECT id FROM stock_batch`}

type question struct{ name, sql string }

var questions = []question{{"one", byID}, {name: "two", sql: `SELECT id FROM stock_batch`}}

func good(tx *db.Tx, open bool, kind string) {
	tx.Query(byID, 1)
	tx.Query(byID+tx.ForUpdate(), 1)
	tx.Query(byID+skip(open), 1)
	tx.Exec(`UPDATE stock_batch SET open = $1, site_id = $2 WHERE id = $3 OR id = $1`, 1, 2, 3)
	tx.ExecExactly(1, nil, `UPDATE stock_batch SET open = 0 WHERE id = $1`, 1)
	tx.Query(`SELECT id FROM stock_batch WHERE id IN `+db.In(3), 1, 2, 3)
	text := byID
	if open {
		text = byID + ` AND open = 1`
	}
	tx.Query(text, 1)
	tx.Query(byKind[kind])
	for _, q := range questions {
		tx.Query(q.sql)
	}
	for _, sql := range []string{byID, `SELECT 1`} {
		tx.Query(sql)
	}
	tx.Query(`SELECT 'costs $9' WHERE 1 = $1`, 1)
	count(tx, `SELECT 1 FROM stock_batch`)
	Count(tx, byID)
	each(tx, byID, `SELECT 1`)
	each(tx, steps...)
}

var steps = []string{byID}

func each(tx *db.Tx, all ...string) { // want each:"takes statements"
	for _, sql := range all {
		tx.Query(sql)
	}
}

func skip(open bool) string {
	if open {
		return ` FOR UPDATE SKIP LOCKED`
	}
	return ``
}

var lines = db.NewMany(`INSERT INTO stock_line (id) VALUES `, `($1)`, ``)

// count hands its text on, so its callers are held to the rule.
func count(tx *db.Tx, sql string) { tx.Query(sql) } // want count:"takes statements"

func Count(tx *db.Tx, text string) { func() { count(tx, text) }() } // want Count:"takes statements"

type dynamic struct{ sql string }

func bad(tx *db.Tx, name string) {
	tx.Query(`SELECT id FROM stock_batch WHERE site_id = $2 AND sku_id = $1`, 1, 2) // want `\$2 appears before \$1`
	tx.Exec(`UPDATE stock_batch SET open = $1 WHERE id = $3`, 1, 2)                 // want `\$3 appears before \$2`
	order := fmt.Sprint(name)
	tx.Query("SELECT id FROM stock_batch ORDER BY " + order)                    // want `SQL glued with a value` `not a constant`
	tx.Query(fmt.Sprintf("SELECT id FROM stock_batch WHERE name = '%s'", name)) // want `made by fmt.Sprintf` `not a constant`
	tx.ExecExactly(1, nil, order)                                               // want `not a constant`
	db.NewMany(`INSERT INTO stock_line (id) VALUES `, `($1)`, order)            // want `not a constant`
	each(tx, byID, order)                                                       // want `not a constant`
	count(tx, order)                                                            // want `not a constant`
	d := dynamic{sql: order}
	tx.Query(d.sql)                      // want `not a constant`
	tx.Query(byKind[name] + "x" + order) // want `not a constant`
	text := byID
	text += " ORDER BY id" // want `put together from pieces`
	tx.Query(text)
}

//allow:sql the caller hands in one of two constants of this file
func excused(tx *db.Tx, text func() string) { tx.Query(text()) }
