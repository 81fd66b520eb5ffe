package replenish

import (
	"strings"
	"unicode/utf8"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

var (
	ErrEquipmentName  = errs.Define("equipment_name", errs.Invalid, "设备名称应为 1 到 40 个字", "The name must have 1 to 40 characters")
	ErrEquipmentTaken = errs.Define("equipment_taken", errs.Conflict, "已有设备“{name}”", "There is already equipment called {name}")
	ErrNoEquipment    = errs.Define("equipment_unknown", errs.NotFound, "没有这种设备", "There is no such equipment")
	ErrMachines       = errs.Define("equipment_machines", errs.Invalid, "台数应为 0 到 1000(0 表示计划不受这种设备限制),提前开机 0 到 720 分钟", "There can be 0 to 1000 machines (0: plans are not bound by them), in use from 0 to 720 minutes before")
	ErrNotMade        = errs.Define("equipment_product_bought", errs.Invalid, "这个商品没有配方,不用设备加工", "This product has no recipe; it is not made on equipment")
	ErrLoad           = errs.Define("equipment_load", errs.Invalid, "一批要 1 到 720 分钟,占一台的千分之 1 到 1000", "A batch takes 1 to 720 minutes and from a thousandth of a machine to all of it")
)

// MachinesOf are the machines of a site by kind, and what products take of them.
func MachinesOf(tx *db.Tx, site id.ID) (map[id.ID]Machines, map[id.ID]Load, error) {
	have := tx.Query(`SELECT m.equipment_id, e.name, m.machines, m.early_min FROM replenish_machines m JOIN replenish_equipment e ON e.id = m.equipment_id WHERE m.site_id = $1`, site)
	take := tx.Query(`SELECT l.product_id, l.equipment_id, l.minutes, l.share FROM replenish_load l JOIN replenish_machines m ON m.equipment_id = l.equipment_id WHERE m.site_id = $1`, site)
	defer take.Close()
	machines, loads := map[id.ID]Machines{}, map[id.ID]Load{}
	for have.Next() {
		var m Machines
		if err := have.Scan(&m.Kind, &m.Name, &m.Count, &m.Early); err != nil {
			return nil, nil, err
		}
		machines[m.Kind] = m
	}
	if err := have.Err(); err != nil {
		return nil, nil, err
	}
	for take.Next() {
		var p id.ID
		var l Load
		if err := take.Scan(&p, &l.Kind, &l.Minutes, &l.Share); err != nil {
			return nil, nil, err
		}
		loads[p] = l
	}
	return machines, loads, take.Err()
}

// PutEquipment adds a kind of equipment (id 0), or renames one.
func PutEquipment(tx *db.Tx, staff, kind id.ID, name string) (id.ID, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 40 {
		return 0, ErrEquipmentName.At("name")
	}
	taken := ErrEquipmentTaken.With("name", name).At("name")
	if kind == 0 {
		kind = id.New()
		return kind, tx.ExecExactly(1, taken, `INSERT INTO replenish_equipment (id, name, staff_id, changed_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING`, kind, name, staff, tx.Now())
	}
	var other int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM replenish_equipment WHERE name = $1 AND id <> $2`, name, kind).Scan(&other); err != nil {
		return 0, err
	}
	if other > 0 {
		return 0, taken
	}
	return kind, tx.ExecExactly(1, ErrNoEquipment, `UPDATE replenish_equipment SET name = $1, staff_id = $2, changed_at = $3 WHERE id = $4`, name, staff, tx.Now(), kind)
}

// PutMachines says how many of a kind a site has; 0: making there is not bound by it.
func PutMachines(tx *db.Tx, staff, site id.ID, m Machines) error {
	if m.Count < 0 || m.Count > 1000 || m.Early < 0 || m.Early > 720 {
		return ErrMachines.At("machines")
	}
	if err := knownEquipment(tx, m.Kind); err != nil {
		return err
	}
	if m.Count == 0 {
		return tx.Exec(`DELETE FROM replenish_machines WHERE site_id = $1 AND equipment_id = $2`, site, m.Kind)
	}
	return tx.Exec(`INSERT INTO replenish_machines (site_id, equipment_id, machines, early_min, staff_id, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (site_id, equipment_id) DO UPDATE SET machines = excluded.machines, early_min = excluded.early_min, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		site, m.Kind, m.Count, m.Early, staff, tx.Now())
}

func knownEquipment(tx *db.Tx, kind id.ID) error {
	var n int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM replenish_equipment WHERE id = $1`, kind).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return ErrNoEquipment.At("equipment_id")
	}
	return nil
}

// PutLoad says what a batch of a product takes; minutes 0: no equipment.
func PutLoad(tx *db.Tx, staff, product id.ID, l Load) error {
	if err := knownProduct(tx, product, "product_id"); err != nil {
		return err
	}
	if l.Minutes == 0 {
		return tx.Exec(`DELETE FROM replenish_load WHERE product_id = $1`, product)
	}
	if l.Minutes < 1 || l.Minutes > 720 || l.Share < 1 || l.Share > 1000 {
		return ErrLoad.At("minutes")
	}
	if err := knownEquipment(tx, l.Kind); err != nil {
		return err
	}
	var recipes int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM catalog_recipe WHERE product_id = $1`, product).Scan(&recipes); err != nil {
		return err
	}
	if recipes == 0 {
		return ErrNotMade.At("product_id")
	}
	return tx.Exec(`INSERT INTO replenish_load (product_id, equipment_id, minutes, share, staff_id, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (product_id) DO UPDATE SET equipment_id = excluded.equipment_id, minutes = excluded.minutes, share = excluded.share, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		product, l.Kind, l.Minutes, l.Share, staff, tx.Now())
}

// EquipmentView is a kind of equipment, what the site has of it, and what is made on it.
type EquipmentView struct {
	ID       id.ID      `json:"id"`
	Name     string     `json:"name"`
	Machines int64      `json:"machines" doc:"at the site; 0: making there is not bound by it"`
	EarlyMin int64      `json:"early_min" doc:"minutes before the first round is ready from which on they are in use"`
	Products []LoadView `json:"products"`
}

// LoadView is what a batch of a product takes of a machine.
type LoadView struct {
	ProductID id.ID  `json:"product_id"`
	Code      string `json:"code"`
	Name      string `json:"name"`
	Minutes   int64  `json:"minutes"`
	Share     int64  `json:"share" doc:"of one machine, in thousandths"`
}

// ListEquipment lists all kinds with what a site has of them.
func ListEquipment(tx *db.Tx, site id.ID) ([]EquipmentView, error) {
	kinds := tx.Query(`SELECT e.id, e.name, COALESCE(m.machines, 0), COALESCE(m.early_min, 0) FROM replenish_equipment e LEFT JOIN replenish_machines m ON m.equipment_id = e.id AND m.site_id = $1 ORDER BY e.name LIMIT 200`, site)
	loads := tx.Query(`SELECT l.equipment_id, l.product_id, c.code, c.name, l.minutes, l.share FROM replenish_load l CROSS JOIN catalog_product c WHERE c.id = l.product_id ORDER BY c.code LIMIT 5000`)
	defer loads.Close()
	all := []EquipmentView{}
	at := map[id.ID]int{}
	for kinds.Next() {
		v := EquipmentView{Products: []LoadView{}}
		if err := kinds.Scan(&v.ID, &v.Name, &v.Machines, &v.EarlyMin); err != nil {
			return nil, err
		}
		at[v.ID] = len(all)
		all = append(all, v)
	}
	if err := kinds.Err(); err != nil {
		return nil, err
	}
	for loads.Next() {
		var kind id.ID
		var l LoadView
		if err := loads.Scan(&kind, &l.ProductID, &l.Code, &l.Name, &l.Minutes, &l.Share); err != nil {
			return nil, err
		}
		if i, ok := at[kind]; ok {
			all[i].Products = append(all[i].Products, l)
		}
	}
	return all, loads.Err()
}
