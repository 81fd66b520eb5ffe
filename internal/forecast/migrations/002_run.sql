-- One forecast of one site. applied_no = 0: being written; otherwise rising, the greatest is in force. origin is the
-- last business date whose sales were known, data_until the last with any sale. tally is the pooled error of the last
-- twelve weekly forecasts, in money (JSON).
CREATE TABLE forecast_run (
	id BIGINT PRIMARY KEY,
	site_id BIGINT NOT NULL,
	origin TEXT NOT NULL,
	data_until TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	products BIGINT NOT NULL,
	tally TEXT NOT NULL,
	applied_no BIGINT NOT NULL
);
CREATE INDEX forecast_run_site ON forecast_run (site_id, applied_no);

-- One product in a run. sum is the mean of all days together, days the days themselves, in thousandths of the base unit;
-- profile the shares of the half hours; tally the errors of the last twelve weekly forecasts in sales units (JSON).
CREATE TABLE forecast_product (
	run_id BIGINT NOT NULL REFERENCES forecast_run (id),
	product_id BIGINT NOT NULL,
	unit_id BIGINT NOT NULL,
	sum BIGINT NOT NULL,
	days TEXT NOT NULL,
	profile TEXT NOT NULL,
	tally TEXT NOT NULL,
	PRIMARY KEY (run_id, product_id)
);

-- Forecast and truth per day of a category (0: the whole site), in money, so that goods of different units add up.
CREATE TABLE forecast_track (
	run_id BIGINT NOT NULL REFERENCES forecast_run (id),
	category_id BIGINT NOT NULL,
	days TEXT NOT NULL,
	PRIMARY KEY (run_id, category_id)
);

-- What a person decided instead of the machine, and what the machine had said. The newest of a day holds; one with
-- qty NULL takes the machine's figure again.
CREATE TABLE forecast_override (
	id BIGINT PRIMARY KEY,
	site_id BIGINT NOT NULL,
	product_id BIGINT NOT NULL,
	date TEXT NOT NULL,
	qty BIGINT,
	machine BIGINT NOT NULL,
	reason TEXT NOT NULL,
	staff_id BIGINT NOT NULL,
	made_at BIGINT NOT NULL,
	CONSTRAINT forecast_override_qty CHECK (qty IS NULL OR qty >= 0)
);
CREATE INDEX forecast_override_day ON forecast_override (site_id, product_id, date, id);

-- The last day of a site, the days it was open, one day's sales.
CREATE INDEX forecast_sale_day_date ON forecast_sale_day (site_id, date);
