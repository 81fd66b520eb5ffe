-- How far the days of a site are closed: nothing is booked on or before through; balances and sums are stored up
-- to stored, which makes them valid; sealed is the last day of the hash chain; months the last closed month.
CREATE TABLE ledger_close (
    site_id BIGINT PRIMARY KEY,
    since   TEXT NOT NULL,
    through TEXT NOT NULL,
    stored  TEXT NOT NULL,
    sealed  TEXT NOT NULL,
    months  TEXT NOT NULL,
    CONSTRAINT ledger_close_order CHECK (sealed <= stored AND stored <= through)
);

-- A closed day ('2026-10-31', span 1) or month ('2026-10', span 2). state: 1 closing, 2 closed. seal is the SHA-256 of
-- the seal of the day before and of the day's transfers.
CREATE TABLE ledger_period (
    site_id   BIGINT NOT NULL,
    span      SMALLINT NOT NULL,
    period    TEXT NOT NULL,
    state     SMALLINT NOT NULL,
    asked_by  BIGINT NOT NULL,
    asked_at  BIGINT NOT NULL,
    closed_at BIGINT,
    transfers BIGINT NOT NULL,
    seal      TEXT NOT NULL,
    sealed_at BIGINT,
    PRIMARY KEY (site_id, span, period),
    CONSTRAINT ledger_period_span CHECK (span IN (1, 2) AND state IN (1, 2))
);

-- Totals of a kept account at the end of a closed day on which it moved.
CREATE TABLE ledger_balance (
    account_id    BIGINT NOT NULL,
    business_date TEXT NOT NULL,
    total_in      BIGINT NOT NULL,
    total_out     BIGINT NOT NULL,
    PRIMARY KEY (account_id, business_date)
);

-- What went between two sides of a site's ledger in a closed period: kinds of flow, or 0 for kept accounts.
CREATE TABLE ledger_flow_sum (
    site_id   BIGINT NOT NULL,
    span      SMALLINT NOT NULL,
    unit      BIGINT NOT NULL,
    period    TEXT NOT NULL,
    from_side BIGINT NOT NULL,
    to_side   BIGINT NOT NULL,
    amount    BIGINT NOT NULL,
    transfers BIGINT NOT NULL,
    PRIMARY KEY (site_id, span, unit, period, from_side, to_side)
);

-- Transfers that move an account of another site than the document's: the close of that site's day finds them here.
CREATE TABLE ledger_foreign (
    account_site  BIGINT NOT NULL,
    business_date TEXT NOT NULL,
    account_id    BIGINT NOT NULL,
    doc_kind      SMALLINT NOT NULL,
    doc_id        BIGINT NOT NULL,
    leg           SMALLINT NOT NULL,
    PRIMARY KEY (account_site, business_date, account_id, doc_kind, doc_id, leg)
);
INSERT INTO ledger_foreign (account_site, business_date, account_id, doc_kind, doc_id, leg)
SELECT a.site_id, t.business_date, a.id, t.doc_kind, t.doc_id, t.leg FROM ledger_transfer t JOIN ledger_account a ON a.id = t.from_id AND a.site_id <> t.site_id
UNION ALL
SELECT a.site_id, t.business_date, a.id, t.doc_kind, t.doc_id, t.leg FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_id AND a.site_id <> t.site_id;

-- Kinds of documents that are not posted because a proof is red. state: 1 stopped, 2 released, 3 over.
CREATE TABLE ledger_stop (
    id           BIGINT PRIMARY KEY,
    doc_kind     SMALLINT NOT NULL,
    proof        TEXT NOT NULL,
    bad          BIGINT NOT NULL,
    found_at     BIGINT NOT NULL,
    state        SMALLINT NOT NULL,
    released_at BIGINT,
    released_by  BIGINT,
    reason       TEXT NOT NULL,
    until_at     BIGINT,
    over_at      BIGINT,
    CONSTRAINT ledger_stop_state CHECK (state IN (1, 2, 3))
);
CREATE UNIQUE INDEX ledger_stop_open ON ledger_stop (proof, doc_kind) WHERE state < 3;

-- A floor below zero, with who allowed it, why and until when. state: 1 in force, 2 ending (the account is still
-- below its floor and may only rise), 3 ended.
CREATE TABLE ledger_allowance (
    id          BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL,
    low         BIGINT NOT NULL,
    base_low    BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    allowed_by  BIGINT NOT NULL,
    allowed_at  BIGINT NOT NULL,
    until_at    BIGINT NOT NULL,
    state       SMALLINT NOT NULL,
    ended_by    BIGINT,
    ended_at    BIGINT,
    CONSTRAINT ledger_allowance_state CHECK (state IN (1, 2, 3)),
    CONSTRAINT ledger_allowance_reason CHECK (reason <> '')
);
CREATE UNIQUE INDEX ledger_allowance_open ON ledger_allowance (account_id) WHERE state < 3;
CREATE INDEX ledger_allowance_due ON ledger_allowance (until_at) WHERE state < 3;
INSERT INTO ledger_allowance (id, account_id, low, base_low, reason, allowed_by, allowed_at, until_at, state)
SELECT id, id, low, low, 'rule', 0, 0, 253402300799000, 1 FROM ledger_account WHERE low < 0;

-- The accounts of a site, book by book.
CREATE INDEX ledger_account_site ON ledger_account (site_id, book, id);
