package supervisor

import (
	"fmt"
	"os"
	"sync"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// pack is a package that was checked and is kept, in a sealed memory file:
// nobody can change it any more.
type pack struct {
	*bundle.Package
	refs int    // programs that run it
	used uint64 // by the store's clock of uses
}

// store keeps packages by digest, within a number of bytes. The least recently
// used ones go first; those in use stay.
type store struct {
	dropped func(mp.Digest) // called when a package goes, if not nil

	mu    sync.Mutex
	max   int64
	size  int64
	clock uint64
	packs map[mp.Digest]*pack
}

func newStore(max int64, dropped func(mp.Digest)) *store {
	return &store{max: max, dropped: dropped, packs: map[mp.Digest]*pack{}}
}

// put checks the package in f and keeps it. It takes f over. added is false if
// the same package was there already.
func (s *store) put(f *os.File) (p *pack, added bool, err error) {
	pkg, err := bundle.Open(f)
	if err != nil {
		f.Close()
		return nil, false, err
	}
	return s.keep(&pack{Package: pkg})
}

func (s *store) keep(p *pack) (*pack, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.packs[p.Digest]; old != nil {
		p.Close()
		s.touch(old)
		return old, false, nil
	}
	if err := s.makeRoom(p.Size); err != nil {
		p.Close()
		return nil, false, err
	}
	s.packs[p.Digest] = p
	s.size += p.Size
	s.touch(p)
	return p, true, nil
}

func (s *store) touch(p *pack) {
	s.clock++
	p.used = s.clock
}

// makeRoom drops packages until size more bytes fit.
func (s *store) makeRoom(size int64) error {
	if size > s.max {
		return fmt.Errorf("package of %d bytes: this supervisor keeps %d in all: %w", size, s.max, mp.ErrTooLarge)
	}
	for s.size+size > s.max {
		oldest := s.oldestUnused()
		if oldest == nil {
			return fmt.Errorf("%w: programs that run use %d of the %d bytes for packages", control.ErrBusy, s.size, s.max)
		}
		s.drop(oldest)
	}
	return nil
}

func (s *store) oldestUnused() *pack {
	var oldest *pack
	for _, p := range s.packs {
		if p.refs == 0 && (oldest == nil || p.used < oldest.used) {
			oldest = p
		}
	}
	return oldest
}

func (s *store) drop(p *pack) {
	delete(s.packs, p.Digest)
	s.size -= p.Size
	p.Close()
	if s.dropped != nil {
		s.dropped(p.Digest)
	}
}

// acquire finds a package and keeps it from being dropped until release.
func (s *store) acquire(d mp.Digest) (*pack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.packs[d]
	if p == nil {
		return nil, fmt.Errorf("package %v is not here, or not any more; put it again: %w", d, mp.ErrNotFound)
	}
	p.refs++
	s.touch(p)
	return p, nil
}

// release ends an acquire. Nil is a program that is in no package.
func (s *store) release(p *pack) {
	if p == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.refs--
}

// kept is how many packages there are, and their bytes together.
func (s *store) kept() (n int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.packs), s.size
}

// setMax changes the bound; what is above it goes when it is not in use.
func (s *store) setMax(max int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.max = max
	for s.size > s.max {
		oldest := s.oldestUnused()
		if oldest == nil {
			return
		}
		s.drop(oldest)
	}
}

// close drops every package; nothing runs any more.
func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.packs {
		s.drop(p)
	}
}
