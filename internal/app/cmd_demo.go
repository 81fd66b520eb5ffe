package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/sim"
)

// demoCmd is what one can do with a demo besides looking at it.
type demoCmd struct {
	Reset demoResetCmd `cmd:"" help:"Remove a demo: everything in its database, which is an empty house afterwards. The server must be stopped. Refuses a database that is no demo."`
}

type demoResetCmd struct {
	database
	Yes      bool   `help:"Do not ask."`
	Password string `name:"admin-password" env:"ZHANGGUI_ADMIN_PASSWORD" help:"The new administrator's password; made and printed when not given."`

	in io.Reader // tests
}

// Run removes the demo and prepares the house for a shop, as a first start does.
func (k *demoResetCmd) Run(ctx context.Context, c *console) error {
	if err := k.there(); err != nil {
		return err
	}
	d, err := db.Open(ctx, k.DB, db.Options{Log: c.log})
	if err != nil {
		return err
	}
	defer d.Close()
	if is, err := sim.Is(ctx, d); err != nil {
		return err
	} else if !is {
		return sim.ErrNoDemo
	}
	if !k.Yes {
		fmt.Fprintf(c.out, "将删除演示数据库中的全部内容 / Everything in this demo will be removed:\n  %s\n输入 yes 确认 / Type yes to confirm: ", withoutPassword(k.DB))
		in := k.in
		if in == nil {
			in = os.Stdin
		}
		line, _ := bufio.NewReader(in).ReadString('\n')
		if strings.TrimSpace(line) != "yes" {
			return exit{exitWrong, fmt.Errorf("nothing was removed")}
		}
	}
	if err := sim.Remove(ctx, d, migrations...); err != nil {
		return err
	}
	h, err := build(d, options{log: c.log})
	if err != nil {
		return err
	}
	first, err := h.start(ctx, k.Password)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "演示数据已删除,可以开店了 / The demo is gone; the house is empty and ready")
	if first.Password != "" {
		fmt.Fprintf(c.out, "\n  用户名 name      %s\n  密码   password  %s\n  只显示这一次,请记下 / shown only this once\n\n", first.Name, first.Password)
	}
	return nil
}

// withoutPassword is a database's address as it may be shown.
func withoutPassword(dsn string) string {
	scheme, rest, ok := strings.Cut(dsn, "://")
	if !ok {
		return dsn
	}
	if _, host, ok := strings.Cut(rest, "@"); ok {
		rest = host
	}
	return scheme + "://" + rest
}
