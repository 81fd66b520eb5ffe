-- The list of all batches of a site by expiry, used-up ones too. Every batch has a value_id: the condition keeps the index
-- for statements that name it; else it would be preferred to stock_batch_open for its order, and go through all of a site.
CREATE INDEX stock_batch_expiry ON stock_batch (site_id, expires_at, id) WHERE value_id > 0;
-- A movement of value tells its batch to whoever goes back through a day.
CREATE INDEX stock_batch_value ON stock_batch (value_id);
-- What comes to a site, and what a site has sent for requisitions, without the transfers of all the years.
CREATE INDEX stock_transfer_coming ON stock_transfer (to_site, state);
CREATE INDEX stock_transfer_caused ON stock_transfer (from_site, due) WHERE cause_id > 0;
-- What is on its way, with the larger side first: SQLite turns such a comparison of a sum with a column round, and then no longer
-- knows the condition of the index again.
DROP INDEX stock_transit_open;
CREATE INDEX stock_transit_open ON stock_transit (to_site, sku_id) WHERE shipped > received + lost + back;
