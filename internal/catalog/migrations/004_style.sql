-- A style is what comes in colours and sizes. Each combination is a product of its own, with its own code, barcodes,
-- price, stock and life; the style says what they have in common.
CREATE TABLE catalog_style (
  id BIGINT PRIMARY KEY,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  search TEXT NOT NULL,
  category_id BIGINT REFERENCES catalog_category (id),
  base_unit TEXT NOT NULL,
  shelf_life_h BIGINT NOT NULL,
  tax_bp BIGINT NOT NULL,
  version BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT catalog_style_base_unit CHECK (base_unit IN ('g', 'ml', 'piece')),
  CONSTRAINT catalog_style_numbers CHECK (shelf_life_h >= 0 AND tax_bp >= 0)
);
CREATE UNIQUE INDEX catalog_style_code ON catalog_style (code);

-- A value of an attribute, as red of colour. Its code becomes part of the codes of the combinations.
CREATE TABLE catalog_value (
  id BIGINT PRIMARY KEY,
  style_id BIGINT NOT NULL REFERENCES catalog_style (id),
  axis BIGINT NOT NULL,
  axis_name TEXT NOT NULL,
  sort BIGINT NOT NULL,
  name TEXT NOT NULL,
  code TEXT NOT NULL
);
CREATE INDEX catalog_value_style ON catalog_value (style_id, axis, sort);

-- combo is the ids of its values in the order of the attributes, joined by commas: no combination is there twice.
CREATE TABLE catalog_variant (
  product_id BIGINT PRIMARY KEY REFERENCES catalog_product (id),
  style_id BIGINT NOT NULL REFERENCES catalog_style (id),
  combo TEXT NOT NULL
);
CREATE UNIQUE INDEX catalog_variant_combo ON catalog_variant (style_id, combo);

-- What styles of a category and of those below it begin with. axes is the JSON of the attributes.
CREATE TABLE catalog_template (
  category_id BIGINT PRIMARY KEY REFERENCES catalog_category (id),
  axes TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
