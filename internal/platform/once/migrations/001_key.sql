-- Answers by the caller's key. Rows are appended in the order of their ids, which rise with time, so that only
-- the small index is written at random places; key_hash stands for principal, route and key.
CREATE TABLE once_key (
  id BIGINT PRIMARY KEY,
  key_hash BYTEA NOT NULL,
  body_hash BYTEA NOT NULL,
  answer BYTEA NOT NULL,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX once_key_hash ON once_key (key_hash);
