package stock

import (
	"fmt"

	"zhanggui/internal/platform/db"
)

const byID = `SELECT id FROM stock_batch WHERE id = $1`

func good(tx *db.Tx, open bool) {
	tx.Query(byID, 1)
	tx.Query(byID+tx.ForUpdate(), 1)
	tx.Exec(`UPDATE stock_batch SET open = $1, site_id = $2 WHERE id = $3 OR id = $1`, 1, 2, 3)
	tx.Query(`SELECT id FROM stock_batch WHERE id IN `+db.In(3), 1, 2, 3)
	text := byID
	if open {
		text = byID + ` AND open = 1`
	}
	tx.Query(text, 1)
	tx.Query(`SELECT 'costs $9' WHERE 1 = $1`, 1)
}

var lines = db.NewMany(`INSERT INTO stock_line (id) VALUES `, `($1)`, ``)

func bad(tx *db.Tx, name string) {
	tx.Query(`SELECT id FROM stock_batch WHERE site_id = $2 AND sku_id = $1`, 1, 2) // want `\$2 appears before \$1`
	tx.Exec(`UPDATE stock_batch SET open = $1 WHERE id = $3`, 1, 2)                 // want `\$3 appears before \$2`
	tx.Query("SELECT id FROM stock_batch ORDER BY " + name)                         // want `SQL glued with a value` `not a constant`
	tx.Query(fmt.Sprintf("SELECT id FROM stock_batch WHERE name = '%s'", name))     // want `made by fmt.Sprintf` `not a constant`
	tx.ExecN(name)                                                                  // want `not a constant`
	db.NewMany(`INSERT INTO stock_line (id) VALUES `, `($1)`, name)                 // want `not a constant`
	text := byID
	text += " ORDER BY id" // want `put together from pieces`
	tx.Query(text)
}

//allow:sql the caller hands in one of two constants of this file
func excused(tx *db.Tx, text string) { tx.Query(text) }
