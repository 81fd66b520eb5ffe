-- Work that takes longer than a request. run_at is business time, the other instants are wall time.
CREATE TABLE jobs_job (
  id BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  job_key TEXT,
  only_one TEXT,
  args TEXT NOT NULL,
  state TEXT NOT NULL,
  run_at BIGINT NOT NULL,
  retry_at BIGINT NOT NULL,
  tries SMALLINT NOT NULL,
  worker TEXT NOT NULL,
  lease_until BIGINT NOT NULL,
  cancel_asked SMALLINT NOT NULL,
  done BIGINT NOT NULL,
  total BIGINT NOT NULL,
  note TEXT NOT NULL,
  step TEXT NOT NULL,
  error TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  CONSTRAINT jobs_job_state CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled'))
);
CREATE UNIQUE INDEX jobs_job_key ON jobs_job (kind, job_key) WHERE job_key IS NOT NULL;
CREATE UNIQUE INDEX jobs_job_only_one ON jobs_job (kind, only_one) WHERE only_one IS NOT NULL AND (state = 'waiting' OR state = 'running');
CREATE INDEX jobs_job_due ON jobs_job (run_at) WHERE state = 'waiting';
CREATE INDEX jobs_job_leased ON jobs_job (lease_until) WHERE state = 'running';

-- What a schedule has done: the last slot or business date it enqueued.
CREATE TABLE jobs_schedule (
  name TEXT NOT NULL PRIMARY KEY,
  last TEXT NOT NULL
);
