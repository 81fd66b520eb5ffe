-- What goods of a site were asked for around a festival in one year: body is the JSON of []festiveCurve in fen at the prices of
-- the days before, by category, 0 all of them. site_id = 0: of all sites together, to be added up again while stale > 0.
CREATE TABLE forecast_festival (
	site_id BIGINT NOT NULL,
	festival TEXT NOT NULL,
	year BIGINT NOT NULL,
	stale BIGINT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (site_id, festival, year)
);
CREATE INDEX forecast_festival_year ON forecast_festival (festival, year, site_id);
