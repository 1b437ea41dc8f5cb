package main

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/privilege"
)

// answerTimeout bounds how long doctor waits for another program.
const answerTimeout = 5 * time.Second

// otherProgram looks at one of the other programs: that it is there, of this
// version (ask makes it tell), static, and writable by root alone.
func otherProgram(ctx context.Context, configured, name, ask string) func() (bool, string) {
	return func() (bool, string) {
		path, err := findFile(configured, name)
		if err != nil {
			return false, err.Error()
		}
		if err := isStatic(path); err != nil {
			return false, fmt.Sprintf("%s: %v", path, err)
		}
		version, err := versionOf(ctx, path, ask)
		if err != nil {
			return false, fmt.Sprintf("%s: cannot ask its version: %v", path, err)
		}
		if version != mp.Version {
			return false, fmt.Sprintf("%s is version %.40q, this program %q", path, version, mp.Version)
		}
		return true, fmt.Sprintf("%s, version %s, static%s", path, version, writers(path))
	}
}

// isStatic reports an error if the program needs a loader or libraries: they
// would have to be inside a worker's root, which is empty.
func isStatic(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("it is not a program: %w", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("it is not static")
		}
	}
	return nil
}

// versionOf asks a program, which answers "NAME VERSION, …".
func versionOf(ctx context.Context, path, ask string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, ask).Output()
	if err != nil {
		return "", err
	}
	words := strings.FieldsFunc(string(out), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' })
	if len(words) < 2 || words[0] != filepath.Base(path) {
		return "", fmt.Errorf("it answered %.80q", out)
	}
	return words[1], nil
}

// writers warns about a program that root executes and others can change.
func writers(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if owner != 0 || info.Mode().Perm()&0o022 != 0 {
		return fmt.Sprintf("; beware: user %d can change it (mode %v)", owner, info.Mode().Perm())
	}
	return ""
}

// image has the worker's program look whether the heap image is sound and its
// own: a worker that maps it looks at its beginning alone.
func image(ctx context.Context, configured, worker string) func() (bool, string) {
	return func() (bool, string) {
		path, err := findFile(configured, "mpworker.img")
		if err != nil {
			return false, err.Error()
		}
		info, err := os.Stat(path)
		if err != nil {
			return false, err.Error()
		}
		program, err := findFile(worker, "mpworker")
		if err != nil {
			return false, fmt.Sprintf("%s, but no program to check it: %v", path, err)
		}
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		if out, err := exec.CommandContext(ctx, program, "check", path).CombinedOutput(); err != nil {
			return false, fmt.Sprintf("%s: %v: %.200s", path, err, bytes.TrimSpace(out))
		}
		return true, fmt.Sprintf("%s, %s, sound", path, bytesText(uint64(info.Size())))
	}
}

func account(name string) func() (bool, string) {
	return func() (bool, string) {
		u, exists, err := privilege.Lookup(name)
		switch {
		case err != nil:
			return false, err.Error()
		case !exists:
			return false, fmt.Sprintf("no account %s: the supervisor becomes uid %d", name, u.UID)
		}
		return u.UID != 0, u.String()
	}
}

func operators(name string) func() (bool, string) {
	return func() (bool, string) {
		gid, exists, err := privilege.LookupGroup(name)
		switch {
		case err != nil:
			return false, err.Error()
		case !exists:
			return false, fmt.Sprintf("no group %s: only root can use the control socket", name)
		}
		return true, fmt.Sprintf("%s (%d)", name, gid)
	}
}

// runDirectory looks at run_dir, or at where it will be made.
func runDirectory(dir string) func() (bool, string) {
	return func() (bool, string) {
		info, err := os.Stat(dir)
		if errors.Is(err, os.ErrNotExist) {
			parent, err := os.Stat(filepath.Dir(dir))
			return err == nil && parent.IsDir(), dir + " will be made"
		}
		if err != nil {
			return false, err.Error()
		}
		owner := info.Sys().(*syscall.Stat_t).Uid
		switch {
		case !info.IsDir():
			return false, dir + " is not a directory"
		case owner != 0 || info.Mode().Perm()&0o022 != 0:
			return false, fmt.Sprintf("%s can be changed by others than root (owner %d, mode %v)", dir, owner, info.Mode().Perm())
		}
		return true, dir
	}
}

// daemonAnswers asks whoever listens on the control socket.
func (a *app) daemonAnswers(ctx context.Context) (bool, string) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	c := a.client()
	defer c.Close()
	info, err := c.Info(ctx, &controlpb.InfoRequest{})
	if err != nil {
		return false, err.Error()
	}
	found := fmt.Sprintf("version %s, pid %d, uid %d, launcher %d, control groups %s, %d programs",
		info.GetVersion(), info.GetPid(), info.GetUid(), info.GetLauncherPid(), info.GetCgroupLayout(), info.GetRunning())
	return info.GetVersion() == mp.Version, found
}
