-- When a requisition between sites ended, by whom, and why when nothing was delivered.
ALTER TABLE replenish_requisition ADD COLUMN closed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE replenish_requisition ADD COLUMN closed_by BIGINT NOT NULL DEFAULT 0;
ALTER TABLE replenish_requisition ADD COLUMN close_reason TEXT NOT NULL DEFAULT '';
