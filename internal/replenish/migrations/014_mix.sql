-- A mix (配比) of the materials among which a version of a recipe may choose, at a site for some days: proposed by planning,
-- and in force only when a person has approved it. shares: millionths of its line by material; why: what
-- the proposal was worked out from. version counts what planning has made of a proposal, so that nobody approves what he has
-- not seen. Of a product and site one is proposed at most, and of a day one is approved at most.
CREATE TABLE replenish_mix (
  id BIGINT PRIMARY KEY,
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  recipe_from TEXT NOT NULL,
  revision BIGINT NOT NULL,
  first TEXT NOT NULL,
  last TEXT NOT NULL,
  state TEXT NOT NULL,
  cause TEXT NOT NULL,
  shares TEXT NOT NULL,
  saving_fen BIGINT NOT NULL,
  why TEXT NOT NULL,
  version BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL DEFAULT 0,
  decided_at BIGINT NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  ended_by BIGINT NOT NULL DEFAULT 0,
  ended_at BIGINT NOT NULL DEFAULT 0,
  ended_why TEXT NOT NULL DEFAULT '',
  ended_reason TEXT NOT NULL DEFAULT '',
  CONSTRAINT replenish_mix_state CHECK (state IN ('proposed', 'approved', 'refused', 'ended') AND (state = 'ended') = (ended_why IN ('replaced', 'reason_gone', 'by_hand'))),
  CONSTRAINT replenish_mix_cause CHECK (cause IN ('availability', 'expiry', 'cost')),
  CONSTRAINT replenish_mix_days CHECK (first <= last OR state <> 'proposed')
);
CREATE UNIQUE INDEX replenish_mix_one ON replenish_mix (site_id, product_id) WHERE state = 'proposed';
CREATE INDEX replenish_mix_days_of ON replenish_mix (site_id, last, id);
CREATE INDEX replenish_mix_list ON replenish_mix (site_id, id);

-- From how much a day a mix is worth being proposed, in fen; site 0: everywhere without a row of its own.
CREATE TABLE replenish_mix_rule (
  site_id BIGINT PRIMARY KEY,
  least_fen BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT replenish_mix_rule_least CHECK (least_fen >= 0)
);
