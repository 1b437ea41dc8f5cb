package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// needed are the version 2 controllers without which a worker has no limits.
var needed = []string{"cpu", "memory", "pids"}

// wished are those that are passed on to workers only where this process has
// them: limits that name them are an error elsewhere.
var wished = []string{"io"}

// leaf is where processes of a group go that is to have limited children.
const leaf = "main"

// delegate makes dir a version 2 group whose children can be limited.
func delegate(dir string) error {
	have, err := words(dir, "cgroup.controllers")
	if err != nil {
		return err
	}
	for _, c := range needed {
		if !slices.Contains(have, c) {
			return &MissingError{c, dir}
		}
	}
	err = enable(dir)
	if !errors.Is(err, unix.EBUSY) {
		return err
	}
	if err := vacate(dir); err != nil {
		return err
	}
	return enable(dir)
}

// enable turns the needed and the wished controllers on for the children of dir.
func enable(dir string) error {
	have, err := words(dir, "cgroup.controllers")
	if err != nil {
		return err
	}
	on, err := words(dir, "cgroup.subtree_control")
	if err != nil {
		return err
	}
	var want []string
	for _, c := range slices.Concat(needed, wished) {
		if !slices.Contains(on, c) && (slices.Contains(have, c) || slices.Contains(needed, c)) {
			want = append(want, "+"+c)
		}
	}
	if len(want) == 0 {
		return nil
	}
	if err := write(dir, "cgroup.subtree_control", strings.Join(want, " ")); err != nil {
		return fmt.Errorf("cannot enable controllers for workers: %w", err)
	}
	return nil
}

// vacate moves every process of dir into its leaf, if all of them are this
// process or its ancestors: others are not ours to move.
func vacate(dir string) error {
	pids, err := procs(dir)
	if err != nil {
		return err
	}
	ours := ancestors()
	for _, pid := range pids {
		if !slices.Contains(ours, pid) {
			return fmt.Errorf("control group %s also holds process %d, which is not this service's", dir, pid)
		}
	}
	to := filepath.Join(dir, leaf)
	if err := os.Mkdir(to, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot make control group: %w", err)
	}
	for _, pid := range pids {
		if err := write(to, "cgroup.procs", strconv.Itoa(pid)); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("cannot move process %d: %w", pid, err)
		}
	}
	return move(to)
}

// ancestors gives this process and its parent: the launcher and the supervisor
// that started it.
func ancestors() []int { return []int{os.Getpid(), os.Getppid()} }
