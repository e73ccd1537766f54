package natsd

import (
	"errors"
	"flag"
	"log/slog"

	"github.com/nats-io/nats-server/v2/server"
)

// NewMember returns a server of a cluster, which is not started yet, for arguments and a
// configuration file as nats-server has them (-c, --name, --routes, …). It is NATS as it
// is but for three things: it logs as the product does, a follower stands for election
// sooner (see elections.go), and it goes on by itself after its disk was full.
func NewMember(args []string, log *slog.Logger) (*Server, error) {
	if _, err := parse(args); err != nil {
		return nil, err
	}
	return &Server{args: args, logs: &logAdapter{log: log.With("part", "nats")}}, nil
}

// parse reads the arguments, and the file that they name.
func parse(args []string) (*server.Options, error) {
	fs := flag.NewFlagSet("nats", flag.ContinueOnError)
	asked := false
	ask := func() { asked = true }
	o, err := server.ConfigureOptions(fs, args, ask, fs.Usage, ask)
	switch {
	case err != nil:
		return nil, err
	case asked || o == nil:
		return nil, flag.ErrHelp
	case !o.JetStream || o.StoreDir == "":
		return nil, errors.New("a server of the log needs jetstream with a store_dir")
	}
	o.NoSigs = true
	return o, nil
}
