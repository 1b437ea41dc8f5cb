package supervisor

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/image"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor/codes"
)

// Codes keeps compiled modules beyond the supervisor's life. *codes.Dir is one.
type Codes interface {
	Get(codes.Key) (*os.File, error)
	Put(k codes.Key, code io.Reader, size int64) error
	Drop(codes.Key) error
}

var _ Codes = (*codes.Dir)(nil)

// maxCode is the largest compiled module, in bytes.
const maxCode = codes.MaxCode

// coder gives modules in machine code: from memory while their packages are kept,
// from a directory, or by having them compiled, each once at a time.
type coder struct {
	sup *Supervisor

	mu    sync.Mutex
	known map[mp.Digest]*coded
}

// coded is what is known of one package's module.
type coded struct {
	mu   sync.Mutex // held over compiling: who wants the same waits for it
	key  codes.Key
	file *os.File // a sealed memory file; nil if there is none
}

func newCoder(s *Supervisor) *coder { return &coder{sup: s, known: map[mp.Digest]*coded{}} }

// keyOf is for one module and one build of the worker, and so for one version of
// the compiler. The compiler's own key, which is in the code, is for the kind of
// processor as well.
func keyOf(p *program, build string) (codes.Key, error) {
	module, err := p.pack.Files.ReadFile(p.entry)
	if err != nil {
		return codes.Key{}, fmt.Errorf("cannot read the module: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "mpsupervisor code 1\x00%s\x00", build)
	sum := sha256.Sum256(module)
	h.Write(sum[:])
	return codes.Key(h.Sum(nil)), nil
}

// find gives what is known of a package.
func (c *coder) find(d mp.Digest) *coded {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.known[d]
	if e == nil {
		e = &coded{}
		c.known[d] = e
	}
	return e
}

// code gives the module of a program, whose package the caller holds, for a build
// of the worker. The caller closes the file.
func (c *coder) code(ctx context.Context, p *program, build string) (*os.File, error) {
	e := c.find(p.digest())
	e.mu.Lock()
	defer e.mu.Unlock()
	key, err := e.keyFor(p, build)
	if err != nil {
		return nil, err
	}
	if e.file != nil && e.key == key {
		return image.Reopen(e.file)
	}
	file, err := c.fetch(ctx, p, key, build)
	if err != nil {
		return nil, err
	}
	e.keep(key, file)
	return image.Reopen(file)
}

// keyFor hashes the module unless the key is known: a supervisor has one build of
// the worker. e.mu is held.
func (e *coded) keyFor(p *program, build string) (codes.Key, error) {
	if e.file != nil {
		return e.key, nil
	}
	return keyOf(p, build)
}

// keep puts a file in the place of the one that is there. e.mu is held.
func (e *coded) keep(key codes.Key, file *os.File) {
	if e.file != nil {
		e.file.Close()
	}
	e.key, e.file = key, file
}

// fetch takes the code from the directory, or has it compiled and keeps it.
func (c *coder) fetch(ctx context.Context, p *program, key codes.Key, build string) (*os.File, error) {
	s := c.sup
	store := s.cfg.Codes
	if build == "" {
		store = nil // nothing says which worker the code would be for
	}
	if store != nil {
		file, err := store.Get(key)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			s.cfg.Log.Warn("compiled code cannot be used; compiling it again", "app_id", p.app, "error", err)
		}
	}
	began := time.Now()
	file, err := s.compile(ctx, *p)
	if err != nil {
		return nil, fmt.Errorf("cannot compile the module: %w", err)
	}
	size := sizeOf(file)
	s.events.emit(eventCompiled, "", p.app, "digest", p.digestText(), "bytes", itoa(int(size)), "took", time.Since(began).Round(time.Millisecond).String())
	if store != nil {
		if err := store.Put(key, io.NewSectionReader(file, 0, size), size); err != nil {
			s.cfg.Log.Warn("compiled code is in memory alone", "app_id", p.app, "error", err)
		}
	}
	return file, nil
}

// refused drops code that a worker could not use.
func (c *coder) refused(p *program, reason string) {
	c.sup.cfg.Log.Warn("compiled code was of no use; it is compiled again at the next start", "app_id", p.app, "digest", p.digestText(), "reason", reason)
	e := c.find(p.digest())
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.file == nil {
		return
	}
	e.file.Close()
	e.file = nil
	if c.sup.cfg.Codes == nil {
		return
	}
	if err := c.sup.cfg.Codes.Drop(e.key); err != nil {
		c.sup.cfg.Log.Warn("compiled code of no use stays", "app_id", p.app, "error", err)
	}
}

// forget lets go of what is in memory of a package that is not kept any more.
func (c *coder) forget(d mp.Digest) {
	c.mu.Lock()
	e := c.known[d]
	delete(c.known, d)
	c.mu.Unlock()
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.file != nil {
		e.file.Close()
		e.file = nil
	}
}
