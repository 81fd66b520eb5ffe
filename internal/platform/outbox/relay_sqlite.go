package outbox

import "zhanggui/internal/platform/db"

// On SQLite the writer is alone anyway.

func relayAlone(tx *db.Tx) (bool, error) {
	if tx.Engine() == db.Postgres {
		return relayAlonePG(tx)
	}
	return true, nil
}

func lockDelivery(tx *db.Tx) string {
	if tx.Engine() == db.Postgres {
		return lockDeliveryPG
	}
	return ""
}
