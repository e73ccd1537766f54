package chaos

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// partitions of the log, as the product has by default.
const partitions = 16

// owners returns how many partitions each live owner has.
func (in *installation) owners(t testing.TB) map[string]int {
	t.Helper()
	rows, err := in.db.Query(t.Context(), `SELECT owner, count(*) FROM partitions WHERE expires_at > clock_timestamp() AND owner <> '' GROUP BY owner`)
	if err != nil { // PostgreSQL may be the one that is killed
		in.db.Reset()
		return nil
	}
	out := map[string]int{}
	var owner string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&owner, &n}, func() error {
		out[owner] = n
		return nil
	}); err != nil {
		return nil
	}
	return out
}

// balanced waits until so many workers share the partitions evenly.
func (in *installation) balanced(t testing.TB, workers int) map[string]int {
	t.Helper()
	var have map[string]int
	within(t, patience, "the workers share the partitions evenly", func() bool {
		have = in.owners(t)
		total := 0
		for _, n := range have {
			if n > (partitions+workers-1)/workers {
				return false
			}
			total += n
		}
		return len(have) == workers && total == partitions
	})
	return have
}

// of returns how many partitions the process owns: the names of owners begin with its
// host and pid.
func of(owners map[string]int, m *member) (n int) {
	for owner, k := range owners {
		if parts := strings.Split(owner, "/"); len(parts) == 3 && parts[1] == pid(m) {
			n += k
		}
	}
	return n
}

// busy are the partitions in which sensors of alpha stand.
func (in *installation) busy(t testing.TB) map[int]bool {
	t.Helper()
	rows, err := in.db.Query(t.Context(), `SELECT DISTINCT partition FROM sensor_states s JOIN tenants t ON t.id = s.tenant_id WHERE t.code = $1`, alpha)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]bool{}
	var number int
	if _, err := pgx.ForEachRow(rows, []any{&number}, func() error {
		out[number] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// checkpoints are the log sequences up to which partitions are done.
func (in *installation) checkpoints(t testing.TB) map[int]int64 {
	t.Helper()
	rows, err := in.db.Query(t.Context(), `SELECT number, sequence FROM partitions`)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]int64{}
	var number int
	var sequence int64
	if _, err := pgx.ForEachRow(rows, []any{&number, &sequence}, func() error {
		out[number] = sequence
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
