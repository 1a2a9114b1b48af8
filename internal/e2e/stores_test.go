package e2e_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

// storeUnderTest is a kind of database that the server runs on.
type storeUnderTest struct {
	name string
	// fresh makes an empty database, which goes with the test, and gives its URL, as --db takes it.
	fresh func(t testing.TB) string
}

// onEachStore runs a test on every kind of database, each in a parallel subtest of its own.
func onEachStore(t *testing.T, test func(*testing.T, storeUnderTest)) {
	t.Helper()
	for _, s := range []storeUnderTest{
		{"sqlite", func(t testing.TB) string { return sqliteScheme + filepath.Join(t.TempDir(), dbName) }},
		{"postgres", func(t testing.TB) string { return postgrestest.Shared(t).NewDatabase(t) }},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

const (
	sqliteScheme = "sqlite:"
	dbName       = "callboard.db"
)

// openDatabase opens the database behind a URL to read from it by SQL, past the code that wrote it. Of a file it opens a
// copy, which is taken file by file: nobody may be writing to it. The original is left to the next server to recover.
func openDatabase(t testing.TB, url string) *sql.DB {
	t.Helper()
	driver := "pgx"
	if path, isFile := strings.CutPrefix(url, sqliteScheme); isFile {
		driver, url = "sqlite", filepath.Join(t.TempDir(), "copy.db")
		copyFile(t, path, url)
		copyFile(t, path+"-wal", url+"-wal")
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// recordedDeliveries looks into a database that nobody is writing to which accepted messages it knows as delivered.
// It fails the test if an accepted message, or its delivery, is not there.
func recordedDeliveries(t testing.TB, l *load, url string) map[string]bool {
	t.Helper()
	db := openDatabase(t, url)
	defer db.Close()
	var key []byte
	if err := db.QueryRowContext(t.Context(), `SELECT value FROM meta WHERE name = 'id_key'`).Scan(&key); err != nil {
		t.Fatalf("read the id key: %v", err)
	}
	codec, err := id.NewCodec(key)
	if err != nil {
		t.Fatal(err)
	}
	states := deliveryStates(t, db, codec, l)
	recorded := map[string]bool{}
	for text, key := range l.messages() {
		message, ok := codec.Decode(id.Message, text)
		if !ok {
			t.Fatalf("%s is no id of this database", text)
		}
		state, stored := states[message]
		if !stored {
			t.Fatalf("message %s of %s was accepted and is not in the database with its delivery", text, key)
		}
		recorded[text] = state == delivery.Succeeded
	}
	return recorded
}

// deliveryStates gives the states of the deliveries to the load's endpoint, by message.
func deliveryStates(t testing.TB, db *sql.DB, codec *id.Codec, l *load) map[id.ID]delivery.State {
	t.Helper()
	app, _ := codec.Decode(id.App, l.app)
	endpoint, _ := codec.Decode(id.Endpoint, l.endpoint)
	// The numbers stand in the text because drivers differ in how they want parameters written.
	rows, err := db.QueryContext(t.Context(), fmt.Sprintf(
		`SELECT message.id, delivery.state FROM message JOIN delivery ON delivery.msg = message.id AND delivery.ep = %d WHERE message.app = %d`,
		endpoint, app))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	states := map[id.ID]delivery.State{}
	for rows.Next() {
		var message, state int64
		if err := rows.Scan(&message, &state); err != nil {
			t.Fatal(err)
		}
		states[id.ID(message)] = delivery.State(state)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return states
}
