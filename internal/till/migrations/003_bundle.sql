-- What was sold as one and stands on the slip as its parts: the lines from first_line on. Only sales with bundles have rows.
CREATE TABLE till_bundle (
  sale_id BIGINT NOT NULL REFERENCES till_sale (id),
  bundle_no BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  qty BIGINT NOT NULL,
  price_fen BIGINT NOT NULL,
  amount_fen BIGINT NOT NULL,
  first_line BIGINT NOT NULL,
  line_count BIGINT NOT NULL,
  PRIMARY KEY (sale_id, bundle_no),
  CONSTRAINT till_bundle_lines CHECK (first_line > 0 AND line_count > 0)
);
