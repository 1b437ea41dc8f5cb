// Package isolate starts workers: processes that can reach nothing but the
// descriptors they were given.
//
// A Launcher is opened once, by root, in a program that has called
// stage.Enter. Start makes one worker from a Spec: seven namespaces, a user id
// of its own on the host, a read-only root with the worker's binary and nothing
// else, no capability, limits. What the worker does to itself afterwards is in
// package enter, what each lock stops in package lock, and whether all of them
// hold is for package verify to read from the kernel.
//
// Do not assume that a worker is confined because Start returned: before the
// worker has installed its system call filter it is confined by the launcher's
// half of the locks alone, which is why it must not yet have read anything
// from a stranger.
package isolate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Launcher starts workers. Its methods may be called concurrently.
type Launcher struct {
	conf Config

	bones  *os.File // the skeleton of native programs' roots
	binary *os.File // the worker's binary as workers may execute it
	unfit  error    // why no native program can be started, if so

	settled chan struct{} // closed when this process is where workers are started from
	astray  error         // why it is not
	leave   func() error  // takes it back from there
}

// Open makes what all workers share: the state directory and in it the root
// file system. Close takes both away.
func Open(conf Config) (_ *Launcher, err error) {
	if err := conf.check(); err != nil {
		return nil, err
	}
	l := &Launcher{conf: conf}
	// The directory is in this lane alone, so whatever is in it is a leftover.
	if err := l.Close(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	for _, dir := range []string{conf.StateDir, l.files(), l.states()} {
		if err := mkdir(dir, 0o711); err != nil {
			return nil, err
		}
	}
	if err := passable(l.files()); err != nil {
		return nil, err
	}
	if err := l.makeRoot(); err != nil {
		return nil, err
	}
	l.settle()
	return l, l.finish()
}

// settle moves this process to where a worker's cgroup namespace shows nothing
// of the host's groups. That may wait some milliseconds for the kernel, so it
// goes on while other things are made; Start waits for it.
func (l *Launcher) settle() {
	l.settled = make(chan struct{})
	go func() {
		defer close(l.settled)
		l.leave, l.astray = l.conf.Groups.Settle()
	}()
}

// unsettle takes this process back.
func (l *Launcher) unsettle() error {
	if l.settled == nil {
		return nil
	}
	<-l.settled
	l.settled = nil
	if l.leave == nil {
		return nil
	}
	return l.leave()
}

// finish makes what native programs need, opens what every start needs, and
// then lets nobody change the file system any more.
func (l *Launcher) finish() (err error) {
	l.unfit = l.makeNatives()
	if l.binary, err = openPath(filepath.Join(l.root(), l.program())); err != nil {
		return err
	}
	if l.unfit == nil {
		l.bones, l.unfit = openPath(l.skeleton())
	}
	const remount = unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOEXEC | unix.MS_NOSUID | unix.MS_NODEV
	if err := unix.Mount("", l.files(), "", remount, ""); err != nil {
		return fmt.Errorf("cannot make root file system read-only: %w", err)
	}
	return nil
}

// openPath opens a file to be named by its descriptor.
func openPath(name string) (*os.File, error) {
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// passable checks that others may pass through dir and all above it: a worker's
// start, no longer root on the host by then, looks up its root file system.
func passable(dir string) error {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("cannot make state directory: %w", err)
		}
		if info.Mode()&1 == 0 {
			return fmt.Errorf("cannot use state directory: workers' users may not pass %s (chmod o+x)", dir)
		}
		if dir == "/" {
			return nil
		}
	}
}

func mkdir(dir string, mode os.FileMode) error {
	if err := os.MkdirAll(dir, mode); err != nil {
		return fmt.Errorf("cannot make state directory: %w", err)
	}
	return os.Chmod(dir, mode) // whatever the umask is
}

// Close removes what Open made. There must be no worker left.
func (l *Launcher) Close() error {
	if err := l.unsettle(); err != nil {
		return err
	}
	for _, f := range []*os.File{l.bones, l.binary} {
		f.Close() // nil is no file to close, and an open one keeps nothing mounted
	}
	if err := unmount(l.files()); err != nil {
		return err
	}
	if err := os.RemoveAll(l.conf.StateDir); err != nil {
		return fmt.Errorf("cannot remove state directory: %w", err)
	}
	return nil
}

// unmount takes away everything mounted on dir; nothing there is no error.
func unmount(dir string) error {
	err := unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if err != nil && err != unix.EINVAL && err != unix.ENOENT {
		return fmt.Errorf("cannot unmount %s: %w", dir, err)
	}
	return nil
}

// files is where the file system is mounted that the workers' root is part of.
func (l *Launcher) files() string { return filepath.Join(l.conf.StateDir, "files") }

// root is the root file system that all workers see.
func (l *Launcher) root() string { return filepath.Join(l.files(), "root") }

// empty is an empty directory.
func (l *Launcher) empty() string { return filepath.Join(l.files(), "empty") }

// states is where libcontainer keeps its notes on running workers.
func (l *Launcher) states() string { return filepath.Join(l.conf.StateDir, "run") }

// program is the worker's binary as the worker sees it.
func (l *Launcher) program() string { return "/" + filepath.Base(l.conf.Binary) }

// makeRoot makes the root file system: in memory, of no use but to hold the
// mount points of the worker's binary and of an empty directory. Every flag set
// here is locked in the workers' mounts, which are copies in a lesser user
// namespace (mount_namespaces(7)).
func (l *Launcher) makeRoot() error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV
	if err := unix.Mount("mpsupervisor", l.files(), "tmpfs", flags|unix.MS_NOEXEC, "mode=755,size=64k,nr_inodes=16"); err != nil {
		return fmt.Errorf("cannot mount root file system: %w", err)
	}
	for _, dir := range []string{l.root(), l.empty(), filepath.Join(l.root(), "dev")} {
		if err := mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	program := filepath.Join(l.root(), l.program())
	if err := os.WriteFile(program, nil, 0o444); err != nil {
		return fmt.Errorf("cannot make mount point: %w", err)
	}
	return bindReadOnly(l.conf.Binary, program, flags)
}

// bindReadOnly shows the file from at to. The flags of a bind mount can only
// be changed once it is there.
func bindReadOnly(from, to string, flags uintptr) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cannot bind %s: %w", from, err)
	}
	if err := unix.Mount("", to, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|flags, ""); err != nil {
		return fmt.Errorf("cannot make %s read-only: %w", to, err)
	}
	return nil
}
