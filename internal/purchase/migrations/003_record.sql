-- How suppliers kept their word: of all orders due on a day, what was ordered of a product and how much of it came by
-- that day, one and two days after, and at all (within the days that an order is waited for). In thousandths of the
-- base unit and fen; what came beyond the order is left out. Made again while goods may still come.
CREATE TABLE purchase_record (
  supplier_id BIGINT NOT NULL REFERENCES party_supplier (id),
  due TEXT NOT NULL,
  product_id BIGINT NOT NULL REFERENCES catalog_product (id),
  lines BIGINT NOT NULL,
  full_lines BIGINT NOT NULL,
  timely_lines BIGINT NOT NULL,
  ordered BIGINT NOT NULL,
  in_time BIGINT NOT NULL,
  in_one BIGINT NOT NULL,
  in_two BIGINT NOT NULL,
  came BIGINT NOT NULL,
  ordered_fen BIGINT NOT NULL,
  came_fen BIGINT NOT NULL,
  PRIMARY KEY (supplier_id, due, product_id)
);
CREATE INDEX purchase_record_due ON purchase_record (due, product_id);
CREATE INDEX purchase_order_due ON purchase_order (due);
