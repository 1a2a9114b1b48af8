package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store/paging"
)

// bucketRows is how many rows have one bucket. Fewer make a commit touch fewer
// pages, more make a list of an app with little traffic look into fewer buckets.
const bucketRows = 512

// bucketing numbers the rows of a table: a bucket rises with the order of the
// commits, hence with the ids. See the schema for what that is good for.
type bucketing struct {
	every int // rows have one bucket
	last  int64
	rows  int // that have last
}

// next gives the bucket of one more row.
func (b *bucketing) next() int64 {
	if b.rows >= b.every {
		b.last, b.rows = b.last+1, 0
	}
	b.rows++
	return b.last
}

// load finds out where a table's buckets stand.
func (b *bucketing) load(ctx context.Context, c *conn, table string) error {
	_, err := c.one(ctx, `SELECT max(bucket), count(*) FROM `+table+` WHERE bucket = (SELECT bucket FROM `+table+` ORDER BY id DESC LIMIT 1)`,
		func(row []driver.Value) error {
			b.last, b.rows = integer(row[0]), int(integer(row[1]))
			return nil
		})
	if err != nil {
		return fmt.Errorf("load buckets of %s: %w", table, err)
	}
	return nil
}

// walk is a query that is run bucket by bucket, in the order of ids.
type walk struct {
	table string // that the buckets are of: message or attempt
	// query is SELECT … WHERE … bucket = ?1 AND … with values from ?4 on; the walk
	// adds the bounds of ids and the order.
	query  string
	values args
	bounds paging.Bounds
	then   string // is added to the order, where an id has several rows
}

// run calls fn with the rows of the walk until fn returns errStop. After each
// bucket it asks goOn; if the answer is no it returns the id that the next walk
// goes on from, exclusive. stopped is true if fn or goOn ended the walk.
func (w *walk) run(ctx context.Context, c *conn, fn func(row []driver.Value) error, goOn func() bool) (at id.ID, stopped bool, err error) {
	first, last, err := w.span(ctx, c)
	if err != nil || first > last {
		return 0, false, err
	}
	query := w.query + ` AND ` + w.table + `.id > ?2 AND ` + w.table + `.id < ?3 ORDER BY ` + w.table + `.id` + w.bounds.Order + w.then
	step, bucket, end := int64(1), first, last
	if w.bounds.Order != "" {
		step, bucket, end = -1, last, first
	}
	values := append(args{bucket, w.bounds.Low, w.bounds.High}, w.values...)
	for ; ; bucket += step {
		values[0] = bucket
		err := c.each(ctx, query, func(row []driver.Value) error {
			err := fn(row)
			stopped = errors.Is(err, errStop)
			return err
		}, values...)
		if err != nil || stopped || bucket == end {
			return 0, stopped, err
		}
		if goOn() {
			continue
		}
		// A bucket whose rows are all gone has no edge.
		if at, err := w.edge(ctx, c, bucket); err != nil || at != 0 {
			return at, true, err
		}
	}
}

// span gives the first and the last bucket that ids within the bounds have; first
// is above last if there are none.
func (w *walk) span(ctx context.Context, c *conn) (first, last int64, err error) {
	first = 1
	for _, end := range []struct {
		order string
		to    *int64
	}{{"", &first}, {" DESC", &last}} {
		_, err := c.one(ctx, `SELECT bucket FROM `+w.table+` WHERE id > ? AND id < ? ORDER BY id`+end.order+` LIMIT 1`, func(row []driver.Value) error {
			*end.to = integer(row[0])
			return nil
		}, w.bounds.Low, w.bounds.High)
		if err != nil {
			return 0, 0, err
		}
	}
	return first, last, nil
}

// edge gives the last id of a bucket in the direction of the walk.
func (w *walk) edge(ctx context.Context, c *conn, bucket int64) (edge id.ID, err error) {
	of := "max"
	if w.bounds.Order != "" {
		of = "min"
	}
	_, err = c.one(ctx, `SELECT `+of+`(id) FROM `+w.table+` WHERE bucket = ?`, func(row []driver.Value) error {
		edge = ident(row[0])
		return nil
	}, bucket)
	return edge, err
}

// ofApp is a walk over the messages of an app; join adds tables, with values from
// ?5 on.
func ofApp(app id.ID, b paging.Bounds, columns, join string, values ...driver.Value) *walk {
	return &walk{
		table:  "message",
		query:  `SELECT ` + columns + ` FROM message INDEXED BY message_app ` + join + ` WHERE message.bucket = ?1 AND message.app = ?4`,
		values: append(args{int64(app)}, values...),
		bounds: b,
	}
}

// ofEndpoint is a walk over the messages of an endpoint's app with the
// deliveries to the endpoint, NULL where there is none. There is no index of
// deliveries by endpoint: it would cost every delivery more than this costs the
// lists (DESIGN.md).
func ofEndpoint(app, endpoint id.ID, b paging.Bounds, columns string) *walk {
	return ofApp(app, b, columns, `LEFT JOIN delivery ON delivery.msg = message.id AND delivery.ep = ?5`, int64(endpoint))
}
