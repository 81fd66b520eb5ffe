package db

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	anyCount = -1

	beginWrite = "BEGIN" // READ COMMITTED, as each connection is told when it opens: to say it here costs the server a walk over all its settings
	beginRead  = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	commitSQL  = "COMMIT"
	rollback   = "ROLLBACK"
)

// pgOp is one statement on its way: queued, then sent, then answered.
type pgOp struct {
	sql       string
	args      []cell
	want      int64
	otherwise error
	rows      *Rows  // of a Query
	count     *int64 // of an ExecN
	guarded   bool   // the server itself compares the count with want
	desc      *pgDesc
	prepared  bool // not a statement but its preparation
	reader    *pgconn.ResultReader
}

// pgTx collects statements and sends them in as few round trips as the act allows.
type pgTx struct {
	p     *pg
	ctx   context.Context
	ro    bool
	conn  *pgxpool.Conn
	sess  *pgSession
	pipe  *pgconn.Pipeline
	queue []*pgOp // not sent
	sent  []*pgOp // sent and not answered
	sync  bool    // the end of what was sent is still to be read
	fresh []string
	begun bool
	done  bool // COMMIT has been sent
	lost  bool // the connection is broken
	doubt bool // see Tx.Doubt
	ruled bool // a rule of the database or a wanted count has killed the transaction
}

func (t *pgTx) queueExec(tx *Tx, sql string, args []any, want int64, otherwise error) error {
	_, err := t.push(tx, sql, args, want, otherwise)
	return err
}

func (t *pgTx) push(tx *Tx, sql string, args []any, want int64, otherwise error) (*pgOp, error) {
	cells, err := toCells(make([]cell, 0, len(args)), args)
	if err != nil {
		return nil, tx.fail(err)
	}
	op := &pgOp{sql: sql, args: cells, want: want, otherwise: otherwise}
	t.queue = append(t.queue, op)
	return op, nil
}

func (t *pgTx) queueQuery(tx *Tx, r *Rows, sql string, args []any) {
	op, err := t.push(tx, sql, args, anyCount, nil)
	if err != nil {
		r.err = err
		return
	}
	op.rows, r.op = r, op
}

func (t *pgTx) execN(tx *Tx, sql string, args []any) (int64, error) {
	op, err := t.push(tx, sql, args, anyCount, nil)
	if err != nil {
		return 0, err
	}
	var n int64 = -1
	op.count = &n
	t.flush(tx, "")
	for tx.err == nil && n < 0 {
		t.next(tx)
	}
	return max(n, 0), tx.err
}

// more reads on in the result of r.
func (t *pgTx) more(tx *Tx, r *Rows) {
	op := r.op
	for op.reader == nil && r.op == op {
		if tx.err != nil {
			r.err = tx.err
			return
		}
		if len(t.queue) > 0 && !t.inFlight(op) {
			t.flush(tx, "")
			continue
		}
		t.next(tx)
	}
	if r.op != op { // it came whole, on the way to something else
		return
	}
	for range chunk {
		if !op.reader.NextRow() {
			t.closeResult(tx, op)
			return
		}
		decodeRow(op, r)
	}
}

func (t *pgTx) inFlight(op *pgOp) bool {
	for _, s := range t.sent {
		if s == op {
			return true
		}
	}
	return false
}

// closeResult ends the result that is being read.
func (t *pgTx) closeResult(tx *Tx, op *pgOp) {
	tag, err := op.reader.Close()
	op.reader = nil
	if op.rows != nil {
		if tx.open == op.rows {
			tx.open = nil
		}
		op.rows.op = nil
	}
	if err != nil {
		t.failed(tx, op.refusal(err))
		if op.rows != nil {
			op.rows.err = tx.err
		}
		return
	}
	if op.count != nil {
		*op.count = tag.RowsAffected()
	}
	switch {
	case op.guarded:
		tx.written += op.want
	case !tag.Select():
		tx.written += tag.RowsAffected()
	}
	if op.want != anyCount && !op.guarded && tag.RowsAffected() != op.want {
		t.ruled = true
		tx.fail(op.otherwise)
	}
}

// next reads the answer to the first statement that is still without one. The rows of a question are
// left on the wire when somebody reads them, and kept in memory when something else comes first.
func (t *pgTx) next(tx *Tx) {
	if tx.open != nil {
		tx.drain()
		return
	}
	if len(t.sent) == 0 {
		if t.sync {
			t.readSync(tx)
			return
		}
		tx.fail(errors.New("db: nothing to read"))
		return
	}
	op := t.sent[0]
	t.sent = t.sent[1:]
	res, err := t.pipe.GetResults()
	if err != nil {
		if op.rows != nil {
			op.rows.op = nil
		}
		t.failed(tx, op.refusal(err))
		if op.rows != nil {
			op.rows.err = tx.err
		}
		return
	}
	if op.prepared {
		return
	}
	reader, ok := res.(*pgconn.ResultReader)
	if !ok {
		t.failed(tx, fmt.Errorf("db: unexpected answer %T", res))
		return
	}
	op.reader = reader
	if op.rows == nil {
		for reader.NextRow() { // RETURNING of an Exec
		}
		t.closeResult(tx, op)
		return
	}
	op.rows.cols = len(op.desc.fields)
	tx.open = op.rows
}

func (t *pgTx) readSync(tx *Tx) {
	res, err := t.pipe.GetResults()
	if err != nil {
		t.failed(tx, err)
		return
	}
	t.sync, t.fresh = false, nil
	if _, ok := res.(*pgconn.PipelineSync); !ok {
		t.failed(tx, fmt.Errorf("db: unexpected answer %T", res))
	}
}

// refusal is the server's error for a statement whose count was not as wanted.
type refusal struct{ otherwise, cause error }

func (r *refusal) Error() string { return r.cause.Error() }

const guardMark = "zhanggui count "

// guard makes the server fail when a write touches another number of rows than n, so that a COMMIT that
// travels in the same batch does not happen.
func guard(sql string, n int64) string {
	return "WITH done AS (" + sql + " RETURNING 1) SELECT CASE WHEN count(*) = " + strconv.FormatInt(n, 10) +
		" THEN 0 ELSE CAST('" + guardMark + "' || CAST(count(*) AS TEXT) AS BIGINT) END FROM done"
}

func (op *pgOp) refusal(err error) error {
	var pe *pgconn.PgError
	if op.guarded && errors.As(err, &pe) && pe.Code == "22P02" && strings.Contains(pe.Message, guardMark) {
		return &refusal{op.otherwise, err}
	}
	return err
}

// failed kills the transaction. After an error of the server the rest of what was sent is skipped by
// it up to the synchronization point; any other error means that the connection is of no use.
func (t *pgTx) failed(tx *Tx, err error) {
	for _, op := range t.sent {
		if op.rows != nil {
			op.rows.op = nil
		}
	}
	rest := t.sent
	t.sent = nil
	for _, sql := range t.fresh {
		delete(t.sess.stmts, sql)
	}
	t.fresh = nil
	var pe *pgconn.PgError
	var refused *refusal
	if errors.As(err, &refused) {
		t.ruled = true
		err = refused.otherwise
	} else if !errors.As(err, &pe) || pe.Severity == "FATAL" {
		t.lost = true
		if tx.ctx.Err() != nil {
			err = ErrBusy.Wrap(errors.Join(tx.ctx.Err(), err))
		} else {
			err = ErrDown.Wrap(&errLost{err})
		}
	} else if t.ro && pe.Code == "25006" {
		err = ErrReadOnly
	} else {
		t.ruled = strings.HasPrefix(pe.Code, "23")
		err = explainPG(err)
	}
	tx.fail(err)
	for _, op := range rest {
		if op.rows != nil {
			op.rows.err = tx.err
		}
	}
	for t.sync && !t.lost {
		res, err := t.pipe.GetResults()
		if err != nil {
			if !errors.As(err, &pe) || pe.Severity == "FATAL" {
				t.lost = true
			}
			continue
		}
		switch res.(type) {
		case *pgconn.PipelineSync:
			t.sync = false
		case nil:
			t.lost = true
		}
	}
}

// flush sends what is queued, and last as the end of the transaction, in one round trip. The answers
// are read later.
func (t *pgTx) flush(tx *Tx, last string) {
	if tx.err != nil {
		return
	}
	tx.drain()
	t.readAll(tx) // what came before
	if tx.err != nil {
		return
	}
	if t.conn == nil {
		t.p.n.waiting.Add(1)
		conn, err := t.p.pool.Acquire(t.ctx)
		t.p.n.waiting.Add(-1)
		if err != nil {
			if tx.ctx.Err() != nil {
				tx.fail(ErrBusy.Wrap(errors.Join(tx.ctx.Err(), err)))
			} else {
				tx.fail(ErrDown.Wrap(err))
			}
			return
		}
		t.conn = conn
		t.sess = conn.Conn().PgConn().CustomData()[sessionKey].(*pgSession)
		t.sess.unsure = false
		t.pipe = conn.Conn().PgConn().StartPipeline(t.ctx)
	}
	queue := t.queue
	t.queue = nil
	if !t.begun {
		start := beginWrite
		if t.ro {
			start = beginRead
		}
		queue = append([]*pgOp{{sql: start, want: anyCount}}, queue...)
	}
	for _, op := range queue {
		if last == commitSQL && op.want != anyCount {
			op.sql, op.guarded = guard(op.sql, op.want), true
		}
	}
	if last != "" {
		queue = append(queue, &pgOp{sql: last, want: anyCount})
	}
	if !t.describe(tx, queue) {
		return
	}
	for _, op := range queue {
		if op.desc = t.p.known(op.sql); op.desc == nil {
			t.failed(tx, fmt.Errorf("db: %q was not described", op.sql))
			return
		}
		sd := t.sess.stmts[op.sql]
		if sd == nil {
			sd = t.name(op.sql)
			sd.ParamOIDs, sd.Fields = op.desc.params, op.desc.fields
			t.pipe.SendPrepare(sd.Name, op.sql, op.desc.params)
			t.sent = append(t.sent, &pgOp{prepared: true})
			t.sync = true
		}
		values, err := encode(op)
		if err != nil {
			t.abort(tx, fmt.Errorf("%w in %q", err, op.sql))
			return
		}
		t.pipe.SendQueryStatement(sd, values, op.desc.paramFormats, op.desc.formats)
		t.sent = append(t.sent, op)
	}
	t.begun = true
	t.sync = true
	t.done = last == commitSQL
	t.p.n.trips.Add(1)
	if err := t.pipe.Sync(); err != nil {
		t.failed(tx, err)
	}
}

// abort is for a mistake of ours found while sending: the half that is in the buffer can't be taken
// back, so the connection is given up.
func (t *pgTx) abort(tx *Tx, err error) {
	tx.fail(err)
	t.lost = true
}

// name reserves a name on this connection for a text that is being prepared.
func (t *pgTx) name(sql string) *pgconn.StatementDescription {
	t.sess.last++
	sd := &pgconn.StatementDescription{Name: "s" + strconv.Itoa(t.sess.last), SQL: sql}
	t.sess.stmts[sql] = sd
	t.fresh = append(t.fresh, sql)
	return sd
}

// describe asks the server about texts that this process has not used yet: a round trip of its own, once.
func (t *pgTx) describe(tx *Tx, queue []*pgOp) bool {
	var asked []*pgconn.StatementDescription
	for _, op := range queue {
		if t.p.known(op.sql) != nil || t.sess.stmts[op.sql] != nil {
			continue
		}
		if err := checkPlaceholders(op.sql); err != nil {
			tx.fail(err)
			return false
		}
		sd := t.name(op.sql)
		t.pipe.SendPrepare(sd.Name, op.sql, nil)
		asked = append(asked, sd)
	}
	if len(asked) == 0 {
		return true
	}
	t.sync = true
	if err := t.pipe.Sync(); err != nil {
		t.failed(tx, err)
		return false
	}
	for _, sd := range asked {
		res, err := t.pipe.GetResults()
		if err != nil {
			t.failed(tx, fmt.Errorf("%w in %q", err, sd.SQL))
			return false
		}
		got, ok := res.(*pgconn.StatementDescription)
		if !ok {
			t.failed(tx, fmt.Errorf("db: unexpected answer %T", res))
			return false
		}
		sd.ParamOIDs = append([]uint32(nil), got.ParamOIDs...)
		sd.Fields = append([]pgconn.FieldDescription(nil), got.Fields...)
		t.p.learn(sd)
	}
	t.readSync(tx)
	return tx.err == nil
}

func (p *pg) known(sql string) *pgDesc {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.desc[sql]
}

func (p *pg) learn(sd *pgconn.StatementDescription) {
	d := &pgDesc{params: sd.ParamOIDs, fields: sd.Fields}
	for _, oid := range d.params {
		d.paramFormats = append(d.paramFormats, format(oid))
	}
	for _, f := range d.fields {
		d.formats = append(d.formats, format(f.DataTypeOID))
	}
	p.mu.Lock()
	if len(p.desc) >= maxStmts {
		clear(p.desc)
	}
	p.desc[sd.SQL] = d
	p.mu.Unlock()
}

// commit sends the rest together with COMMIT and reads all answers.
func (t *pgTx) commit(tx *Tx) error {
	if !t.begun && len(t.queue) == 0 {
		return nil
	}
	for _, op := range t.queue {
		if op.want != anyCount && strings.Contains(strings.ToUpper(op.sql), "RETURNING") {
			t.flush(tx, "") // its count can only be compared here, before COMMIT
			break
		}
	}
	t.flush(tx, commitSQL)
	t.readAll(tx)
	switch {
	case tx.err == nil && t.sess.unsure:
		t.release()
		return ErrCommitUnknown.Wrap(errors.New("the server gave up waiting for its standby"))
	case tx.err == nil:
		t.release()
		return nil
	case t.lost && t.done:
		t.release()
		return ErrCommitUnknown.Wrap(tx.err)
	}
	t.rollback(tx)
	return tx.err
}

// readAll reads the answers to everything that was sent.
func (t *pgTx) readAll(tx *Tx) {
	for tx.err == nil && (len(t.sent) > 0 || t.sync) {
		t.next(tx)
		tx.drain()
	}
}

// finishRead ends a read; nobody waits for the server to say that it has ended it too.
func (t *pgTx) finishRead(tx *Tx) error {
	if len(t.queue) > 0 { // asked and never looked at: it is still part of the act
		t.flush(tx, "")
	}
	tx.drain()
	t.readAll(tx)
	return tx.err
}

// rollback gives everything up. What was only queued was never sent.
func (t *pgTx) rollback(tx *Tx) {
	if t.conn == nil {
		return
	}
	t.queue = nil
	killed := tx.err
	t.dropAll(tx)
	if t.begun && !t.lost {
		t.flush(tx, rollback)
		t.dropAll(tx)
	}
	tx.err = killed
	t.release()
}

// dropAll reads what is still on the wire, whatever it says, and leaves the Tx usable for a ROLLBACK.
func (t *pgTx) dropAll(tx *Tx) {
	for tx.err = nil; !t.lost && (tx.open != nil || len(t.sent) > 0 || t.sync); tx.err = nil {
		tx.drain()
		t.readAll(tx)
	}
}

func (t *pgTx) release() {
	if t.conn == nil {
		return
	}
	if t.lost {
		// Closing tells the server, which then rolls back.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		t.conn.Conn().PgConn().Close(ctx)
		cancel()
	}
	t.pipe.Close()
	if len(t.sess.stmts) > maxStmts {
		t.conn.Conn().Close(context.Background())
	}
	t.conn.Release()
	t.conn = nil
}

func format(oid uint32) int16 {
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.BoolOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.ByteaOID:
		return 1
	}
	return 0
}

// encode writes the arguments as the statement's types want them.
func encode(op *pgOp) ([][]byte, error) {
	params := op.desc.params
	if len(op.args) != len(params) {
		return nil, fmt.Errorf("db: the statement has %d parameters, not %d", len(params), len(op.args))
	}
	if len(params) == 0 {
		return nil, nil
	}
	values := make([][]byte, len(params))
	size := 0
	for i := range op.args {
		size += 24 + len(op.args[i].s)
	}
	buf := make([]byte, 0, size)
	for i := range op.args {
		a := &op.args[i]
		if a.kind == null {
			continue
		}
		from := len(buf)
		var err error
		if buf, err = appendValue(buf, params[i], a); err != nil {
			return nil, fmt.Errorf("db: $%d: %w", i+1, err)
		}
		values[i] = buf[from:len(buf):len(buf)]
	}
	return values, nil
}

func appendValue(buf []byte, oid uint32, a *cell) ([]byte, error) {
	switch oid {
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		if a.kind != integer {
			return buf, fmt.Errorf("a whole number is needed")
		}
		switch {
		case oid == pgtype.Int8OID:
			return binary.BigEndian.AppendUint64(buf, uint64(a.n)), nil
		case oid == pgtype.Int4OID && a.n == int64(int32(a.n)):
			return binary.BigEndian.AppendUint32(buf, uint32(a.n)), nil
		case oid == pgtype.Int2OID && a.n == int64(int16(a.n)):
			return binary.BigEndian.AppendUint16(buf, uint16(a.n)), nil
		}
		return buf, fmt.Errorf("%d is too big", a.n)
	case pgtype.BoolOID:
		if a.kind != integer {
			return buf, fmt.Errorf("a bool is needed")
		}
		if a.n != 0 {
			return append(buf, 1), nil
		}
		return append(buf, 0), nil
	case pgtype.Float8OID, pgtype.Float4OID:
		f, err := a.float()
		if err != nil {
			return buf, err
		}
		if oid == pgtype.Float8OID {
			return binary.BigEndian.AppendUint64(buf, math.Float64bits(f)), nil
		}
		return binary.BigEndian.AppendUint32(buf, math.Float32bits(float32(f))), nil
	case pgtype.ByteaOID:
		if a.kind != blob && a.kind != text {
			return buf, fmt.Errorf("bytes are needed")
		}
		return append(buf, a.s...), nil
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID:
		if a.kind != text && a.kind != blob {
			return buf, fmt.Errorf("a text is needed")
		}
		return append(buf, a.s...), nil
	}
	s, err := a.str()
	return append(buf, s...), err
}

// decodeRow appends the current row of the reader.
func decodeRow(op *pgOp, r *Rows) {
	values := op.reader.Values()
	for i, v := range values {
		if v == nil {
			r.cells = append(r.cells, cell{})
			continue
		}
		c := cell{}
		switch op.desc.fields[i].DataTypeOID {
		case pgtype.Int8OID:
			c = cell{kind: integer, n: int64(binary.BigEndian.Uint64(v))}
		case pgtype.Int4OID:
			c = cell{kind: integer, n: int64(int32(binary.BigEndian.Uint32(v)))}
		case pgtype.Int2OID:
			c = cell{kind: integer, n: int64(int16(binary.BigEndian.Uint16(v)))}
		case pgtype.BoolOID:
			c = cell{kind: integer, n: int64(v[0])}
		case pgtype.Float8OID:
			c = cell{kind: float, n: int64(binary.BigEndian.Uint64(v))}
		case pgtype.Float4OID:
			c = cell{kind: float, n: int64(math.Float64bits(float64(math.Float32frombits(binary.BigEndian.Uint32(v)))))}
		case pgtype.ByteaOID:
			c = cell{kind: blob, s: string(v)}
		default:
			c = cell{kind: text, s: string(v)}
		}
		r.cells = append(r.cells, c)
	}
}
