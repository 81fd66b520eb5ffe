-- Ways to sell: by weight, by an amount of money, by a label of a scale. step and tare are thousandths of the base
-- unit; item_no is the number of the unit on scale labels, '' for none.
ALTER TABLE catalog_unit ADD COLUMN weighed SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE catalog_unit ADD COLUMN step BIGINT NOT NULL DEFAULT 1000;
ALTER TABLE catalog_unit ADD COLUMN tare BIGINT NOT NULL DEFAULT 0;
ALTER TABLE catalog_unit ADD COLUMN item_no TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX catalog_unit_item ON catalog_unit (item_no) WHERE item_no <> '';

-- Where a product is in its life. state stays beside it, for whoever only asks whether it is sold at all.
ALTER TABLE catalog_product ADD COLUMN life TEXT NOT NULL DEFAULT 'listed';
UPDATE catalog_product SET life = 'stop_selling' WHERE state = 'discontinued';

-- How the EAN-13 of a scale label is built: prefix, digits of the item number, perhaps a check digit over the value,
-- digits of the value, check digit. Two layouts can't claim one prefix.
CREATE TABLE catalog_label (
  id BIGINT PRIMARY KEY,
  prefix TEXT NOT NULL,
  name TEXT NOT NULL,
  item_digits BIGINT NOT NULL,
  value_check SMALLINT NOT NULL,
  value_digits BIGINT NOT NULL,
  value_kind TEXT NOT NULL,
  decimals BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT catalog_label_adds_up CHECK (item_digits + value_check + value_digits = 10),
  CONSTRAINT catalog_label_kind CHECK (value_kind IN ('weight', 'price', 'count'))
);
CREATE UNIQUE INDEX catalog_label_prefix ON catalog_label (prefix);

-- Until now a till told by its name that a unit is weighed.
UPDATE catalog_unit SET weighed = 1 WHERE name IN ('g', 'kg', 'jin', 'ml', 'l', '克', '千克', '公斤', '斤', '两', '升', '毫升')
  AND (1000 * den) % num = 0 AND product_id IN (SELECT id FROM catalog_product WHERE base_unit IN ('g', 'ml'));
