-- Up to which business date a site's own sales are in the history.
CREATE TABLE learn_mark (
	site_id BIGINT PRIMARY KEY,
	date TEXT NOT NULL
);

-- When a product was gone at a site, in minutes after midnight of the business date; the last time of the day.
CREATE TABLE learn_out (
	site_id BIGINT NOT NULL,
	product_id BIGINT NOT NULL,
	date TEXT NOT NULL,
	minute BIGINT NOT NULL,
	PRIMARY KEY (site_id, product_id, date)
);
CREATE INDEX learn_out_day ON learn_out (site_id, date);
