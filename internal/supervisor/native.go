package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// attachments are the descriptors that came with a start. They are closed when
// the start has been answered: whoever needs one longer has its own by then.
type attachments struct {
	root  *os.File   // nil if the program is in a package
	stdio []*os.File // nil, or three
}

// attach sorts the descriptors that a request announced, and checks each. They
// are the caller's to close, whatever the error.
func attach(n *controlpb.Native, files []*os.File) (a attachments, err error) {
	if n.GetRoot() {
		a.root, files = files[0], files[1:]
		err = checkRoot(a.root)
	}
	a.stdio = files
	if err == nil && n.GetTty() && !n.GetStdio() {
		err = fmt.Errorf("%w: tty needs stdio: the terminal comes as the standard input", control.ErrBadRequest)
	}
	if err == nil {
		err = checkStdio(a.stdio, n.GetTty())
	}
	return a, err
}

func (a *attachments) close() {
	closeAll(a.root)
	closeAll(a.stdio...)
}

// announced is how many descriptors a request says that it brings.
func announced(n *controlpb.Native) (count int) {
	if n.GetRoot() {
		count++
	}
	if n.GetStdio() {
		count += len(streams)
	}
	return count
}

// defaultEnv is what a native program finds that nobody set variables for. The
// worker adds the one that names the descriptor to its host.
var defaultEnv = []string{
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/tmp", "TMPDIR=/tmp", // the only place where it may write
	"USER=mp", "LOGNAME=mp", "LANG=C.UTF-8",
}

// maxNativeName bounds the name of a directory's program, in bytes.
const maxNativeName = 100

// directory is the program of a directory that came with the start. It has no
// manifest and no digest: its name says that it is not one of a package.
func directory(n *controlpb.Native) (program, error) {
	args := n.GetArgs()
	if len(args) == 0 || args[0] == "" {
		return program{}, fmt.Errorf("%w: a root directory without a program to execute in it", control.ErrBadRequest)
	}
	name := n.GetName()
	if name == "" {
		name = readable(path.Base(args[0]))
	}
	if len(name) > maxNativeName || name != readable(name) {
		return program{}, fmt.Errorf("%w: the name %.40q is not 1 to %d bytes of text without control characters", control.ErrBadRequest, name, maxNativeName)
	}
	p := program{role: launch.RoleNative, app: mp.AppID("native:" + name), name: name}
	p.native = nativeOf(n, args, nil)
	return p, p.checkNative()
}

// readable makes a name of what may be any bytes.
func readable(s string) string {
	if len(s) > maxNativeName {
		s = s[:maxNativeName]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '_'
		}
		return r
	}, s)
}

// nativePackage is the program of a package with the runtime native.
func nativePackage(p *pack, n *controlpb.Native) (program, error) {
	prog, v := packaged(p), p.Manifest.Vendor
	prog.role, prog.only = launch.RoleNative, v.Native.Syscalls
	args := append([]string{strings.TrimPrefix(v.Entry, archive.Root)}, v.Native.Args...)
	prog.native = nativeOf(n, append(args, n.GetArgs()...), v.Native.Env)
	return prog, prog.checkNative()
}

func nativeOf(n *controlpb.Native, args, env []string) *wire.Native {
	return &wire.Native{
		Args:  args,
		Env:   merged(defaultEnv, env, n.GetEnv()),
		Dir:   n.GetDir(),
		Stdio: n.GetStdio(),
		TTY:   n.GetTty(),
	}
}

// merged lays lists of NAME=VALUE over each other: the last one counts.
func merged(lists ...[]string) (env []string) {
	at := map[string]int{}
	for _, list := range lists {
		for _, v := range list {
			name, _, _ := strings.Cut(v, "=")
			if n, there := at[name]; there {
				env[n] = v
				continue
			}
			at[name] = len(env)
			env = append(env, v)
		}
	}
	return env
}

// checkNative holds what the caller and the manifest made together against what
// a worker takes.
func (p *program) checkNative() error {
	err := checkEnv(p.native.Env)
	if d := p.native.Dir; err == nil && d != "" && !path.IsAbs(d) {
		err = fmt.Errorf("the directory %.80q does not begin with /", d)
	}
	if err == nil {
		_, err = wire.Marshal(wire.MethodBoot, bootOf(p, mp.DefaultLimits()))
	}
	if err != nil {
		return fmt.Errorf("%w: cannot execute the program: %w", control.ErrBadRequest, err)
	}
	return nil
}

func checkEnv(env []string) error {
	for _, v := range env {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			return fmt.Errorf("the variable %.40q is not NAME=VALUE", v)
		}
	}
	return nil
}

// programOf makes the program that a start asks for. The package, if any, is
// held by the caller.
func programOf(p *pack, n *controlpb.Native) (program, error) {
	switch {
	case p == nil:
		return directory(n)
	case p.Manifest.Vendor.Runtime == bundle.RuntimeNative:
		if n.GetName() != "" {
			return program{}, fmt.Errorf("%w: the name of a package's program is its manifest's", control.ErrBadRequest)
		}
		return nativePackage(p, n)
	case p.Manifest.Vendor.Runtime == bundle.RuntimeWasm && onlyArgs(n):
		return wasmPackage(p, n)
	case n != nil:
		return program{}, fmt.Errorf("%w: %s has the runtime %q: it takes no arguments, variables or descriptors", control.ErrBadRequest, p.Manifest.AppID, p.Manifest.Vendor.Runtime)
	}
	return packaged(p), nil
}

// onlyArgs reports whether a start brings arguments at the most.
func onlyArgs(n *controlpb.Native) bool {
	return n == nil || n.GetName() == "" && len(n.GetEnv()) == 0 && n.GetDir() == "" && !n.GetStdio() && !n.GetTty()
}

// wasmPackage is the program of a package with the runtime wasm.
func wasmPackage(p *pack, n *controlpb.Native) (program, error) {
	prog := packaged(p)
	prog.args = n.GetArgs()
	if _, err := wire.Marshal(wire.MethodBoot, bootOf(&prog, mp.DefaultLimits())); err != nil {
		return program{}, fmt.Errorf("%w: cannot run the program: %w", control.ErrBadRequest, err)
	}
	return prog, nil
}

// errNoRoots says that a supervisor was made without a place to extract to.
var errNoRoots = errors.New("this supervisor has no directory for the roots of packages")

// extract adds the root directory of a native program that is in a package.
func (s *Supervisor) extract(p *program, a *attachments) (err error) {
	switch {
	case p.role != launch.RoleNative || p.pack == nil:
		return nil
	case s.cfg.Roots == nil:
		return errNoRoots
	}
	a.root, err = s.cfg.Roots.Open(p.pack.Package)
	return err
}
