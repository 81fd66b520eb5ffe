-- What a site has promised to others and not shipped yet.
CREATE INDEX stock_transfer_going ON stock_transfer (from_site, state);
