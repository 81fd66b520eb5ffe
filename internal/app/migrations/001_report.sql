-- What the proofs found, each time they ran.
CREATE TABLE app_report (
    id     BIGINT PRIMARY KEY,
    at     BIGINT NOT NULL,
    ok     SMALLINT NOT NULL,
    report TEXT NOT NULL,
    CONSTRAINT app_report_ok CHECK (ok IN (0, 1))
);
