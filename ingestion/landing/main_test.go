package landing

import (
	"log/slog"
	"os"
	"testing"

	"foresight/internal/testkit"
)

func TestMain(m *testing.M) {
	if os.Getenv(childNATS) != "" {
		if err := workerProcess(); err != nil {
			slog.Error("worker process", "error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testkit.Main(m)
}
