-- What a channel may have of a product at a site: at least floor is kept for it, at most cap may be promised to it on a
-- business day (-1: no limit). The row is the lock of all that channels take of the product.
CREATE TABLE stock_channel (
    site_id    BIGINT NOT NULL REFERENCES org_site (id),
    sku_id     BIGINT NOT NULL REFERENCES catalog_sku (id),
    channel    TEXT NOT NULL,
    floor      BIGINT NOT NULL,
    cap        BIGINT NOT NULL,
    staff_id   BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, sku_id, channel),
    CONSTRAINT stock_channel_bounds CHECK (floor >= 0 AND cap >= -1)
);

-- What a channel has been promised, and has taken, on a business day.
CREATE TABLE stock_channel_day (
    site_id       BIGINT NOT NULL,
    sku_id        BIGINT NOT NULL,
    channel       TEXT NOT NULL,
    business_date TEXT NOT NULL,
    taken         BIGINT NOT NULL,
    PRIMARY KEY (site_id, sku_id, channel, business_date),
    CONSTRAINT stock_channel_day_taken CHECK (taken >= 0)
);

-- Goods promised to an order of a channel: open -> captured, released or expired. What is promised is held in the ledger
-- under this id.
CREATE TABLE stock_promise (
    id            BIGINT PRIMARY KEY,
    site_id       BIGINT NOT NULL REFERENCES org_site (id),
    channel       TEXT NOT NULL,
    business_date TEXT NOT NULL,
    ref           TEXT NOT NULL,
    state         TEXT NOT NULL,
    staff_id      BIGINT NOT NULL,
    made_at       BIGINT NOT NULL,
    until_at      BIGINT NOT NULL,
    CONSTRAINT stock_promise_state CHECK (state IN ('open', 'captured', 'released', 'expired'))
);
CREATE INDEX stock_promise_site ON stock_promise (site_id, id);
CREATE INDEX stock_promise_due ON stock_promise (until_at) WHERE state = 'open';

CREATE TABLE stock_promise_line (
    promise_id BIGINT NOT NULL REFERENCES stock_promise (id),
    sku_id     BIGINT NOT NULL REFERENCES catalog_sku (id),
    qty        BIGINT NOT NULL,
    taken      BIGINT NOT NULL,
    PRIMARY KEY (promise_id, sku_id),
    CONSTRAINT stock_promise_line_qty CHECK (qty > 0 AND taken >= 0 AND taken <= qty)
);
