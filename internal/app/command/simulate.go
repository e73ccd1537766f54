package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"foresight/internal/app/demo"
	"foresight/internal/simulate"
)

func simulation() *cobra.Command {
	c := &cobra.Command{Use: "simulate", Short: "Publish the readings of simulated machines over MQTT", Args: cobra.NoArgs,
		Long: `Publishes readings of simulated machines for sensors that exist. By default the
machines are those of the demo; --sensors names others.`}
	f := c.Flags()
	o := demo.SimulationOptions{}
	f.StringVar(&o.Broker, "broker", "tcp://127.0.0.1:1883", "address of the MQTT broker")
	f.StringVar(&o.Tenant, "tenant", "alpha-grid", "code of the tenant")
	f.StringVar(&o.Username, "user", "", "MQTT user (default: the demo's gateway of each site)")
	f.StringVar(&o.Password, "password", demo.GatewayPassword, "MQTT password")
	f.StringSliceVar(&o.Sensors, "sensors", nil, "sensors as site/sensor (default: the demo's)")
	f.IntVar(&o.Assets, "assets", 10, "number of machines")
	f.Float64Var(&o.Rate, "rate", 1, "readings per second of each machine")
	f.StringVar(&o.Fault, "fault", "", "fault that every machine shows, such as cavitation")
	f.Float64Var(&o.Severity, "severity", 0.8, "how far the fault has gone, 0-1")
	duration := f.Duration("for", 0, "stop after this time (default: run until Ctrl-C)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		_, log, err := setup()
		if err != nil {
			return err
		}
		publishers, err := o.Publishers(log)
		if err != nil {
			return err
		}
		ctx := c.Context()
		if *duration > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, *duration)
			defer cancel()
		}
		return publish(ctx, c, publishers)
	}
	return c
}

// publish runs the publishers until the context ends and says every few seconds
// how far they are.
func publish(ctx context.Context, c *cobra.Command, publishers []*simulate.Publisher) (err error) {
	for _, p := range publishers {
		if err := p.Start(ctx); err != nil {
			return err
		}
		defer func() {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			err = errors.Join(err, p.Stop(stop))
		}()
	}
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			report(c, publishers)
			return nil
		case <-tick.C:
			report(c, publishers)
		}
	}
}

func report(c *cobra.Command, publishers []*simulate.Publisher) {
	var published, acknowledged uint64
	for _, p := range publishers {
		s := p.Stats()
		published += s.Published
		acknowledged += s.Acknowledged
	}
	fmt.Fprintf(c.OutOrStdout(), "published %d, acknowledged %d\n", published, acknowledged)
}
