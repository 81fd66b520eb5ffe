package app

import (
	"context"
	"fmt"

	"zhanggui/internal/platform/db"
)

// passwordCmd lets the owner of the machine in again when nobody who may reset a password can sign in.
type passwordCmd struct {
	database
	Name     string `arg:"" help:"The sign-in name."`
	Password string `name:"password" env:"ZHANGGUI_NEW_PASSWORD" help:"The new password; made and printed when not given."`
}

// Run gives a person a new password. The server may be running: the person is signed out everywhere, and its lock-out is over.
func (k *passwordCmd) Run(ctx context.Context, c *console) error {
	if err := k.there(); err != nil {
		return err
	}
	d, err := db.Open(ctx, k.DB, db.Options{Log: c.log})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Current(ctx, migrations...); err != nil {
		return err
	}
	h, err := build(d, options{log: c.log})
	if err != nil {
		return err
	}
	made, err := h.org.ResetPassword(ctx, d, k.Name, k.Password)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s 的密码已更换,已在所有设备上退出登录 / %s has a new password and is signed out everywhere\n", k.Name, k.Name)
	if made != "" {
		fmt.Fprintf(c.out, "\n  密码 password  %s\n  只显示这一次,请记下 / shown only this once\n\n", made)
	}
	return nil
}
