-- How a product is replenished at a site, 0: at all sites without a rule of their own. safety and most are what a person
-- set, -1: the computed ones count. Ceilings and threshold 0: none. Quantities are thousandths of base units.
CREATE TABLE replenish_policy (
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
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (site_id, product_id),
  CONSTRAINT replenish_policy_mode CHECK (mode IN ('static', 'dynamic', 'strategy')),
  CONSTRAINT replenish_policy_on CHECK (on_automatic IN ('act', 'suggest', 'approve') AND on_dynamic IN ('act', 'suggest', 'approve') AND on_strategy IN ('act', 'suggest', 'approve')),
  CONSTRAINT replenish_policy_numbers CHECK (safety >= -1 AND most >= -1 AND qty_ceiling >= 0 AND amount_ceiling_fen >= 0 AND sales_threshold >= 0)
);
CREATE INDEX replenish_policy_product ON replenish_policy (product_id, site_id);

-- What the safety level of a static product came to at a site: expected over the days it must last, the margin for the
-- forecast's error, and the maximum. Written when it changes.
CREATE TABLE replenish_safety (
  site_id BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  days BIGINT NOT NULL,
  expected BIGINT NOT NULL,
  margin BIGINT NOT NULL,
  most BIGINT NOT NULL,
  computed_at BIGINT NOT NULL,
  PRIMARY KEY (site_id, product_id)
);

-- Promotions, festivals, seasons, and weather rules: what they do to the demand of their products. site_id 0: everywhere.
-- Dates and minutes are on the clock of the site. factor is in thousandths, degree in thousandths of a degree or millimetre.
CREATE TABLE replenish_event (
  id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  from_date TEXT NOT NULL,
  from_min BIGINT NOT NULL,
  to_date TEXT NOT NULL,
  to_min BIGINT NOT NULL,
  factor BIGINT NOT NULL,
  condition TEXT NOT NULL,
  degree BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT replenish_event_kind CHECK (kind IN ('promotion', 'festival', 'season', 'weather')),
  CONSTRAINT replenish_event_numbers CHECK (factor > 0 AND factor <= 20000 AND from_min BETWEEN 0 AND 1439 AND to_min BETWEEN 0 AND 1439)
);
CREATE INDEX replenish_event_to ON replenish_event (to_date, id);

CREATE TABLE replenish_event_product (
  event_id BIGINT NOT NULL REFERENCES replenish_event (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  PRIMARY KEY (event_id, product_id)
);

-- How a supplier delivers in a hurry: minutes from the order, and what it costs more, in millionths of the price.
CREATE TABLE replenish_rush (
  supplier_id BIGINT NOT NULL REFERENCES party_supplier (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  minutes BIGINT NOT NULL,
  surcharge_ppm BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (supplier_id, product_id),
  CONSTRAINT replenish_rush_numbers CHECK (minutes > 0 AND surcharge_ppm >= 0)
);

-- Which stores can help each other out: minutes on the way, and what a trip costs.
CREATE TABLE replenish_near (
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  near_id BIGINT NOT NULL REFERENCES org_site (id),
  minutes BIGINT NOT NULL,
  cost_fen BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (site_id, near_id),
  CONSTRAINT replenish_near_other CHECK (site_id <> near_id AND minutes > 0 AND cost_fen >= 0)
);

-- What a test of the day's pace found for a product that sells more than 30 % off its forecast, and what came of it. One
-- row per product, store and day; the latest test counts. short_ppm is the probability of running out, factor_ppm what
-- the day is believed to be of its forecast; spare is what may be given to stores in reach. proposal_id: the line it became.
CREATE TABLE replenish_tuning (
  id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  date TEXT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  reach TEXT NOT NULL,
  outcome TEXT NOT NULL,
  sold BIGINT NOT NULL,
  expected BIGINT NOT NULL,
  factor_ppm BIGINT NOT NULL,
  remaining BIGINT NOT NULL,
  available BIGINT NOT NULL,
  arriving BIGINT NOT NULL,
  short_ppm BIGINT NOT NULL,
  out_at TEXT NOT NULL,
  qty BIGINT NOT NULL,
  spare BIGINT NOT NULL,
  substitute_id BIGINT NOT NULL,
  proposal_id BIGINT NOT NULL,
  tested_at BIGINT NOT NULL,
  CONSTRAINT replenish_tuning_reach CHECK (reach IN ('over', 'under', 'within')),
  CONSTRAINT replenish_tuning_outcome CHECK (outcome IN ('enough', 'purchase', 'transfer', 'unobtainable', 'make', 'cut', 'outranked', 'past'))
);
CREATE UNIQUE INDEX replenish_tuning_day ON replenish_tuning (site_id, date, product_id);

-- Sales of a product in a store on a day beyond its threshold: what is beyond it feeds no forecast and no order until
-- somebody has released it.
CREATE TABLE replenish_block (
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  date TEXT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  sold BIGINT NOT NULL,
  threshold BIGINT NOT NULL,
  state TEXT NOT NULL,
  found_at BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  decided_at BIGINT,
  reason TEXT NOT NULL,
  PRIMARY KEY (site_id, date, product_id),
  CONSTRAINT replenish_block_state CHECK (state IN ('open', 'released', 'refused'))
);
CREATE INDEX replenish_block_open ON replenish_block (site_id, date) WHERE state <> 'released';

-- mode, level and execution say how and why a line is proposed; held why it waits for an approver; factor what its target
-- was raised by, in thousandths.
ALTER TABLE replenish_proposal ADD COLUMN mode TEXT NOT NULL DEFAULT 'dynamic';
ALTER TABLE replenish_proposal ADD COLUMN level TEXT NOT NULL DEFAULT 'automatic';
ALTER TABLE replenish_proposal ADD COLUMN execution TEXT NOT NULL DEFAULT 'suggest';
ALTER TABLE replenish_proposal ADD COLUMN held TEXT NOT NULL DEFAULT '';
ALTER TABLE replenish_proposal ADD COLUMN factor BIGINT NOT NULL DEFAULT 1000;
