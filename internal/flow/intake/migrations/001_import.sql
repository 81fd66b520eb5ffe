-- One file and what became of it. mode, mapping and the flags are those of its last run. upload_key is the caller's key
-- of the upload, NULL from the command line. run_no rises with every worker that takes the import: only the last one's
-- steps count. beat_at is when that worker last showed itself (wall clock). tidied 1: the uploaded file is gone, 2: the list
-- of refused rows as well.
CREATE TABLE intake_import (
	id BIGINT PRIMARY KEY,
	kind TEXT NOT NULL,
	file_name TEXT NOT NULL,
	state TEXT NOT NULL,
	staff_id BIGINT NOT NULL,
	upload_key TEXT,
	sha256 TEXT NOT NULL,
	bytes BIGINT NOT NULL,
	chunks BIGINT NOT NULL,
	encoding TEXT NOT NULL,
	head TEXT NOT NULL,
	rows_total BIGINT NOT NULL,
	mapping TEXT NOT NULL,
	mode TEXT NOT NULL,
	create_missing SMALLINT NOT NULL,
	dry_run SMALLINT NOT NULL,
	job_id BIGINT NOT NULL,
	run_no BIGINT NOT NULL,
	worker TEXT NOT NULL,
	beat_at BIGINT NOT NULL,
	cancel_asked SMALLINT NOT NULL,
	done BIGINT NOT NULL,
	total BIGINT NOT NULL,
	rows_read BIGINT NOT NULL,
	rows_new BIGINT NOT NULL,
	rows_same BIGINT NOT NULL,
	rows_refused BIGINT NOT NULL,
	error TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	started_at BIGINT,
	phase_at BIGINT,
	ended_at BIGINT,
	tidied SMALLINT NOT NULL,
	CONSTRAINT intake_import_state CHECK (state IN ('uploading', 'ready', 'reading', 'checking', 'applying', 'applied', 'checked', 'refused', 'failed', 'cancelled'))
);
CREATE UNIQUE INDEX intake_import_upload ON intake_import (staff_id, upload_key) WHERE upload_key IS NOT NULL;
CREATE INDEX intake_import_staff ON intake_import (staff_id, id);
CREATE INDEX intake_import_open ON intake_import (id) WHERE state IN ('uploading', 'reading', 'checking', 'applying');
CREATE INDEX intake_import_untidy ON intake_import (id) WHERE tidied < 2;
-- Two imports of a kind compare with what holds and replace it one after the other.
CREATE UNIQUE INDEX intake_import_applying ON intake_import (kind) WHERE state = 'applying';

-- The uploaded file as it came.
CREATE TABLE intake_chunk (
	import_id BIGINT NOT NULL,
	no BIGINT NOT NULL,
	data BYTEA NOT NULL,
	PRIMARY KEY (import_id, no)
);

-- Rows of all kinds but sales, between reading and applying: body is the row as JSON, subject what must be applied at
-- once (all units of a product), part the rest of the key.
CREATE TABLE intake_stage (
	import_id BIGINT NOT NULL,
	subject TEXT NOT NULL,
	part TEXT NOT NULL,
	line BIGINT NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (import_id, subject, part)
);

-- Rows of sales. part is a sales unit of the product where the file gives days, and the half hour where it gives times;
-- lines is how many rows of the file were added up. day is the number of the business date, counted from 1970-01-01.
CREATE TABLE intake_sale_stage (
	import_id BIGINT NOT NULL,
	site_id BIGINT NOT NULL,
	product_id BIGINT NOT NULL,
	day BIGINT NOT NULL,
	part BIGINT NOT NULL,
	line BIGINT NOT NULL,
	lines BIGINT NOT NULL,
	qty BIGINT NOT NULL,
	amount_fen BIGINT,
	promo SMALLINT NOT NULL,
	sold_out_min BIGINT,
	PRIMARY KEY (import_id, site_id, product_id, day, part)
);

-- Stores and products that sales name and nobody has entered: made when the sales come into force, under ids that the
-- staged rows carry already.
CREATE TABLE intake_missing_stage (
	import_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	code TEXT NOT NULL,
	name TEXT NOT NULL,
	base_unit TEXT NOT NULL,
	unit TEXT NOT NULL,
	num BIGINT NOT NULL,
	PRIMARY KEY (import_id, id)
);

-- One refused row: the first thing wrong with it by field and code, all of it in words, and its cells for correction.
CREATE TABLE intake_refusal (
	import_id BIGINT NOT NULL,
	line BIGINT NOT NULL,
	field TEXT NOT NULL,
	code TEXT NOT NULL,
	zh TEXT NOT NULL,
	en TEXT NOT NULL,
	cells TEXT NOT NULL,
	PRIMARY KEY (import_id, line)
);
