package db

type Tx struct{}

func (*Tx) Exec(sql string, args ...any) error                              { return nil }
func (*Tx) ExecExactly(n int64, other error, sql string, args ...any) error { return nil }
func (*Tx) Query(sql string, args ...any) error                             { return nil }
func (*Tx) ForUpdate() string                                               { return "" }

func In(n int) string { return "" }

type Many struct{}

func NewMany(head, row, tail string) *Many { return nil }
