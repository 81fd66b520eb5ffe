-- Who was at work where, from when until when (UTC ms). out_at is empty while he is there; cut: he did not clock out and
-- the business day ended for him. corrected_by 0: as the clock took it.
CREATE TABLE org_attendance (
    id            BIGINT PRIMARY KEY,
    staff_id      BIGINT NOT NULL REFERENCES org_staff (id),
    site_id       BIGINT NOT NULL REFERENCES org_site (id),
    business_date TEXT NOT NULL,
    in_at         BIGINT NOT NULL,
    out_at        BIGINT,
    cut           SMALLINT NOT NULL,
    corrected_by  BIGINT NOT NULL,
    corrected_at  BIGINT,
    reason        TEXT NOT NULL,
    CONSTRAINT org_attendance_cut CHECK (cut IN (0, 1) AND (cut = 0 OR out_at IS NOT NULL)),
    CONSTRAINT org_attendance_times CHECK (out_at IS NULL OR out_at >= in_at)
);
CREATE UNIQUE INDEX org_attendance_present ON org_attendance (staff_id) WHERE out_at IS NULL;
CREATE INDEX org_attendance_site ON org_attendance (site_id, business_date, id);
CREATE INDEX org_attendance_staff ON org_attendance (staff_id, id);
