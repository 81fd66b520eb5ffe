-- The group is one row. Its version is bumped by every change below, under the row's lock: so changes of the
-- organisation happen one after another, and every node sees within a second that its caches are old.
CREATE TABLE org_group (
    id         BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE org_entity (
    id         BIGINT PRIMARY KEY,
    code       TEXT NOT NULL,
    name       TEXT NOT NULL,
    tax_no     TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX org_entity_code ON org_entity (code);

CREATE TABLE org_site (
    id         BIGINT PRIMARY KEY,
    code       TEXT NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    business   TEXT NOT NULL,
    address    TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    day_start  SMALLINT NOT NULL,
    open_at    SMALLINT NOT NULL,
    close_at   SMALLINT NOT NULL,
    entity_id  BIGINT NOT NULL REFERENCES org_entity (id),
    created_at BIGINT NOT NULL,
    CONSTRAINT org_site_kind CHECK (kind IN ('store', 'warehouse', 'kitchen', 'mall', 'office')),
    CONSTRAINT org_site_hours CHECK (day_start >= 0 AND day_start < 1440 AND open_at >= 0 AND open_at <= 1440 AND close_at >= 0 AND close_at <= 1440)
);
CREATE UNIQUE INDEX org_site_code ON org_site (code);
CREATE INDEX org_site_entity ON org_site (entity_id);

-- built_in is the name of a role that comes with the program, '' for the others.
CREATE TABLE org_role (
    id         BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    note       TEXT NOT NULL,
    built_in   TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX org_role_name ON org_role (name);
CREATE UNIQUE INDEX org_role_built_in ON org_role (built_in) WHERE built_in <> '';

CREATE TABLE org_role_perm (
    role_id BIGINT NOT NULL REFERENCES org_role (id),
    perm    TEXT NOT NULL,
    PRIMARY KEY (role_id, perm)
);

-- site_id is where the person belongs; NULL is head office.
CREATE TABLE org_staff (
    id           BIGINT PRIMARY KEY,
    name         TEXT NOT NULL,
    display_name TEXT NOT NULL,
    lang         TEXT NOT NULL,
    site_id      BIGINT REFERENCES org_site (id),
    password     TEXT NOT NULL,
    disabled     SMALLINT NOT NULL,
    created_at   BIGINT NOT NULL,
    CONSTRAINT org_staff_lang CHECK (lang IN ('', 'zh', 'en')),
    CONSTRAINT org_staff_disabled CHECK (disabled IN (0, 1))
);
CREATE UNIQUE INDEX org_staff_name ON org_staff (name);

CREATE TABLE org_grant (
    staff_id   BIGINT NOT NULL REFERENCES org_staff (id),
    role_id    BIGINT NOT NULL REFERENCES org_role (id),
    scope_kind TEXT NOT NULL,
    scope_id   BIGINT NOT NULL,
    PRIMARY KEY (staff_id, role_id, scope_kind, scope_id),
    CONSTRAINT org_grant_scope CHECK (scope_kind IN ('group', 'entity', 'site'))
);
CREATE INDEX org_grant_role ON org_grant (role_id);
CREATE INDEX org_grant_scope_id ON org_grant (scope_id);

-- What the grants come to, kept whenever grants, roles or sites change, so that a list can be filtered by a
-- join. site_id 0 stands for the whole group. A disabled person has no rows.
CREATE TABLE org_reach (
    staff_id BIGINT NOT NULL,
    perm     TEXT NOT NULL,
    site_id  BIGINT NOT NULL,
    PRIMARY KEY (staff_id, perm, site_id)
);
CREATE INDEX org_reach_site ON org_reach (site_id);

-- Only the hash of the cookie is stored.
CREATE TABLE org_session (
    token_hash TEXT PRIMARY KEY,
    staff_id   BIGINT NOT NULL REFERENCES org_staff (id),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL
);
CREATE INDEX org_session_staff ON org_session (staff_id);
CREATE INDEX org_session_ends ON org_session (ends_at);

-- Tries to sign in under a name, also one that nobody has: the answer must not tell which.
CREATE TABLE org_try (
    name_hash TEXT PRIMARY KEY,
    tries     SMALLINT NOT NULL,
    last_at   BIGINT NOT NULL,
    next_at   BIGINT NOT NULL
);
CREATE INDEX org_try_last ON org_try (last_at);

-- Who did what when. Rows are only ever added. site_id 0: it concerned more than one site.
CREATE TABLE org_audit (
    id           BIGINT PRIMARY KEY,
    at           BIGINT NOT NULL,
    staff_id     BIGINT NOT NULL,
    act          TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   BIGINT NOT NULL,
    site_id      BIGINT NOT NULL,
    before_json  TEXT NOT NULL,
    after_json   TEXT NOT NULL
);
CREATE INDEX org_audit_site ON org_audit (site_id, id);
CREATE INDEX org_audit_subject ON org_audit (subject_kind, subject_id, id);
