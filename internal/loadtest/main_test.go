package loadtest

import (
	"testing"

	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
