-- Which batches serve first, of what: of a product, of a category and those below it, or of everything (both 0); at a
-- site or at all (0); for a channel or for all (''). rule: 1 earliest expiry, 2 first in, 3 fewest batches. What has less
-- than min_life_min minutes left does not serve. A row is never changed but for its end: the newest without one is in
-- force, the others are what was in force before.
CREATE TABLE stock_pick_policy (
    id           BIGINT PRIMARY KEY,
    product_id   BIGINT NOT NULL,
    category_id  BIGINT NOT NULL,
    site_id      BIGINT NOT NULL,
    channel      TEXT NOT NULL,
    rule         SMALLINT NOT NULL,
    min_life_min BIGINT NOT NULL,
    staff_id     BIGINT NOT NULL,
    made_at      BIGINT NOT NULL,
    ended_by     BIGINT,
    ended_at     BIGINT,
    CONSTRAINT stock_pick_policy_of CHECK (product_id >= 0 AND category_id >= 0 AND site_id >= 0 AND (product_id = 0 OR category_id = 0)),
    CONSTRAINT stock_pick_policy_rule CHECK (rule IN (1, 2, 3) AND min_life_min BETWEEN 0 AND 5256000)
);
CREATE UNIQUE INDEX stock_pick_policy_one ON stock_pick_policy (product_id, category_id, site_id, channel) WHERE ended_at IS NULL;
