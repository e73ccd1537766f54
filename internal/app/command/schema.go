package command

import (
	"github.com/spf13/cobra"

	"foresight/graph/schema"
)

func printSchema() *cobra.Command {
	return &cobra.Command{Use: "schema", Short: "Print the schema of the graph", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		_, err := c.OutOrStdout().Write([]byte(schema.SDL()))
		return err
	}}
}
