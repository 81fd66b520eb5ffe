package sell

import (
	"fmt"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/stock"
)

func good(tx *db.Tx) { stock.Count(tx, `SELECT id FROM stock_batch`) }

func bad(tx *db.Tx, name string) { stock.Count(tx, fmt.Sprint("x", name)) } // want `not a constant`
