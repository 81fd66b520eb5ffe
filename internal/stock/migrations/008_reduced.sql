-- reduced: the batch is sold at a lower price than its product. It is taken last by whoever does not ask for it by
-- name, so the search for what to sell next goes over what is not reduced first.
ALTER TABLE stock_batch ADD COLUMN reduced SMALLINT NOT NULL DEFAULT 0 CONSTRAINT stock_batch_reduced_flag CHECK (reduced IN (0, 1));
DROP INDEX stock_batch_open;
CREATE INDEX stock_batch_open ON stock_batch (site_id, sku_id, reduced, expires_at, id) WHERE open = 1;
-- What comes to its end next, over all sites.
CREATE INDEX stock_batch_ending ON stock_batch (expires_at, id) WHERE open = 1;
