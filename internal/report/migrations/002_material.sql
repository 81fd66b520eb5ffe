-- A day of a site whose materials are reckoned. settled: no document of the day can come any more; stale: something that was
-- counted has been taken back since. materials and recipes are the numbers of what counted as a material, and of all recipes, then.
CREATE TABLE report_material_day (
    site_id       BIGINT NOT NULL,
    business_date TEXT NOT NULL,
    settled       SMALLINT NOT NULL,
    stale         SMALLINT NOT NULL,
    materials     BIGINT NOT NULL,
    recipes       BIGINT NOT NULL,
    made_at       BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date),
    CONSTRAINT report_material_day_flags CHECK (settled IN (0, 1) AND stale IN (0, 1))
);

-- A material on such a day, quantities in thousandths of its base unit. bought: from suppliers, less what went back to them;
-- arrived: from other sites. own: in what the site sold or sent to others, reckoned down to what came into the site; sold: in what it
-- sold, reckoned down to what was bought, wherever that was. Of both so much has a cost (costed), and that is fen.
CREATE TABLE report_material (
    site_id       BIGINT NOT NULL,
    business_date TEXT NOT NULL,
    product_id    BIGINT NOT NULL,
    bought        BIGINT NOT NULL,
    bought_fen    BIGINT NOT NULL,
    arrived       BIGINT NOT NULL,
    arrived_fen   BIGINT NOT NULL,
    own           BIGINT NOT NULL,
    own_costed    BIGINT NOT NULL,
    own_fen       BIGINT NOT NULL,
    sold          BIGINT NOT NULL,
    sold_costed   BIGINT NOT NULL,
    sold_fen      BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, product_id)
);
CREATE INDEX report_material_product ON report_material (product_id, business_date);
