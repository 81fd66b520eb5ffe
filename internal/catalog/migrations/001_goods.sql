-- One row; its number rises with every change of goods and its lock makes changes commit in the order of
-- their numbers, so that "changed since n" misses nothing.
CREATE TABLE catalog_version (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL
);
INSERT INTO catalog_version (id, version) VALUES (1, 0);

CREATE TABLE catalog_category (
  id BIGINT PRIMARY KEY,
  parent_id BIGINT REFERENCES catalog_category (id),
  name TEXT NOT NULL,
  sort BIGINT NOT NULL
);
CREATE UNIQUE INDEX catalog_category_name ON catalog_category (COALESCE(parent_id, 0), name);

-- Quantities are thousandths of the base unit; tax_bp are basis points; shelf_life_h 0 keeps for ever.
CREATE TABLE catalog_product (
  id BIGINT PRIMARY KEY,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  search TEXT NOT NULL,
  category_id BIGINT REFERENCES catalog_category (id),
  base_unit TEXT NOT NULL,
  shelf_life_h BIGINT NOT NULL,
  batch_size BIGINT NOT NULL,
  tax_bp BIGINT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT catalog_product_base_unit CHECK (base_unit IN ('g', 'ml', 'piece')),
  CONSTRAINT catalog_product_state CHECK (state IN ('on_sale', 'discontinued')),
  CONSTRAINT catalog_product_numbers CHECK (shelf_life_h >= 0 AND batch_size >= 0 AND tax_bp >= 0)
);
CREATE UNIQUE INDEX catalog_product_code ON catalog_product (code);
CREATE INDEX catalog_product_version ON catalog_product (version);
CREATE INDEX catalog_product_category ON catalog_product (category_id, code);

-- What stock counts. A product has one for now; colours and sizes will drop the unique index.
CREATE TABLE catalog_sku (
  id BIGINT PRIMARY KEY,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id)
);
CREATE UNIQUE INDEX catalog_sku_single ON catalog_sku (product_id);

-- One of the unit is num/den base units, for ever: a line that was sold by it must mean the same tomorrow.
CREATE TABLE catalog_unit (
  id BIGINT PRIMARY KEY,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  name TEXT NOT NULL,
  num BIGINT NOT NULL,
  den BIGINT NOT NULL,
  retired SMALLINT NOT NULL,
  CONSTRAINT catalog_unit_converts CHECK (num > 0 AND den > 0)
);
CREATE UNIQUE INDEX catalog_unit_name ON catalog_unit (product_id, name);

CREATE TABLE catalog_barcode (
  id BIGINT PRIMARY KEY,
  code TEXT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  unit_id BIGINT NOT NULL REFERENCES catalog_unit (id)
);
CREATE UNIQUE INDEX catalog_barcode_code ON catalog_barcode (code);
CREATE INDEX catalog_barcode_product ON catalog_barcode (product_id);
