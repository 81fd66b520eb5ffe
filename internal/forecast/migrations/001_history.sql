-- One imported file of sales. applied_no = 0: not in force; otherwise rising, the greatest holds for a day.
CREATE TABLE forecast_load (
	id BIGINT PRIMARY KEY,
	made_at BIGINT NOT NULL,
	applied_no BIGINT NOT NULL
);
INSERT INTO forecast_load (id, made_at, applied_no) VALUES (0, 0, 1);

CREATE TABLE forecast_sale_day (
	site_id BIGINT NOT NULL,
	product_id BIGINT NOT NULL,
	date TEXT NOT NULL,
	load_id BIGINT NOT NULL,
	qty BIGINT NOT NULL CONSTRAINT forecast_sale_day_qty CHECK (qty >= 0),
	amount_fen BIGINT,
	promo SMALLINT NOT NULL,
	sold_out_min BIGINT,
	slots TEXT NOT NULL,
	PRIMARY KEY (site_id, product_id, date, load_id)
);

-- site_id = 0: everywhere. Thousandths of a degree and of a millimetre.
CREATE TABLE forecast_weather (
	site_id BIGINT NOT NULL,
	date TEXT NOT NULL,
	tmax_milli BIGINT NOT NULL,
	tmin_milli BIGINT NOT NULL,
	rain_milli BIGINT,
	text TEXT NOT NULL,
	PRIMARY KEY (site_id, date)
);

CREATE TABLE forecast_holiday (
	date TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	is_off_day SMALLINT NOT NULL
);
