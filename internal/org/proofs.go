package org

import (
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// Proofs are what `zhanggui check` shows of the organisation.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "org_reach_follows_grants", Run: reachFollowsGrants},
		{Name: "org_has_an_administrator", Run: hasAdministrator},
	}
}

// reachFollowsGrants compares what lists are filtered by with what the grants say, both ways.
func reachFollowsGrants(tx *db.Tx) (proof.Result, error) {
	var res proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM org_reach`).Scan(&res.Rows); err != nil {
		return res, err
	}
	rows := tx.Query(`
WITH due AS (
  SELECT g.staff_id, p.perm, t.id AS site_id
  FROM org_grant g
  JOIN org_staff f ON f.id = g.staff_id AND f.disabled = 0
  JOIN org_role_perm p ON p.role_id = g.role_id
  JOIN org_site t ON (g.scope_kind = 'site' AND t.id = g.scope_id) OR (g.scope_kind = 'entity' AND t.entity_id = g.scope_id)
  UNION
  SELECT g.staff_id, p.perm, 0
  FROM org_grant g
  JOIN org_staff f ON f.id = g.staff_id AND f.disabled = 0
  JOIN org_role_perm p ON p.role_id = g.role_id
  WHERE g.scope_kind = 'group'
)
SELECT 'missing', d.staff_id, d.perm, d.site_id FROM due d
WHERE NOT EXISTS (SELECT 1 FROM org_reach r WHERE r.staff_id = d.staff_id AND r.perm = d.perm AND r.site_id = d.site_id)
UNION ALL
SELECT 'unfounded', r.staff_id, r.perm, r.site_id FROM org_reach r
WHERE NOT EXISTS (SELECT 1 FROM due d WHERE r.staff_id = d.staff_id AND r.perm = d.perm AND r.site_id = d.site_id)`)
	defer rows.Close()
	for rows.Next() {
		var what, perm string
		var staff, site id.ID
		if err := rows.Scan(&what, &staff, &perm, &site); err != nil {
			return res, err
		}
		res.Add("%s: staff %s, %s at site %s", what, staff, perm, site)
	}
	return res, rows.Err()
}

func hasAdministrator(tx *db.Tx) (proof.Result, error) {
	var res proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM org_group`).Scan(&res.Rows); err != nil {
		return res, err
	}
	if res.Rows == 0 {
		return res, nil
	}
	if err := oneAdministrator(tx); err == ErrLastAdmin {
		res.Add("nobody is administrator of the whole group")
		return res, nil
	} else {
		return res, err
	}
}
