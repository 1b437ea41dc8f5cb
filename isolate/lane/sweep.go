package lane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"golang.org/x/sys/unix"
)

// sweepFor bounds how long the sweep of one lane may take.
const sweepFor = 10 * time.Second

// sweep removes what a dead holder left, and says what that was.
func (l *Lane) sweep() (removed []string, err error) {
	h, err := l.recorded()
	if h == nil || err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepFor)
	defer cancel()
	note := func(format string, args ...any) {
		removed = append(removed, fmt.Sprintf("lane %d: removed "+format, append([]any{l.Number}, args...)...))
	}
	groups, err := sweepGroups(ctx, h.Groups)
	for _, name := range groups {
		note("control group %s", name)
	}
	// A start that died half way may be in no group: its user id tells.
	pids, perr := endUsers(ctx, h.UIDBase, h.UIDCount)
	for _, pid := range pids {
		note("process %d", pid)
	}
	if _, serr := os.Stat(l.dir); serr == nil {
		note("directory %s", l.dir)
	}
	// If the mount namespace had not been the holder's own, its mounts would
	// still be here; a directory with a mount in it cannot be removed.
	unix.Unmount(filepath.Join(l.dir, "files"), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	err = errors.Join(err, perr, os.RemoveAll(l.dir))
	if err == nil {
		err = l.rewrite(nil)
	}
	if err != nil {
		err = fmt.Errorf("cannot sweep lane %d: %w", l.Number, err)
	}
	return removed, err
}

// sweepGroups ends what is in the groups and removes them.
func sweepGroups(ctx context.Context, place cgroup.Place) (removed []string, err error) {
	p, err := cgroup.Found(place)
	if err != nil {
		return nil, err
	}
	names, err := p.Names()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, name := range names {
		g := p.Group(name)
		if err := errors.Join(g.Kill(ctx), g.Delete()); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, name)
	}
	return removed, errors.Join(append(errs, p.Remove())...)
}

// endUsers kills the processes whose real user id is in a range, again and
// again until there is none.
func endUsers(ctx context.Context, base, count uint32) (ended []int, err error) {
	seen := map[int]bool{}
	for {
		pids, err := users(base, count)
		if err != nil || len(pids) == 0 {
			return ended, err
		}
		for _, pid := range pids {
			if !seen[pid] {
				seen[pid] = true
				ended = append(ended, pid)
			}
			unix.Kill(pid, unix.SIGKILL) // it may be gone already: the next look tells
		}
		select {
		case <-ctx.Done():
			return ended, fmt.Errorf("cannot end processes %v: %w", pids, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// users gives the processes whose real user id is in the range, but for those
// that have ended and wait for their parent.
func users(base, count uint32) (pids []int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("cannot list processes: %w", err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		status, err := os.ReadFile("/proc/" + e.Name() + "/status")
		if err != nil {
			continue // it has ended meanwhile
		}
		uid, alive := owner(status)
		if alive && uid >= uint64(base) && uid < uint64(base)+uint64(count) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// owner reads the real user id and the state from /proc/PID/status
// (proc_pid_status(5)).
func owner(status []byte) (uid uint64, alive bool) {
	for line := range bytes.Lines(status) {
		f := bytes.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch string(f[0]) {
		case "State:":
			alive = f[1][0] != 'Z' && f[1][0] != 'X'
		case "Uid:":
			uid, err := strconv.ParseUint(string(f[1]), 10, 32)
			return uid, alive && err == nil
		}
	}
	return 0, false
}
