package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// childTimeout bounds one try in a child.
const childTimeout = 10 * time.Second

// children are what can be tried in a child.
var children = map[string]func() error{
	"nothing":      func() error { return nil },
	"no_new_privs": childNoNewPrivs,
	"securebits":   childSecurebits,
	"keyring":      childKeyring,
	"landlock":     childLandlock,
	"mdwe":         childMDWE,
	"seccomp":      childSeccomp,
	"seccomp-kill": childSeccompKill,
	"overlayfs":    childOverlay,
	"devices":      childDevices,
}

// Child does in this process what the name says, writes to w what went wrong,
// and returns the exit status. The process must end then.
func Child(name string, w io.Writer) int {
	try, ok := children[name]
	if !ok {
		fmt.Fprintf(w, "there is no probe called %q", name)
		return 2
	}
	if err := try(); err != nil {
		fmt.Fprint(w, err)
		return 1
	}
	return 0
}

// inChild tries name in a child with these attributes, or none.
func inChild(ctx context.Context, o Options, name string, attr *syscall.SysProcAttr) error {
	ctx, cancel := context.WithTimeout(ctx, childTimeout)
	defer cancel()
	cmd := o.Child(ctx, name)
	cmd.SysProcAttr = attr
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	if text := strings.TrimSpace(out.String()); err != nil && text != "" {
		return errors.New(text)
	}
	return err
}

// child is a try in a child that leaves nothing to say when it works.
func child(name, found string) func(context.Context, Options) finding {
	return func(ctx context.Context, o Options) finding { return result(inChild(ctx, o, name, nil), found) }
}

// endedBy reports the signal that ended a child.
func endedBy(err error) (syscall.Signal, bool) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return status.Signal(), ok && status.Signaled()
}
