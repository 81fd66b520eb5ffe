-- A bundle is put together when it is sold: it has no stock of its own, and so no row in catalog_sku.
ALTER TABLE catalog_product ADD COLUMN bundle SMALLINT NOT NULL DEFAULT 0;

-- What is in one of a bundle: so many thousandths of a sales unit of another product. share is its weight in the price of
-- the bundle; 0 on all lines: by what the parts would cost alone.
CREATE TABLE catalog_part (
  bundle_id BIGINT NOT NULL REFERENCES catalog_product (id),
  line_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  unit_id BIGINT NOT NULL REFERENCES catalog_unit (id),
  qty BIGINT NOT NULL,
  share BIGINT NOT NULL,
  PRIMARY KEY (bundle_id, line_no),
  CONSTRAINT catalog_part_qty CHECK (qty > 0 AND share >= 0)
);
CREATE UNIQUE INDEX catalog_part_product ON catalog_part (product_id, bundle_id);
