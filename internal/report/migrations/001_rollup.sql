-- A business day of a site, added up. Everything here can be made again from documents and the ledger. Availability is
-- known until slots half hours of the day (48: all of it); documents with an id below floor_id are counted. final: the day was
-- over; stale: something that was counted has been taken back since. on_sale, out, early, early_out count half hours of
-- products. Amounts are fen, quantities thousandths.
CREATE TABLE report_day (
    site_id         BIGINT NOT NULL,
    business_date   TEXT NOT NULL,
    slots           BIGINT NOT NULL,
    floor_id        BIGINT NOT NULL,
    final           SMALLINT NOT NULL,
    stale           SMALLINT NOT NULL,
    made_at         BIGINT NOT NULL,
    on_sale         BIGINT NOT NULL,
    out_of_stock    BIGINT NOT NULL,
    early           BIGINT NOT NULL,
    early_out       BIGINT NOT NULL,
    sales_fen       BIGINT NOT NULL,
    refunds_fen     BIGINT NOT NULL,
    slips           BIGINT NOT NULL,
    pieces          BIGINT NOT NULL,
    received_fen    BIGINT NOT NULL,
    made_fen        BIGINT NOT NULL,
    wasted_fen      BIGINT NOT NULL,
    making_loss_fen BIGINT NOT NULL,
    count_loss_fen  BIGINT NOT NULL,
    plan_fen        BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date),
    CONSTRAINT report_day_flags CHECK (final IN (0, 1) AND stale IN (0, 1) AND slots >= 0 AND slots <= 48)
);

-- A product on such a day. on_sale, out_of_stock and early have one bit for each half hour after the day's start; listed: it
-- was on sale when the day was added up.
CREATE TABLE report_product (
    site_id         BIGINT NOT NULL,
    business_date   TEXT NOT NULL,
    product_id      BIGINT NOT NULL,
    listed          SMALLINT NOT NULL,
    on_sale         BIGINT NOT NULL,
    out_of_stock    BIGINT NOT NULL,
    early           BIGINT NOT NULL,
    sold            BIGINT NOT NULL,
    sales_fen       BIGINT NOT NULL,
    refunds_fen     BIGINT NOT NULL,
    pieces          BIGINT NOT NULL,
    received        BIGINT NOT NULL,
    received_fen    BIGINT NOT NULL,
    made            BIGINT NOT NULL,
    made_fen        BIGINT NOT NULL,
    wasted          BIGINT NOT NULL,
    wasted_fen      BIGINT NOT NULL,
    making_loss     BIGINT NOT NULL,
    making_loss_fen BIGINT NOT NULL,
    count_loss_fen  BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, product_id)
);

-- A half hour of such a day, counted from its start. plan_fen is what the forecast expects, week_fen what was sold a week before.
CREATE TABLE report_half (
    site_id       BIGINT NOT NULL,
    business_date TEXT NOT NULL,
    slot          BIGINT NOT NULL,
    sales_fen     BIGINT NOT NULL,
    slips         BIGINT NOT NULL,
    plan_fen      BIGINT NOT NULL,
    week_fen      BIGINT NOT NULL,
    PRIMARY KEY (site_id, business_date, slot)
);
