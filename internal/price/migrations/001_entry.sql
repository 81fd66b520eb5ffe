-- One row, as in catalog_version: its lock makes price changes commit in the order of their numbers.
CREATE TABLE price_version (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL
);
INSERT INTO price_version (id, version) VALUES (1, 0);

-- Rows are only ever added. price_fen is for one sales unit, VAT included; NULL ends a price: at a site the
-- group's price holds again, in the group the unit is not for sale. site_id NULL is the whole group.
CREATE TABLE price_entry (
  id BIGINT PRIMARY KEY,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  unit_id BIGINT NOT NULL REFERENCES catalog_unit (id),
  site_id BIGINT REFERENCES org_site (id),
  valid_from TEXT NOT NULL,
  price_fen BIGINT,
  staff_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CONSTRAINT price_entry_not_negative CHECK (price_fen >= 0)
);
CREATE INDEX price_entry_unit ON price_entry (unit_id, site_id, valid_from, id);
CREATE INDEX price_entry_product ON price_entry (product_id, id);
CREATE INDEX price_entry_version ON price_entry (version);
