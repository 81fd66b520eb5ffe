package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/web"
)

const perm = "import.run"

// rightsOf are the further rights over the whole group that a kind of file asks for: what a person may not do on a
// screen he may not do with a file either.
func rightsOf(k Kind, run Run) []string {
	switch {
	case k == Stores:
		return []string{perm, "org.manage"}
	case k == Products, k == Styles:
		return []string{perm, "goods.manage", "price.manage"}
	case k == Recipes:
		return []string{perm, "goods.manage"}
	case k == Suppliers:
		return []string{perm, "party.manage"}
	case k == Holidays:
		return []string{perm}
	case k == Sales && run.CreateMissing:
		return []string{perm, "goods.manage", "org.manage"}
	}
	return nil
}

// siteRightsOf are the rights at a site that its rows need.
func siteRightsOf(k Kind) []string {
	if k == Stock {
		return []string{perm, "stock.manage"}
	}
	return []string{perm}
}

// allowed tells whether the caller may import such a file at all.
func allowed(ctx context.Context, k Kind, run Run) error {
	for _, right := range rightsOf(k, run) {
		if !org.SitesOf(ctx, right).All {
			return web.ErrForbidden
		}
	}
	for _, right := range siteRightsOf(k) {
		if org.SitesOf(ctx, right).None() {
			return web.ErrForbidden
		}
	}
	return nil
}

// reachOf is what the person who asked for an import may do as the import runs: nil is everywhere.
func reachOf(tx *db.Tx, staff id.ID, k Kind, run Run) (func(id.ID) bool, error) {
	if staff == 0 {
		return nil, nil
	}
	reach := map[string]map[id.ID]bool{}
	rows := tx.Query(`SELECT perm, site_id FROM org_reach WHERE staff_id = $1 AND perm IN ('import.run', 'goods.manage', 'price.manage', 'org.manage', 'stock.manage', 'party.manage')`, staff)
	defer rows.Close()
	for rows.Next() {
		var p string
		var site id.ID
		if err := rows.Scan(&p, &site); err != nil {
			return nil, err
		}
		if reach[p] == nil {
			reach[p] = map[id.ID]bool{}
		}
		reach[p][site] = true
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	const everywhere = id.ID(0)
	for _, right := range rightsOf(k, run) {
		if !reach[right][everywhere] {
			return nil, web.ErrForbidden
		}
	}
	all := true
	for _, right := range siteRightsOf(k) {
		if len(reach[right]) == 0 {
			return nil, web.ErrForbidden
		}
		all = all && reach[right][everywhere]
	}
	if all {
		return nil, nil
	}
	return func(site id.ID) bool {
		for _, right := range siteRightsOf(k) {
			if !reach[right][everywhere] && !reach[right][site] {
				return false
			}
		}
		return true
	}, nil
}

// View is an import on the wire.
type View struct {
	ID            id.ID             `json:"id"`
	Kind          Kind              `json:"kind" enum:"stores,products,styles,recipes,suppliers,stock,sales,weather,holidays"`
	FileName      string            `json:"file_name"`
	State         State             `json:"state" enum:"uploading,ready,reading,checking,applying,applied,checked,refused,failed,cancelled"`
	Encoding      csvx.Encoding     `json:"encoding"`
	Bytes         int64             `json:"bytes"`
	Columns       []string          `json:"columns" doc:"as the file names them"`
	Sample        [][]string        `json:"sample" doc:"its first rows"`
	Mapping       map[string]string `json:"mapping" doc:"ours to theirs, theirs to - for a column that is dropped; a suggestion until the first run"`
	Mode          Mode              `json:"mode" enum:"all,good"`
	CreateMissing bool              `json:"create_missing"`
	DryRun        bool              `json:"dry_run"`
	JobID         id.ID             `json:"job_id" doc:"empty before the first run"`
	Done          int64             `json:"done" doc:"of total rows in the present state"`
	Total         int64             `json:"total"`
	SecondsLeft   *int64            `json:"seconds_left,omitempty" doc:"of the present state, as it has gone so far"`
	RowsTotal     int64             `json:"rows_total" doc:"rows of the file"`
	RowsRead      int64             `json:"rows_read"`
	RowsNew       int64             `json:"rows_new" doc:"rows that changed something; in a dry run: would"`
	RowsSame      int64             `json:"rows_same" doc:"rows that say what holds already"`
	RowsRefused   int64             `json:"rows_refused"`
	RefusedSample []RefusedRow      `json:"refused_sample"`
	Error         *ProblemView      `json:"error,omitempty" doc:"why the file as a whole was refused"`
	StaffID       id.ID             `json:"staff_id" doc:"empty: the command line"`
	CreatedAt     time.Time         `json:"created_at"`
	StartedAt     *time.Time        `json:"started_at,omitempty"`
	EndedAt       *time.Time        `json:"ended_at,omitempty"`
}

// ProblemView is the refusal of a file in the caller's language.
type ProblemView struct {
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Line   int    `json:"line,omitempty"`
	Detail string `json:"detail"`
}

func viewOf(ctx context.Context, tx *db.Tx, im *Import) (*View, error) {
	lang := web.LanguageOf(ctx)
	v := &View{ID: im.ID, Kind: im.Kind, FileName: im.FileName, State: im.State, Encoding: im.Encoding, Bytes: im.Bytes, Columns: im.Head.Columns,
		Sample: im.Head.Sample, Mapping: im.Run.Mapping, Mode: im.Run.Mode, CreateMissing: im.Run.CreateMissing, DryRun: im.Run.DryRun, JobID: im.JobID,
		Done: im.Done, Total: im.Total, RowsTotal: im.RowsTotal, RowsRead: im.Counts.Read, RowsNew: im.Counts.New, RowsSame: im.Counts.Same,
		RowsRefused: im.Counts.Refused, StaffID: im.StaffID, CreatedAt: im.CreatedAt, StartedAt: im.StartedAt, EndedAt: im.EndedAt}
	if v.Columns == nil {
		v.Columns = []string{}
	}
	if v.Sample == nil {
		v.Sample = [][]string{}
	}
	if im.Problem != nil {
		v.Error = &ProblemView{im.Problem.Code, im.Problem.Field, im.Problem.Line, im.Problem.Text(lang)}
	}
	if im.PhaseAt != nil && im.EndedAt == nil && im.Done > 0 && im.Total >= im.Done {
		left := int64(clock.Wall.Now().Sub(*im.PhaseAt)/time.Second) * (im.Total - im.Done) / im.Done
		v.SecondsLeft = &left
	}
	var err error
	v.RefusedSample, err = refusedRows(tx, im.ID, 0, sampleRows, lang)
	return v, err
}

// mine reads an import that the caller may see: his own, or any for one who imports for the whole group.
func mine(ctx context.Context, tx *db.Tx, importID id.ID) (*Import, error) {
	im, err := ByID(tx, importID)
	if err != nil {
		return nil, err
	}
	if im.StaffID != org.CallerOf(ctx).ID && !org.SitesOf(ctx, perm).All {
		return nil, ErrNoImport
	}
	return im, nil
}

type oneIn struct {
	ID id.ID `path:"id"`
}

// RunIn says how an upload is to be imported.
type RunIn struct {
	Mode          Mode              `json:"mode" enum:"all,good"`
	Mapping       map[string]string `json:"mapping,omitempty" doc:"left out: as suggested, or as in the last run"`
	CreateMissing bool              `json:"create_missing,omitempty" doc:"sales: make the stores and products that are missing"`
	DryRun        bool              `json:"dry_run,omitempty" doc:"tell what would happen and change nothing"`
}

// KindView is what the mapping step needs to know of a kind of file.
type KindView struct {
	Kind    Kind         `json:"kind" enum:"stores,products,styles,recipes,suppliers,stock,sales,weather,holidays"`
	Columns []ColumnView `json:"columns"`
}

// ColumnView is a column a file may have.
type ColumnView struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Need  string `json:"need" enum:"must,unless_dropped,may" doc:"unless_dropped: needed unless the mapping says name=-"`
}

type listIn struct {
	web.Paging
	Kind  string `query:"kind" enum:"stores,products,styles,recipes,suppliers,stock,sales,weather,holidays"`
	State string `query:"state" maxLength:"20"`
}

// Routes registers the routes of imports.
func (s *Service) Routes(api *web.API) {
	web.Upload(api, web.Route{Path: "/api/imports", Name: "upload-import", Summary: "Upload a CSV file (the body, at most 256 MiB, may be gzip), or an Excel workbook of styles, recipes or suppliers",
		Perm: perm, Scope: web.Sites, MaxBody: maxUpload},
		func(ctx context.Context, _ *db.DB, in *uploadIn, body io.Reader) (*View, error) {
			return s.upload(ctx, in, body)
		})
	web.Get(api, web.Route{Path: "/api/imports", Name: "list-imports", Summary: "Imports, newest first", Perm: perm, Scope: web.Sites}, s.list)
	web.Get(api, web.Route{Path: "/api/imports/kinds", Name: "list-import-kinds", Summary: "Kinds of files and their columns", Perm: perm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*web.Page[KindView], error) {
			page := &web.Page[KindView]{Items: []KindView{}}
			for _, k := range Kinds {
				if allowed(ctx, k, Run{}) == nil {
					page.Items = append(page.Items, kindView(k, web.LanguageOf(ctx)))
				}
			}
			return page, nil
		})
	web.Get(api, web.Route{Path: "/api/imports/{id}", Name: "get-import", Summary: "An import, how far it is and what was refused", Perm: perm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *oneIn) (*View, error) {
			im, err := mine(ctx, tx, in.ID)
			if err != nil {
				return nil, err
			}
			return viewOf(ctx, tx, im)
		})
	web.Post(api, web.Route{Path: "/api/imports/{id}/run", Name: "run-import", Summary: "Import an uploaded file, or try it", Perm: perm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body RunIn
		}) (*View, error) {
			return s.run(ctx, tx, in.ID, in.Body)
		})
	web.Post(api, web.Route{Path: "/api/imports/{id}/cancel", Name: "cancel-import", Summary: "Stop an import before it comes into force", Perm: perm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *oneIn) (*View, error) { return s.cancel(ctx, tx, in.ID) })
	web.Raw(api, http.MethodGet, web.Route{Path: "/api/imports/{id}/refused.csv", Name: "download-refused-rows", Summary: "The refused rows with their reasons, to be corrected and imported",
		Perm: perm, Scope: web.Sites, Media: "text/csv"},
		func(ctx context.Context, d *db.DB, in *oneIn, w http.ResponseWriter, q *http.Request) error {
			var im *Import
			err := d.Read(ctx, func(tx *db.Tx) (err error) {
				im, err = mine(ctx, tx, in.ID)
				return err
			})
			if err != nil {
				return err
			}
			name := strings.TrimSuffix(im.FileName, ".gz")
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + ".refused.csv"}))
			w.Header().Set("Cache-Control", "no-store")
			if _, err := io.WriteString(w, "\ufeff"); err != nil { // or spreadsheets take Chinese for another encoding
				return err
			}
			return s.WriteRefused(ctx, im, web.LanguageOf(ctx), w)
		})
}

func kindView(k Kind, lang string) KindView {
	v := KindView{Kind: k}
	for _, c := range columnsOf[k] {
		column := ColumnView{Name: c.Name, Label: c.en, Need: "may"}
		if lang == "zh" {
			column.Label = c.zh
		}
		if c.Must {
			column.Need = "must"
		}
		if c.Soft {
			column.Need = "unless_dropped"
		}
		v.Columns = append(v.Columns, column)
	}
	return v
}

const listImports = `SELECT ` + importColumns + ` FROM intake_import i
	WHERE (CAST($1 AS BIGINT) = 1 OR i.staff_id = $2) AND i.id < $3 AND (CAST($4 AS TEXT) = '' OR i.kind = $4) AND (CAST($5 AS TEXT) = '' OR i.state = $5)
	ORDER BY i.id DESC LIMIT $6`

func (s *Service) list(ctx context.Context, tx *db.Tx, in *listIn) (*web.Page[View], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	found, err := scanImports(tx.Query(listImports, org.SitesOf(ctx, perm).All, org.CallerOf(ctx).ID, before, in.Kind, in.State, in.Limit+1))
	if err != nil {
		return nil, err
	}
	views := make([]View, len(found))
	for i, im := range found {
		im.Head = Head{} // a list shows neither columns nor samples
		v, err := viewOf(ctx, tx, im)
		if err != nil {
			return nil, err
		}
		views[i] = *v
	}
	return web.PageOf(in.Paging, views, func(v View) string { return web.Cursor(v.ID) }), nil
}

// JobKind is the job that runs an import.
const JobKind = "intake.run"

// JobArgs are its arguments.
type JobArgs struct {
	ImportID id.ID `json:"import_id"`
}

// run hands an uploaded file to a job.
func (s *Service) run(ctx context.Context, tx *db.Tx, importID id.ID, in RunIn) (*View, error) {
	im, err := mine(ctx, tx, importID)
	if err != nil {
		return nil, err
	}
	run := Run{Mode: in.Mode, Mapping: in.Mapping, CreateMissing: in.CreateMissing, DryRun: in.DryRun}
	if run.Mapping == nil {
		run.Mapping = im.Run.Mapping
	}
	if err := allowed(ctx, im.Kind, run); err != nil {
		return nil, err
	}
	if _, err := match(im.Kind, im.Head.Columns, run.Mapping); err != nil {
		return nil, err
	}
	job, err := jobs.Enqueue(tx, jobs.Job{Kind: JobKind, Key: fmt.Sprintf("%s/%d", im.ID, im.runNo), Args: JobArgs{im.ID}})
	if err != nil {
		return nil, err
	}
	mapping, err := mappingText(run.Mapping)
	if err != nil {
		return nil, err
	}
	n, err := tx.ExecN(`UPDATE intake_import SET state = 'reading', staff_id = $1, mapping = $2, mode = $3, create_missing = $4, dry_run = $5, job_id = $6, cancel_asked = 0,
		done = 0, total = rows_total, rows_read = 0, rows_new = 0, rows_same = 0, rows_refused = 0, error = '', beat_at = $7, worker = '', phase_at = NULL, started_at = NULL, ended_at = NULL
		WHERE id = $8 AND run_no = $9 AND chunks > 0 AND tidied = 0 AND state IN ('ready', 'checked', 'refused', 'failed', 'cancelled')`,
		org.CallerOf(ctx).ID, mapping, run.Mode, run.CreateMissing, run.DryRun, job, tx.Wall(), im.ID, im.runNo)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrNotReady.With("state", im.State)
	}
	if im, err = ByID(tx, importID); err != nil {
		return nil, err
	}
	return viewOf(ctx, tx, im)
}

func (s *Service) cancel(ctx context.Context, tx *db.Tx, importID id.ID) (*View, error) {
	im, err := mine(ctx, tx, importID)
	if err != nil {
		return nil, err
	}
	n, err := tx.ExecN(`UPDATE intake_import SET cancel_asked = 1 WHERE id = $1 AND state IN ('reading', 'checking')`, im.ID)
	if err == nil && n == 0 {
		n, err = tx.ExecN(`UPDATE intake_import SET state = 'cancelled', ended_at = $1 WHERE id = $2 AND state = 'ready'`, tx.Wall(), im.ID)
	}
	if err != nil {
		return nil, err
	}
	if im, err = ByID(tx, importID); err != nil {
		return nil, err
	}
	if n == 0 && im.State != Cancelled {
		return nil, ErrTooLate
	}
	return viewOf(ctx, tx, im)
}

// jobAlive tells whether a job will still work on an import.
func jobAlive(tx *db.Tx, job id.ID) (bool, error) {
	if job == 0 {
		return false, nil
	}
	status, err := jobs.Get(tx, job)
	if errors.Is(err, jobs.ErrNoJob) {
		return false, nil
	}
	return err == nil && (status.State == jobs.Waiting || status.State == jobs.Running), err
}
