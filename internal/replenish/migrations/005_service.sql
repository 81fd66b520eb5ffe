-- How often goods should be enough, in ten-thousandths of the days (7000: on seven days of ten), where people set it instead
-- of what a product's life says. Of one product, of a category and all below it, or (both 0) of everything; at a site, or
-- (0) at all. product_id and category_id are never both set.
CREATE TABLE replenish_service (
  site_id BIGINT NOT NULL,
  category_id BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  level_bp BIGINT NOT NULL,
  reason TEXT NOT NULL,
  staff_id BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (site_id, category_id, product_id),
  CONSTRAINT replenish_service_level CHECK (level_bp BETWEEN 5000 AND 9500),
  CONSTRAINT replenish_service_key CHECK (category_id = 0 OR product_id = 0)
);
