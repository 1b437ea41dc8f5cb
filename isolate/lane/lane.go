// Package lane shares a host out among launchers, and cleans up after those
// that died.
//
// A lane is a number. Whoever holds the lock on its file may make control
// groups, user ids and state under that number, and nobody else. The kernel
// takes the lock away when its holder dies, however it dies: a lane that can be
// locked but has something in it was somebody's who is dead, and Sweep removes
// all of it: processes, control groups, directories. (Namespaces go with the
// processes in them, and a launcher's mounts with its mount namespace.)
//
// What to look for is written in the lane's file before the first of it is
// made. The directory is root's alone to write: the files are trusted.
package lane

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"golang.org/x/sys/unix"
)

// Count is how many launchers can live on a host at once.
const Count = 32

// Lane is a lane that this process holds.
type Lane struct {
	Number int
	file   *os.File
	dir    string
}

// Holdings are what a launcher makes in its lane. They are recorded for whoever
// comes after it.
type Holdings struct {
	Groups   cgroup.Place `json:"groups"` // where the workers' groups are
	UIDBase  uint32       `json:"uid_base"`
	UIDCount uint32       `json:"uid_count"` // of all slots together
}

// Take takes the first free lane below dir. Every lane that nobody holds is
// swept on the way; notes say, for people, what was found in them, and which
// could not be swept: those are left to the next one to try.
func Take(dir string) (_ *Lane, notes []string, err error) {
	lanes := filepath.Join(dir, "lanes")
	if err := os.MkdirAll(lanes, 0o755); err != nil {
		return nil, nil, fmt.Errorf("cannot make run directory: %w", err)
	}
	var mine *Lane
	for n := range Count {
		l, err := take(lanes, n, mine == nil)
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, fs.ErrNotExist) {
			continue // somebody's, or nobody's ever
		}
		if err != nil {
			return nil, notes, err
		}
		removed, err := l.sweep()
		notes = append(notes, removed...)
		if err != nil {
			notes = append(notes, err.Error())
		}
		if err != nil || mine != nil {
			l.file.Close()
			continue
		}
		mine = l
	}
	if mine == nil {
		return nil, notes, fmt.Errorf("all %d lanes in %s are taken", Count, lanes)
	}
	return mine, notes, nil
}

// take locks lane n, or fails with EWOULDBLOCK; with fs.ErrNotExist if it has no
// file and is not to get one.
func take(lanes string, n int, create bool) (*Lane, error) {
	path := filepath.Join(lanes, strconv.Itoa(n))
	flags := os.O_RDWR | unix.O_NOFOLLOW
	if create {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open lane: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock lane %d: %w", n, err)
	}
	return &Lane{Number: n, file: f, dir: path + ".state"}, nil
}

// Dir is the directory for the lane's state. It is not made here.
func (l *Lane) Dir() string { return l.dir }

// Record notes what the holder is about to make.
func (l *Lane) Record(h Holdings) error {
	b, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("cannot record lane: %w", err)
	}
	return l.rewrite(b)
}

// Release gives the lane back. Its holder has removed what it made.
func (l *Lane) Release() error {
	return errors.Join(l.rewrite(nil), l.file.Close())
}

func (l *Lane) rewrite(b []byte) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("cannot record lane: %w", err)
	}
	if _, err := l.file.WriteAt(b, 0); err != nil {
		return fmt.Errorf("cannot record lane: %w", err)
	}
	return nil
}

// recorded reads what the last holder noted; nil if it left in order.
func (l *Lane) recorded() (*Holdings, error) {
	b, err := io.ReadAll(io.NewSectionReader(l.file, 0, 1<<20))
	if err != nil || len(b) == 0 {
		return nil, err
	}
	var h Holdings
	if err := json.Unmarshal(b, &h); err != nil {
		return nil, fmt.Errorf("cannot read lane %d: %w", l.Number, err)
	}
	return &h, nil
}
