package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/privilege"
)

// job is one run on its way.
type job struct {
	a         *app
	o         runOptions
	signals   *signals
	session   session
	learnJSON bool

	root    *os.File // with --native
	pkg     *os.File // without
	input   []byte
	runtime string
	req     *controlpb.StartRequest
}

// what names what is run, for errors.
func (j *job) what() string {
	if j.o.native {
		return fmt.Sprintf("%s in %s", j.o.args[0], j.o.root)
	}
	return j.o.dir
}

// open catches a wrong argument before anything is started for it, and opens
// the root directory with the caller's rights.
func (j *job) open() (err error) {
	if !j.o.native {
		return checkDirectory(j.o.dir)
	}
	j.root, err = openRoot(j.o.root)
	return err
}

func (j *job) close() {
	for _, f := range []*os.File{j.root, j.pkg} {
		if f != nil {
			f.Close()
		}
	}
}

// checkDirectory catches a wrong argument before anything is started for it.
func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("cannot run %s: %w: there is no such directory", dir, mp.ErrNotFound)
	case err != nil:
		return fmt.Errorf("cannot run %s: %w", dir, err)
	case !info.IsDir():
		return fmt.Errorf("cannot run %s: %w: it is no directory; name the one that has manifest.json in it", dir, mp.ErrBadPackage)
	}
	return nil
}

// openRoot opens a directory to hand it on; its own name may be a symbolic link.
// The permission to search it is enough.
func openRoot(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("cannot use %s as a root directory: %w: there is no such directory", dir, mp.ErrNotFound)
	case errors.Is(err, unix.ENOTDIR):
		return nil, fmt.Errorf("cannot use %s as a root directory: %w: it is no directory", dir, mp.ErrBadPackage)
	case err != nil:
		return nil, fmt.Errorf("cannot use %s as a root directory: %w", dir, err)
	}
	return f, nil
}

// gather reads package and input while it still may, and then gives up the
// right to. Bytes are copied here; nothing is parsed.
func (j *job) gather() (err error) {
	if !j.o.native {
		if j.pkg, err = bundle.Pack(j.o.dir); err != nil {
			return err
		}
		if j.input, err = j.a.readInput(j.o.input); err != nil {
			return err
		}
	}
	if j.session.inPlace {
		err = privilege.DropAll()
	}
	if err == nil && !j.o.native {
		err = checkInput(j.input)
	}
	return err
}

// put hands the package over, and says what its manifest has wrong.
func (j *job) put(ctx context.Context) error {
	if j.o.native {
		j.runtime = bundle.RuntimeNative
		return nil
	}
	r, err := j.session.client.PutPackage(ctx, j.pkg)
	if err != nil {
		return fmt.Errorf("cannot run %s: %w", j.what(), err)
	}
	for _, w := range r.GetWarnings() {
		where := "manifest.json"
		if w.GetLine() > 0 {
			where += fmt.Sprintf(":%d", w.GetLine())
		}
		text := fmt.Sprintf("warning: %s: %s: %s", where, w.GetMember(), w.GetMessage())
		fmt.Fprintln(j.a.err, printable(text, false))
	}
	j.req.Digest, j.runtime = r.GetDigest(), r.GetRuntime()
	return j.checkRuntime()
}

// checkRuntime refuses what only native programs have; those of WebAssembly have
// arguments, too.
func (j *job) checkRuntime() error {
	o := j.o
	plain := !o.tty && len(o.env) == 0 && o.workdir == ""
	if j.runtime == bundle.RuntimeNative || plain && (len(o.args) == 0 || j.runtime == bundle.RuntimeWasm) {
		return nil
	}
	return fmt.Errorf("cannot run %s: it has the runtime %q: arguments, --tty, --env and --workdir are for native programs", o.dir, j.runtime)
}

// start starts the program. Its error has what to do about it.
func (j *job) start(ctx context.Context, files ...*os.File) (*program, error) {
	p, err := j.a.start(ctx, j.session.client, j.req, files...)
	if err != nil {
		return nil, fmt.Errorf("cannot run %s: %w%s", j.what(), err, startHint(err))
	}
	return p, nil
}

// converse runs a program that this command only talks to through its channel.
func (j *job) converse(ctx context.Context) error {
	switch {
	case j.runtime == bundle.RuntimeNative:
		j.req.Native = j.native()
	case j.runtime == bundle.RuntimeWasm && len(j.o.args) > 0:
		j.req.Native = &controlpb.Native{Args: j.o.args}
	}
	p, err := j.start(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	if p.exit == nil && j.o.verbose {
		if err := j.a.printSeal(ctx, j.session.client, p.id); err != nil {
			return errors.Join(err, p.kill())
		}
	}
	switch {
	case p.exit != nil:
		err = exitError(exitOf(p.exit))
	case j.o.call == "":
		err = p.wait(ctx)
	default:
		err = p.callOnce(ctx, j.a, j.o.call, j.input)
	}
	return j.learned(p, err)
}
