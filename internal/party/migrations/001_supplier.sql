CREATE TABLE party_supplier (
  id BIGINT PRIMARY KEY,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  search TEXT NOT NULL,
  contact TEXT NOT NULL,
  phone TEXT NOT NULL,
  address TEXT NOT NULL,
  state TEXT NOT NULL,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  CONSTRAINT party_supplier_state CHECK (state IN ('active', 'stopped'))
);
CREATE UNIQUE INDEX party_supplier_code ON party_supplier (code);

-- What a supplier asks and gives for a product: pack in thousandths of the unit, which is unit_num/unit_den base units;
-- price_fen4 of one unit in ten-thousandths of a fen; lead_h 0 is that of the class; order_days bit 0 is Monday; cut_off in
-- minutes after midnight. Products are another capability's.
CREATE TABLE party_terms (
  supplier_id BIGINT NOT NULL REFERENCES party_supplier (id),
  product_id BIGINT NOT NULL,
  pack BIGINT NOT NULL,
  unit TEXT NOT NULL,
  unit_num BIGINT NOT NULL,
  unit_den BIGINT NOT NULL,
  price_fen4 BIGINT NOT NULL,
  min_packs BIGINT NOT NULL,
  lead_class TEXT NOT NULL,
  lead_h BIGINT NOT NULL,
  order_days BIGINT NOT NULL,
  cut_off BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (supplier_id, product_id),
  CONSTRAINT party_terms_numbers CHECK (pack > 0 AND unit_num > 0 AND unit_den > 0 AND price_fen4 >= 0 AND min_packs >= 1 AND lead_h >= 0
    AND order_days BETWEEN 1 AND 127 AND cut_off BETWEEN 0 AND 1439),
  CONSTRAINT party_terms_class CHECK (lead_class IN ('fresh', 'frozen', 'ambient'))
);
CREATE INDEX party_terms_product ON party_terms (product_id, supplier_id);
