-- What the loss of a recipe's lines is learned from, frozen with the requisition: the first day of the version that gave its
-- needs ('': somebody named them), and of each need what it is without loss, what rounding to whole pieces added, and the loss
-- that the line had then, in millionths, with its rule. Quantities are thousandths of base units.
ALTER TABLE produce_requisition ADD COLUMN recipe_from TEXT NOT NULL DEFAULT '';
ALTER TABLE produce_need ADD COLUMN bare BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_need ADD COLUMN over_qty BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_need ADD COLUMN loss BIGINT NOT NULL DEFAULT 0;
ALTER TABLE produce_need ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE produce_task ADD COLUMN recipe_from TEXT NOT NULL DEFAULT '';
CREATE INDEX produce_task_recipe ON produce_task (site_id, product_id, recipe_from, id) WHERE recipe_from <> '';

-- What a line of a recipe was learned to lose at a site: in the night before a business date, from the last batches whose output
-- was booked before it. was: the rate before that night.
CREATE TABLE produce_learned (
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  recipe_from TEXT NOT NULL,
  material_id BIGINT NOT NULL REFERENCES catalog_product (id),
  rule TEXT NOT NULL,
  rate BIGINT NOT NULL,
  was BIGINT NOT NULL,
  batches BIGINT NOT NULL,
  taken BIGINT NOT NULL,
  net BIGINT NOT NULL,
  date TEXT NOT NULL,
  PRIMARY KEY (site_id, product_id, recipe_from, material_id),
  CONSTRAINT produce_learned_rate CHECK (rate >= 0 AND rate <= 200000 AND batches >= 10)
);
