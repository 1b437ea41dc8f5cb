// Package leftover looks for what supervisors that have ended left behind on
// the host: processes, control groups of lanes that nobody holds, mounts.
package leftover

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Process is one process for ever: a pid comes again, with its start time not.
type Process struct {
	Pid  int
	Name string // of its program, cut to 15 bytes

	parent int
	start  string
}

// Look reads a process from proc_pid_stat(5).
func Look(pid int) (Process, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, err
	}
	before, after, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(after)
	if len(f) < 20 {
		return Process{}, fmt.Errorf("/proc/%d/stat is cut off", pid)
	}
	parent, err := strconv.Atoi(f[1])
	_, name, _ := strings.Cut(before, "(")
	return Process{Pid: pid, Name: name, parent: parent, start: f[19]}, err
}

// Lives reports whether a process is there and more than a zombie.
func (p Process) Lives() bool {
	now, err := Look(p.Pid)
	if err != nil || now.start != p.start {
		return false
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	_, after, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}

// Children are the processes whose parent is pid.
func Children(pid int) (out []Process) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, err := Look(n); err == nil && p.parent == pid {
			out = append(out, p)
		}
	}
	return out
}

// Watch knows what was there before, and who was seen.
type Watch struct {
	mounts map[string]bool
	seen   []Process
}

// New begins to watch, before the first supervisor is started.
func New() (*Watch, error) {
	m, err := mounts()
	return &Watch{mounts: m}, err
}

// Remember notes a supervisor, its launcher, and the launcher's workers, whose
// processes are to be gone when they are.
func (w *Watch) Remember(supervisor, launcher int) {
	w.seen = append(w.seen, Children(launcher)...)
	for _, pid := range []int{supervisor, launcher} {
		if p, err := Look(pid); err == nil {
			w.seen = append(w.seen, p)
		}
	}
}

// Nothing checks that nothing is left of supervisors that have ended. A
// launcher that outlived its supervisor may still be cleaning: it gets time.
func (w *Watch) Nothing(patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		err := errors.Join(w.noProcess(), noGroup(), w.noMount())
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *Watch) noProcess() error {
	var errs []error
	left := w.seen[:0]
	for _, p := range w.seen {
		if p.Lives() {
			left = append(left, p)
			errs = append(errs, fmt.Errorf("process %d (%s) of a dead supervisor lives", p.Pid, p.Name))
		}
	}
	w.seen = left
	return errors.Join(errs...)
}

// lane is the directory name of everything that one launcher owns.
const lane = "lane-"

// noGroup looks for control groups of lanes that nobody holds.
func noGroup() error {
	var errs []error
	filepath.WalkDir("/sys/fs/cgroup", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() || !strings.HasPrefix(e.Name(), lane) {
			return nil // groups come and go while we look
		}
		if number := strings.TrimPrefix(e.Name(), lane); !held(number) {
			errs = append(errs, fmt.Errorf("control group %s is nobody's", path))
		}
		return filepath.SkipDir
	})
	return errors.Join(errs...)
}

// held reports whether a live launcher holds a lane.
func held(number string) bool {
	f, err := os.Open("/run/mpsupervisor/lanes/" + number)
	if err != nil {
		return false
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil
}

// noMount looks for mounts that were not there before.
func (w *Watch) noMount() error {
	now, err := mounts()
	if err != nil {
		return err
	}
	for m := range now {
		if !w.mounts[m] {
			err = errors.Join(err, fmt.Errorf("mount %s is left", m))
		}
	}
	return err
}

// mounts are the mount points of this namespace.
func mounts() (map[string]bool, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string]bool{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if fields := strings.Fields(sc.Text()); len(fields) > 4 {
			all[fields[4]] = true
		}
	}
	return all, nil
}
