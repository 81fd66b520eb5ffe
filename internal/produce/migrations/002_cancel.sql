-- A requisition whose materials nobody will take: 0 or when it was cancelled, by whom and why. It stays open in state and
-- nothing can be taken for it.
ALTER TABLE produce_requisition ADD COLUMN cancelled_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_requisition ADD COLUMN cancelled_by BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_requisition ADD COLUMN cancel_reason TEXT NOT NULL DEFAULT '';
