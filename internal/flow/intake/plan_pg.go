package intake

import "zhanggui/internal/platform/db"

const planAnew = `SELECT set_config('plan_cache_mode', 'force_custom_plan', true)`

// mindGrowth keeps PostgreSQL, for this transaction, from plans it made when a table was empty: the first import
// of an installation fills in minutes what statistics will only know of later, and a plan that reads the whole
// table is kept until then.
func mindGrowth(tx *db.Tx) {
	if tx.Engine() == db.Postgres {
		tx.Query(planAnew) // travels with whatever comes next; its answer is of no interest
	}
}
