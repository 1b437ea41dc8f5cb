package image

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Options bound what a store keeps.
type Options struct {
	Ready      int   // ready images; 0: none are kept
	ReadyBytes int64 // of all ready images together, as they lie in memory
}

// Store keeps images in one directory:
//
//	key                    32 bytes
//	lock                   locked while a supervisor has the store
//	registry               hibernated programs
//	counter                how often the registry changed
//	instances/ID.image     the heap of a hibernated program
//	instances/ID.state     what it saved itself
//	packages/DIGEST        what hibernated programs are programs of
//	ready/DIGEST           ready images
//
// Its methods may be called concurrently.
type Store struct {
	lock      *os.File
	key       key
	top       folder
	instances folder
	packages  folder
	cache     folder

	mu       sync.Mutex
	registry registry
	drafts   map[mp.Digest]int // packages that are being kept
	ready    ready
}

// ErrInUse is the error of Open when another supervisor has the store.
var ErrInUse = errors.New("another supervisor uses it")

// Open opens the store in a directory that belongs to this user, and removes what
// is of no use in it. Lost is not nil when there was a registry that could not be
// trusted: its programs are gone, and the store begins without any.
func Open(dir string, o Options) (s *Store, lost, err error) {
	s, lost, err = open(dir, o)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot keep images in %s: %w", dir, err)
	}
	return s, lost, nil
}

func open(dir string, o Options) (_ *Store, lost, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	s := &Store{top: folder{root}, drafts: map[mp.Digest]int{}}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := private(root, "."); err != nil {
		return nil, nil, err
	}
	if s.lock, err = lockFile(root); err != nil {
		return nil, nil, err
	}
	if err := s.openKey(); err != nil {
		return nil, nil, err
	}
	for _, sub := range []struct {
		name string
		to   *folder
	}{{"instances", &s.instances}, {"packages", &s.packages}, {"ready", &s.cache}} {
		if *sub.to, err = subfolder(root, sub.name); err != nil {
			return nil, nil, err
		}
	}
	if lost, err = s.openRegistry(); err != nil {
		return nil, nil, err
	}
	if err := s.sweep(); err != nil {
		return nil, nil, err
	}
	return s, lost, s.openReady(o)
}

// private refuses what others than its owner, this user, could read or change.
func private(root *os.Root, name string) error {
	st, err := root.Stat(name)
	if err != nil {
		return err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o: others than its owner may use it", name, st.Mode().Perm())
	}
	return nil
}

func lockFile(root *os.Root) (*os.File, error) {
	f, err := root.OpenFile("lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, err
	}
	return f, nil
}

// openKey reads the key, which it makes if there is none.
func (s *Store) openKey() error {
	f, err := s.top.Open("key")
	if errors.Is(err, os.ErrNotExist) {
		return s.makeKey()
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := private(s.top.Root, "key"); err != nil {
		return err
	}
	if n, err := size(f); err != nil || n != keySize {
		return fmt.Errorf("the key has %d bytes, not %d; remove it to begin with another one", n, keySize)
	}
	_, err = io.ReadFull(f, s.key[:])
	return err
}

func (s *Store) makeKey() error {
	rand.Read(s.key[:])
	return s.top.write("key", func(w io.Writer) error {
		_, err := w.Write(s.key[:])
		return err
	})
}

// sweep removes everything that nobody will ask for.
func (s *Store) sweep() error {
	top := map[string]bool{"key": true, "lock": true, registryName: true, counterName: true, "instances": true, "packages": true, "ready": true}
	instances, packages := s.registry.files()
	return errors.Join(
		s.top.sweep(func(name string) bool { return top[name] }),
		s.instances.sweep(func(name string) bool { return instances[name] }),
		s.packages.sweep(func(name string) bool { return packages[name] }),
		s.cache.sweep(func(name string) bool { return validName(name) }),
	)
}

// Close lets go of the store. What it keeps stays.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.key[:])
	s.ready.close()
	var errs []error
	for _, d := range []folder{s.instances, s.packages, s.cache, s.top} {
		if d.Root != nil {
			errs = append(errs, d.Root.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
