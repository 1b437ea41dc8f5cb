package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func newVersion(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Print the version of this program",
		Example:           "  mpsupervisor version -o json",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return a.version() },
	}
	a.addFormat(cmd, formatTable)
	return cmd
}

type versionView struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"` // "" when the build does not know
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) version() error {
	v := versionView{Version: mp.Version, Commit: commit(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if a.format == formatJSON {
		return printJSON(a.out, v)
	}
	t := newTable(a.out)
	t.row("version", v.Version)
	if v.Commit != "" {
		t.row("commit", v.Commit)
	}
	t.row("go", v.Go)
	t.row("platform", v.Platform)
	return t.flush()
}

// commitFromBuild is set by a build that has no repository at hand (-ldflags -X).
var commitFromBuild string

func commit() string {
	if commitFromBuild != "" {
		return commitFromBuild
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
