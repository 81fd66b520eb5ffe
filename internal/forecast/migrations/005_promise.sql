-- What a night said of the week after it, before the first of its days was sold: gob of []promise. The first word of a
-- night stands; kept for three weeks, until its days are judged for good.
CREATE TABLE forecast_promise (
	site_id BIGINT NOT NULL,
	origin TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	body BYTEA NOT NULL,
	PRIMARY KEY (site_id, origin)
);

-- A day of a site beside what was promised of it: products is a gob of []keptProduct, sums the JSON of []keptSum in money by
-- category (0: the whole site). Kept for 8 weeks.
CREATE TABLE forecast_kept (
	site_id BIGINT NOT NULL,
	date TEXT NOT NULL,
	products BYTEA NOT NULL,
	sums TEXT NOT NULL,
	PRIMARY KEY (site_id, date)
);
