package outbox

import "zhanggui/internal/platform/db"

// relayKey is the advisory lock of the one relay that works at a time; any constant will do.
const relayKey = 7300_1002

func relayAlonePG(tx *db.Tx) (alone bool, err error) {
	err = tx.QueryRow(`SELECT pg_try_advisory_xact_lock($1)`, relayKey).Scan(&alone)
	return alone, err
}

// A node that finds a delivery in work by another goes on with the next.
const lockDeliveryPG = ` FOR UPDATE OF d SKIP LOCKED`
