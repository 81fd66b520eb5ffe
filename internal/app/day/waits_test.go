package day

import (
	"testing"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// A kitchen makes for the rounds that are confirmed. One that waits for an approver waits whoever asks; one that waits for whoever plans
// may be made by who may confirm it, and by nobody else.
func TestTheKitchenWaitsForARoundThatIsNotDecided(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		x := w.A
		role := w.Done(w.Admin, "POST", "/api/org/roles", m{"name": "helper", "permissions": []string{"make.read", "make.work", "plan.read"}}).ID()
		w.Person("helper", "helper", x.IDs["site"], role, "site", x.IDs["site"])
		helper := w.SignIn("helper", "long-enough-7")
		const today = "2026-03-02"
		site, _ := id.Parse(x.IDs["site"])
		apples, _ := id.Parse(w.Goods["2001"])
		var head *replenish.Head
		made := &replenish.Made{}
		for i, how := range []replenish.Execution{replenish.Act, replenish.Suggest, replenish.Approve, replenish.Suggest} {
			made.Production = append(made.Production, replenish.ProductionRow{Product: apples, Round: int64(i + 1), From: int64(i * 10), To: int64(i*10 + 10), Make: 2 * qty.Scale, Level: replenish.Automatic, Execution: how})
		}
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx *db.Tx) (err error) { head, err = replenish.Open(tx, site, today); return err })
		version := id.New()
		steps, err := made.Steps(head.ID, version, d.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			write(step)
		}
		write(func(tx *db.Tx) error { return made.PutInForce(tx, head, version, 0, 0, "x", 0, "") })
		ask := func(cookie string, round int) town.Reply {
			body := w.Making(x)
			body["for"] = m{"date": today, "round": round}
			return w.Send(cookie, "POST", "/api/making/requisitions", body)
		}
		for round, want := range []string{"", "making_round_unconfirmed", "making_round_unapproved", "making_round_unconfirmed"} {
			if a := ask(helper, round+1); want == "" && a.Status != 200 || a.Code != want {
				t.Errorf("round %d by who only makes: %v, want %q", round+1, a, want)
			}
		}
		if a := ask(x.Boss, 2); a.Status != 200 {
			t.Errorf("who may confirm may make: %v", a)
		}
		if a := ask(x.Boss, 3); a.Code != "making_round_unapproved" {
			t.Errorf("an approver too says so first: %v", a)
		}
		w.Done(x.Boss, "POST", "/api/plans/"+x.IDs["plan"]+"/confirm", m{"what": "production"})
		for round := 1; round <= 4; round++ {
			if a := ask(helper, round); a.Status != 200 {
				t.Errorf("round %d is confirmed: %v", round, a)
			}
		}
		w.Green()
	}, town.Whole)
}
