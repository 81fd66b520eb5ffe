-- Kinds of equipment that making is bound by: ovens, fryers, steamers.
CREATE TABLE replenish_equipment (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX replenish_equipment_name ON replenish_equipment (name);

-- How many of a kind a site has, and how many minutes before its first round is ready they are in use. A site without a row
-- is not bound by the kind.
CREATE TABLE replenish_machines (
  site_id BIGINT NOT NULL REFERENCES org_site (id),
  equipment_id BIGINT NOT NULL REFERENCES replenish_equipment (id),
  machines BIGINT NOT NULL,
  early_min BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (site_id, equipment_id),
  CONSTRAINT replenish_machines_numbers CHECK (machines BETWEEN 1 AND 1000 AND early_min BETWEEN 0 AND 720)
);

-- What a batch of a product takes: a share of one machine, in thousandths, for some minutes.
CREATE TABLE replenish_load (
  product_id BIGINT PRIMARY KEY REFERENCES catalog_product (id),
  equipment_id BIGINT NOT NULL REFERENCES replenish_equipment (id),
  minutes BIGINT NOT NULL,
  share BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT replenish_load_numbers CHECK (minutes BETWEEN 1 AND 720 AND share BETWEEN 1 AND 1000)
);
