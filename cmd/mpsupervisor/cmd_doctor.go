package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/isolate/probe"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// probeCommand is the hidden command by which doctor tries in a child what
// would leave a trace in itself.
const probeCommand = "probe-in-child"

func newDoctor(a *app) *cobra.Command {
	var role, configFile string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what this host lacks, and how to get it",
		Long: `doctor tries every feature of the host that sealing a worker needs, or that is
of use, and looks at the installation. What is missing is said with what it is
for and how to get it. Some probes need root; those say so.

The exit status is 0 if every required feature was found, else 1.

With --seccomp it prints the table of system calls of a kind of worker instead.`,
		Example: `  sudo mpsupervisor doctor
  mpsupervisor doctor -o json | jq '.features[] | select(.status != "ok")'
  mpsupervisor doctor --seccomp js`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("seccomp") {
				return a.seccompTable(cmd, role)
			}
			return a.doctor(cmd.Context(), configFile)
		},
	}
	f := cmd.Flags()
	f.StringVar(&role, "seccomp", "", "print the system calls of this role: "+strings.Join(roles(), ", "))
	f.StringVar(&configFile, "config", "", "configuration file (default "+config.DefaultFile+" if it exists)")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("seccomp", cobra.FixedCompletions(roles(), cobra.ShellCompDirectiveNoFileComp)))
	cobra.CheckErr(cmd.MarkFlagFilename("config", "toml"))
	a.addFormat(cmd, formatTable)
	return cmd
}

func newProbe(a *app) *cobra.Command {
	return &cobra.Command{
		Use: probeCommand + " NAME", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if status := probe.Child(args[0], a.out); status != 0 {
				return &statusError{status: status}
			}
			return nil
		},
	}
}

type doctorView struct {
	OK        bool           `json:"ok"`
	NeedsRoot int            `json:"needs_root"` // required features that could not be looked at
	Features  []probe.Result `json:"features"`
}

func (a *app) doctor(ctx context.Context, configFile string) error {
	cfg, _, err := config.Load(configFile)
	if err != nil {
		return err
	}
	results := probe.Host(ctx, probe.Options{
		UIDBase: cfg.UIDBase, UIDs: cfg.UIDs(),
		Child: func(ctx context.Context, name string) *exec.Cmd {
			return selfCommand(ctx, probeCommand, name)
		},
	})
	results = append(results, a.installation(ctx, cfg)...)
	ok, unknown := probe.All(results)
	v := doctorView{OK: ok, NeedsRoot: unknown, Features: results}
	if a.format == formatJSON {
		err = printJSON(a.out, v)
	} else {
		err = v.print(a)
	}
	if err == nil && !ok {
		return &statusError{status: 1}
	}
	return err
}

func (v doctorView) print(a *app) error {
	t := newTable(a.out)
	t.row("STATUS", "GROUP", "FEATURE", "FOUND")
	for _, r := range v.Features {
		t.row(string(r.Status), r.Group, r.Name, r.Found)
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, r := range v.Features {
		if r.Status == probe.Missing || r.Status == probe.OptionalMissing {
			text := fmt.Sprintf("\n%s: %s\n  for: %s\n  get: %s", r.Status, r.Name, r.For, r.Get)
			fmt.Fprintln(a.out, printable(text, true))
		}
	}
	fmt.Fprintln(a.out, "\n"+v.summary())
	return nil
}

func (v doctorView) summary() string {
	switch {
	case v.OK:
		return "Every required feature is there."
	case v.NeedsRoot > 0:
		return fmt.Sprintf("%d required features could not be looked at: run sudo mpsupervisor doctor.", v.NeedsRoot)
	}
	return "Something required is missing: no program can be run before it is there."
}

// seccompTable prints what a role may call.
func (a *app) seccompTable(cmd *cobra.Command, role string) error {
	rows, err := seccomp.Explain(seccomp.Role(role))
	if err != nil {
		return &usageError{cmd: cmd, err: fmt.Errorf("%w; the roles are %s", err, strings.Join(roles(), ", "))}
	}
	if a.format == formatJSON {
		return printJSON(a.out, rows)
	}
	t := newTable(a.out)
	t.row("SYSTEM CALL", "ARGUMENTS", "ACTION", "REASON")
	for _, r := range rows {
		t.row(r.Syscall, r.Arguments, r.Action, r.Reason)
	}
	return t.flush()
}

func roles() (names []string) {
	for _, r := range seccomp.Roles() {
		names = append(names, string(r))
	}
	return names
}

// installation looks at what belongs to this project on the host.
func (a *app) installation(ctx context.Context, cfg config.Config) []probe.Result {
	var all []probe.Result
	for _, c := range []check{
		{name: "launcher", purpose: "the privileged half, which seals workers", required: true,
			get: "install it beside this program, or configure launcher", look: otherProgram(ctx, cfg.Launcher, "mplauncher", "--version")},
		{name: "worker", purpose: "the program that each worker runs", required: true,
			get: "install it beside this program, or configure worker", look: otherProgram(ctx, cfg.Worker, "mpworker", "version")},
		{name: "heap image", purpose: "starting the engine by mapping it; without, every worker evaluates it anew",
			get: "mpworker image FILE, or make install", look: image(ctx, cfg.Image, cfg.Worker)},
		{name: "system user", purpose: "the supervisor's rights are its own; without the account it uses a number that belongs to nobody",
			get: "systemd-sysusers, or useradd --system --no-create-home " + cfg.User, look: account(cfg.User)},
		{name: "operators' group", purpose: "using the control socket without being root",
			get: "systemd-sysusers, or groupadd --system " + cfg.Group, look: operators(cfg.Group)},
		{name: "run directory", purpose: "the control socket, and what the launcher keeps until a reboot", required: true,
			get: "mkdir -m 755 " + cfg.RunDir + ", owned by root", look: runDirectory(cfg.RunDir)},
		{name: "daemon", purpose: "running programs without being root; without, run starts a supervisor in place",
			get: "systemctl start mpsupervisor, or sudo mpsupervisor serve", look: func() (bool, string) { return a.daemonAnswers(ctx) }},
	} {
		all = append(all, c.result())
	}
	return all
}

// check is one look at the installation.
type check struct {
	name, purpose, get string
	required           bool
	look               func() (ok bool, found string)
}

func (c check) result() probe.Result {
	ok, found := c.look()
	r := probe.Result{Group: "installation", Name: c.name, Required: c.required, Status: probe.OK, Found: found, For: c.purpose}
	switch {
	case ok:
		return r
	case c.required:
		r.Status = probe.Missing
	default:
		r.Status = probe.OptionalMissing
	}
	r.Get = c.get
	return r
}
