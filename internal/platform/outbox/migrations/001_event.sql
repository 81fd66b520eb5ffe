-- Events of acts, written in the act's own transaction. at is the business instant.
CREATE TABLE outbox_event (
  id BIGINT PRIMARY KEY,
  type TEXT NOT NULL,
  subject BIGINT NOT NULL,
  site BIGINT NOT NULL,
  body TEXT NOT NULL,
  at BIGINT NOT NULL,
  relayed SMALLINT NOT NULL
);
CREATE INDEX outbox_event_new ON outbox_event (id) WHERE relayed = 0;

-- What a subscriber still has to do; a row goes when it has done it. parked = 1 waits for a person.
CREATE TABLE outbox_delivery (
  subscriber TEXT NOT NULL,
  event_id BIGINT NOT NULL REFERENCES outbox_event (id),
  subject BIGINT NOT NULL,
  tries SMALLINT NOT NULL,
  due_at BIGINT NOT NULL,
  parked SMALLINT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (subscriber, event_id)
);
CREATE INDEX outbox_delivery_order ON outbox_delivery (subscriber, subject, event_id);
CREATE INDEX outbox_delivery_event ON outbox_delivery (event_id);
