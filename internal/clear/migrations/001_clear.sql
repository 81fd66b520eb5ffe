-- How a category is cleared; category 0 holds for all without a rule of their own. Minutes before expiry, per cent.
CREATE TABLE clear_rule (
  category_id BIGINT PRIMARY KEY,
  first_min BIGINT NOT NULL,
  free_min BIGINT NOT NULL,
  depths TEXT NOT NULL,
  floor_pct BIGINT NOT NULL,
  floor_free SMALLINT NOT NULL,
  screen_pct BIGINT NOT NULL,
  hold_out_pct BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT clear_rule_times CHECK (free_min >= 0 AND first_min >= free_min),
  CONSTRAINT clear_rule_per_cent CHECK (floor_pct BETWEEN 0 AND 100 AND screen_pct BETWEEN 0 AND 100 AND hold_out_pct BETWEEN 0 AND 100)
);

-- A site's own word: no further steps for a category (0: for all). What is reduced keeps its price.
CREATE TABLE clear_stop (
  site_id BIGINT NOT NULL,
  category_id BIGINT NOT NULL,
  stopped SMALLINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (site_id, category_id)
);

-- A batch on its way to expiry: one row from some hours before. Quantities are thousandths of the sales unit, instants
-- UTC ms, prices of one sales unit. free_at 0: no buy-one-get-one; label 0: not marked down, else the number on its
-- label, unique at the site. planned -1: nothing was planned. next_at is when it is looked at next.
CREATE TABLE clear_markdown (
  batch_id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL,
  sku_id BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  category_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  free_at BIGINT NOT NULL,
  phase TEXT NOT NULL,
  reason TEXT NOT NULL,
  label BIGINT NOT NULL,
  step_id BIGINT NOT NULL,
  list_fen BIGINT NOT NULL,
  price_fen BIGINT NOT NULL,
  depth BIGINT NOT NULL,
  free SMALLINT NOT NULL,
  left_qty BIGINT NOT NULL,
  planned BIGINT NOT NULL,
  first_left BIGINT NOT NULL,
  first_expected BIGINT NOT NULL,
  looked_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  closed SMALLINT NOT NULL,
  write_off_id BIGINT NOT NULL,
  lost_qty BIGINT NOT NULL,
  lost_fen BIGINT NOT NULL,
  CONSTRAINT clear_markdown_price CHECK (price_fen >= 0 AND price_fen <= list_fen)
);
CREATE INDEX clear_markdown_due ON clear_markdown (next_at, batch_id) WHERE closed = 0;
CREATE INDEX clear_markdown_site ON clear_markdown (site_id, expires_at, batch_id);
CREATE UNIQUE INDEX clear_markdown_label ON clear_markdown (site_id, label) WHERE label > 0;

-- The last number given to a label of a site.
CREATE TABLE clear_label (
  site_id BIGINT PRIMARY KEY,
  last_no BIGINT NOT NULL
);

-- One look at a batch: what was known, what was weighed, what was decided. Its price holds until until_at (0: still);
-- sold under it so many, for so much. slot_expected is what the half hour after it would sell at the full price, slot_sold
-- what it sold: from these people's answer to prices is learned.
CREATE TABLE clear_step (
  id BIGINT PRIMARY KEY,
  batch_id BIGINT NOT NULL,
  site_id BIGINT NOT NULL,
  category_id BIGINT NOT NULL,
  hour_band BIGINT NOT NULL,
  at BIGINT NOT NULL,
  phase TEXT NOT NULL,
  reason TEXT NOT NULL,
  changed SMALLINT NOT NULL,
  list_fen BIGINT NOT NULL,
  price_fen BIGINT NOT NULL,
  depth BIGINT NOT NULL,
  free SMALLINT NOT NULL,
  left_qty BIGINT NOT NULL,
  expected BIGINT NOT NULL,
  planned BIGINT NOT NULL,
  options TEXT NOT NULL,
  until_at BIGINT NOT NULL,
  sold_qty BIGINT NOT NULL,
  sold_fen BIGINT NOT NULL,
  slot_expected BIGINT NOT NULL,
  slot_sold BIGINT NOT NULL,
  slot_left BIGINT NOT NULL
);
CREATE INDEX clear_step_batch ON clear_step (batch_id, id);
CREATE INDEX clear_step_use ON clear_step (category_id, hour_band, until_at) WHERE changed = 1 AND until_at > 0;

-- How strongly people of a category answer to a lower price: e in demand x (1 - d)^-e, thousandths, with its error.
CREATE TABLE clear_answer (
  category_id BIGINT PRIMARY KEY,
  elasticity_milli BIGINT NOT NULL,
  error_milli BIGINT NOT NULL,
  slots BIGINT NOT NULL,
  learned_at BIGINT NOT NULL
);
