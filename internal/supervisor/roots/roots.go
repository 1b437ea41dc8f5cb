// Package roots keeps the root directories of native programs that came in
// packages, each extracted once, by the package's digest.
//
// Take makes a directory for one supervisor while it is still root; everything
// else works as the user whom that directory then belongs to. A lock on a file
// beside it says that its supervisor lives: the kernel lets go of it however the
// supervisor ends, and the next Take removes what a dead one left.
//
// Nobody else may write there, and programs get it read-only. Do not assume more
// of what is in it than that it came out of a checked package.
package roots

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Count is how many supervisors can have a directory at once.
const Count = 64

// Dir is one supervisor's directory. Its methods may be called concurrently.
type Dir struct {
	lock *os.File
	top  *os.Root

	mu    sync.Mutex
	roots map[mp.Digest]*root
}

// root is one package's directory.
type root struct {
	sync.Mutex
	there bool
}

// Take makes a directory below runDir/roots for the user uid and group gid,
// which must be numbers of whom this process can become. It needs root, and
// removes what dead supervisors left there.
func Take(runDir string, uid, gid int) (*Dir, error) {
	d, err := take(filepath.Join(runDir, "roots"), uid, gid)
	if err != nil {
		return nil, fmt.Errorf("cannot make a directory for the roots of programs: %w", err)
	}
	return d, nil
}

func take(above string, uid, gid int) (*Dir, error) {
	if err := os.MkdirAll(above, 0o755); err != nil {
		return nil, err
	}
	all, err := os.OpenRoot(above)
	if err != nil {
		return nil, err
	}
	defer all.Close()
	var mine *Dir
	for n := range Count {
		name := strconv.Itoa(n)
		lock, err := lockFile(all, name+".lock", mine == nil)
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, os.ErrNotExist) {
			continue // somebody's, or nobody's ever
		}
		if err == nil {
			err = all.RemoveAll(name)
		}
		if err == nil && mine == nil {
			mine, err = own(all, name, lock, uid, gid)
		} else if lock != nil {
			lock.Close()
		}
		if err != nil {
			return nil, err
		}
	}
	if mine == nil {
		return nil, fmt.Errorf("all %d in %s are taken", Count, above)
	}
	return mine, nil
}

// lockFile locks a file, which it makes if it may, or fails with EWOULDBLOCK.
func lockFile(all *os.Root, name string, create bool) (*os.File, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	f, err := all.OpenFile(name, flags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// own makes the directory under a lock that is held, and takes the lock over.
func own(all *os.Root, name string, lock *os.File, uid, gid int) (_ *Dir, err error) {
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()
	if err := all.Mkdir(name, 0o700); err != nil {
		return nil, err
	}
	if err := all.Chown(name, uid, gid); err != nil {
		return nil, err
	}
	top, err := all.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &Dir{lock: lock, top: top, roots: map[mp.Digest]*root{}}, nil
}

// Open gives the root directory of a native program's package, which it
// extracts at the first call. The caller closes it.
func (d *Dir) Open(p *bundle.Package) (*os.File, error) {
	r := d.hold(p.Digest)
	defer r.Unlock()
	name := nameOf(p.Digest)
	if !r.there {
		if err := d.extract(p, name); err != nil {
			d.top.RemoveAll(name)
			return nil, err
		}
		r.there = true
	}
	return d.top.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
}

// hold locks the entry of a digest, which it makes if there is none.
func (d *Dir) hold(digest mp.Digest) *root {
	for {
		d.mu.Lock()
		r := d.roots[digest]
		if r == nil {
			r = &root{}
			d.roots[digest] = r
		}
		d.mu.Unlock()
		r.Lock()
		d.mu.Lock()
		same := d.roots[digest] == r
		d.mu.Unlock()
		if same {
			return r
		}
		r.Unlock() // it was removed meanwhile
	}
}

func (d *Dir) extract(p *bundle.Package, name string) error {
	if err := d.top.Mkdir(name, 0o755); err != nil {
		return fmt.Errorf("cannot make the program's root directory: %w", err)
	}
	if err := d.top.Chmod(name, 0o755); err != nil { // whatever the umask
		return fmt.Errorf("cannot make the program's root directory: %w", err)
	}
	dir, err := d.top.OpenRoot(name)
	if err != nil {
		return fmt.Errorf("cannot open the program's root directory: %w", err)
	}
	defer dir.Close()
	return bundle.ExtractRoot(p, dir)
}

// Remove removes what Open extracted, if it did. Programs that still run from
// it lose their files: the caller knows that there are none.
func (d *Dir) Remove(digest mp.Digest) error {
	r := d.hold(digest)
	defer r.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.roots, digest)
	}()
	if !r.there {
		return nil
	}
	if err := d.top.RemoveAll(nameOf(digest)); err != nil {
		return fmt.Errorf("cannot remove a program's root directory: %w", err)
	}
	return nil
}

// Close removes everything, and lets go of the directory. The directory itself
// stays, empty, for the next Take: it lies where only root may remove it.
func (d *Dir) Close() error {
	d.mu.Lock()
	var digests []mp.Digest
	for digest := range d.roots {
		digests = append(digests, digest)
	}
	d.mu.Unlock()
	var errs []error
	for _, digest := range digests {
		errs = append(errs, d.Remove(digest))
	}
	return errors.Join(append(errs, d.top.Close(), d.lock.Close())...)
}

func nameOf(d mp.Digest) string { return hex.EncodeToString(d[:]) }
