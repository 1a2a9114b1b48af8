package postgres

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// TestPlans looks at the plans of what claims do, as they are kept for a prepared
// statement, on a database without statistics. They are walks along the hot index.
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
	for _, q := range []struct {
		name, parameters, query, arguments string
		want                               []string
	}{
		{"claim", "bigint[], int[], bigint[], bigint, smallint", claimQuery, "'{1}', '{1}', '{0}', 1, 1", []string{"Index Scan using delivery_due", "Tid Scan"}},
		{"lanes", "", lanesQuery, "", []string{"Index Scan using delivery_due"}},
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
				if strings.Contains(plan, bad) {
					t.Errorf("the plan has a %q:\n%s", bad, plan)
				}
			}
		})
	}
}
