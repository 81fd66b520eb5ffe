-- What a supplier's word for a product is taken for by those who plan, from the 90 days of its record up to until: of lines due,
-- what share of an order is expected to come (ten-thousandths) and by how many days after its due date; came_lines of which
-- anything came. 10000 and 0: its word is taken as it is given.
CREATE TABLE purchase_word (
  supplier_id BIGINT NOT NULL REFERENCES party_supplier (id),
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  lines BIGINT NOT NULL,
  came_lines BIGINT NOT NULL,
  fill_bp BIGINT NOT NULL,
  late_days BIGINT NOT NULL,
  until TEXT NOT NULL,
  PRIMARY KEY (supplier_id, product_id),
  CONSTRAINT purchase_word_share CHECK (fill_bp BETWEEN 0 AND 10000 AND late_days BETWEEN 0 AND 3)
);
