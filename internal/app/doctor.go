package app

import (
	"context"
)

type doctorCmd struct {
	database
}

func (k *doctorCmd) Run(ctx context.Context, c *console) error { return nil }
