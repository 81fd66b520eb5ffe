-- Why an order was closed before all of it came.
ALTER TABLE purchase_order ADD COLUMN close_reason TEXT NOT NULL DEFAULT '';
