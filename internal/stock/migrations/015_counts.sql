-- The counts of a site that are not over.
CREATE INDEX stock_count_state ON stock_count (site_id, state, id);
