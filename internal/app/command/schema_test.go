package command

import (
	"bytes"
	"testing"

	"foresight/graph/schema"
)

func TestSchemaIsPrinted(t *testing.T) {
	var out bytes.Buffer
	root := Root("test")
	root.SetOut(&out)
	root.SetArgs([]string{"schema"})
	if err := root.ExecuteContext(t.Context()); err != nil || out.String() != schema.SDL() {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}
