-- The row that says that everything in this database is invented, and how far the demo is.
CREATE TABLE sim_demo (
	one SMALLINT PRIMARY KEY CONSTRAINT sim_demo_one CHECK (one = 1),
	seed BIGINT NOT NULL,
	stores BIGINT NOT NULL,
	products BIGINT NOT NULL,
	days BIGINT NOT NULL,
	first_day TEXT NOT NULL,
	phase TEXT NOT NULL CONSTRAINT sim_demo_phase CHECK (phase IN ('import', 'catch_up', 'live')),
	at BIGINT NOT NULL,
	worker TEXT NOT NULL,
	beat_at BIGINT NOT NULL
);
