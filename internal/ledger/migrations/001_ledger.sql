-- Kept accounts only: what is scarce. Everything else is a flow account and has no row (see README.md).
-- Available = posted_in - posted_out - pending_out; low is what it may not fall below.
CREATE TABLE ledger_account (
    id          BIGINT PRIMARY KEY,
    book        SMALLINT NOT NULL,
    kind        SMALLINT NOT NULL,
    unit        BIGINT NOT NULL,
    site_id     BIGINT NOT NULL,
    posted_in   BIGINT NOT NULL,
    posted_out  BIGINT NOT NULL,
    pending_in  BIGINT NOT NULL,
    pending_out BIGINT NOT NULL,
    low         BIGINT NOT NULL,
    CONSTRAINT ledger_account_id CHECK (id > 0 AND book > 0 AND unit > 0),
    CONSTRAINT ledger_account_totals CHECK (posted_in >= 0 AND posted_out >= 0 AND pending_in >= 0 AND pending_out >= 0),
    CONSTRAINT ledger_account_floor CHECK (posted_in - posted_out - pending_out >= low)
);

-- Rows are only ever added. from_id and to_id > 0 are kept accounts; below 0 they are kinds of flow, and the
-- flow account is (kind, site_id, business_date, unit) of this row.
CREATE TABLE ledger_transfer (
    doc_kind      SMALLINT NOT NULL,
    doc_id        BIGINT NOT NULL,
    leg           SMALLINT NOT NULL,
    from_id       BIGINT NOT NULL,
    to_id         BIGINT NOT NULL,
    unit          BIGINT NOT NULL,
    amount        BIGINT NOT NULL,
    site_id       BIGINT NOT NULL,
    business_date TEXT NOT NULL,
    booked_at     BIGINT NOT NULL,
    corrects_kind SMALLINT,
    corrects_id   BIGINT,
    corrects_leg  SMALLINT,
    PRIMARY KEY (doc_kind, doc_id, leg),
    CONSTRAINT ledger_transfer_amount CHECK (amount > 0 AND unit > 0 AND leg > 0),
    CONSTRAINT ledger_transfer_ends CHECK (from_id <> to_id AND from_id <> 0 AND to_id <> 0)
);

-- Statements of kept accounts. Partial: a sale's flow ends stay out of them.
CREATE INDEX ledger_transfer_from ON ledger_transfer (from_id, business_date, doc_id) WHERE from_id > 0;
CREATE INDEX ledger_transfer_to ON ledger_transfer (to_id, business_date, doc_id) WHERE to_id > 0;
-- Flow accounts: the rows of a site's day lie together. Wider indexes were measured and cost a sale more than
-- they save a reader.
CREATE INDEX ledger_transfer_day ON ledger_transfer (site_id, business_date);
CREATE INDEX ledger_transfer_corrects ON ledger_transfer (corrects_kind, corrects_id) WHERE corrects_id IS NOT NULL;

-- state: 1 open, 2 captured, 3 void, 4 expired. Its identity is the document that asked for it.
CREATE TABLE ledger_hold (
    doc_kind   SMALLINT NOT NULL,
    doc_id     BIGINT NOT NULL,
    leg        SMALLINT NOT NULL,
    from_id    BIGINT NOT NULL,
    to_id      BIGINT NOT NULL,
    unit       BIGINT NOT NULL,
    amount     BIGINT NOT NULL,
    captured   BIGINT NOT NULL,
    state      SMALLINT NOT NULL,
    site_id    BIGINT NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (doc_kind, doc_id, leg),
    CONSTRAINT ledger_hold_amount CHECK (amount > 0 AND captured >= 0 AND captured <= amount),
    CONSTRAINT ledger_hold_state CHECK (state IN (1, 2, 3, 4) AND (state = 2 OR captured = 0)),
    CONSTRAINT ledger_hold_ends CHECK (from_id > 0 AND from_id <> to_id AND to_id <> 0)
);
CREATE INDEX ledger_hold_expiry ON ledger_hold (expires_at) WHERE state = 1;
