package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// write writes one value to one file of a group. It never creates the file:
// on a directory that is not a group that would hide a mistake.
func write(dir, name, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(value)
	return err
}

// number reads a file that holds one number; "max" is the largest.
func number(dir, name string) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0, err
	}
	s := string(bytes.TrimSpace(b))
	if s == "max" {
		return 1<<64 - 1, nil
	}
	n, err := parse(s)
	if err != nil {
		return 0, fmt.Errorf("cannot read %s: %w", name, err)
	}
	return n, nil
}

// field reads the number behind key in a file of lines "key number".
func field(dir, name, key string) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		if k == key {
			return parse(v)
		}
	}
	return 0, fmt.Errorf("cannot read %s: it has no %s", name, key)
}

// words reads a file of words between blanks.
func words(dir, name string) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("cannot read control group: %w", err)
	}
	return strings.Fields(string(b)), nil
}

// lines reads the words of each line that has any. A file or group that is not
// there has none.
func lines(dir, name string) ([][]string, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if dir == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read control group: %w", err)
	}
	var out [][]string
	for line := range strings.Lines(string(b)) {
		if words := strings.Fields(line); len(words) > 0 {
			out = append(out, words)
		}
	}
	return out, nil
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// procs reads the processes in a group; one that is gone has none.
func procs(dir string) ([]int, error) {
	fields, err := words(dir, "cgroup.procs")
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, f := range fields {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("cannot read cgroup.procs: %w", err)
		}
		if pid > 0 { // 0 is a process of another pid namespace than ours
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// gone reports whether err says that a group has been removed: the directory
// is not there, or it went while a file in it was open (ENODEV).
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV)
}

// inUse reports whether a group could not be removed because something is in it.
func inUse(err error) bool {
	return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.ENOTEMPTY)
}

func parse(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }
