-- From when the site that is asked has promised a requisition: lines that are confirmed later go into another one.
ALTER TABLE replenish_requisition ADD COLUMN promised_at BIGINT NOT NULL DEFAULT 0;
DROP INDEX replenish_requisition_open;
CREATE UNIQUE INDEX replenish_requisition_open ON replenish_requisition (plan_id, source_id, due) WHERE state = 'confirmed' AND promised_at = 0;
