// Package probe finds out what a host offers for sealing workers, and says how
// to get what is missing.
//
// Each feature is tried, not looked up: a kernel may be configured without it,
// and a container or a security module may forbid it. What leaves a trace in
// the process that tries it is tried in a child that ends at once; whoever uses
// the package starts that child (Options.Child) and hands it to Child.
//
// A probe that needs root, run by somebody else, says so instead of guessing.
package probe

import (
	"context"
	"os/exec"
)

// Status is what a probe came to.
type Status string

// The statuses.
const (
	OK              Status = "ok"
	Missing         Status = "missing"          // required: no worker can be sealed
	OptionalMissing Status = "optional-missing" // something is slower, or told in less detail
	NeedsRoot       Status = "needs-root"       // could not be tried
)

// Result is one feature of the host.
type Result struct {
	Group    string `json:"group"`
	Name     string `json:"name"`
	Required bool   `json:"required"`
	Status   Status `json:"status"`
	Found    string `json:"found"` // a version, a number, or the kernel's refusal
	For      string `json:"for"`   // what it is needed for
	Get      string `json:"get"`   // how to get it; "" when it is there
}

// Options say what is asked of the host.
type Options struct {
	// UIDBase and UIDs are the first user id of the workers and their number.
	UIDBase, UIDs uint32
	// Child makes a command that calls Child(name) and exits with what it
	// returns. It must not have started.
	Child func(ctx context.Context, name string) *exec.Cmd
}

// feature is a row of the table: what it is, and how it is tried.
type feature struct {
	group    string
	name     string
	optional bool
	purpose  string
	get      string
	try      func(context.Context, Options) finding
}

// finding is the outcome of a try.
type finding struct {
	ok       bool
	root     bool   // it was not tried: only root can
	optional bool   // this host can do without it, as it turned out
	found    string // for people
}

func there(found string) finding  { return finding{ok: true, found: found} }
func absent(found string) finding { return finding{found: found} }

// onlyRoot is the finding of a probe that somebody else cannot make.
func onlyRoot() finding { return finding{root: true, found: "only root can look"} }

// result turns an error of the kernel into a finding.
func result(err error, found string) finding {
	if err != nil {
		return absent(err.Error())
	}
	return there(found)
}

// Host tries every feature, in the order of a start.
func Host(ctx context.Context, o Options) []Result {
	var all []Result
	for _, table := range [][]feature{kernel, namespaces, groups, locks, handles, natives} {
		for _, f := range table {
			all = append(all, f.result(f.try(ctx, o)))
		}
	}
	return all
}

func (f feature) result(found finding) Result {
	optional := f.optional || found.optional
	r := Result{Group: f.group, Name: f.name, Required: !optional, Status: OK, Found: found.found, For: f.purpose}
	switch {
	case found.root:
		r.Status = NeedsRoot
		r.Get = "run it as root to see"
	case found.ok:
		return r
	case optional:
		r.Status = OptionalMissing
		r.Get = f.get
	default:
		r.Status = Missing
		r.Get = f.get
	}
	return r
}

// All reports whether every required feature was found, and how many of them
// could not be looked at.
func All(results []Result) (found bool, unknown int) {
	found = true
	for _, r := range results {
		switch {
		case !r.Required:
		case r.Status == NeedsRoot:
			unknown++
		case r.Status != OK:
			found = false
		}
	}
	return found && unknown == 0, unknown
}
