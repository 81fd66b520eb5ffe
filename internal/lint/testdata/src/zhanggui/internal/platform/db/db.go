package db

type Tx struct{}

func (*Tx) Exec(sql string, args ...any) error           { return nil }
func (*Tx) ExecN(sql string, args ...any) (int64, error) { return 0, nil }
func (*Tx) Query(sql string, args ...any) error          { return nil }
func (*Tx) ForUpdate() string                            { return "" }

func In(n int) string { return "" }

type Many struct{}

func NewMany(head, row, tail string) *Many { return nil }
