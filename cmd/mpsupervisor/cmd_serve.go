package main

import (
	_ "embed"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
)

// defaultConfig is the installed configuration; it says every default.
//
//go:embed dist/config.toml
var defaultConfig string

// serveOptions are the flags of serve.
type serveOptions struct {
	config  string
	print   bool
	inPlace bool   // started by run: see inplace.go
	owner   uint32 // who started it, and so may use it
	learn   bool   // in place: what the configuration says for a daemon
}

func newServe(a *app) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon",
		Long: `serve is the daemon. It must be started as root: it starts the launcher, makes
the control socket, and then gives up root for good, on every thread, before it
serves anybody.

SIGTERM and SIGINT: nothing new is begun, calls under way finish (drain_timeout),
every program is ended. A second one ends it at once; the launcher, when it
notices, ends what is left.
SIGHUP: the configuration is read again. What can change changes; what needs a
restart is named in the log.

Under systemd it tells when it is ready, reloading and stopping (sd_notify).`,
		Example: `  sudo mpsupervisor serve
  sudo mpsupervisor serve --config ./config.toml --socket /tmp/control.sock
  mpsupervisor serve --print-config > config.toml`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.print {
				_, err := fmt.Fprint(a.out, defaultConfig)
				return err
			}
			return a.serve(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "configuration file (default "+config.DefaultFile+" if it exists)")
	f.BoolVar(&o.print, "print-config", false, "print a configuration file with every default, and exit")
	f.BoolVar(&o.inPlace, "in-place", false, "")
	f.Uint32Var(&o.owner, "owner", 0, "")
	f.BoolVar(&o.learn, "learn", false, "")
	cobra.CheckErr(f.MarkHidden("in-place"))
	cobra.CheckErr(f.MarkHidden("owner"))
	cobra.CheckErr(f.MarkHidden("learn"))
	cobra.CheckErr(cmd.MarkFlagFilename("config", "toml"))
	return cmd
}
