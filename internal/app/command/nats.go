package command

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"foresight/internal/embedded/natsd"
)

// natsStopWithin bounds the hand-over of leaderships and the closing of streams.
const natsStopWithin = 20 * time.Second

// natsServer runs a server of the cluster that holds the log, by the configuration file
// and the arguments of nats-server.
func natsServer() *cobra.Command {
	return &cobra.Command{Use: "nats -c FILE [--name NAME] [--routes URLS]", Short: "Run a server of the cluster that holds the log, configured as nats-server is",
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			_, log, err := setup()
			if err != nil {
				return err
			}
			s, err := natsd.NewMember(args, log)
			if err != nil {
				return err
			}
			if err := s.Start(c.Context()); err != nil {
				return err
			}
			log.Info("ready", "nats", s.ClientURL())
			<-c.Context().Done()
			ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), natsStopWithin)
			defer cancel()
			return s.Stop(ctx)
		}}
}
