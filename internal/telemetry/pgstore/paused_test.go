package pgstore

import (
	"bytes"
	"context"
	"testing"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"

	"github.com/jackc/pgx/v5"
)

// TestPausedWriterHoldsNobodyUp stops a writer between its insert and its commit; a
// second one writes the same document.
func TestPausedWriterHoldsNobodyUp(t *testing.T) {
	db := testkit.NewDB(t)
	a, b := open(t, db), open(t, db)
	r := sample(id.New(id.Tenant), time.Now().UTC(), 1)
	if err := a.EnsureDays(t.Context(), r.Timestamp, r.Timestamp); err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	stream.WriteString(copyHeader)
	stream.Write(appendStageRow(nil, 0, &r))
	stream.WriteString(copyTrailer)
	inserted, resume, paused := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		paused <- a.staged(t.Context(), stageTable, copyToStage, stream.Bytes(), func(tx pgx.Tx) error {
			_, err := insert(t.Context(), tx, []group{{r.Tenant, 1}})
			close(inserted)
			<-resume
			return err
		})
	}()
	<-inserted
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	again := r
	again.LogSeq = 2
	first, err := b.WriteReadings(ctx, []telemetry.Raw{again})
	close(resume)
	if err != nil || first[0] != 2 {
		t.Errorf("the second writer: %v, %v", first, err)
	}
	if err := <-paused; err == nil {
		t.Error("the paused writer committed")
	}
}
