package db

// Keep returns what is kept in memory under key for as long as this database is open, made by first when
// there is nothing yet. It is for caches: nothing in it is rolled back with an act.
func (d *DB) Keep(key any, first func() any) any {
	if v, ok := d.kept.Load(key); ok {
		return v
	}
	v, _ := d.kept.LoadOrStore(key, first())
	return v
}

// Keep is DB.Keep for the database of the transaction.
func (tx *Tx) Keep(key any, first func() any) any { return tx.d.Keep(key, first) }
