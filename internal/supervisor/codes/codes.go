// Package codes keeps machine code that was compiled of modules of WebAssembly,
// in files of one directory, each under a key that its caller makes.
//
// The directory belongs to the supervisor's user and nobody else may look into
// it. A file appears whole or not at all, is never changed, and comes out as a
// sealed memory file: whoever gets one of those cannot reach the directory.
// Several supervisors may use one directory at once.
//
// A file begins with the SHA-256 of the rest, so that damage is noticed. Who can
// write in the directory can write that as well: do not take what comes out for
// more than what the supervisor's user put in.
package codes

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/image"
)

// MaxCode is the largest entry, in bytes.
const MaxCode = 256 << 20

// Key names an entry.
type Key [32]byte

func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Dir is the directory. Its methods may be called concurrently.
type Dir struct {
	top  *os.Root
	most int64 // bytes

	mu sync.Mutex // over making room
}

// Open uses a directory that is there, for at most so many bytes: the entries
// that were not used for the longest time go first.
func Open(path string, most int64) (*Dir, error) {
	top, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the directory of compiled code: %w", err)
	}
	return &Dir{top: top, most: most}, nil
}

// Get gives an entry in a sealed memory file, which the caller closes. Its error
// wraps fs.ErrNotExist if there is none.
func (d *Dir) Get(k Key) (*os.File, error) {
	f, err := d.top.Open(k.String())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular() || st.Size() > MaxCode+sha256.Size:
		return nil, fmt.Errorf("%s is no compiled code: %d bytes, mode %v", k, st.Size(), st.Mode())
	}
	var want [sha256.Size]byte
	if _, err := io.ReadFull(f, want[:]); err != nil {
		return nil, fmt.Errorf("%s is no compiled code: %w", k, err)
	}
	now := time.Now()
	d.top.Chtimes(k.String(), now, now) // whether it is remembered changes nothing now
	return inMemory(f, want)
}

// errDamaged is of a file whose checksum is another one.
var errDamaged = errors.New("compiled code is damaged")

func inMemory(r io.Reader, want [sha256.Size]byte) (*os.File, error) {
	m, err := image.NewMemory("code")
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	_, err = io.Copy(m, io.TeeReader(r, sum))
	if err == nil && [sha256.Size]byte(sum.Sum(nil)) != want {
		err = errDamaged
	}
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("cannot read compiled code: %w", err)
	}
	return image.Seal(m)
}

// temporary is the beginning of the names of files that are not whole.
const temporary = "new-"

// Put keeps an entry of size bytes, in the place of one with the same key.
func (d *Dir) Put(k Key, code io.Reader, size int64) error {
	if size > d.most-sha256.Size {
		return fmt.Errorf("cannot keep compiled code of %d bytes: the directory holds %d", size, d.most)
	}
	if err := d.makeRoom(size + sha256.Size); err != nil {
		return fmt.Errorf("cannot make room for compiled code: %w", err)
	}
	name := temporary + rand.Text()
	err := d.write(name, code, size)
	if err == nil {
		err = d.top.Rename(name, k.String())
	}
	if err != nil {
		d.top.Remove(name)
		return fmt.Errorf("cannot keep compiled code: %w", err)
	}
	return nil
}

// write makes a file of the checksum and the code.
func (d *Dir) write(name string, code io.Reader, size int64) (err error) {
	f, err := d.top.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Seek(sha256.Size, io.SeekStart); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, sum), code, size); err != nil {
		return err
	}
	if _, err := f.WriteAt(sum.Sum(nil), 0); err != nil {
		return err
	}
	return f.Sync()
}

// Drop removes an entry that is of no use. None is no error.
func (d *Dir) Drop(k Key) error {
	if err := d.top.Remove(k.String()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot drop compiled code: %w", err)
	}
	return nil
}

// stale is when a file that is not whole is nobody's any more.
const stale = time.Hour

// makeRoom removes entries until size more bytes fit, and what others left.
func (d *Dir) makeRoom(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	entries, total, err := d.list()
	if err != nil {
		return err
	}
	for _, e := range entries {
		whole := !strings.HasPrefix(e.Name(), temporary)
		if total+size <= d.most && whole || !whole && time.Since(e.ModTime()) < stale {
			continue
		}
		if err := d.top.Remove(e.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= e.Size()
	}
	return nil
}

// list gives what is there, the one that was not used for the longest time first.
func (d *Dir) list() (entries []fs.FileInfo, total int64, err error) {
	names, err := fs.ReadDir(d.top.FS(), ".")
	if err != nil {
		return nil, 0, err
	}
	for _, n := range names {
		info, err := n.Info()
		if err != nil {
			continue // another supervisor removed it
		}
		entries, total = append(entries, info), total+info.Size()
	}
	slices.SortFunc(entries, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	return entries, total, nil
}

// Close lets go of the directory.
func (d *Dir) Close() error { return d.top.Close() }
