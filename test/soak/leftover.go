package main

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

// process is one process for ever: a pid comes again, with its start time not.
type process struct {
	pid, parent int
	start       string
	name        string
}

// look reads a process from proc_pid_stat(5).
func look(pid int) (process, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	before, after, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(after)
	if len(f) < 20 {
		return process{}, fmt.Errorf("/proc/%d/stat is cut off", pid)
	}
	parent, err := strconv.Atoi(f[1])
	_, name, _ := strings.Cut(before, "(")
	return process{pid: pid, parent: parent, start: f[19], name: name}, err
}

// lives reports whether a process is there and more than a zombie.
func (p process) lives() bool {
	now, err := look(p.pid)
	if err != nil || now.start != p.start {
		return false
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	_, after, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}

// children are the processes whose parent is pid.
func children(pid int) (out []process) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, err := look(n); err == nil && p.parent == pid {
			out = append(out, p)
		}
	}
	return out
}

// nothingLeft checks that nothing is left of supervisors that have ended. A
// launcher that outlived its supervisor may still be cleaning: it gets time.
func (s *soak) nothingLeft() error {
	deadline := time.Now().Add(patience)
	for {
		err := errors.Join(s.noProcess(), noGroup(), s.noMount())
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *soak) noProcess() error {
	var errs []error
	left := s.seen[:0]
	for _, p := range s.seen {
		if p.lives() {
			left = append(left, p)
			errs = append(errs, fmt.Errorf("process %d (%s) of a dead supervisor lives", p.pid, p.name))
		}
	}
	s.seen = left
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

// noMount looks for mounts that were not there before the first start.
func (s *soak) noMount() error {
	now, err := mounts()
	if err != nil {
		return err
	}
	for m := range now {
		if !s.mounts[m] {
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
