-- What is known of a site's past, packed, so that a night reads two weeks and not two years: the days until … and earlier of
-- all its products. till is how often our tills have spoken of those days, the loads in force are in the body: whoever
-- speaks of them again makes the pack worthless. sum is of the body (SHA-256).
CREATE TABLE forecast_past (
	site_id BIGINT PRIMARY KEY,
	first TEXT NOT NULL,
	until TEXT NOT NULL,
	till BIGINT NOT NULL,
	sum TEXT NOT NULL,
	body BYTEA NOT NULL
);

-- The oldest day of a site that a load speaks of.
CREATE TABLE forecast_load_site (
	site_id BIGINT NOT NULL,
	load_id BIGINT NOT NULL,
	oldest TEXT NOT NULL,
	PRIMARY KEY (site_id, load_id)
);
INSERT INTO forecast_load_site (site_id, load_id, oldest)
	SELECT site_id, load_id, MIN(date) FROM forecast_sale_day WHERE load_id <> 0 GROUP BY site_id, load_id;

-- How often our tills have spoken of a day.
CREATE TABLE forecast_till_day (
	site_id BIGINT NOT NULL,
	date TEXT NOT NULL,
	times BIGINT NOT NULL,
	PRIMARY KEY (site_id, date)
);
