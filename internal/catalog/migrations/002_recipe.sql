-- One version of a recipe, valid from a day until the next one. yield_qty is thousandths of the product's base unit;
-- revision is the number of catalog_version at its last change.
CREATE TABLE catalog_recipe (
  id BIGINT PRIMARY KEY,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  valid_from TEXT NOT NULL,
  yield_qty BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT catalog_recipe_yield CHECK (yield_qty > 0)
);
CREATE UNIQUE INDEX catalog_recipe_version ON catalog_recipe (product_id, valid_from);

-- What goes into one yield, in thousandths of the component's base unit; loss in millionths.
CREATE TABLE catalog_component (
  recipe_id BIGINT NOT NULL REFERENCES catalog_recipe (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  line_no BIGINT NOT NULL,
  qty BIGINT NOT NULL,
  loss BIGINT NOT NULL,
  rule TEXT NOT NULL,
  PRIMARY KEY (recipe_id, product_id),
  CONSTRAINT catalog_component_qty CHECK (qty > 0),
  CONSTRAINT catalog_component_loss CHECK (loss >= 0 AND loss < 1000000 AND rule IN ('markup', 'yield'))
);
CREATE INDEX catalog_component_product ON catalog_component (product_id);
