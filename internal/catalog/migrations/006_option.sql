-- The materials among which a line of a recipe may be mixed: the component itself first, then what may stand in for it. num of
-- the material do what den of the component do, in base units and lowest terms. Shares of the line are millionths: what the
-- recipe says, and between which they may move. A line without rows here is not mixed.
CREATE TABLE catalog_option (
  recipe_id BIGINT NOT NULL REFERENCES catalog_recipe (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  of_id BIGINT NOT NULL,
  rank BIGINT NOT NULL,
  num BIGINT NOT NULL,
  den BIGINT NOT NULL,
  share BIGINT NOT NULL,
  least BIGINT NOT NULL,
  most BIGINT NOT NULL,
  PRIMARY KEY (recipe_id, product_id),
  CONSTRAINT catalog_option_line FOREIGN KEY (recipe_id, of_id) REFERENCES catalog_component (recipe_id, product_id),
  CONSTRAINT catalog_option_ratio CHECK (num > 0 AND den > 0 AND (product_id <> of_id OR num = 1 AND den = 1)),
  CONSTRAINT catalog_option_share CHECK (0 <= least AND least <= share AND share <= most AND most <= 1000000)
);
CREATE INDEX catalog_option_product ON catalog_option (product_id);
