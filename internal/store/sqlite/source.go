package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/transfer"
)

// lastStart is the name in meta of bytes that every Open makes anew. While they are
// the same nobody has written to the database.
const lastStart = "last_start"

// Source is a database that is copied to another driver's; it satisfies
// transfer.Source. It has the lock that Open takes, and writes nothing.
type Source struct {
	lock *os.File
	conn *conn
}

// OpenSource opens a database that exists and migrates it. It fails with ErrInUse
// while another process has the database open.
func OpenSource(ctx context.Context, path string) (*Source, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no database %s", path)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Source{}
	if s.lock, err = lock(absolute + lockSuffix); err != nil {
		return nil, err
	}
	dsn := dataSource(absolute, Full)
	if _, err = migrate(ctx, dsn); err == nil {
		s.conn, err = dial(ctx, dsn+pragma("cache_size", -writerCacheKiB)+pragma("query_only", 1))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), s.Close())
	}
	return s, nil
}

// Close closes the database and gives the lock back.
func (s *Source) Close() error {
	var err error
	if s.conn != nil {
		err = s.conn.close()
	}
	return errors.Join(err, s.lock.Close())
}

// Origin says which database this is; see transfer.Source.
func (s *Source) Origin(ctx context.Context) (*transfer.Origin, error) {
	origin := &transfer.Origin{HighWater: map[int]id.ID{}}
	err := s.conn.each(ctx, `SELECT name, value FROM meta`, func(row []driver.Value) error {
		name := text(row[0])
		if node, ok := strings.CutPrefix(name, highWaterPrefix); ok {
			number, err := strconv.Atoi(node)
			origin.HighWater[number] = ident(row[1])
			return err
		}
		switch name {
		case "id_key":
			origin.IDKey = blob(row[1])
		case lastStart:
			origin.State = hex.EncodeToString(blob(row[1]))
		}
		return nil
	})
	if err == nil && origin.IDKey == nil {
		err = errors.New("no server was ever started on it")
	}
	return origin, err
}

// Count counts the rows of a table; see transfer.Source.
func (s *Source) Count(ctx context.Context, table transfer.Table) (rows int64, err error) {
	for _, d := range dumpsOf(table) {
		_, err := s.conn.one(ctx, `SELECT count(*) FROM `+d.table, func(row []driver.Value) error {
			rows += integer(row[0])
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return rows, nil
}

// Page reads rows of a table; see transfer.Source. A place is the table's name here
// and the key of a row.
func (s *Source) Page(ctx context.Context, table transfer.Table, after []string, limit int) (*transfer.Page, error) {
	page := &transfer.Page{}
	for _, d := range dumpsOf(table) {
		if len(after) > 0 && after[0] != d.table {
			continue // it is done
		}
		if err := d.read(ctx, s.conn, after, limit, page); err != nil || page.Next != nil {
			return page, err
		}
		after = nil
	}
	return page, nil
}

// dump says how the rows of a table are read in the order of its key.
type dump struct {
	table   string
	columns string
	key     string         // columns, in its order
	at      []int          // where these stand among columns
	least   []driver.Value // below every key
	add     func(*transfer.Rows, []driver.Value) error
}

// read adds rows to a page.
func (d *dump) read(ctx context.Context, c *conn, after []string, limit int, page *transfer.Page) error {
	from, err := d.parse(after)
	if err != nil {
		return err
	}
	query := `SELECT ` + d.columns + ` FROM ` + d.table + ` WHERE (` + d.key + `) > (?` + strings.Repeat(`, ?`, len(d.at)-1) + `) ORDER BY ` + d.key + ` LIMIT ?`
	bytes := 0
	return c.each(ctx, query, func(row []driver.Value) error {
		if err := d.add(&page.Rows, row); err != nil {
			return err
		}
		page.Next = d.place(row)
		if bytes += size(row); bytes >= transfer.PageBytes {
			return errStop
		}
		return nil
	}, append(from, int64(limit))...)
}

// place names a row.
func (d *dump) place(row []driver.Value) []string {
	place := []string{d.table}
	for _, i := range d.at {
		switch v := row[i].(type) {
		case int64:
			place = append(place, strconv.FormatInt(v, 10))
		case string:
			place = append(place, v)
		case []byte:
			place = append(place, hex.EncodeToString(v))
		}
	}
	return place
}

// parse gives the key that a place names.
func (d *dump) parse(place []string) (args, error) {
	if len(place) == 0 {
		return append(args{}, d.least...), nil
	}
	var key args
	for i, least := range d.least {
		if i+1 >= len(place) {
			return nil, fmt.Errorf("%q is no place in table %s", place, d.table)
		}
		word := place[i+1]
		var v driver.Value = word
		var err error
		switch least.(type) {
		case int64:
			v, err = strconv.ParseInt(word, 10, 64)
		case []byte:
			v, err = hex.DecodeString(word)
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no place in table %s: %w", place, d.table, err)
		}
		key = append(key, v)
	}
	return key, nil
}

// size is about what a row takes in memory.
func size(row []driver.Value) int {
	bytes := 8 * len(row)
	for _, v := range row {
		switch v := v.(type) {
		case string:
			bytes += len(v)
		case []byte:
			bytes += len(v)
		}
	}
	return bytes
}

// dumpsOf gives the tables of a kind of rows, in the order in which they are read.
func dumpsOf(table transfer.Table) []dump {
	number := int64(math.MinInt64)
	switch table {
	case transfer.Orgs:
		return []dump{{`org`, `id, doc, updated_at`, `id`, []int{0}, args{""}, func(r *transfer.Rows, v []driver.Value) error {
			r.Orgs = append(r.Orgs, store.OrgSettings{Org: text(v[0]), Doc: blob(v[1]), UpdatedAt: moment(v[2])})
			return nil
		}}}
	case transfer.EventTypes:
		return []dump{{`event_type`, eventTypeColumns, `org, name`, []int{0, 1}, args{"", ""}, func(r *transfer.Rows, v []driver.Value) error {
			return keep(&r.EventTypes, v, decodeEventType)
		}}}
	case transfer.Apps:
		return []dump{{`app`, appColumns, `id`, []int{0}, args{number}, func(r *transfer.Rows, v []driver.Value) error {
			return keep(&r.Apps, v, decodeApp)
		}}}
	case transfer.Endpoints:
		return []dump{{`endpoint`, endpointColumns, `id`, []int{0}, args{number}, func(r *transfer.Rows, v []driver.Value) error {
			return keep(&r.Endpoints, v, decodeEndpoint)
		}}}
	case transfer.URLs:
		return []dump{{`endpoint_url`, `endpoint, since, url`, `endpoint, since`, []int{0, 1}, args{number, number}, func(r *transfer.Rows, v []driver.Value) error {
			r.URLs = append(r.URLs, store.EndpointURL{Endpoint: ident(v[0]), Since: moment(v[1]), URL: text(v[2])})
			return nil
		}}}
	case transfer.Healths:
		return []dump{{`endpoint_health`, healthColumns, `endpoint`, []int{0}, args{number}, func(r *transfer.Rows, v []driver.Value) error {
			r.Healths = append(r.Healths, decodeHealth(v))
			return nil
		}}}
	case transfer.Tasks:
		return []dump{{`task`, taskColumns, `id`, []int{0}, args{number}, func(r *transfer.Rows, v []driver.Value) error {
			r.Tasks = append(r.Tasks, decodeTask(v))
			return nil
		}}}
	case transfer.Objects:
		return []dump{{`object`, objectColumns, `app, kind, parent, id`, []int{0, 1, 2, 3}, args{number, number, "", ""}, func(r *transfer.Rows, v []driver.Value) error {
			r.Objects = append(r.Objects, decodeObject(v))
			return nil
		}}}
	case transfer.Seen:
		columns := `, hash, body, expires, result`
		add := func(r *transfer.Rows, v []driver.Value) error {
			r.Seen = append(r.Seen, store.Seen{Hash: hash16(v[1]), Body: hash16(v[2]), Expires: time.Unix(integer(v[3]), 0).UTC(), Result: ident(v[4])})
			return nil
		}
		return []dump{
			{`seen`, `number` + columns, `number`, []int{0}, args{number}, add},
			{`seen_spill`, `hash` + columns, `hash`, []int{0}, args{[]byte{}}, add},
		}
	case transfer.Messages:
		return []dump{{`message`, messageBody, `id`, []int{0}, args{number}, func(r *transfer.Rows, v []driver.Value) error {
			return keep(&r.Messages, v, decodeMessage)
		}}}
	case transfer.Sources:
		return []dump{{`source`, sourceColumns, `id`, []int{0}, args{number}, func(r *transfer.Rows, v []driver.Value) error {
			return keep(&r.Sources, v, decodeSource)
		}}}
	case transfer.Received:
		return []dump{{`received`, receivedBody, `id`, []int{0}, args{number}, func(r *transfer.Rows, v []driver.Value) error {
			r.Received = append(r.Received, decodeReceived(v))
			return nil
		}}}
	case transfer.Traffic:
		return []dump{{`traffic`, trafficColumns, `app, width, slot, ep, node`, []int{0, 1, 2, 3, 4}, args{number, number, number, number, number}, func(r *transfer.Rows, v []driver.Value) error {
			return keep(&r.Traffic, v, decodeTraffic)
		}}}
	case transfer.Deliveries:
		return []dump{{`delivery`, deliveryColumns, `msg, ep`, []int{0, 1}, args{number, number}, func(r *transfer.Rows, v []driver.Value) error {
			r.Deliveries = append(r.Deliveries, decodeDelivery(v))
			return nil
		}}}
	case transfer.Attempts:
		return []dump{{`attempt`, attemptBody, `id`, []int{4}, args{number}, func(r *transfer.Rows, v []driver.Value) error {
			r.Attempts = append(r.Attempts, decodeAttempt(v))
			return nil
		}}}
	}
	return nil
}
