package db

import (
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// Violates says whether err is the refusal of a named rule: a CHECK, a unique index, or a primary key
// as <table>_pkey. It is asked at the edge, after the transaction has ended. Two unique indexes over the
// same columns can't be told apart on SQLite, which reports columns; both are then answered.
func Violates(err error, constraint string) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return len(pe.Code) == 5 && pe.Code[:2] == "23" && pe.ConstraintName == constraint
	}
	var le *LiteError
	return errors.As(err, &le) && slices.Contains(le.names, constraint)
}
