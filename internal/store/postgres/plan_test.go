package postgres

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// TestPlans looks at the plans of what claims do, and of what is done with live state, as
// they are kept for a prepared statement, on a database without statistics. They are walks
// along an index.
func TestPlans(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{URL: postgrestest.Shared(t).NewDatabase(t), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	conn, err := s.writers.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	oneStatus, _ := receivedQuery([]store.ReceivedStatus{store.Refused}, "")
	statuses, _ := receivedQuery([]store.ReceivedStatus{store.Refused, store.Unreadable}, " DESC")
	for _, q := range []struct {
		name, parameters, query, arguments string
		want                               []string
		sorts                              bool // a few rows, in the end
	}{
		{"claim", "bigint[], int[], bigint[], bigint, smallint", claimQuery, "'{1}', '{1}', '{0}', 1, 1", []string{"Index Scan using delivery_due", "Tid Scan"}, false},
		{"lanes", "", lanesQuery, "", []string{"Index Scan using delivery_due"}, false},
		// The keys that a batch names are sorted, so that all nodes lock them in one order.
		{"objects", "bigint[], smallint[], text[], text[]", lockObjects, "'{1}', '{1}', '{a}', '{b}'", []string{"Index Scan using object_pkey"}, true},
		{"object_range", "bigint, smallint, text, text, int", lockRange, "1, 1, 'a', 'b', 9", []string{"Index Scan using object_pkey"}, false},
		{"object_range_read", "bigint, smallint, text, text, int", objectsAfter, "1, 1, 'a', 'b', 9", []string{"Index Scan using object_pkey"}, false},
		{"object_list", "bigint, bigint, int, bigint, smallint, text", objectsBySeq + " DESC LIMIT $3", "1, 9, 9, 1, 1, 'a'", []string{"Index Scan Backward using object_seq"}, false},
		{"object_count", "bigint, smallint, text", countObjects, "1, 1, 'a'", []string{"using object_seq"}, false},
		{"object_page", "bigint, smallint, text, int, int", objectsFrom, "1, 1, 'a', 9, 9", []string{"Index Scan using object_seq"}, false},
		{"associated_count", "bigint, smallint, text, text, text, smallint, int", countAssociated, "1, 1, 'a', 'b', 'c', 1, 2", []string{"using object_pkey on object a", "(id = substr(a.id, $7))"}, false},
		{"associated_page", "bigint, smallint, text, text, text, smallint, int, int, int", associatedFrom, "1, 1, 'a', 'b', 'c', 1, 2, 9, 9", []string{"using object_pkey on object a", "(id = substr(a.id, $7))"}, false},
		{"due_objects", "bigint, int", dueObjects, "1, 9", []string{"Index Scan using object_due"}, false},
		{"app_objects", "bigint, int", appObjects, "1, 9", []string{"Index Only Scan using object_pkey"}, false},
		{"received_all", "bigint, bigint, int, bigint", receivedAll + " DESC LIMIT $3", "1, 9, 9, 1", []string{"Index Scan Backward using received_source"}, false},
		{"received_one_status", "bigint, bigint, int, bigint, smallint", oneStatus, "1, 9, 9, 1, 2", []string{"Index Scan using received_status"}, false},
		// The "Sort Key" of a merge is what it merges by.
		{"received_statuses", "bigint, bigint, int, bigint, smallint, smallint", statuses, "1, 9, 9, 1, 2, 3", []string{"Merge Append", "Index Scan Backward using received_status"}, true},
		{"received_bodies", "bigint, bigint, bigint, int", receivedBodies, "1, 1, 9, 9", []string{"Index Scan using received_body"}, false},
		{"received_of_app", "bigint, int", appReceived, "1, 9", []string{"using source_app", "Index Only Scan using received_source"}, false},
		{"old_received", "bigint, int", oldReceived, "9, 9", []string{"Index Only Scan using received_pkey"}, false},
		{"trim_received", "bigint, int", trimReceived, "1, 200", []string{"Index Only Scan Backward using received_status", "Index Scan using received_pkey"}, false},
		// The deliveries of a bounded number of messages are sorted.
		{"log", "bigint, bigint, int, bigint", messageLog(" DESC", ""), "1, 9, 9, 1", []string{"Index Scan Backward using message_app", "Index Scan using delivery_pkey"}, true},
		{"log_endpoint", "bigint, bigint, int, bigint, bigint", messageLog("", " AND delivery.ep = $5"), "1, 9, 9, 1, 1", []string{"Index Scan using message_app", "Index Scan using delivery_pkey"}, true},
		{"log_failed", "bigint, bigint, int, bigint, bigint, bigint", failedLog(" DESC"), "1, 9, 9, 1, 1, 1", []string{"Index Scan Backward using delivery_failed", "Index Scan using message_pkey"}, false},
		{"log_pending", "bigint, int", pendingOfApp, "1, 9", []string{"using endpoint_app", "using delivery_due"}, false},
		{"log_counts", "bigint[], bigint[]", countAttempts, "'{1}', '{1}'", []string{"Index Only Scan using attempt_pkey"}, false},
		{"log_attempts", "bigint[], bigint[]", lastAttempts, "'{1}', '{1}'", []string{"Index Scan Backward using attempt_pkey"}, false},
		{"undelivered_failed", "bigint, bigint, int", failedByEndpoint, "1, 1, 9", []string{"Index Only Scan Backward using delivery_failed"}, true},
		{"undelivered_endpoints", "bigint", endpointsOfApp, "1", []string{"using endpoint_app"}, false},
		{"undelivered_pending", "bigint, bigint, int", pendingByEndpoint, "1, 1, 9", []string{"using endpoint_app", "using delivery_due"}, false},
		{"count_failed", "bigint, bigint, bigint, bigint, int", failedCount, "1, 1, 9, 1, 9", []string{"Index Only Scan using delivery_failed"}, false},
		{"failed_of", "bigint, bigint, int, bigint, bigint", failedOf, "1, 9, 9, 1, 1", []string{"Index Scan using delivery_failed"}, false},
		{"attempt_feed", "bigint[], bigint, bigint, int", attemptsBetween, "'{1}', 1, 9, 9", []string{"using endpoint_app", "Index Scan using attempt_ep"}, true},
		{"object_update", "bigint[], smallint[], text[], text[], bigint[], bigint[], bigint[], bigint[], bytea[], bytea[]", updateObjects, "'{1}', '{1}', '{a}', '{b}', '{1}', '{1}', '{1}', '{1}', '{a}', '{a}'", []string{"Index Scan using object_pkey"}, false},
		{"object_erase", "bigint[], smallint[], text[], text[]", eraseObjects, "'{1}', '{1}', '{a}', '{b}'", []string{"Index Scan using object_pkey"}, false},
	} {
		t.Run(q.name, func(t *testing.T) {
			prepare, execute := "PREPARE "+q.name, "EXPLAIN EXECUTE "+q.name
			if q.parameters != "" {
				prepare, execute = prepare+" ("+q.parameters+")", execute+" ("+q.arguments+")"
			}
			for _, statement := range []string{"SET plan_cache_mode = force_generic_plan", prepare + " AS " + q.query} {
				if _, err := conn.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			rows, err := conn.Query(t.Context(), execute, pgx.QueryExecModeSimpleProtocol)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			plan := strings.Join(lines, "\n")
			for _, want := range q.want {
				if !strings.Contains(plan, want) {
					t.Errorf("the plan has no %q:\n%s", want, plan)
				}
			}
			for _, bad := range []string{"Seq Scan", "Sort", "Hash", "Bitmap"} {
				if strings.Contains(plan, bad) && (!q.sorts || bad != "Sort") {
					t.Errorf("the plan has a %q:\n%s", bad, plan)
				}
			}
		})
	}
}
