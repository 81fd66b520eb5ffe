-- A fourth way: by daily mean sales (DMS). review_days is how long an order of it lasts beyond the supplier's lead time.
CREATE TABLE replenish_policy_new (
  site_id BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  mode TEXT NOT NULL,
  safety BIGINT NOT NULL,
  most BIGINT NOT NULL,
  on_automatic TEXT NOT NULL,
  on_dynamic TEXT NOT NULL,
  on_strategy TEXT NOT NULL,
  qty_ceiling BIGINT NOT NULL,
  amount_ceiling_fen BIGINT NOT NULL,
  sales_threshold BIGINT NOT NULL,
  substitute_id BIGINT NOT NULL,
  at_word SMALLINT NOT NULL,
  review_days BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (site_id, product_id),
  CONSTRAINT replenish_policy_modes CHECK (mode IN ('static', 'dynamic', 'strategy', 'dms')),
  CONSTRAINT replenish_policy_ways CHECK (on_automatic IN ('act', 'suggest', 'approve') AND on_dynamic IN ('act', 'suggest', 'approve') AND on_strategy IN ('act', 'suggest', 'approve')),
  CONSTRAINT replenish_policy_figures CHECK (safety >= -1 AND most >= -1 AND qty_ceiling >= 0 AND amount_ceiling_fen >= 0 AND sales_threshold >= 0 AND review_days BETWEEN 1 AND 60)
);
INSERT INTO replenish_policy_new (site_id, product_id, mode, safety, most, on_automatic, on_dynamic, on_strategy, qty_ceiling, amount_ceiling_fen, sales_threshold, substitute_id, at_word, review_days, staff_id, changed_at)
  SELECT site_id, product_id, mode, safety, most, on_automatic, on_dynamic, on_strategy, qty_ceiling, amount_ceiling_fen, sales_threshold, substitute_id, at_word, 7, staff_id, changed_at FROM replenish_policy;
DROP TABLE replenish_policy;
ALTER TABLE replenish_policy_new RENAME TO replenish_policy;
CREATE INDEX replenish_policy_product ON replenish_policy (product_id, site_id);
